package sim

import (
	"errors"
	"fmt"
	"slices"

	"doorstep/server/internal/disk/disktest"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// standing is what the test itself makes of the journal's entries: who may have
// which family on a tablet, and what was erased. It shares no code with the server's
// own fold of the same entries.
type standing struct {
	upTo   uint64
	ties   map[tie]store.RelationEntry
	ever   map[holding]bool // was seen to be held at some time, in this journal
	shut   map[syncproto.FamilyID]map[string]bool
	off    map[syncproto.UserID]bool
	erased map[store.KeyPair]bool
}

type tie struct {
	holding
	basis string
	id    syncproto.ID
}

// onTablets are the footings with which a practitioner takes a family along.
var onTablets = []string{"LEAD", "CO", "COVER", "JOINT"}

// keepOut are those that beat all others.
var keepOut = []string{"DENIED", "RELATIVE"}

func newStanding() *standing {
	return &standing{
		ties: map[tie]store.RelationEntry{}, ever: map[holding]bool{}, shut: map[syncproto.FamilyID]map[string]bool{},
		off: map[syncproto.UserID]bool{}, erased: map[store.KeyPair]bool{},
	}
}

// follow reads what the journal has gained.
func (s *standing) follow(b *borough) error {
	return b.store.Read(func(r *store.Reader) error {
		for head := b.store.State().Head(); s.upTo < head; s.upTo++ {
			e, err := r.Entry(s.upTo + 1)
			if err != nil {
				return fmt.Errorf("reading entry %d: %w", s.upTo+1, err)
			}
			s.apply(e)
		}
		return nil
	})
}

func (s *standing) apply(e store.Entry) {
	switch e := e.(type) {
	case store.RelationEntry:
		at := tie{holding{e.User, e.Family}, e.Basis, e.ID}
		if !e.Grant {
			delete(s.ties, at)
			return
		}
		s.ties[at] = e
	case store.RestrictionEntry:
		if s.shut[e.Family] == nil {
			s.shut[e.Family] = map[string]bool{}
		}
		if s.shut[e.Family][e.Category] = true; !e.On {
			delete(s.shut[e.Family], e.Category)
		}
	case store.UserEntry:
		s.off[e.ID] = e.Disabled
	case store.EraseEntry:
		s.erased[store.KeyPair{Family: e.Family, Record: e.Record}] = true
	}
}

// noteHeld notes what may be held at a time.
func (s *standing) noteHeld(atMS int64) {
	for at := range s.ties {
		if !s.ever[at.holding] && s.holds(at.holding, atMS) {
			s.ever[at.holding] = true
		}
	}
}

// holds reports whether somebody may have a family on a tablet at a time.
func (s *standing) holds(h holding, atMS int64) bool {
	if s.off[h.user] || len(s.shut[h.family]) > 0 {
		return false
	}
	held := false
	for at, e := range s.ties {
		if at.holding != h || atMS < e.FromMS || e.ToMS != 0 && atMS >= e.ToMS {
			continue
		}
		if slices.Contains(keepOut, at.basis) {
			return false
		}
		held = held || slices.Contains(onTablets, at.basis)
	}
	return held
}

// know brings the world's own fold up to date.
func (w *world) know() {
	err := w.standing.follow(w.borough)
	if errors.Is(err, disktest.ErrPower) {
		w.borough.failed = true
	} else if err != nil {
		w.failf("%v", err)
	}
	w.standing.noteHeld(w.borough.now().UnixMilli())
}

// mayHold reports whether somebody may have a family on a tablet now, by the
// server's clock.
func (w *world) mayHold(user syncproto.UserID, family syncproto.FamilyID) bool {
	w.know()
	return w.standing.holds(holding{user, family}, w.borough.now().UnixMilli())
}

// isErased reports whether a record was erased, by itself or with its family.
func (w *world) isErased(family syncproto.FamilyID, record syncproto.RecordID) bool {
	w.know()
	one, all := store.KeyPair{Family: family, Record: record}, store.KeyPair{Family: family}
	return w.erased[one] || w.erased[all] || w.standing.erased[one] || w.standing.erased[all]
}
