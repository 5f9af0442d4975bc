package erasure

import (
	"slices"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Asks lists everything that was asked, to who may erase. It fails with
// CodeForbidden for anybody else.
func (s *Service) Asks(by syncproto.UserID) ([]Asked, error) {
	if err := s.may(by); err != nil {
		return nil, err
	}
	var out []Asked
	for _, e := range s.cfg.Store.State().EraseAsks() {
		out = append(out, s.askedOf(e))
	}
	return out, nil
}

// Asked is what somebody asked for, and what became of it.
type Asked struct {
	store.EraseAskEntry
	State string // open, refused or done
}

// States of what was asked for.
const (
	StateOpen    = "open"
	StateRefused = "refused"
	StateDone    = "done"
)

func (s *Service) askedOf(e store.EraseAskEntry) Asked {
	done := slices.ContainsFunc(s.cfg.Store.State().Erasures(), func(x store.EraseEntry) bool { return x.Ask == e.ID })
	switch {
	case done:
		return Asked{e, StateDone}
	case e.Refused:
		return Asked{e, StateRefused}
	}
	return Asked{e, StateOpen}
}
