package schema_test

import (
	"slices"
	"strings"
	"testing"

	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// domainTable is written down from domain rules, sections R1 to R4, R8 and R19, by
// hand and apart from the schema: kind, field, and the conflict column. A value
// after PROTECT is the protective one; KEEP means that a removal must be decided.
// "own" in the third place marks a field that domain rules does not list, with why.
const domainTable = `
person      names               HUMAN
person      known_as            LATEST
person      pronouns            HUMAN
person      dob                 HUMAN
person      expected_dob        HUMAN
person      sex                 HUMAN
person      ethnicity           HUMAN
person      disability          UNION
person      la_child_id         SERVER
person      upn                 SERVER
person      nhs_no              SERVER
person      address             UNION
person      address.confidential     PROTECT Y
person      placement           UNION
person      placement.confidential   PROTECT Y
person      phone               UNION
person      phone.confidential       PROTECT Y
person      hazard              UNION KEEP
person      communication       LATEST
person      language            LATEST
person      interpreter         LATEST
family      relationship        UNION
family      relationship_quality OWN
family      name                LATEST   ours: lists need a name for a family
family      reference           SERVER   ours: the case management system's key
family      team                SERVER   ours: coordinators and managers belong to a family by its team

allocation  worker              SERVER
allocation  team                SERVER
allocation  role                SERVER
allocation  from                SERVER
allocation  to                  SERVER
allocation  sw_reason           SERVER
status      child               SERVER
status      kind                SERVER
status      from                SERVER
status      to                  SERVER
status      category_initial    SERVER
status      category_latest     SERVER
status      primary_need        SERVER
status      legal_status        SERVER
status      placement_type      SERVER
status      provider            SERVER
status      long_term_to_18     SERVER
status      reg_basis           SERVER
status      placement_from      SERVER
status      first_review        SERVER
status      plan_id             SERVER
status      review_due          SERVER
status      visit_frequency     SERVER

visit       visit_type          HUMAN
visit       planned             LATEST   ours: HUMAN is asked on actuals only
visit       start               HUMAN
visit       end                 HUMAN
visit       duration_min        DERIVED
visit       contact_mode        HUMAN
visit       announced           HUMAN
visit       place               HUMAN
visit       outcome             HUMAN
visit       outcome_reason      HUMAN
visit       outcome_action      HUMAN
visit       workers             UNION
visit       present             UNION
visit       present.alone_with_child          PROTECT Y
visit       absent_expected     UNION
visit       absent_expected.alone_with_child  PROTECT Y
visit       purpose             MERGE
visit       plan_lines          UNION
visit       setting             OWN
visit       household_summary   MERGE
visit       worker_raw_note     LOG
visit       next_visit          HUMAN
visit       manager_alert       LOG

visit_child visit               HUMAN    ours: which visit this is a part of
visit_child child               HUMAN    ours: whose part it is
visit_child seen                PROTECT N
visit_child spoken_to           PROTECT N
visit_child seen_alone          PROTECT N
visit_child not_alone_reason    HUMAN
visit_child not_alone_note      HUMAN
visit_child awake               PROTECT N
visit_child bedroom_seen        PROTECT N
visit_child sleeping_place      HUMAN
visit_child presentation        MERGE
visit_child interaction         MERGE
visit_child health              MERGE
visit_child education           MERGE
visit_child child_words         LOG
visit_child tools_used          UNION
visit_child injury_seen         PROTECT Y
visit_child body_map            LOG
visit_child analysis            HUMAN
visit_child worry_level_change  OWN
visit_child counts_as_statutory DERIVED

plan        status              SERVER
plan        children            UNION    ours: whom the plan protects
plan        review_date         HUMAN
plan        bottom_lines        HUMAN
plan        rules               UNION KEEP
plan        rules.text          HUMAN
plan        rules.who           HUMAN
plan        rules.when          HUMAN
plan        rules.family_knows  HUMAN
plan        rules.how_checked   HUMAN
plan        rules.checked_by    HUMAN
plan        rules.start         HUMAN
plan        rules.status        PROTECT IN_FORCE
plan        network             UNION KEEP
plan        network.poses_risk  PROTECT Y
plan        triggers            UNION
plan        contingency         HUMAN
plan        trajectory          UNION
plan        trajectory.date     HUMAN
plan        trajectory.expected MERGE
plan        trajectory.evidence MERGE
plan        monitoring          LOG
plan        views               OWN
plan        signatures          LOG
plan        shares              LOG

action      description         MERGE
action      owner               HUMAN
action      due                 HUMAN
action      plan_link           HUMAN
action      status              PROTECT OPEN
action      status_reason       HUMAN
`

var ruleOfDomain = map[string]schema.Rule{
	"HUMAN": schema.Human, "MERGE": schema.Text, "UNION": schema.Union, "OWN": schema.Own, "LOG": schema.Log,
	"LATEST": schema.Latest, "SERVER": schema.Server, "PROTECT": schema.Protect, "DERIVED": schema.Derived,
}

func TestRulesFollowTheDomainTable(t *testing.T) {
	listed := map[string]bool{}
	for line := range strings.Lines(domainTable) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		kindID, path, rule := words[0], words[1], words[2]
		listed[kindID+" "+path] = true
		field, sub, _ := strings.Cut(path, ".")
		kind, ok := schema.Newest(kindID)
		if !ok {
			t.Errorf("no kind %q", kindID)
			continue
		}
		f, ok := kind.At(field, sub)
		if !ok {
			t.Errorf("%s: no field %q", kindID, path)
			continue
		}
		if want := ruleOfDomain[rule]; f.Rule != want || want == 0 {
			t.Errorf("%s.%s: rule %v, want %s", kindID, path, f.Rule, rule)
		}
		if keep := slices.Contains(words, "KEEP"); f.KeepRemoved != keep {
			t.Errorf("%s.%s: KeepRemoved %v, want %v", kindID, path, f.KeepRemoved, keep)
		}
		if rule == "PROTECT" && (len(f.Protective) == 0 || !f.Protective[0].Equal(cbor.Text(words[3]))) {
			t.Errorf("%s.%s: %s is not the most protective value", kindID, path, words[3])
		}
	}
	for _, k := range schema.All() {
		for _, f := range k.Fields {
			if !listed[k.ID+" "+f.ID] {
				t.Errorf("%s.%s is not in the domain table", k.ID, f.ID)
			}
			for _, s := range f.Sub {
				if s.Rule == schema.Protect && !listed[k.ID+" "+f.ID+"."+s.ID] {
					t.Errorf("%s.%s.%s protects, and is not in the domain table", k.ID, f.ID, s.ID)
				}
			}
		}
	}
}

// labelTable groups fields by class where domain rules section 5 says so, or where
// it follows from it: codes, links and dates of typing are administrative; seen,
// alone, present and times are attested; quotes and raw notes are verbatim;
// analysis, plans and decisions are judgement.
var labelTable = map[schema.Label][]string{
	schema.Admin: {
		"family.name", "family.reference", "person.upn", "person.nhs_no", "person.la_child_id", "person.language",
		"person.interpreter", "allocation.worker", "status.kind", "status.visit_frequency", "visit.planned",
		"visit.plan_lines", "action.plan_link",
	},
	schema.Attested: {
		"person.names", "person.dob", "person.ethnicity", "person.hazard", "visit.visit_type", "visit.start", "visit.end",
		"visit.contact_mode", "visit.announced", "visit.place", "visit.outcome", "visit.workers", "visit.present",
		"visit.setting", "visit.household_summary", "visit_child.seen", "visit_child.seen_alone", "visit_child.spoken_to",
		"visit_child.bedroom_seen", "visit_child.injury_seen", "visit_child.body_map", "plan.monitoring",
		"plan.signatures", "plan.views", "action.status", "action.due",
	},
	schema.Verbatim: {"visit.worker_raw_note", "visit_child.child_words"},
	schema.Judgement: {
		"visit.purpose", "visit_child.analysis", "visit_child.worry_level_change", "plan.rules", "plan.network",
		"plan.bottom_lines", "plan.contingency", "plan.status", "action.description",
	},
}

func TestLabelsFollowTheFieldClasses(t *testing.T) {
	for label, fields := range labelTable {
		for _, path := range fields {
			kindID, field, _ := strings.Cut(path, ".")
			kind, _ := schema.Newest(kindID)
			f, ok := kind.Field(field)
			if !ok || f.Label != label {
				t.Errorf("%s: not labelled %v", path, label)
			}
		}
	}
}

// Code sets transcribed from domain rules; labels are ours.
func TestCodeSetsFollowTheDomain(t *testing.T) {
	cases := []struct{ path, codes string }{
		{"visit.visit_type", "CIN CP CLA S47 ASSESS PRIVFOST ADOPT CARELEAVER EARLYHELP DISAB_SB YJ FIT RHI VOLUNTEER JOINT OTHER"},
		{"visit.contact_mode", "IN_PERSON VIDEO PHONE"},
		{"visit.announced", "ANNOUNCED UNANNOUNCED"},
		{"visit.place", "HOME PLACEMENT SCHOOL FAMILY_MEMBER OFFICE COMMUNITY CUSTODY OTHER"},
		{"visit.outcome", "COMPLETED NO_ACCESS NO_REPLY REFUSED CANCELLED_FAMILY CANCELLED_SERVICE ABANDONED_SAFETY"},
		{"visit_child.seen", "Y N"},
		{"visit_child.seen_alone", "Y N NA_INFANT"},
		{"visit_child.spoken_to", "Y N NA_INFANT"},
		{"visit_child.not_alone_reason", "REFUSED INAPPROPRIATE UNABLE"},
		{"visit_child.tools_used.tool", "THREE_HOUSES FAIRY WIZARD SAFETY_HOUSE WORDS_PICTURES OTHER"},
		{"plan.status", "DRAFT AGREED ACTIVE UNDER_REVIEW ENDED SUPERSEDED"},
		{"action.status", "OPEN DONE OVERDUE CANCELLED"},
		{"allocation.role", "LEAD CO COORD CLIN FIT VOL MET CHAIR IRO PA EDT"},
		{"allocation.sw_reason", "MANAGE FCONTA LEFTRL ORGRST TSPROC ABSENC CHCHAN PCCHAN SWDIED OTHERS"},
		{"status.kind", "CIN CP CLA CL EH S47 ASSESS YJ DISAB"},
		{"status.category_initial", "NEG PHY SAB EMO MUL"},
		{"status.primary_need", "N1 N2 N3 N4 N5 N6 N7 N8 N9 N0"},
		{"status.legal_status", "C1 C2 D1 E1 V2 V3 V4 J1 J2 J3 L1 L2 L3"},
		{"status.placement_type", "A3 A4 A5 A6 H5 K1 K2 P1 P2 P3 R1 R2 R3 R5 S1 T0 T1 T2 T3 T4 U1 U2 U3 U4 U5 U6 Z1"},
		{"status.provider", "PR0 PR1 PR2 PR3 PR4 PR5"},
		{"person.sex", "F M U"},
		{"person.ethnicity", "WBRI WIRI WOTH WIRT WROM MWBC MWBA MWAS MOTH AIND APKN ABAN AOTH BCRB BAFR BOTH CHNE OOTH REFU NOBT"},
		{"person.disability.code", "NONE MOB HAND PC INC COMM LD HEAR VIS BEH CON AUT DDA"},
	}
	for _, c := range cases {
		path := strings.Split(c.path+".", ".")
		kind, _ := schema.Newest(path[0])
		f, ok := kind.At(path[1], path[2])
		if !ok {
			t.Errorf("%s: no such field", c.path)
			continue
		}
		want := strings.Fields(c.codes)
		var got []string
		for _, code := range f.Codes {
			got = append(got, code.Code)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: codes %v, want %v", c.path, got, want)
		}
	}
}
