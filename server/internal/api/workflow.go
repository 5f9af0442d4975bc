package api

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// Workflow takes a record from capture to final (package finalise); it asks
// access itself. Each step is one change by the caller, whose id it returns. A
// refusal names every open reason (*finalise.Refusal); a record that the caller
// may not know of is CodeNotFound.
type Workflow interface {
	HandOver(context.Context, finalise.Caller, finalise.HandOver) (syncproto.ChangeID, error)
	Confirm(context.Context, finalise.Caller, finalise.Confirm) (syncproto.ChangeID, error)
	Query(context.Context, finalise.Caller, finalise.Query) (syncproto.ChangeID, error)
	Answer(context.Context, finalise.Caller, finalise.Answer) (syncproto.ChangeID, error)
	Decide(context.Context, finalise.Caller, finalise.Decide) (syncproto.ChangeID, error)
	Finalise(context.Context, finalise.Caller, finalise.Finalise) (syncproto.ChangeID, error)
	Addendum(context.Context, finalise.Caller, finalise.Addendum) (syncproto.ChangeID, error)
	Correct(context.Context, finalise.Caller, finalise.Correct) (syncproto.ChangeID, error)
	Edit(context.Context, finalise.Caller, finalise.Edit) (syncproto.ChangeID, error)
	Propose(context.Context, finalise.Caller, finalise.Propose) (syncproto.ChangeID, error)
	Rectify(context.Context, finalise.Caller, finalise.Rectify) (syncproto.ChangeID, error)
	TypeUp(context.Context, finalise.Caller, finalise.TypeUp) (syncproto.RecordID, error)
	Fill(context.Context, finalise.Caller, finalise.Fill) (syncproto.ChangeID, error)
	Enter(context.Context, finalise.Caller, finalise.Enter) (syncproto.ChangeID, error)
	AcceptLate(context.Context, finalise.Caller, finalise.AcceptLate) (syncproto.ChangeID, error)
	Misfile(context.Context, finalise.Caller, finalise.Misfile) (syncproto.RecordID, error)
	Lease(context.Context, finalise.Caller, syncproto.RecordID) (finalise.Lease, error)
	Release(context.Context, finalise.Caller, syncproto.RecordID) error
	// Checklist names what keeps a record from being finalised.
	Checklist(context.Context, finalise.Caller, syncproto.RecordID) ([]finalise.Detail, error)
	// Queue lists what was handed over, oldest first; Final what came late.
	Queue(context.Context, finalise.Caller) ([]finalise.Item, error)
	Final(context.Context, finalise.Caller) ([]finalise.Item, error)
	// Explain fills in what keeps each of these from being finalised.
	Explain(context.Context, finalise.Caller, []finalise.Item) error
}

// HandOverRequest is the body of a hand-over.
type HandOverRequest struct {
	To string `json:"to,omitempty" validate:"omitempty,len=32,hexadecimal,lowercase" doc:"The coordinator; left out: the team's queue."`
}

// ConfirmRequest is the body of a confirmation.
type ConfirmRequest struct {
	Heads  []RecordHeadsJSON `json:"heads" validate:"required,min=1,max=64,dive" doc:"What the author stands by: the heads of the record and of its parts."`
	For    string            `json:"for,omitempty" validate:"omitempty,len=32,hexadecimal,lowercase" doc:"Who has left, and in whose place a manager confirms; left out: the caller confirms their own."`
	Reason string            `json:"reason,omitempty" validate:"maxbytes=65536" doc:"Why they cannot, with for."`
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
	Seen   []string `json:"seen" validate:"required,min=1,max=64,dive,len=64,hexadecimal,lowercase" doc:"The record's heads as the person saw them: the decision is refused if something came since."`
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

// CorrectRequest is the body of a correction.
type CorrectRequest struct {
	Path   PathJSON `json:"path" doc:"The field of the final record."`
	Old    any      `json:"old" doc:"What the final record says; bytes are an object with the one key $bytes, in hex."`
	New    any      `json:"new" doc:"What it should say."`
	Reason string   `json:"reason" validate:"required,maxbytes=65536" doc:"Why."`
}

// AcceptLateRequest is the body that adopts a late change as an addendum.
type AcceptLateRequest struct {
	Change string `json:"change" validate:"required,len=64,hexadecimal,lowercase" doc:"The change that came after the seal."`
	Text   string `json:"text" validate:"maxbytes=65536" doc:"A remark; may be empty."`
}

// LeaseJSON says who prepares a record.
type LeaseJSON struct {
	User    string `json:"user" doc:"Who has it."`
	UntilMS int64  `json:"until_ms" doc:"Until when, Unix milliseconds; ask again before to keep it."`
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
	return done(a.cfg.Workflow.HandOver(c.ctx, c.worker(), finalise.HandOver{Record: syncproto.RecordID(record), To: syncproto.UserID(to)}))
}

func (a *API) confirm(c *call, in *ConfirmRequest) (*Done, error) {
	record, heads, err := c.idAndHeads(in.Heads)
	if err != nil {
		return nil, err
	}
	of, err := optionalID(in.For)
	if err != nil {
		return nil, err
	}
	return done(a.cfg.Workflow.Confirm(c.ctx, c.worker(), finalise.Confirm{Record: record, Heads: heads, For: syncproto.UserID(of), Reason: in.Reason}))
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
	return done(a.cfg.Workflow.Query(c.ctx, c.worker(),
		finalise.Query{Record: syncproto.RecordID(record), Path: path, To: syncproto.UserID(to), Text: in.Text}))
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
	return done(a.cfg.Workflow.Answer(c.ctx, c.worker(),
		finalise.Answer{Record: syncproto.RecordID(record), Query: query, Text: in.Text}))
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
	seen, err := parseHeads(in.Seen)
	if err != nil {
		return nil, err
	}
	return done(a.cfg.Workflow.Decide(c.ctx, c.worker(),
		finalise.Decide{Record: syncproto.RecordID(record), Path: path, Value: value, Reason: in.Reason, Seen: seen}))
}

func (a *API) finalise(c *call, in *FinaliseRequest) (*Done, error) {
	record, heads, err := c.idAndHeads(in.Heads)
	if err != nil {
		return nil, err
	}
	return done(a.cfg.Workflow.Finalise(c.ctx, c.worker(), finalise.Finalise{Record: record, Heads: heads}))
}

func (a *API) addendum(c *call, in *AddendumRequest) (*Done, error) {
	record, err := c.id()
	if err != nil {
		return nil, err
	}
	return done(a.cfg.Workflow.Addendum(c.ctx, c.worker(),
		finalise.Addendum{Record: syncproto.RecordID(record), Text: in.Text, TimeMS: in.HappenedMS, Reason: in.Reason}))
}

func (a *API) correct(c *call, in *CorrectRequest) (*Done, error) {
	record, err := c.id()
	if err != nil {
		return nil, err
	}
	path, err := in.Path.path()
	if err != nil {
		return nil, err
	}
	before, err := valueOf(in.Old)
	if err != nil {
		return nil, err
	}
	after, err := valueOf(in.New)
	if err != nil {
		return nil, err
	}
	return done(a.cfg.Workflow.Correct(c.ctx, c.worker(),
		finalise.Correct{Record: syncproto.RecordID(record), Path: path, Old: before, New: after, Reason: in.Reason}))
}

func (a *API) acceptLate(c *call, in *AcceptLateRequest) (*Done, error) {
	record, err := c.id()
	if err != nil {
		return nil, err
	}
	change, err := syncproto.ParseChangeID(in.Change)
	if err != nil {
		return nil, err
	}
	return done(a.cfg.Workflow.AcceptLate(c.ctx, c.worker(),
		finalise.AcceptLate{Record: syncproto.RecordID(record), Change: change, Text: in.Text}))
}

func (a *API) lease(c *call, _ *none) (*LeaseJSON, error) {
	record, err := c.id()
	if err != nil {
		return nil, err
	}
	l, err := a.cfg.Workflow.Lease(c.ctx, c.worker(), syncproto.RecordID(record))
	if err != nil {
		return nil, err
	}
	return &LeaseJSON{User: l.User.String(), UntilMS: l.Until.UnixMilli()}, nil
}

func (a *API) release(c *call, _ *none) (*none, error) {
	record, err := c.id()
	if err != nil {
		return nil, err
	}
	return nil, a.cfg.Workflow.Release(c.ctx, c.worker(), syncproto.RecordID(record))
}

// worker is the caller as finalise knows people.
func (c *call) worker() finalise.Caller { return finalise.Caller{User: c.caller.User} }

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
		heads, err := parseHeads(item.Heads)
		if err != nil {
			return syncproto.RecordID{}, nil, err
		}
		out = append(out, syncproto.RecordHeads{Record: syncproto.RecordID(id), Heads: heads})
	}
	return syncproto.RecordID(record), out, nil
}

// parseHeads reads heads and sorts them; none are nil.
func parseHeads(list []string) ([]syncproto.ChangeID, error) {
	var out []syncproto.ChangeID
	for _, s := range list {
		id, err := syncproto.ParseChangeID(s)
		if err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	syncproto.SortChangeIDs(out)
	return out, nil
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
