package api

import (
	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// EditRequest is the body of an edit at the desk.
type EditRequest struct {
	Path  PathJSON `json:"path" doc:"The field."`
	Value any      `json:"value" doc:"What it says from now on; of prose the whole new text; bytes are an object with the one key $bytes, in hex."`
	Seen  []string `json:"seen" validate:"required,min=1,max=64,dive,len=64,hexadecimal,lowercase" doc:"The record's heads as the person saw them. What came since is met by the field's merge rule."`
}

// ProposeRequest is the body of a proposal to an author.
type ProposeRequest struct {
	Path   PathJSON `json:"path" doc:"The field."`
	Value  any      `json:"value" doc:"What it should say."`
	Words  string   `json:"words" validate:"required,maxbytes=65536" doc:"The value as the author reads it."`
	Reason string   `json:"reason" validate:"required,maxbytes=65536" doc:"Why."`
	To     string   `json:"to" validate:"required,len=32,hexadecimal,lowercase" doc:"The author who is asked."`
}

// RectifyRequest is the body of a challenge of what a final record says of somebody.
type RectifyRequest struct {
	Who    string `json:"who" validate:"required,maxbytes=4096" doc:"Who challenges it."`
	Says   string `json:"says" validate:"required,maxbytes=65536" doc:"Their words."`
	Upheld bool   `json:"upheld,omitempty" doc:"They are right, and a correction says what it should say; left out: their statement stays with the record."`
}

func (a *API) edit(c *call, in *EditRequest) (*Done, error) {
	record, path, value, err := c.valueAt(in.Path, in.Value)
	if err != nil {
		return nil, err
	}
	seen, err := parseHeads(in.Seen)
	if err != nil {
		return nil, err
	}
	return done(a.cfg.Workflow.Edit(c.ctx, c.worker(), finalise.Edit{Record: record, Path: path, Value: value, Seen: seen}))
}

func (a *API) propose(c *call, in *ProposeRequest) (*Done, error) {
	record, path, value, err := c.valueAt(in.Path, in.Value)
	if err != nil {
		return nil, err
	}
	to, err := syncproto.ParseID(in.To)
	if err != nil {
		return nil, err
	}
	return done(a.cfg.Workflow.Propose(c.ctx, c.worker(),
		finalise.Propose{Record: record, Path: path, Value: value, Words: in.Words, Reason: in.Reason, To: syncproto.UserID(to)}))
}

func (a *API) rectify(c *call, in *RectifyRequest) (*Done, error) {
	record, err := c.id()
	if err != nil {
		return nil, err
	}
	return done(a.cfg.Workflow.Rectify(c.ctx, c.worker(),
		finalise.Rectify{Record: syncproto.RecordID(record), Who: in.Who, Says: in.Says, Upheld: in.Upheld}))
}

// valueAt reads the record in the path of the address, and a value with its place in it.
func (c *call) valueAt(at PathJSON, v any) (record syncproto.RecordID, path syncproto.Path, value cbor.Value, err error) {
	id, err := c.id()
	if err == nil {
		path, err = at.path()
	}
	if err == nil {
		value, err = valueOf(v)
	}
	return syncproto.RecordID(id), path, value, err
}
