// Package backing fits the journal and the key ring to the ports of package
// store. Journal and Keys are thin values around the open ones; they own nothing
// and close nothing.
package backing

import (
	"errors"
	"fmt"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/keyring"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Journal is a journal as a store.Source and as the ledger's journal.
type Journal struct{ J *journal.Journal }

// Head implements store.Source.
func (s Journal) Head() (uint64, [32]byte) {
	p, d := s.J.Head()
	return uint64(p), d
}

// DigestAt implements store.Source.
func (s Journal) DigestAt(position uint64) ([32]byte, error) {
	return s.J.DigestAt(journal.Position(position))
}

// Read implements store.Source.
func (s Journal) Read(position uint64) ([]byte, error) {
	return s.J.Read(journal.Position(position))
}

// Append writes a group durably and returns the position of its first entry.
func (s Journal) Append(payloads [][]byte) (uint64, error) {
	p, err := s.J.Append(payloads)
	return uint64(p), err
}

// Epoch is the journal's epoch as the sync protocol names it.
func (s Journal) Epoch() syncproto.Epoch { return syncproto.Epoch(s.J.Epoch()) }

// Keys is a key ring as a store.Keys.
type Keys struct {
	Ring    *keyring.Ring
	onFatal func(error)
}

// NewKeys makes sure that the system key is there, which control entries are
// sealed under. onFatal is told of a failed write: what the key store then has
// on disk nobody knows, so nothing more may be acknowledged and the process must
// end.
func NewKeys(ring *keyring.Ring, onFatal func(error)) (Keys, error) {
	if err := ring.Ensure([]keyring.Pair{{}}); err != nil {
		return Keys{}, fmt.Errorf("making the system key: %w", err)
	}
	return Keys{Ring: ring, onFatal: onFatal}, nil
}

// Ensure implements store.Keys. What the ring says no to has a code: CodeDiskFull,
// CodeErased, or CodeUnavailable while the server ends.
func (k Keys) Ensure(pairs []store.KeyPair) error {
	out := make([]keyring.Pair, len(pairs))
	for i, p := range pairs {
		out[i] = pairOf(p)
	}
	err, sound := answer(k.Ring.Ensure(out))
	if !sound {
		k.onFatal(fmt.Errorf("writing the key store: %w", err))
	}
	return err
}

// answer gives the code to what the ring says no to. It is as sound as before then;
// any other error means that it is not.
func answer(err error) (coded error, sound bool) {
	for no, code := range map[error]syncproto.Code{
		keyring.ErrErased: syncproto.CodeErased, keyring.ErrFull: syncproto.CodeDiskFull, keyring.ErrClosed: syncproto.CodeUnavailable,
	} {
		if errors.Is(err, no) {
			return fmt.Errorf("%w: %w", code, err), true
		}
	}
	return err, err == nil
}

func pairOf(p store.KeyPair) keyring.Pair {
	return keyring.Pair{Family: keyring.ID(p.Family), Record: keyring.ID(p.Record)}
}

// Seal implements store.Sealer.
func (k Keys) Seal(record store.KeyPair, aad, plain []byte) ([]byte, error) {
	return k.Ring.Seal(pairOf(record), aad, plain)
}

// SealAfter implements store.Sealer.
func (k Keys) SealAfter(b []byte, record store.KeyPair, aad, plain []byte) ([]byte, error) {
	return k.Ring.SealAfter(b, pairOf(record), aad, plain)
}

// Unseal implements store.Sealer.
func (k Keys) Unseal(record store.KeyPair, aad, sealed []byte) ([]byte, error) {
	return k.Ring.Unseal(pairOf(record), aad, sealed)
}

// Mark implements store.Sealer.
func (k Keys) Mark(record store.KeyPair) audit.Mark { return k.Ring.Mark(pairOf(record)) }

// Destroy implements erasure.Keys. It fails with CodeDiskFull where there is no room to
// write the store anew; the keys are still there then.
func (k Keys) Destroy(pairs []store.KeyPair) error {
	var doomed keyring.Doomed
	for _, p := range pairs {
		if p.Record.IsZero() {
			doomed.Families = append(doomed.Families, keyring.ID(p.Family))
		} else {
			doomed.Records = append(doomed.Records, pairOf(p))
		}
	}
	err, sound := answer(k.Ring.DestroyAll(doomed))
	if !sound {
		k.onFatal(fmt.Errorf("destroying keys: %w", err))
	}
	return err
}

// RecordsOf implements erasure.Keys.
func (k Keys) RecordsOf(family syncproto.FamilyID) []syncproto.RecordID {
	var out []syncproto.RecordID
	for _, id := range k.Ring.RecordsOf(keyring.ID(family)) {
		out = append(out, syncproto.RecordID(id))
	}
	return out
}
