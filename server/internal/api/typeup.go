package api

import (
	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
)

// TypeUpRequest is the body that begins a record at the desk.
type TypeUpRequest struct {
	Kind     string   `json:"kind" validate:"required,max=64" doc:"Of the record; one that somebody confirms."`
	For      string   `json:"for" validate:"required,len=32,hexadecimal,lowercase" doc:"Whose words they are: who confirms it."`
	Source   string   `json:"source" validate:"required,maxbytes=65536" doc:"What it is typed up from, so that it can be found again."`
	Capture  string   `json:"capture" validate:"required,oneof=typed dictated transcribed pen" doc:"How the words were taken. What a machine transcribed is not final before its author has confirmed it."`
	Children []string `json:"children,omitempty" validate:"max=63,dive,len=32,hexadecimal,lowercase" doc:"Of a visit: the persons of the family of whom it has a part each."`
}

// RecordBegun names a record that was begun.
type RecordBegun struct {
	Record string `json:"record" doc:"Its id."`
}

// FillRequest is the body that sets fields of a record that is typed up.
type FillRequest struct {
	Sets []SettingJSON `json:"sets" validate:"required,min=1,max=256,dive" doc:"The fields. What says the same already is left as it is."`
	Seen []string      `json:"seen" validate:"required,min=1,max=64,dive,len=64,hexadecimal,lowercase" doc:"The record's heads as the person saw them."`
}

// SettingJSON is one of them.
type SettingJSON struct {
	Path  PathJSON `json:"path" doc:"The field; of one with a part for each worker, the element is whose."`
	Value any      `json:"value" doc:"What it says; of prose the whole text; bytes are an object with the one key $bytes, in hex."`
}

// EnterRequest is the body that writes entries of a list.
type EnterRequest struct {
	Field   string      `json:"field" validate:"required,max=64" doc:"The list, or the field with a part for each person."`
	Entries []EntryJSON `json:"entries" validate:"required,min=1,max=256,dive" doc:"What is done to it. An entry that says the same already is left as it is."`
	Seen    []string    `json:"seen" validate:"required,min=1,max=64,dive,len=64,hexadecimal,lowercase" doc:"The record's heads as the person saw them."`
}

// EntryJSON is one of them.
type EntryJSON struct {
	Element string `json:"element,omitempty" validate:"omitempty,len=32,hexadecimal,lowercase" doc:"Which; left out: a new one."`
	Value   any    `json:"value,omitempty" doc:"The entry: an object of all its parts. The version that a signature or a copy is for is filled in."`
	Out     string `json:"out,omitempty" validate:"maxbytes=65536" doc:"Why it is taken out; left out: it is not. An entry of a log stays."`
}

func (a *API) typeUp(c *call, in *TypeUpRequest) (*RecordBegun, error) {
	family, err := c.id()
	if err != nil {
		return nil, err
	}
	of, err := syncproto.ParseID(in.For)
	if err != nil {
		return nil, err
	}
	what := finalise.TypeUp{Family: syncproto.FamilyID(family), Kind: in.Kind, For: syncproto.UserID(of), Source: in.Source}
	for what.Capture < syncproto.CapturePen && what.Capture.String() != in.Capture {
		what.Capture++
	}
	for _, child := range in.Children {
		id, err := syncproto.ParseID(child)
		if err != nil {
			return nil, err
		}
		what.Children = append(what.Children, syncproto.RecordID(id))
	}
	record, err := a.cfg.Workflow.TypeUp(c.ctx, c.worker(), what)
	if err != nil {
		return nil, err
	}
	return &RecordBegun{Record: record.String()}, nil
}

func (a *API) fill(c *call, in *FillRequest) (*Done, error) {
	record, err := c.id()
	if err != nil {
		return nil, err
	}
	what := finalise.Fill{Record: syncproto.RecordID(record)}
	for _, set := range in.Sets {
		path, err := set.Path.path()
		if err != nil {
			return nil, err
		}
		value, err := valueOf(set.Value)
		if err != nil {
			return nil, err
		}
		what.Sets = append(what.Sets, finalise.Setting{Path: path, Value: value})
	}
	if what.Seen, err = parseHeads(in.Seen); err != nil {
		return nil, err
	}
	return done(a.cfg.Workflow.Fill(c.ctx, c.worker(), what))
}

func (a *API) enter(c *call, in *EnterRequest) (*Done, error) {
	record, err := c.id()
	if err != nil {
		return nil, err
	}
	what := finalise.Enter{Record: syncproto.RecordID(record), Field: in.Field}
	for _, e := range in.Entries {
		entry, err := e.entry()
		if err != nil {
			return nil, err
		}
		what.Entries = append(what.Entries, entry)
	}
	if what.Seen, err = parseHeads(in.Seen); err != nil {
		return nil, err
	}
	return done(a.cfg.Workflow.Enter(c.ctx, c.worker(), what))
}

func (e *EntryJSON) entry() (out finalise.Entry, err error) {
	out.Out = e.Out
	if e.Element != "" {
		id, err := syncproto.ParseID(e.Element)
		if err != nil {
			return out, err
		}
		out.Element = syncproto.ElementID(id)
	}
	out.Value, err = valueOf(e.Value)
	return out, err
}
