package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"doorstep/server/internal/disk"
	"doorstep/server/internal/store/indexfiles"
)

// Landmarks name the control entries that State follows from, so that a start
// need not read a journal of millions of changes to find some thousands of them.
// They say where to look, never what stands there: what counts is folded from the
// journal's own entries. They are sealed under the borough's system key and name
// the journal's digest; ones that are missing, altered, or of another history are
// passed over, and the journal is read. CheckEntry holds them against it.
type landmarks struct {
	// all are entries whose order among each other matters, ascending.
	all []uint64
	// latest are entries of which only the newest with the same id counts: a
	// session is renewed every few minutes for months.
	latest map[landmark]uint64
}

type landmark struct {
	kind entryKind
	id   [32]byte
}

func newLandmarks() landmarks { return landmarks{latest: map[landmark]uint64{}} }

func (l *landmarks) add(position uint64, e Entry) {
	switch e := e.(type) {
	case SessionEntry:
		l.put(position, kindSession, e.ID[:])
	case CodeEntry:
		l.put(position, kindCode, e.Hash[:])
	case AnchorEntry:
		l.put(position, kindAnchor, nil)
	default:
		l.all = append(l.all, position)
	}
}

func (l *landmarks) put(position uint64, kind entryKind, id []byte) {
	k := landmark{kind: kind}
	copy(k.id[:], id)
	l.latest[k] = position
}

func (l *landmarks) positions() []uint64 {
	return slices.Sorted(func(yield func(uint64) bool) {
		for _, p := range l.all {
			if !yield(p) {
				return
			}
		}
		maps.Values(l.latest)(yield)
	})
}

const (
	landmarksName = "LANDMARKS" // in the index's directory
	landmarksAAD  = "doorstep-landmarks-v1"
	// landmarkEvery is after how many entries they are written anew: what a start
	// after a crash reads beyond them, well below a second's work.
	landmarkEvery = 128 << 10
)

// marks are landmarks as a start reads them.
type marks struct {
	upTo      uint64
	positions []uint64
}

// writeLandmarks writes the landmarks up to what was applied. It is best effort:
// without them the next start takes longer.
func (s *Store) writeLandmarks() {
	s.state.mu.RLock()
	positions := s.state.marks.positions()
	s.state.mu.RUnlock()
	b := binary.AppendUvarint(nil, s.applied.position)
	b = append(b, s.applied.digest[:]...)
	b = binary.AppendUvarint(b, uint64(len(positions)))
	before := uint64(0)
	for _, p := range positions {
		b = binary.AppendUvarint(b, p-before)
		before = p
	}
	sealed, err := s.opt.Sealer.Seal(KeyPair{}, []byte(landmarksAAD), b)
	if err == nil {
		err = replaceFile(filepath.Join(s.dir, landmarksName), sealed)
	}
	if err != nil {
		s.opt.Log.Warn("the list of control entries was not written, the next start takes longer", "reason", err.Error())
	}
	s.marked = s.applied.position
}

func replaceFile(path string, data []byte) error {
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// readLandmarks reads the landmarks; none: no positions, up to 0.
func (s *Store) readLandmarks() (marks, error) {
	sealed, err := os.ReadFile(filepath.Join(s.dir, landmarksName))
	if errors.Is(err, fs.ErrNotExist) {
		return marks{}, nil
	}
	if err != nil {
		return marks{}, err
	}
	plain, err := s.opt.Sealer.Unseal(KeyPair{}, []byte(landmarksAAD), sealed)
	if err != nil {
		return marks{}, fmt.Errorf("unsealing it: %w", err)
	}
	m, digest, err := decodeLandmarks(plain)
	if err != nil || m.upTo == 0 {
		return marks{}, err
	}
	if m.upTo > s.applied.position {
		return marks{}, fmt.Errorf("it reaches entry %d, the index only %d", m.upTo, s.applied.position)
	}
	got, err := s.opt.Source.DigestAt(m.upTo)
	if err != nil {
		return marks{}, err
	}
	if got != digest {
		return marks{}, errors.New("it belongs to another journal")
	}
	return m, nil
}

var errLandmarks = errors.New("it is not as it was written")

func decodeLandmarks(b []byte) (m marks, digest [32]byte, err error) {
	next := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			b, err = nil, errLandmarks
			return 0
		}
		b = b[n:]
		return v
	}
	m.upTo = next()
	if len(b) < len(digest) {
		return marks{}, digest, errLandmarks
	}
	b = b[copy(digest[:], b):]
	count := next()
	if err != nil || count > uint64(len(b)) {
		return marks{}, digest, errLandmarks
	}
	m.positions = make([]uint64, count)
	at := uint64(0)
	for i := range m.positions {
		at += next()
		m.positions[i] = at
	}
	if err != nil || len(b) > 0 || at > m.upTo {
		return marks{}, digest, errLandmarks
	}
	return m, digest, nil
}

// CheckEntry holds an entry of the journal, as a scrub reads it, against the index
// and what the State follows from. It answers ErrDamaged for a change that the
// index lacks and for a control entry that was never folded, after which the index
// is built anew at the next start, and nothing for other entries and for those
// beyond State.Head.
func (s *Store) CheckEntry(position uint64, payload []byte) error {
	if position > s.state.Head() {
		return nil
	}
	e, err := DecodeEntry(position, payload, s.opt.Sealer)
	if err != nil {
		return err
	}
	if change, ok := e.(ChangeEntry); ok {
		return s.checkChange(position, change)
	}
	if !isControlPayload(payload) {
		return nil
	}
	found := newLandmarks()
	found.add(position, e)
	s.state.mu.RLock()
	defer s.state.mu.RUnlock()
	_, folded := slices.BinarySearch(s.state.marks.all, position)
	for k := range found.latest {
		folded = s.state.marks.latest[k] >= position
	}
	if !folded {
		err = fmt.Errorf("%w: the control entry %d was never folded", ErrDamaged, position)
		s.noteDamage(err)
	}
	return err
}

// checkChange looks a change up. badger leaves rows out without a word when it
// compacts a table that rots meanwhile.
func (s *Store) checkChange(position uint64, e ChangeEntry) error {
	there, err := read(s, func(r *Reader) (bool, error) {
		v, err := r.rows.get(r.keyOf(keyChange, e.ID[:]))
		if v == nil && err == nil {
			return r.isBegun(position, e)
		}
		ref, err := decodeChangeRef(e.ID, v)
		return err == nil && ref.Record == e.Record, err
	})
	if there || err != nil {
		return err
	}
	err = fmt.Errorf("%w: the index lacks the change at %d", ErrDamaged, position)
	s.noteDamage(err)
	return err
}

// CheckFiles reads the tables of the index through, by a disk that may be slowed
// down. After ErrDamaged the index is built anew at the next start.
func (s *Store) CheckFiles(through disk.FS) error {
	err := indexfiles.CheckTables(s.dir, through)
	if errors.Is(err, indexfiles.ErrDamaged) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
		s.noteDamage(err)
	}
	return err
}
