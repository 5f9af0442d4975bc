package api

import (
	"doorstep/syncproto"
)

// ViewJSON is a record as a person reads it online: every value with who wrote
// it, every disagreement with its sides, the way to final, and what came after.
type ViewJSON struct {
	Record        string            `json:"record" doc:"Its id."`
	Family        string            `json:"family" doc:"The family it belongs to."`
	Kind          string            `json:"kind" doc:"Its kind, e.g. visit."`
	SchemaVersion int64             `json:"schema_version" doc:"The newest version that any change was written under."`
	Heads         []string          `json:"heads" doc:"The changes without a successor: what confirm and finalise name."`
	Fields        []FieldJSON       `json:"fields" doc:"In order of name."`
	Conflicts     []ConflictJSON    `json:"conflicts" doc:"Open disagreements that a person must decide."`
	Overlaps      []OverlapJSON     `json:"overlaps" doc:"Text that people edited apart and nobody entitled has read since; a decision on the path, or a confirmation, says that it was read."`
	Workflow      WorkflowJSON      `json:"workflow" doc:"Where it stands between capture and final."`
	Seal          *SealJSON         `json:"seal,omitempty" doc:"The final version, once there is one."`
	Addenda       []AddendumJSON    `json:"addenda" doc:"What was added after the seal."`
	Roots         []string          `json:"roots" doc:"First changes; more than one: the record was begun twice."`
	Held          []string          `json:"held" doc:"Stored and not shown: written by a newer app."`
	NoOps         int64             `json:"no_ops" doc:"Steps that met nothing to act on."`
	People        map[string]string `json:"people" doc:"Names of the people in it, by id."`
}

// FieldJSON is one field's state. Which part is used depends on its merge rule.
type FieldJSON struct {
	Field string        `json:"field" doc:"Its name."`
	Set   bool          `json:"set" doc:"Somebody wrote it."`
	Value any           `json:"value,omitempty" doc:"The value in force; bytes are an object with the one key $bytes, in hex."`
	Text  string        `json:"text,omitempty" doc:"Prose."`
	By    *OriginJSON   `json:"by,omitempty" doc:"Who wrote the value in force."`
	Slots []SlotJSON    `json:"slots,omitempty" doc:"One part per person."`
	Items []ElementJSON `json:"items,omitempty" doc:"Members of a collection."`
}

// OriginJSON says who wrote something, when and how.
type OriginJSON struct {
	Change  string `json:"change" doc:"The change it came with."`
	Author  string `json:"author" doc:"Who wrote it."`
	TimeMS  int64  `json:"time_ms" doc:"By the device's clock, Unix milliseconds."`
	Capture string `json:"capture" doc:"typed, dictated, transcribed, pen or imported."`
}

// SlotJSON is one person's part of a field.
type SlotJSON struct {
	Slot  string     `json:"slot" doc:"Whose part it is."`
	Value any        `json:"value,omitempty" doc:"What it holds."`
	Text  string     `json:"text,omitempty" doc:"Prose."`
	By    OriginJSON `json:"by" doc:"Who wrote it."`
}

// ElementJSON is one member of a collection.
type ElementJSON struct {
	Element string       `json:"element" doc:"Its id."`
	By      OriginJSON   `json:"by" doc:"Who added it."`
	Fields  []FieldJSON  `json:"fields" doc:"Its parts."`
	InForce bool         `json:"in_force" doc:"It counts; false: removed for good."`
	Flagged bool         `json:"flagged" doc:"One person removed it while another edited it."`
	Removed *RemovalJSON `json:"removed,omitempty" doc:"A removal that was written."`
}

// RemovalJSON is a reasoned removal.
type RemovalJSON struct {
	By        OriginJSON `json:"by" doc:"Who removed it."`
	Reason    string     `json:"reason" doc:"Why."`
	Confirmed bool       `json:"confirmed" doc:"A decision confirmed it."`
}

// PathJSON leads to a field, to an element or slot of it, or to a part of that.
type PathJSON struct {
	Field   string `json:"field" validate:"required,maxbytes=64" doc:"The field."`
	Element string `json:"element,omitempty" validate:"omitempty,len=32,hexadecimal,lowercase" doc:"The element or slot."`
	Sub     string `json:"sub,omitempty" validate:"maxbytes=64" doc:"A part of the element."`
}

// ConflictJSON is a disagreement that a person must decide.
type ConflictJSON struct {
	Path    PathJSON   `json:"path" doc:"Where."`
	Rule    string     `json:"rule" doc:"The field's merge rule."`
	Sides   []SideJSON `json:"sides" doc:"Two or more."`
	Base    any        `json:"base" doc:"The last value before they parted; null: none."`
	InForce any        `json:"in_force" doc:"What counts meanwhile; null: nothing."`
}

// SideJSON is one side of a conflict.
type SideJSON struct {
	Value any        `json:"value" doc:"What this side says."`
	By    OriginJSON `json:"by" doc:"Who says it."`
}

// OverlapJSON is a text that people edited apart where it matters.
type OverlapJSON struct {
	Path  PathJSON          `json:"path" doc:"Where."`
	Spans []OverlapSpanJSON `json:"spans" doc:"The sentences in question, in text order."`
}

// OverlapSpanJSON is a sentence that several people's changes touch.
type OverlapSpanJSON struct {
	Start   int64    `json:"start" doc:"Its first code point, from 0."`
	End     int64    `json:"end" doc:"The code point after its last; equal to start if nothing of it is left."`
	Changes []string `json:"changes" doc:"The changes that touch it."`
	Authors []string `json:"authors" doc:"Who wrote them."`
}

// WorkflowJSON is where a record stands between capture and final.
type WorkflowJSON struct {
	HandedOver *OriginJSON        `json:"handed_over,omitempty" doc:"Who handed it over."`
	Confirmed  []ConfirmationJSON `json:"confirmed" doc:"Confirmations, the oldest first."`
	Queries    []QueryJSON        `json:"queries" doc:"Questions, the oldest first."`
	TypedUp    []TypedUpJSON      `json:"typed_up,omitempty" doc:"Whose words were typed up in it for them."`
}

// TypedUpJSON says that somebody typed up another's words.
type TypedUpJSON struct {
	By     OriginJSON `json:"by" doc:"Who typed them up, and how they were taken."`
	For    string     `json:"for" doc:"Whose words they are."`
	Source string     `json:"source" doc:"What they were typed up from."`
}

// ConfirmationJSON is an author's word that named heads are right.
type ConfirmationJSON struct {
	By     OriginJSON `json:"by" doc:"Who confirmed."`
	Heads  []string   `json:"heads" doc:"What was confirmed."`
	Stands bool       `json:"stands" doc:"Nothing but administrative fields changed since."`
	For    string     `json:"for,omitempty" doc:"In whose place; left out: their own word."`
	Reason string     `json:"reason,omitempty" doc:"Why that person could not."`
}

// QueryJSON is a coordinator's question, open until answered.
type QueryJSON struct {
	Query      string      `json:"query" doc:"Its id, which the answer names."`
	Path       *PathJSON   `json:"path,omitempty" doc:"What it asks about; left out: the record."`
	To         string      `json:"to,omitempty" doc:"Whom it asks."`
	By         OriginJSON  `json:"by" doc:"Who asks."`
	Question   string      `json:"question" doc:"The question."`
	Answer     string      `json:"answer,omitempty" doc:"The answer."`
	AnsweredBy *OriginJSON `json:"answered_by,omitempty" doc:"Who answered; left out: open."`
}

// SealJSON is the final version.
type SealJSON struct {
	Position int64             `json:"position" doc:"Its place in the server's journal."`
	By       string            `json:"by" doc:"Who finalised."`
	AtMS     int64             `json:"at_ms" doc:"Server time, Unix milliseconds."`
	Heads    []string          `json:"heads" doc:"What was sealed."`
	Hash     string            `json:"hash" doc:"SHA-256 of the sealed content."`
	Group    []RecordHeadsJSON `json:"group" doc:"Every record that was sealed together."`
}

// RecordHeadsJSON names a version of a record.
type RecordHeadsJSON struct {
	Record string   `json:"record" validate:"required,len=32,hexadecimal,lowercase" doc:"The record."`
	Heads  []string `json:"heads" validate:"required,min=1,max=64,dive,len=64,hexadecimal,lowercase" doc:"Its heads."`
}

// AddendumJSON is what was added after the seal.
type AddendumJSON struct {
	By     OriginJSON `json:"by" doc:"Who added it."`
	Text   string     `json:"text,omitempty" doc:"What is added."`
	TimeMS int64      `json:"time_ms,omitempty" doc:"When it happened, Unix milliseconds."`
	Reason string     `json:"reason,omitempty" doc:"Why it is late."`
	Late   bool       `json:"late" doc:"An edit that arrived after the seal, kept as proposed."`
	Ops    []OpJSON   `json:"ops" doc:"The steps of a late edit."`
}

// viewJSON turns a view into what a person's screen needs.
func (a *API) viewJSON(v *syncproto.View) *ViewJSON {
	p := a.newPeople()
	return &ViewJSON{
		Record: v.Record.String(), Family: v.Family.String(), Kind: v.Kind, SchemaVersion: int64(v.SchemaVersion),
		Heads: changeIDs(v.Heads), Fields: p.fields(v.Fields), Conflicts: p.conflicts(v.Conflicts),
		Overlaps: p.overlaps(v.Overlaps), Workflow: p.workflow(v.Workflow), Seal: p.seal(v.Seal),
		Addenda: p.addenda(v.Addenda), Roots: changeIDs(v.Roots), Held: changeIDs(v.Held),
		NoOps: int64(v.NoOps), People: p.names,
	}
}
