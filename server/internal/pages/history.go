package pages

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"doorstep/server/internal/finalise"
	"doorstep/server/internal/reading"
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// past is every change of a group, the newest first.
type past struct {
	items []pastItem
	by    map[syncproto.ChangeID]reading.HistoryItem
}

type pastItem struct {
	reading.HistoryItem
	part *finalise.Standpoint
	name string // of the part; empty for the whole
}

func (p *Pages) past(ctx context.Context, c *Call, st *finalise.Standing) (*past, error) {
	out := &past{by: map[syncproto.ChangeID]reading.HistoryItem{}}
	say := p.speaker(c)
	for i := range st.Parts {
		part := &st.Parts[i]
		list, err := p.cfg.Records.History(ctx, c.User, part.View.Record)
		if err != nil {
			return nil, err
		}
		name := ""
		if i > 0 {
			name = say.partTitle(part)
		}
		for _, h := range list {
			out.items = append(out.items, pastItem{h, part, name})
			out.by[h.Change.ID] = h
		}
	}
	slices.SortStableFunc(out.items, func(a, b pastItem) int { return cmp.Compare(b.Position, a.Position) })
	return out, nil
}

func (p *past) count() int { return len(p.items) }

// where says on which device a change was written, and when it came here.
func (p *past) where(s *speaker, id syncproto.ChangeID) string {
	h, ok := p.by[id]
	if !ok {
		return ""
	}
	return s.device(h.Device) + ", received " + s.Moment(h.ReceivedMS)
}

// historyLine is one change in a record's history.
type historyLine struct {
	Who, When, Where, Part string
	Steps                  []string
	Mark                   string // came late, or was let out of custody
}

// lines writes the newest changes; most 0: all.
func (p *past) lines(s *speaker, most int) []historyLine {
	items := p.items
	if most > 0 && len(items) > most {
		items = items[:most]
	}
	var out []historyLine
	for _, h := range items {
		b := &h.Change.Body
		l := historyLine{Who: s.person(b.Author), When: s.Moment(b.TimeMS), Where: s.device(h.Device), Part: h.name}
		if how := capture(b.Capture); how != "" {
			l.Where += ", " + how
		}
		if h.ReceivedMS-b.TimeMS > 60_000 {
			l.Where += ", received " + s.Moment(h.ReceivedMS)
		}
		if h.Status == syncproto.StatusLate {
			l.Mark = "Came after the record was final"
		}
		l.Steps = s.steps(h.part.Kind, b.Ops)
		out = append(out, l)
	}
	return out
}

// steps writes what a change does, one line for each field or act.
func (s *speaker) steps(kind *schema.Kind, ops []syncproto.Op) []string {
	var out []string
	for i := range ops {
		said := s.step(kind, &ops[i])
		if len(out) == 0 || out[len(out)-1] != said {
			out = append(out, said)
		}
	}
	if len(out) == 0 {
		out = []string{"Joined what was written apart"}
	}
	return out
}

func (s *speaker) step(kind *schema.Kind, op *syncproto.Op) string {
	switch op.Code {
	case syncproto.OpHandOver:
		if op.To.IsZero() {
			return "Handed over to the team"
		}
		return "Handed over to " + s.person(op.To)
	case syncproto.OpConfirm:
		if !op.To.IsZero() {
			return "Confirmed in the place of " + s.person(op.To) + ": " + op.Reason
		}
		return "Confirmed"
	case syncproto.OpTypeUp:
		if op.Reason == finalise.MovedFrom {
			return "Moved here, in the words of " + s.person(op.To)
		}
		return "Typed up for " + s.person(op.To) + ", from: " + op.Reason
	case syncproto.OpQuery:
		return "Asked: " + op.Text
	case syncproto.OpAnswer:
		return "Answered: " + op.Text
	case syncproto.OpFinalise:
		return "Made final"
	case syncproto.OpAddendum:
		return "Added: " + op.Text
	}
	return label(kind, op.Path) + ": " + s.opWords(kind, op)
}

// opWords writes what an op does to its field.
func (s *speaker) opWords(kind *schema.Kind, op *syncproto.Op) string {
	var out string
	switch op.Code {
	case syncproto.OpSplice:
		return spliceWords(op)
	case syncproto.OpRemove:
		return "taken out, because: " + op.Reason
	case syncproto.OpDecide:
		out = "decided: " + orElse(s.fieldValue(kind, op.Path, op.Value), "it was read and is right")
	default:
		out = orElse(s.fieldValue(kind, op.Path, op.Value), "cleared")
	}
	if op.Reason != "" && op.Code == syncproto.OpDecide {
		out += ", because: " + op.Reason
	}
	return out
}

func orElse(said, otherwise string) string {
	if said == "" {
		return otherwise
	}
	return said
}

// spliceWords says how much was typed; what it says is in the record.
func spliceWords(op *syncproto.Op) string {
	typed, gone := 0, 0
	for _, sp := range op.Splices {
		typed += utf8.RuneCountInString(sp.Ins)
		gone += sp.Del
	}
	var out []string
	if typed > 0 {
		out = append(out, strconv.Itoa(typed)+" characters written")
	}
	if gone > 0 {
		out = append(out, strconv.Itoa(gone)+" deleted")
	}
	return strings.Join(out, ", ")
}
