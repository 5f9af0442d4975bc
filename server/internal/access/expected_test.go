package access

import (
	"slices"
	"strings"
	"testing"

	"doorstep/syncproto/schema"
)

// expected says, person by person, who may do what. It is written by hand from
// domain rules, section (c), and sections 5 and 7, apart from the table, as a manager
// would read it. What has no line nobody may do: default deny. What is denied
// whatever else allows it is in neverAllowed.
//
// A person is a role on a footing, or on any of several. A line is groups of
// kinds, then deeds:
//
//	write  change a field, one's own slot and the summary, add, take out, take note
//	own    write in one's own slot, and add
//	carry  have on a tablet          agree  agree to a removal
//
// A deed about fields names the labels that it is for: (a)dmin, a(t)tested,
// (v)erbatim, (j)udgement; none: it is not about a field. After a colon comes what
// it takes besides: w wrote in the record, b began it, n was let in, i imported.
const expected = `
social_worker, practitioner: LEAD
  core visit plan action consult missing met  read carry begin write(atvj) decide(atj)
  visit plan consult missing met meeting  hand_over answer confirm:w addendum correct(atj) queue:w
  head review meeting fit supervision intelligence match volunteer_log concern  read carry
  disclosure                     begin read:w read:n write(atvj):b
social_worker, practitioner: LEAD, CO, PA
  break_glass                    read
social_worker, practitioner: CO, PA, JOINT, COVER
  core visit plan action consult missing met  read carry begin write(atvj) decide(a) decide(j):b
  visit plan consult missing met meeting  hand_over answer confirm:w addendum correct(atj):w queue:w
  head review meeting fit supervision intelligence match volunteer_log concern  read carry
  disclosure                     begin read:w read:n write(atvj):b
social_worker: TEAM
  core head visit plan action review meeting  read
social_worker, manager: BREAK_GLASS
  core head visit plan action review  read
social_worker, practitioner: SELF
  time                           read carry begin own(atvj)
  personal                       read carry own(atvj)
  report observation             read
social_worker, edt, manager: OFFICE
  break_glass                    begin

clinician: CLIN, CONSULT, JOINT
  core head visit plan action review meeting consult fit supervision missing met  read carry
  consult                        begin write(atvj) hand_over answer addendum confirm:w queue:w decide(atj):b correct(atj):b
clinician: JOINT
  visit                          own(atvj) confirm:w
fit_specialist: FIT
  core plan fit volunteer_log    read carry
  fit                            begin write(atvj) hand_over answer addendum confirm:w queue:w decide(atj):b correct(atj):b
  disclosure                     begin read:w read:n write(atvj):b
clinician, fit_specialist, volunteer, met_worker, coach: SELF
  time                           read carry begin own(atvj)
  personal                       read carry own(atvj)
coordinator, business_support, volunteer_coordinator, manager, met_partner, head_of_practice, edt, analyst, ig_officer, auditor: SELF
  time                           read carry begin own(atvj)
chair: SELF
  time                           read carry begin own(atvj)
  report                         read

coordinator: COORD
  core head visit plan action review meeting consult fit supervision missing met  read carry chase queue edit(a) own(a) remove(a) note(a) decide(a)
  volunteer_log                  read carry
  visit plan                     prepare(t) correct(a)
  visit plan consult fit review missing met meeting  query finalise addendum
  visit plan consult missing met meeting  type_up
  meeting                        begin write(at)
  report                         read
business_support: SUPPORT
  meeting                        read begin queue write(at) type_up
manager: MANAGER
  core head visit plan action review meeting consult fit supervision missing met intelligence match volunteer_log concern  read carry
  visit plan consult fit review missing met meeting  queue stand_in
  visit plan action consult fit review missing met meeting supervision  misfile
  meeting                        confirm:w answer:w
  core visit plan action missing met supervision  decide(atj) approve(atj) agree(atj) note(atj)
  core visit plan action         edit_own(atj)
  visit plan                     query
  supervision                    begin write(atvj)
  disclosure                     read:n
  report audit                   read
  break_glass                    read approve
  practice_grant                 read begin remove
  restriction                    read begin
manager: SUPERVISOR
  personal                       read begin edit(atvj) own(atvj)
  time                           read
volunteer_coordinator, head_of_practice: SUPERVISOR
  personal                       read begin edit(atvj) own(atvj)

volunteer: VOL
  match                          read carry
  volunteer_log concern          begin own(atvj) read:w
volunteer_coordinator: PROGRAMME
  match volunteer_log concern    read
  match                          carry
  match concern                  begin write(atvj)
  volunteer_log                  approve(atj)
  report                         read
met_worker: MET
  core head visit plan action review  read carry
  missing met intelligence extract  read carry begin write(atvj)
  missing met                    hand_over answer addendum confirm:w queue:w
  missing met intelligence       decide(atj) correct(atj)
  report                         read
met_worker: MISSING
  missing                        read
met_partner: SHARED
  extract                        read
  intelligence                   begin read:w edit(atvj):b own(atvj):b
chair: CHAIR, IRO
  core head visit plan action review missing met intelligence  read carry
  review                         begin write(atvj) hand_over answer addendum confirm:w
head_of_practice: SAMPLE
  core head visit plan action review consult  read
head_of_practice: OFFICE
  report                         read
coach: OBSERVE
  observation                    read begin write(atvj)
edt: EDT
  visit                          begin write(atvj):b read:b hand_over:b answer:b confirm:b
edt: BREAK_GLASS
  core head visit plan action review missing  read
  visit                          begin write(atvj):b hand_over:b answer:b confirm:b

analyst: OFFICE
  report aggregate export export_log  read
  export                         begin
met_partner, auditor, coach: OFFICE
  aggregate                      read
auditor: OFFICE
  audit break_glass              read
auditor: SAMPLE
  core head visit plan action review meeting consult fit supervision missing met intelligence  read
  visit plan consult fit review missing met meeting  queue
ig_officer: REQUEST
  core head visit plan action review meeting consult fit supervision missing met intelligence match volunteer_log concern disclosure extract  read
  sar                            read begin write(atvj) decide(atvj) approve(atvj)
ig_officer: OFFICE
  audit export_log               read
  oversight_grant restriction practice_grant  read begin remove approve
  break_glass                    read approve
it: OFFICE
  config                         read edit

import: -
  core head visit plan action match  begin:i edit(atvj):i edit_own(atvj):i edit_other(atvj):i prepare(atvj):i add(atvj):i remove(atvj):i
`

// neverAllowed is written by hand: what stays denied even if some row allowed
// everything to everybody.
func neverAllowed(q Question) bool {
	changesWords := slices.Contains([]Action{
		ActionEdit, ActionEditOwn, ActionEditOther, ActionPrepare, ActionRemove, ActionDecide, ActionApprove,
	}, q.Action)
	person := slices.Contains(Roles(), q.Role)
	cannotBeLetIn := slices.Contains([]Role{RoleSupport, RoleVolunteer, RoleVolunteerCoord, RolePartner,
		RoleHeadOfPractice, RoleCoach, RoleAnalyst}, q.Role)
	switch {
	case q.Basis == BasisDenied, q.Basis == BasisRelative, q.Rule == schema.Derived:
		return true
	case q.Role == RoleIT && q.Group != GroupConfig:
		return true
	case q.Imported && person:
		return true
	case q.Restricted && !q.Named && person && q.Role != RoleEDT:
		return true
	case q.Restricted && cannotBeLetIn:
		return true
	case q.Restricted && q.Action == ActionCarry:
		return true
	case q.Adoption && q.Basis == BasisBreakGlass:
		return true
	case q.Label == schema.Verbatim && (changesWords || q.Action == ActionCorrect):
		return true
	case q.Rule == schema.Log && changesWords:
		return true
	}
	return q.Rule == schema.Server && (q.Action == ActionDecide || q.Action == ActionApprove)
}

// cellKey names a cell of the expected table.
type cellKey struct {
	role   Role
	basis  Basis
	group  Group
	action Action
}

// permission is what a cell allows: with which labels (none: whatever the field),
// under which circumstance.
type permission struct {
	labels    []schema.Label
	condition string
}

var deedActions = map[string][]Action{
	"write": {ActionEdit, ActionEditOwn, ActionPrepare, ActionAdd, ActionRemove, ActionTakeNote},
	"own":   {ActionEditOwn, ActionAdd},
	"begin": {ActionCreate},
	"agree": {ActionConfirmRemoval},
	"note":  {ActionTakeNote},
}

func actionsOfDeed(t *testing.T, deed string) []Action {
	t.Helper()
	if list, ok := deedActions[deed]; ok {
		return list
	}
	for a := range actionCount {
		if a.String() == deed && a != ActionUnknown {
			return []Action{a}
		}
	}
	t.Fatalf("no deed %q", deed)
	return nil
}

func groupNamed(name string) (Group, bool) {
	for g := GroupNone + 1; g < groupCount; g++ {
		if g.String() == name {
			return g, true
		}
	}
	return GroupNone, false
}

// parseExpected reads the table above.
func parseExpected(t *testing.T) map[cellKey][]permission {
	t.Helper()
	cells := map[cellKey][]permission{}
	var roles, bases []string
	for line := range strings.Lines(expected) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.TrimSpace(line) == "":
		case line[0] != ' ':
			who, footings, ok := strings.Cut(line, ": ")
			if !ok {
				t.Fatalf("no footing in %q", line)
			}
			roles, bases = strings.Split(who, ", "), strings.Split(footings, ", ")
		default:
			groups, deeds := splitLine(line)
			if len(groups) == 0 || len(deeds) == 0 {
				t.Fatalf("no groups or no deeds: %q", line)
			}
			for _, deed := range deeds {
				addDeed(t, cells, roles, bases, groups, deed)
			}
		}
	}
	if len(cells) == 0 {
		t.Fatal("nothing is expected")
	}
	return cells
}

func splitLine(line string) (groups []Group, deeds []string) {
	for _, word := range strings.Fields(line) {
		if g, ok := groupNamed(word); ok && len(deeds) == 0 {
			groups = append(groups, g)
		} else {
			deeds = append(deeds, word)
		}
	}
	return groups, deeds
}

func addDeed(t *testing.T, cells map[cellKey][]permission, roles, bases []string, groups []Group, deed string) {
	t.Helper()
	deed, condition, _ := strings.Cut(deed, ":")
	name, letters, _ := strings.Cut(strings.TrimSuffix(deed, ")"), "(")
	p := permission{condition: condition}
	for _, l := range letters {
		p.labels = append(p.labels, map[rune]schema.Label{'a': schema.Admin, 't': schema.Attested, 'v': schema.Verbatim, 'j': schema.Judgement}[l])
	}
	for _, action := range actionsOfDeed(t, name) {
		for _, role := range roles {
			for _, basis := range bases {
				if Role(role).bit() == unknownBit || basis != "-" && Basis(basis).bit() == unknownBit {
					t.Fatalf("no role %q or footing %q", role, basis)
				}
				for _, g := range groups {
					k := cellKey{Role(role), Basis(strings.TrimPrefix(basis, "-")), g, action}
					cells[k] = append(cells[k], p)
				}
			}
		}
	}
}

// expects is the expected answer to one question.
func expects(cells map[cellKey][]permission, q Question) bool {
	if neverAllowed(q) {
		return false
	}
	for _, p := range cells[cellKey{q.Role, q.Basis, q.Group, q.Action}] {
		if (len(p.labels) == 0 || slices.Contains(p.labels, q.Label)) && conditionHolds(p.condition, q) {
			return true
		}
	}
	return false
}

func conditionHolds(condition string, q Question) bool {
	switch condition {
	case "":
		return true
	case "w":
		return q.Authorship >= AuthorWrote
	case "b":
		return q.Authorship >= AuthorBegan
	case "n":
		return q.Named
	case "i":
		return q.Imported
	}
	panic("bug: no such condition")
}
