package finalise

import (
	"context"
	"strings"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// Enter writes entries of one list of a record that is typed up, in one change: it adds
// some, changes some, and takes some out. A field with a part for each person is a list of
// their parts.
type Enter struct {
	Record  syncproto.RecordID
	Field   string
	Entries []Entry
	Seen    []syncproto.ChangeID // the record's heads as the person saw them
}

// Entry is one of them.
type Entry struct {
	Element syncproto.ElementID // zero: a new one
	// Value is a map of its parts: all of them, what is left out is not said. A part that
	// is the hash of a version, which a signature and a copy have, is filled in.
	Value cbor.Value
	Out   string // why it is taken out; empty: it is not
}

// Enter writes the change. It fails as Edit does. What was said in a log is neither
// changed nor taken out.
func (s *Service) Enter(ctx context.Context, caller Caller, in Enter) (syncproto.ChangeID, error) {
	fresh := make([]syncproto.ElementID, len(in.Entries))
	for i := range fresh {
		if err := s.draw(fresh[i][:]); err != nil {
			return syncproto.ChangeID{}, err
		}
	}
	return s.propose(ctx, caller, in.Record, func(g *group) (act, error) {
		p := g.named()
		if err := first(open(p), s.notLeased(g), p.holds(in.Seen)); err != nil {
			return act{}, err
		}
		field, ok := p.kind.Field(in.Field)
		if !ok || len(field.Sub) == 0 {
			return act{}, because(p, syncproto.Path{Field: in.Field}, syncproto.CodeUnknownField, "")
		}
		l := list{part: p, field: field, before: p.at(in.Seen)}
		for i, e := range in.Entries {
			if err := l.enter(e, fresh[i]); err != nil {
				return act{}, err
			}
		}
		if len(l.ops) == 0 {
			return act{}, unchanged(p, syncproto.Path{Field: in.Field})
		}
		return g.written(p, in.Seen, l.ops)
	})
}

// list gathers what is done to one list.
type list struct {
	*part
	field  *schema.Field
	before *syncproto.View
	ops    []syncproto.Op
}

func (l *list) enter(e Entry, fresh syncproto.ElementID) error {
	path := syncproto.Path{Field: l.field.ID, Element: e.Element}
	begun := e.Element.IsZero()
	if begun {
		path.Element = l.slot(fresh)
	}
	switch {
	case e.Out != "":
		l.ops = append(l.ops, l.out(path, strings.TrimSpace(e.Out)))
		return nil
	case l.field.Rule == schema.Own:
		return l.say(path, e.Value)
	case begun:
		return l.add(path, l.versioned(e.Value))
	}
	return l.change(path, e.Value)
}

// slot is where a new entry goes: whose words are typed up has one part of each field in
// which every worker has theirs.
func (l *list) slot(fresh syncproto.ElementID) syncproto.ElementID {
	if typed := l.view.Workflow.TypedUp; l.field.SlotOf == schema.SlotAuthor && len(typed) > 0 {
		return syncproto.ElementID(typed[0].For)
	}
	return fresh
}

func (l *list) out(path syncproto.Path, why string) syncproto.Op {
	if l.field.Rule == schema.Own {
		return syncproto.Op{Code: syncproto.OpSet, Path: path, Value: cbor.Null()}
	}
	return syncproto.Op{Code: syncproto.OpRemove, Path: path, Reason: why}
}

// say writes a person's part, which is set whole.
func (l *list) say(path syncproto.Path, v cbor.Value) error {
	op, same, err := l.set(l.before, Setting{path, v})
	if err == nil && !same {
		l.ops = append(l.ops, op)
	}
	return err
}

func (l *list) add(path syncproto.Path, v cbor.Value) error {
	if problem := l.field.CheckElement(v); !problem.OK() {
		sub, _ := l.field.SubField(problem.Part)
		if sub == nil {
			return because(l.part, path, syncproto.CodeBadValue, "")
		}
		return because(l.part, path, syncproto.CodeBadValue, sub.Hint.Label+": "+problem.Plain)
	}
	l.ops = append(l.ops, syncproto.Op{Code: syncproto.OpAdd, Path: path, Value: v})
	return nil
}

// change sets the parts of an entry that say something else than before.
func (l *list) change(path syncproto.Path, v cbor.Value) error {
	for i := range l.field.Sub {
		sub := &l.field.Sub[i]
		now, said := v.Get(sub.ID)
		if sub.Type == schema.TypeHash && !said {
			continue // what an entry is for, and what is attached to it, stays
		}
		if !said {
			now = nothing(sub)
		}
		path.Sub = sub.ID
		op, same, err := l.set(l.before, Setting{path, now})
		if err != nil {
			return err
		}
		if !same {
			l.ops = append(l.ops, op)
		}
	}
	return nil
}

// nothing is what a part holds that says nothing.
func nothing(f *schema.Field) cbor.Value {
	if f.IsProse() {
		return cbor.Text("")
	}
	return cbor.Null()
}

// versionHash is the part by which a signature or a copy names what it is for: the content
// of its record as it stood (SPEC 5.10).
const versionHash = "version_hash"

// versioned adds the hash of what the record says to an entry that is for a version.
func (l *list) versioned(v cbor.Value) cbor.Value {
	sub, ok := l.field.SubField(versionHash)
	if _, said := v.Get(versionHash); !ok || said || sub.Type != schema.TypeHash {
		return v
	}
	hash := syncproto.ContentHash(l.before, l.kind)
	pairs, _ := v.AsMap()
	return cbor.Map(append(pairs[:len(pairs):len(pairs)], cbor.Pair{Key: versionHash, Value: cbor.Bytes(hash[:])})...)
}
