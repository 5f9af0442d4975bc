package sim

import (
	"bytes"
	"errors"
	"maps"
	"slices"

	"doorstep/client-sdk/engine"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

var statusNames = map[syncproto.ReceiptStatus]string{
	// Nothing here is ever held: a tablet sends its chain in order and builds on
	// what the server has.
	syncproto.StatusAccepted: "accepted", syncproto.StatusHeld: "held",
	syncproto.StatusQuarantined: "quarantined", syncproto.StatusLate: "late",
}

// checkReply checks what a reply promises and shows. The request began at a time by
// the server's clock.
func (w *world) checkReply(t *tablet, reply *syncproto.SyncReply, beganMS int64) {
	for _, r := range reply.Receipts {
		w.count[statusNames[r.Status]]++
		if r.Status != syncproto.StatusRefused && r.Durability != syncproto.DurabilityNone {
			w.acked[r.Change] = r.Status
			delete(w.away, r.Change)
		}
		if r.Status == syncproto.StatusRefused && r.Code != syncproto.CodeErased {
			w.failf("a change of tablet %x was refused: %v", t.device[:1], r.Code)
		}
	}
	if w.know(); w.borough.failed {
		return // the journal cannot be read any more: what the test knows is old
	}
	for _, item := range reply.Items {
		if item.Type == syncproto.ItemPurge {
			w.count["purges"]++
		}
		if item.Type != syncproto.ItemChange {
			continue
		}
		c, err := syncproto.DecodeChange(item.Prev, item.Body)
		if err != nil {
			w.failf("the server handed out what cannot be read: %v", err)
		}
		if !w.heldSince(holding{t.user, c.Body.Family}, beganMS) {
			w.failf("tablet %x was shown family %x, which its worker has no relation to", t.device[:1], c.Body.Family[:1])
		}
		if w.isErased(c.Body.Family, c.Body.Record) {
			w.failf("tablet %x was sent a word of record %x, which was erased", t.device[:1], c.Body.Record[:2])
		}
	}
}

// heldSince reports whether somebody might hold a family at any moment of a request,
// which a disk that dawdles draws out in steps.
func (w *world) heldSince(h holding, beganMS int64) bool {
	for at := beganMS; at < w.borough.now().UnixMilli(); at += dawdleMS {
		if w.standing.holds(h, at) {
			return true
		}
	}
	return w.standing.holds(h, w.borough.now().UnixMilli())
}

// checkAcked checks that everything acknowledged is stored, but for what was lost with
// a restore and is on its way back.
func (w *world) checkAcked() {
	for _, id := range sortedKeys(w.acked) {
		if _, away := w.away[id]; away {
			continue
		}
		if _, err := w.borough.store.Change(id); err != nil {
			w.failf("change %s was acknowledged and is gone: %v", id, err)
		}
	}
}

// checkBack checks that what was lost with a restore, and was on somebody's tablet,
// has come back by itself.
func (w *world) checkBack() {
	for _, id := range sortedKeys(w.away) {
		of := w.away[id]
		if _, err := w.borough.store.Change(id); err != nil && !w.isErased(of.Family, of.Record) {
			w.failf("change %s was lost with a restore, was on a tablet, and did not come back: %v", id, err)
		}
		w.count["words that came back"]++
	}
}

// checkEnded checks that a tablet shows and holds nothing that its worker may not
// have any more.
func (w *world) checkEnded(t *tablet) {
	for _, f := range t.engine.Families() {
		if f.Readable && !w.mayHold(t.user, f.Family) {
			w.failf("tablet %x still shows family %x", t.device[:1], f.Family[:1])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(t.rows)) {
		id, of, ok := changeRow(key)
		if !ok || !w.standing.ever[holding{t.user, of.Family}] {
			continue // a restore may have lost that it was given: it is not shown, and waits
		}
		if !w.mayHold(t.user, of.Family) {
			w.failf("tablet %x still holds words of family %x", t.device[:1], of.Family[:1])
		}
		if w.isErased(of.Family, of.Record) && !w.inCustody(id) {
			w.failf("tablet %x still holds words of record %x, which was erased", t.device[:1], of.Record[:2])
		}
	}
}

// inCustody reports whether a change waits at the server. What waited when its record
// was erased is in no feed, and its author's tablet may not hear of it.
func (w *world) inCustody(id syncproto.ChangeID) bool {
	ref, err := w.borough.store.Change(id)
	return err == nil && (ref.Status == syncproto.StatusQuarantined || ref.Status == syncproto.StatusHeld)
}

// checkErased checks that nobody can read at the server what was erased.
func (w *world) checkErased() {
	for _, id := range sortedKeys(w.acked) {
		ref, err := w.borough.store.Change(id)
		if err != nil || !w.isErased(ref.Family, ref.Record) || ref.Status == syncproto.StatusQuarantined && ref.Code == syncproto.CodeErased {
			continue
		}
		w.count["words erased"]++
		err = w.borough.store.Read(func(r *store.Reader) error {
			_, err := r.Content(ref.Position)
			return err
		})
		if err == nil {
			w.failf("change %s was erased, and the server can read it", id)
		}
		if _, err := w.borough.store.View(ref.Record); !errors.Is(err, store.ErrNotFound) {
			w.failf("record %x was erased, and the server shows it: %v", ref.Record[:2], err)
		}
	}
}

// checkAll checks what must hold once everybody has synced.
func (w *world) checkAll() {
	w.checkBack()
	w.checkAcked()
	w.checkErased()
	w.checkAudit()
	for _, t := range w.tablets {
		w.checkWritten(t)
		w.checkTold(t)
		w.checkEnded(t)
		for _, family := range w.families {
			if w.mayHold(t.user, family) {
				w.checkSame(t, family)
			}
		}
	}
	for _, record := range sortedKeys(w.seals) {
		w.checkSeal(record, w.seals[record])
	}
	w.checkProtected()
}

// checkWritten checks that nothing a worker wrote is on the tablet alone.
func (w *world) checkWritten(t *tablet) {
	if out := t.engine.Outbox(); out.Changes > 0 || out.Drafts > 0 {
		w.failf("tablet %x still holds %d changes and %d drafts", t.device[:1], out.Changes, out.Drafts)
	}
	for _, id := range sortedKeys(t.wrote) {
		if _, err := w.borough.store.Change(id); err != nil && !w.erasedAway(id) {
			w.failf("change %s was safe on tablet %x and never arrived: %v", id, t.device[:1], err)
		}
	}
}

// erasedAway reports whether a change was lost with a restore, and its record was
// erased: then it does not come back.
func (w *world) erasedAway(id syncproto.ChangeID) bool {
	of, away := w.away[id]
	return away && w.isErased(of.Family, of.Record)
}

// checkTold checks that a worker is told what became of each of their changes: no
// mark on what is part of its record, and the right one on what is not, so that
// no refused word is out of everybody's sight.
func (w *world) checkTold(t *tablet) {
	marks := map[syncproto.ChangeID]engine.Mark{}
	for _, m := range t.engine.Marks() {
		marks[m.Change] = m
	}
	for _, id := range sortedKeys(t.wrote) {
		ref, err := w.borough.store.Change(id)
		if err != nil {
			continue // checkWritten says so
		}
		m, marked := marks[id]
		told := syncproto.StatusAccepted
		if marked {
			told = m.Status
		}
		if told != ref.Status && (w.backups == nil || t.has(id)) {
			w.failf("change %s is %s, and tablet %x says %s", id, statusNames[ref.Status], t.device[:1], statusNames[told])
		}
	}
}

// checkSame checks that a tablet and the server see the same bytes.
func (w *world) checkSame(t *tablet, family syncproto.FamilyID) {
	seen := 0
	for _, kind := range schema.All() {
		records, err := w.borough.store.RecordsOf(family, kind.ID)
		if err != nil {
			w.failf("listing records: %v", err)
		}
		for _, record := range records {
			seen++
			server, err := w.borough.store.View(record)
			if err != nil {
				w.failf("the server cannot show record %x: %v", record[:2], err)
			}
			here, err := t.engine.Fold(record)
			if err != nil {
				w.failf("tablet %x cannot show record %x: %v", t.device[:1], record[:2], err)
			}
			if !bytes.Equal(server.Encode(), here.Encode()) {
				w.failf("record %x differs:\nserver %+v\ntablet %x %+v", record[:2], server, t.device[:1], here)
			}
		}
	}
	if n := len(t.engine.Records(family)); n < seen {
		w.failf("tablet %x shows %d of %d records of family %x", t.device[:1], n, seen, family[:1])
	}
}

// checkSeal checks that what was final is final, and has not changed.
func (w *world) checkSeal(record syncproto.RecordID, s seal) {
	info, err := w.borough.store.RecordInfo(record)
	if err == nil && info.Gone > 0 {
		return
	}
	if err != nil || info.Sealed == 0 {
		w.failf("record %x was sealed and is not: %v", record[:2], err)
	}
	g, verdicts, err := w.borough.store.Graph(record)
	if err != nil {
		w.failf("reading record %x: %v", record[:2], err)
	}
	kind, _ := schema.Newest(info.Kind)
	if syncproto.VersionHash(syncproto.FoldAt(g, kind, verdicts, s.heads)) != s.hash {
		w.failf("the sealed version of record %x has changed", record[:2])
	}
}

// checkProtected checks that no open disagreement shows a less protective value.
func (w *world) checkProtected() {
	for _, family := range w.families {
		for _, kind := range schema.All() {
			records, _ := w.borough.store.RecordsOf(family, kind.ID)
			for _, record := range records {
				view, err := w.borough.store.View(record)
				if errors.Is(err, store.ErrNotFound) {
					continue
				}
				for _, c := range view.Conflicts {
					w.count["conflicts"]++
					w.checkConflict(kind, view, c)
				}
			}
		}
	}
}

func (w *world) checkConflict(kind *schema.Kind, view *syncproto.View, c syncproto.Conflict) {
	field, ok := kind.At(c.Path.Field, c.Path.Sub)
	if !ok || field.Rule != schema.Protect {
		return
	}
	rank := func(i int) int {
		for r, v := range field.Protective {
			if v.Equal(c.Sides[i].Value) {
				return r
			}
		}
		return len(field.Protective)
	}
	best := 0
	for i := range c.Sides {
		if rank(i) < rank(best) {
			best = i
		}
	}
	if !c.Sides[best].Value.Equal(c.InForce) {
		w.failf("record %x, %s: the value in force is not the most protective one", view.Record[:2], c.Path.Field)
	}
}
