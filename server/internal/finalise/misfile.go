package finalise

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"doorstep/server/internal/access"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// Misfile takes a record, with the parts that belong to it, out of the wrong family's file.
type Misfile struct {
	Record syncproto.RecordID
	To     syncproto.FamilyID // the right one
	// People says who of the right family is meant by each person of the wrong one whom the
	// record names. References to whom it leaves out are left out.
	People map[syncproto.RecordID]syncproto.RecordID
	Reason string // for whoever reads the right file
}

// Misfile moves the record: what people wrote in it stands in a new record of the right
// family, and nobody reads it in the wrong one any more (SPEC 7.5). It returns the new
// record. It fails with CodeNotFound for a record that the caller may not read, with what
// access says, and with CodeBadValue for a family whose such records the caller may not
// read, for a person who is not of it, and where nobody says whom the record is about.
func (s *Service) Misfile(ctx context.Context, caller Caller, in Misfile) (syncproto.RecordID, error) {
	if err := s.readyReasons(caller, in); err != nil {
		return syncproto.RecordID{}, err
	}
	id, err := s.propose(ctx, caller, in.Record, func(g *group) (act, error) { return s.misfiled(g, in) })
	if err != nil {
		return syncproto.RecordID{}, err
	}
	ref, err := s.cfg.Store.Change(id)
	if err != nil {
		return syncproto.RecordID{}, fmt.Errorf("looking up what a record became: %w", err)
	}
	return ref.Record, nil
}

// readyReasons makes the key under which the reason is sealed, of a family whose records
// the caller may read; of any other the turn refuses the move.
func (s *Service) readyReasons(caller Caller, in Misfile) error {
	info, err := s.cfg.Store.RecordOrNot(in.Record)
	if err != nil {
		return notFound(err)
	}
	who := askerOf(s.cfg.Store.State(), caller, in.To, s.cfg.Now().UnixMilli())
	if !who.MayRead(info.Kind).Allow || s.cfg.Store.State().IsErased(in.To, syncproto.RecordID{}) {
		return nil
	}
	if err := s.cfg.Keys.Ensure([]store.KeyPair{store.WordsKey(in.To)}); err != nil {
		return fmt.Errorf("making the key of a reason: %w", err)
	}
	return nil
}

// misfiled is the act of a move.
func (s *Service) misfiled(g *group, in Misfile) (act, error) {
	if err := first(g.mayMove(), g.goesTo(in.To), saysSomething(g.whole(), in.Reason)); err != nil {
		return act{}, err
	}
	m := mover{to: in.To, by: g.caller.User, people: in.People, draw: s.draw, records: map[syncproto.RecordID]syncproto.RecordID{}}
	if err := first(m.knows(g), m.named(g), m.drawActors(g.parts)); err != nil {
		return act{}, err
	}
	for _, p := range g.parts {
		var record syncproto.RecordID
		if err := s.draw(record[:]); err != nil {
			return act{}, err
		}
		m.records[p.info.Record] = record
	}
	for _, p := range g.parts {
		if err := m.take(p, g.authors(p, in.To)); err != nil {
			return act{}, err
		}
	}
	moved := make([]store.Entry, 0, len(g.parts))
	for _, p := range g.parts {
		moved = append(moved, store.MisfileEntry{Family: p.info.Family, Record: p.info.Record, Kind: p.info.Kind, ToFamily: in.To,
			ToRecord: m.records[p.info.Record], Reason: in.Reason, By: g.caller.User, AtMS: g.atMS})
	}
	return act{edits: m.edits, then: func(*store.Tx, []syncproto.ChangeID) ([]store.Entry, error) { return moved, nil }}, nil
}

// mayMove refuses a move that access does not allow, of the record or of a part of it.
func (g *group) mayMove() error {
	whole := g.whole()
	if whole.kind.Part != "" {
		return because(whole, syncproto.Path{}, syncproto.CodeBadOp, "What this is a part of is not here, and it is moved with that.")
	}
	for _, p := range g.parts {
		d := askerOf(g.state, g.caller, p.info.Family, g.atMS).May(p.info.Kind, access.Need{Action: access.ActionMisfile})
		if !d.Allow {
			return because(p, syncproto.Path{}, d.Code, "You may not do this: "+d.Reason+".")
		}
	}
	return nil
}

// goesTo refuses a family that is the record's own, and one whose file the caller may not
// read: of that nothing is said, not even whether there is one.
func (g *group) goesTo(to syncproto.FamilyID) error {
	whole := g.whole()
	if to == whole.info.Family || to.IsZero() {
		return because(whole, syncproto.Path{}, syncproto.CodeBadValue, "Say whose file it belongs in.")
	}
	if g.state.IsErased(to, syncproto.RecordID{}) || !askerOf(g.state, g.caller, to, g.atMS).MayRead(whole.info.Kind).Allow {
		return because(whole, syncproto.Path{}, syncproto.CodeBadValue, "You may not read that family's file: somebody who may read both has to move it.")
	}
	return nil
}

// authors are those whose words a part is, the first first: for whom they were typed up,
// and who wrote them and confirms such records. Each has to confirm what was moved.
func (g *group) authors(p *part, to syncproto.FamilyID) []syncproto.UserID {
	var all []syncproto.UserID
	add := func(user syncproto.UserID) {
		if !user.IsZero() && !slices.Contains(all, user) {
			all = append(all, user)
		}
	}
	for _, t := range p.view.Workflow.TypedUp {
		add(t.For)
	}
	for _, c := range p.graph.Changes() {
		if slices.ContainsFunc(c.Body.Ops, putsWords) {
			add(c.Body.Author)
		}
	}
	confirm := slices.DeleteFunc(slices.Clone(all), func(user syncproto.UserID) bool {
		return !couldConfirm(g.state, g.atMS, user, p.info.Family, p.info.Kind) && !couldConfirm(g.state, g.atMS, user, to, p.info.Kind)
	})
	if len(confirm) > 0 || len(all) == 0 {
		return confirm
	}
	return all[:1] // who has left: somebody stands in for them
}

// Misfiling is what a person has to know and to say before a record is moved.
type Misfiling struct {
	// People are the persons of the wrong family whom the record names, as they come in it.
	People []Named
	// Authors are those who have to confirm it in the right file, by family: see Confirms.
	Authors []syncproto.UserID
	Records []syncproto.RecordID // that go: the record and its parts
}

// Named is a person whom a record names. Must: it is about them, so that somebody has to
// say who is meant.
type Named struct {
	Person syncproto.RecordID
	Must   bool
}

// Misfiling says what a move of a record comes to. It fails with CodeNotFound for a record
// that the caller may not read, and with what access says.
func (s *Service) Misfiling(_ context.Context, caller Caller, record syncproto.RecordID) (Misfiling, error) {
	var out Misfiling
	err := s.read(caller, record, func(g *group) error {
		if err := g.mayMove(); err != nil {
			return err
		}
		out.People = g.people()
		for _, p := range g.parts {
			out.Records = append(out.Records, p.info.Record)
			for _, user := range g.authors(p, p.info.Family) {
				if !slices.Contains(out.Authors, user) {
					out.Authors = append(out.Authors, user)
				}
			}
		}
		return nil
	})
	return out, err
}

// people lists the persons whom the group's words name.
func (g *group) people() []Named {
	var out []Named
	add := func(person syncproto.RecordID, must bool) {
		i := slices.IndexFunc(out, func(n Named) bool { return n.Person == person })
		if i < 0 {
			out = append(out, Named{Person: person, Must: must})
			return
		}
		out[i].Must = out[i].Must || must
	}
	for _, p := range g.parts {
		for _, c := range p.graph.Changes() {
			for i := range c.Body.Ops {
				eachPerson(p.kind, &c.Body.Ops[i], func(person syncproto.RecordID, field *schema.Field) {
					add(person, field != nil && field.Required && p.says(field.ID, person))
				})
			}
		}
		for _, f := range p.kind.Fields {
			if f.SlotOf == schema.SlotPerson {
				g.eachSlot(p, f.ID, func(person syncproto.RecordID) { add(person, false) })
			}
		}
	}
	return out
}

// says reports whether a field names a person now, or a side of what people differ about
// does.
func (p *part) says(field string, person syncproto.RecordID) bool {
	v, _ := p.view.Field(field)
	if v.Value.Equal(cbor.Bytes(person[:])) {
		return true
	}
	return slices.ContainsFunc(p.view.Conflicts, func(c syncproto.Conflict) bool {
		return c.Path == syncproto.Path{Field: field} && isSide(c, cbor.Bytes(person[:]))
	})
}

// eachSlot calls fn with the persons of the family who have a slot of a field.
func (g *group) eachSlot(p *part, field string, fn func(syncproto.RecordID)) {
	v, _ := p.view.Field(field)
	for _, slot := range v.Slots {
		if info, err := g.reader.RecordInfo(syncproto.RecordID(slot.Slot)); err == nil && info.Kind == "person" && info.Family == p.info.Family {
			fn(syncproto.RecordID(slot.Slot))
		}
	}
}

// knows refuses people who are not persons of the right family.
func (m *mover) knows(g *group) error {
	for _, person := range slices.SortedFunc(maps.Values(m.people), func(a, b syncproto.RecordID) int { return slices.Compare(a[:], b[:]) }) {
		info, err := g.reader.RecordInfo(person)
		if err != nil && notFound(err) != syncproto.CodeNotFound {
			return err
		}
		if err != nil || info.Family != m.to || info.Kind != "person" || info.Gone != 0 {
			return because(g.whole(), syncproto.Path{}, syncproto.CodeBadValue, "That is nobody of the right family.")
		}
	}
	return nil
}

// named refuses a move that does not say whom the record is about.
func (m *mover) named(g *group) error {
	for _, n := range g.people() {
		if _, said := m.people[n.Person]; n.Must && !said {
			return because(g.whole(), syncproto.Path{}, syncproto.CodeBadValue, "Say who of the right family it is about.")
		}
	}
	return nil
}
