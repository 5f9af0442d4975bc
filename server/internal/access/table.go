package access

import (
	"slices"

	"doorstep/syncproto/schema"
)

// table is the whole of who may do what (domain rules, section (c), with R17, R18
// and R22 to R25, section 5 and section 7). A row that denies beats all; what no
// row allows is denied. The order of the rows does not matter.
//
// Where the page is open to two readings, the row says which was taken.
var table = slices.Concat(denials, caseWork, besideTheCase, teamWork, oversight)

// denials are what nobody, or nobody of a kind, may ever do.
var denials = []row{
	{id: "kept-out", effect: deny, bases: []Basis{BasisDenied, BasisRelative},
		why: "the person is kept out of this family"},
	{id: "it-no-content", effect: deny, roles: []Role{RoleIT}, groups: content,
		why: "IT administration never sees or changes content"},
	{id: "not-an-import", effect: deny, roles: people, only: whenImported,
		why: "only the borough's import may say that words were imported"},
	{id: "restricted", effect: deny, roles: letIn, only: whenShutOut,
		why: "the file is restricted, and nobody let the person in"},
	{id: "restricted-to-all", effect: deny, roles: neverLetIn, only: whenRestricted,
		why: "the file is restricted, and people of this role cannot be let in"},
	// An emergency opens a restricted file for emergency duty alone, and the
	// pre-adoption file for nobody.
	{id: "adoption-stays-shut", effect: deny, bases: []Basis{BasisBreakGlass}, only: whenAdoption,
		why: "the file from before an adoption is not opened in an emergency"},
	{id: "not-on-tablets", effect: deny, actions: []Action{ActionCarry}, only: whenRestricted,
		why: "restricted files and those from before an adoption are never kept on a tablet"},
	{id: "verbatim-stays", effect: deny, labels: []schema.Label{schema.Verbatim},
		actions: []Action{ActionEdit, ActionEditOwn, ActionEditOther, ActionPrepare, ActionRemove, ActionDecide, ActionApprove, ActionCorrect},
		why:     "words as they were spoken are never changed"},
	{id: "entry-stays", effect: deny, rules: []schema.Rule{schema.Log}, actions: changing,
		why: "an entry of a log is never edited or taken out"},
	{id: "computed", effect: deny, rules: []schema.Rule{schema.Derived},
		why: "what is worked out is never written"},
	{id: "order-decides", effect: deny, rules: []schema.Rule{schema.Server}, actions: []Action{ActionDecide, ActionApprove},
		why: "the server's order decides this field"},
}

// caseWork is what practitioners do on the families they are allocated to, or
// join or cover by a grant, and what the others see of them.
var caseWork = []row{
	// "C R E" is read as all that happens in the work with a family: the page's own
	// records of systemic work, consultations, missing episodes, return interviews and
	// exploitation among them, for it restricts others to these and nobody from them.
	// The column "MET intel" is then of intelligence alone, which MET workers write.
	{id: "case-read", effect: allow, roles: practitioners, bases: onCase, groups: slices.Concat(file, metGroups, volunteering),
		actions: having,
		why:     "workers on the case read the whole file"},
	{id: "case-write", effect: allow, roles: practitioners, bases: onCase, groups: written, labels: everyLabel,
		actions: writing,
		why:     "workers on the case write what they saw, heard and think"},
	{id: "case-create", effect: allow, roles: practitioners, bases: onCase, groups: slices.Concat(written, []Group{GroupDisclosure}),
		actions: begin,
		why:     "workers on the case begin records"},
	{id: "case-decide-admin", effect: allow, roles: practitioners, bases: onCase, groups: written, labels: adminOnly,
		actions: []Action{ActionDecide},
		why:     "any worker on the case settles administrative details"},
	{id: "lead-decides", effect: allow, roles: practitioners, bases: lead, groups: written, labels: []schema.Label{schema.Attested, schema.Judgement},
		actions: []Action{ActionDecide},
		why:     "the lead worker answers for facts and judgements"},
	{id: "author-decides", effect: allow, roles: practitioners, bases: coOnCase, groups: written, labels: []schema.Label{schema.Judgement},
		actions: []Action{ActionDecide}, only: whoBegan,
		why: "a judgement belongs to the author of the record"},
	{id: "case-hand-over", effect: allow, roles: practitioners, bases: onCase, groups: confirmed,
		actions: []Action{ActionHandOver, ActionAnswer},
		why:     "workers on the case hand over and answer"},
	// The page names confirming for social workers; section 5 asks it of every
	// author, or what another practitioner wrote could never become final.
	{id: "case-confirm", effect: allow, roles: practitioners, bases: onCase, groups: confirmed,
		actions: []Action{ActionConfirm}, only: whoWrote,
		why: "whoever wrote in the record stands by it"},
	{id: "case-addendum", effect: allow, roles: practitioners, bases: onCase, groups: confirmed,
		actions: []Action{ActionAddendum},
		why:     "workers on the case add what came to light later"},
	{id: "lead-correct", effect: allow, roles: practitioners, bases: lead, groups: confirmed, labels: notVerbatim,
		actions: []Action{ActionCorrect},
		why:     "the lead worker corrects, with both versions shown"},
	{id: "author-correct", effect: allow, roles: practitioners, bases: coOnCase, groups: confirmed, labels: notVerbatim,
		actions: []Action{ActionCorrect}, only: whoWrote,
		why: "whoever wrote in the record corrects it, with both versions shown"},
	{id: "case-queue", effect: allow, roles: practitioners, bases: onCase, groups: confirmed,
		actions: []Action{ActionQueue}, only: whoWrote,
		why: "workers see what becomes of their own drafts"},
	{id: "team-mates-read", effect: allow, roles: []Role{RoleSocialWorker}, bases: []Basis{BasisTeam}, groups: slices.Concat(linked, []Group{GroupMeeting}),
		actions: reading,
		why:     "social workers read their own team's files online, which is logged"},

	// What was told in confidence: its author, and who was let in.
	{id: "confidence-own", effect: allow, roles: practitioners, bases: onCase, groups: []Group{GroupDisclosure},
		actions: reading, only: whoWrote,
		why: "whoever was told something in confidence sees what they wrote"},
	{id: "confidence-write", effect: allow, roles: practitioners, bases: onCase, groups: []Group{GroupDisclosure}, labels: everyLabel,
		actions: writing, only: whoBegan,
		why: "what was told in confidence is written by whom it was told"},
	{id: "confidence-let-in", effect: allow, roles: practitioners, bases: onCase, groups: []Group{GroupDisclosure},
		actions: reading, only: whenNamed,
		why: "who was let in reads what was told in confidence"},

	{id: "case-emergencies", effect: allow, roles: practitioners, bases: []Basis{BasisLead, BasisCo, BasisPA}, groups: []Group{GroupBreakGlass},
		actions: reading,
		why:     "workers on the case are told that their file was opened in an emergency"},
	{id: "own-time", effect: allow, roles: people[:len(people)-1], bases: self, groups: []Group{GroupTime}, labels: everyLabel,
		actions: []Action{ActionEditOwn, ActionAdd},
		why:     "everybody writes their own time"},
	{id: "own-time-begin", effect: allow, roles: people[:len(people)-1], bases: self, groups: []Group{GroupTime},
		actions: []Action{ActionRead, ActionCarry, ActionCreate},
		why:     "everybody keeps their own time"},
	{id: "own-supervision", effect: allow, roles: supervised, bases: self, groups: []Group{GroupPersonal},
		actions: having,
		why:     "the personal part of supervision is the supervisee's"},
	{id: "own-supervision-write", effect: allow, roles: supervised, bases: self, groups: []Group{GroupPersonal}, labels: everyLabel,
		actions: []Action{ActionEditOwn, ActionAdd},
		why:     "the supervisee writes their own part"},
	{id: "own-report", effect: allow, roles: []Role{RoleSocialWorker, RolePractitioner, RoleChair}, bases: self, groups: []Group{GroupReport},
		actions: reading,
		why:     "people see figures about their own work"},
}

// besideTheCase is what specialists and volunteers do.
var besideTheCase = []row{
	// Clinical practitioners, on their cases and by a grant for a consultation.
	{id: "clinician-read", effect: allow, roles: []Role{RoleClinician}, bases: consulted, groups: slices.Concat(file, missing),
		actions: having,
		why:     "clinical practitioners read the case that they are consulted on"},
	{id: "clinician-write", effect: allow, roles: []Role{RoleClinician}, bases: consulted, groups: []Group{GroupConsult}, labels: everyLabel,
		actions: writing,
		why:     "clinical practitioners write consultations and systemic work"},
	{id: "clinician-create", effect: allow, roles: []Role{RoleClinician}, bases: consulted, groups: []Group{GroupConsult},
		actions: begin,
		why:     "clinical practitioners begin consultations"},
	{id: "clinician-joint-confirm", effect: allow, roles: []Role{RoleClinician}, bases: []Basis{BasisJoint}, groups: []Group{GroupVisit},
		actions: []Action{ActionConfirm}, only: whoWrote,
		why: "each worker of a joint visit stands by it"},
	{id: "clinician-joint", effect: allow, roles: []Role{RoleClinician}, bases: []Basis{BasisJoint}, groups: []Group{GroupVisit}, labels: everyLabel,
		actions: []Action{ActionEditOwn, ActionAdd},
		why:     "on a joint visit a clinical practitioner has a part of their own"},

	// FIT specialists.
	{id: "fit-read", effect: allow, roles: []Role{RoleFIT}, bases: []Basis{BasisFIT}, groups: []Group{GroupCore, GroupPlan, GroupFIT, GroupVolunteerLog},
		actions: having,
		why:     "FIT specialists read the plan of the linked child, and their sessions"},
	{id: "fit-write", effect: allow, roles: []Role{RoleFIT}, bases: []Basis{BasisFIT}, groups: []Group{GroupFIT}, labels: everyLabel,
		actions: writing,
		why:     "FIT specialists write sessions with adults"},
	{id: "fit-create", effect: allow, roles: []Role{RoleFIT}, bases: []Basis{BasisFIT}, groups: []Group{GroupFIT, GroupDisclosure},
		actions: begin,
		why:     "FIT specialists begin sessions, and what they were told in confidence"},

	{id: "fit-confidence-own", effect: allow, roles: []Role{RoleFIT}, bases: []Basis{BasisFIT}, groups: []Group{GroupDisclosure},
		actions: reading, only: whoWrote,
		why: "whoever was told something in confidence sees what they wrote"},
	{id: "fit-confidence-write", effect: allow, roles: []Role{RoleFIT}, bases: []Basis{BasisFIT}, groups: []Group{GroupDisclosure}, labels: everyLabel,
		actions: writing, only: whoBegan,
		why: "what was told in confidence is written by whom it was told"},
	{id: "fit-confidence-let-in", effect: allow, roles: []Role{RoleFIT}, bases: []Basis{BasisFIT}, groups: []Group{GroupDisclosure},
		actions: reading, only: whenNamed,
		why: "who was let in reads what was told in confidence"},

	// MET workers.
	{id: "met-read", effect: allow, roles: []Role{RoleMET}, bases: []Basis{BasisMET}, groups: slices.Concat(linked, metGroups, []Group{GroupExtract}),
		actions: having,
		why:     "MET workers read all about missing and exploitation, and the file linked to it"},
	{id: "met-write", effect: allow, roles: []Role{RoleMET}, bases: []Basis{BasisMET}, groups: slices.Concat(metGroups, []Group{GroupExtract}), labels: everyLabel,
		actions: writing,
		why:     "MET workers write about missing and exploitation, and what is shared of it"},
	{id: "met-create", effect: allow, roles: []Role{RoleMET}, bases: []Basis{BasisMET}, groups: slices.Concat(metGroups, []Group{GroupExtract}),
		actions: begin,
		why:     "MET workers begin these records"},
	{id: "missing-list", effect: allow, roles: []Role{RoleMET}, bases: []Basis{BasisMissing}, groups: []Group{GroupMissing},
		actions: reading,
		why:     "MET workers see the authority's missing list"},

	// What is handed over, confirmed and put right by those who work beside the case.
	{id: "specialist-hand-over", effect: allow, roles: []Role{RoleClinician}, bases: consulted, groups: []Group{GroupConsult},
		actions: []Action{ActionHandOver, ActionAnswer, ActionAddendum},
		why:     "clinical practitioners hand over and answer"},
	{id: "fit-hand-over", effect: allow, roles: []Role{RoleFIT}, bases: []Basis{BasisFIT}, groups: []Group{GroupFIT},
		actions: []Action{ActionHandOver, ActionAnswer, ActionAddendum},
		why:     "FIT specialists hand over and answer"},
	{id: "met-hand-over", effect: allow, roles: []Role{RoleMET}, bases: []Basis{BasisMET}, groups: missing,
		actions: []Action{ActionHandOver, ActionAnswer, ActionAddendum},
		why:     "MET workers hand over and answer"},
	{id: "chair-hand-over", effect: allow, roles: []Role{RoleChair}, bases: chairs, groups: []Group{GroupReview},
		actions: []Action{ActionHandOver, ActionAnswer, ActionAddendum},
		why:     "chairs hand over and answer"},
	{id: "specialist-confirm", effect: allow, roles: []Role{RoleClinician}, bases: consulted, groups: []Group{GroupConsult},
		actions: []Action{ActionConfirm, ActionQueue}, only: whoWrote,
		why: "whoever wrote in the record stands by it, and sees what becomes of it"},
	{id: "fit-confirm", effect: allow, roles: []Role{RoleFIT}, bases: []Basis{BasisFIT}, groups: []Group{GroupFIT},
		actions: []Action{ActionConfirm, ActionQueue}, only: whoWrote,
		why: "whoever wrote in the record stands by it, and sees what becomes of it"},
	{id: "met-confirm", effect: allow, roles: []Role{RoleMET}, bases: []Basis{BasisMET}, groups: missing,
		actions: []Action{ActionConfirm, ActionQueue}, only: whoWrote,
		why: "whoever wrote in the record stands by it, and sees what becomes of it"},
	{id: "chair-confirm", effect: allow, roles: []Role{RoleChair}, bases: chairs, groups: []Group{GroupReview},
		actions: []Action{ActionConfirm}, only: whoWrote,
		why: "whoever wrote in the record stands by it"},
	{id: "specialist-decide", effect: allow, roles: []Role{RoleClinician}, bases: consulted, groups: []Group{GroupConsult}, labels: notVerbatim,
		actions: []Action{ActionDecide, ActionCorrect}, only: whoBegan,
		why: "the author of a consultation answers for it"},
	{id: "fit-decide", effect: allow, roles: []Role{RoleFIT}, bases: []Basis{BasisFIT}, groups: []Group{GroupFIT}, labels: notVerbatim,
		actions: []Action{ActionDecide, ActionCorrect}, only: whoBegan,
		why: "the author of a session answers for it"},
	{id: "met-decide", effect: allow, roles: []Role{RoleMET}, bases: []Basis{BasisMET}, groups: metGroups, labels: notVerbatim,
		actions: []Action{ActionDecide, ActionCorrect},
		why:     "MET workers answer for what is known about missing and exploitation"},

	// Volunteers and who coordinates them.
	{id: "volunteer-sheet", effect: allow, roles: []Role{RoleVolunteer}, bases: []Basis{BasisVol}, groups: []Group{GroupMatch},
		actions: having,
		why:     "a volunteer has the information sheet, and no more of the family"},
	{id: "volunteer-own", effect: allow, roles: []Role{RoleVolunteer}, bases: []Basis{BasisVol}, groups: []Group{GroupVolunteerLog, GroupConcern},
		actions: reading, only: whoWrote,
		why: "a volunteer sees their own log and concerns"},
	{id: "volunteer-log", effect: allow, roles: []Role{RoleVolunteer}, bases: []Basis{BasisVol}, groups: []Group{GroupVolunteerLog, GroupConcern}, labels: everyLabel,
		actions: []Action{ActionEditOwn, ActionAdd},
		why:     "a volunteer writes what they saw, and nobody rewrites it"},
	{id: "volunteer-begin", effect: allow, roles: []Role{RoleVolunteer}, bases: []Basis{BasisVol}, groups: []Group{GroupVolunteerLog, GroupConcern},
		actions: begin,
		why:     "a volunteer keeps a log and raises concerns"},
	{id: "programme-read", effect: allow, roles: []Role{RoleVolunteerCoord}, bases: []Basis{BasisProgramme}, groups: volunteering,
		actions: reading,
		why:     "volunteer coordinators read matches, logs and concerns of their programme"},
	// What is matched is decided by the server's order, so that who matches must hear of it
	// wherever they write.
	{id: "programme-carry", effect: allow, roles: []Role{RoleVolunteerCoord}, bases: []Basis{BasisProgramme}, groups: []Group{GroupMatch},
		actions: []Action{ActionCarry},
		why:     "volunteer coordinators have the matches of their programme with them"},
	{id: "programme-write", effect: allow, roles: []Role{RoleVolunteerCoord}, bases: []Basis{BasisProgramme}, groups: []Group{GroupMatch, GroupConcern}, labels: everyLabel,
		actions: writing,
		why:     "volunteer coordinators match, write information sheets and follow concerns up"},
	{id: "programme-create", effect: allow, roles: []Role{RoleVolunteerCoord}, bases: []Basis{BasisProgramme}, groups: []Group{GroupMatch, GroupConcern},
		actions: begin,
		why:     "volunteer coordinators match volunteers"},
	{id: "programme-approve", effect: allow, roles: []Role{RoleVolunteerCoord}, bases: []Basis{BasisProgramme}, groups: []Group{GroupVolunteerLog}, labels: notVerbatim,
		actions: []Action{ActionApprove},
		why:     "volunteer coordinators approve logs"},

	// Chairs of conferences and independent reviewing officers.
	{id: "chair-read", effect: allow, roles: []Role{RoleChair}, bases: chairs, groups: slices.Concat(linked, metGroups),
		actions: having,
		why:     "chairs read the child, the plan and the visits of the families assigned to them"},
	{id: "chair-write", effect: allow, roles: []Role{RoleChair}, bases: chairs, groups: []Group{GroupReview}, labels: everyLabel,
		actions: writing,
		why:     "chairs write reviews"},
	{id: "chair-create", effect: allow, roles: []Role{RoleChair}, bases: chairs, groups: []Group{GroupReview},
		actions: begin,
		why:     "chairs begin reviews"},

	// Partner agencies. "Own agency" is read as what the person brought in
	// themselves, as long as accounts do not say which agency they are of.
	{id: "partner-read", effect: allow, roles: []Role{RolePartner}, bases: []Basis{BasisShared}, groups: []Group{GroupExtract},
		actions: reading,
		why:     "a partner agency sees the extract that is shared with it"},
	{id: "partner-own", effect: allow, roles: []Role{RolePartner}, bases: []Basis{BasisShared}, groups: []Group{GroupIntelligence},
		actions: reading, only: whoWrote,
		why: "a partner agency sees the intelligence that it gave"},
	{id: "partner-begin", effect: allow, roles: []Role{RolePartner}, bases: []Basis{BasisShared}, groups: []Group{GroupIntelligence},
		actions: begin,
		why:     "a partner agency gives intelligence"},
	{id: "partner-write", effect: allow, roles: []Role{RolePartner}, bases: []Basis{BasisShared}, groups: []Group{GroupIntelligence}, labels: everyLabel,
		actions: []Action{ActionEdit, ActionEditOwn, ActionAdd}, only: whoBegan,
		why: "a partner agency writes the intelligence that it gives"},

	// Emergency duty. What is there is only read; the emergency visit is new.
	{id: "emergency-visit", effect: allow, roles: []Role{RoleEDT}, bases: []Basis{BasisEDT, BasisBreakGlass}, groups: []Group{GroupVisit},
		actions: begin,
		why:     "emergency duty records the emergency visit"},
	{id: "emergency-write", effect: allow, roles: []Role{RoleEDT}, bases: []Basis{BasisEDT, BasisBreakGlass}, groups: []Group{GroupVisit}, labels: everyLabel,
		actions: writing, only: whoBegan,
		why: "emergency duty writes the emergency visit"},
	{id: "emergency-confirm", effect: allow, roles: []Role{RoleEDT}, bases: []Basis{BasisEDT, BasisBreakGlass}, groups: []Group{GroupVisit},
		actions: []Action{ActionRead, ActionHandOver, ActionAnswer, ActionConfirm}, only: whoBegan,
		why: "emergency duty stands by the emergency visit and hands it over"},
}
