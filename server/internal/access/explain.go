package access

import (
	"strings"

	"doorstep/syncproto/schema"
)

// Explain answers a question in one or two plain sentences: what is decided, why,
// and, where it is denied, who may instead.
func Explain(q Question) string {
	d := Decide(q)
	verb := " may "
	if !d.Allow {
		verb = " may not "
	}
	s := subject(q) + verb + deed(q) + ": " + d.Reason + "."
	if d.Allow {
		return s
	}
	if others := whoMay(q); len(others) > 0 {
		return s + " Who may: " + strings.Join(others, "; ") + "."
	}
	return s + " Nobody may."
}

// ExplainAsker answers, in sentences of Explain, what a person may do with records
// of a kind: each action that is not about a field, and editing by field label.
func ExplainAsker(a Asker, kind string) []string {
	bases := a.Bases
	if len(bases) == 0 {
		bases = []Basis{BasisNone}
	}
	var out []string
	for _, n := range explained {
		best, told := a.question(bases[0], GroupOf(kind), n), Decision{}
		for i, basis := range bases {
			q := a.question(basis, GroupOf(kind), n)
			d := Decide(q)
			if !d.Allow && d.Row != "" {
				best = q
				break
			}
			if i == 0 || d.closerTo(told) {
				best, told = q, d
			}
		}
		out = append(out, Explain(best))
	}
	return out
}

// explained are the needs that ExplainAsker speaks of.
var explained = []Need{
	{Action: ActionRead}, {Action: ActionCarry}, {Action: ActionCreate},
	{Action: ActionEdit, Label: schema.Admin}, {Action: ActionEdit, Label: schema.Attested}, {Action: ActionEdit, Label: schema.Judgement},
	{Action: ActionAdd, Label: schema.Verbatim}, {Action: ActionEdit, Label: schema.Verbatim},
	{Action: ActionDecide, Label: schema.Attested}, {Action: ActionDecide, Label: schema.Judgement},
	{Action: ActionConfirm}, {Action: ActionFinalise}, {Action: ActionApprove, Label: schema.Judgement},
}

// whoMay lists who is allowed what was asked, each with the circumstance that it
// takes.
func whoMay(q Question) []string {
	var found []string
	for _, role := range append(Roles(), RoleImport) {
		footings := map[string][]string{}
		var order []string
		other := q
		other.Role = role
		rows := compiled.about(other)
		for _, basis := range everyBasis {
			other.Basis = basis
			words, ok := rows.circumstance(other)
			if !ok {
				continue
			}
			if footings[words] == nil {
				order = append(order, words)
			}
			footings[words] = append(footings[words], footing(other))
		}
		for _, words := range order {
			found = append(found, strings.TrimSpace(roleWords[role]+" "+strings.Join(footings[words], " or ")+words))
		}
	}
	return found
}

// circumstance is what it takes for a question to be allowed, in words: nothing,
// or authorship.
func (t *rules) circumstance(q Question) (words string, ok bool) {
	q.Imported = q.Role == RoleImport
	for _, a := range []Authorship{AuthorNot, AuthorWrote, AuthorBegan} {
		q.Authorship = a
		if _, ok := t.find(q); ok {
			return authorWords[a], true
		}
	}
	q.Authorship, q.Named = AuthorNot, true
	_, ok = t.find(q)
	return ", once let in", ok
}

var authorWords = [...]string{
	AuthorNot:   "",
	AuthorWrote: ", having written in the record",
	AuthorBegan: ", having begun the record",
}

var roleWords = map[Role]string{
	RoleSocialWorker: "a social worker", RolePractitioner: "a practitioner", RoleClinician: "a clinical practitioner",
	RoleFIT: "a FIT specialist", RoleCoordinator: "a coordinator", RoleSupport: "business support", RoleVolunteer: "a volunteer",
	RoleVolunteerCoord: "a volunteer coordinator", RoleManager: "a manager", RoleMET: "a MET worker",
	RolePartner: "a partner agency", RoleChair: "a chair or reviewing officer", RoleHeadOfPractice: "a head of clinical practice",
	RoleCoach: "a coach or learner", RoleEDT: "emergency duty", RoleAnalyst: "an analyst",
	RoleGovernance: "information governance", RoleAuditor: "an auditor or inspector", RoleIT: "an IT administrator",
	RoleImport: "the borough's import",
}

// Words says what the role is, for people.
func (r Role) Words() string {
	if words, ok := roleWords[r]; ok {
		return words
	}
	return "a person without a role"
}

// everyBasis lists the footings on which anything is allowed, in the order of the
// table.
var everyBasis = []Basis{
	BasisNone, BasisLead, BasisCo, BasisPA, BasisClin, BasisFIT, BasisVol, BasisMET, BasisChair, BasisIRO, BasisEDT,
	BasisTeam, BasisCoord, BasisManager, BasisSupport, BasisProgramme, BasisMissing, BasisJoint, BasisCover, BasisConsult,
	BasisSample, BasisRequest, BasisShared, BasisObserve, BasisBreakGlass, BasisSelf, BasisSupervisor, BasisOffice,
}

var basisWords = map[Basis]string{
	BasisNone: "with no relation to the family", BasisLead: "who is lead worker", BasisCo: "who is co-worker",
	BasisPA: "who is personal adviser", BasisClin: "who is the family's clinician", BasisFIT: "who works with an adult of the family",
	BasisVol: "who is matched with the family", BasisMET: "who works on missing and exploitation for the family",
	BasisChair: "who chairs the family's conference", BasisIRO: "who is the family's reviewing officer",
	BasisEDT: "to whom the family is handed in an emergency", BasisTeam: "who works in the family's team",
	BasisCoord: "who coordinates the family's team", BasisManager: "who manages the family's team",
	BasisSupport: "who supports the family's team", BasisProgramme: "who coordinates the family's volunteers",
	BasisMissing: "on whose missing list the family is", BasisJoint: "with a grant for a joint visit",
	BasisCover: "with a grant for cover", BasisConsult: "with a grant for a consultation", BasisSample: "with a grant for a sample",
	BasisRequest: "with a grant for a subject's request", BasisShared: "with whom something is shared",
	BasisObserve: "with a grant for an observed visit", BasisBreakGlass: "who opened the file in an emergency",
	BasisSelf: "whom it is about", BasisSupervisor: "who supervises the person whom it is about",
	BasisOffice: "in office for the borough", BasisDenied: "who is kept out of the family",
	BasisRelative: "who is a relative of the family",
}

// Words says on what footing somebody stands, for people.
func (b Basis) Words() string {
	if words, ok := basisWords[b]; ok {
		return words
	}
	return "on a footing that is not known"
}

func subject(q Question) string {
	return strings.TrimSpace(q.Role.Words() + " " + footing(q))
}

// footing says on what footing somebody stands; the import stands on none.
func footing(q Question) string {
	if q.Role == RoleImport && q.Basis == BasisNone {
		return ""
	}
	return q.Basis.Words()
}

// deeds words each action; % stands for the field, by its class.
var deeds = [actionCount]string{
	ActionRead: "read", ActionCarry: "have on a tablet", ActionCreate: "begin", ActionEdit: "change % of",
	ActionEditOwn: "write their own part of", ActionEditOther: "write another person's part of",
	ActionPrepare: "prepare the summary of", ActionAdd: "add % to", ActionRemove: "take % out of",
	ActionTakeNote: "take note of overlapping text in", ActionDecide: "settle a disagreement about % of",
	ActionApprove: "approve % of", ActionConfirmRemoval: "agree to a removal from", ActionHandOver: "hand over",
	ActionConfirm: "confirm", ActionStandIn: "confirm, for somebody who cannot,", ActionTypeUp: "type up for somebody", ActionQuery: "ask about", ActionAnswer: "answer a question about", ActionFinalise: "finalise",
	ActionAddendum: "add an addendum to", ActionCorrect: "correct % of", ActionMisfile: "move out of the file", ActionQueue: "see in the queue", ActionChase: "chase",
	ActionUnknown: "do something unknown to",
}

var labelWords = map[schema.Label]string{
	schema.Admin: "an administrative detail", schema.Attested: "an attested fact",
	schema.Verbatim: "words as spoken", schema.Judgement: "a judgement",
}

func deed(q Question) string {
	class := labelWords[q.Label]
	if class == "" {
		class = "something"
	}
	action := q.Action
	if action >= actionCount {
		action = ActionUnknown
	}
	return strings.ReplaceAll(deeds[action], "%", class) + " " + q.Group.Words()
}
