package device

import (
	"errors"
	"fmt"
	"os"

	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
	"doorstep/syncproto/recovery"
)

// SealedOutbox keeps unsent work sealed to the borough (SPEC 7.13), beside the
// store and readable without its key: an OutboxFile.
type SealedOutbox interface {
	// Begin empties it and writes its header, durably.
	Begin(header []byte) error
	// Add adds an item to the end, durably.
	Add(item []byte) error
}

// sealer seals a device's unsent work. Its zero value seals nothing.
type sealer struct {
	outbox SealedOutbox
	to     recovery.Key
	header []byte
	key    Key
	items  int   // in the outbox, those that were answered since among them
	failed error // of the outbox; nil: it has everything
}

func newSealer(outbox SealedOutbox, id Identity, key Key) (sealer, error) {
	if outbox == nil || len(id.RecoveryKey) == 0 {
		return sealer{}, nil
	}
	to, err := recovery.ParseKey(id.RecoveryKey)
	if err != nil {
		return sealer{}, err
	}
	header := recovery.Header{Borough: id.Borough, Device: id.Device, User: id.User}.Encode(to)
	return sealer{outbox: outbox, to: to, header: header, key: key}, nil
}

// add seals changes before they go into the store: what is acknowledged to a person
// is in both. An outbox that fails holds nobody up; it is written anew with the next
// sync.
func (s *sealer) add(list []engine.Unsent) {
	if s.outbox == nil || s.failed != nil {
		return
	}
	for _, u := range list {
		if s.failed = s.addOne(u); s.failed != nil {
			return
		}
	}
}

func (s *sealer) addOne(u engine.Unsent) error {
	signature, err := s.key.Sign(syncproto.TipMessage(u.Actor, u.ID))
	if err != nil {
		return err
	}
	item, err := recovery.Seal(s.to, s.header, recovery.Item{Prev: u.Prev, Signature: signature, Body: u.Body})
	if err != nil {
		return err
	}
	s.items++
	return s.outbox.Add(item)
}

// renew writes the outbox anew with what is unsent.
func (s *sealer) renew(unsent func() []engine.Unsent) {
	if s.outbox == nil {
		return
	}
	s.items = 0
	if s.failed = s.outbox.Begin(s.header); s.failed == nil {
		s.add(unsent())
	}
}

// tidy drops what the server has answered, and tries an outbox again that failed:
// nothing stays behind that a purge would have to remove.
func (s *sealer) tidy(unsent func() []engine.Unsent) {
	if s.outbox == nil || s.items == 0 && s.failed == nil {
		return
	}
	left := unsent()
	if len(left) != s.items || s.failed != nil {
		s.renew(func() []engine.Unsent { return left })
	}
}

// Sealed returns why the sealed outbox does not hold everything that is unsent; nil
// if it does, or if none is kept.
func (d *Device) Sealed() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sealed.failed
}

// OutboxFile is a SealedOutbox in one file.
type OutboxFile struct{ path string }

// NewOutboxFile keeps an outbox at path.
func NewOutboxFile(path string) *OutboxFile { return &OutboxFile{path} }

// Begin implements SealedOutbox: what was there stays until the new file is whole.
func (o *OutboxFile) Begin(header []byte) error {
	next := o.path + ".new"
	err := writeDurably(next, os.O_CREATE|os.O_TRUNC, header)
	if err == nil {
		err = errors.Join(os.Rename(next, o.path), syncFolder(o.path))
	}
	if err != nil {
		return fmt.Errorf("begin the sealed outbox: %w", err)
	}
	return nil
}

// Add implements SealedOutbox.
func (o *OutboxFile) Add(item []byte) error {
	if err := writeDurably(o.path, os.O_APPEND, item); err != nil {
		return fmt.Errorf("add to the sealed outbox: %w", err)
	}
	return nil
}

func writeDurably(path string, how int, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|how, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}
