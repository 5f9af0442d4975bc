package api

import (
	"context"

	"doorstep/server/internal/reading"
	"doorstep/server/internal/wording"
	"doorstep/syncproto"
)

// Records shows a signed-in person what they may read (package reading); it asks
// access itself. A record that the person may not read and one that does not exist are the same
// CodeNotFound after the same work.
type Records interface {
	Families(ctx context.Context, user syncproto.UserID) ([]reading.Family, error)
	FamilyRecords(ctx context.Context, user syncproto.UserID, family syncproto.FamilyID) ([]reading.Record, error)
	Record(ctx context.Context, user syncproto.UserID, record syncproto.RecordID) (*syncproto.View, error)
	// RecordAt and Attribution show a version; heads nil is the newest.
	RecordAt(ctx context.Context, user syncproto.UserID, record syncproto.RecordID, heads []syncproto.ChangeID) (*syncproto.View, error)
	Attribution(ctx context.Context, user syncproto.UserID, record syncproto.RecordID, heads []syncproto.ChangeID) (*reading.Attribution, error)
	History(ctx context.Context, user syncproto.UserID, record syncproto.RecordID) ([]reading.HistoryItem, error)
	// Due and FamilyDue say which children must be seen by when; who may not read all that
	// this follows from is told of no child.
	Due(ctx context.Context, user syncproto.UserID) ([]reading.ChildDue, error)
	FamilyDue(ctx context.Context, user syncproto.UserID, family syncproto.FamilyID) ([]reading.ChildDue, error)
	// Names is what the borough calls things.
	Names() wording.Names
	// Colleagues are those who work with the families that Due tells of.
	Colleagues(user syncproto.UserID) []syncproto.UserID
	Tablets(of []syncproto.UserID) map[syncproto.DeviceID]string
	// Elsewhere are the files in which a person may begin records although their tablets do
	// not carry them, or cannot name them.
	Elsewhere(user syncproto.UserID) []reading.Elsewhere
	// Custody lists what awaits a reviewer or is kept away, without its words.
	Custody(ctx context.Context, user syncproto.UserID) ([]reading.InCustody, error)
	// CustodyWords returns one with its words, to who may review it.
	CustodyWords(ctx context.Context, user syncproto.UserID, id syncproto.ChangeID) (reading.Words, error)
	// Chase lists what is to be chased in the families that the person chases for.
	Chase(ctx context.Context, user syncproto.UserID) ([]reading.Chased, error)
	// Search finds what holds some words among what the person may read, and how many
	// records do in all.
	Search(ctx context.Context, user syncproto.UserID, words string) ([]reading.Hit, int, error)
	// Name is a person's name as colleagues see it; "" for nobody known.
	Name(syncproto.UserID) string
}

// FamilyList lists the families that the caller may read.
type FamilyList struct {
	Families []FamilyJSON `json:"families" doc:"In order of id."`
}

// FamilyJSON is one family.
type FamilyJSON struct {
	Family string   `json:"family" doc:"Its id."`
	Basis  []string `json:"basis" doc:"Why the caller may read it, e.g. LEAD or COORD."`
}

// RecordList lists a family's records.
type RecordList struct {
	Records []RecordJSON `json:"records" doc:"In order of id."`
}

// RecordJSON is one record of a list.
type RecordJSON struct {
	Record string `json:"record" doc:"Its id."`
	Kind   string `json:"kind" doc:"Its kind, e.g. visit."`
	Final  bool   `json:"final" doc:"It was finalised."`
}

// HistoryList is every change of a record in the order of the server's journal.
type HistoryList struct {
	Changes []HistoryJSON     `json:"changes" doc:"In the order in which the server received them."`
	People  map[string]string `json:"people" doc:"Names of the people in it, by id."`
}

// HistoryJSON is one change.
type HistoryJSON struct {
	Change     string   `json:"change" doc:"Its id: SHA-256 over what was signed."`
	Deps       []string `json:"deps" doc:"The changes it was made on top of."`
	Author     string   `json:"author" doc:"Who wrote it."`
	Device     string   `json:"device" doc:"On which device."`
	TimeMS     int64    `json:"time_ms" doc:"By the device's clock, Unix milliseconds: evidence, not order."`
	OffsetMin  int64    `json:"offset_min" doc:"The device's offset from UTC, minutes."`
	ReceivedMS int64    `json:"received_ms" doc:"When the server received it, Unix milliseconds."`
	Position   int64    `json:"position" doc:"Its place in the server's journal."`
	Capture    string   `json:"capture" doc:"typed, dictated, transcribed, pen or imported."`
	Status     string   `json:"status" doc:"accepted, held, quarantined or late, as it was received."`
	Reason     string   `json:"reason,omitempty" doc:"Why it was not simply accepted."`
	Ops        []OpJSON `json:"ops" doc:"What it does, in order."`
}

// OpJSON is one step of a change.
type OpJSON struct {
	Op       string    `json:"op" doc:"set, splice, add, remove, decide, hand-over, confirm, query, answer, finalise, addendum or correct."`
	Path     *PathJSON `json:"path,omitempty" doc:"The field concerned."`
	Value    any       `json:"value,omitempty" doc:"The value set; bytes are written as an object with the one key $bytes, in hex."`
	Reason   string    `json:"reason,omitempty" doc:"Why."`
	Text     string    `json:"text,omitempty" doc:"A question, an answer or an addendum."`
	Inserted int64     `json:"inserted,omitempty" doc:"Splice: code points typed."`
	Deleted  int64     `json:"deleted,omitempty" doc:"Splice: code points removed."`
}

func (a *API) families(c *call, _ *none) (*FamilyList, error) {
	list, err := a.cfg.Records.Families(c.ctx, c.caller.User)
	if err != nil {
		return nil, err
	}
	out := &FamilyList{Families: make([]FamilyJSON, 0, len(list))}
	for _, f := range list {
		out.Families = append(out.Families, FamilyJSON{Family: f.ID.String(), Basis: f.Basis})
	}
	return out, nil
}

func (a *API) familyRecords(c *call, _ *none) (*RecordList, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	list, err := a.cfg.Records.FamilyRecords(c.ctx, c.caller.User, syncproto.FamilyID(id))
	if err != nil {
		return nil, err
	}
	out := &RecordList{Records: make([]RecordJSON, 0, len(list))}
	for _, r := range list {
		out.Records = append(out.Records, RecordJSON{Record: r.ID.String(), Kind: r.Kind, Final: r.Sealed})
	}
	return out, nil
}

func (a *API) record(c *call, _ *none) (*ViewJSON, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	v, err := a.cfg.Records.Record(c.ctx, c.caller.User, syncproto.RecordID(id))
	if err != nil {
		return nil, err
	}
	return a.viewJSON(v), nil
}

func (a *API) history(c *call, _ *none) (*HistoryList, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	list, err := a.cfg.Records.History(c.ctx, c.caller.User, syncproto.RecordID(id))
	if err != nil {
		return nil, err
	}
	p := a.newPeople()
	out := &HistoryList{Changes: make([]HistoryJSON, 0, len(list)), People: p.names}
	for _, h := range list {
		out.Changes = append(out.Changes, p.history(h))
	}
	return out, nil
}

// id reads the id in the path. What is no id names nothing: it is not found,
// like an id that nobody has.
func (c *call) id() (syncproto.ID, error) {
	id, err := syncproto.ParseID(c.param)
	if err != nil {
		return id, syncproto.CodeNotFound
	}
	return id, nil
}
