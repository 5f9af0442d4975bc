package device

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"doorstep/client-sdk/engine"
)

// Store keeps rows. Package storetest says in tests what is asked of one.
type Store interface {
	// Apply writes rows, all or none; a nil Value deletes. When it returns nil
	// they survive a crash of the process and of the machine. It takes up to
	// 10,000 rows and 4 MB, keys included. After an error the store holds the rows as
	// they were before, or as they would be after; Load tells.
	Apply(rows []engine.Row) error
	// Load calls fn with every row, in any order, and stops at its first error,
	// which it returns. fn may keep what it is given. A row that does not hold
	// what was written is a DamageError.
	Load(fn func(key, value []byte) error) error
	// Close lets go of the store; a second Close does nothing.
	Close() error
}

// Errors of stores.
var (
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("store is closed")
	// ErrFull: too little space is left to write safely.
	ErrFull = errors.New("too little disk space left")
)

// DamageError says that a store does not hold what was written to it.
type DamageError struct {
	// Kind is the kind of the damaged row (see package engine), or 0 if rows
	// are missing and it is not known which.
	Kind byte
	// Lost is how many writes are missing, at least.
	Lost uint64
}

func (e *DamageError) Error() string {
	if e.Lost > 0 {
		return fmt.Sprintf("store damaged: its last %d writes are gone", e.Lost)
	}
	return fmt.Sprintf("store damaged: a row of kind %q is not what was written", e.Kind)
}

// withSum puts a row's SHA-256 before its value. The key is part of it, so that
// a value cannot turn up under another.
func withSum(key, value []byte) []byte {
	sum := rowSum(key, value)
	out := make([]byte, 0, len(sum)+len(value))
	return append(append(out, sum[:]...), value...)
}

// checkSum takes the value out again.
func checkSum(key, stored []byte) ([]byte, error) {
	if len(stored) < sha256.Size || [sha256.Size]byte(stored) != rowSum(key, stored[sha256.Size:]) {
		return nil, &DamageError{Kind: kindOf(key)}
	}
	return stored[sha256.Size:], nil
}

func rowSum(key, value []byte) [sha256.Size]byte {
	h := sha256.New()
	var n [2]byte
	n[0], n[1] = byte(len(key)>>8), byte(len(key))
	h.Write(n[:])
	h.Write(key)
	h.Write(value)
	return [sha256.Size]byte(h.Sum(nil))
}

func kindOf(key []byte) byte {
	if len(key) == 0 {
		return 0
	}
	return key[0]
}
