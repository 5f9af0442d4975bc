package erasure

import (
	"context"
	"fmt"
	"slices"
	"time"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Hold keeps a record, or a family's whole file, from being erased.
type Hold = store.HoldEntry

// NewHold is a hold that is to be set. Reference is the family's number in the case
// management system, in place of Family; Record zero is the whole family. A hold of
// kind retention has an end, one of kind legal may be until it is lifted.
type NewHold struct {
	Family    syncproto.FamilyID
	Reference string
	Record    syncproto.RecordID
	Kind      string // legal or retention
	UntilMS   int64
	Reason    string
}

// Hold sets a hold. It fails with CodeForbidden for who is not of information
// governance, with CodeNotFound for a family that there is not, or not any more, and
// with CodeBadValue.
func (s *Service) Hold(ctx context.Context, by syncproto.UserID, in NewHold) (Hold, error) {
	if id, done, err := answered(ctx, s.cfg.Store.State()); done || err != nil {
		before, _ := s.cfg.Store.State().Hold(id)
		return before, err
	}
	h := Hold{Family: s.familyOf(in.Family, in.Reference), Record: in.Record, Kind: store.HoldKind(in.Kind), UntilMS: in.UntilMS, Reason: in.Reason}
	if err := s.may(by); err != nil {
		return h, err
	}
	if h.Kind != store.HoldLegal && h.Kind != store.HoldRetention || h.Kind == store.HoldRetention && h.UntilMS == 0 || len(h.Reason) > maxReason {
		return h, refuse(syncproto.CodeBadValue, "a hold is legal, or retention with a date")
	}
	if err := s.there(h); err != nil {
		return h, err
	}
	if err := s.mayAbout(by, h.Family); err != nil {
		return h, err
	}
	var err error
	if h.ID, err = s.newID(); err != nil {
		return h, err
	}
	err = s.set(ctx, by, &h)
	return h, err
}

// Lift ends a hold. It fails with CodeForbidden, and with CodeNotFound for a hold
// that there is not, or that was lifted.
func (s *Service) Lift(ctx context.Context, by syncproto.UserID, id syncproto.ID, reason string) error {
	if _, done, err := answered(ctx, s.cfg.Store.State()); done || err != nil {
		return err
	}
	if err := s.may(by); err != nil {
		return err
	}
	if reason == "" || len(reason) > maxReason {
		return refuse(syncproto.CodeBadValue, "say why, in at most %d bytes", maxReason)
	}
	h, known := s.cfg.Store.State().Hold(id)
	if !known || h.Lifted {
		return syncproto.CodeNotFound
	}
	if err := s.mayAbout(by, h.Family); err != nil {
		return err
	}
	h.Lifted, h.Reason = true, reason
	return s.set(ctx, by, &h)
}

// there refuses a hold on what the borough does not have.
func (s *Service) there(h Hold) error {
	if s.cfg.Store.State().IsErased(h.Family, h.Record) {
		return syncproto.CodeNotFound
	}
	records := s.recordsOf(h.Family)
	if len(records) == 0 || !h.Record.IsZero() && !slices.Contains(records, h.Record) {
		return syncproto.CodeNotFound
	}
	return nil
}

// set writes a hold down: not between the last look at the holds and the end of what
// it would keep. What was typed about an erased family is not kept.
func (s *Service) set(ctx context.Context, by syncproto.UserID, h *Hold) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.By, h.AtMS = by, s.cfg.Now().UnixMilli()
	var e store.Entry = *h
	if s.cfg.Store.State().IsErased(h.Family, syncproto.RecordID{}) {
		e = store.WithoutWords(e)
	} else if err := s.cfg.Keys.Ensure([]store.KeyPair{store.WordsKey(h.Family)}); err != nil {
		return fmt.Errorf("making the key of what is typed about a family: %w", err)
	}
	id, err := s.propose(acting(ctx, by), h.ID, e)
	if before, _ := s.cfg.Store.State().Hold(id); id != h.ID {
		*h = before
	}
	return err
}

// Holds lists the holds in force and those that ended, the oldest first, to who may
// erase. It fails with CodeForbidden for anybody else.
func (s *Service) Holds(by syncproto.UserID) ([]Hold, error) {
	if err := s.may(by); err != nil {
		return nil, err
	}
	return s.cfg.Store.State().Holds(), nil
}

func holdText(h Hold) string {
	if h.UntilMS == 0 {
		return fmt.Sprintf("there is a %s hold until it is lifted", h.Kind)
	}
	return fmt.Sprintf("there is a %s hold until %s", h.Kind, time.UnixMilli(h.UntilMS).UTC().Format("2 January 2006"))
}
