package finalise

import (
	"context"
	"slices"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// final refuses an act that is for final records only.
func final(p *part) error {
	if p.info.Sealed == 0 {
		return because(p, syncproto.Path{}, syncproto.CodeBadOp, "The record is not final yet: change the record itself.")
	}
	return nil
}

// Addendum adds to a final record. It fails with CodeBadOp for one that is not
// final.
func (s *Service) Addendum(ctx context.Context, caller Caller, in Addendum) (syncproto.ChangeID, error) {
	return s.propose(ctx, caller, in.Record, func(g *group) (act, error) {
		p := g.named()
		if err := first(final(p), saysSomething(p, in.Text)); err != nil {
			return act{}, err
		}
		op := syncproto.Op{Code: syncproto.OpAddendum, Text: in.Text, TimeMS: in.TimeMS, Reason: in.Reason}
		return one(g.edit(p, op)), g.may(p, op)
	})
}

// AcceptLate adopts what came after the seal: an addendum that names the late
// change, which stays as it was sent. It fails with CodeNotFound if nothing of
// that id came late.
func (s *Service) AcceptLate(ctx context.Context, caller Caller, in AcceptLate) (syncproto.ChangeID, error) {
	return s.propose(ctx, caller, in.Record, func(g *group) (act, error) {
		p := g.named()
		late := func(a syncproto.Addendum) bool { return a.Late && a.By.Change == in.Change }
		if err := final(p); err != nil {
			return act{}, err
		}
		if !slices.ContainsFunc(p.view.Addenda, late) {
			return act{}, because(p, syncproto.Path{}, syncproto.CodeNotFound, "No such change came late to this record.")
		}
		text := in.Text
		if text == "" {
			text = "The late change was read and accepted as an addendum."
		}
		op := syncproto.Op{Code: syncproto.OpAddendum, Text: text, Reason: AcceptReason(in.Change)}
		return one(g.edit(p, op)), g.may(p, op)
	})
}

// AcceptReason is the reason of an addendum that accepts a late change.
func AcceptReason(change syncproto.ChangeID) string { return "accepts " + change.String() }

// Correct puts a field of a final record right: both versions are shown, and the
// sealed one stays. It fails with CodeBadOp for a record that is not final,
// CodeStaleHeads if Old is not what the final version says, CodeBadValue if New
// cannot stand there.
func (s *Service) Correct(ctx context.Context, caller Caller, in Correct) (syncproto.ChangeID, error) {
	return s.propose(ctx, caller, in.Record, func(g *group) (act, error) {
		p := g.named()
		if err := first(final(p), saysSomething(p, in.Reason)); err != nil {
			return act{}, err
		}
		op := syncproto.Op{Code: syncproto.OpCorrect, Path: in.Path, Old: in.Old, Value: in.New, Reason: in.Reason}
		if err := g.may(p, op); err != nil {
			return act{}, err
		}
		field, ok := p.kind.At(in.Path.Field, in.Path.Sub)
		if !ok || isRemoval(p, in.Path) {
			return act{}, because(p, in.Path, syncproto.CodeUnknownField, "Name one field, or one part of an entry.")
		}
		if !field.CheckValue(in.New).OK() || in.New.Equal(in.Old) {
			return act{}, because(p, in.Path, syncproto.CodeBadValue, "")
		}
		sealed := syncproto.FoldAt(p.graph, p.kind, upTo(p.verdicts, p.view.Seal.Position), p.view.Seal.Heads)
		if !valueAt(sealed, in.Path).Equal(in.Old) {
			return act{}, because(p, in.Path, syncproto.CodeStaleHeads, "The final version says something else here.")
		}
		return one(g.edit(p, op)), nil
	})
}

// valueAt reads what a view says at a path; null if it says nothing.
func valueAt(v *syncproto.View, path syncproto.Path) cbor.Value {
	f, _ := v.Field(path.Field)
	if path.Element.IsZero() {
		return words(f)
	}
	for _, slot := range f.Slots {
		if slot.Slot == path.Element {
			return words(syncproto.FieldView{Value: slot.Value, Text: slot.Text})
		}
	}
	for i := range f.Items {
		if f.Items[i].Element == path.Element {
			sub, _ := f.Items[i].Field(path.Sub)
			return words(sub)
		}
	}
	return cbor.Null()
}

func words(f syncproto.FieldView) cbor.Value {
	if f.Text != "" {
		return cbor.Text(f.Text)
	}
	return f.Value
}
