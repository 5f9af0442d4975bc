package api

import (
	"context"
	"encoding/hex"

	"doorstep/server/internal/oversight"
	"doorstep/syncproto"
)

// Oversight shows the audit log; it asks access itself.
type Oversight interface {
	Search(ctx context.Context, user syncproto.UserID, q oversight.Query) (oversight.Page, error)
}

// AuditRequest says which events are wanted. It is a body and no address, because
// addresses end up in the logs of proxies.
type AuditRequest struct {
	Accesses bool   `json:"accesses,omitempty" doc:"Who looked at what; left out: what was done."`
	After    int64  `json:"after,omitempty" validate:"min=0" doc:"The next of the page before."`
	User     string `json:"user,omitempty" validate:"omitempty,len=32,hexadecimal,lowercase" doc:"Of this person alone."`
	Device   string `json:"device,omitempty" validate:"omitempty,len=32,hexadecimal,lowercase" doc:"Of this device alone."`
	Session  string `json:"session,omitempty" validate:"omitempty,len=32,hexadecimal,lowercase" doc:"Of this session alone."`
	Record   string `json:"record,omitempty" validate:"omitempty,len=32,hexadecimal,lowercase" doc:"About this record alone."`
	FromMS   int64  `json:"from_ms,omitempty" validate:"min=0" doc:"Not before, Unix milliseconds."`
	ToMS     int64  `json:"to_ms,omitempty" validate:"min=0" doc:"Before, Unix milliseconds."`
	Prove    bool   `json:"prove,omitempty" doc:"With the proof of each event, by a checkpoint."`
}

// AuditPage is some events of the log.
type AuditPage struct {
	Events     []AuditEvent `json:"events" doc:"In the order of the log; at most 200."`
	Next       int64        `json:"next" doc:"Where the next page begins."`
	More       bool         `json:"more" doc:"There is more to look through, though this page may be empty."`
	Checkpoint string       `json:"checkpoint,omitempty" doc:"A signed note that the proofs lead to."`
}

// AuditEvent is one event. Its leaf says everything; the rest is for people.
type AuditEvent struct {
	Position int64    `json:"position" doc:"Its place in the log, from 1."`
	Type     int64    `json:"type" doc:"What it is about, as SPEC 7.12 numbers it."`
	AtMS     int64    `json:"at_ms" doc:"The server's clock, Unix milliseconds."`
	UntilMS  int64    `json:"until_ms,omitempty" doc:"The last time, if it was gathered."`
	Count    int64    `json:"count,omitempty" doc:"How often, if it was gathered."`
	User     string   `json:"user,omitempty" doc:"Who."`
	Device   string   `json:"device,omitempty" doc:"On which device."`
	Session  string   `json:"session,omitempty" doc:"In which session."`
	Record   string   `json:"record,omitempty" doc:"What stands for the record until its family's keys are destroyed."`
	Code     int64    `json:"code,omitempty" doc:"Number of the reason, if it was refused."`
	Word     string   `json:"word,omitempty" doc:"The route, act or basis."`
	Leaf     string   `json:"leaf" doc:"The leaf, in hex."`
	Proof    []string `json:"proof,omitempty" doc:"Hashes from the leaf up, in hex (RFC 9162 section 2.1.3)."`
}

func (a *API) audit(c *call, in *AuditRequest) (*AuditPage, error) {
	q := oversight.Query{Accesses: in.Accesses, After: uint64(in.After), FromMS: in.FromMS, ToMS: in.ToMS, Prove: in.Prove}
	for _, id := range []struct {
		text string
		into func(syncproto.ID)
	}{
		{in.User, func(id syncproto.ID) { q.User = syncproto.UserID(id) }},
		{in.Device, func(id syncproto.ID) { q.Device = syncproto.DeviceID(id) }},
		{in.Session, func(id syncproto.ID) { q.Session = id }},
		{in.Record, func(id syncproto.ID) { q.Record = syncproto.RecordID(id) }},
	} {
		if id.text == "" {
			continue
		}
		parsed, err := syncproto.ParseID(id.text)
		if err != nil {
			return nil, err
		}
		id.into(parsed)
	}
	c.record = q.Record
	page, err := a.cfg.Oversight.Search(c.ctx, c.caller.User, q)
	if err != nil {
		return nil, err
	}
	out := &AuditPage{Events: make([]AuditEvent, 0, len(page.Events)), Next: int64(page.Next), More: page.More, Checkpoint: string(page.Checkpoint)}
	for i := range page.Events {
		out.Events = append(out.Events, auditJSON(&page.Events[i]))
	}
	return out, nil
}

func auditJSON(e *oversight.Event) AuditEvent {
	out := AuditEvent{Position: int64(e.Position), Type: int64(e.Type), AtMS: e.AtMS, UntilMS: e.UntilMS, Count: int64(e.Count),
		User: someHex(e.User[:]), Device: someHex(e.Device[:]), Session: someHex(e.Session[:]), Record: someHex(e.Record[:]),
		Code: int64(e.Code), Word: e.Word, Leaf: hex.EncodeToString(e.Leaf)}
	for _, h := range e.Proof {
		out.Proof = append(out.Proof, hex.EncodeToString(h[:]))
	}
	return out
}

// someHex writes an id, or nothing for none.
func someHex(id []byte) string {
	for _, c := range id {
		if c != 0 {
			return hex.EncodeToString(id)
		}
	}
	return ""
}
