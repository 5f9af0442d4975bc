package intake

import (
	"slices"

	"doorstep/server/internal/desk"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// The account that imports are written by. It has no password and signs in
// nowhere.
const (
	importLogin = "doorstep-import"
	importName  = "Import from case management"
	importRole  = "import"
)

// run is one attempt at an import, against one state of the store.
type run struct {
	deps   Deps
	opts   Options
	reader Reader
	state  *store.State
	probs  *problems
	report *Report
	lines  map[string][]line
	refs   *refs

	account   syncproto.UserID
	roles     map[syncproto.UserID]string // of this run's workers
	teamNames map[store.TeamID]string     // of this run's teams
	families  map[syncproto.RecordID]syncproto.FamilyID
	targets   *targets
	kept      []keptElement
	allocated []syncproto.FamilyID // families with an allocation in this run
	standing  []syncproto.FamilyID // families with a status in this run

	before map[syncproto.RecordID]*imported // what earlier runs wrote
	after  map[syncproto.RecordID]*imported // and what that becomes

	controls []store.Entry
	edits    []desk.Edit
	grants   []store.Entry
}

func newRun(deps Deps, opts Options, tx *store.Tx, probs *problems, report *Report) *run {
	return &run{
		deps: deps, opts: opts, reader: tx, state: tx.State(), probs: probs, report: report,
		refs:      newRefs(tx.State(), deps.Random),
		lines:     map[string][]line{},
		roles:     map[syncproto.UserID]string{},
		teamNames: map[store.TeamID]string{},
		families:  map[syncproto.RecordID]syncproto.FamilyID{},
		targets:   newTargets(),
		before:    map[syncproto.RecordID]*imported{},
		after:     map[syncproto.RecordID]*imported{},
	}
}

// adopt copies the lines, so that an attempt's problems are its own.
func (r *run) adopt(lines map[string][]line) {
	for file, ls := range lines {
		r.lines[file] = slices.Clone(ls)
		for i := range r.lines[file] {
			r.lines[file][i].probs = r.probs
		}
	}
}

// propose works out everything that the files ask for. It returns ErrProblems if
// a single line is bad, errNothing if there is nothing new.
func (r *run) propose(tx *store.Tx) ([]store.Entry, error) {
	r.define()
	for _, step := range []func() error{
		r.findAccount, r.takeTeams, r.takeWorkers, r.gather, r.compare, r.check, r.relate,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	r.noteAbsent()
	if len(r.probs.list) > 0 {
		return nil, ErrProblems
	}
	if len(r.controls)+len(r.refs.fresh)+len(r.edits)+len(r.grants) == 0 {
		r.report.Unchanged = true
		return nil, errNothing
	}
	if r.opts.DryRun {
		return nil, errDryRun
	}
	if _, err := r.deps.Desk.Compose(tx, r.edits); err != nil {
		return nil, err
	}
	return r.entries(), nil
}

// entries are everything of a run that is not a change of a record.
func (r *run) entries() []store.Entry {
	entries := slices.Clone(r.controls)
	for _, ref := range r.refs.fresh {
		entries = append(entries, ref)
	}
	return append(entries, r.grants...)
}

// findAccount finds the account that imports are written by, or makes it.
func (r *run) findAccount() error {
	isNew := r.refs.isNew(refAccount, importRole)
	id, err := r.refs.id(refAccount, importRole)
	if err != nil {
		return err
	}
	r.account = syncproto.UserID(id)
	if isNew {
		r.controls = append(r.controls, store.UserEntry{ID: r.account, Login: importLogin, Name: importName, Role: importRole})
	}
	return nil
}

// compare works out the changes that bring each record to what the files want.
func (r *run) compare() error {
	for _, t := range r.targets.list {
		before, err := readImported(r.reader, t.record, r.account)
		if err != nil {
			return err
		}
		ops := r.diff(t, before)
		if before.final && len(ops) > 0 {
			r.report.Final = append(r.report.Final, Final{File: t.row.file, Line: t.row.line})
			ops = nil
		}
		if len(ops) > 0 {
			r.edits = append(r.edits, r.editsOf(t, before, ops)...)
			if before.exists {
				r.report.Changed++
			} else {
				r.report.NewRecords++
			}
		}
		after := before.clone()
		for i := range ops {
			after.apply(&ops[i])
		}
		r.before[t.record], r.after[t.record] = before, after
	}
	for _, k := range r.kept {
		if !r.before[k.target.record].has(k.field, k.id) {
			k.row.problem(k.column, ProblemMoved, "An earlier run put this line elsewhere, where it stays.")
		}
	}
	return nil
}

// wanted is what the case management system says of a record once this run is
// stored.
func (r *run) wanted(record syncproto.RecordID) (*imported, error) {
	if p, ok := r.after[record]; ok {
		return p, nil
	}
	p, err := readImported(r.reader, record, r.account)
	if err == nil {
		r.after[record] = p
	}
	return p, err
}

// recordsOf lists a family's records of a kind, those of this run among them.
func (r *run) recordsOf(family syncproto.FamilyID, kind string) ([]syncproto.RecordID, error) {
	records, err := r.reader.RecordsOf(family, kind)
	if err != nil {
		return nil, err
	}
	for _, t := range r.targets.list {
		if t.family == family && t.kind.ID == kind {
			records = appendNew(records, t.record)
		}
	}
	return records, nil
}

// maxAbsentRefs bounds how many missing lines of one file a report names.
const maxAbsentRefs = 100

// noteAbsent lists what earlier runs had and these files do not.
func (r *run) noteAbsent() {
	for _, f := range r.report.Files {
		of := sheetOf(f.Name).key().of
		a := Absent{File: f.Name}
		for _, ref := range r.state.Refs(of) {
			if _, said := r.refs.said[refKey{of, ref}]; said {
				continue
			}
			a.Count++
			if len(a.Refs) < maxAbsentRefs {
				a.Refs = append(a.Refs, ref)
			}
		}
		if a.Count > 0 {
			r.report.Absent = append(r.report.Absent, a)
		}
	}
}
