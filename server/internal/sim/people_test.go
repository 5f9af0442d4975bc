package sim

import (
	"errors"

	"doorstep/client-sdk/engine"
	"doorstep/server/internal/desk"
	"doorstep/server/internal/disk/disktest"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
	"doorstep/syncproto/text"
)

// act has the tablet's worker do something in a family they know.
func (t *tablet) act() {
	var known []syncproto.FamilyID
	for _, f := range t.engine.Families() {
		if f.Readable {
			known = append(known, f.Family)
		}
	}
	if len(known) == 0 {
		return
	}
	family := known[t.w.rng.IntN(len(known))]
	records := t.engine.Records(family)
	if len(records) == 0 || len(records) < 4 && t.w.rng.IntN(4) == 0 {
		t.begin(family)
		return
	}
	t.work(records[t.w.rng.IntN(len(records))])
}

func (t *tablet) begin(family syncproto.FamilyID) {
	kinds := []string{"visit", "visit", "visit_child", "plan", "action"}
	kind := kinds[t.w.rng.IntN(len(kinds))]
	op, ok := t.w.randomOp(kind, nil)
	if ok {
		t.edit(engine.Edit{Record: syncproto.RecordID(t.w.id()), Family: family, Kind: kind, Ops: []syncproto.Op{op}})
	}
}

// work edits, types in, decides, or hands over a record.
func (t *tablet) work(record syncproto.RecordID) {
	view, err := t.engine.View(record)
	if err != nil {
		return // closed, or nothing in it that this build folds
	}
	switch n := t.w.rng.IntN(21); {
	case n == 20:
		t.offerAnew(record)
	case n < 6:
		t.typeIn(record, view)
	case n < 7 && len(view.Conflicts) > 0:
		t.decide(record, view)
	case n < 8:
		t.edit(engine.Edit{Record: record, Ops: []syncproto.Op{{Code: syncproto.OpHandOver}}})
	default:
		if op, ok := t.w.randomOp(view.Kind, view); ok {
			t.edit(engine.Edit{Record: record, Ops: []syncproto.Op{op}})
		}
	}
}

func (t *tablet) edit(in engine.Edit) {
	in.Salt = t.w.id()
	id, effects, err := t.engine.Edit(t.now(), in)
	if err != nil {
		t.w.log("tablet %x: edit refused: %v", t.device[:2], err)
		return
	}
	if t.carry(effects) {
		t.wrote[id] = true // the call returned: the words are safe
	}
}

// offerAnew writes again what of a record is locked away, once that is possible.
func (t *tablet) offerAnew(record syncproto.RecordID) {
	id, effects, err := t.engine.Reoffer(t.now(), record, t.w.id())
	if err != nil {
		t.w.log("tablet %x: nothing to offer anew: %v", t.device[:2], err)
		return
	}
	if t.carry(effects) {
		t.w.count["offered anew"]++
		t.wrote[id] = true
	}
}

// typeIn types some letters, a word, or takes some away, in the record's prose.
func (t *tablet) typeIn(record syncproto.RecordID, view *syncproto.View) {
	field := map[string]string{"visit": "purpose", "visit_child": "presentation"}[view.Kind]
	if field == "" {
		return
	}
	fv, _ := view.Field(field)
	length := len([]rune(fv.Text))
	words := []string{"mum ", "was ", "calm. ", "é", "👨‍👩‍👧", "x", "ليلى ", ""}
	s := text.Splice{Pos: t.w.rng.IntN(length + 1), Ins: words[t.w.rng.IntN(len(words))]}
	if t.w.rng.IntN(3) == 0 {
		s.Del = t.w.rng.IntN(min(length-s.Pos, 5) + 1)
	}
	effects, err := t.engine.Type(t.now(), engine.Typing{
		Record: record, Path: syncproto.Path{Field: field}, Splice: s, Salt: t.w.id(),
	})
	if err != nil {
		t.w.failf("tablet %x cannot type at %d of %d: %v", t.device[:2], s.Pos, length, err)
	}
	t.carry(effects)
}

func (t *tablet) decide(record syncproto.RecordID, view *syncproto.View) {
	c := view.Conflicts[t.w.rng.IntN(len(view.Conflicts))]
	op := syncproto.Op{Code: syncproto.OpDecide, Path: c.Path, Reason: "we talked",
		Value: c.Sides[t.w.rng.IntN(len(c.Sides))].Value}
	t.edit(engine.Edit{Record: record, Ops: []syncproto.Op{op}})
}

// randomOp makes an op that the kind allows, on a field chosen at random.
func (w *world) randomOp(kindID string, view *syncproto.View) (syncproto.Op, bool) {
	kind, ok := schema.Newest(kindID)
	if !ok {
		return syncproto.Op{}, false
	}
	field := &kind.Fields[w.rng.IntN(len(kind.Fields))]
	if disputed := disputable(kind); len(disputed) > 0 && w.rng.IntN(2) == 0 {
		field = disputed[w.rng.IntN(len(disputed))] // what people disagree on, often
	}
	path := syncproto.Path{Field: field.ID}
	switch field.Rule {
	case schema.Human, schema.Protect, schema.Latest:
		return syncproto.Op{Code: syncproto.OpSet, Path: path, Value: w.value(field)}, !field.IsProse()
	case schema.Union, schema.Log:
		return w.collectionOp(field, path, view)
	}
	return syncproto.Op{}, false
}

// disputable picks a few fields of a kind for everybody to write at once.
func disputable(kind *schema.Kind) []*schema.Field {
	var out []*schema.Field
	for i := range kind.Fields {
		if f := &kind.Fields[i]; len(out) < 3 && (f.Rule == schema.Protect || f.KeepRemoved || f.ID == "place") {
			out = append(out, f)
		}
	}
	return out
}

func (w *world) collectionOp(field *schema.Field, path syncproto.Path, view *syncproto.View) (syncproto.Op, bool) {
	var items []syncproto.Element
	if view != nil {
		fv, _ := view.Field(field.ID)
		items = fv.Items
	}
	if len(items) == 0 || w.rng.IntN(3) == 0 || field.Rule == schema.Log {
		path.Element = syncproto.ElementID(w.id())
		var parts []cbor.Pair
		for i := range field.Sub {
			if !field.Sub[i].IsProse() {
				parts = append(parts, cbor.Pair{Key: field.Sub[i].ID, Value: w.value(&field.Sub[i])})
			}
		}
		return syncproto.Op{Code: syncproto.OpAdd, Path: path, Value: cbor.Map(parts...)}, true
	}
	path.Element = items[w.rng.IntN(len(items))].Element
	if w.rng.IntN(3) == 0 {
		return syncproto.Op{Code: syncproto.OpRemove, Path: path, Reason: "it is over"}, true
	}
	sub := &field.Sub[w.rng.IntN(len(field.Sub))]
	path.Sub = sub.ID
	return syncproto.Op{Code: syncproto.OpSet, Path: path, Value: w.value(sub)}, !sub.IsProse()
}

// value makes a value of the field's type; where a format or bound is in the
// way, it clears the field.
func (w *world) value(field *schema.Field) cbor.Value {
	v := cbor.Null()
	switch field.Type {
	case schema.TypeBool:
		v = cbor.Bool(w.rng.IntN(2) == 0)
	case schema.TypeCode:
		codes := field.Codes.All()
		v = cbor.Text(codes[w.rng.IntN(len(codes))].Code)
	case schema.TypeLine:
		v = cbor.Text([]string{"yes", "Gran", "after school"}[w.rng.IntN(3)])
	case schema.TypeDate:
		v = cbor.Text("2026-11-0" + string(rune('1'+w.rng.IntN(9))))
	case schema.TypeTime:
		v = cbor.Int(startMS + int64(w.rng.IntN(1000)))
	case schema.TypeRef:
		id := w.id()
		v = cbor.Bytes(id[:])
	}
	if !field.CheckValue(v).OK() {
		return cbor.Null()
	}
	return v
}

// relate gives a worker a family, or takes it away.
func (w *world) relate(user syncproto.UserID, family syncproto.FamilyID, grant bool) {
	if user == duty {
		return
	}
	if w.borough.propose(store.RelationEntry{User: user, Family: family, Basis: "LEAD", Grant: grant}) {
		w.takeAtItsWord()
		w.log("worker %x and family %x: %v", user[:1], family[:1], grant)
	}
}

// seal makes a record final as it stands at the server.
func (w *world) seal(record syncproto.RecordID) {
	info, err := w.borough.store.RecordInfo(record)
	if err != nil || info.Sealed != 0 || len(info.Heads) == 0 {
		return
	}
	group := []syncproto.RecordHeads{{Record: record, Heads: info.Heads}}
	g, verdicts, err := w.borough.store.Graph(record)
	if errors.Is(err, disktest.ErrPower) {
		w.borough.failed = true
		return
	}
	if err != nil {
		w.failf("reading record %x: %v", record[:2], err)
	}
	kind, _ := schema.Newest(info.Kind)
	sealed := syncproto.FoldAt(g, kind, verdicts, info.Heads)
	hash := syncproto.VersionHash(sealed)
	edit := desk.Edit{Author: w.coordinator, Family: info.Family, Record: record, Kind: info.Kind,
		Ops: []syncproto.Op{{Code: syncproto.OpFinalise, Heads: group}}}
	done := w.borough.write([]desk.Edit{edit}, func(tx *store.Tx, ids []syncproto.ChangeID) []store.Entry {
		before, _ := tx.LastSeal()
		return []store.Entry{store.VerdictEntry{Verdict: syncproto.Verdict{
			Kind: syncproto.VerdictSeal, Family: info.Family, Record: record, Change: ids[0],
			By: w.coordinator, AtMS: tx.AtMS(), Heads: group, Hash: hash, PrevHash: before,
		}}}
	})
	if done {
		w.takeAtItsWord()
		w.seals[record] = seal{heads: info.Heads, hash: hash, position: w.sure.head}
		w.log("record %x is final", record[:2])
	}
}
