package reading_test

import (
	"crypto/rand"
	"errors"
	"runtime"
	"testing"
	"time"

	"doorstep/server/internal/desk"
	"doorstep/server/internal/reading"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

var (
	lead     = syncproto.UserID{1}
	manager  = syncproto.UserID{2}
	stranger = syncproto.UserID{3}
	it       = syncproto.UserID{4}
	family   = syncproto.FamilyID{5}
	other    = syncproto.FamilyID{6}
	visit    = syncproto.RecordID{7}
	part     = syncproto.RecordID{8}
	missing  = syncproto.RecordID{9}
	team     = store.TeamID{10}
)

// borough has one family with a lead worker and a manager, and a visit of it.
type borough struct {
	*storetest.Borough
	t    *testing.T
	desk *desk.Desk
	room *reading.Room
}

func newBorough(t *testing.T) *borough {
	t.Helper()
	b := &borough{Borough: storetest.Open(t), t: t}
	b.desk = desk.New(desk.Config{Borough: "testshire", Device: syncproto.DeviceID{9}, Keys: b.Keys, Rand: rand.Reader,
		Sign: func([]byte) ([]byte, error) { return make([]byte, 64), nil }})
	b.room = reading.New(b.Store, time.Now, reading.VisitRules{Zone: time.UTC})
	b.commit(
		store.UserEntry{ID: lead, Login: "lead", Name: "Lena Lead", Role: "practitioner"},
		store.UserEntry{ID: manager, Login: "manager", Name: "Mo Manager", Role: "manager"},
		store.UserEntry{ID: stranger, Login: "stranger", Name: "Sam Stranger", Role: "practitioner"},
		store.UserEntry{ID: it, Login: "it", Name: "IT", Role: "it"},
		store.RelationEntry{User: lead, Family: family, Basis: "LEAD", Grant: true},
		store.RelationEntry{User: stranger, Family: other, Basis: "LEAD", Grant: true},
		store.TeamEntry{User: manager, Team: team, Basis: "MANAGER", Grant: true},
		store.FamilyTeamEntry{Family: family, Team: team},
	)
	b.write(visit, "visit", set("place", cbor.Text("HOME")))
	b.write(part, "visit_child", set("visit", cbor.Bytes(visit[:])), set("seen", cbor.Text("Y")))
	b.write(visit, "visit", set("place", cbor.Text("SCHOOL")))
	return b
}

func set(field string, v cbor.Value) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field}, Value: v}
}

func (b *borough) write(record syncproto.RecordID, kind string, ops ...syncproto.Op) {
	b.t.Helper()
	b.stage(func(tx *store.Tx) error {
		_, err := b.desk.Compose(tx, []desk.Edit{{Author: lead, Family: family, Record: record, Kind: kind, Ops: ops}})
		return err
	})
}

func (b *borough) commit(entries ...store.Entry) {
	b.t.Helper()
	for _, e := range entries {
		b.stage(func(tx *store.Tx) error { _, err := tx.Stage(e); return err })
	}
}

// stage makes one group durable, as the ledger does.
func (b *borough) stage(fn func(*store.Tx) error) {
	b.t.Helper()
	tx := b.Store.Begin(1_780_000_000_000)
	defer tx.Discard()
	if err := fn(tx); err != nil {
		b.t.Fatal(err)
	}
	tx.Keep()
	if _, err := b.Journal.Append(tx.Payloads()); err != nil {
		b.t.Fatal(err)
	}
	_, digest := b.Journal.Head()
	if _, err := tx.Commit(digest); err != nil {
		b.t.Fatal(err)
	}
}

// quarantine stores a change of the visit that waits for a reviewer.
func (b *borough) quarantine() syncproto.ChangeID {
	b.t.Helper()
	body := syncproto.Body{Version: syncproto.BodyVersion, Borough: "testshire", Family: family, Record: visit, Kind: "visit",
		SchemaVersion: 1, Actor: syncproto.ActorID{66}, Seq: 1, Author: stranger, TimeMS: 1,
		Ops: []syncproto.Op{set("place", cbor.Text("OFFICE"))}}
	raw, err := syncproto.EncodeBody(&body)
	if err != nil {
		b.t.Fatal(err)
	}
	c, err := syncproto.DecodeChange(syncproto.ChangeID{}, raw)
	if err != nil {
		b.t.Fatal(err)
	}
	b.stage(func(tx *store.Tx) error {
		sealed, err := store.SealChange(b.Keys, c, tx.AtMS())
		if err != nil {
			return err
		}
		_, err = tx.Stage(store.ChangeEntry{ID: c.ID, Record: visit, Family: family, Kind: "visit", Actor: body.Actor, Seq: 1,
			Author: stranger, Device: syncproto.DeviceID{67}, Status: syncproto.StatusQuarantined, Code: syncproto.CodeNotEntitled,
			AtMS: tx.AtMS(), Sealed: sealed})
		return err
	})
	return c.ID
}

func TestFamiliesAreThoseOfTheReader(t *testing.T) {
	b := newBorough(t)
	for user, want := range map[syncproto.UserID][]syncproto.FamilyID{lead: {family}, manager: {family}, stranger: {other}, it: nil} {
		list, err := b.room.Families(t.Context(), user)
		if err != nil || len(list) != len(want) || len(list) == 1 && list[0].ID != want[0] {
			t.Errorf("%s: got %v, %v, want %v", b.room.Name(user), list, err, want)
		}
	}
	b.commit(store.RelationEntry{User: lead, Family: family, Basis: "LEAD", Grant: false})
	if list, err := b.room.Families(t.Context(), lead); err != nil || len(list) != 0 {
		t.Errorf("after the case was closed to her she still lists %v, %v", list, err)
	}
	if _, err := b.room.Record(t.Context(), lead, visit); !errors.Is(err, syncproto.CodeNotFound) {
		t.Errorf("and reads: %v", err)
	}
}

func TestRecordsOfAFamily(t *testing.T) {
	b := newBorough(t)
	list, err := b.room.FamilyRecords(t.Context(), lead, family)
	if err != nil || len(list) != 2 || list[0].ID != visit || list[0].Kind != "visit" || list[1].ID != part || list[0].Sealed {
		t.Errorf("got %v, %v", list, err)
	}
	for name, err := range map[string]error{"a stranger": second(b.room.FamilyRecords(t.Context(), stranger, family)),
		"a family that is not": second(b.room.FamilyRecords(t.Context(), lead, syncproto.FamilyID{99})), "IT": second(b.room.FamilyRecords(t.Context(), it, family))} {
		if !errors.Is(err, syncproto.CodeNotFound) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestARecordWithWhatFollowsFromIt(t *testing.T) {
	b := newBorough(t)
	v, err := b.room.Record(t.Context(), lead, part)
	if err != nil {
		t.Fatal(err)
	}
	f, ok := v.Field("counts_as_statutory")
	if counts, isBool := f.Value.AsBool(); !ok || !isBool || counts {
		t.Errorf("got %+v, want a child's part that does not count yet", f)
	}
	v, err = b.room.Record(t.Context(), lead, visit)
	if err != nil {
		t.Fatal(err)
	}
	if f, _ := v.Field("place"); !f.Value.Equal(cbor.Text("SCHOOL")) {
		t.Errorf("got place %+v", f)
	}
}

func TestHistoryIsInTheOrderOfArrival(t *testing.T) {
	b := newBorough(t)
	list, err := b.room.History(t.Context(), manager, visit)
	if err != nil || len(list) != 2 || list[0].Position >= list[1].Position {
		t.Fatalf("got %v, %v", list, err)
	}
	if !list[0].Change.Body.Ops[0].Value.Equal(cbor.Text("HOME")) || list[0].ReceivedMS == 0 || list[0].Status != syncproto.StatusAccepted {
		t.Errorf("got %+v", list[0])
	}
}

func TestFault94StrangersCannotTellWhatExists(t *testing.T) {
	b := newBorough(t)
	for _, user := range []syncproto.UserID{stranger, it, {77}} {
		for _, record := range []syncproto.RecordID{visit, missing} {
			_, err := b.room.Record(t.Context(), user, record)
			_, herr := b.room.History(t.Context(), user, record)
			if err != syncproto.CodeNotFound || herr != syncproto.CodeNotFound { // the very same value: nothing to tell them apart
				t.Errorf("got %v and %v", err, herr)
			}
		}
	}
	if _, err := b.room.Record(t.Context(), lead, missing); err != syncproto.CodeNotFound {
		t.Errorf("got %v", err)
	}
}

// What somebody is not to know of costs as many rows to refuse as what there is not.
func TestFault94RefusingDoesEqualWork(t *testing.T) {
	b := newBorough(t)
	rows := func(user syncproto.UserID, record syncproto.RecordID, ask func(syncproto.UserID, syncproto.RecordID) error) uint64 {
		before := b.Store.RowsRead()
		if err := ask(user, record); !errors.Is(err, syncproto.CodeNotFound) {
			t.Fatalf("got %v", err)
		}
		return b.Store.RowsRead() - before
	}
	shown := func(u syncproto.UserID, r syncproto.RecordID) error {
		_, err := b.room.Record(t.Context(), u, r)
		return err
	}
	for rows(stranger, missing, shown) != 4 { // the records are counted beside everything else, after a start
		runtime.Gosched()
	}
	for what, ask := range map[string]func(syncproto.UserID, syncproto.RecordID) error{
		"a record": shown,
		"its history": func(u syncproto.UserID, r syncproto.RecordID) error {
			_, err := b.room.History(t.Context(), u, r)
			return err
		},
		"who wrote what": func(u syncproto.UserID, r syncproto.RecordID) error {
			_, err := b.room.Attribution(t.Context(), u, r, nil)
			return err
		},
		"its title": func(u syncproto.UserID, r syncproto.RecordID) error {
			if title := b.room.Title(u, r); title != "" {
				t.Errorf("got the title %q", title)
			}
			return syncproto.CodeNotFound
		},
		"its family": func(u syncproto.UserID, r syncproto.RecordID) error {
			_, err := b.room.FamilyRecords(t.Context(), u, syncproto.FamilyID(r))
			return err
		},
	} {
		for _, user := range []syncproto.UserID{stranger, it, {77}} {
			there, not := rows(user, visit, ask), rows(user, missing, ask)
			if there != not {
				t.Errorf("%s: %d rows are read to refuse what there is, and %d what there is not", what, there, not)
			}
		}
	}
}

func TestCustodyIsForTheFamilysManager(t *testing.T) {
	b := newBorough(t)
	id := b.quarantine()
	governance := syncproto.UserID{77}
	b.commit(store.UserEntry{ID: governance, Login: "ig", Name: "Ig", Role: "ig_officer"})
	list, err := b.room.Custody(t.Context(), manager)
	if err != nil || len(list) != 1 || list[0].Change != id || list[0].Code != syncproto.CodeNotEntitled || list[0].Bytes == 0 || !list[0].MayReview {
		t.Errorf("got %+v, %v", list, err)
	}
	if words, err := b.room.CustodyWords(t.Context(), manager, id); err != nil || len(words.Ops) != 1 {
		t.Errorf("got %+v, %v", words, err)
	}
	for _, user := range []syncproto.UserID{lead, stranger, it, governance} {
		if list, err := b.room.Custody(t.Context(), user); err != nil || len(list) != 0 {
			t.Errorf("%s: got %+v, %v", b.room.Name(user), list, err)
		}
		if user == lead {
			continue
		}
		if words, err := b.room.CustodyWords(t.Context(), user, id); !errors.Is(err, syncproto.CodeNotFound) {
			t.Errorf("%s: got %+v, %v", b.room.Name(user), words, err)
		}
	}
	if list, err := b.room.History(t.Context(), manager, visit); err != nil || len(list) != 2 {
		t.Errorf("the history shows what is in quarantine: %d changes, %v", len(list), err)
	}

	// Without a manager information governance looks after it, and reads nothing.
	b.commit(store.UserEntry{ID: manager, Login: "manager", Name: "Manager", Role: "manager", Disabled: true})
	list, err = b.room.Custody(t.Context(), governance)
	if err != nil || len(list) != 1 || list[0].Change != id || list[0].MayReview {
		t.Errorf("without a manager: got %+v, %v", list, err)
	}
	if words, err := b.room.CustodyWords(t.Context(), governance, id); !errors.Is(err, syncproto.CodeNotFound) {
		t.Errorf("without a manager: got %+v, %v", words, err)
	}
}

// TestReadingThePast: a record is read as it was at any version, with who wrote what
// and the server's evidence, by whoever may read the record and nobody else.
func TestReadingThePast(t *testing.T) {
	b := newBorough(t)
	b.write(visit, "visit", splice(0, 0, "Warm and tidy."))
	before := b.heads(visit)
	b.write(visit, "visit", splice(0, 4, "Cold"))
	then, err := b.room.RecordAt(t.Context(), lead, visit, before)
	if err != nil {
		t.Fatal(err)
	}
	if f, _ := then.Field("household_summary"); f.Text != "Warm and tidy." {
		t.Errorf("as it was: %q", f.Text)
	}
	a, err := b.room.Attribution(t.Context(), manager, visit, nil)
	if err != nil {
		t.Fatal(err)
	}
	words := a.Texts[0]
	if words.Text != "Cold and tidy." || len(words.Spans) != 2 || len(words.Deleted) != 1 || words.Deleted[0].Text != "Warm" ||
		a.Sources[words.Deleted[0].DeletedBy[0]].Author != lead {
		t.Errorf("who wrote what: %+v", words)
	}
	if len(a.Received) != len(a.Sources) || a.Received[0].Device != (syncproto.DeviceID{9}) || a.Received[0].AtMS == 0 {
		t.Errorf("what the server knows: %+v", a.Received)
	}
	if was, err := b.room.Attribution(t.Context(), lead, visit, before); err != nil || len(was.Texts[0].Spans) != 1 {
		t.Errorf("who had written what: %+v, %v", was, err)
	}
	for _, c := range []struct {
		user   syncproto.UserID
		record syncproto.RecordID
		heads  []syncproto.ChangeID
	}{{stranger, visit, before}, {it, visit, before}, {lead, missing, before}, {lead, visit, []syncproto.ChangeID{{1}}}, {lead, part, before}} {
		if _, err := b.room.RecordAt(t.Context(), c.user, c.record, c.heads); !errors.Is(err, syncproto.CodeNotFound) {
			t.Errorf("record %v for %v: %v", c.record[0], c.user[0], err)
		}
		if _, err := b.room.Attribution(t.Context(), c.user, c.record, c.heads); !errors.Is(err, syncproto.CodeNotFound) {
			t.Errorf("attribution of %v for %v: %v", c.record[0], c.user[0], err)
		}
	}
}

func splice(pos, del int, ins string) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSplice, Path: syncproto.Path{Field: "household_summary"},
		Splices: []text.Splice{{Pos: pos, Del: del, Ins: ins}}}
}

func (b *borough) heads(record syncproto.RecordID) []syncproto.ChangeID {
	b.t.Helper()
	info, err := b.Store.RecordInfo(record)
	if err != nil {
		b.t.Fatal(err)
	}
	return info.Heads
}
