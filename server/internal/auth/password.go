package auth

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/secure/precis"
)

// Cost is what one password check takes. Another cost changes new hashes only:
// the figures of a hash travel with it. Until everybody has a new password, those of
// the old cost can then be told from logins that there are not by how long it takes.
type Cost struct {
	MemoryKiB uint32
	Passes    uint32
}

// defaultCost is the first choice of the OWASP Password Storage Cheat Sheet for
// argon2id: 19 MiB of memory, two passes, one lane.
func defaultCost() Cost { return Cost{MemoryKiB: 19 * 1024, Passes: 2} }

const (
	argonLanes     = 1
	argonSaltBytes = 16
	argonHashBytes = 32
)

// Bounds of a password. Twelve characters follows NCSC advice for accounts
// without a second factor; the upper bound keeps hashing short, in bytes.
const (
	minPasswordRunes = 12
	maxPasswordBytes = 512
)

// ErrWeakPassword is returned for a password outside the bounds, or one with
// characters that keyboards disagree on.
var ErrWeakPassword = errors.New("a password needs 12 or more characters and at most 512 bytes, none of them a control character")

// errBadHash is returned for a stored hash this build cannot read.
var errBadHash = errors.New("stored password hash is not argon2id")

// derivation is argon2.IDKey, or one that counts how often it is asked.
type derivation func(password, salt []byte, passes, memoryKiB uint32, lanes uint8, keyBytes uint32) []byte

// hash returns the PHC string of password under a fresh salt.
func (c Cost) hash(password string, random io.Reader) (string, error) {
	norm, err := normalPassword(password)
	if err != nil {
		return "", err
	}
	salt := make([]byte, argonSaltBytes)
	if _, err := io.ReadFull(random, salt); err != nil {
		return "", fmt.Errorf("drawing a salt: %w", err)
	}
	sum := argon2.IDKey([]byte(norm), salt, c.Passes, c.MemoryKiB, argonLanes, argonHashBytes)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		c.MemoryKiB, c.Passes, argonLanes, b64(salt), b64(sum)), nil
}

// checkPassword reports whether password matches the stored PHC string. It
// costs one argon2id run whatever the answer.
func checkPassword(stored, password string, derive derivation) (bool, error) {
	p, err := parsePHC(stored)
	if err != nil {
		return false, err
	}
	norm, err := normalPassword(password)
	if err != nil {
		norm = "" // no hash is of an empty password: the run below fails at equal cost
	}
	sum := derive([]byte(norm), p.salt, p.passes, p.memoryKiB, p.lanes, uint32(len(p.sum)))
	return subtle.ConstantTimeCompare(sum, p.sum) == 1, nil
}

// normalPassword brings a password to the form that every keyboard agrees on
// (RFC 8265, OpaqueString) and checks its bounds.
func normalPassword(password string) (string, error) {
	if len(password) > maxPasswordBytes {
		return "", ErrWeakPassword
	}
	norm, err := precis.OpaqueString.String(password)
	if err != nil || len([]rune(norm)) < minPasswordRunes {
		return "", ErrWeakPassword
	}
	return norm, nil
}

// phc is a parsed argon2id hash string.
type phc struct {
	memoryKiB, passes uint32
	lanes             uint8
	salt, sum         []byte
}

func parsePHC(stored string) (phc, error) {
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return phc{}, errBadHash
	}
	var p phc
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memoryKiB, &p.passes, &p.lanes); err != nil || n != 3 {
		return phc{}, errBadHash
	}
	if p.memoryKiB > 1<<20 || p.passes == 0 || p.passes > 16 || p.lanes == 0 {
		return phc{}, errBadHash
	}
	var err error
	if p.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return phc{}, errBadHash
	}
	if p.sum, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(p.sum) != argonHashBytes {
		return phc{}, errBadHash
	}
	return p, nil
}
