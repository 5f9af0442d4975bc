package schema

import (
	"strings"
	"unicode"

	"doorstep/syncproto/cbor"
)

// Source answers what a record holds, by name: the value in force of a field set
// whole; the words of a text; a List of Maps (part to value) for the elements in
// force of a union or log; a List of the slots' values for an own field; and the
// same of the visit, under "visit.<field>", for a child's part of it. Names that
// begin with @ are Facts. It is false for what nobody has answered.
type Source func(name string) (cbor.Value, bool)

func noSource(string) (cbor.Value, bool) { return cbor.Null(), false }

// Complete lists what still keeps a record from being sealed, or a plan from
// being made active (with the status that is asked for in place of the one in
// force): required fields that are empty, and checks that fail. Problems with
// Warn are to be shown and stop nothing. Conflicts, queries and confirmations
// are not its business.
func (k *Kind) Complete(get Source) []Problem {
	var problems []Problem
	for i := range k.Fields {
		problems = append(problems, k.Fields[i].complete(get)...)
	}
	return append(problems, failed(k.Checks, get)...)
}

func (f *Field) complete(get Source) []Problem {
	if f.Rule == Derived {
		return nil
	}
	v, _ := get(f.ID)
	if !answered(v) {
		if !f.needed(get) {
			return nil
		}
		p := problem(Unfilled)
		p.Field = f.ID
		return []Problem{p}
	}
	if len(f.Sub) == 0 {
		return nil
	}
	elements, ok := v.AsList()
	if !ok {
		return f.placed(f.completeParts(v, get), -1)
	}
	var problems []Problem
	for i, e := range elements {
		problems = append(problems, f.placed(f.completeParts(e, get), i)...)
	}
	return problems
}

func (f *Field) needed(get Source) bool {
	return f.Required || len(f.RequiredIf) > 0 && hold(f.RequiredIf, get)
}

// completeParts lists what one element, slot or struct lacks.
func (f *Field) completeParts(element cbor.Value, get Source) []Problem {
	if element.Kind() != cbor.KindMap {
		return nil // a slot of prose has no parts
	}
	inside := within(element, get)
	var problems []Problem
	for i := range f.Sub {
		sub := &f.Sub[i]
		if v, _ := inside(sub.ID); !answered(v) && sub.needed(inside) {
			p := problem(Unfilled)
			p.Part = sub.ID
			problems = append(problems, p)
		}
	}
	for _, p := range failed(f.Checks, inside) {
		p.Part, p.Field = p.Field, ""
		problems = append(problems, p)
	}
	return problems
}

func (f *Field) placed(problems []Problem, element int) []Problem {
	for i := range problems {
		problems[i].Field, problems[i].Element = f.ID, element
	}
	return problems
}

// within answers from an element's parts; facts and the fields of another record
// still come from outside.
func within(element cbor.Value, get Source) Source {
	return func(name string) (cbor.Value, bool) {
		if strings.IndexByte(name, '@') >= 0 || strings.IndexByte(name, '.') >= 0 {
			return get(name)
		}
		return element.Get(name)
	}
}

func failed(checks []Check, get Source) []Problem {
	var problems []Problem
	for i := range checks {
		c := &checks[i]
		if hold(c.If, get) && !hold(c.Then, get) {
			problems = append(problems, Problem{
				Code: FailedCheck, Field: c.Field, Element: -1, Check: c.ID, Plain: c.Plain, Warn: c.Warn,
			})
		}
	}
	return problems
}

// isBlank reports whether a text is nothing but white space.
func isBlank(s string) bool {
	for _, r := range s {
		if !unicode.IsSpace(r) {
			return false
		}
	}
	return true
}

// answered reports whether a value says anything.
func answered(v cbor.Value) bool {
	switch v.Kind() {
	case cbor.KindNull:
		return false
	case cbor.KindText:
		s, _ := v.AsText()
		return !isBlank(s)
	case cbor.KindList:
		items, _ := v.AsList()
		return len(items) > 0
	case cbor.KindMap:
		pairs, _ := v.AsMap()
		return len(pairs) > 0
	}
	return true
}

func hold(conditions []Condition, get Source) bool {
	for i := range conditions {
		if !conditions[i].holds(get) {
			return false
		}
	}
	return true
}

func (c *Condition) holds(get Source) bool {
	if c.Test == AnyOf {
		return c.anyHolds(get)
	}
	v, _ := get(c.Field)
	switch c.Test {
	case OneOf:
		return c.lists(v)
	case NoneOf:
		return !c.lists(v)
	case Answered:
		return answered(v)
	case Unanswered:
		return !answered(v)
	case AtLeast:
		return c.count(v, get) >= c.Limit
	case AtMost:
		return c.count(v, get) <= c.Limit
	}
	return c.compares(v, get)
}

func (c *Condition) anyHolds(get Source) bool {
	for i := range c.Where {
		if c.Where[i].holds(get) {
			return true
		}
	}
	return false
}

// lists reports whether v, or an item of the list v, is one of Is.
func (c *Condition) lists(v cbor.Value) bool {
	items, isList := v.AsList()
	if !isList {
		items = []cbor.Value{v}
	}
	wanted := c.Values()
	for _, item := range items {
		if !answered(item) {
			continue
		}
		for _, want := range wanted {
			if item.Equal(want) {
				return true
			}
		}
	}
	return false
}

func (c *Condition) count(v cbor.Value, get Source) int64 {
	items, _ := v.AsList()
	n := int64(0)
	for _, item := range items {
		if hold(c.Where, within(item, get)) {
			n++
		}
	}
	return n
}

// compares tests two times, numbers or dates against each other; it holds while
// one of them is unanswered.
func (c *Condition) compares(v cbor.Value, get Source) bool {
	w, _ := get(c.Other)
	if !answered(v) || !answered(w) {
		return true
	}
	if c.Test == Differs {
		return !v.Equal(w)
	}
	a, ok1 := v.AsInt()
	b, ok2 := w.AsInt()
	if ok1 && ok2 {
		return c.Test == NotBefore && a >= b || c.Test == Within && a-b <= c.Limit
	}
	day, _ := v.AsText()
	other, _ := w.AsText()
	return c.Test == Within || day >= other
}
