package finalise

import (
	"context"
	"slices"

	"doorstep/server/internal/access"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// Standing is a record with the parts that are sealed with it, as it stands, and what
// one person may do about it.
type Standing struct {
	Item  // where it is on its way; of a kind that is never sealed, the record alone
	Parts []Standpoint
	Acts  Acts
	// For is whose words are typed up in it; zero: nobody's. Left are those who must confirm
	// it and have left, whom the person may stand in for.
	For  syncproto.UserID
	Left []syncproto.UserID
	// Coordinators are those of the family's team, to one of whom a record may be handed over.
	Coordinators []syncproto.UserID
}

// Standpoint is one record of a Standing.
type Standpoint struct {
	View *syncproto.View // with what is computed of the group
	Kind *schema.Kind
	Acts Acts
	// Edits, Corrects and Decides are paths at which the person may act alone: a field,
	// or a field of the elements of a collection. Paths of Edits and Corrects name no element.
	Edits, Corrects map[syncproto.Path]bool
	Decides         map[syncproto.Path]bool
	// Typing: the person types up somebody's words in it (TypeUp).
	Typing bool
}

// Acts is what access allows a person to do with a record; whether it is possible yet
// is another question (Checklist).
type Acts struct {
	HandOver, Confirm, Query, Answer, Finalise, Addendum, Misfile bool
}

// Standing shows how a record stands for the caller: the views of its group as far as
// they may read them, the checklist, and what they may do. It fails with CodeNotFound
// for a record that the caller may not read.
func (s *Service) Standing(_ context.Context, caller Caller, record syncproto.RecordID) (Standing, error) {
	var out Standing
	err := s.read(caller, record, func(g *group) (err error) {
		if out.Item, err = s.describe(g); err != nil {
			return err
		}
		for _, p := range g.parts {
			if !g.asker(p).MayRead(p.info.Kind).Allow {
				continue
			}
			out.Parts = append(out.Parts, g.standpoint(p))
		}
		out.Acts = g.acts(g.whole())
		out.Coordinators = g.coordinators()
		out.Acts.Misfile = g.mayMove() == nil
		if typed := g.whole().view.Workflow.TypedUp; len(typed) > 0 {
			out.For = typed[0].For
		}
		if g.allowed(g.whole(), g.asker(g.whole()), syncproto.Op{Code: syncproto.OpConfirm, To: g.caller.User}) {
			out.Left = slices.DeleteFunc(g.lacking(g.whole()), func(u syncproto.UserID) bool { return !g.left(u) })
		}
		return nil
	})
	return out, err
}

func (g *group) coordinators() (out []syncproto.UserID) {
	for _, user := range g.state.MembersOf(g.whole().info.Family) {
		if g.coordinates(user) && !slices.Contains(out, user) {
			out = append(out, user)
		}
	}
	return out
}

func (g *group) coordinates(user syncproto.UserID) bool {
	u, ok := g.state.User(user)
	return ok && u.Role == "coordinator" && !u.Disabled && slices.Contains(g.state.BasisOf(user, g.whole().info.Family, g.atMS), "COORD")
}

func (g *group) standpoint(p *part) Standpoint {
	out := Standpoint{View: p.view, Kind: p.kind, Acts: g.acts(p),
		Edits: map[syncproto.Path]bool{}, Corrects: map[syncproto.Path]bool{}, Decides: map[syncproto.Path]bool{}}
	who := g.asker(p)
	out.Typing = g.typing(p, who)
	for i := range p.kind.Fields {
		f := &p.kind.Fields[i]
		out.mayWrite(g, p, who, f)
	}
	for _, c := range p.view.Conflicts {
		out.Decides[c.Path] = g.allowed(p, who, syncproto.Op{Code: syncproto.OpDecide, Path: c.Path, Reason: "-"})
	}
	for _, o := range p.view.Overlaps {
		out.Decides[o.Path] = g.allowed(p, who, syncproto.Op{Code: syncproto.OpDecide, Path: o.Path, Value: cbor.Null()})
	}
	return out
}

// mayWrite fills in who may set a field, or the parts of a collection's elements.
func (s *Standpoint) mayWrite(g *group, p *part, who access.Asker, f *schema.Field) {
	if f.Rule == schema.Derived || f.Rule == schema.Server || f.Rule == schema.Own {
		return
	}
	paths := []syncproto.Path{{Field: f.ID}}
	if f.IsCollection() {
		paths = nil
		for i := range f.Sub {
			paths = append(paths, syncproto.Path{Field: f.ID, Sub: f.Sub[i].ID})
		}
	}
	for _, path := range paths {
		set := syncproto.Op{Code: syncproto.OpSet, Path: path}
		if field, ok := p.kind.At(path.Field, path.Sub); ok && field.IsProse() {
			set.Code = syncproto.OpSplice
		}
		if p.info.Sealed == 0 {
			s.Edits[path] = f.Rule != schema.Log && g.allowed(p, who, set)
			continue
		}
		s.Corrects[path] = g.allowed(p, who, syncproto.Op{Code: syncproto.OpCorrect, Path: path})
	}
}

// acts asks access for each act on a part.
func (g *group) acts(p *part) Acts {
	who := g.asker(p)
	may := func(code syncproto.OpCode) bool { return g.allowed(p, who, syncproto.Op{Code: code}) }
	if p.info.Sealed != 0 {
		return Acts{Addendum: may(syncproto.OpAddendum)}
	}
	a := Acts{Query: may(syncproto.OpQuery), Answer: may(syncproto.OpAnswer)}
	if p.kind.Finalises {
		a.HandOver, a.Confirm, a.Finalise = may(syncproto.OpHandOver), may(syncproto.OpConfirm), may(syncproto.OpFinalise)
	}
	return a
}

// allowed is may for an asker who is known already.
func (g *group) allowed(p *part, who access.Asker, op syncproto.Op) bool {
	return who.MayChange(p.kind, g.change(p, op)).Allow || g.typing(p, who) && typed(p.kind, []syncproto.Op{op})
}
