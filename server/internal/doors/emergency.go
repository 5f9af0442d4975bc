package doors

import (
	"cmp"
	"context"
	"slices"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Reasons for opening a file in an emergency, a closed list so that they can be
// counted.
func Reasons() []string {
	return []string{"CHILD_AT_RISK", "POLICE_REQUEST", "HOSPITAL", "MISSING_CHILD", "OUT_OF_HOURS_CALL", "OTHER"}
}

// Findings are what a review of an opening can find.
func Findings() []string { return []string{"JUSTIFIED", "NOT_JUSTIFIED", "UNCLEAR"} }

// Opening asks for a family's file in an emergency.
type Opening struct {
	Family syncproto.FamilyID
	// Reference is the family's number in the case management system, in place of
	// Family: whoever has no relation to a family does not know its id.
	Reference string
	Code      string // one of Reasons
	Text      string
}

// refFamily is the kind of reference under which an import keeps families.
const refFamily = "family"

// Open opens a file to the actor, to read online, for OpenFor. Who opens it again
// while it is open gets the same opening. Everybody concerned is told at once that
// there is something to look at: the family's managers, who works with it, and
// information governance. It fails with CodeNotFound for a family that there is
// not, CodeForbidden, CodeBadValue and CodeTooLarge.
func (s *Service) Open(ctx context.Context, by syncproto.UserID, o Opening) (store.BreakGlassEntry, error) {
	if o.Reference != "" {
		id, _ := s.cfg.Store.State().Ref(refFamily, o.Reference)
		o.Family = syncproto.FamilyID(id)
	}
	id, err := s.newID()
	if err != nil {
		return store.BreakGlassEntry{}, err
	}
	id, err = s.propose(ctx, about{by: by, family: o.Family}, func(v view) (syncproto.ID, []store.Entry, error) {
		if err := v.checkOpening(s, o); err != nil {
			return id, nil, err
		}
		if before, ok := v.openNow(o.Family); ok {
			return before.ID, nil, nil
		}
		return id, []store.Entry{store.BreakGlassEntry{ID: id, User: by, Family: o.Family, Code: o.Code, Text: o.Text,
			FromMS: v.atMS, ToMS: v.atMS + OpenFor.Milliseconds()}}, nil
	})
	if err != nil {
		return store.BreakGlassEntry{}, err
	}
	s.cfg.Wake(s.concerned(o.Family))
	opened, _ := s.cfg.Store.State().BreakGlass(id)
	return opened, nil
}

func (v view) checkOpening(s *Service, o Opening) error {
	if d := v.inOffice(access.GroupBreakGlass, access.ActionCreate); !d.Allow {
		return because(syncproto.CodeForbidden, "People of your role cannot open files in an emergency: ring the duty manager.")
	}
	if o.Family.IsZero() || s.known(o.Family) != nil {
		return syncproto.CodeNotFound
	}
	if !slices.Contains(Reasons(), o.Code) {
		return because(syncproto.CodeBadValue, "Choose one of the reasons.")
	}
	if err := checkReason(o.Text); err != nil {
		return err
	}
	standing := v.state.StandingOf(v.by, o.Family, v.atMS)
	standing.Bases = append(standing.Bases, string(access.BasisBreakGlass))
	who := access.AskerOf(access.Standing(standing))
	if d := who.MayIn(access.GroupCore, access.Need{Action: access.ActionRead}); !d.Allow {
		return because(syncproto.CodeForbidden, "This file cannot be opened so ("+d.Reason+"): ring the duty manager.")
	}
	return nil
}

// openNow finds the actor's opening of a family that has not ended.
func (v view) openNow(family syncproto.FamilyID) (store.BreakGlassEntry, bool) {
	for _, e := range v.state.BreakGlasses() {
		if e.User == v.by && e.Family == family && e.ClosedMS == 0 && v.atMS < e.ToMS {
			return e, true
		}
	}
	return store.BreakGlassEntry{}, false
}

// concerned lists who is told of an opening: whoever may read about it.
func (s *Service) concerned(family syncproto.FamilyID) []syncproto.UserID {
	var out []syncproto.UserID
	for _, u := range s.cfg.Store.State().Users() {
		if s.now(u.ID).may(family, access.GroupBreakGlass, access.ActionRead).Allow {
			out = append(out, u.ID)
		}
	}
	return out
}

// Openings lists the openings that the actor may know of, their own among them,
// the newest first. Whoever may review them sees the reason in words.
func (s *Service) Openings(_ context.Context, by syncproto.UserID) []store.BreakGlassEntry {
	v := s.now(by)
	var out []store.BreakGlassEntry
	for _, e := range v.state.BreakGlasses() {
		if e.User != by && !v.may(e.Family, access.GroupBreakGlass, access.ActionRead).Allow {
			continue
		}
		if e.User != by && !v.may(e.Family, access.GroupBreakGlass, access.ActionApprove).Allow {
			e.Text, e.Note = "", ""
		}
		out = append(out, e)
	}
	return out
}

// Review closes an opening, which ends it if it has not ended. It fails with
// CodeNotFound, CodeForbidden (for who opened it, too), CodeFinal if it is closed
// already, and CodeBadValue.
func (s *Service) Review(ctx context.Context, by syncproto.UserID, id syncproto.ID, finding, note string) error {
	opened, _ := s.cfg.Store.State().BreakGlass(id)
	_, err := s.propose(ctx, about{by: by, family: opened.Family}, func(v view) (syncproto.ID, []store.Entry, error) {
		e, ok := v.state.BreakGlass(id)
		if !ok {
			return id, nil, syncproto.CodeNotFound
		}
		if e.User == by {
			return id, nil, because(syncproto.CodeForbidden, "Somebody else reviews what you opened.")
		}
		if err := refusalOf(v.may(e.Family, access.GroupBreakGlass, access.ActionApprove)); err != nil {
			return id, nil, err
		}
		if e.ClosedMS != 0 {
			return id, nil, because(syncproto.CodeFinal, "It was reviewed already.")
		}
		if !slices.Contains(Findings(), finding) {
			return id, nil, because(syncproto.CodeBadValue, "Choose one of the findings.")
		}
		if err := checkReason(note); err != nil {
			return id, nil, err
		}
		e.ClosedBy, e.ClosedMS, e.Finding, e.Note = by, v.atMS, finding, note
		return id, []store.Entry{e}, nil
	})
	return err
}

// Count is how often files were opened in one month for one reason.
type Count struct {
	Month        string // 2026-11, in UTC
	Code         string
	Opened       int
	Unreviewed   int
	NotJustified int
}

// Counts counts openings by month and reason, the newest month first. It fails
// with CodeForbidden for who does not oversee them for the borough.
func (s *Service) Counts(_ context.Context, by syncproto.UserID) ([]Count, error) {
	v := s.now(by)
	if d := v.inOffice(access.GroupBreakGlass, access.ActionRead); !d.Allow {
		return nil, syncproto.CodeForbidden
	}
	byKey := map[[2]string]*Count{}
	for _, e := range v.state.BreakGlasses() {
		k := [2]string{time.UnixMilli(e.FromMS).UTC().Format("2006-01"), e.Code}
		if byKey[k] == nil {
			byKey[k] = &Count{Month: k[0], Code: k[1]}
		}
		c := byKey[k]
		c.Opened++
		if e.ClosedMS == 0 {
			c.Unreviewed++
		}
		if e.Finding == "NOT_JUSTIFIED" {
			c.NotJustified++
		}
	}
	out := make([]Count, 0, len(byKey))
	for _, c := range byKey {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Count) int { return cmp.Or(cmp.Compare(b.Month, a.Month), cmp.Compare(a.Code, b.Code)) })
	return out, nil
}
