package device

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ErrNotTheirs says that a person's store is sealed with another key than the one
// it was opened with: somebody else's, or one that was drawn anew.
var ErrNotTheirs = errors.New("the store is sealed with another key")

// Shared is a tablet that several people use: one device key, and one store for
// each person, sealed with a key of their own. Nobody opens, changes or reads
// another's store, so words that one person has not sent yet wait there untouched
// while others work.
type Shared struct {
	dir    string
	secret []byte
	key    Key
}

// OpenShared opens the folder of a shared tablet, making it and the device's key if
// they are not there. secret (32 bytes) is the tablet's own, from its operating
// system's keystore: it seals the device key, which each person who enrols here
// needs, and hides who has a store. It fails with ErrNotTheirs for another secret.
func OpenShared(dir string, secret []byte) (*Shared, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open shared tablet: %w", err)
	}
	file, err := OpenFile(filepath.Join(dir, "device"))
	if err != nil {
		return nil, fmt.Errorf("open shared tablet: %w", err)
	}
	s := &Shared{dir: dir, secret: secret}
	s.key, err = sharedKey(file, secret)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("open shared tablet: %w", err)
	}
	return s, nil
}

// sharedKey reads the device key, or draws one and keeps it.
func sharedKey(file Store, secret []byte) (Key, error) {
	rows, err := Sealed(file, secret)
	if err != nil {
		return Key{}, err
	}
	if err := opens(rows); err != nil {
		return Key{}, err
	}
	return enrolKey(rows, nil)
}

// Key is the device's key, for the Enrolment of each person.
func (s *Shared) Key() Key { return s.key }

// Open opens the store of a person, making it if it is not there: empty until they
// enrol. login names them; own (32 bytes) is a key that only they can come by, such
// as one that their passkey or password unlocks. It fails with ErrNotTheirs if the
// store is sealed with another key, and as OpenBadger does. Whoever calls it closes
// the store when the person leaves the tablet, and must not sign them out before
// their words are sent: the session lets the next sync go by itself.
func (s *Shared) Open(login string, own []byte) (Store, error) {
	inner, err := OpenBadger(filepath.Join(s.dir, s.folder(login)), BadgerOptions{})
	if err != nil {
		return nil, err
	}
	store, err := Sealed(inner, own)
	if err == nil {
		err = opens(store)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open a person's store: %w", err), inner.Close())
	}
	return store, nil
}

// folder names a person's folder without saying who they are.
func (s *Shared) folder(login string) string {
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte("doorstep-person-v1\x00" + strings.ToLower(strings.TrimSpace(login))))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// opens fails with ErrNotTheirs if the first row of a sealed store does not open.
// One is enough: the store's driver finds other damage when it loads them all.
func opens(s Store) error {
	err := s.Load(func(_, _ []byte) error { return errSeenOne })
	var damage *DamageError
	switch {
	case errors.Is(err, errSeenOne):
		return nil
	case errors.As(err, &damage):
		return ErrNotTheirs
	}
	return err
}

var errSeenOne = errors.New("one row is enough")
