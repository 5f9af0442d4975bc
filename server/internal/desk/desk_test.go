package desk_test

import (
	"crypto/rand"
	"errors"
	"slices"
	"testing"

	"doorstep/server/internal/desk"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

var (
	coordinator = syncproto.UserID{1}
	manager     = syncproto.UserID{2}
	family      = syncproto.FamilyID{3}
	visit       = syncproto.RecordID{4}
)

func newDesk(b *storetest.Borough) *desk.Desk {
	return desk.New(desk.Config{
		Borough: "testshire", Device: syncproto.DeviceID{9}, Keys: b.Keys, Rand: rand.Reader,
		Sign: func(message []byte) ([]byte, error) {
			return append(make([]byte, 32), message[len(message)-32:]...), nil
		},
	})
}

// compose runs one Compose as the ledger does, and makes it durable.
func compose(t *testing.T, b *storetest.Borough, d *desk.Desk, edits ...desk.Edit) ([]syncproto.ChangeID, error) {
	t.Helper()
	tx := b.Store.Begin(1_000)
	defer tx.Discard()
	ids, err := d.Compose(tx, edits)
	if err != nil {
		return nil, err
	}
	tx.Keep()
	if _, err := b.Journal.Append(tx.Payloads()); err != nil {
		t.Fatal(err)
	}
	_, digest := b.Journal.Head()
	if _, err := tx.Commit(digest); err != nil {
		t.Fatal(err)
	}
	return ids, nil
}

func place(author syncproto.UserID, code string) desk.Edit {
	return desk.Edit{Author: author, Family: family, Record: visit, Kind: "visit", Ops: []syncproto.Op{
		{Code: syncproto.OpSet, Path: syncproto.Path{Field: "place"}, Value: cbor.Text(code)},
	}}
}

func TestDeskChangesAreChainedAndSigned(t *testing.T) {
	b := storetest.Open(t)
	d := newDesk(b)
	first, err := compose(t, b, d, place(coordinator, "HOME"), place(manager, "SCHOOL"), place(coordinator, "HOME"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := compose(t, b, d, place(coordinator, "OFFICE"))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := b.Store.Change(first[0])
	c, _ := b.Store.Change(first[2])
	last, _ := b.Store.Change(second[0])
	if c.Prev != a.ID || last.Prev != c.ID || last.Seq != 3 {
		t.Errorf("chain: third follows %v, last follows %v at %d", c.Prev, last.Prev, last.Seq)
	}
	if !slices.Equal(last.Deps, []syncproto.ChangeID{first[2]}) {
		t.Errorf("deps: got %v, want the heads of that moment", last.Deps)
	}
	view, err := b.Store.View(visit)
	if err != nil {
		t.Fatal(err)
	}
	if f, _ := view.Field("place"); !f.Value.Equal(cbor.Text("OFFICE")) || f.By.Author != coordinator {
		t.Errorf("place: got %v by %v", f.Value, f.By.Author)
	}
	if len(view.Conflicts) != 0 {
		t.Error("the desk disagrees with itself")
	}
	tips := 0
	b.Store.Read(func(r *store.Reader) error {
		for p := uint64(1); p <= 7; p++ {
			if e, err := r.Entry(p); err == nil {
				if tip, ok := e.(store.TipEntry); ok && len(tip.Signature) == 64 {
					tips++
				}
			}
		}
		return nil
	})
	if tips != 3 {
		t.Errorf("signed tips: got %d, want one for each actor and proposal", tips)
	}
}

func TestDeskRefusesWhatTheSchemaDoesNotAllow(t *testing.T) {
	b := storetest.Open(t)
	d := newDesk(b)
	_, err := compose(t, b, d, place(coordinator, "HOME"), place(coordinator, "MOON"))
	if !errors.Is(err, syncproto.CodeBadValue) {
		t.Fatalf("got %v, want %v", err, syncproto.CodeBadValue)
	}
	if _, err := b.Store.RecordInfo(visit); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("half of a refused proposal was stored: %v", err)
	}
	if _, err := compose(t, b, d, place(coordinator, "HOME")); err != nil {
		t.Errorf("the desk does not go on after a refusal: %v", err)
	}
}

func TestDeskLeavesFinalRecordsAsTheyAre(t *testing.T) {
	b := storetest.Open(t)
	d := newDesk(b)
	ids, err := compose(t, b, d, place(coordinator, "HOME"))
	if err != nil {
		t.Fatal(err)
	}
	b.Commit(2_000, store.VerdictEntry{Verdict: syncproto.Verdict{
		Kind: syncproto.VerdictSeal, Family: family, Record: visit, AtMS: 2_000,
		Heads: []syncproto.RecordHeads{{Record: visit, Heads: ids}},
	}})
	if _, err := compose(t, b, d, place(coordinator, "SCHOOL")); !errors.Is(err, syncproto.CodeFinal) {
		t.Errorf("an edit after the seal: got %v, want %v", err, syncproto.CodeFinal)
	}
	addendum := place(manager, "")
	addendum.Ops = []syncproto.Op{{Code: syncproto.OpAddendum, Text: "Gran rang.", Reason: "learned today"}}
	if _, err := compose(t, b, d, addendum); err != nil {
		t.Errorf("an addendum: %v", err)
	}
	view, err := b.Store.View(visit)
	if err != nil || view.Seal == nil || len(view.Addenda) != 1 {
		t.Errorf("view: %+v, %v", view, err)
	}
}

func TestDeskRefusesWhatDoesNotFitTheRecord(t *testing.T) {
	b := storetest.Open(t)
	d := newDesk(b)
	if _, err := compose(t, b, d, place(coordinator, "HOME")); err != nil {
		t.Fatal(err)
	}
	elsewhere := place(coordinator, "HOME")
	elsewhere.Family = syncproto.FamilyID{8}
	if _, err := compose(t, b, d, elsewhere); !errors.Is(err, syncproto.CodeWrongRecord) {
		t.Errorf("a record under another family: got %v, want %v", err, syncproto.CodeWrongRecord)
	}
	blind := place(coordinator, "HOME")
	blind.Deps = []syncproto.ChangeID{{7}}
	if _, err := compose(t, b, d, blind); !errors.Is(err, syncproto.CodeMissingDeps) {
		t.Errorf("an unknown dep: got %v, want %v", err, syncproto.CodeMissingDeps)
	}
}

// TestDeskJoinsMoreHeadsThanOneChangeCanName: nobody can keep a record from the
// desk by writing many versions of it apart.
func TestDeskJoinsMoreHeadsThanOneChangeCanName(t *testing.T) {
	b := storetest.Open(t)
	d := newDesk(b)
	apart := make([]desk.Edit, 3*syncproto.MaxDeps)
	for i := range apart {
		apart[i] = place(coordinator, "HOME")
		apart[i].Deps = []syncproto.ChangeID{}
	}
	if _, err := compose(t, b, d, apart...); err != nil {
		t.Fatal(err)
	}
	ids, err := compose(t, b, d, place(manager, "SCHOOL"))
	if err != nil {
		t.Fatal(err)
	}
	info, err := b.Store.RecordInfo(visit)
	if err != nil || !slices.Equal(info.Heads, ids) {
		t.Errorf("heads: got %d (%v), want the last change alone", len(info.Heads), err)
	}
	last, err := b.Store.Change(ids[0])
	if err != nil {
		t.Fatal(err)
	}
	if chain, err := b.Store.Chain(last.Actor); err != nil || chain.Tip != last.ID || chain.Seq != last.Seq {
		t.Errorf("chain: got %+v, %v", chain, err)
	}
}
