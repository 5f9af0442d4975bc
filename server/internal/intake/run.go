package intake

import (
	"doorstep/server/internal/desk"
	"doorstep/server/internal/progress"
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

// run works out what the files ask for, against one state of the store.
type run struct {
	deps   Deps
	opts   Options
	reader Reader
	state  *store.State
	probs  *problems
	report *Report
	stage  *progress.Stage // of storing
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

	controls []control
	edits    []edit
}

// control is an entry about a person or a family, and the family that it is
// stored together with; zero: nobody's.
type control struct {
	family syncproto.FamilyID
	entry  store.Entry
}

// edit is one record's changes.
type edit struct {
	target  *target
	last    uint64 // position of the record's last row when they were worked out
	changes []desk.Edit
}

func newRun(deps Deps, opts Options, reader Reader, probs *problems, report *Report) *run {
	state := deps.Store.State()
	return &run{
		deps: deps, opts: opts, reader: reader, state: state, probs: probs, report: report,
		refs:      newRefs(state, deps.Random),
		roles:     map[syncproto.UserID]string{},
		teamNames: map[store.TeamID]string{},
		families:  map[syncproto.RecordID]syncproto.FamilyID{},
		targets:   newTargets(),
		before:    map[syncproto.RecordID]*imported{},
		after:     map[syncproto.RecordID]*imported{},
	}
}

func (r *run) control(family syncproto.FamilyID, e store.Entry) {
	r.controls = append(r.controls, control{family, e})
}

// plan works out everything that the files ask for. It returns ErrProblems if a
// single line is bad.
func (r *run) plan() error {
	r.define()
	for _, step := range []func() error{
		r.findAccount, r.takeTeams, r.takeWorkers, r.gather, r.compare, r.check, r.relate, r.takeKeptOut,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	r.noteAbsent()
	r.report.Problems = r.probs.sorted()
	if len(r.report.Problems) > 0 {
		return ErrProblems
	}
	r.report.Unchanged = len(r.controls)+len(r.refs.fresh)+len(r.edits) == 0
	return nil
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
		r.control(syncproto.FamilyID{}, store.UserEntry{ID: r.account, Login: importLogin, Name: importName, Role: importRole})
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
			r.edits = append(r.edits, edit{target: t, last: before.last, changes: r.changesOf(t, before, ops)})
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
	for _, t := range r.targets.of[family] {
		if t.kind.ID == kind {
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
