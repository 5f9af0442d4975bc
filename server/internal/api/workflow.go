package api

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"doorstep/server/internal/auth"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// Workflow takes a record from capture to final; it asks access itself. Each
// step is one change by the caller, whose id it returns. A refusal names every
// open reason (Detailed); a record that the caller may not know of is
// CodeNotFound.
type Workflow interface {
	HandOver(context.Context, auth.Caller, HandOver) (syncproto.ChangeID, error)
	Confirm(context.Context, auth.Caller, Confirm) (syncproto.ChangeID, error)
	Query(context.Context, auth.Caller, Query) (syncproto.ChangeID, error)
	Answer(context.Context, auth.Caller, Answer) (syncproto.ChangeID, error)
	Decide(context.Context, auth.Caller, Decide) (syncproto.ChangeID, error)
	Finalise(context.Context, auth.Caller, Finalise) (syncproto.ChangeID, error)
	Addendum(context.Context, auth.Caller, Addendum) (syncproto.ChangeID, error)
	// Queue lists what has been handed over to the caller's teams, oldest first.
	Queue(context.Context, auth.Caller) ([]QueueItem, error)
}

// HandOver gives a record to a coordinator; To zero: to the team's queue.
type HandOver struct {
	Record syncproto.RecordID
	To     syncproto.UserID
}

// Confirm is the author's word that the named heads are right.
type Confirm struct {
	Record syncproto.RecordID
	Heads  []syncproto.RecordHeads
}

// Query asks an author about a record.
type Query struct {
	Record syncproto.RecordID
	Path   syncproto.Path
	To     syncproto.UserID
	Text   string
}

// Answer answers a query.
type Answer struct {
	Record syncproto.RecordID
	Query  syncproto.ChangeID
	Text   string
}

// Decide settles a conflict: the value that counts, and why.
type Decide struct {
	Record syncproto.RecordID
	Path   syncproto.Path
	Value  cbor.Value
	Reason string
}

// Finalise seals the named heads.
type Finalise struct {
	Record syncproto.RecordID
	Heads  []syncproto.RecordHeads
}

// Addendum adds to a final record.
type Addendum struct {
	Record syncproto.RecordID
	Text   string
	TimeMS int64
	Reason string
}

// QueueItem is one record that waits for a coordinator, and what is open on it.
type QueueItem struct {
	Record       syncproto.RecordID
	Family       syncproto.FamilyID
	Kind         string
	HandedOverBy syncproto.UserID
	HandedOverMS int64
	Conflicts    int
	OpenQueries  int
	Confirmed    bool
}

// HandOverRequest is the body of a hand-over.
type HandOverRequest struct {
	To string `json:"to,omitempty" validate:"omitempty,len=32,hexadecimal,lowercase" doc:"The coordinator; left out: the team's queue."`
}

// ConfirmRequest is the body of a confirmation.
type ConfirmRequest struct {
	Heads []RecordHeadsJSON `json:"heads" validate:"required,min=1,max=64,dive" doc:"What the author stands by: the heads of the record and of its parts."`
}

// QueryRequest is the body of a query.
type QueryRequest struct {
	Path *PathJSON `json:"path,omitempty" doc:"What it asks about; left out: the record."`
	To   string    `json:"to" validate:"required,len=32,hexadecimal,lowercase" doc:"Whom it asks."`
	Text string    `json:"text" validate:"required,maxbytes=65536" doc:"The question."`
}

// AnswerRequest is the body of an answer.
type AnswerRequest struct {
	Query string `json:"query" validate:"required,len=64,hexadecimal,lowercase" doc:"The query that it answers."`
	Text  string `json:"text" validate:"required,maxbytes=65536" doc:"The answer."`
}

// DecideRequest is the body of a decision.
type DecideRequest struct {
	Path   PathJSON `json:"path" doc:"The conflict decided."`
	Value  any      `json:"value" doc:"The value that counts from now on; bytes are an object with the one key $bytes, in hex."`
	Reason string   `json:"reason" validate:"required,maxbytes=65536" doc:"Why."`
}

// FinaliseRequest is the body of a finalisation.
type FinaliseRequest struct {
	Heads []RecordHeadsJSON `json:"heads" validate:"required,min=1,max=64,dive" doc:"Exactly what is sealed: the heads of the record and of every part of it."`
}

// AddendumRequest is the body of an addendum.
type AddendumRequest struct {
	Text       string `json:"text" validate:"required,maxbytes=65536" doc:"What is added."`
	HappenedMS int64  `json:"happened_ms" doc:"When it happened, Unix milliseconds; 0: not said."`
	Reason     string `json:"reason" validate:"required,maxbytes=65536" doc:"Why it is late."`
}

// Done names the change that a step was written as.
type Done struct {
	Change string `json:"change" doc:"The change's id."`
}

// QueueList is what waits for a coordinator.
type QueueList struct {
	Records []QueueJSON       `json:"records" doc:"The one handed over first first."`
	People  map[string]string `json:"people" doc:"Names of the people in it, by id."`
}

// QueueJSON is one record that waits.
type QueueJSON struct {
	Record       string `json:"record" doc:"Its id."`
	Family       string `json:"family" doc:"The family it belongs to."`
	Kind         string `json:"kind" doc:"Its kind, e.g. visit."`
	HandedOverBy string `json:"handed_over_by" doc:"Who handed it over."`
	HandedOverMS int64  `json:"handed_over_ms" doc:"When, by the device's clock, Unix milliseconds."`
	Conflicts    int64  `json:"conflicts" doc:"Open conflicts, its parts' among them."`
	OpenQueries  int64  `json:"open_queries" doc:"Open queries, its parts' among them."`
	Confirmed    bool   `json:"confirmed" doc:"The author's confirmation stands."`
}

func (a *API) handOver(c *call, in *HandOverRequest) (*Done, error) {
	record, err := c.id()
	if err != nil {
		return nil, err
	}
	to, err := optionalID(in.To)
	if err != nil {
		return nil, err
	}
	return done(a.cfg.Workflow.HandOver(c.ctx, c.caller, HandOver{syncproto.RecordID(record), syncproto.UserID(to)}))
}

func (a *API) confirm(c *call, in *ConfirmRequest) (*Done, error) {
	record, heads, err := c.idAndHeads(in.Heads)
	if err != nil {
		return nil, err
	}
	return done(a.cfg.Workflow.Confirm(c.ctx, c.caller, Confirm{record, heads}))
}

func (a *API) query(c *call, in *QueryRequest) (*Done, error) {
	record, err := c.id()
	if err != nil {
		return nil, err
	}
	path, err := in.Path.path()
	if err != nil {
		return nil, err
	}
	to, err := syncproto.ParseID(in.To)
	if err != nil {
		return nil, err
	}
	return done(a.cfg.Workflow.Query(c.ctx, c.caller, Query{syncproto.RecordID(record), path, syncproto.UserID(to), in.Text}))
}

func (a *API) answer(c *call, in *AnswerRequest) (*Done, error) {
	record, err := c.id()
	if err != nil {
		return nil, err
	}
	query, err := syncproto.ParseChangeID(in.Query)
	if err != nil {
		return nil, err
	}
	return done(a.cfg.Workflow.Answer(c.ctx, c.caller, Answer{syncproto.RecordID(record), query, in.Text}))
}

func (a *API) decide(c *call, in *DecideRequest) (*Done, error) {
	record, err := c.id()
	if err != nil {
		return nil, err
	}
	path, err := in.Path.path()
	if err != nil {
		return nil, err
	}
	value, err := valueOf(in.Value)
	if err != nil {
		return nil, err
	}
	return done(a.cfg.Workflow.Decide(c.ctx, c.caller, Decide{syncproto.RecordID(record), path, value, in.Reason}))
}

func (a *API) finalise(c *call, in *FinaliseRequest) (*Done, error) {
	record, heads, err := c.idAndHeads(in.Heads)
	if err != nil {
		return nil, err
	}
	return done(a.cfg.Workflow.Finalise(c.ctx, c.caller, Finalise{record, heads}))
}

func (a *API) addendum(c *call, in *AddendumRequest) (*Done, error) {
	record, err := c.id()
	if err != nil {
		return nil, err
	}
	return done(a.cfg.Workflow.Addendum(c.ctx, c.caller,
		Addendum{syncproto.RecordID(record), in.Text, in.HappenedMS, in.Reason}))
}

func (a *API) queue(c *call, _ *none) (*QueueList, error) {
	list, err := a.cfg.Workflow.Queue(c.ctx, c.caller)
	if err != nil {
		return nil, err
	}
	p := a.newPeople()
	out := &QueueList{Records: make([]QueueJSON, 0, len(list)), People: p.names}
	for _, q := range list {
		out.Records = append(out.Records, QueueJSON{Record: q.Record.String(), Family: q.Family.String(), Kind: q.Kind,
			HandedOverBy: p.id(q.HandedOverBy), HandedOverMS: q.HandedOverMS, Conflicts: int64(q.Conflicts),
			OpenQueries: int64(q.OpenQueries), Confirmed: q.Confirmed})
	}
	return out, nil
}

func done(id syncproto.ChangeID, err error) (*Done, error) {
	if err != nil {
		return nil, err
	}
	return &Done{Change: id.String()}, nil
}

func optionalID(s string) (syncproto.ID, error) {
	if s == "" {
		return syncproto.ID{}, nil
	}
	return syncproto.ParseID(s)
}

// idAndHeads reads the record in the path and the heads in the body.
func (c *call) idAndHeads(list []RecordHeadsJSON) (syncproto.RecordID, []syncproto.RecordHeads, error) {
	record, err := c.id()
	if err != nil {
		return syncproto.RecordID{}, nil, err
	}
	out := make([]syncproto.RecordHeads, 0, len(list))
	for _, item := range list {
		id, err := syncproto.ParseID(item.Record)
		if err != nil {
			return syncproto.RecordID{}, nil, err
		}
		h := syncproto.RecordHeads{Record: syncproto.RecordID(id)}
		for _, s := range item.Heads {
			head, err := syncproto.ParseChangeID(s)
			if err != nil {
				return syncproto.RecordID{}, nil, err
			}
			h.Heads = append(h.Heads, head)
		}
		syncproto.SortChangeIDs(h.Heads)
		out = append(out, h)
	}
	return syncproto.RecordID(record), out, nil
}

// path reads a path; nil is the record itself.
func (p *PathJSON) path() (syncproto.Path, error) {
	if p == nil {
		return syncproto.Path{}, nil
	}
	element, err := optionalID(p.Element)
	return syncproto.Path{Field: p.Field, Element: syncproto.ElementID(element), Sub: p.Sub}, err
}

// valueOf reads a value that decodeJSON left as any; it undoes valueJSON.
func valueOf(v any) (cbor.Value, error) {
	switch v := v.(type) {
	case nil:
		return cbor.Null(), nil
	case bool:
		return cbor.Bool(v), nil
	case string:
		return cbor.Text(v), nil
	case json.Number:
		i, err := strconv.ParseInt(v.String(), 10, 64)
		if err != nil {
			return cbor.Value{}, syncproto.CodeBadNumber
		}
		return cbor.Int(i), nil
	case []any:
		list := make([]cbor.Value, 0, len(v))
		for _, item := range v {
			value, err := valueOf(item)
			if err != nil {
				return cbor.Value{}, err
			}
			list = append(list, value)
		}
		return cbor.List(list...), nil
	case map[string]any:
		return mapOf(v)
	}
	return cbor.Value{}, syncproto.CodeBadValue
}

func mapOf(m map[string]any) (cbor.Value, error) {
	if s, ok := m[bytesKey].(string); ok && len(m) == 1 {
		b, err := hex.DecodeString(s)
		if err != nil {
			return cbor.Value{}, syncproto.CodeBadValue
		}
		return cbor.Bytes(b), nil
	}
	pairs := make([]cbor.Pair, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		value, err := valueOf(m[key])
		if err != nil {
			return cbor.Value{}, err
		}
		pairs = append(pairs, cbor.Pair{Key: key, Value: value})
	}
	return cbor.Map(pairs...), nil
}
