package finalise

import (
	"context"
	"slices"
	"strings"

	"doorstep/server/internal/desk"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// one is an act of one change.
func one(e desk.Edit) act { return act{edits: []desk.Edit{e}} }

// HandOver gives a record, and with it the parts that are sealed with it, to a
// coordinator. Doing it again names another coordinator. It fails with
// CodeNotFound, CodeFinal, or what access says.
func (s *Service) HandOver(ctx context.Context, caller Caller, in HandOver) (syncproto.ChangeID, error) {
	return s.propose(ctx, caller, in.Record, func(g *group) (act, error) {
		p := g.whole()
		if err := open(p); err != nil {
			return act{}, err
		}
		if !p.kind.Finalises {
			return act{}, because(p, syncproto.Path{}, syncproto.CodeForbidden, "Records of this kind are never made final.")
		}
		op := syncproto.Op{Code: syncproto.OpHandOver, To: in.To}
		if !in.To.IsZero() && !g.coordinates(in.To) {
			return act{}, because(p, syncproto.Path{}, syncproto.CodeBadValue, "That person is not a co-ordinator of the family's team.")
		}
		return one(g.edit(p, op)), g.may(p, op)
	})
}

// Confirm writes an author's word into the record and each part of it in which
// the author wrote. It fails with CodeStaleHeads if what the author saw is not
// what stands now: nobody confirms what they have not seen.
func (s *Service) Confirm(ctx context.Context, caller Caller, in Confirm) (syncproto.ChangeID, error) {
	return s.propose(ctx, caller, in.Record, func(g *group) (act, error) {
		if err := open(g.whole()); err != nil {
			return act{}, err
		}
		if err := g.sameHeads(in.Heads); err != nil {
			return act{}, err
		}
		if err := g.standsIn(in); err != nil {
			return act{}, err
		}
		var a act
		var denied error
		for _, p := range g.parts {
			op := syncproto.Op{Code: syncproto.OpConfirm, Heads: []syncproto.RecordHeads{{Record: p.info.Record, Heads: p.info.Heads}}, To: in.For, Reason: in.Reason}
			if err := g.may(p, op); err != nil {
				denied = first(denied, err)
				continue
			}
			a.edits = append(a.edits, g.edit(p, op))
		}
		if len(a.edits) == 0 {
			return act{}, denied
		}
		return a, nil
	})
}

// sameHeads refuses heads that are not exactly those of the group now.
func (g *group) sameHeads(named []syncproto.RecordHeads) error {
	var out []Detail
	for _, p := range g.parts {
		i := slices.IndexFunc(named, func(h syncproto.RecordHeads) bool { return h.Record == p.info.Record })
		switch {
		case i < 0:
			out = append(out, p.detail(syncproto.Path{}, syncproto.CodeStaleHeads, "This "+p.kind.Name+" belongs to it too, and was not looked at."))
		case !slices.Equal(named[i].Heads, p.info.Heads):
			out = append(out, p.detail(syncproto.Path{}, syncproto.CodeStaleHeads, ""))
		}
	}
	for _, h := range named {
		if !slices.ContainsFunc(g.parts, func(p *part) bool { return p.info.Record == h.Record }) {
			out = append(out, Detail{Record: h.Record, Code: syncproto.CodeStaleHeads, Plain: "This is not sealed together with it."})
		}
	}
	return refuse(out...)
}

// Query asks a person about a record. It fails with CodeLeased while another
// coordinator prepares the record.
func (s *Service) Query(ctx context.Context, caller Caller, in Query) (syncproto.ChangeID, error) {
	return s.propose(ctx, caller, in.Record, func(g *group) (act, error) { return s.asked(g, in) })
}

// asked is the act of a query.
func (s *Service) asked(g *group, in Query) (act, error) {
	p := g.named()
	if err := first(open(p), s.notLeased(g), saysSomething(p, in.Text)); err != nil {
		return act{}, err
	}
	if in.Path.Field != "" {
		if _, ok := p.kind.At(in.Path.Field, in.Path.Sub); !ok {
			return act{}, because(p, in.Path, syncproto.CodeUnknownField, "")
		}
	}
	if !in.To.IsZero() && len(g.state.BasisOf(in.To, p.info.Family, g.atMS)) == 0 {
		return act{}, because(p, in.Path, syncproto.CodeBadValue, "That person has nothing to do with the family, and would not see the question.")
	}
	op := syncproto.Op{Code: syncproto.OpQuery, Path: in.Path, To: in.To, Text: in.Text}
	return one(g.edit(p, op)), g.may(p, op)
}

// Answer answers an open query. It fails with CodeNotFound for a query that the
// record does not have, and CodeFinal.
func (s *Service) Answer(ctx context.Context, caller Caller, in Answer) (syncproto.ChangeID, error) {
	return s.propose(ctx, caller, in.Record, func(g *group) (act, error) {
		p := g.named()
		if err := first(open(p), saysSomething(p, in.Text)); err != nil {
			return act{}, err
		}
		asked := slices.IndexFunc(p.view.Workflow.Queries, func(q syncproto.Query) bool { return q.ID == in.Query })
		if asked < 0 {
			return act{}, because(p, syncproto.Path{}, syncproto.CodeNotFound, "There is no such question on this record.")
		}
		op := syncproto.Op{Code: syncproto.OpAnswer, Target: in.Query, Text: in.Text}
		if !in.Sets {
			return one(g.edit(p, op)), g.may(p, op)
		}
		set, err := g.agreed(p, p.view.Workflow.Queries[asked].Path, in)
		if err != nil {
			return act{}, err
		}
		return one(g.edit(p, op, set)), g.may(p, op, set)
	})
}

// agreed is the op that gives the field of a query its value: a decision where people
// differ about it.
func (g *group) agreed(p *part, path syncproto.Path, in Answer) (syncproto.Op, error) {
	if path.Field == "" {
		return syncproto.Op{}, because(p, path, syncproto.CodeBadValue, "The question is not about one field.")
	}
	if !slices.Equal(syncproto.MergeHeads(in.Seen, nil), p.info.Heads) {
		return syncproto.Op{}, because(p, path, syncproto.CodeStaleHeads, "")
	}
	op := syncproto.Op{Code: syncproto.OpSet, Path: path, Value: in.Value}
	if _, disputed := p.conflict(path); disputed {
		op.Code, op.Reason = syncproto.OpDecide, in.Text
	}
	if err := syncproto.CheckOps(p.kind, p.kind.Version, []syncproto.Op{op}); err != nil {
		return op, because(p, path, syncproto.CodeBadValue, "")
	}
	return op, nil
}

// Decide settles an open conflict with one of its sides. Whoever may edit the
// field as well may state another value. The decision covers every side: its
// deps are all current heads. It fails with CodeStaleHeads if these are not what
// was seen, so that no side is settled that nobody looked at; with CodeNotFound if
// there is no such conflict, and CodeBadValue if the value is neither.
func (s *Service) Decide(ctx context.Context, caller Caller, in Decide) (syncproto.ChangeID, error) {
	return s.propose(ctx, caller, in.Record, func(g *group) (act, error) {
		p := g.named()
		if err := first(open(p), s.notLeased(g), saysSomething(p, in.Reason)); err != nil {
			return act{}, err
		}
		if !slices.Equal(syncproto.MergeHeads(in.Seen, nil), p.info.Heads) {
			return act{}, because(p, in.Path, syncproto.CodeStaleHeads, "")
		}
		op := syncproto.Op{Code: syncproto.OpDecide, Path: in.Path, Value: in.Value, Reason: in.Reason}
		if err := first(g.disputed(p, op), g.may(p, op), g.possible(p, op)); err != nil {
			return act{}, err
		}
		return one(g.edit(p, op)), nil
	})
}

// disputed refuses a decision where nothing is open.
func (g *group) disputed(p *part, op syncproto.Op) error {
	if _, ok := p.conflict(op.Path); ok {
		return nil
	}
	if slices.ContainsFunc(p.view.Overlaps, func(o syncproto.Overlap) bool { return o.Path == op.Path }) {
		return nil
	}
	return because(p, op.Path, syncproto.CodeNotFound, "There is no disagreement here: it may have been decided already.")
}

func (p *part) conflict(path syncproto.Path) (syncproto.Conflict, bool) {
	for _, c := range p.view.Conflicts {
		if c.Path == path {
			return c, true
		}
	}
	return syncproto.Conflict{}, false
}

// possible refuses a value that the field cannot hold, and one that is no side
// of the conflict from whoever may not write it themselves.
func (g *group) possible(p *part, op syncproto.Op) error {
	c, ok := p.conflict(op.Path)
	if !ok { // words that were read, and stay as they are
		if !op.Value.IsNull() {
			return because(p, op.Path, syncproto.CodeBadValue, "")
		}
		return nil
	}
	if err := syncproto.CheckOps(p.kind, p.kind.Version, []syncproto.Op{op}); err != nil {
		return because(p, op.Path, syncproto.CodeBadValue, "")
	}
	if isRemoval(p, op.Path) || isSide(c, op.Value) {
		return nil
	}
	write := syncproto.Op{Code: syncproto.OpSet, Path: op.Path, Value: op.Value}
	if g.may(p, write) != nil {
		return because(p, op.Path, syncproto.CodeBadValue, "Choose one of the sides: only who may write the field may state something else.")
	}
	return nil
}

// isRemoval reports whether a path names a whole element: whether it is to go.
func isRemoval(p *part, path syncproto.Path) bool {
	f, ok := p.kind.Field(path.Field)
	return ok && f.IsCollection() && path.Sub == ""
}

func isSide(c syncproto.Conflict, v cbor.Value) bool {
	return slices.ContainsFunc(c.Sides, func(s syncproto.Side) bool { return s.Value.Equal(v) })
}

func saysSomething(p *part, text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return because(p, syncproto.Path{}, syncproto.CodeBadValue, "Write at least a few words.")
	case len(text) > syncproto.MaxTextValue:
		return because(p, syncproto.Path{}, syncproto.CodeTooLarge, "")
	}
	return nil
}

// first returns the first error that is one.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
