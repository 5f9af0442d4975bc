package exchange_test

import (
	"context"
	"errors"
	"testing"

	"doorstep/server/internal/exchange"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/text"
)

// presentation types prose into a child's part of a visit.
func presentation(words string) []syncproto.Op {
	return []syncproto.Op{{
		Code: syncproto.OpSplice, Path: syncproto.Path{Field: "presentation"}, Splices: []text.Splice{{Ins: words}},
	}}
}

// A part's id follows from its visit and child, so a stranger may know it before
// anybody wrote the part. What the stranger sends is kept for a reviewer, and
// decides nothing about the record: not its family, its kind, nor its author.
func TestWhoeverMayNotWriteARecordCannotClaimItsID(t *testing.T) {
	missing := &syncproto.Change{ID: syncproto.ChangeID{3}}
	for name, claim := range map[string]func(w *town, family syncproto.FamilyID, part syncproto.RecordID) edit{
		"another family": func(w *town, _ syncproto.FamilyID, part syncproto.RecordID) edit {
			return edit{family: newID[syncproto.FamilyID](w), record: part, ops: place("HOME")}
		},
		"another kind": func(_ *town, family syncproto.FamilyID, part syncproto.RecordID) edit {
			return edit{family: family, record: part, ops: place("HOME")}
		},
		"another family, and held": func(w *town, _ syncproto.FamilyID, part syncproto.RecordID) edit {
			return edit{family: newID[syncproto.FamilyID](w), record: part, deps: []*syncproto.Change{missing}, ops: place("HOME")}
		},
		"a kind of a newer app": func(_ *town, family syncproto.FamilyID, part syncproto.RecordID) edit {
			return edit{family: family, record: part, alter: func(b *syncproto.Body) { b.Kind = "visit_dream" }}
		},
	} {
		w, family, ada := case1(t)
		part := syncproto.PartID(newID[syncproto.RecordID](w), newID[syncproto.RecordID](w))
		eve := w.tablet(w.person("practitioner"))
		c := eve.write(claim(w, family, part))
		eve.sync()
		if r := eve.receipts[c.ID]; r.Status != quarantined && r.Status != held {
			t.Errorf("%s: the stranger's change: got status %d", name, r.Status)
		}
		own := ada.write(edit{family: family, record: part, kind: "visit_child", ops: presentation("calm")})
		ada.sync()
		ada.wantReceipt(own, accepted, syncproto.CodeOK)
		more := ada.write(edit{family: family, record: part, kind: "visit_child", deps: []*syncproto.Change{own}, ops: presentation("was ")})
		ada.sync()
		ada.wantReceipt(more, accepted, syncproto.CodeOK)
		ada.sameAsServer(part)
		w.restart()
		ada.sameAsServer(part)
		if ref, err := w.b.Store.Change(c.ID); err != nil || ref.Status == accepted {
			t.Errorf("%s: the stranger's words: got %+v, %v; want them kept, and not placed", name, ref, err)
		}
	}
}

// A change that waited while its record became another family's can never be part
// of it; it is kept for a reviewer, who cannot admit it either.
func TestAHeldChangeOfWhatBecameAnothersRecordIsLockedAway(t *testing.T) {
	w, family, ada := case1(t)
	part := syncproto.PartID(newID[syncproto.RecordID](w), newID[syncproto.RecordID](w))
	elsewhere := newID[syncproto.FamilyID](w)
	bea := w.coworker(elsewhere)
	first := bea.write(edit{family: elsewhere, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	second := bea.write(edit{family: elsewhere, record: part, ops: place("SCHOOL")})
	bea.mustAsk(bea.request(bea.batch(second)))
	bea.wantReceipt(second, held, syncproto.CodeMissingPrev)

	own := ada.write(edit{family: family, record: part, kind: "visit_child", ops: presentation("calm")})
	ada.sync()
	ada.wantReceipt(own, accepted, syncproto.CodeOK)
	bea.sync()
	bea.wantReceipt(first, accepted, syncproto.CodeOK)
	bea.wantReceipt(second, quarantined, syncproto.CodeWrongRecord)
	if unplaced, err := w.b.Store.Unplaced(family, part); err != nil || len(unplaced) != 0 {
		t.Errorf("changes that hold up the record: got %v, %v", unplaced, err)
	}
	ada.sameAsServer(part)

	manager := w.person("manager")
	w.relate(manager, elsewhere, "MANAGER")
	err := w.x.Admit(context.Background(), exchange.Caller{User: manager}, second.ID)
	if !errors.Is(err, syncproto.CodeWrongRecord) {
		t.Errorf("admitting it: got %v, want CodeWrongRecord", err)
	}
	w.restart()
	ada.sameAsServer(part)
}

// The words of a quarantined change stay readable for a reviewer under a key of
// their own, whatever becomes of the record that they name.
func TestWordsUnderAClaimedIDHaveAKeyOfTheirOwn(t *testing.T) {
	w, family, ada := case1(t)
	part, elsewhere := newID[syncproto.RecordID](w), newID[syncproto.FamilyID](w)
	eve := w.tablet(w.person("practitioner"))
	c := eve.write(edit{family: elsewhere, record: part, ops: place("HOME")})
	eve.sync()
	own := ada.write(edit{family: family, record: part, kind: "visit_child", ops: presentation("calm")})
	ada.sync()
	err := w.b.Store.Read(func(r *store.Reader) error {
		for _, want := range []*syncproto.Change{c, own} {
			ref, err := r.Change(want.ID)
			if err != nil {
				return err
			}
			if got, err := r.Content(ref.Position); err != nil || got.ID != want.ID {
				t.Errorf("change %s: %v", want.ID, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
