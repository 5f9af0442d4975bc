package schema_test

import (
	"slices"
	"strings"
	"testing"

	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// domainTable is written down from domain rules, sections R1 to R19, by
// hand and apart from the schema: kind, field, and the conflict column. A value
// after PROTECT is the protective one; KEEP means that a removal must be decided.
// "own" in the third place marks a field that domain rules does not list, with why.
const domainTable = `
person      names               HUMAN
person      known_as            LATEST
person      pronouns            HUMAN
person      dob                 HUMAN
person      expected_dob        HUMAN
person      died                HUMAN
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

child_tool  child               HUMAN    ours: whose it is
child_tool  tool                HUMAN    ours: R6 names no rule for it
child_tool  done_on             HUMAN    ours: when
child_tool  visit               HUMAN    ours: on which visit
child_tool  panels              LOG
child_tool  may_share           PROTECT N  ours: a child's No to sharing stands
child_tool  share_with          UNION    ours: with whom
child_tool  storyboard          HUMAN
child_tool  agreed_by           UNION
child_tool  explained           LOG

mapping     children            UNION    ours: the scope
mapping     held_on             HUMAN    ours: when
mapping     harm                UNION
mapping     complicating        UNION
mapping     strengths           UNION
mapping     existing_safety     UNION
mapping     dangers             UNION KEEP  ours: statement and goal in one element, so that they pair
mapping     dangers.what        HUMAN
mapping     dangers.impact      HUMAN
mapping     dangers.goal_parents  HUMAN
mapping     dangers.goal_child  HUMAN
mapping     dangers.goal_seen   HUMAN
mapping     dangers.goal_how_long HUMAN
mapping     disputes            OWN
mapping     scores              OWN
mapping     next_steps          UNION

motivational person             HUMAN    ours: whose
motivational held_on            HUMAN    ours: when
motivational process            HUMAN    ours: where the conversation was
motivational focus              HUMAN
motivational rulers             OWN
motivational quotes             LOG
motivational agreed_steps       UNION    ours: as the next steps of a mapping

systemic    held_on             HUMAN    ours: when
systemic    present             UNION    ours: as on a visit
systemic    present.alone_with_child  PROTECT Y
systemic    hypotheses          UNION
systemic    hypotheses.status   LATEST
systemic    interventions       OWN
systemic    response            OWN
systemic    reflections         OWN

parenting   parent              HUMAN    ours: whose
parenting   children            UNION    ours: for whom
parenting   programme           HUMAN
parenting   programme_other     HUMAN
parenting   from                HUMAN
parenting   to                  HUMAN
parenting   end_reason          HUMAN
parenting   sessions            UNION    ours: sessions are added, none is lost
parenting   sessions.attendance HUMAN
parenting   measures            LOG

fit_session adult               HUMAN
fit_session children            UNION    ours: for whom it is held
fit_session held_on             HUMAN    ours: when
fit_session strand              HUMAN
fit_session module              HUMAN
fit_session work_done           OWN      ours: each worker's own account
fit_session scores              LOG
fit_session child_impact        MERGE
fit_session goals               UNION

disclosure  person              HUMAN    ours: who told it
disclosure  session             HUMAN    ours: where
disclosure  told_at             HUMAN    ours: when
disclosure  alone               PROTECT N  ours: the victim alone
disclosure  words               LOG      ours: words as spoken
disclosure  note                OWN      ours: the worker's own
disclosure  restricted          PROTECT Y
disclosure  hide_from           HUMAN    ours: R7 domestic abuse
disclosure  safe_contact        HUMAN    ours: R7 domestic abuse
disclosure  done                MERGE    ours: what was done

missing_episode child           HUMAN    ours: who
missing_episode state           PROTECT OPEN
missing_episode type            HUMAN
missing_episode start           HUMAN
missing_episode start_basis     HUMAN
missing_episode last_seen       LOG
missing_episode companions      UNION
missing_episode police_told     PROTECT N  ours: a false Yes stops somebody ringing
missing_episode police_ref      HUMAN
missing_episode grade           PROTECT HIGH  ours: under-grading is the dangerous error
missing_episode end             HUMAN
missing_episode found_place     HUMAN
missing_episode harmed          PROTECT Y  ours: one worker seeing harm is enough
missing_episode harm            HUMAN
missing_episode prevention_check LOG

return_interview child          HUMAN    ours: who
return_interview episode        HUMAN    ours: after which episode
return_interview returned_at    HUMAN    ours: the clock's start
return_interview due            DERIVED
return_interview offered        PROTECT N  ours: overclaiming hides a gap
return_interview offered_at     HUMAN
return_interview not_offered_why HUMAN
return_interview accepted       HUMAN
return_interview not_held_why   HUMAN
return_interview held_at        HUMAN
return_interview place          HUMAN
return_interview interviewer    HUMAN
return_interview independent    PROTECT N  ours: overclaiming hides a gap
return_interview child_words    LOG
return_interview push           UNION
return_interview pull           UNION
return_interview where          HUMAN
return_interview with_whom      HUMAN
return_interview travel         HUMAN
return_interview harm           HUMAN
return_interview carer_account  OWN
return_interview prevent        MERGE

intelligence about              HUMAN    ours: which child
intelligence episode            HUMAN    ours: which episode
intelligence text               HUMAN    ours: what is known
intelligence source             HUMAN    ours: from whom
intelligence share_with_partner PROTECT N

exploitation child              HUMAN    ours: who
exploitation assessed_on        HUMAN    ours: when
exploitation types              UNION    ours: one child, several kinds; none is lost
exploitation indicators         UNION KEEP
exploitation indicators.code    HUMAN
exploitation indicators.level   PROTECT CURRENT_3M
exploitation indicators.explanation HUMAN
exploitation score              DERIVED
exploitation grade              PROTECT HIGH
exploitation professional_judgement HUMAN
exploitation overrides          HUMAN
exploitation override_reason    HUMAN
exploitation reviewed_by        HUMAN
exploitation reviewed_on        HUMAN

nrm_referral person             SERVER
nrm_referral under_18           SERVER
nrm_referral safeguarding       LOG
nrm_referral prompts            LOG
nrm_referral decision           SERVER
nrm_referral decision_why       SERVER
nrm_referral manager            SERVER
nrm_referral sent_at            SERVER
nrm_referral reference          SERVER
nrm_referral rg_decision        SERVER
nrm_referral cg_decision        SERVER
nrm_referral ictg               SERVER

volunteer_match volunteer       SERVER
volunteer_match supervisor      SERVER
volunteer_match from            SERVER
volunteer_match to              SERVER
volunteer_match dbs_expiry      SERVER
volunteer_match tasks           SERVER
volunteer_match info_sheet      SERVER
volunteer_log   contact         OWN
volunteer_concern concern       LOG
volunteer_concern response      LOG      ours: what came of it

supervision     held_on         HUMAN
supervision     attendees       UNION
supervision     children        UNION
supervision     question        HUMAN    ours: R18 names no rule for it
supervision     hypotheses      UNION
supervision     hypotheses.status LATEST
supervision     ideas           UNION
supervision     summary         MERGE
supervision     decision        HUMAN
supervision     rationale       HUMAN
supervision     manager         HUMAN
supervision     actions         UNION
supervision_personal supervisee HUMAN    ours: whose
supervision_personal held_on    HUMAN    ours: when
supervision_personal wellbeing  OWN
supervision_personal reflection OWN
supervision_personal development OWN
observation     worker          HUMAN    ours: whose
observation     held_on         HUMAN    ours: when
observation     consent         PROTECT N  ours: a family's No stands
observation     seen            OWN
observation     strengths       OWN
observation     ideas           OWN
minutes     type                HUMAN    ours: a meeting that policy asks for is known by its minutes
minutes     meeting             HUMAN    ours: minutes are named, and typed like a visit
minutes     start               HUMAN    ours: as of a visit
minutes     attendees           UNION
minutes     discussed           MERGE
minutes     actions             UNION

action      description         MERGE
action      owner               HUMAN
action      due                 HUMAN
action      plan_link           HUMAN
action      status              PROTECT OPEN
action      status_reason       HUMAN
`

// sharedTable are the kinds whose fields are those of supervision, and so listed once.
var sharedTable = []string{"consultation", "reflective_group"}

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
		if slices.Contains(sharedTable, k.ID) {
			whole, _ := schema.Newest("supervision")
			if &k.Fields[0] != &whole.Fields[0] || len(k.Fields) != len(whole.Fields) {
				t.Errorf("%s does not share the fields of supervision", k.ID)
			}
			continue
		}
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
		"plan.signatures", "plan.views", "action.status", "action.due", "mapping.scores", "motivational.rulers",
		"missing_episode.start", "missing_episode.end", "missing_episode.state", "return_interview.offered",
		"return_interview.held_at", "exploitation.indicators", "parenting.sessions", "fit_session.scores",
	},
	schema.Verbatim: {"visit.worker_raw_note", "visit_child.child_words", "child_tool.panels", "motivational.quotes",
		"disclosure.words", "return_interview.child_words"},
	schema.Judgement: {
		"visit.purpose", "visit_child.analysis", "visit_child.worry_level_change", "plan.rules", "plan.network",
		"plan.bottom_lines", "plan.contingency", "plan.status", "action.description", "mapping.dangers", "mapping.harm",
		"systemic.hypotheses", "fit_session.child_impact", "exploitation.grade", "exploitation.professional_judgement",
		"nrm_referral.decision", "supervision.decision", "return_interview.prevent",
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
		{"child_tool.tool", "THREE_HOUSES FAIRY WIZARD SAFETY_HOUSE WORDS_PICTURES OTHER"},
		{"motivational.rulers.ruler", "IMPORTANCE CONFIDENCE READINESS"},
		{"motivational.quotes.talk", "CHANGE SUSTAIN"},
		{"motivational.quotes.kind", "DESIRE ABILITY REASON NEED COMMITMENT ACTIVATION TAKING_STEPS"},
		{"motivational.process", "ENGAGE FOCUS EVOKE PLAN"},
		{"systemic.hypotheses.status", "OPEN TRIED DROPPED"},
		{"parenting.programme", "INCREDIBLE_YEARS TRIPLE_P SFSC SFP_10_14 OTHER"},
		{"parenting.sessions.attendance", "ATTENDED PART MISSED"},
		{"parenting.measures.point", "PRE POST FOLLOWUP"},
		{"fit_session.strand", "DA SUBSTANCE MENTAL_HEALTH"},
		{"missing_episode.type", "M A"},
		{"missing_episode.grade", "NO_APPARENT LOW MEDIUM HIGH"},
		{"return_interview.offered", "Y N"},
		{"return_interview.accepted", "Y N NA"},
		{"return_interview.push.factor", "CONFLICT ABUSE SCHOOL PEERS PARTNER EXPLOITATION CONTACT PLACEMENT BOREDOM DRUGS MENTAL_HEALTH OTHER"},
		{"return_interview.pull.factor", "CONFLICT ABUSE SCHOOL PEERS PARTNER EXPLOITATION CONTACT PLACEMENT BOREDOM DRUGS MENTAL_HEALTH OTHER"},
		{"exploitation.types.type", "CSE CCE CL MDS TRAFFICKING"},
		{"exploitation.indicators.level", "CURRENT_3M RECENT_3_6M NONE UNKNOWN"},
		{"nrm_referral.decision", "REFER NOT_REFER"},
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
		for _, code := range f.Codes.All() {
			got = append(got, code.Code)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: codes %v, want %v", c.path, got, want)
		}
	}
}
