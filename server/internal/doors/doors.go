// Package doors opens and shuts families' files beside the allocations of the case
// management system: grants for a time, restrictions, and opening a file in an
// emergency (domain rules R22 and section 7).
//
// Each act of a Service is one proposal to the ledger. It asks package access, by
// the actor's relations at that moment, and writes one control entry. What the
// entry does to anybody's access is folded by package store. The package keeps no
// state and shows no record.
package doors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/once"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Ledger orders and keeps entries: an *exchange.Ledger.
type Ledger interface {
	Propose(ctx context.Context, decide func(tx *store.Tx) ([]store.Entry, error)) (uint64, error)
}

// What callers are shown is what the journal holds.
type (
	Relation  = store.RelationEntry
	Shut      = store.RestrictionEntry
	Emergency = store.BreakGlassEntry
)

// Config is what New needs. All fields are required.
type Config struct {
	Ledger Ledger
	Store  *store.Store
	// Keys are made for what people type about a family.
	Keys interface {
		Ensure([]store.KeyPair) error
	}
	Now    func() time.Time
	Random io.Reader
	// Wake tells people that there is something to look at, and nothing else.
	Wake func(users []syncproto.UserID)
}

// Service opens and shuts doors. It is safe for concurrent use.
type Service struct{ cfg Config }

// New returns a Service.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

// Refusal is the error of an act that is not allowed or not possible, with words
// for the person. It never holds what a person typed.
type Refusal struct {
	Code  syncproto.Code
	Plain string
}

// Error returns the short name of the code.
func (r *Refusal) Error() string { return r.Code.Error() }

// Unwrap gives the code to errors.Is and errors.As.
func (r *Refusal) Unwrap() error { return r.Code }

func because(code syncproto.Code, plain string) error { return &Refusal{code, plain} }

// Limits of what is typed, and of time.
const (
	MaxReason = 2000 // bytes: a reason is a few sentences
	// ReviewWithin is how soon a restriction must be looked at again (domain rules R22).
	ReviewWithin = 90 * 24 * time.Hour
	// MaxGrant bounds a grant: what lasts longer is an allocation.
	MaxGrant = 366 * 24 * time.Hour
	// OpenFor is how long an emergency opening lasts.
	OpenFor = 8 * time.Hour
)

// view is what an act decides on: one state of the relations and a time.
type view struct {
	state *store.State
	atMS  int64
	by    syncproto.UserID
}

// may asks access on every footing that the actor has with the family, and in
// office. A restriction shuts the file, not the office that decides about it; but
// nobody decides about a family that they are kept out of.
func (v view) may(family syncproto.FamilyID, group access.Group, action access.Action) access.Decision {
	who := access.AskerOf(access.Standing(v.state.StandingOf(v.by, family, v.atMS)))
	onCase := who.MayIn(group, access.Need{Action: action})
	if onCase.Allow || keptOut(who.Bases) {
		return onCase
	}
	if d := v.inOffice(group, action); d.Allow {
		return d
	}
	return onCase
}

func (v view) inOffice(group access.Group, action access.Action) access.Decision {
	user, _ := v.state.User(v.by)
	if user.Disabled {
		return access.Decision{Code: syncproto.CodeForbidden}
	}
	who := access.Asker{Role: access.Role(user.Role), Bases: []access.Basis{access.BasisOffice}}
	return who.MayIn(group, access.Need{Action: action})
}

func keptOut(bases []access.Basis) bool {
	return slices.Contains(bases, access.BasisDenied) || slices.Contains(bases, access.BasisRelative)
}

// refusalOf tells a stranger that there is nothing here.
func refusalOf(d access.Decision) error {
	switch {
	case d.Allow:
		return nil
	case d.Code == syncproto.CodeNotEntitled:
		return syncproto.CodeNotFound
	}
	return d.Code
}

// propose runs one act about a family and stores what it decides. What was typed is
// sealed under a key of the family; of one that was erased it is not kept. It returns
// the id that decide gave the act, or, of a request that was carried out before, the
// one that it was answered with then (package once).
func (s *Service) propose(ctx context.Context, a about, decide func(view) (syncproto.ID, []store.Entry, error)) (syncproto.ID, error) {
	if id, done, err := answered(ctx, s.cfg.Store.State()); done || err != nil {
		return id, err
	}
	if a.action != access.ActionUnknown { // before anything else is done that tells a stranger what there is
		if err := refusalOf(s.now(a.by).may(a.family, a.group, a.action)); err != nil {
			return syncproto.ID{}, err
		}
		if err := s.known(a.family); err != nil {
			return syncproto.ID{}, err
		}
	}
	kept, err := s.keepsWords(a.family)
	if err != nil {
		return syncproto.ID{}, err
	}
	var id syncproto.ID
	_, err = s.cfg.Ledger.Propose(ctx, func(tx *store.Tx) (entries []store.Entry, err error) {
		var done bool
		if id, done, err = answered(ctx, tx.State()); done || err != nil {
			return nil, err
		}
		if id, entries, err = decide(view{tx.State(), tx.AtMS(), a.by}); err != nil {
			return nil, err
		}
		for i := range entries {
			if !kept {
				entries[i] = store.WithoutWords(entries[i])
			}
		}
		return append(entries, once.Entry(ctx, tx.AtMS(), id[:])...), nil
	})
	return id, err
}

// about says who acts, about which family, and what they need to be allowed; none for
// what decide asks alone.
type about struct {
	by     syncproto.UserID
	family syncproto.FamilyID
	group  access.Group
	action access.Action
}

// answered returns the id that a request was answered with before.
func answered(ctx context.Context, state *store.State) (id syncproto.ID, done bool, err error) {
	answer, done, err := once.Answered(ctx, state)
	copy(id[:], answer)
	return id, done, err
}

// keepsWords readies the key for what is typed about a family; it is false for a
// family that was erased. About one that there is not nothing will be stored.
func (s *Service) keepsWords(family syncproto.FamilyID) (bool, error) {
	if s.cfg.Store.State().IsErased(family, syncproto.RecordID{}) {
		return false, nil
	}
	if family.IsZero() || s.known(family) != nil {
		return true, nil
	}
	if err := s.cfg.Keys.Ensure([]store.KeyPair{store.WordsKey(family)}); err != nil {
		return false, fmt.Errorf("making the key of what is typed about a family: %w", err)
	}
	return true, nil
}

// now is a view for looking only.
func (s *Service) now(by syncproto.UserID) view {
	return view{s.cfg.Store.State(), s.cfg.Now().UnixMilli(), by}
}

func (s *Service) newID() (id syncproto.ID, err error) {
	if _, err := io.ReadFull(s.cfg.Random, id[:]); err != nil {
		return id, fmt.Errorf("drawing an id: %w", err)
	}
	return id, nil
}

// known fails with CodeNotFound for a family that there is not.
func (s *Service) known(family syncproto.FamilyID) error {
	_, err := s.cfg.Store.RecordInfo(syncproto.RecordID(family))
	if err == nil || s.cfg.Store.State().TeamOf(family) != (store.TeamID{}) || len(s.cfg.Store.State().RelationsWith(family)) > 0 {
		return nil
	}
	if errors.Is(err, store.ErrNotFound) {
		return syncproto.CodeNotFound
	}
	return err
}

func checkReason(reason string) error {
	switch {
	case reason == "":
		return because(syncproto.CodeBadValue, "Say why, in a few words.")
	case len(reason) > MaxReason:
		return because(syncproto.CodeTooLarge, "The reason is too long.")
	}
	return nil
}
