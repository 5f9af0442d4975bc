package delivery

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"doorstep/server/internal/finalise"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// Format names what a bundle looks like.
const Format = "doorstep-record-v1"

// Bundle is one version of one final record as it goes out. The README beside the example
// in deploy/case-management describes it for the other side.
type Bundle struct {
	Format     string   `json:"format"`
	ID         string   `json:"id"`                   // of this version: the same id is the same version
	Borough    string   `json:"borough"`              // whose record it is
	Record     string   `json:"record"`               // of all its versions
	Version    int      `json:"version"`              // from 1
	Supersedes string   `json:"supersedes,omitempty"` // id of the version before
	Change     string   `json:"change"`               // what made this version
	At         string   `json:"at"`                   // when it came to be, RFC 3339
	Restricted bool     `json:"restricted,omitempty"` // the family's file is restricted
	MovedFrom  string   `json:"moved_from,omitempty"` // the record of another family that it was before, by mistake
	Erased     *Erased  `json:"erased,omitempty"`     // in place of all that follows; of "misfiled" nothing is
	Content    *Content `json:"content,omitempty"`
	Page       string   `json:"page,omitempty"` // the same to read, HTML without script or anything from elsewhere
}

// Erased says that a record is gone for good.
type Erased struct {
	Basis string `json:"basis"` // legal basis
}

// Content is what a record says.
type Content struct {
	Kind      string       `json:"kind"`
	KindName  string       `json:"kind_name"`
	Title     string       `json:"title"`
	Family    File         `json:"family"`
	Child     *File        `json:"child,omitempty"`   // whose own file it belongs on; left out: the family's
	PartOf    string       `json:"part_of,omitempty"` // the record that this one is a part of
	Parts     []string     `json:"parts,omitempty"`   // records that were made final with it
	Hash      string       `json:"hash"`              // SHA-256 of the sealed version, as the server's own journal has it
	Finalised Signed       `json:"finalised"`
	Confirmed []Signed     `json:"confirmed"` // by those whose word it is
	Fields    []Field      `json:"fields"`    // as sealed, in the order of the form
	After     []Afterwards `json:"after"`     // what was added since, the oldest first; the fields stay as they were
}

// File is a person or a family whose file something belongs on, with the names that the
// case-management system knows them by.
type File struct {
	Record    string `json:"record"`
	Name      string `json:"name,omitempty"`
	Reference string `json:"reference,omitempty"` // of a family
	LAChildID string `json:"la_child_id,omitempty"`
	UPN       string `json:"upn,omitempty"`
	NHSNumber string `json:"nhs_no,omitempty"`
	Born      string `json:"dob,omitempty"`
}

// Signed is somebody's word at a time.
type Signed struct {
	Who Person `json:"who"`
	At  string `json:"at"`
}

// Person is somebody of the borough.
type Person struct {
	ID    string `json:"id"`
	Login string `json:"login,omitempty"`
	Name  string `json:"name,omitempty"`
}

// Field is one field with what it says: one value, one for each person, or one for each
// entry of a list.
type Field struct {
	ID      string `json:"id"`
	Label   string `json:"label"`
	Section string `json:"section,omitempty"`
	Said    []Said `json:"said"`
}

// Said is one value or entry.
type Said struct {
	Value   any     `json:"value,omitempty"` // as code, number, id or text; of an entry, by its parts
	Words   string  `json:"words"`           // for people
	Who     *Person `json:"who,omitempty"`   // who wrote it
	At      string  `json:"at,omitempty"`    // by the clock of their device
	Capture string  `json:"capture,omitempty"`
	Removed string  `json:"removed,omitempty"` // the reason for which an entry was taken out
}

// Afterwards is what was added to a final record.
type Afterwards struct {
	Change   string  `json:"change"`
	Received string  `json:"received"`
	Who      Person  `json:"who"`
	Text     string  `json:"text,omitempty"`
	Happened string  `json:"happened,omitempty"` // when what it tells of happened
	Reason   string  `json:"reason,omitempty"`
	Field    string  `json:"field,omitempty"` // of a correction
	Label    string  `json:"label,omitempty"`
	Old      *Said   `json:"old,omitempty"`
	New      *Said   `json:"new,omitempty"`
	Wrote    []Field `json:"wrote,omitempty"`  // of a late entry: what it sets
	Upheld   *bool   `json:"upheld,omitempty"` // of a rectification
}

// parcel makes the bundle of a version.
func (s *Service) parcel(o Owed) (Parcel, error) {
	b := Bundle{Format: Format, ID: o.ID(), Borough: s.cfg.Borough, Record: o.Record.String(), Version: o.Version, Change: o.Change, At: instant(o.SinceMS)}
	if o.Version > 1 {
		b.Supersedes = bundleID(o.Record, o.Version-1)
	}
	p := Parcel{ID: b.ID}
	switch o.Change {
	case ChangeErased:
		b.Erased = &Erased{Basis: o.Basis}
	case ChangeMisfiled: // nothing is left to say: not even where it went
	default:
		if from, moved := s.cfg.Store.State().MovedFrom(o.Record); moved {
			b.MovedFrom = from.Record.String()
		}
		if err := s.fill(&b, o); err != nil {
			return Parcel{}, fmt.Errorf("making bundle %s: %w", b.ID, err)
		}
	}
	var err error
	if b.Content != nil {
		if p.Page, err = pageOf(&b, s.cfg.Zone); err != nil {
			return Parcel{}, fmt.Errorf("making the page of bundle %s: %w", b.ID, err)
		}
		b.Page = string(p.Page)
	}
	if p.Bundle, err = b.encode(); err != nil {
		return Parcel{}, fmt.Errorf("writing bundle %s: %w", b.ID, err)
	}
	p.Signature, err = sign(p.Bundle, s.cfg.Signer)
	return p, err
}

func (b *Bundle) encode() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(b)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// fill puts in what the record said at a version.
func (s *Service) fill(b *Bundle, o Owed) error {
	sealed, err := s.cfg.Final.FinalVersion(o.Record)
	if err != nil {
		return err
	}
	v, err := s.cfg.Store.View(o.Record)
	if err != nil {
		return err
	}
	kind, ok := schema.Newest(v.Kind)
	if !ok || v.Seal == nil {
		return syncproto.CodeNotFound
	}
	w := s.writer()
	after, err := s.after(v)
	if err != nil || len(after) < o.Version-1 {
		return fmt.Errorf("version %d of %d: %w", o.Version, len(after)+1, err)
	}
	b.Restricted = len(w.state.RestrictionsOf(v.Family)) > 0
	b.Content = &Content{Kind: v.Kind, KindName: kind.Name, Title: w.title(kind, sealed), Family: s.family(w, v.Family), Child: w.child(sealed),
		Hash: hex.EncodeToString(v.Seal.Hash[:]), Finalised: w.signed(v.Seal.By, v.Seal.AtMS), Confirmed: []Signed{},
		Fields: w.fields(kind, sealed), After: []Afterwards{}}
	b.Content.PartOf, b.Content.Parts = w.group(kind, sealed, v.Seal)
	for _, c := range v.Workflow.Confirmed {
		if c.Stands {
			b.Content.Confirmed = append(b.Content.Confirmed, w.signed(c.By.Author, c.By.TimeMS))
		}
	}
	for i := range after[:o.Version-1] {
		b.Content.After = append(b.Content.After, w.afterwards(kind, sealed, &after[i]))
	}
	return nil
}

// family is the file of a family, as the import knows it.
func (s *Service) family(w *writer, family syncproto.FamilyID) File {
	out := File{Record: family.String()}
	records, err := s.cfg.Store.RecordsOf(family, "family")
	if err != nil || len(records) == 0 {
		return out
	}
	v, err := w.view(records[0])
	if err != nil {
		return out
	}
	out.Name, out.Reference = textIn(v, "name"), textIn(v, "reference")
	return out
}

// natureOf says what an addendum is, and which late change it takes on.
func natureOf(v *syncproto.View, a *syncproto.Addendum) (string, *syncproto.Addendum) {
	if len(a.Ops) > 0 {
		return ChangeCorrection, nil
	}
	if _, _, is := finalise.Rectification(a.Reason); is {
		return ChangeRectification, nil
	}
	for i := range v.Addenda {
		if late := &v.Addenda[i]; late.Late && a.Reason == finalise.AcceptReason(late.By.Change) {
			return ChangeLateEntry, late
		}
	}
	return ChangeAddendum, nil
}

func instant(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

// stateOf is what names people.
type stateOf interface {
	User(syncproto.UserID) (store.UserEntry, bool)
	RestrictionsOf(syncproto.FamilyID) []store.RestrictionEntry
}
