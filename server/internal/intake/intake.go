// Package intake brings the borough's caseload in from CSV files: teams, workers,
// families, people, contacts, hazards, relationships, allocations, statuses and
// safety plans. The README of the example caseload describes every column.
//
// Import reads and checks everything first and reports every bad line; only if
// all is well does it store anything: in one group of the journal, or, for a
// first import that is too large for one, in several of whole families. It compares
// the files with what earlier runs wrote: the same files again store nothing, a
// changed value becomes a change of that field alone, a file or line that is
// missing changes nothing. What people wrote stays: where an import and a person
// differ on a field, both stand side by side as any disagreement does.
//
// References of the files are turned into random ids, remembered as RefEntry.
// The package gives nobody a password, and decides nothing about access beyond
// the relations that allocations and teams stand for.
package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"doorstep/server/internal/desk"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Ledger orders and keeps entries: an *exchange.Ledger.
type Ledger interface {
	Propose(ctx context.Context, decide func(tx *store.Tx) ([]store.Entry, error)) (uint64, error)
}

// Composer makes signed changes on behalf of a person: a *desk.Desk.
type Composer interface {
	Compose(tx *store.Tx, edits []desk.Edit) ([]syncproto.ChangeID, error)
}

// Deps are what an import works with. All are required.
type Deps struct {
	Ledger Ledger
	Desk   Composer
	Store  *store.Store
	Random io.Reader
	// NormalLogin brings a login to the form under which accounts are kept.
	NormalLogin func(string) (string, error)
}

// Options of one run.
type Options struct {
	// Now is the borough's time: allocations count by its calendar day.
	Now time.Time
	// DryRun checks and reports, and stores nothing.
	DryRun bool
}

// Report says what a run found and did. It names logins, names of workers and
// references, and nothing about families.
type Report struct {
	Problems     []Problem `json:"problems"`           // not empty: nothing was stored
	Files        []File    `json:"files"`              // those that were there
	NewAccounts  []Account `json:"new_accounts"`       // without a password: give each an enrolment code
	ChangedRoles []Account `json:"changed_roles"`      //
	NewRecords   int       `json:"new_records"`        //
	Changed      int       `json:"changed_records"`    // records that were there and got a change
	Granted      int       `json:"relations_granted"`  // allocations that came into force
	Planned      int       `json:"relations_planned"`  // allocations that give access from a later day
	Ended        int       `json:"relations_ended"`    // allocations that ended
	KeptOut      int       `json:"kept_out_changed"`   // lines that keep somebody out, or no longer do
	Final        []Final   `json:"final"`              // lines that a final record contradicts
	Absent       []Absent  `json:"absent"`             // known from earlier runs, not in these files
	Unchanged    bool      `json:"unchanged"`          // the files say nothing new: nothing was stored
	Groups       int       `json:"groups"`             // in which it is stored: 1 unless the files are large
	Stored       int       `json:"groups_stored"`      //
	Position     uint64    `json:"position,omitempty"` // in the journal, of the first entry stored
}

// File is one file of a run and how many lines it has below the header.
type File struct {
	Name  string `json:"name"`
	Lines int    `json:"lines"`
}

// Final is a line about a record that is final and says something else. Nothing
// was changed: what is to be added is an addendum.
type Final struct {
	File string `json:"file"`
	Line int    `json:"line"`
}

// Account is a worker's account.
type Account struct {
	Login string `json:"login"`
	Name  string `json:"name"`
	Role  string `json:"role"`
}

// Absent counts lines of one file that earlier runs had and this run's does not.
// They change nothing: what is over is said by a day in its "to" column.
type Absent struct {
	File  string   `json:"file"`
	Count int      `json:"count"`
	Refs  []string `json:"refs"` // the first hundred
}

// ErrProblems is returned with a Report that lists them. Nothing was stored.
var ErrProblems = errors.New("the files have problems; nothing was imported")

// ErrAnotherImport says that an import, or an operator, gave ids to the same
// references or logins at the same time. Run the files again.
var ErrAnotherImport = errors.New("somebody else made the same accounts or references at the same time")

// Import reads the files at the root of fsys and stores what they say. With
// ErrProblems nothing was stored. With any other error nothing was stored either,
// unless the run was too large for one group of the journal (Report.Groups):
// then each family is whole or not there yet, Report.Stored says how far it got,
// and the same files again bring in the rest.
func Import(ctx context.Context, deps Deps, fsys fs.FS, opts Options) (Report, error) {
	report := Report{}
	probs := &problems{}
	lines, err := readSet(fsys, probs, &report)
	if err != nil {
		return report, err
	}
	var r *run
	err = deps.Store.Read(func(reader *store.Reader) error {
		r = newRun(deps, opts, reader, probs, &report)
		r.lines = lines
		return r.plan()
	})
	if err != nil || report.Unchanged || opts.DryRun {
		return report, err
	}
	return report, r.store(ctx)
}

// readSet reads and checks every file of the set that is there.
func readSet(fsys fs.FS, probs *problems, report *Report) (map[string][]line, error) {
	names, err := fs.Glob(fsys, "*")
	if err != nil {
		return nil, fmt.Errorf("listing the files: %w", err)
	}
	present := map[string]bool{}
	for _, name := range names {
		if isSheet(name) {
			present[name] = true
		} else if strings.HasSuffix(strings.ToLower(name), ".csv") {
			probs.add(name, 0, "", ProblemUnknownFile, "This file is not of the set: is its name spelt right, in small letters?")
		}
	}
	lines := map[string][]line{}
	for _, s := range theSet {
		if !present[s.file] {
			continue
		}
		rows := readSheet(fsys, s, probs)
		report.Files = append(report.Files, File{Name: s.file, Lines: len(rows)})
		for _, row := range rows {
			lines[s.file] = append(lines[s.file], checkLine(s, row))
		}
	}
	if len(report.Files) == 0 {
		probs.add("", 0, "", ProblemNoFiles, "None of the files of the set is here.")
	}
	return lines, nil
}

func isSheet(name string) bool {
	for _, s := range theSet {
		if s.file == name {
			return true
		}
	}
	return false
}
