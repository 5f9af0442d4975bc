package pages

import (
	"context"
	"errors"

	"doorstep/server/internal/finalise"
	"doorstep/server/internal/reading"
	"doorstep/syncproto"
)

// writtenText is one text of a group with who wrote each part of it.
type writtenText struct {
	Part, Label string // Part is empty for the whole
	Spans       []writtenSpan
	Gone        []goneSpan
}

// writtenSpan is a stretch of words that one change wrote.
type writtenSpan struct{ Text, By string }

// goneSpan is what one change wrote and others deleted.
type goneSpan struct {
	Text, By  string
	DeletedBy []string
}

// written says of every text of a group, as it stands, who wrote which words of it,
// when, on which device and how, and who deleted what is gone.
func (p *Pages) written(ctx context.Context, c *Call, st *finalise.Standing) ([]writtenText, error) {
	say := p.speaker(c)
	var out []writtenText
	for i := range st.Parts {
		part := &st.Parts[i]
		a, err := p.cfg.Records.Attribution(ctx, c.User, part.View.Record, nil)
		if errors.Is(err, syncproto.CodeNotFound) {
			continue // nothing of it counts yet
		}
		if err != nil {
			return nil, err
		}
		name := ""
		if i > 0 {
			name = say.partTitle(part)
		}
		for j := range a.Texts {
			text := say.written(a, &a.Texts[j])
			text.Part, text.Label = name, label(part.Kind, a.Texts[j].Path)
			out = append(out, text)
		}
	}
	return out, nil
}

func (s *speaker) written(a *reading.Attribution, t *syncproto.TextAuthors) writtenText {
	var out writtenText
	points := []rune(t.Text)
	for _, span := range t.Spans {
		out.Spans = append(out.Spans, writtenSpan{Text: string(points[span.Start:span.End]), By: s.source(a, span.By)})
	}
	for _, gone := range t.Deleted {
		line := goneSpan{Text: gone.Text, By: s.source(a, gone.By)}
		for _, by := range gone.DeletedBy {
			line.DeletedBy = append(line.DeletedBy, s.source(a, by))
		}
		out.Gone = append(out.Gone, line)
	}
	return out
}

// source says whose a change is: who, when, on which device and how.
func (s *speaker) source(a *reading.Attribution, i int32) string {
	from, received := &a.Sources[i], &a.Received[i]
	how := capture(from.Capture)
	if how == "" {
		how = "typed"
	}
	said := s.person(from.Author) + ", " + s.Moment(from.TimeMS) + ", " + s.device(received.Device) + ", " + how
	if received.ClockWrong {
		said += ". The clock of that device was wrong: received " + s.Moment(received.AtMS)
	}
	return said
}
