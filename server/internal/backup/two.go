package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// SealForTwo encrypts a short secret so that only two people together can open it:
// to the second, and that to the first. Neither learns anything of it alone.
func SealForTwo(secret []byte, first, second string) ([]byte, error) {
	if first == second {
		return nil, errors.New("the two must be different people")
	}
	recipients, err := ParseRecipients([]string{first, second})
	if err != nil {
		return nil, err
	}
	inner, err := sealTo(secret, recipients[1])
	if err != nil {
		return nil, err
	}
	return sealTo(inner, recipients[0])
}

func sealTo(plain []byte, to age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	if err != nil {
		return nil, fmt.Errorf("sealing for two: %w", err)
	}
	_, err = w.Write(plain)
	if err := errors.Join(err, w.Close()); err != nil {
		return nil, fmt.Errorf("sealing for two: %w", err)
	}
	return out.Bytes(), nil
}

// OpenByTwo opens what SealForTwo sealed, with both people's identities, each from a
// file as ReadIdentities reads it, in the order in which it was sealed.
func OpenByTwo(sealed []byte, first, second string) ([]byte, error) {
	for _, path := range []string{first, second} {
		ids, err := ReadIdentities(path)
		if err != nil {
			return nil, err
		}
		r, err := age.Decrypt(bytes.NewReader(sealed), ids...)
		if err != nil {
			return nil, fmt.Errorf("%s does not open its half: %w", path, err)
		}
		if sealed, err = io.ReadAll(r); err != nil {
			return nil, fmt.Errorf("opening by two: %w", err)
		}
	}
	return sealed, nil
}
