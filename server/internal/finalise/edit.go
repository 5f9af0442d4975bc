package finalise

import (
	"context"
	"slices"
	"strings"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// Edit sets one field at the desk, or writes prose anew: administrative details and the
// text that is left to preparation, as access allows. Seen are the record's heads as the
// person saw them, which the change builds on: what somebody else wrote since is met by
// the field's merge rule, and is never written over unseen.
type Edit struct {
	Record syncproto.RecordID
	Path   syncproto.Path
	Value  cbor.Value // for prose: the whole new text
	Seen   []syncproto.ChangeID
}

// Edit writes the change. It fails with CodeFinal, CodeLeased while another coordinator
// prepares the record, CodeMissingDeps for heads that the record does not have,
// CodeBadValue for what cannot stand there or changes nothing, and what access says.
func (s *Service) Edit(ctx context.Context, caller Caller, in Edit) (syncproto.ChangeID, error) {
	return s.propose(ctx, caller, in.Record, func(g *group) (act, error) {
		p := g.named()
		if err := first(open(p), s.notLeased(g), p.holds(in.Seen)); err != nil {
			return act{}, err
		}
		op, err := p.written(p.at(in.Seen), Setting{in.Path, in.Value})
		if err != nil {
			return act{}, err
		}
		if err := g.may(p, op); err != nil {
			return act{}, err
		}
		if err := syncproto.CheckOps(p.kind, p.kind.Version, []syncproto.Op{op}); err != nil {
			return act{}, because(p, in.Path, syncproto.CodeBadValue, "")
		}
		e := g.edit(p, op)
		e.Deps = syncproto.MergeHeads(in.Seen, nil)
		return one(e), nil
	})
}

// holds refuses heads that a record does not have.
func (p *part) holds(heads []syncproto.ChangeID) error {
	missing := slices.ContainsFunc(heads, func(h syncproto.ChangeID) bool { return !p.graph.Has(h) })
	if missing || len(heads) == 0 {
		return because(p, syncproto.Path{}, syncproto.CodeMissingDeps, "")
	}
	return nil
}

// at is what the record said at a version.
func (p *part) at(heads []syncproto.ChangeID) *syncproto.View {
	return syncproto.FoldAt(p.graph, p.kind, p.verdicts, heads)
}

// written is the op of an edit, over what the record said before.
func (p *part) written(v *syncproto.View, in Setting) (syncproto.Op, error) {
	field, ok := p.kind.At(in.Path.Field, in.Path.Sub)
	if !ok {
		return syncproto.Op{}, because(p, in.Path, syncproto.CodeUnknownField, "")
	}
	before := valueAt(v, in.Path)
	if !field.IsProse() {
		if before.Equal(in.Value) {
			return syncproto.Op{}, unchanged(p, in.Path)
		}
		return syncproto.Op{Code: syncproto.OpSet, Path: in.Path, Value: in.Value}, nil
	}
	was, _ := before.AsText()
	now, ok := in.Value.AsText()
	if !ok {
		return syncproto.Op{}, because(p, in.Path, syncproto.CodeBadValue, "")
	}
	splices := rewritten(was, now)
	if splices == nil {
		return syncproto.Op{}, unchanged(p, in.Path)
	}
	return syncproto.Op{Code: syncproto.OpSplice, Path: in.Path, Splices: splices}, nil
}

func unchanged(p *part, path syncproto.Path) error {
	return because(p, path, syncproto.CodeBadValue, "That is what it says already.")
}

// rewritten is the one splice that makes one text of another: what lies between the words
// that both begin with and those that both end with. Nil if they are the same.
func rewritten(was, now string) []text.Splice {
	if was == now {
		return nil
	}
	a, b := []rune(was), []rune(now)
	from := 0
	for from < len(a) && from < len(b) && a[from] == b[from] {
		from++
	}
	end := 0
	for end < len(a)-from && end < len(b)-from && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	return []text.Splice{{Pos: from, Del: len(a) - end - from, Ins: string(b[from : len(b)-end])}}
}

// Propose asks an author to change a field that the caller may not: the value that they
// propose, in the words in which they chose it, and why.
type Propose struct {
	Record syncproto.RecordID
	Path   syncproto.Path
	Value  cbor.Value
	Words  string
	Reason string
	To     syncproto.UserID
}

// Propose writes the proposal as a question about the field, which holds the record back
// until its author has answered. It fails as Query does, and with CodeBadValue for what
// could not stand there.
func (s *Service) Propose(ctx context.Context, caller Caller, in Propose) (syncproto.ChangeID, error) {
	q := Query{Record: in.Record, Path: in.Path, To: in.To, Text: ProposalText(in.Words, in.Reason)}
	return s.propose(ctx, caller, in.Record, func(g *group) (act, error) {
		p := g.named()
		field, ok := p.kind.At(in.Path.Field, in.Path.Sub)
		if !ok || isRemoval(p, in.Path) {
			return act{}, because(p, in.Path, syncproto.CodeUnknownField, "Name one field, or one part of an entry.")
		}
		if !field.CheckValue(in.Value).OK() || strings.TrimSpace(in.Words) == "" {
			return act{}, because(p, in.Path, syncproto.CodeBadValue, "")
		}
		if err := saysSomething(p, in.Reason); err != nil {
			return act{}, err
		}
		return s.asked(g, q)
	})
}

// ProposalText is what a proposal asks.
func ProposalText(words, reason string) string {
	return proposes + words + ". " + strings.TrimSpace(reason)
}

const proposes = "Proposed: "

// IsProposal reports whether a question proposes a value for the field that it is about.
func IsProposal(q syncproto.Query) bool {
	return q.Path.Field != "" && strings.HasPrefix(q.Question, proposes)
}
