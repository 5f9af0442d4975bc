package api

import (
	"strings"

	"doorstep/server/internal/reading"
	"doorstep/syncproto"
)

// AttributionJSON says who wrote what of a record's texts, at one version.
type AttributionJSON struct {
	Record  string            `json:"record" doc:"Its id."`
	Heads   []string          `json:"heads" doc:"The version: the changes without a successor in it."`
	Sources []SourceJSON      `json:"sources" doc:"The changes that wrote or deleted words; the texts name them by their index here, from 0."`
	Texts   []TextJSON        `json:"texts" doc:"Every text of the record that somebody wrote, in order of its path."`
	People  map[string]string `json:"people" doc:"Names of the people in it, by id."`
}

// SourceJSON is a change that wrote or deleted words, with the evidence of when.
type SourceJSON struct {
	Change      string `json:"change" doc:"Its id."`
	Author      string `json:"author" doc:"Who wrote it."`
	Device      string `json:"device" doc:"On which device."`
	Actor       string `json:"actor" doc:"Under which actor: the author on one installation."`
	Seq         int64  `json:"seq" doc:"Its place in the actor's chain."`
	Capture     string `json:"capture" doc:"typed, dictated, transcribed, pen or imported."`
	TimeMS      int64  `json:"time_ms" doc:"By the device's clock, Unix milliseconds: evidence, not order."`
	OffsetMin   int64  `json:"offset_min" doc:"The device's offset from UTC, minutes."`
	MonotonicMS int64  `json:"monotonic_ms" doc:"Since the device's session began, by a clock that is never set."`
	ReceivedMS  int64  `json:"received_ms" doc:"When the server received it, Unix milliseconds."`
	ClockWrong  bool   `json:"clock_wrong" doc:"The device's clock was more than a day off when it was received."`
}

// TextJSON is one text with who wrote it.
type TextJSON struct {
	Path    PathJSON      `json:"path" doc:"Where it is."`
	Text    string        `json:"text" doc:"The words at that version."`
	Spans   []SpanJSON    `json:"spans" doc:"All of the words, in their order; neighbours are by different changes."`
	Deleted []DeletedJSON `json:"deleted" doc:"What was written and is gone, in text order."`
}

// SpanJSON is a stretch of a text that one change wrote.
type SpanJSON struct {
	Start int64 `json:"start" doc:"Its first code point, from 0."`
	End   int64 `json:"end" doc:"The code point after its last."`
	By    int64 `json:"by" doc:"Index of the change that wrote it."`
}

// DeletedJSON is a stretch that one change wrote and others deleted.
type DeletedJSON struct {
	At        int64   `json:"at" doc:"The code point of the text before which it stood."`
	Text      string  `json:"text" doc:"The words."`
	By        int64   `json:"by" doc:"Index of the change that wrote it."`
	DeletedBy []int64 `json:"deleted_by" doc:"Indexes of the changes that deleted it; several, if people did so apart."`
}

func (a *API) recordAt(c *call, _ *none) (*ViewJSON, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	heads, err := c.version()
	if err != nil {
		return nil, err
	}
	v, err := a.cfg.Records.RecordAt(c.ctx, c.caller.User, syncproto.RecordID(id), heads)
	if err != nil {
		return nil, err
	}
	return a.viewJSON(v), nil
}

func (a *API) attribution(c *call, _ *none) (*AttributionJSON, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	var heads []syncproto.ChangeID
	if c.heads != "" {
		if heads, err = c.version(); err != nil {
			return nil, err
		}
	}
	of, err := a.cfg.Records.Attribution(c.ctx, c.caller.User, syncproto.RecordID(id), heads)
	if err != nil {
		return nil, err
	}
	return a.attributionJSON(of), nil
}

// version reads the heads in the path. What names no change is not found.
func (c *call) version() ([]syncproto.ChangeID, error) {
	var heads []syncproto.ChangeID
	for name := range strings.SplitSeq(c.heads, "-") {
		id, err := syncproto.ParseChangeID(name)
		if err != nil || len(heads) == syncproto.MaxDeps {
			return nil, syncproto.CodeNotFound
		}
		heads = append(heads, id)
	}
	return heads, nil
}

func (a *API) attributionJSON(of *reading.Attribution) *AttributionJSON {
	p := a.newPeople()
	out := &AttributionJSON{Record: of.Record.String(), Heads: changeIDs(of.Heads),
		Sources: make([]SourceJSON, 0, len(of.Sources)), Texts: make([]TextJSON, 0, len(of.Texts)), People: p.names}
	for i, s := range of.Sources {
		r := of.Received[i]
		out.Sources = append(out.Sources, SourceJSON{
			Change: s.Change.String(), Author: p.id(s.Author), Device: r.Device.String(), Actor: s.Actor.String(),
			Seq: int64(s.Seq), Capture: s.Capture.String(), TimeMS: s.TimeMS, OffsetMin: s.OffsetMin,
			MonotonicMS: int64(s.MonotonicMS), ReceivedMS: r.AtMS, ClockWrong: r.ClockWrong,
		})
	}
	for i := range of.Texts {
		out.Texts = append(out.Texts, textJSON(&of.Texts[i]))
	}
	return out
}

func textJSON(t *syncproto.TextAuthors) TextJSON {
	j := TextJSON{Path: pathJSON(t.Path), Text: t.Text,
		Spans: make([]SpanJSON, 0, len(t.Spans)), Deleted: make([]DeletedJSON, 0, len(t.Deleted))}
	for _, s := range t.Spans {
		j.Spans = append(j.Spans, SpanJSON{Start: int64(s.Start), End: int64(s.End), By: int64(s.By)})
	}
	for _, d := range t.Deleted {
		by := make([]int64, 0, len(d.DeletedBy))
		for _, i := range d.DeletedBy {
			by = append(by, int64(i))
		}
		j.Deleted = append(j.Deleted, DeletedJSON{At: int64(d.At), Text: d.Text, By: int64(d.By), DeletedBy: by})
	}
	return j
}
