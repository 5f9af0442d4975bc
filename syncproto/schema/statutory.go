package schema

import "slices"

// StatutoryVisit says when a visit of one type counts as statutory.
type StatutoryVisit struct {
	VisitType string
	// Roles of a worker on the visit (part "role" of field "workers"); one is enough.
	Roles  []string
	Places []string
	Why    string
}

// StatutoryPolicy is what counts_as_statutory is derived from (domain rules fact 9
// and R4). What is not in it does not count.
type StatutoryPolicy struct {
	ContactMode string // only this one
	Outcome     string
	Seen        string
	Visits      []StatutoryVisit
	// VisitFields and ChildFields must be undisputed: while a conflict on one of
	// them is open, nothing counts.
	VisitFields []string
	ChildFields []string
}

// qualified are the worker roles held only by registered social workers.
var qualified = []string{"SW", "SENIOR_SW", "TRANSITIONAL_SW", "EDT_SW"}

// whereChildrenLive are the places of a visit to the child. Meetings in offices
// and community venues are core groups or contact, which do not count.
var whereChildrenLive = []string{"HOME", "PLACEMENT", "FAMILY_MEMBER", "SCHOOL", "CUSTODY"}

var statutory = StatutoryPolicy{
	ContactMode: "IN_PERSON",
	Outcome:     "COMPLETED",
	Seen:        "Y",
	Visits: []StatutoryVisit{
		{"CP", qualified, whereChildrenLive, "child protection plan: a qualified social worker sees the child"},
		{"CLA", qualified, whereChildrenLive, "looked after: regulation 28"},
		{"CIN", qualified, whereChildrenLive, "child in need plan"},
		{"S47", qualified, whereChildrenLive, "section 47 enquiry"},
		{"PRIVFOST", qualified, whereChildrenLive, "private fostering"},
		{"ADOPT", qualified, whereChildrenLive, "adoptive placement"},
	},
	VisitFields: []string{"visit_type", "start", "contact_mode", "place", "outcome", "workers"},
	ChildFields: []string{"visit", "child", "seen"},
}

// RegisteredOnly reports whether a worker's role on a visit is one that only
// registered social workers hold.
func RegisteredOnly(role string) bool { return slices.Contains(qualified, role) }

// Statutory returns the policy by which visits count.
func Statutory() StatutoryPolicy { return statutory }

// VisitAnswers are the undisputed answers that decide whether a visit counts.
type VisitAnswers struct {
	VisitType, ContactMode, Outcome, Place string
	Roles                                  []string // of the workers on the visit
	Seen                                   string
}

// Counts reports whether a visit with these answers counts for this child. An
// answer that is missing or disputed is given as "", which never counts.
func (p StatutoryPolicy) Counts(a VisitAnswers) bool {
	if a.ContactMode != p.ContactMode || a.Outcome != p.Outcome || a.Seen != p.Seen {
		return false
	}
	i := slices.IndexFunc(p.Visits, func(v StatutoryVisit) bool { return v.VisitType == a.VisitType })
	if i < 0 || !slices.Contains(p.Visits[i].Places, a.Place) {
		return false
	}
	eligible := func(role string) bool { return slices.Contains(p.Visits[i].Roles, role) }
	return slices.ContainsFunc(a.Roles, eligible)
}
