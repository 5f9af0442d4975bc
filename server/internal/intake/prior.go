package intake

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// Reader is what an import reads of the records: a *store.Reader, in a Tx too.
type Reader interface {
	RecordInfo(syncproto.RecordID) (store.RecordInfo, error)
	RecordsOf(syncproto.FamilyID, string) ([]syncproto.RecordID, error)
	Graph(syncproto.RecordID) (*syncproto.Graph, []syncproto.Verdict, error)
}

// imported is what earlier runs wrote to a record: the side of the case
// management system, whatever people have written since.
type imported struct {
	exists   bool // the record is there, whoever began it
	final    bool // sealed: never changed again
	values   map[syncproto.Path]cbor.Value
	elements []syncproto.Path   // {Field, Element}, in the order in which they were added
	last     uint64             // position of the record's last row
	own      syncproto.ChangeID // the import's last change; zero: none
	graph    *syncproto.Graph
	verdicts []syncproto.Verdict
}

// readImported gathers the import account's own changes of a record.
func readImported(r Reader, record syncproto.RecordID, account syncproto.UserID) (*imported, error) {
	p := &imported{values: map[syncproto.Path]cbor.Value{}}
	info, err := r.RecordInfo(record)
	if errors.Is(err, store.ErrNotFound) {
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading record %s: %w", record, err)
	}
	p.exists, p.final, p.last = true, info.Sealed != 0, info.Last
	if p.graph, p.verdicts, err = r.Graph(record); err != nil {
		return nil, fmt.Errorf("reading the changes of record %s: %w", record, err)
	}
	for _, c := range p.graph.Changes() {
		if c.Body.Author != account || c.Body.Capture != syncproto.CaptureImported {
			continue
		}
		p.own = c.ID
		for i := range c.Body.Ops {
			p.apply(&c.Body.Ops[i])
		}
	}
	return p, nil
}

// apply takes in an op that an import wrote: it sets, adds and removes only.
func (p *imported) apply(op *syncproto.Op) {
	whole := syncproto.Path{Field: op.Path.Field, Element: op.Path.Element}
	switch op.Code {
	case syncproto.OpSet:
		p.values[op.Path] = op.Value
	case syncproto.OpAdd:
		if !slices.Contains(p.elements, whole) {
			p.elements = append(p.elements, whole)
		}
		parts, _ := op.Value.AsMap()
		for _, part := range parts {
			at := whole
			at.Sub = part.Key
			p.values[at] = part.Value
		}
	case syncproto.OpRemove:
		p.elements = slices.DeleteFunc(p.elements, func(e syncproto.Path) bool { return e == whole })
		for at := range p.values {
			if at.Field == whole.Field && at.Element == whole.Element {
				delete(p.values, at)
			}
		}
	}
}

// has reports whether an earlier run added an element.
func (p *imported) has(field string, id syncproto.ElementID) bool {
	return slices.Contains(p.elements, syncproto.Path{Field: field, Element: id})
}

// text returns an imported field's text; empty if there is none.
func (p *imported) text(field string) string {
	s, _ := p.values[syncproto.Path{Field: field}].AsText()
	return s
}

// source answers as package schema asks: fields set whole, and collections as
// lists of their elements.
func (p *imported) source(kind *schema.Kind, facts map[string]cbor.Value) schema.Source {
	return func(name string) (cbor.Value, bool) {
		if v, ok := facts[name]; ok {
			return v, true
		}
		f, ok := kind.Field(name)
		if !ok {
			return cbor.Null(), false
		}
		if !f.IsCollection() {
			v, ok := p.values[syncproto.Path{Field: name}]
			return v, ok
		}
		elements := p.elementsOf(name)
		list := make([]cbor.Value, 0, len(elements))
		for _, e := range elements {
			list = append(list, p.element(f, e))
		}
		return cbor.List(list...), len(list) > 0
	}
}

// elementsOf lists the elements of one collection.
func (p *imported) elementsOf(field string) []syncproto.Path {
	var out []syncproto.Path
	for _, e := range p.elements {
		if e.Field == field {
			out = append(out, e)
		}
	}
	return out
}

// element gives an element's parts as one map.
func (p *imported) element(f *schema.Field, e syncproto.Path) cbor.Value {
	var pairs []cbor.Pair
	for i := range f.Sub {
		e.Sub = f.Sub[i].ID
		if v, ok := p.values[e]; ok {
			pairs = append(pairs, cbor.Pair{Key: e.Sub, Value: v})
		}
	}
	return cbor.Map(pairs...)
}

// clone returns a copy that can be brought forward.
func (p *imported) clone() *imported {
	c := *p
	c.values = maps.Clone(p.values)
	c.elements = slices.Clone(p.elements)
	return &c
}
