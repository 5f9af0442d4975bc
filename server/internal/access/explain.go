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

// whoMay lists who is allowed what was asked, each with the circumstance that it
// takes.
func whoMay(q Question) []string {
	var found []string
	for _, role := range []Role{RolePractitioner, RoleCoordinator, RoleManager, RoleIT, RoleImport} {
		for _, basis := range []Basis{BasisNone, BasisLead, BasisCo, BasisCoord, BasisManager} {
			other := q
			other.Role, other.Basis = role, basis
			if only, ok := circumstance(other); ok {
				found = append(found, subject(other)+only)
			}
		}
	}
	return found
}

// circumstance is what it takes for a question to be allowed, in words: nothing,
// or authorship.
func circumstance(q Question) (words string, ok bool) {
	q.Imported = q.Role == RoleImport
	if q.Role == RoleImport && q.Basis != BasisNone {
		return "", false // the import stands on no footing
	}
	for _, a := range []Authorship{AuthorNot, AuthorWrote, AuthorBegan} {
		q.Authorship = a
		if Decide(q).Allow {
			return authorWords[a], true
		}
	}
	return "", false
}

var authorWords = [...]string{
	AuthorNot:   "",
	AuthorWrote: " who wrote in the record",
	AuthorBegan: " who began the record",
}

func subject(q Question) string {
	role := map[Role]string{
		RolePractitioner: "a practitioner", RoleCoordinator: "a co-ordinator", RoleManager: "a manager",
		RoleIT: "an IT administrator", RoleImport: "the borough's import",
	}[q.Role]
	if role == "" {
		role = "a person without a role"
	}
	if q.Role == RoleImport {
		return role
	}
	footing, ok := map[Basis]string{
		BasisNone: "with no relation to the family", BasisLead: "who is lead worker", BasisCo: "who is co-worker",
		BasisCoord: "who co-ordinates the family's team", BasisManager: "who manages the family's team",
		BasisDenied: "who is kept out of the family",
	}[q.Basis]
	if !ok {
		footing = "on a footing that is not known"
	}
	return role + " " + footing
}

// deeds words each action; % stands for the field, by its class.
var deeds = map[Action]string{
	ActionRead: "read", ActionCreate: "begin", ActionEdit: "change % of", ActionEditOwn: "write their own part of",
	ActionEditOther: "write another person's part of", ActionPrepare: "prepare the summary of", ActionAdd: "add % to",
	ActionRemove: "take % out of", ActionTakeNote: "take note of overlapping text in",
	ActionDecide: "settle a disagreement about % of", ActionApprove: "approve % of",
	ActionConfirmRemoval: "agree to a removal from", ActionHandOver: "hand over", ActionConfirm: "confirm",
	ActionQuery: "ask about", ActionAnswer: "answer a question about", ActionFinalise: "finalise",
	ActionAddendum: "add an addendum to", ActionCorrect: "correct % of", ActionChase: "chase",
	ActionUnknown: "do something unknown to",
}

func deed(q Question) string {
	class := map[schema.Label]string{
		schema.Admin: "an administrative detail", schema.Attested: "an attested fact",
		schema.Verbatim: "words as spoken", schema.Judgement: "a judgement",
	}[q.Label]
	if class == "" {
		class = "something"
	}
	words := deeds[q.Action]
	if words == "" {
		words = deeds[ActionUnknown]
	}
	name := "a record of an unknown kind"
	if kind, ok := schema.Newest(q.Kind); ok {
		name = "a record of kind " + kind.Name
	}
	return strings.ReplaceAll(words, "%", class) + " " + name
}
