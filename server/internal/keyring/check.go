package keyring

import (
	"errors"
	"fmt"

	"doorstep/server/internal/disk"
)

// Check reads the store from its first byte to its last. Every key in it is in memory, so damage that it finds, which
// is an ErrDamaged, can be mended by Rewrite as long as the process lives. Ensure and Destroy wait meanwhile.
func (r *Ring) Check() error {
	r.writing.Lock()
	defer r.writing.Unlock()
	if err := r.writable(); err != nil {
		return err
	}
	if err := r.file.Check(r.opt.FS, nil); err != nil {
		return fmt.Errorf("checking the key store: %w", err)
	}
	return nil
}

// Rewrite puts a new store with all keys in place of the present one, which is kept beside it under the name aside: for
// a store that rotted on the disk. Errors are as for Destroy.
func (r *Ring) Rewrite(aside string) error {
	r.writing.Lock()
	defer r.writing.Unlock()
	if err := r.writable(); err != nil {
		return err
	}
	if err := r.keepAside(aside); err != nil {
		return err
	}
	return r.rewrite(r.table)
}

// keepAside copies the bytes of the store, as they are, to another name.
func (r *Ring) keepAside(name string) error {
	b, err := r.file.Bytes()
	if err != nil {
		return err
	}
	if err := disk.Replace(r.opt.FS, r.path(name), b); err != nil {
		return fmt.Errorf("keeping the damaged key store: %w", err)
	}
	return nil
}

// Snapshot is the whole store as it is on the disk, verified, for a backup: every key that was acknowledged before the
// call is in it, under the borough key. Ensure and Destroy wait meanwhile.
func (r *Ring) Snapshot() ([]byte, error) {
	r.writing.Lock()
	defer r.writing.Unlock()
	if err := r.writable(); err != nil {
		return nil, err
	}
	if err := r.file.Check(r.opt.FS, nil); err != nil {
		return nil, errors.Join(errors.New("the key store cannot be copied"), err)
	}
	return r.file.Bytes()
}
