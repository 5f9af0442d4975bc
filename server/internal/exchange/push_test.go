package exchange_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

func TestChangeGoesFromTabletToTablet(t *testing.T) {
	w, family, ada := case1(t)
	bea := w.coworker(family)
	ada.sync()
	visit := newID[syncproto.RecordID](w)
	first := ada.write(edit{family: family, record: visit, ops: place("HOME")})
	second := ada.write(edit{family: family, record: visit, deps: []*syncproto.Change{first}, ops: place("SCHOOL")})
	reply := ada.sync()
	if r := ada.wantReceipt(first, accepted, 0); r.Durability != syncproto.DurabilityStored || r.Position == 0 {
		t.Errorf("receipt: got %+v", r)
	}
	ada.wantReceipt(second, accepted, 0)
	for _, it := range reply.Items {
		if it.Type == syncproto.ItemChange {
			t.Error("a tablet was sent its own change back")
		}
	}
	if want := (syncproto.ChainHead{Actor: ada.actor, Seq: 2, Tip: second.ID}); !slices.Equal(reply.Chains, []syncproto.ChainHead{want}) {
		t.Errorf("chains: got %v, want %v", reply.Chains, want)
	}
	bea.sync()
	if bea.families[family] != "CO" || len(bea.changes) != 2 {
		t.Errorf("the co-worker has basis %q and %d changes", bea.families[family], len(bea.changes))
	}
	bea.sameAsServer(visit)
	ada.sameAsServer(visit)
}

func TestFault27AlteredBodyBreaksTheSignature(t *testing.T) {
	w, family, ada := case1(t)
	c := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	batch := ada.batch(c)
	batch.Bodies[0] = bytes.Replace(c.Raw, []byte("HOME"), []byte("HOMF"), 1)
	reply := ada.mustAsk(ada.request(batch))
	if r := reply.Receipts[0]; r.Status != refused || r.Code != syncproto.CodeBadSignature || r.Durability != 0 {
		t.Errorf("receipt: got %+v", r)
	}
	if !w.log.has("security event", "bad_signature") {
		t.Error("no security event")
	}
	if _, err := w.b.Store.Chain(ada.actor); !errors.Is(err, store.ErrNotFound) {
		t.Error("a forged change left a trace in its actor's chain")
	}
}

func TestFault28SameChangeSameReceipt(t *testing.T) {
	w, family, ada := case1(t)
	c := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	q := ada.request(ada.batch(c))
	first, again := ada.mustAsk(q), ada.mustAsk(q)
	if !slices.EqualFunc(first.Receipts, again.Receipts, sameReceipt) {
		t.Errorf("receipts: got %v, then %v", first.Receipts, again.Receipts)
	}
	head, _ := w.b.Journal.Head()
	ada.mustAsk(q)
	if now, _ := w.b.Journal.Head(); now != head {
		t.Error("a change sent again was stored again")
	}
}

func sameReceipt(a, b syncproto.Receipt) bool {
	return a.Change == b.Change && a.Status == b.Status && a.Code == b.Code && a.Position == b.Position &&
		a.Durability == b.Durability && slices.Equal(a.Missing, b.Missing)
}

func TestFault29OtherBytesAreAnotherChange(t *testing.T) {
	w, family, ada := case1(t)
	c := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	ada.sync()
	other := bytes.Replace(c.Raw, []byte("HOME"), []byte("HOMF"), 1)
	if syncproto.ComputeID(c.Prev, other) == c.ID {
		t.Fatal("two bodies have one id")
	}
	e, err := w.b.Store.Change(c.ID)
	if err != nil {
		t.Fatal(err)
	}
	err = w.b.Store.Read(func(r *store.Reader) error {
		stored, err := r.ChangeEntry(e.Position)
		if err != nil {
			return err
		}
		body, err := store.OpenChange(w.b.Keys, stored)
		if err == nil && !bytes.Equal(body, c.Raw) {
			t.Error("the stored bytes are not those that were sent")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFault30MissingParentsAreHeldAndReleased(t *testing.T) {
	w, family, ada := case1(t)
	bea := w.coworker(family)
	visit := newID[syncproto.RecordID](w)
	root := ada.write(edit{family: family, record: visit, ops: place("HOME")})
	child := bea.write(edit{family: family, record: visit, deps: []*syncproto.Change{root}, ops: place("SCHOOL")})
	grandchild := bea.write(edit{family: family, record: visit, deps: []*syncproto.Change{child}, ops: place("OFFICE")})
	bea.sync()
	r := bea.wantReceipt(child, held, syncproto.CodeMissingDeps)
	if !slices.Equal(r.Missing, []syncproto.ChangeID{root.ID}) || r.Durability != syncproto.DurabilityStored {
		t.Errorf("receipt: got %+v", r)
	}
	bea.wantReceipt(grandchild, held, syncproto.CodeMissingDeps)
	w.restart() // what is held survives
	ada.sync()
	if len(ada.verdicts) != 2 || len(ada.changes) != 3 {
		t.Errorf("after the release: %d verdicts, %d changes; want 2 and 3", len(ada.verdicts), len(ada.changes))
	}
	ada.sameAsServer(visit)
	bea.mustAsk(bea.request(bea.batch(child, grandchild)))
	bea.wantReceipt(child, accepted, 0)
	bea.wantReceipt(grandchild, accepted, 0)
	bea.sync()
	bea.sameAsServer(visit)
}

// TestFault30TwoThatWaitForOneAreBothReleased lets a change go on whose prev is
// known and held: what waits for that one as its parent must not be forgotten.
func TestFault30TwoThatWaitForOneAreBothReleased(t *testing.T) {
	w, family, ada := case1(t)
	bea, cleo := w.coworker(family), w.coworker(family)
	visit, other := newID[syncproto.RecordID](w), newID[syncproto.RecordID](w)
	root := ada.write(edit{family: family, record: visit, ops: place("HOME")})
	otherRoot := cleo.write(edit{family: family, record: other, ops: place("HOME")})
	first := bea.write(edit{family: family, record: visit, deps: []*syncproto.Change{root}, ops: place("SCHOOL")})
	next := bea.write(edit{family: family, record: other, deps: []*syncproto.Change{otherRoot}, ops: place("SCHOOL")})
	last := bea.write(edit{family: family, record: visit, deps: []*syncproto.Change{first}, ops: place("OFFICE")})
	bea.sync()
	for _, c := range []*syncproto.Change{first, next, last} {
		bea.wantReceipt(c, held, syncproto.CodeMissingDeps)
	}
	cleo.sync() // lets next go, whose prev is first
	ada.sync()  // lets first go, and so last
	for _, c := range []*syncproto.Change{first, next, last} {
		if ref, err := w.b.Store.Change(c.ID); err != nil || ref.Status != accepted {
			t.Errorf("change %d of the chain: got %+v, %v; want it accepted", c.Body.Seq, ref.Status, err)
		}
	}
}

func TestFault30MissingPrevIsHeldAndReleased(t *testing.T) {
	w, family, ada := case1(t)
	first := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	second := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("SCHOOL")})
	third := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("SCHOOL")})
	reply := ada.mustAsk(ada.request(ada.batch(second)))
	if r := ada.wantReceipt(second, held, syncproto.CodeMissingPrev); !slices.Equal(r.Missing, []syncproto.ChangeID{first.ID}) {
		t.Errorf("missing: got %v", r.Missing)
	}
	if reply.Chains[0].Seq != 0 {
		t.Errorf("chain: got %v, want the gap to show", reply.Chains)
	}
	ada.mustAsk(ada.request(ada.batch(third)))
	ada.wantReceipt(third, accepted, 0) // its prev is known, though held
	reply = ada.mustAsk(ada.request(ada.batch(first)))
	if reply.Chains[0] != (syncproto.ChainHead{Actor: ada.actor, Seq: 3, Tip: third.ID}) {
		t.Errorf("chain after the gap was filled: got %v", reply.Chains)
	}
	if c, err := w.b.Store.Change(second.ID); err != nil || c.Status != accepted {
		t.Errorf("the held change: got %+v, %v", c, err)
	}
}

func TestFault31WhatIsHeldIsListed(t *testing.T) {
	w, family, ada := case1(t)
	visit := newID[syncproto.RecordID](w)
	missing := &syncproto.Change{ID: syncproto.ChangeID{7}}
	c := ada.write(edit{family: family, record: visit, deps: []*syncproto.Change{missing}, ops: place("HOME")})
	ada.sync()
	unplaced, err := w.b.Store.Unplaced(family, visit)
	if err != nil || len(unplaced) != 1 || unplaced[0].ID != c.ID || unplaced[0].AtMS != w.nowMS {
		t.Errorf("held changes: got %v, %v", unplaced, err)
	}
}

func TestFault34TooManyParents(t *testing.T) {
	w, family, ada := case1(t)
	visit := newID[syncproto.RecordID](w)
	good := ada.write(edit{family: family, record: visit, ops: place("HOME")})
	for i := range syncproto.MaxDeps + 1 { // the encoder refuses: the bytes are made by hand
		good.Body.Deps = append(good.Body.Deps, syncproto.ChangeID{1, byte(i)})
	}
	bad := ada.queue(encodeAnyway(t, good.Body), nil)
	after := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	ada.sync()
	ada.wantReceipt(good, accepted, 0)
	ada.wantReceipt(bad, refused, syncproto.CodeTooManyDeps)
	ada.seq--
	ada.wantReceipt(after, refused, syncproto.CodeMalformed) // it claims the refused one's place
}

// encodeAnyway writes a body with too many deps: the deps of a good one, longer.
func encodeAnyway(t *testing.T, b syncproto.Body) []byte {
	t.Helper()
	deps := b.Deps
	b.Deps = deps[:1]
	raw, err := syncproto.EncodeBody(&b)
	if err != nil {
		t.Fatal(err)
	}
	one := cbor.AppendBytes(cbor.AppendArray(nil, 1), deps[0][:])
	all := cbor.AppendArray(nil, len(deps))
	for _, d := range deps {
		all = cbor.AppendBytes(all, d[:])
	}
	return bytes.Replace(raw, one, all, 1)
}

func TestFault35LongChainIsReleasedWithoutRecursion(t *testing.T) {
	w, family, ada := case1(t)
	visit := newID[syncproto.RecordID](w)
	const length = 3_000
	chain := []*syncproto.Change{ada.write(edit{family: family, record: visit, ops: place("HOME")})}
	for len(chain) < length {
		before := chain[len(chain)-1:]
		chain = append(chain, ada.write(edit{family: family, record: visit, deps: before, ops: place("SCHOOL")}))
	}
	for from := 1; from < length; from += 1000 {
		ada.mustAsk(ada.request(ada.batch(chain[from:min(from+1000, length)]...)))
	}
	ada.wantReceipt(chain[length-1], held, syncproto.CodeMissingDeps)
	ada.mustAsk(ada.request(ada.batch(chain[0])))
	last, err := w.b.Store.Change(chain[length-1].ID)
	if err != nil || last.Status != accepted {
		t.Errorf("the end of the chain: got %+v, %v", last, err)
	}
}

func TestFault36ParentInAnotherRecord(t *testing.T) {
	w, family, ada := case1(t)
	other := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	bad := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), deps: []*syncproto.Change{other}, ops: place("HOME")})
	ada.sync()
	ada.wantReceipt(other, accepted, 0)
	if r := ada.wantReceipt(bad, refused, syncproto.CodeForeignDep); r.Position != 0 {
		t.Errorf("a refused change has position %d", r.Position)
	}
	if !w.log.has("security event", "foreign_dep") {
		t.Error("no security event")
	}
}

func TestFault36ParentThatComesLaterInAnotherRecord(t *testing.T) {
	w, family, ada := case1(t)
	bea := w.coworker(family)
	other := bea.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	bad := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), deps: []*syncproto.Change{other}, ops: place("HOME")})
	ada.sync()
	ada.wantReceipt(bad, held, syncproto.CodeMissingDeps)
	bea.sync()
	if c, err := w.b.Store.Change(bad.ID); err != nil || c.Status != quarantined || c.Code != syncproto.CodeForeignDep {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestFault36RecordOfAnotherFamily(t *testing.T) {
	w, family, ada := case1(t)
	visit := newID[syncproto.RecordID](w)
	ada.write(edit{family: family, record: visit, ops: place("HOME")})
	ada.sync()
	elsewhere := newID[syncproto.FamilyID](w)
	w.relate(ada.user, elsewhere, "LEAD")
	bad := ada.write(edit{family: elsewhere, record: visit, ops: place("SCHOOL")})
	good := ada.write(edit{family: elsewhere, record: newID[syncproto.RecordID](w), ops: place("SCHOOL")})
	ada.sync()
	ada.wantReceipt(bad, refused, syncproto.CodeWrongRecord)
	ada.wantReceipt(good, accepted, 0)
}

func TestFault37ParentThatTheAuthorCouldNotRead(t *testing.T) {
	w, family, ada := case1(t)
	visit := newID[syncproto.RecordID](w)
	root := ada.write(edit{family: family, record: visit, ops: place("HOME")})
	ada.sync()
	stranger := w.tablet(w.person("practitioner"))
	c := stranger.write(edit{family: family, record: visit, deps: []*syncproto.Change{root}, ops: place("SCHOOL")})
	reply := stranger.sync()
	r := stranger.wantReceipt(c, quarantined, syncproto.CodeNotEntitled)
	if len(r.Missing) != 0 || len(reply.Items) != 0 {
		t.Errorf("a stranger learns: %+v, %d items", r, len(reply.Items))
	}
	w.relate(stranger.user, family, "CO")
	after := stranger.write(edit{family: family, record: visit, deps: []*syncproto.Change{root}, ops: place("OFFICE")})
	stranger.sync()
	stranger.wantReceipt(after, accepted, 0)
}

func TestFault38TwoRootsAreKept(t *testing.T) {
	w, family, ada := case1(t)
	bea := w.coworker(family)
	visit := newID[syncproto.RecordID](w)
	ada.write(edit{family: family, record: visit, ops: place("HOME")})
	bea.write(edit{family: family, record: visit, ops: place("SCHOOL")})
	ada.sync()
	bea.sync()
	ada.sync()
	if roots := ada.view(visit).Roots; len(roots) != 2 {
		t.Errorf("roots: got %d, want 2", len(roots))
	}
	ada.sameAsServer(visit)
	bea.sameAsServer(visit)
}

func TestFault39OpOnUnknownElement(t *testing.T) {
	w, family, ada := case1(t)
	visit := newID[syncproto.RecordID](w)
	c := ada.write(edit{family: family, record: visit, ops: []syncproto.Op{{
		Code: syncproto.OpRemove, Path: syncproto.Path{Field: "workers", Element: newID[syncproto.ElementID](w)}, Reason: "left",
	}}})
	ada.sync()
	ada.wantReceipt(c, accepted, 0)
	if v, err := w.b.Store.View(visit); err != nil || v.NoOps != 1 {
		t.Errorf("view: got %+v, %v", v, err)
	}
}

func TestFault51And52WrongClockIsMarkedAndChangesNothing(t *testing.T) {
	w, family, ada := case1(t)
	visit := newID[syncproto.RecordID](w)
	const year = 365 * 24 * 3_600_000
	times := map[string]int64{"ten years on": w.nowMS + 10*year, "1970": 1, "before enrolment": startMS - year}
	var before []*syncproto.Change
	for name, ms := range times {
		c := ada.write(edit{family: family, record: visit, deps: before, ops: place("HOME"),
			alter: func(b *syncproto.Body) { b.TimeMS = ms }})
		before = []*syncproto.Change{c}
		ada.sync()
		ada.wantReceipt(c, accepted, syncproto.CodeFutureTime)
		if v := ada.view(visit); len(v.Conflicts) != 0 || v.Heads[0] != c.ID {
			t.Errorf("%s: the clock changed the order", name)
		}
	}
	right := ada.write(edit{family: family, record: visit, deps: before, ops: place("SCHOOL")})
	ada.sync()
	ada.wantReceipt(right, accepted, 0)
	if f, _ := ada.view(visit).Field("place"); !f.Value.Equal(cbor.Text("SCHOOL")) {
		t.Error("a later change lost to a clock")
	}
}

func TestFault53ClockThatJumpsBack(t *testing.T) {
	w, family, ada := case1(t)
	visit := newID[syncproto.RecordID](w)
	one := ada.write(edit{family: family, record: visit, ops: place("HOME"),
		alter: func(b *syncproto.Body) { b.MonotonicMS = 10 }})
	two := ada.write(edit{family: family, record: visit, deps: []*syncproto.Change{one}, ops: place("SCHOOL"),
		alter: func(b *syncproto.Body) { b.TimeMS -= 3_600_000; b.MonotonicMS = 20 }})
	ada.sync()
	ada.wantReceipt(two, accepted, 0)
	if f, _ := ada.view(visit).Field("place"); !f.Value.Equal(cbor.Text("SCHOOL")) {
		t.Error("the change made later lost")
	}
}

func TestHeldForANewerAppIsTakenInByOne(t *testing.T) {
	w, family, ada := case1(t)
	c := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	child := ada.write(edit{family: family, record: c.Body.Record, deps: []*syncproto.Change{c}, ops: place("SCHOOL")})
	// As an older server would have stored it, which did not know what it says.
	if err := w.b.Keys.Ensure([]store.KeyPair{{Family: family, Record: c.Body.Record}}); err != nil {
		t.Fatal(err)
	}
	sealed, err := store.SealChange(w.b.Keys, c, w.nowMS)
	if err != nil {
		t.Fatal(err)
	}
	w.commit(store.ChangeEntry{
		ID: c.ID, Record: c.Body.Record, Family: family, Kind: "visit", Actor: ada.actor, Seq: 1, Author: ada.user,
		Device: ada.device, Status: held, Code: syncproto.CodeNewerApp, AtMS: w.nowMS, Sealed: sealed,
	})
	ada.mustAsk(ada.request(ada.batch(child)))
	ada.wantReceipt(child, held, syncproto.CodeMissingDeps)
	w.restart()
	if err := w.x.Reconsider(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*syncproto.Change{c, child} {
		if ref, err := w.b.Store.Change(c.ID); err != nil || ref.Status != accepted {
			t.Errorf("after the upgrade: got %+v, %v", ref, err)
		}
	}
}

// TestReceiptsSayStoredThenCopied moves the second copy along between two syncs.
func TestReceiptsSayStoredThenCopied(t *testing.T) {
	w, family, ada := case1(t)
	if reply := ada.sync(); reply.Copies {
		t.Error("a server without a second copy says that it keeps one")
	}
	at := uint64(0)
	w.copied = func() uint64 { return at }
	w.restart()
	c := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	reply := ada.mustAsk(ada.request(ada.batch(c)))
	stored := reply.Receipts[0]
	if !reply.Copies || reply.Copied != 0 || stored.Durability != syncproto.DurabilityStored {
		t.Errorf("before it is copied: copies %v up to %d, receipt %+v", reply.Copies, reply.Copied, stored)
	}
	at = stored.Position - 1
	if again := ada.mustAsk(ada.request(ada.batch(c))).Receipts[0]; again.Durability != syncproto.DurabilityStored {
		t.Errorf("the one before it is copied: receipt %+v", again)
	}
	at = stored.Position
	reply = ada.mustAsk(ada.request(ada.batch(c)))
	if again := reply.Receipts[0]; reply.Copied != at || again.Durability != syncproto.DurabilityCopied || again.Position != at {
		t.Errorf("once it is copied: up to %d, receipt %+v; want %d and copied", reply.Copied, again, at)
	}
}
