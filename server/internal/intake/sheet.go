package intake

// sheet describes one file of the documented set; README.md of the example
// caseload repeats it, and a test holds the two together.
type sheet struct {
	file    string
	about   string
	kind    string // record kind that its lines become, or become part of
	columns []column
}

// column describes one column. A column that goes somewhere is checked by the
// field it goes to; the others by what they hold.
type column struct {
	name     string
	holds    holds
	goes     string // field of the sheet's kind; part of an element after a dot
	of       string // holds ref, refs: what is referred to
	required bool
	about    string
}

// holds says what kind of cell a column has.
type holds uint8

const (
	holdsValue holds = iota // what the field it goes to takes
	holdsKey                // the line's own reference
	holdsRef                // a reference to a line of another file, or an earlier run's
	holdsRefs               // several, separated by spaces
	holdsCodes              // several codes of the field, separated by spaces
	holdsName               // words of at most 200 bytes
	holdsLogin
	holdsRole
	holdsYesNo
	holdsWhyKeptOut
	holdsDay
	holdsLineKind // which kind of element the line is
)

// What references name.
const (
	refTeam         = "team"
	refWorker       = "worker"
	refFamily       = "family"
	refPerson       = "person"
	refContact      = "contact"
	refHazard       = "hazard"
	refRelationship = "relationship"
	refAllocation   = "allocation"
	refStatus       = "status"
	refPlan         = "plan"
	refPlanLine     = "plan_line"
	refKeptOut      = "kept_out"
)

// File names of the set.
const (
	fileTeams         = "teams.csv"
	fileWorkers       = "workers.csv"
	fileFamilies      = "families.csv"
	filePeople        = "people.csv"
	fileContacts      = "contacts.csv"
	fileHazards       = "hazards.csv"
	fileRelationships = "relationships.csv"
	fileAllocations   = "allocations.csv"
	fileStatuses      = "statuses.csv"
	filePlans         = "plans.csv"
	filePlanLines     = "plan_lines.csv"
	fileKeptOut       = "kept_out.csv"
)

func (s sheet) has(name string) bool {
	_, ok := s.column(name)
	return ok
}

func (s sheet) column(name string) (column, bool) {
	for _, c := range s.columns {
		if c.name == name {
			return c, true
		}
	}
	return column{}, false
}

// key returns the column that holds the line's own reference.
func (s sheet) key() column {
	for _, c := range s.columns {
		if c.holds == holdsKey {
			return c
		}
	}
	panic("bug: sheet " + s.file + " has no key")
}

// sheetOf returns a sheet of the set.
func sheetOf(file string) sheet {
	for _, s := range theSet {
		if s.file == file {
			return s
		}
	}
	panic("bug: no sheet " + file)
}

// theSet is every file that an import reads, in the order in which they refer
// to each other. It is only read.
var theSet = [...]sheet{
	{file: fileTeams, about: "The teams of the borough.", columns: []column{
		{name: "team_ref", holds: holdsKey, of: refTeam, required: true, about: "The team's reference."},
		{name: "name", holds: holdsName, required: true, about: "What the team is called."},
	}},
	{file: fileWorkers, about: "Everybody who signs in. Passwords are never in a file: new accounts are listed by the import, and are given an enrolment code.", columns: []column{
		{name: "worker_ref", holds: holdsKey, of: refWorker, required: true, about: "The worker's reference."},
		{name: "login", holds: holdsLogin, required: true, about: "What they sign in as. It cannot be changed by a later file."},
		{name: "name", holds: holdsName, required: true, about: "Their name as colleagues see it."},
		{name: "role", holds: holdsRole, required: true, about: "What they are: one of the roles below."},
		{name: "team_ref", holds: holdsRef, of: refTeam, about: "Their team. Coordinators, managers, business support and volunteer coordinators have their part in the families of their team, and need one; social workers read their team's files online."},
		{name: "qualified_social_worker", holds: holdsYesNo, required: true, about: "Y for a registered social worker, else N."},
	}},
	{file: fileFamilies, about: "The families; each is one unit of access.", kind: "family", columns: []column{
		{name: "family_ref", holds: holdsKey, of: refFamily, goes: "reference", required: true, about: "The family's number in the case management system."},
		{name: "name", goes: "name", required: true, about: "As the family is known in lists."},
		{name: "team_ref", holds: holdsRef, of: refTeam, required: true, about: "The team that the family is with."},
	}},
	{file: filePeople, about: "Everybody of a family: children, parents, others who matter to the children.", kind: "person", columns: []column{
		{name: "person_ref", holds: holdsKey, of: refPerson, required: true, about: "The person's reference."},
		{name: "family_ref", holds: holdsRef, of: refFamily, required: true, about: "Their family. A person never moves to another family by import."},
		{name: "names", goes: "names", required: true, about: "All names, in the order the person uses, in any script."},
		{name: "known_as", goes: "known_as", about: "What they are called day to day."},
		{name: "pronouns", goes: "pronouns", about: "Such as she/her."},
		{name: "dob", goes: "dob", about: "Date of birth; not together with expected_dob."},
		{name: "expected_dob", goes: "expected_dob", about: "Of a child not yet born; sex is then U."},
		{name: "sex", goes: "sex", about: "F, M or U."},
		{name: "ethnicity", goes: "ethnicity", about: "A census code such as WBRI, ABAN, BAFR."},
		{name: "disabilities", holds: holdsCodes, goes: "disability.code", about: "Census codes such as LD AUT, separated by spaces; NONE stands alone."},
		{name: "la_child_id", goes: "la_child_id", about: "The council's child number: at most 20 letters and digits, unique. A child who has one needs a birth date or an expected one."},
		{name: "upn", goes: "upn", about: "Unique pupil number; its check letter must be right."},
		{name: "nhs_no", goes: "nhs_no", about: "NHS number: ten digits without spaces, the check digit right."},
		{name: "communication", goes: "communication", about: "SPEECH, BSL, MAKATON, PICTURES, DEVICE, WRITING or OTHER."},
		{name: "language", goes: "language", about: "First language as a BCP 47 tag, such as en, so, pl, bn, ar, cy."},
		{name: "interpreter", goes: "interpreter", about: "NONE, SPOKEN or SIGN."},
		{name: "died", goes: "died", about: "Date of death, of somebody who died."},
	}},
	{file: fileContacts, about: "Addresses, placements and phone numbers, each with its dates.", kind: "person", columns: []column{
		{name: "contact_ref", holds: holdsKey, of: refContact, required: true, about: "The line's reference."},
		{name: "person_ref", holds: holdsRef, of: refPerson, required: true, about: "Whose it is."},
		{name: "kind", holds: holdsLineKind, required: true, about: "ADDRESS, PLACEMENT or PHONE."},
		{name: "text", goes: ".text", required: true, about: "The address, the placement or the number."},
		{name: "from", goes: ".from", about: "First day."},
		{name: "to", goes: ".to", about: "Last day."},
		{name: "confidential", goes: ".confidential", about: "Y: never shown or sent to the person who poses a risk."},
	}},
	{file: fileHazards, about: "What a worker must know before a visit.", kind: "person", columns: []column{
		{name: "hazard_ref", holds: holdsKey, of: refHazard, required: true, about: "The line's reference."},
		{name: "person_ref", holds: holdsRef, of: refPerson, required: true, about: "Whom it concerns."},
		{name: "code", goes: "hazard.code", required: true, about: "VIOLENCE, WEAPON, ANIMAL, RISK_PERSON, INFECTION, PREMISES, TWO_WORKERS or OTHER."},
		{name: "text", goes: "hazard.text", required: true, about: "What to know."},
		{name: "review_date", goes: "hazard.review_date", required: true, about: "When to look at it again."},
	}},
	{file: fileRelationships, about: "Who is who to whom.", kind: "family", columns: []column{
		{name: "relationship_ref", holds: holdsKey, of: refRelationship, required: true, about: "The line's reference."},
		{name: "family_ref", holds: holdsRef, of: refFamily, required: true, about: "The family that it is noted in."},
		{name: "person_ref", holds: holdsRef, of: refPerson, goes: "relationship.a", required: true, about: "The person who is something ..."},
		{name: "other_ref", holds: holdsRef, of: refPerson, goes: "relationship.b", required: true, about: "... to this person. Both are of the family."},
		{name: "type", goes: "relationship.type", required: true, about: "PARENT, STEP_PARENT, CARER, SIBLING, HALF_SIBLING, GRANDPARENT, AUNT_UNCLE, PARTNER, EX_PARTNER, OTHER_RELATIVE, FRIEND, PROFESSIONAL or OTHER."},
		{name: "from", goes: "relationship.from", about: "First day."},
		{name: "to", goes: "relationship.to", about: "Last day."},
		{name: "source", goes: "relationship.source", about: "Who told us."},
	}},
	{file: fileAllocations, about: "Who works with a family, as what, from the first day until the last. An allocation that begins later is taken in now and holds from its day. Each role of a worker has its own: the table of roles says which.", kind: "allocation", columns: []column{
		{name: "allocation_ref", holds: holdsKey, of: refAllocation, required: true, about: "The line's reference."},
		{name: "family_ref", holds: holdsRef, of: refFamily, required: true, about: "The family. It cannot change."},
		{name: "worker_ref", holds: holdsRef, of: refWorker, goes: "worker", required: true, about: "The worker. It cannot change."},
		{name: "role", goes: "role", required: true, about: "LEAD, CO, COORD, CLIN, FIT, VOL, MET, CHAIR, IRO, PA or EDT; it must fit the worker's role."},
		{name: "from", goes: "from", required: true, about: "First day."},
		{name: "to", goes: "to", about: "Day on which it ended: from then on the worker no longer reaches the records. Empty: still going on."},
		{name: "sw_reason", goes: "sw_reason", about: "Why the worker changed: MANAGE, FCONTA, LEFTRL, ORGRST, TSPROC, ABSENC, CHCHAN, PCCHAN, SWDIED or OTHERS."},
	}},
	{file: fileStatuses, about: "What each child's standing is, period by period.", kind: "status", columns: []column{
		{name: "status_ref", holds: holdsKey, of: refStatus, required: true, about: "The line's reference."},
		{name: "child_ref", holds: holdsRef, of: refPerson, goes: "child", required: true, about: "The child. It cannot change."},
		{name: "kind", goes: "kind", required: true, about: "CIN, CP, CLA, CL, EH, S47, ASSESS, YJ or DISAB. It cannot change."},
		{name: "from", goes: "from", required: true, about: "First day."},
		{name: "to", goes: "to", about: "Last day; empty: still going on."},
		{name: "category_initial", goes: "category_initial", about: "First category of abuse: NEG, PHY, SAB, EMO or MUL; CP needs it."},
		{name: "category_latest", goes: "category_latest", about: "Latest category of abuse."},
		{name: "primary_need", goes: "primary_need", about: "N0 to N9."},
		{name: "legal_status", goes: "legal_status", about: "Such as C1, C2, V2; CLA needs it."},
		{name: "placement_type", goes: "placement_type", about: "Such as U4, K2, P1."},
		{name: "provider", goes: "provider", about: "PR0 to PR5."},
		{name: "long_term_to_18", goes: "long_term_to_18", about: "Y or N: the placement is meant to last to 18."},
		{name: "reg_basis", goes: "reg_basis", about: "What sets the visits, if not the general rule of regulation 28: REG19, REG24 or REG28_3A."},
		{name: "plan_number", goes: "plan_id", about: "The number of the plan in the case management system."},
		{name: "review_due", goes: "review_due", about: "When the next review is due."},
		{name: "visit_every", goes: "visit_frequency.n", about: "A visit every so many ..."},
		{name: "visit_unit", goes: "visit_frequency.unit", about: "... WD working days, CD days, WEEK weeks or MONTH months, as the conference decided."},
		{name: "visit_set_by", goes: "visit_frequency.set_by", about: "Who decided that."},
		{name: "visit_set_on", goes: "visit_frequency.date", about: "When it was decided."},
		{name: "placement_from", goes: "placement_from", about: "First day of the placement, if it is not that of the period: a new order alone starts no new visits."},
		{name: "first_review", goes: "first_review", about: "When the first review was held. Until then some children are visited weekly."},
	}},
	{file: filePlans, about: "Safety plans.", kind: "plan", columns: []column{
		{name: "plan_ref", holds: holdsKey, of: refPlan, required: true, about: "The plan's reference."},
		{name: "family_ref", holds: holdsRef, of: refFamily, required: true, about: "The family. It cannot change."},
		{name: "child_refs", holds: holdsRefs, of: refPerson, goes: "children.child", required: true, about: "The children that the plan protects, separated by spaces."},
		{name: "status", goes: "status", required: true, about: "DRAFT, AGREED, ACTIVE, UNDER_REVIEW, ENDED or SUPERSEDED. A plan in force needs a rule, somebody who helps and poses no risk, a warning sign, a contingency and a review date."},
		{name: "review_date", goes: "review_date", about: "When the plan is looked at again."},
		{name: "bottom_lines", goes: "bottom_lines", about: "What is not up for discussion, as a manager approved it."},
		{name: "contingency", goes: "contingency", about: "If the plan is not followed, who does what."},
	}},
	{file: filePlanLines, about: "The rules, the people who help and the warning signs of a plan. A column that is not of the line's kind is empty.", kind: "plan", columns: []column{
		{name: "line_ref", holds: holdsKey, of: refPlanLine, required: true, about: "The line's reference."},
		{name: "plan_ref", holds: holdsRef, of: refPlan, required: true, about: "The plan."},
		{name: "kind", holds: holdsLineKind, required: true, about: "RULE, NETWORK or TRIGGER."},
		{name: "text", goes: ".text", about: "RULE, TRIGGER: the rule or the warning sign."},
		{name: "who", goes: ".who", about: "RULE: who does it."},
		{name: "when", goes: ".when", about: "RULE: when, or on what sign."},
		{name: "family_knows", goes: ".family_knows", about: "RULE: how the family will know."},
		{name: "how_checked", goes: ".how_checked", about: "RULE: how it is checked."},
		{name: "checked_by", goes: ".checked_by", about: "RULE: who checks."},
		{name: "start", goes: ".start", about: "RULE: first day."},
		{name: "status", goes: ".status", about: "RULE: IN_FORCE, NOT_STARTED, PAUSED or ENDED."},
		{name: "person_ref", holds: holdsRef, of: refPerson, goes: ".person", about: "NETWORK: the person, if on file."},
		{name: "name", goes: ".name", about: "NETWORK: their name."},
		{name: "contact", goes: ".contact", about: "NETWORK: phone or other contact."},
		{name: "role", goes: ".role", about: "NETWORK: what they do in the plan."},
		{name: "agreed_on", goes: ".agreed_on", about: "NETWORK: when they agreed."},
		{name: "knows_why", goes: ".knows_why", about: "NETWORK: Y or N."},
		{name: "poses_risk", goes: ".poses_risk", about: "NETWORK: Y or N: poses a risk to a child."},
	}},
	{file: fileKeptOut, about: "Who is kept out of which family, whatever else they are to it: nobody ever opens their own file, or a relative's. It beats every allocation, post and grant, and emergencies too.", columns: []column{
		{name: "kept_out_ref", holds: holdsKey, of: refKeptOut, required: true, about: "The line's reference."},
		{name: "worker_ref", holds: holdsRef, of: refWorker, required: true, about: "The worker."},
		{name: "family_ref", holds: holdsRef, of: refFamily, required: true, about: "The family."},
		{name: "why", holds: holdsWhyKeptOut, required: true, about: "RELATIVE (they or a relative are of the family) or CONFLICT (another conflict of interest)."},
		{name: "from", holds: holdsDay, about: "First day; empty: from the start."},
		{name: "to", holds: holdsDay, about: "Day from which it is over; empty: it lasts."},
	}},
}

// lineKind gives the collection that a line of this kind becomes an element of.
func lineKind(file, kind string) (field string, ok bool) {
	switch file + " " + kind {
	case fileContacts + " ADDRESS":
		return "address", true
	case fileContacts + " PLACEMENT":
		return "placement", true
	case fileContacts + " PHONE":
		return "phone", true
	case filePlanLines + " RULE":
		return "rules", true
	case filePlanLines + " NETWORK":
		return "network", true
	case filePlanLines + " TRIGGER":
		return "triggers", true
	}
	return "", false
}
