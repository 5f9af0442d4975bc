package doors

import (
	"context"
	"slices"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Restriction shuts a family's file to all but those who are let in by name.
type Restriction struct {
	Family   syncproto.FamilyID
	Category string // one of store.Restrictions
	Reason   string
	ReviewMS int64 // by when it is looked at again
}

// Restrict restricts a file, or renews a restriction after its review. What of the
// file is on tablets is purged. It fails with CodeNotFound, CodeForbidden,
// CodeBadValue and CodeTooLarge.
func (s *Service) Restrict(ctx context.Context, by syncproto.UserID, r Restriction) error {
	_, err := s.propose(ctx, about{by, r.Family, access.GroupRestriction, access.ActionCreate}, func(v view) (none syncproto.ID, _ []store.Entry, _ error) {
		if err := refusalOf(v.may(r.Family, access.GroupRestriction, access.ActionCreate)); err != nil {
			return none, nil, err
		}
		if err := checkReason(r.Reason); err != nil {
			return none, nil, err
		}
		if !slices.Contains(store.Restrictions(), r.Category) {
			return none, nil, because(syncproto.CodeBadValue, "There is no such kind of restriction.")
		}
		if r.ReviewMS <= v.atMS || time.Duration(r.ReviewMS-v.atMS)*time.Millisecond > ReviewWithin {
			return none, nil, because(syncproto.CodeBadValue, "A restriction is looked at again within 90 days: name the day.")
		}
		return none, []store.Entry{store.RestrictionEntry{
			Family: r.Family, Category: r.Category, On: true, Reason: r.Reason, By: by, AtMS: v.atMS, ReviewMS: r.ReviewMS,
		}}, nil
	})
	return err
}

// Lift takes a restriction off. A review that is overdue lifts nothing by itself.
func (s *Service) Lift(ctx context.Context, by syncproto.UserID, family syncproto.FamilyID, category, reason string) error {
	_, err := s.propose(ctx, about{by, family, access.GroupRestriction, access.ActionRemove}, func(v view) (none syncproto.ID, _ []store.Entry, _ error) {
		in := v.state.RestrictionsOf(family)
		i := slices.IndexFunc(in, func(e store.RestrictionEntry) bool { return e.Category == category })
		if err := refusalOf(v.may(family, access.GroupRestriction, access.ActionRemove)); err != nil {
			return none, nil, err
		}
		if i < 0 {
			return none, nil, syncproto.CodeNotFound
		}
		if err := checkReason(reason); err != nil {
			return none, nil, err
		}
		return none, []store.Entry{store.RestrictionEntry{
			Family: family, Category: category, Reason: reason, By: by, AtMS: v.atMS,
		}}, nil
	})
	return err
}

// Categories lists why a file may be restricted.
func Categories() []string { return store.Restrictions() }

// MayRestrict and MayLift report whether the actor may restrict a family's file, and take
// a restriction off it, for a page that offers it: the act asks again.
func (s *Service) MayRestrict(by syncproto.UserID, family syncproto.FamilyID) bool {
	return s.now(by).may(family, access.GroupRestriction, access.ActionCreate).Allow
}

// MayLift is described beside MayRestrict.
func (s *Service) MayLift(by syncproto.UserID, family syncproto.FamilyID) bool {
	return s.now(by).may(family, access.GroupRestriction, access.ActionRemove).Allow
}

// Restrictions lists the restrictions that the actor may know of, the one whose
// review is due first first.
func (s *Service) Restrictions(_ context.Context, by syncproto.UserID) []store.RestrictionEntry {
	v := s.now(by)
	return slices.DeleteFunc(v.state.AllRestrictions(), func(e store.RestrictionEntry) bool {
		return !v.may(e.Family, access.GroupRestriction, access.ActionRead).Allow
	})
}
