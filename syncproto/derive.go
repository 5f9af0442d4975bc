package syncproto

import (
	"slices"
	"strings"

	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
	"doorstep/syncproto/sorting"
)

// Derive fills in what is computed of a record and of those that are sealed
// with it (SPEC 5.11): of a visit how long it took, and for each child whether it
// counts as a statutory visit, which a disputed answer never does; of a return home
// interview when it is due; of an exploitation assessment how many indicators there
// are. Nil views are passed over.
func Derive(whole *View, parts []*View) {
	if whole == nil {
		return
	}
	switch whole.Kind {
	case "visit":
		if minutes, ok := durationMin(whole); ok {
			whole.derive("duration_min", cbor.Int(minutes))
		}
	case "return_interview":
		if returned, ok := whole.Settled("returned_at").AsInt(); ok {
			whole.derive("due", cbor.Int(returned+schema.ReturnInterviewMS))
		}
	case "exploitation":
		whole.derive("score", cbor.Int(recentIndicators(whole)))
	}
	for _, part := range parts {
		if part != nil {
			part.derive("counts_as_statutory", cbor.Bool(countsAsStatutory(whole, part)))
		}
	}
}

// recentIndicators counts the indicators in force of the last six months. While two
// people disagree on one, the higher answer is in force and counts.
func recentIndicators(v *View) int64 {
	n := int64(0)
	for _, level := range v.partsInForce("indicators", "level") {
		if level == "CURRENT_3M" || level == "RECENT_3_6M" {
			n++
		}
	}
	return n
}

func durationMin(v *View) (int64, bool) {
	start, ok := v.Settled("start").AsInt()
	if !ok {
		return 0, false
	}
	end, ok := v.Settled("end").AsInt()
	return (end - start) / 60_000, ok && end >= start
}

func countsAsStatutory(household, part *View) bool {
	policy := schema.Statutory()
	if household.Disputes(policy.VisitFields...) || part.Disputes(policy.ChildFields...) {
		return false
	}
	code := func(v *View, field string) string {
		s, _ := v.Settled(field).AsText()
		return s
	}
	return policy.Counts(schema.VisitAnswers{
		VisitType:   code(household, "visit_type"),
		ContactMode: code(household, "contact_mode"),
		Outcome:     code(household, "outcome"),
		Place:       code(household, "place"),
		Roles:       household.partsInForce("workers", "role"),
		Seen:        code(part, "seen"),
	})
}

// derive sets a derived field, in its place among the others.
func (v *View) derive(field string, value cbor.Value) {
	fv := FieldView{Field: field, Value: value, Set: true}
	i, found := slices.BinarySearchFunc(v.Fields, field, func(f FieldView, id string) int { return strings.Compare(f.Field, id) })
	if found {
		v.Fields[i] = fv
	} else {
		v.Fields = sorting.Insert(v.Fields, i, fv)
	}
}

// Settled returns a field's value if people agree on it, else null.
func (v *View) Settled(field string) cbor.Value {
	f, ok := v.Field(field)
	if !ok || v.Disputes(field) {
		return cbor.Null()
	}
	return f.Value
}

// Disputes reports whether a conflict on one of the fields is open.
func (v *View) Disputes(fields ...string) bool {
	return slices.ContainsFunc(v.Conflicts, func(c Conflict) bool {
		return slices.Contains(fields, c.Path.Field)
	})
}

// partsInForce lists one part of every element of a collection that is in force.
func (v *View) partsInForce(field, part string) []string {
	f, _ := v.Field(field)
	var out []string
	for i := range f.Items {
		if p, ok := f.Items[i].Field(part); ok && f.Items[i].InForce {
			if s, isText := p.Value.AsText(); isText {
				out = append(out, s)
			}
		}
	}
	return out
}

// Source lets schema.Complete ask this view, and for a child's part the visit it
// belongs to (whole, else nil) under its names. Facts are what the caller knows
// beside the records, under names that begin with @.
func (v *View) Source(whole *View, facts map[string]cbor.Value) schema.Source {
	return func(name string) (cbor.Value, bool) {
		if fact, ok := facts[name]; ok {
			return fact, true
		}
		const prefix = "visit."
		if whole != nil && len(name) > len(prefix) && name[:len(prefix)] == prefix {
			return whole.answer(name[len(prefix):])
		}
		return v.answer(name)
	}
}

// answer gives a field in the shape that schema.Source describes.
func (v *View) answer(name string) (cbor.Value, bool) {
	f, ok := v.Field(name)
	switch {
	case !ok:
		return cbor.Null(), false
	case len(f.Items) > 0:
		return elementsInForce(f.Items), true
	case len(f.Slots) > 0:
		return slotValues(f.Slots), true
	case f.Text != "":
		return cbor.Text(f.Text), true
	}
	return f.Value, !f.Value.IsNull()
}

func elementsInForce(items []Element) cbor.Value {
	var out []cbor.Value
	for _, e := range items {
		if !e.InForce {
			continue
		}
		var pairs []cbor.Pair
		for _, p := range e.Fields {
			value := p.Value
			if p.Text != "" {
				value = cbor.Text(p.Text)
			}
			pairs = append(pairs, cbor.Pair{Key: p.Field, Value: value})
		}
		out = append(out, cbor.Map(pairs...))
	}
	return cbor.List(out...)
}

func slotValues(slots []Slot) cbor.Value {
	var out []cbor.Value
	for _, s := range slots {
		if s.Text != "" {
			out = append(out, cbor.Text(s.Text))
		} else {
			out = append(out, s.Value)
		}
	}
	return cbor.List(out...)
}
