package auth

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"io"
	"strings"
	"time"
)

// CodeLife is how long an enrolment code can be used: a week lets IT hand out
// tablets in batches and leaves no code lying about for longer.
const CodeLife = 7 * 24 * time.Hour

// codeBytes is the chance in a code: 80 bits, sixteen letters of base32.
const codeBytes = 10

// newCode returns a fresh enrolment code as people type it, in four groups.
func newCode(random io.Reader) (string, error) {
	b := make([]byte, codeBytes)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("drawing an enrolment code: %w", err)
	}
	s := base32.StdEncoding.EncodeToString(b)
	return s[0:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:16], nil
}

// NormalCode brings a typed code to its one form: sixteen capital letters and
// digits. It reports false for anything that is not a code. A 0 is read as O
// and a 1 as I, because base32 has neither digit.
func NormalCode(typed string) (string, bool) {
	up := strings.NewReplacer("-", "", " ", "", "0", "O", "1", "I").Replace(strings.ToUpper(typed))
	if len(up) != 16 {
		return "", false
	}
	if _, err := base32.StdEncoding.DecodeString(up); err != nil {
		return "", false
	}
	return up, true
}

// codeHash is what is kept of a code. A fast hash is enough: 80 random bits
// cannot be searched.
func codeHash(normal string) [32]byte {
	return sha256.Sum256([]byte("doorstep-enrol-code-v1\x00" + normal))
}
