package intake

import (
	"errors"
	"fmt"
	"strings"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// gather turns the lines about families into the records that they ask for.
func (r *run) gather() error {
	for _, step := range []struct {
		file string
		take func(resolved) error
	}{
		{fileFamilies, r.takeFamily},
		{filePeople, r.takePerson},
		{fileContacts, r.takePart(refContact, "person_ref", "person")},
		{fileHazards, r.takePart(refHazard, "person_ref", "person")},
		{fileRelationships, r.takeRelationship},
		{fileAllocations, r.takeAllocation},
		{fileStatuses, r.takeStatus},
		{filePlans, r.takePlan},
		{filePlanLines, r.takePlanLine},
	} {
		err := r.each(step.file, step.take)
		r.refs.family = syncproto.FamilyID{}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) takeFamily(l resolved) error {
	r.refs.family = syncproto.FamilyID{}
	family, err := r.refs.id(refFamily, l.key)
	if err != nil {
		return err
	}
	t, err := r.familySheet(l.key, syncproto.FamilyID(family), l.row)
	if err != nil {
		return err
	}
	t.fields(l.line)
	team := store.TeamID(l.ids["team_ref"])
	if name, ok := r.teamNames[team]; ok {
		t.want(syncproto.Path{Field: "team"}, cbor.Text(name), l.row, "team_ref")
	}
	if r.state.TeamOf(syncproto.FamilyID(family)) != team {
		r.control(syncproto.FamilyID(family), store.FamilyTeamEntry{Family: syncproto.FamilyID(family), Team: team})
	}
	return nil
}

// familySheet is the target of the family's own record.
func (r *run) familySheet(ref string, family syncproto.FamilyID, at row) (*target, error) {
	r.refs.family = family
	record, err := r.refs.id(refFamilyRecord, ref)
	if err != nil {
		return nil, err
	}
	return r.targets.get("family", syncproto.RecordID(record), family, at), nil
}

func (r *run) takePerson(l resolved) error {
	family := syncproto.FamilyID(l.ids["family_ref"])
	t, err := r.own(l, refPerson, "person", family)
	if err != nil || t == nil {
		return err
	}
	t.fields(l.line)
	c, _ := l.sheet.column("disabilities")
	if cell := l.cell(c.name); cell != "" {
		var members []cbor.Value
		for _, code := range strings.Fields(cell) {
			members = append(members, cbor.Text(code))
		}
		t.set(c, members, l.row)
	}
	return nil
}

// takePart takes a line that is an element of a record of this kind.
func (r *run) takePart(of, ownerColumn, kind string) func(resolved) error {
	return func(l resolved) error {
		record := syncproto.RecordID(l.ids[ownerColumn])
		family, err := r.familyOf(record)
		if err != nil {
			return err
		}
		return r.addElement(l, of, r.targets.get(kind, record, family, l.row))
	}
}

func (r *run) takeRelationship(l resolved) error {
	family := syncproto.FamilyID(l.ids["family_ref"])
	if ok, err := r.ofFamily(l, family, "person_ref", "other_ref"); !ok || err != nil {
		return err
	}
	t, err := r.familySheet(l.cell("family_ref"), family, l.row)
	if err != nil {
		return err
	}
	return r.addElement(l, refRelationship, t)
}

func (r *run) takeAllocation(l resolved) error {
	family := syncproto.FamilyID(l.ids["family_ref"])
	worker := syncproto.UserID(l.ids["worker_ref"])
	if !fits(r.roleOf(worker), l.cell("role")) {
		l.refuse("worker_ref", ProblemRule, "A worker of this role cannot have this allocation: see the table of roles.")
		return nil
	}
	t, err := r.own(l, refAllocation, "allocation", family)
	if err != nil || t == nil {
		return err
	}
	t.fields(l.line)
	r.allocated = appendNew(r.allocated, family)
	return nil
}

func (r *run) takeStatus(l resolved) error {
	family, err := r.familyOf(syncproto.RecordID(l.ids["child_ref"]))
	if err != nil {
		return err
	}
	t, err := r.own(l, refStatus, "status", family)
	if err != nil || t == nil {
		return err
	}
	t.fields(l.line)
	r.standing = appendNew(r.standing, family)
	return nil
}

func (r *run) takePlan(l resolved) error {
	family := syncproto.FamilyID(l.ids["family_ref"])
	if ok, err := r.ofFamily(l, family, "child_refs"); !ok || err != nil {
		return err
	}
	t, err := r.own(l, refPlan, "plan", family)
	if err != nil || t == nil {
		return err
	}
	t.fields(l.line)
	c, _ := l.sheet.column("child_refs")
	var members []cbor.Value
	for _, id := range l.set[c.name] {
		members = append(members, cbor.Bytes(id[:]))
	}
	t.set(c, members, l.row)
	return nil
}

func (r *run) takePlanLine(l resolved) error {
	plan := syncproto.RecordID(l.ids["plan_ref"])
	family, err := r.familyOf(plan)
	if err != nil {
		return err
	}
	if ok, err := r.ofFamily(l, family, "person_ref"); !ok || err != nil {
		return err
	}
	return r.addElement(l, refPlanLine, r.targets.get("plan", plan, family, l.row))
}

// own is the target of the record that a line is; nil if the record belongs to
// another family, which is then a problem.
func (r *run) own(l resolved, of, kind string, family syncproto.FamilyID) (*target, error) {
	r.refs.family = family
	id, err := r.refs.id(of, l.key)
	if err != nil {
		return nil, err
	}
	record := syncproto.RecordID(id)
	now, err := r.familyOf(record)
	switch {
	case err != nil:
		return nil, err
	case !now.IsZero() && now != family:
		l.refuse("", ProblemMoved, "An earlier run put this line into another family, where it stays.")
		return nil, nil
	}
	r.families[record] = family
	return r.targets.get(kind, record, family, l.row), nil
}

func (r *run) addElement(l resolved, of string, t *target) error {
	r.refs.family = t.family
	isNew := r.refs.isNew(of, l.key)
	id, err := r.refs.id(of, l.key)
	if err != nil {
		return err
	}
	t.element(l.line, syncproto.ElementID(id))
	if !isNew {
		c := l.sheet.columns[1] // whose the line is
		r.kept = append(r.kept, keptElement{target: t, field: l.elementField(), id: syncproto.ElementID(id), row: l.row, column: c.name})
	}
	return nil
}

// keptElement is an element that an earlier run knew: it must be where it was.
type keptElement struct {
	target *target
	field  string
	id     syncproto.ElementID
	row    row
	column string
}

// elementField is the collection that the line is an element of.
func (l *line) elementField() string {
	for _, c := range l.sheet.columns {
		if field, part := l.place(c); part != "" {
			return field
		}
	}
	panic("bug: " + l.sheet.file + " has no elements")
}

// familyOf returns the family of a record of this run or of the store; zero if
// it is not there yet.
func (r *run) familyOf(record syncproto.RecordID) (syncproto.FamilyID, error) {
	if family, ok := r.families[record]; ok {
		return family, nil
	}
	info, err := r.reader.RecordInfo(record)
	if errors.Is(err, store.ErrNotFound) {
		return syncproto.FamilyID{}, nil
	}
	if err != nil {
		return syncproto.FamilyID{}, fmt.Errorf("reading record %s: %w", record, err)
	}
	return info.Family, nil
}

// ofFamily refuses people of another family.
func (r *run) ofFamily(l resolved, family syncproto.FamilyID, columns ...string) (bool, error) {
	for _, c := range columns {
		for _, id := range l.set[c] {
			got, err := r.familyOf(syncproto.RecordID(id))
			if err != nil {
				return false, err
			}
			if got != family {
				l.refuse(c, ProblemWrongFamily, "This person is of another family.")
				return false, nil
			}
		}
	}
	return true, nil
}

func appendNew[T comparable](list []T, v T) []T {
	for _, have := range list {
		if have == v {
			return list
		}
	}
	return append(list, v)
}
