package journal

import (
	"errors"
	"fmt"
	"path/filepath"

	"doorstep/server/internal/disk"
)

// OpenCopy opens a copy of the journal that has a first epoch, in a directory, or begins it there. The copy is a journal
// of its own; AdoptEpochs gives it the other's epochs. Errors are as for Open.
func OpenCopy(dir string, first Epoch, opt Options) (*Journal, error) {
	if opt.FS == nil {
		opt.FS = disk.Local{}
	}
	if err := opt.FS.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("making the copy's directory: %w", err)
	}
	found, err := list(opt.FS, dir)
	if err != nil {
		return nil, err
	}
	if len(found.segments) == 0 { // else a torn tail may need an epoch, which AdoptEpochs takes back
		opt.NewEpoch = func() Epoch { return first }
	}
	return Open(dir, opt)
}

// Restore writes a whole journal into a directory that has none, from a copy, under a new epoch: whoever remembers
// positions of it must compare.
func Restore(from *Journal, dir, reason string, opt Options) (err error) {
	to, err := BeginCopy(dir, from.Epochs(), opt)
	if err != nil {
		return err
	}
	head, digest := from.Head()
	for at := Position(0); at < head && err == nil; {
		var group [][]byte
		if group, err = readGroup(from, at, head); err == nil {
			at += Position(len(group))
			err = to.Append(group)
		}
	}
	if _, got := to.Head(); err == nil && got != digest {
		err = fmt.Errorf("what was written in %s is not what was read: %w", filepath.Base(dir), ErrDamaged)
	}
	if err != nil {
		return errors.Join(err, to.Abandon())
	}
	return to.Finish(reason)
}

// readGroup reads some entries after a position.
func readGroup(from *Journal, after, upTo Position) (group [][]byte, err error) {
	for size := 0; after < upTo && size < repairGroupBytes; after++ {
		payload, err := from.Read(after + 1)
		if err != nil {
			return nil, err
		}
		group, size = append(group, payload), size+len(payload)
	}
	return group, nil
}
