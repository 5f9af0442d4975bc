package store

import (
	"errors"
	"fmt"
	"time"

	"doorstep/server/internal/progress"
	"doorstep/syncproto"
)

// catchUpEntries is how many entries one transaction of a catch-up applies.
const catchUpEntries = 512

// recover folds the control entries up to where the index has got, then applies
// the rest of the journal.
func (s *Store) recover() error {
	if err := s.checkApplied(); err != nil {
		return err
	}
	if err := s.loadNews(); err != nil {
		return err
	}
	if err := s.loadSeldom(); err != nil {
		return err
	}
	s.loadRecords()
	if err := s.foldControls(); err != nil {
		return err
	}
	return s.catchUp()
}

// checkApplied reads how far the index has got, and holds that against the journal.
func (s *Store) checkApplied() error {
	var m meta
	err := s.Read(func(r *Reader) error {
		if busy, err := r.rows.get([]byte{keyBusy}); err != nil || len(busy) > 0 {
			return fmt.Errorf("%w: a group was left half written", errUnusable)
		}
		v, err := r.rows.get([]byte{keyMeta})
		if err != nil {
			return fmt.Errorf("%w: %w", errUnusable, err)
		}
		if v == nil {
			return r.mustBeEmpty()
		}
		m, err = decodeMeta(v)
		return err
	})
	if err != nil || m.position == 0 {
		return err
	}
	head, _ := s.opt.Source.Head()
	if m.format != indexFormat || m.position > head {
		return fmt.Errorf("%w: format %d, entry %d of %d", errUnusable, m.format, m.position, head)
	}
	digest, err := s.opt.Source.DigestAt(m.position)
	if err != nil {
		return fmt.Errorf("comparing the index with the journal: %w", err)
	}
	if digest != m.digest {
		return fmt.Errorf("%w: other history up to entry %d", errUnusable, m.position)
	}
	s.applied = m
	return nil
}

// mustBeEmpty guards an index whose first row was lost.
func (r *Reader) mustBeEmpty() error {
	empty := true
	err := r.rows.scan(nil, nil, func(_, _ []byte) (bool, error) {
		empty = false
		return false, nil
	})
	if err != nil || !empty {
		return fmt.Errorf("%w: rows without a position", errUnusable)
	}
	return nil
}

// loadNews reads the position of each family's last feed row.
func (s *Store) loadNews() error {
	news := map[syncproto.FamilyID]uint64{}
	err := s.Read(func(r *Reader) error {
		prefix := []byte{keyLast}
		return r.rows.scan(prefix, prefix, func(k, v []byte) (bool, error) {
			position, err := decodeNumber(v)
			if err != nil || len(k) != 1+len(syncproto.FamilyID{}) {
				return false, ErrDamaged
			}
			news[syncproto.FamilyID(k[1:])] = position
			return true, nil
		})
	})
	s.state.publish(0, nil, news)
	return err
}

// foldControls folds the control entries that the index has behind it: those that
// the landmarks name, then what stands after them.
func (s *Store) foldControls() error {
	from, err := s.foldLandmarks()
	if err != nil {
		return err
	}
	for p := from + 1; p <= s.applied.position; p++ {
		if err := s.foldControl(p); err != nil && !errors.Is(err, errNoControl) {
			return err
		}
	}
	s.state.publish(s.applied.position, nil, nil)
	return nil
}

// foldLandmarks folds the control entries that the landmarks name and returns the
// position up to which that is all. Landmarks that cannot be used are passed over.
func (s *Store) foldLandmarks() (uint64, error) {
	marks, err := s.readLandmarks()
	if err != nil {
		s.opt.Log.Warn("the list of control entries cannot be used, the whole journal is read", "reason", err.Error())
	}
	for _, p := range marks.positions {
		if err := s.foldControl(p); err != nil {
			return 0, err
		}
	}
	s.marked = marks.upTo
	return marks.upTo, nil
}

// errNoControl says that another kind of entry stands at a position.
var errNoControl = errors.New("not a control entry")

// foldControl folds one control entry.
func (s *Store) foldControl(p uint64) error {
	payload, err := s.opt.Source.Read(p)
	if err != nil {
		return fmt.Errorf("reading entry %d: %w", p, err)
	}
	if !isControlPayload(payload) {
		return fmt.Errorf("entry %d: %w", p, errNoControl)
	}
	e, err := DecodeEntry(p, payload, s.opt.Sealer)
	if err != nil {
		return err
	}
	s.state.publish(p, []placed{{p, e}}, nil)
	return nil
}

// catchUp applies what the index lacks.
func (s *Store) catchUp() error {
	head, _ := s.opt.Source.Head()
	behind := head - s.applied.position
	if behind == 0 {
		return nil
	}
	const what = "bringing the index up to the journal"
	s.opt.Log.Info(what, "entries", behind)
	meter := s.opt.Progress
	if meter == nil {
		meter = progress.New(time.Now)
	}
	stage, said := meter.Begin(what, progress.Entries, int64(behind)), time.Now()
	for s.applied.position < head {
		from := s.applied.position
		if err := s.applySome(min(from+catchUpEntries, head)); err != nil {
			return err
		}
		stage.Add(int64(s.applied.position - from))
		if time.Since(said) >= catchUpSays {
			said = time.Now()
			at, _ := meter.At()
			s.opt.Log.Info(what, "entry", s.applied.position, "of", head, "percent", at.Percent(), "seconds_left", int(at.Left.Seconds()))
		}
	}
	return nil
}

// catchUpSays is how often the log says how far a catch-up is.
const catchUpSays = 5 * time.Second

// applySome applies the entries up to a position in one transaction.
func (s *Store) applySome(upTo uint64) error {
	tx := s.Begin(0)
	defer tx.Discard()
	for p := tx.first; p <= upTo; p++ {
		payload, err := s.opt.Source.Read(p)
		if err != nil {
			return fmt.Errorf("reading entry %d: %w", p, err)
		}
		e, err := DecodeEntry(p, payload, s.opt.Sealer)
		if err != nil {
			return err
		}
		if err := tx.take(payload, e); err != nil {
			return err
		}
		tx.Keep()
	}
	digest, err := s.opt.Source.DigestAt(upTo)
	if err != nil {
		return fmt.Errorf("reading the digest at entry %d: %w", upTo, err)
	}
	_, err = tx.Commit(digest)
	return err
}
