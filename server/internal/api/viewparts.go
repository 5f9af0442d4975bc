package api

import (
	"unicode/utf8"

	"doorstep/server/internal/reading"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// people turns parts of records into JSON and gathers the names of everybody
// that they mention.
type people struct {
	api   *API
	names map[string]string
}

func (a *API) newPeople() *people { return &people{api: a, names: map[string]string{}} }

// id writes a person's id and remembers the name.
func (p *people) id(u syncproto.UserID) string {
	if u.IsZero() {
		return ""
	}
	s := u.String()
	if _, ok := p.names[s]; !ok {
		p.names[s] = p.api.cfg.Records.Name(u)
	}
	return s
}

func (p *people) origin(o syncproto.Origin) OriginJSON {
	return OriginJSON{Change: o.Change.String(), Author: p.id(o.Author), TimeMS: o.TimeMS, Capture: o.Capture.String()}
}

// maybe is origin for one that may be missing.
func (p *people) maybe(o *syncproto.Origin) *OriginJSON {
	if o == nil || o.Change.IsZero() {
		return nil
	}
	out := p.origin(*o)
	return &out
}

func (p *people) fields(list []syncproto.FieldView) []FieldJSON {
	out := make([]FieldJSON, 0, len(list))
	for _, f := range list {
		j := FieldJSON{Field: f.Field, Set: f.Set, Value: valueJSON(f.Value), Text: f.Text, By: p.maybe(&f.By)}
		for _, s := range f.Slots {
			j.Slots = append(j.Slots, SlotJSON{Slot: s.Slot.String(), Value: valueJSON(s.Value), Text: s.Text, By: p.origin(s.By)})
		}
		for _, e := range f.Items {
			j.Items = append(j.Items, p.element(e))
		}
		out = append(out, j)
	}
	return out
}

func (p *people) element(e syncproto.Element) ElementJSON {
	j := ElementJSON{Element: e.Element.String(), By: p.origin(e.By), Fields: p.fields(e.Fields),
		InForce: e.InForce, Flagged: e.Flagged}
	if e.Removed != nil {
		j.Removed = &RemovalJSON{By: p.origin(e.Removed.By), Reason: e.Removed.Reason, Confirmed: e.Removed.Confirmed}
	}
	return j
}

func (p *people) conflicts(list []syncproto.Conflict) []ConflictJSON {
	out := make([]ConflictJSON, 0, len(list))
	for _, c := range list {
		j := ConflictJSON{Path: pathJSON(c.Path), Rule: c.Rule, Base: valueJSON(c.Base), InForce: valueJSON(c.InForce),
			Sides: make([]SideJSON, 0, len(c.Sides))}
		for _, s := range c.Sides {
			j.Sides = append(j.Sides, SideJSON{Value: valueJSON(s.Value), By: p.origin(s.By)})
		}
		out = append(out, j)
	}
	return out
}

func (p *people) overlaps(list []syncproto.Overlap) []OverlapJSON {
	out := make([]OverlapJSON, 0, len(list))
	for _, o := range list {
		j := OverlapJSON{Path: pathJSON(o.Path), Spans: make([]OverlapSpanJSON, 0, len(o.Spans))}
		for _, s := range o.Spans {
			span := OverlapSpanJSON{Start: int64(s.Start), End: int64(s.End), Changes: changeIDs(s.Changes), Authors: make([]string, 0, len(s.Authors))}
			for _, u := range s.Authors {
				span.Authors = append(span.Authors, p.id(u))
			}
			j.Spans = append(j.Spans, span)
		}
		out = append(out, j)
	}
	return out
}

func (p *people) workflow(w syncproto.Workflow) WorkflowJSON {
	out := WorkflowJSON{HandedOver: p.maybe(w.HandedOver),
		Confirmed: make([]ConfirmationJSON, 0, len(w.Confirmed)), Queries: make([]QueryJSON, 0, len(w.Queries))}
	for _, c := range w.Confirmed {
		out.Confirmed = append(out.Confirmed, ConfirmationJSON{By: p.origin(c.By), Heads: changeIDs(c.Heads), Stands: c.Stands, For: p.id(c.For), Reason: c.Reason})
	}
	for _, t := range w.TypedUp {
		out.TypedUp = append(out.TypedUp, TypedUpJSON{By: p.origin(t.By), For: p.id(t.For), Source: t.Source})
	}
	for _, q := range w.Queries {
		out.Queries = append(out.Queries, QueryJSON{Query: q.ID.String(), Path: maybePath(q.Path), To: p.id(q.To),
			By: p.origin(q.By), Question: q.Question, Answer: q.Answer, AnsweredBy: p.maybe(q.AnsweredBy)})
	}
	return out
}

func (p *people) seal(s *syncproto.Seal) *SealJSON {
	if s == nil {
		return nil
	}
	out := &SealJSON{Position: int64(s.Position), By: p.id(s.By), AtMS: s.AtMS, Heads: changeIDs(s.Heads),
		Hash: hexText(s.Hash[:]), Group: make([]RecordHeadsJSON, 0, len(s.Group))}
	for _, g := range s.Group {
		out.Group = append(out.Group, RecordHeadsJSON{Record: g.Record.String(), Heads: changeIDs(g.Heads)})
	}
	return out
}

func (p *people) addenda(list []syncproto.Addendum) []AddendumJSON {
	out := make([]AddendumJSON, 0, len(list))
	for _, a := range list {
		out = append(out, AddendumJSON{By: p.origin(a.By), Text: a.Text, TimeMS: a.TimeMS, Reason: a.Reason,
			Late: a.Late, Ops: opsJSON(a.Ops)})
	}
	return out
}

func (p *people) history(h reading.HistoryItem) HistoryJSON {
	b := h.Change.Body
	out := HistoryJSON{Change: h.Change.ID.String(), Deps: changeIDs(b.Deps), Author: p.id(b.Author),
		Device: h.Device.String(), TimeMS: b.TimeMS, OffsetMin: b.OffsetMin, ReceivedMS: h.ReceivedMS,
		Position: int64(h.Position), Capture: b.Capture.String(), Status: statusName(h.Status), Ops: opsJSON(b.Ops)}
	if h.Code != syncproto.CodeOK {
		out.Reason = h.Code.Error()
	}
	return out
}

func opsJSON(ops []syncproto.Op) []OpJSON {
	out := make([]OpJSON, 0, len(ops))
	for _, op := range ops {
		j := OpJSON{Op: opName(op.Code), Path: maybePath(op.Path), Value: valueJSON(op.Value), Reason: op.Reason, Text: op.Text}
		for _, s := range op.Splices {
			j.Inserted += int64(utf8.RuneCountInString(s.Ins))
			j.Deleted += int64(s.Del)
		}
		out = append(out, j)
	}
	return out
}

func pathJSON(p syncproto.Path) PathJSON {
	out := PathJSON{Field: p.Field, Sub: p.Sub}
	if !p.Element.IsZero() {
		out.Element = p.Element.String()
	}
	return out
}

func maybePath(p syncproto.Path) *PathJSON {
	if p == (syncproto.Path{}) {
		return nil
	}
	out := pathJSON(p)
	return &out
}

func changeIDs(ids []syncproto.ChangeID) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		out = append(out, id.String())
	}
	return out
}

// bytesKey marks bytes in JSON, which has no type for them.
const bytesKey = "$bytes"

// valueJSON writes a value as JSON; it loses nothing.
func valueJSON(v cbor.Value) any {
	if b, ok := v.AsBool(); ok {
		return b
	}
	if i, ok := v.AsInt(); ok {
		return i
	}
	if s, ok := v.AsText(); ok {
		return s
	}
	if b, ok := v.AsBytes(); ok {
		return map[string]any{bytesKey: hexText(b)}
	}
	if list, ok := v.AsList(); ok {
		out := make([]any, 0, len(list))
		for _, item := range list {
			out = append(out, valueJSON(item))
		}
		return out
	}
	if pairs, ok := v.AsMap(); ok {
		out := make(map[string]any, len(pairs))
		for _, pair := range pairs {
			out[pair.Key] = valueJSON(pair.Value)
		}
		return out
	}
	return nil
}

func statusName(s syncproto.ReceiptStatus) string {
	switch s {
	case syncproto.StatusAccepted:
		return "accepted"
	case syncproto.StatusHeld:
		return "held"
	case syncproto.StatusQuarantined:
		return "quarantined"
	case syncproto.StatusLate:
		return "late"
	case syncproto.StatusRefused:
		return "refused"
	}
	return "unknown"
}

func opName(c syncproto.OpCode) string {
	switch c {
	case syncproto.OpSet:
		return "set"
	case syncproto.OpSplice:
		return "splice"
	case syncproto.OpAdd:
		return "add"
	case syncproto.OpRemove:
		return "remove"
	case syncproto.OpDecide:
		return "decide"
	case syncproto.OpHandOver:
		return "hand-over"
	case syncproto.OpConfirm:
		return "confirm"
	case syncproto.OpTypeUp:
		return "type-up"
	case syncproto.OpQuery:
		return "query"
	case syncproto.OpAnswer:
		return "answer"
	case syncproto.OpFinalise:
		return "finalise"
	case syncproto.OpAddendum:
		return "addendum"
	case syncproto.OpCorrect:
		return "correct"
	}
	return "newer-app"
}
