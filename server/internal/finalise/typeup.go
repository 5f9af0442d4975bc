package finalise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"doorstep/server/internal/access"
	"doorstep/server/internal/desk"
	"doorstep/server/internal/once"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// TypeUp begins a record at the desk: minutes, or what a worker dictated or wrote by hand,
// typed up for them. It is handed over from its first change, and never final before For
// has confirmed it.
type TypeUp struct {
	Family   syncproto.FamilyID
	Kind     string
	For      syncproto.UserID // whose words they are
	Source   string           // what they are typed up from
	Capture  syncproto.CaptureMode
	Children []syncproto.RecordID // of whom it has a part each: persons of the family
}

// TypeUp begins the record and its parts. It fails with CodeNotFound for a family of which
// the caller may not read such records, and with what access says; with CodeBadValue for a
// worker who could not confirm it, a child who is not of the family, and no source.
func (s *Service) TypeUp(ctx context.Context, caller Caller, in TypeUp) (syncproto.RecordID, error) {
	var record syncproto.RecordID
	before := func(state *store.State) (bool, error) {
		answer, done, err := once.Answered(ctx, state)
		copy(record[:], answer)
		return done, err
	}
	if done, err := before(s.cfg.Store.State()); done || err != nil {
		return record, err
	}
	_, err := s.cfg.Ledger.Propose(ctx, func(tx *store.Tx) ([]store.Entry, error) {
		if done, err := before(tx.State()); done || err != nil {
			return nil, err
		}
		edits, err := s.begun(&tx.Reader, tx.State(), tx.AtMS(), caller, in)
		if err != nil {
			return nil, err
		}
		if _, err := s.cfg.Desk.Compose(tx, edits); err != nil {
			return nil, fmt.Errorf("beginning a record: %w", err)
		}
		record = edits[0].Record
		return once.Entry(ctx, tx.AtMS(), record[:]), nil
	})
	return record, err
}

// begun are the first changes of the record and of its parts.
func (s *Service) begun(r *store.Reader, state *store.State, atMS int64, caller Caller, in TypeUp) ([]desk.Edit, error) {
	kind, err := mayTypeUp(state, atMS, caller, in)
	if err != nil {
		return nil, err
	}
	whole := desk.Edit{Author: caller.User, Family: in.Family, Kind: kind.ID, Capture: in.Capture, Ops: []syncproto.Op{
		{Code: syncproto.OpTypeUp, To: in.For, Reason: in.Source}, {Code: syncproto.OpHandOver}}}
	if err := s.draw(whole.Record[:]); err != nil {
		return nil, err
	}
	edits := []desk.Edit{whole}
	for i, child := range in.Children {
		if slices.Contains(in.Children[:i], child) {
			continue
		}
		info, err := r.RecordInfo(child)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		parts := kind.Parts()
		if err != nil || info.Family != in.Family || info.Kind != "person" || len(parts) == 0 {
			return nil, refuse(Detail{Code: syncproto.CodeBadValue, Plain: "That is no child of this family."})
		}
		part := desk.Edit{Author: caller.User, Family: in.Family, Kind: parts[0].ID, Record: syncproto.PartID(whole.Record, child), Capture: in.Capture, Ops: []syncproto.Op{
			{Code: syncproto.OpTypeUp, To: in.For, Reason: in.Source},
			{Code: syncproto.OpSet, Path: syncproto.Path{Field: parts[0].Part}, Value: cbor.Bytes(whole.Record[:])},
			{Code: syncproto.OpSet, Path: syncproto.Path{Field: "child"}, Value: cbor.Bytes(child[:])}}}
		edits = append(edits, part)
	}
	return edits, nil
}

func (s *Service) draw(id []byte) error {
	if _, err := io.ReadFull(s.cfg.Rand, id); err != nil {
		return fmt.Errorf("drawing an id: %w", err)
	}
	return nil
}

// mayTypeUp refuses what may not begin so.
func mayTypeUp(state *store.State, atMS int64, caller Caller, in TypeUp) (*schema.Kind, error) {
	who := askerOf(state, caller, in.Family, atMS)
	if !who.MayRead(in.Kind).Allow {
		return nil, syncproto.CodeNotFound
	}
	if d := who.May(in.Kind, access.Need{Action: access.ActionTypeUp}); !d.Allow {
		return nil, refuse(Detail{Code: d.Code, Plain: "You may not do this: " + d.Reason + "."})
	}
	kind, ok := schema.Newest(in.Kind)
	switch {
	case !ok || !typesUp(kind):
		return nil, refuse(Detail{Code: syncproto.CodeBadOp, Plain: "Records of this kind do not begin at the desk."})
	case strings.TrimSpace(in.Source) == "":
		return nil, refuse(Detail{Code: syncproto.CodeBadValue, Plain: "Say what it is typed up from."})
	case in.Capture > syncproto.CapturePen:
		return nil, refuse(Detail{Code: syncproto.CodeBadValue, Plain: "Say how the words were taken."})
	case !couldConfirm(state, atMS, in.For, in.Family, in.Kind):
		return nil, refuse(Detail{Code: syncproto.CodeBadValue, Plain: "That person does not work with the family, and could not confirm it."})
	}
	return kind, nil
}

// typesUp reports whether records of a kind may begin at the desk: those that somebody
// confirms, but for parts, which begin with their whole.
func typesUp(k *schema.Kind) bool {
	newest, _ := schema.Newest(k.ID)
	return k == newest && k.Finalises && k.NeedsConfirmation && k.Part == ""
}

func couldConfirm(state *store.State, atMS int64, user syncproto.UserID, family syncproto.FamilyID, kind string) bool {
	return mightConfirm(askerOf(state, Caller{User: user}, family, atMS), kind)
}

func mightConfirm(who access.Asker, kind string) bool {
	who.Authorship = access.AuthorWrote
	return who.May(kind, access.Need{Action: access.ActionConfirm}).Allow
}

// Beginning is a kind of record that a person may begin at the desk for a family, and for
// whom.
type Beginning struct {
	Kind *schema.Kind
	For  []syncproto.UserID
}

// Beginnings lists what the caller may begin for a family, in the order of the schema; nil
// where that is nothing.
func (s *Service) Beginnings(_ context.Context, caller Caller, family syncproto.FamilyID) []Beginning {
	state, atMS := s.cfg.Store.State(), s.cfg.Now().UnixMilli()
	who := askerOf(state, caller, family, atMS)
	var out []Beginning
	for _, k := range schema.All() {
		if !typesUp(k) || !who.MayRead(k.ID).Allow || !who.May(k.ID, access.Need{Action: access.ActionTypeUp}).Allow {
			continue
		}
		b := Beginning{Kind: k}
		state.Anybody(family, atMS, func(user syncproto.UserID, s store.Standing) bool {
			if mightConfirm(access.AskerOf(access.Standing(s)), k.ID) && !slices.Contains(b.For, user) {
				b.For = append(b.For, user)
			}
			return false // everybody
		})
		out = append(out, b)
	}
	return out
}

// typing reports whether somebody types up another's words in a part: until the first
// confirmation, and from then on it is its author's.
func (g *group) typing(p *part, who access.Asker) bool {
	_, moved := g.state.MovedFrom(p.info.Record) // in the words of whoever wrote it
	return !moved && len(p.view.Workflow.TypedUp) > 0 && len(p.view.Workflow.Confirmed) == 0 && p.info.Sealed == 0 &&
		who.May(p.info.Kind, access.Need{Action: access.ActionTypeUp}).Allow
}

// Typable reports whether notes can say what stands in a field. What is worked out stands
// in none; and a decision that the server's order settles, such as to put a plan in force,
// is made by whoever may make it, and not typed up.
func Typable(f *schema.Field) bool {
	return f.Rule != schema.Derived && (f.Rule != schema.Server || f.Label != schema.Judgement)
}

// typed reports whether ops put words into a record of a kind, and do nothing else.
func typed(kind *schema.Kind, ops []syncproto.Op) bool {
	return !slices.ContainsFunc(ops, func(op syncproto.Op) bool {
		if field, ok := kind.Field(op.Path.Field); ok && !Typable(field) {
			return true
		}
		return op.Code != syncproto.OpSet && op.Code != syncproto.OpSplice && op.Code != syncproto.OpAdd && op.Code != syncproto.OpRemove
	})
}

// capture is how the words were taken that the caller writes in a part.
func (g *group) capture(p *part) syncproto.CaptureMode {
	if g.typing(p, g.asker(p)) {
		return p.view.Workflow.TypedUp[0].By.Capture
	}
	return syncproto.CaptureTyped
}

// Fill sets several fields of a record that is typed up, in one change. Of prose the value
// is the whole text. What says the same already is left as it is.
type Fill struct {
	Record syncproto.RecordID
	Sets   []Setting
	Seen   []syncproto.ChangeID // the record's heads as the person saw them
}

// Setting is one field of a Fill.
type Setting struct {
	Path  syncproto.Path
	Value cbor.Value
}

// Fill writes the change. It fails as Edit does.
func (s *Service) Fill(ctx context.Context, caller Caller, in Fill) (syncproto.ChangeID, error) {
	return s.propose(ctx, caller, in.Record, func(g *group) (act, error) {
		p := g.named()
		if err := first(open(p), s.notLeased(g), p.holds(in.Seen)); err != nil {
			return act{}, err
		}
		var ops []syncproto.Op
		before := p.at(in.Seen)
		for _, set := range in.Sets {
			op, same, err := p.set(before, set)
			if err != nil {
				return act{}, err
			}
			if !same {
				ops = append(ops, op)
			}
		}
		if len(ops) == 0 {
			return act{}, because(p, syncproto.Path{}, syncproto.CodeBadValue, "That is what it says already.")
		}
		return g.written(p, in.Seen, ops)
	})
}

// set is the op of one setting, over what the record said before; same: it says so already.
func (p *part) set(v *syncproto.View, in Setting) (op syncproto.Op, same bool, err error) {
	field, ok := p.kind.At(in.Path.Field, in.Path.Sub)
	if !ok {
		return op, false, because(p, in.Path, syncproto.CodeUnknownField, "")
	}
	before := valueAt(v, in.Path)
	if before.Equal(in.Value) || field.IsProse() && before.IsNull() && in.Value.Equal(cbor.Text("")) {
		return op, true, nil
	}
	op, err = p.written(v, in)
	return op, false, err
}

// written is the act of ops on the version that was seen.
func (g *group) written(p *part, seen []syncproto.ChangeID, ops []syncproto.Op) (act, error) {
	if err := g.may(p, ops...); err != nil {
		return act{}, err
	}
	for i := range ops {
		if err := syncproto.CheckOps(p.kind, p.kind.Version, ops[i:i+1]); err != nil {
			return act{}, because(p, ops[i].Path, syncproto.CodeBadValue, "")
		}
	}
	e := g.edit(p, ops...)
	e.Deps = syncproto.MergeHeads(seen, nil)
	return one(e), nil
}
