package device

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"doorstep/client-sdk/engine"
)

// WithSpare returns a store that keeps the device's own unsent work in spare as
// well, as engine.Spare says, before it writes to first. Put the two on different
// disks where there are two, and make them of different kinds.
//
// A spare that fails holds nobody up: words go on into first, and Spare tells. It
// is brought up to date again here, and now and then while words are written. If
// first is lost or damaged, close both and call Recover.
func WithSpare(first, spare Store) (*Spared, error) {
	s := &Spared{first: first, spare: spare}
	if err := s.catchUp(); err != nil {
		return nil, fmt.Errorf("second copy: %w", err)
	}
	return s, nil
}

// Spared is a Store with a second copy of what must not be lost.
type Spared struct {
	first, spare Store

	mu     sync.Mutex // held across a write, so that both stores see one order
	failed error      // of the spare; nil: it has everything; guarded by mu
	missed int        // writes that it has missed; guarded by mu
}

// retryWrites is how many writes go by until a spare that failed is tried again:
// it is read and compared whole.
const retryWrites = 256

// Apply implements Store.
func (s *Spared) Apply(rows []engine.Row) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		if s.failed = s.spare.Apply(toSpare(rows)); s.failed != nil {
			s.missed = 0
		}
	}
	if err := s.first.Apply(rows); err != nil {
		// The copy may be ahead now: compare at the next chance.
		s.failed, s.missed = errors.Join(s.failed, err), retryWrites-1
		return err
	}
	if s.failed != nil {
		if s.missed++; s.missed%retryWrites == 0 {
			return s.catchUp()
		}
	}
	return nil
}

// Load implements Store.
func (s *Spared) Load(fn func(key, value []byte) error) error { return s.first.Load(fn) }

// Close implements Store.
func (s *Spared) Close() error { return errors.Join(s.first.Close(), s.spare.Close()) }

// Spare returns why the second copy is not up to date; nil: it is.
func (s *Spared) Spare() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// toSpare are the rows of the driver and those that the engine names.
func toSpare(rows []engine.Row) []engine.Row {
	out := engine.Spare(rows)
	for _, r := range rows {
		if isOwnRow(r.Key) {
			out = append(out, r)
		}
	}
	return out
}

// catchUp makes the spare what it would be if it had never failed. Only first's
// errors are returned: without it there is nothing to compare with. The caller
// holds mu, or is the only one yet.
func (s *Spared) catchUp() error {
	var all []engine.Row
	err := s.first.Load(func(key, value []byte) error {
		all = append(all, engine.Row{Key: key, Value: value})
		return nil
	})
	if err != nil {
		return err
	}
	want := map[string][]byte{}
	for _, r := range toSpare(all) {
		if r.Value != nil {
			want[string(r.Key)] = r.Value
		}
	}
	s.failed = bringTo(s.spare, want)
	return nil
}

// bringTo makes a store hold these rows and no others.
func bringTo(s Store, want map[string][]byte) error {
	var rows []engine.Row
	err := s.Load(func(key, value []byte) error {
		if have, ok := want[string(key)]; !ok {
			rows = append(rows, engine.Row{Key: key})
		} else if bytes.Equal(have, value) {
			delete(want, string(key))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for key, value := range want {
		rows = append(rows, engine.Row{Key: []byte(key), Value: value})
	}
	return applyAll(s, rows)
}

// applyAll applies any number of rows, as many at a time as a store takes.
func applyAll(s Store, rows []engine.Row) error {
	const most, mostBytes = 5000, 2 << 20
	for len(rows) > 0 {
		n, size := 0, 0
		for n < len(rows) && n < most && (n == 0 || size < mostBytes) {
			size += len(rows[n].Key) + len(rows[n].Value)
			n++
		}
		if err := s.Apply(rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// Recover fills an empty store from the second copy of one that was lost or
// damaged: identity, key and session, every own change that the server had not
// made durable, and drafts, which become changes. Open it then; the first sync
// brings everything else back. It may be called again after an error, with
// another empty store; the copy is only read.
func Recover(spare, into Store) (engine.Recovered, error) {
	own, err := readOwnRows(spare)
	if err != nil {
		return engine.Recovered{}, fmt.Errorf("recover: %w", err)
	}
	never := func(_, _ []byte) bool { return false }
	e := engine.New(engine.Identity{Borough: own.identity.Borough, User: own.identity.User, Device: own.identity.Device},
		engine.Verifiers{Reply: never, Checkpoint: never}) // it never hears of a server
	var rows []engine.Row
	err = spare.Load(func(key, value []byte) error {
		rows = append(rows, engine.Row{Key: key, Value: value})
		if isOwnRow(key) {
			return nil
		}
		return e.Load(key, value)
	})
	if err != nil {
		return engine.Recovered{}, fmt.Errorf("recover: %w", err)
	}
	effects, out, err := e.StartFromSpare()
	if err != nil {
		return engine.Recovered{}, fmt.Errorf("recover: %w", err)
	}
	if err := applyAll(into, rows); err != nil {
		return engine.Recovered{}, fmt.Errorf("recover: %w", err)
	}
	for _, effect := range effects {
		if store, ok := effect.(engine.Store); ok {
			if err := into.Apply(store.Rows); err != nil {
				return engine.Recovered{}, fmt.Errorf("recover: %w", err)
			}
		}
	}
	return out, nil
}
