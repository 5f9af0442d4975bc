package erasure

import (
	"context"
	"fmt"
	"slices"

	"doorstep/server/internal/retention"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/clocks"
)

// Over is a family's file that need not be kept any more.
type Over struct {
	Family syncproto.FamilyID
	Since  clocks.Day
	Basis  string // the rule that kept it longest
}

// Over lists the families whose files need not be kept any more by the borough's schedule,
// for somebody of information governance to look at, the longest over first: nothing is ever
// erased by itself. What is on hold, was asked for already, or is about a relative of theirs
// is not in it. It fails with CodeForbidden for who is not of information governance.
func (s *Service) Over(ctx context.Context, by syncproto.UserID) ([]Over, error) {
	if err := s.may(by); err != nil {
		return nil, err
	}
	if s.cfg.Schedule == nil {
		return nil, nil
	}
	var out []Over
	for family := range s.cfg.Store.State().AllNews() {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !s.mayBeOver(by, family) {
			continue
		}
		kept, err := s.cfg.Schedule.Kept(family, syncproto.RecordID{})
		if err != nil {
			return nil, err
		}
		if kept.Over(s.cfg.Schedule.Today()) {
			out = append(out, Over{Family: family, Since: kept.Until, Basis: kept.Basis})
		}
	}
	slices.SortFunc(out, func(a, b Over) int {
		if a.Since != b.Since {
			return int(a.Since - b.Since)
		}
		return slices.Compare(a.Family[:], b.Family[:])
	})
	return out, nil
}

// mayBeOver leaves out what a person need not, or may not, look at.
func (s *Service) mayBeOver(by syncproto.UserID, family syncproto.FamilyID) bool {
	state := s.cfg.Store.State()
	if state.IsErased(family, syncproto.RecordID{}) || s.mayAbout(by, family) != nil {
		return false
	}
	for _, kind := range []store.HoldKind{store.HoldLegal, store.HoldRetention} {
		if _, held := state.HoldOn(kind, family, syncproto.RecordID{}, s.cfg.Now()); held {
			return false
		}
	}
	return !slices.ContainsFunc(state.EraseAsks(), func(e store.EraseAskEntry) bool {
		return e.Family == family && e.Scope == ScopeFamily && s.askedOf(e).State == StateOpen
	})
}

// stillKept refuses what the retention schedule keeps. A date that somebody set by hand, and
// that has passed, stands in where the schedule cannot say; it never shortens it.
func (s *Service) stillKept(e *store.EraseAskEntry, dated bool) error {
	kept := retention.Kept{Until: clocks.NoDay, Basis: "the borough has no schedule"}
	if s.cfg.Schedule != nil {
		child := syncproto.RecordID{}
		if e.Scope == ScopeChild {
			child = e.Record
		}
		var err error
		if kept, err = s.cfg.Schedule.Kept(e.Family, child); err != nil {
			return fmt.Errorf("looking into the retention schedule: %w", err)
		}
	}
	switch {
	case kept.Until == clocks.NoDay && !dated:
		return refuse(syncproto.CodeForbidden, "no retention date is recorded for this, and the schedule gives none (%s): set one first", kept.Basis)
	case kept.Until != clocks.NoDay && !kept.Over(s.cfg.Schedule.Today()):
		return refuse(syncproto.CodeForbidden, "this must not be erased yet: the retention schedule keeps it longer (%s)", kept.Basis)
	}
	return nil
}
