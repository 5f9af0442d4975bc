// Package pages is the borough's desk in a browser: HTML pages for coordinators,
// managers and whoever else works at a desk, which need no script. To who runs scripts the
// queue and the pages about a record say when what they show has changed (live.go), and the
// pages of signing in take a passkey (signin.go).
//
// Pages holds a table of Routes. Each takes a Call, asks the packages that decide
// (reading, finalise) as the person who calls, and gives an Answer: a page, or where to go
// next. The package decides nothing: what a person may see or do, and what keeps a record
// from being final, it asks of the same functions as the HTTP API. It knows nothing of
// HTTP servers, cookies and sign-ins either; package api serves it. Components follow the
// markup of the GOV.UK design system, without its crown and its typeface.
package pages

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"time"

	"doorstep/server/internal/finalise"
	"doorstep/server/internal/reading"
	"doorstep/server/internal/wording"
	"doorstep/syncproto"
	"doorstep/syncproto/clocks"
)

//go:embed html
var files embed.FS

// Records is what a person may read: a *reading.Room.
type Records interface {
	Families(ctx context.Context, user syncproto.UserID) ([]reading.Family, error)
	FamilyRecords(ctx context.Context, user syncproto.UserID, family syncproto.FamilyID) ([]reading.Record, error)
	Record(ctx context.Context, user syncproto.UserID, record syncproto.RecordID) (*syncproto.View, error)
	History(ctx context.Context, user syncproto.UserID, record syncproto.RecordID) ([]reading.HistoryItem, error)
	Attribution(ctx context.Context, user syncproto.UserID, record syncproto.RecordID, heads []syncproto.ChangeID) (*reading.Attribution, error)
	FamilyDue(ctx context.Context, user syncproto.UserID, family syncproto.FamilyID) ([]reading.ChildDue, error)
	Due(ctx context.Context, user syncproto.UserID) ([]reading.ChildDue, error)
	Heeds(ctx context.Context, user syncproto.UserID) ([]reading.Heeded, error)
	Chase(ctx context.Context, user syncproto.UserID) ([]reading.Chased, error)
	Custody(ctx context.Context, user syncproto.UserID) ([]reading.InCustody, error)
	CustodyWords(ctx context.Context, user syncproto.UserID, id syncproto.ChangeID) (reading.Words, error)
	Search(ctx context.Context, user syncproto.UserID, words string) (hits []reading.Hit, all int, err error)
	Excerpt(user syncproto.UserID, record syncproto.RecordID, words string) []reading.Piece
	Name(syncproto.UserID) string
	// Colleagues may name somebody more than once.
	Colleagues(syncproto.UserID) []syncproto.UserID
	Names() wording.Names
	// Title, FamilyName and DeviceName are what people call things; empty for what the
	// person may not know.
	Title(syncproto.UserID, syncproto.RecordID) string
	Happened(syncproto.UserID, syncproto.RecordID) (ms int64) // 0: nobody said
	FamilyName(syncproto.UserID, syncproto.FamilyID) string
	DeviceName(syncproto.DeviceID) (name string, tablet bool)
	TeamName(syncproto.UserID, syncproto.FamilyID) string
	// OnFileBy is the day by which what happened then was to be recorded; NoDay: none is
	// set. Over: it is past.
	OnFileBy(ms int64) (by clocks.Day, over bool)
	OnFileSince() (ms int64) // what happened before is over
	// MovedAway and MovedHere tell of records in wrong files, Original shows one as it was.
	MovedAway(context.Context, syncproto.UserID, syncproto.FamilyID) []reading.Moved
	MovedHere(syncproto.UserID, syncproto.RecordID) (reading.Moved, bool)
	Original(context.Context, syncproto.UserID, syncproto.RecordID) (*syncproto.View, []reading.HistoryItem, error)
}

// Workflow takes records from captured to final: a *finalise.Service.
type Workflow interface {
	Beginnings(context.Context, finalise.Caller, syncproto.FamilyID) []finalise.Beginning
	TypeUp(context.Context, finalise.Caller, finalise.TypeUp) (syncproto.RecordID, error)
	Fill(context.Context, finalise.Caller, finalise.Fill) (syncproto.ChangeID, error)
	Enter(context.Context, finalise.Caller, finalise.Enter) (syncproto.ChangeID, error)
	Queue(context.Context, finalise.Caller) ([]finalise.Item, error)
	Final(context.Context, finalise.Caller) ([]finalise.Item, error)
	Explain(context.Context, finalise.Caller, []finalise.Item) error
	Standing(context.Context, finalise.Caller, syncproto.RecordID) (finalise.Standing, error)
	HandOver(context.Context, finalise.Caller, finalise.HandOver) (syncproto.ChangeID, error)
	Confirm(context.Context, finalise.Caller, finalise.Confirm) (syncproto.ChangeID, error)
	Query(context.Context, finalise.Caller, finalise.Query) (syncproto.ChangeID, error)
	Answer(context.Context, finalise.Caller, finalise.Answer) (syncproto.ChangeID, error)
	Decide(context.Context, finalise.Caller, finalise.Decide) (syncproto.ChangeID, error)
	Edit(context.Context, finalise.Caller, finalise.Edit) (syncproto.ChangeID, error)
	Propose(context.Context, finalise.Caller, finalise.Propose) (syncproto.ChangeID, error)
	Finalise(context.Context, finalise.Caller, finalise.Finalise) (syncproto.ChangeID, error)
	Addendum(context.Context, finalise.Caller, finalise.Addendum) (syncproto.ChangeID, error)
	Correct(context.Context, finalise.Caller, finalise.Correct) (syncproto.ChangeID, error)
	AcceptLate(context.Context, finalise.Caller, finalise.AcceptLate) (syncproto.ChangeID, error)
	Rectify(context.Context, finalise.Caller, finalise.Rectify) (syncproto.ChangeID, error)
	Misfiling(context.Context, finalise.Caller, syncproto.RecordID) (finalise.Misfiling, error)
	Misfile(context.Context, finalise.Caller, finalise.Misfile) (syncproto.RecordID, error)
	Lease(context.Context, finalise.Caller, syncproto.RecordID) (finalise.Lease, error)
	Release(context.Context, finalise.Caller, syncproto.RecordID) error
}

// Custody decides about changes in custody; it asks access itself.
type Custody interface {
	Admit(ctx context.Context, by syncproto.UserID, id syncproto.ChangeID) error
	AdmitAddendum(ctx context.Context, by syncproto.UserID, id syncproto.ChangeID) error
	KeepAway(ctx context.Context, by syncproto.UserID, id syncproto.ChangeID, reason string) error
}

// Config is what New needs. Site, Imports, Delivery, Readers and Style may be left out; the rest is required.
type Config struct {
	Name     string // of the installation, as people see it
	Records  Records
	Workflow Workflow
	Custody  Custody
	Site     Site // nil: nobody looks after the server in pages
	Doors    Doors
	Measure  Measure
	Imports  Imports  // nil: no folder is watched
	Delivery Delivery // nil: final records go nowhere from here
	Readers  Readers  // nil: nobody is told who read a record
	Now      func() time.Time
	Zone     *time.Location // in which times are written
	Style    string         // address of the style sheet; empty: this build has none
}

// Pages is the desk. It is safe for concurrent use.
type Pages struct {
	cfg   Config
	pages map[string]*template.Template // by the name of their file
}

// New reads the templates; a mistake in one is an error here, never at a request.
func New(cfg Config) (*Pages, error) {
	if cfg.Records == nil || cfg.Workflow == nil || cfg.Custody == nil || cfg.Doors == nil || cfg.Measure == nil || cfg.Now == nil || cfg.Zone == nil {
		return nil, errors.New("pages: Records, Workflow, Custody, Doors, Measure, Now and Zone must be set")
	}
	base, err := template.New("").Funcs(template.FuncMap{"of": of, "nth": nth}).ParseFS(files, "html/layout.html", "html/parts/*.html")
	if err != nil {
		return nil, fmt.Errorf("reading the desk's layout: %w", err)
	}
	p := &Pages{cfg: cfg, pages: map[string]*template.Template{}}
	names, err := fs.Glob(files, "html/pages/*.html")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		t, err := base.Clone()
		if err == nil {
			t, err = t.ParseFS(files, name)
		}
		if err != nil {
			return nil, fmt.Errorf("reading a page of the desk: %w", err)
		}
		p.pages[name[len("html/pages/"):]] = t
	}
	return p, nil
}
