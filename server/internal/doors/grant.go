package doors

import (
	"context"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Grant is a footing with a family for a time. FromMS 0: from now.
type Grant struct {
	User   syncproto.UserID
	Family syncproto.FamilyID
	Basis  string // JOINT, COVER, CONSULT, OBSERVE, SAMPLE, REQUEST, SHARED, NAMED or DENIED
	FromMS int64
	ToMS   int64
	Reason string
}

// groupOfBasis says what kind of grant a footing is given by, and who may
// therefore give it. GroupNone is what no grant gives.
func groupOfBasis(basis string) access.Group {
	switch access.Basis(basis) {
	case access.BasisJoint, access.BasisCover, access.BasisConsult, access.BasisObserve:
		return access.GroupPracticeGrant
	case access.BasisSample, access.BasisRequest, access.BasisShared, access.Named:
		return access.GroupOversightGrant
	case access.BasisDenied:
		return access.GroupRestriction
	}
	return access.GroupNone
}

// Give gives a footing and returns the grant's id. It fails with CodeNotFound for
// a family that the actor has no say in, CodeForbidden, CodeBadValue and
// CodeTooLarge. Nobody gives themselves anything.
func (s *Service) Give(ctx context.Context, by syncproto.UserID, g Grant) (syncproto.ID, error) {
	id, err := s.newID()
	if err != nil {
		return id, err
	}
	return s.propose(ctx, about{by, g.Family, groupOfBasis(g.Basis), access.ActionCreate}, func(v view) (syncproto.ID, []store.Entry, error) {
		if g.FromMS == 0 {
			g.FromMS = v.atMS
		}
		if err := v.checkGrant(g); err != nil {
			return id, nil, err
		}
		return id, []store.Entry{store.RelationEntry{
			ID: id, User: g.User, Family: g.Family, Basis: g.Basis, Grant: true,
			FromMS: g.FromMS, ToMS: g.ToMS, By: by, Reason: g.Reason,
		}}, nil
	})
}

func (v view) checkGrant(g Grant) error {
	if err := refusalOf(v.may(g.Family, groupOfBasis(g.Basis), access.ActionCreate)); err != nil {
		return err
	}
	if err := checkReason(g.Reason); err != nil {
		return err
	}
	if g.User == v.by {
		return because(syncproto.CodeForbidden, "Nobody gives themselves access: ask somebody else who may.")
	}
	if err := v.checkTimes(g); err != nil {
		return err
	}
	user, ok := v.state.User(g.User)
	if !ok || user.Disabled {
		return because(syncproto.CodeBadValue, "There is no such person.")
	}
	if g.Basis == string(access.BasisDenied) {
		return nil
	}
	reads, _ := access.Holds(user.Role, g.Basis)
	if !reads && g.Basis != access.Named {
		return because(syncproto.CodeBadValue, "A person of that role can do nothing with such a grant.")
	}
	standing := access.AskerOf(access.Standing(v.state.StandingOf(g.User, g.Family, v.atMS)))
	if keptOut(standing.Bases) {
		return because(syncproto.CodeForbidden, "That person is kept out of this family, and no grant changes that.")
	}
	return nil
}

// checkTimes: whoever is kept out may be so without an end, everything else has
// one; being let into a restricted file has one before the restriction's review.
func (v view) checkTimes(g Grant) error {
	if g.Basis == string(access.BasisDenied) && g.ToMS == 0 {
		return nil
	}
	longest := MaxGrant
	if g.Basis == access.Named {
		longest = ReviewWithin
	}
	switch {
	case g.ToMS == 0:
		return because(syncproto.CodeBadValue, "Say until when: a grant has an end.")
	case g.ToMS <= g.FromMS || g.ToMS <= v.atMS:
		return because(syncproto.CodeBadValue, "The end is not after the beginning.")
	case time.Duration(g.ToMS-g.FromMS)*time.Millisecond > longest:
		return because(syncproto.CodeBadValue, "That is too long: give it for less, and again if it is still needed.")
	}
	return nil
}

// Withdraw ends a grant at once. What an allocation gives is ended where it was
// made, in the case management system, and is CodeNotFound here.
func (s *Service) Withdraw(ctx context.Context, by syncproto.UserID, id syncproto.ID, reason string) error {
	given, _ := s.cfg.Store.State().Relation(id)
	_, err := s.propose(ctx, about{by, given.Family, groupOfBasis(given.Basis), access.ActionRemove}, func(v view) (syncproto.ID, []store.Entry, error) {
		g, ok := v.state.Relation(id)
		if !ok || g.By.IsZero() || groupOfBasis(g.Basis) == access.GroupNone {
			return id, nil, syncproto.CodeNotFound
		}
		if err := refusalOf(v.may(g.Family, groupOfBasis(g.Basis), access.ActionRemove)); err != nil {
			return id, nil, err
		}
		if err := checkReason(reason); err != nil {
			return id, nil, err
		}
		return id, []store.Entry{store.RelationEntry{
			ID: id, User: g.User, Family: g.Family, Basis: g.Basis, By: by, Reason: reason,
		}}, nil
	})
	return err
}

// Doors is who may come into a family's file, and what shuts it.
type Doors struct {
	Relations    []Relation
	Restrictions []Shut
}

// Of lists a family's allocations, grants and restrictions, those that have not
// begun or that lapsed among them. It fails with CodeNotFound for who has no say
// in them.
func (s *Service) Of(_ context.Context, by syncproto.UserID, family syncproto.FamilyID) (Doors, error) {
	v := s.now(by)
	if !v.may(family, access.GroupPracticeGrant, access.ActionRead).Allow {
		return Doors{}, syncproto.CodeNotFound
	}
	if err := s.known(family); err != nil {
		return Doors{}, err
	}
	return Doors{v.state.RelationsWith(family), v.state.RestrictionsOf(family)}, nil
}
