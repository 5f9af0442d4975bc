package keyring

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"doorstep/server/internal/disk"
)

// Key is the borough key. It never shows itself in a log or a message.
type Key [keyBytes]byte

// Format implements fmt.Formatter for every verb.
func (Key) Format(s fmt.State, _ rune) { io.WriteString(s, "[secret key]") }

// MarshalText implements encoding.TextMarshaler.
func (Key) MarshalText() ([]byte, error) { return []byte("[secret key]"), nil }

// LoadBoroughKey reads the borough key from a file, which must hold exactly 32 bytes that are not all zero and be
// readable by its owner alone.
func LoadBoroughKey(path string) (Key, error) { return loadKey(path, 0o077) }

// LoadPassedKey is LoadBoroughKey for a file in systemd's folder of credentials: there the group's bits are the mask of
// an access list that names the service alone (acl(5)).
func LoadPassedKey(path string) (Key, error) { return loadKey(path, 0o037) }

// loadKey reads a key from a file that has none of the forbidden permissions.
func loadKey(path string, forbidden fs.FileMode) (Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return Key{}, fmt.Errorf("reading the borough key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Key{}, fmt.Errorf("reading the borough key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return Key{}, fmt.Errorf("the borough key %s is not a file", path)
	}
	if info.Mode().Perm()&forbidden != 0 {
		return Key{}, fmt.Errorf("the borough key %s is open to others (mode %04o): chmod 600 it, and think of it as known",
			path, info.Mode().Perm())
	}
	if info.Size() != keyBytes {
		return Key{}, fmt.Errorf("the borough key %s has %d bytes, must have %d", path, info.Size(), keyBytes)
	}
	var key Key
	if _, err := io.ReadFull(f, key[:]); err != nil {
		return Key{}, fmt.Errorf("reading the borough key: %w", err)
	}
	if key == (Key{}) {
		return Key{}, fmt.Errorf("the borough key %s is all zeros", path)
	}
	return key, nil
}

// NewBoroughKeyFile draws a borough key into a new file, durably, readable by its owner alone. It never replaces a file:
// one that exists is an error that is fs.ErrExist.
func NewBoroughKeyFile(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("making the borough key: %w", err)
	}
	var key Key
	rand.Read(key[:]) // never fails, by its documentation
	_, err = f.Write(key[:])
	if err := errors.Join(err, f.Sync(), f.Close(), (disk.Local{}).SyncDir(filepath.Dir(path))); err != nil {
		return fmt.Errorf("making the borough key %s: %w", path, err)
	}
	return nil
}
