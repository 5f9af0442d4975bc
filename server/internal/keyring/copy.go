package keyring

import (
	"errors"
	"fmt"
	"path/filepath"

	"doorstep/server/internal/chain"
	"doorstep/server/internal/disk"
)

// readTries is how often ReadStore reads a store that another process is replacing.
const readTries = 5

// ReadStore reads the key store in a directory, beside the process that writes it or without one. Every key that was
// durable before the call is in it; all are under the borough key. Errors: ErrMissing, one that is an ErrDamaged, or
// what the file system answered.
func ReadStore(dir string) ([]byte, error) {
	fsys := disk.Local{}
	names, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("listing the key store: %w", err)
	}
	if len(names) == 0 {
		return nil, ErrMissing
	}
	for range readTries {
		var b []byte
		if b, err = disk.ReadFile(fsys, filepath.Join(dir, storeName), chain.MaxFileBytes); err != nil {
			return nil, fmt.Errorf("reading the key store: %w", err)
		}
		var whole int64
		if whole, err = checkStore(b); err == nil {
			return b[:whole], nil // what follows is being written
		}
		// Destroying a key wipes the file that was replaced while we read it.
	}
	return nil, err
}

func checkStore(b []byte) (int64, error) {
	t := newTable()
	return chain.VerifyBytes(storeName, b, chain.Options{Kind: storeKind(), Visit: func(_ chain.Position, payload []byte) error {
		return t.decode(payload)
	}})
}

// CheckStore verifies every byte of a store that ReadStore answered.
func CheckStore(b []byte) error {
	whole, err := checkStore(b)
	if err == nil && whole != int64(len(b)) {
		err = fmt.Errorf("the store ends inside a key: %w", ErrDamaged)
	}
	return err
}

// WriteStore puts a store that ReadStore answered into a directory that has none.
func WriteStore(dir string, b []byte) error {
	fsys := disk.Local{}
	if err := errors.Join(CheckStore(b), fsys.MkdirAll(dir)); err != nil {
		return err
	}
	names, err := fsys.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("listing the key store: %w", err)
	}
	if len(names) > 0 {
		return fmt.Errorf("there is something in %s already; nothing was changed", dir)
	}
	return disk.Replace(fsys, filepath.Join(dir, storeName), b)
}
