package finalise

import (
	"errors"
	"fmt"
	"slices"

	"doorstep/server/internal/access"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// part is one record as it stands.
type part struct {
	info     store.RecordInfo
	kind     *schema.Kind
	graph    *syncproto.Graph
	verdicts []syncproto.Verdict
	view     *syncproto.View
}

// group is what is sealed together: a visit and each child's part of it, or a
// record alone. parts[0] is the whole.
type group struct {
	parts  []*part
	orphan bool // a part whose whole is not here
	reader *store.Reader

	// Of an act:
	record syncproto.RecordID // that the caller named
	state  *store.State
	caller Caller
	atMS   int64
}

// whole is the record that the others are parts of.
func (g *group) whole() *part { return g.parts[0] }

// named is the record that the caller named.
func (g *group) named() *part {
	for _, p := range g.parts {
		if p.info.Record == g.record {
			return p
		}
	}
	panic("bug: a record is not in its own group")
}

func loadPart(r *store.Reader, record syncproto.RecordID) (*part, error) {
	info, err := r.RecordInfo(record)
	if err != nil {
		return nil, notFound(err)
	}
	kind, ok := schema.Newest(info.Kind)
	if !ok || info.Last == 0 {
		return nil, syncproto.CodeNotFound // nobody has got to see it yet
	}
	p := &part{info: info, kind: kind}
	if p.graph, p.verdicts, err = r.Graph(record); err != nil {
		return nil, fmt.Errorf("reading record %s: %w", record, err)
	}
	p.view = syncproto.Fold(p.graph, kind, p.verdicts)
	return p, nil
}

// membership is which wholes a record was part of, as of one row of its feed.
type membership struct {
	last   uint64
	wholes []syncproto.RecordID
}

// foreseen is what a look outside the ledger's turn found. What has no news since
// needs no second look, so that the turn stays short however long a record is.
type foreseen struct {
	members map[syncproto.RecordID]membership
	parts   map[syncproto.RecordID]*part // read and folded
}

// load is loadPart, but for what was read before and has no news.
func (f foreseen) load(r *store.Reader, record syncproto.RecordID) (*part, error) {
	if p := f.parts[record]; p != nil {
		info, err := r.RecordInfo(record)
		if err != nil {
			return nil, notFound(err)
		}
		if info.Last == p.info.Last {
			return p, nil
		}
	}
	return loadPart(r, record)
}

// loadGroup reads the group of a record, with what is computed of it.
func loadGroup(r *store.Reader, record syncproto.RecordID, known foreseen) (*group, error) {
	g, err := gather(r, record, known)
	if err != nil {
		return nil, err
	}
	g.derive()
	return g, nil
}

// gather reads the records of a group.
func gather(r *store.Reader, record syncproto.RecordID, known foreseen) (*group, error) {
	p, err := known.load(r, record)
	if err != nil {
		return nil, err
	}
	g := &group{reader: r}
	whole := p
	for _, id := range p.wholes() {
		w, err := known.load(r, id)
		if errors.Is(err, syncproto.CodeNotFound) || err == nil && w.info.Family != p.info.Family {
			continue
		}
		if err != nil {
			return nil, err
		}
		whole = w
		break
	}
	g.orphan = whole == p && p.kind.Part != ""
	g.parts = []*part{whole}
	for _, kind := range whole.kind.Parts() {
		if err := g.addParts(kind.ID, p, known); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// addParts adds the family's records of a kind that are parts of the whole.
// loaded is one that was read already.
func (g *group) addParts(kind string, loaded *part, known foreseen) error {
	whole := g.whole().info.Record
	records, err := g.reader.RecordsOf(g.whole().info.Family, kind)
	if err != nil {
		return fmt.Errorf("listing the parts of record %s: %w", whole, err)
	}
	for _, record := range records {
		if record == loaded.info.Record {
			if slices.Contains(loaded.wholes(), whole) {
				g.parts = append(g.parts, loaded)
			}
			continue
		}
		info, err := g.reader.RecordInfo(record)
		if err != nil {
			return fmt.Errorf("reading record %s: %w", record, err)
		}
		if m, ok := known.members[record]; ok && m.last == info.Last && !slices.Contains(m.wholes, whole) {
			continue
		}
		p, err := known.load(g.reader, record)
		if err != nil {
			return err
		}
		if slices.Contains(p.wholes(), whole) {
			g.parts = append(g.parts, p)
		}
	}
	return nil
}

// wholes lists the records that this one says it is a part of: one, or several
// while people disagree.
func (p *part) wholes() []syncproto.RecordID { return wholesOf(p.kind, p.view) }

func wholesOf(kind *schema.Kind, v *syncproto.View) []syncproto.RecordID {
	if kind.Part == "" {
		return nil
	}
	var out []syncproto.RecordID
	add := func(value cbor.Value) {
		if id, ok := value.AsBytes(); ok && len(id) == len(syncproto.RecordID{}) {
			out = append(out, syncproto.RecordID(id))
		}
	}
	if f, ok := v.Field(kind.Part); ok {
		add(f.Value)
	}
	for _, c := range v.Conflicts {
		if c.Path.Field != kind.Part {
			continue
		}
		for _, side := range c.Sides {
			add(side.Value)
		}
	}
	return out
}

// foresee reads and folds the group of a record before the ledger's turn. What it
// misses is read there.
func (s *Service) foresee(record syncproto.RecordID) foreseen {
	f := foreseen{members: s.members(record), parts: map[syncproto.RecordID]*part{}}
	err := s.cfg.Store.Read(func(r *store.Reader) error {
		g, err := gather(r, record, f)
		if err != nil {
			return err
		}
		for _, p := range g.parts {
			f.parts[p.info.Record] = p
		}
		return nil
	})
	if err != nil {
		return foreseen{} // the turn meets it again, and says so
	}
	return f
}

// members looks at the family's parts in views that are kept.
func (s *Service) members(record syncproto.RecordID) map[syncproto.RecordID]membership {
	known := map[syncproto.RecordID]membership{}
	info, err := s.cfg.Store.RecordInfo(record)
	if err != nil {
		return known
	}
	whole, ok := schema.Newest(info.Kind)
	if !ok {
		return known
	}
	if w, isPart := whole.Whole(); isPart {
		whole = w
	}
	for _, kind := range whole.Parts() {
		records, err := s.cfg.Store.RecordsOf(info.Family, kind.ID)
		if err != nil {
			return known
		}
		for _, id := range records {
			before, err := s.cfg.Store.RecordInfo(id)
			if err != nil {
				continue
			}
			if v, err := s.cfg.Store.View(id); err == nil {
				known[id] = membership{last: before.Last, wholes: wholesOf(kind, v)}
			}
		}
	}
	return known
}

// derive fills in what is computed of the group's views.
func (g *group) derive() {
	views := g.views()
	syncproto.Derive(views[0], views[1:])
}

func (g *group) views() []*syncproto.View {
	views := make([]*syncproto.View, len(g.parts))
	for i, p := range g.parts {
		views[i] = p.view
	}
	return views
}

// heads names what stands now, in order of the records' ids.
func (g *group) heads() []syncproto.RecordHeads {
	out := make([]syncproto.RecordHeads, 0, len(g.parts))
	for _, p := range g.parts {
		out = append(out, syncproto.RecordHeads{Record: p.info.Record, Heads: p.info.Heads})
	}
	sortHeads(out)
	return out
}

func sortHeads(heads []syncproto.RecordHeads) {
	slices.SortFunc(heads, func(a, b syncproto.RecordHeads) int { return slices.Compare(a.Record[:], b.Record[:]) })
}

// asker is the caller before one record.
func (g *group) asker(p *part) access.Asker {
	a := askerOf(g.state, g.caller, p.info.Family, g.atMS)
	a.Authorship = access.AuthorshipOf(p.graph.Changes(), g.caller.User)
	if a.Authorship == access.AuthorNot && slices.Contains(g.answerable(p), g.caller.User) {
		a.Authorship = access.AuthorWrote
	}
	return a
}

func askerOf(state *store.State, caller Caller, family syncproto.FamilyID, atMS int64) access.Asker {
	return access.AskerOf(access.Standing(state.StandingOf(caller.User, family, atMS)))
}

// mayRead tells a stranger that there is no such record, before anything of it is
// read.
func mayRead(r *store.Reader, caller Caller, record syncproto.RecordID, state *store.State, atMS int64) error {
	info, err := r.RecordOrNot(record)
	if err != nil {
		return notFound(err)
	}
	may, err := askerOf(state, caller, info.Family, atMS).MayReadOwn(info.Kind, caller.User, func() ([]*syncproto.Change, error) {
		if info.Gone != 0 {
			return nil, nil
		}
		g, _, err := r.Graph(record)
		if err != nil {
			return nil, fmt.Errorf("looking up who wrote a record: %w", err)
		}
		return g.Changes(), nil
	})
	if err != nil {
		return err
	}
	if !may {
		return syncproto.CodeNotFound
	}
	return goneFrom(state, info)
}

// goneFrom says why a record is not there for who could read it; nil: it is there.
func goneFrom(state *store.State, info store.RecordInfo) error {
	if _, moved := state.Misfiled(info.Record); moved && !state.IsErased(info.Family, info.Record) {
		return syncproto.CodeMisfiled
	}
	if info.Gone != 0 {
		return syncproto.CodeNotFound
	}
	return nil
}

// change is a change of these ops by the caller, as far as access looks at one.
func (g *group) change(p *part, ops ...syncproto.Op) *syncproto.Change {
	return &syncproto.Change{Body: syncproto.Body{
		Family: p.info.Family, Record: p.info.Record, Kind: p.info.Kind, SchemaVersion: p.kind.Version,
		Deps: p.info.Heads, Author: g.caller.User, Ops: ops,
	}}
}

// may asks whether the caller may make these ops a change of a record.
func (g *group) may(p *part, ops ...syncproto.Op) error {
	d := g.asker(p).MayChange(p.kind, g.change(p, ops...))
	if d.Allow || g.typing(p, g.asker(p)) && typed(p.kind, ops) {
		return nil
	}
	var path syncproto.Path
	if len(ops) > 0 {
		path = ops[0].Path
	}
	return because(p, path, d.Code, "You may not do this: "+d.Reason+".")
}

// open refuses an act on a record that is final.
func open(p *part) error {
	if p.info.Sealed != 0 {
		return because(p, syncproto.Path{}, syncproto.CodeFinal, "")
	}
	return nil
}
