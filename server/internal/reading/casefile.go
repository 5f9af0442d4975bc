package reading

import (
	"slices"

	"doorstep/syncproto"
	"doorstep/syncproto/clocks"
	"doorstep/syncproto/schema"
)

// periodOf reads a status record as what sets visits.
func periodOf(v *syncproto.View) clocks.Period {
	basis := codeIn(v, "reg_basis")
	return clocks.Period{
		Kind: codeIn(v, "kind"), From: dayIn(v, "from"), To: dayIn(v, "to"),
		Legal: codeIn(v, "legal_status"), Placement: codeIn(v, "placement_type"),
		PlacementFrom: dayIn(v, "placement_from"), FirstReview: dayIn(v, "first_review"),
		Reg19: basis == "REG19", Reg24: basis == "REG24", AgreedTwiceAYear: basis == "REG28_3A",
		To18: codeIn(v, "long_term_to_18") == "Y",
		Own:  frequencyOf(v),
	}
}

func frequencyOf(v *syncproto.View) clocks.Frequency {
	value := v.Settled("visit_frequency")
	number := func(part string) int {
		p, _ := value.Get(part)
		n, _ := p.AsInt()
		return int(n)
	}
	word := func(part string) string {
		p, _ := value.Get(part)
		s, _ := p.AsText()
		return s
	}
	return clocks.Frequency{
		Every: clocks.Interval{N: number("n"), Unit: clocks.Unit(word("unit")), FromDay1: word("origin") == "DAY1"},
		SetBy: word("set_by"), AloneEvery: number("alone_every"), BedroomEvery: number("bedroom_every"),
	}
}

// registry says who is a registered social worker, as the borough knows it.
type registry func(syncproto.UserID) bool

// sightings are what a visit says of each child that has a part in it; and of a visit
// that failed without one, that it failed. A visit without an undisputed start is on no
// day, and says nothing yet.
func (registered registry) sightings(visit *syncproto.View, parts []*syncproto.View) []sighting {
	start, ok := visit.Settled("start").AsInt()
	if !ok {
		return nil
	}
	place, outcome := codeIn(visit, "place"), codeIn(visit, "outcome")
	base := sighting{startMS: start, failed: outcome != "" && outcome != "COMPLETED"}
	base.Type, base.Home = codeIn(visit, "visit_type"), place == "HOME" || place == "PLACEMENT"
	if len(parts) == 0 {
		return []sighting{base}
	}
	syncproto.Derive(visit, parts)
	var out []sighting
	for _, part := range parts {
		if child, ok := refIn(part, "child"); ok {
			s := base
			s.child = child
			registered.complete(&s, visit, part)
			out = append(out, s)
		}
	}
	return out
}

// complete fills in what a child's part says.
func (registered registry) complete(s *sighting, visit, part *syncproto.View) {
	alone := codeIn(part, "seen_alone")
	s.Alone = alone == "Y" || alone == "NA_INFANT"
	s.Bedroom = codeIn(part, "bedroom_seen") == "Y"
	s.seen = codeIn(visit, "outcome") == "COMPLETED" && codeIn(visit, "contact_mode") == "IN_PERSON" && codeIn(part, "seen") == "Y"
	s.socialWork = s.seen && registered.onVisit(visit)
	s.Counts = s.socialWork && handedIn(visit) && len(visit.Conflicts) == 0 && len(part.Conflicts) == 0
	if statutoryType(s.Type) {
		derived, _ := part.Field("counts_as_statutory")
		counts, _ := derived.Value.AsBool()
		s.Counts = s.Counts && counts
	}
}

// handedIn: to a coordinator, or already final.
func handedIn(visit *syncproto.View) bool {
	return visit.Seal != nil || visit.Workflow.HandedOver != nil
}

func statutoryType(visitType string) bool {
	return slices.ContainsFunc(schema.Statutory().Visits, func(v schema.StatutoryVisit) bool { return v.VisitType == visitType })
}

// onVisit reports whether a registered social worker was on a visit, undisputed, as one.
func (registered registry) onVisit(visit *syncproto.View) bool {
	workers, _ := visit.Field("workers")
	return !visit.Disputes("workers") && slices.ContainsFunc(workers.Items, func(e syncproto.Element) bool {
		role, _ := e.Field("role")
		code, _ := role.Value.AsText()
		worker, _ := e.Field("worker")
		id, _ := worker.Value.AsBytes()
		return e.InForce && schema.RegisteredOnly(code) && len(id) == len(syncproto.UserID{}) && registered(syncproto.UserID(id))
	})
}

func codeIn(v *syncproto.View, field string) string {
	s, _ := v.Settled(field).AsText()
	return s
}

func dayIn(v *syncproto.View, field string) clocks.Day {
	d, _ := clocks.ParseDay(codeIn(v, field))
	return d
}

func refIn(v *syncproto.View, field string) (syncproto.RecordID, bool) {
	b, ok := v.Settled(field).AsBytes()
	if !ok || len(b) != len(syncproto.RecordID{}) {
		return syncproto.RecordID{}, false
	}
	return syncproto.RecordID(b), true
}
