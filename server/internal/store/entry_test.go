package store_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
)

// samples has one entry of each kind with every field set.
func samples() []store.Entry {
	hash := [32]byte{1, 2, 3}
	return []store.Entry{
		store.ChangeEntry{
			ID: syncproto.ChangeID{1}, Prev: syncproto.ChangeID{2}, Record: visit, Family: smith, Kind: "visit",
			Actor: actorA, Seq: 7, Deps: []syncproto.ChangeID{{3}, {4}}, Author: ada, Device: tablet,
			Status: syncproto.StatusQuarantined, Code: syncproto.CodeNotEntitled, AtMS: 1_700_000_000_000, Counted: true, Sealed: []byte("sealed"),
		},
		store.ChangeEntry{
			ID: syncproto.ChangeID{1}, Prev: syncproto.ChangeID{2}, Record: visit, Family: smith, Kind: "visit",
			Actor: actorA, Seq: 7, Deps: []syncproto.ChangeID{{2}, {4}}, Author: ada, Device: tablet,
			Status: syncproto.StatusAccepted, AtMS: 1_700_000_000_000, Signature: []byte("signature"), Run: 3, Sealed: []byte("sealed"),
		},
		store.TipEntry{Actor: actorA, Device: tablet, Tip: syncproto.ChangeID{1}, Count: 3, Signature: []byte("signature")},
		store.RefusedEntry{
			ID: syncproto.ChangeID{1}, Prev: syncproto.ChangeID{2}, Digest: hash, Actor: actorA, Device: tablet,
			Seq: 8, Code: syncproto.CodeMalformed, AtMS: -5,
		},
		store.VerdictEntry{Verdict: syncproto.Verdict{
			Kind: syncproto.VerdictWin, Position: 9, Family: smith, Record: visit, Change: syncproto.ChangeID{1},
			AtMS: 12, Path: syncproto.Path{Field: "status"},
		}},
		store.UserEntry{ID: ada, Login: "ada", Name: "Ada Obi", Role: "manager", PasswordHash: "$argon2id$", Subject: "https://id.example ada", Disabled: true},
		store.DeviceEntry{ID: tablet, Name: "tablet 1", Key: []byte("key"), Users: []syncproto.UserID{ada, bea}, EnrolledMS: 1, RevokedMS: 2},
		store.SessionEntry{
			ID: syncproto.ID{1}, User: ada, Device: tablet, Key: [32]byte{7}, SignedInMS: 1, ProvedMS: 5, RotatedMS: 2, EndedMS: 3, Generation: 4,
			Hash: hash, Previous: [32]byte{9}, Request: syncproto.RequestID{8},
		},
		store.CodeEntry{Hash: hash, User: ada, IssuedMS: 3, ExpiresMS: 1, UsedMS: 2, UsedBy: tablet},
		store.RelationEntry{User: ada, Family: smith, Basis: "LEAD", Grant: true, ID: syncproto.ID(visit), FromMS: 1, ToMS: 2, By: bea, Reason: "cover"},
		store.RestrictionEntry{Family: smith, Category: store.RestrictStaff, On: true, Reason: "of staff", By: bea, AtMS: 1, ReviewMS: 2},
		store.BreakGlassEntry{ID: syncproto.ID{9}, User: ada, Family: smith, Code: "RISK", Text: "at the door", FromMS: 1, ToMS: 2, ClosedBy: bea, ClosedMS: 3, Finding: "JUSTIFIED", Note: "right"},
		store.TeamEntry{User: bea, Team: store.TeamID{7}, Basis: "COORD", Grant: true},
		store.FamilyTeamEntry{Family: smith, Team: store.TeamID{7}},
		store.RefEntry{Kind: "person", Ref: "P-1", ID: syncproto.ID{5}},
		store.PurgeEntry{Device: tablet, User: ada, Epoch: syncproto.Epoch{1}, Purged: []syncproto.Purged{{Family: smith, Position: 6}, {Position: 7}},
			Signature: make([]byte, 64), AtMS: 7},
		store.PasskeyEntry{ID: syncproto.ID{6}, Key: []byte("key"), User: ada, Name: "phone", Data: []byte("{}"), AddedMS: 1, UsedMS: 2, RemovedMS: 3, Copied: true},
		store.EpochEntry{Epoch: syncproto.Epoch{8}, From: 9, Known: syncproto.TreeHead{Size: 12, Root: [32]byte{3}}, Why: store.EpochRestored},
		store.TableEntry{Hash: [32]byte{4}},
		store.AnchorEntry{TreeHead: syncproto.TreeHead{Size: 5, Root: [32]byte{6}}},
		store.HoldEntry{ID: syncproto.ID{4}, Family: smith, Kind: store.HoldRetention, UntilMS: 9, Reason: "schedule", By: ada, AtMS: 7},
		store.EraseAskEntry{ID: syncproto.ID{5}, Scope: "record", Family: smith, Record: syncproto.RecordID{6}, Records: []syncproto.RecordID{{6}}, Basis: "court_order", Reason: "order", By: ada, AtMS: 7},
		store.EraseEntry{Ask: syncproto.ID{5}, Scope: "record", Basis: "court_order", Family: smith, Record: syncproto.RecordID{6}, By: ada, Second: syncproto.UserID{8}, AtMS: 7},
		store.MisfileEntry{Family: jones, Record: visit, Kind: "visit", ToFamily: smith, ToRecord: syncproto.RecordID{8}, Reason: "same name", By: bea, AtMS: 7},
		store.ReviewEntry{Change: syncproto.ChangeID{5}, Family: smith, Record: visit, By: bea, AtMS: 7, Sealed: []byte{1, 2}},
		store.CustodyAlertEntry{Device: tablet, User: ada, Percent: 80, AtMS: 7},
		store.RecoveryEntry{Device: tablet, User: ada, By: bea, Second: syncproto.UserID{8}, Count: 3, AtMS: 7},
		store.RequestEntry{User: ada, Key: [32]byte{1}, Digest: [32]byte{2}, Answer: []byte{3, 4}, AtMS: 7},
		store.ForkEntry{Device: tablet, User: ada, Size: 12, Root: [32]byte{3}, TimeMS: 7, Signature: []byte{1, 2}, Declared: true},
	}
}

// plain is a payload without its sealing, which is random.
func plain(t *testing.T, b *storetest.Borough, e store.Entry) []byte {
	t.Helper()
	if store.IsControl(e) {
		return store.EncodeControl(e)
	}
	payload, err := store.EncodeEntry(e, b.Keys)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// TestEntryFormat holds the bytes of every kind of entry: a journal is read for
// as long as a child's file is kept. To add a kind, add its line.
func TestEntryFormat(t *testing.T) {
	b := storetest.Open(t)
	file, err := os.ReadFile("testdata/entries.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(file)), "\n")
	if len(lines) != len(samples()) {
		t.Errorf("testdata has %d entries, want %d", len(lines), len(samples()))
	}
	for i, e := range samples() {
		name := strings.TrimPrefix(reflect.TypeOf(e).String(), "store.")
		got := name + " " + hex.EncodeToString(plain(t, b, e))
		if i >= len(lines) || got != lines[i] {
			t.Errorf("the format has changed; got\n%s", got)
		}
	}
}

func TestEntriesComeBack(t *testing.T) {
	b := storetest.Open(t)
	keepsWords(t, b, smith)
	for _, e := range samples() {
		payload, err := store.EncodeEntry(e, b.Keys)
		if err != nil {
			t.Fatal(err)
		}
		got, err := store.DecodeEntry(9, payload, b.Keys)
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("%T: got %+v, %v; want %+v", e, got, err, e)
		}
	}
}

func TestControlEntriesAreSealed(t *testing.T) {
	b := storetest.Open(t)
	payload, err := store.EncodeEntry(store.UserEntry{ID: ada, Login: "ada", Name: "Ada Obi"}, b.Keys)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(payload), "ada") || strings.Contains(string(payload), "Obi") {
		t.Error("a person's name stands in the journal in clear")
	}
	payload[len(payload)-1] ^= 1
	if _, err := store.DecodeEntry(1, payload, b.Keys); err == nil {
		t.Error("an altered control entry was read")
	}
}

// TestDecodeEntryIsStrict cuts, extends and alters every entry.
func TestDecodeEntryIsStrict(t *testing.T) {
	b := storetest.Open(t)
	for _, e := range samples() {
		good := plain(t, b, e)
		decode := func(p []byte) error {
			if store.IsControl(e) {
				_, err := store.DecodeControl(p)
				return err
			}
			_, err := store.DecodeEntry(1, p, b.Keys)
			return err
		}
		if err := decode(good); err != nil {
			t.Fatalf("%T: %v", e, err)
		}
		for n := range good {
			if err := decode(good[:n]); !errors.Is(err, store.ErrEntry) {
				t.Fatalf("%T cut to %d bytes: got %v, want ErrEntry", e, n, err)
			}
		}
		if err := decode(append(good[:len(good):len(good)], 0)); !errors.Is(err, store.ErrEntry) {
			t.Errorf("%T with a byte more: got %v, want ErrEntry", e, err)
		}
		longer := append([]byte{good[0] + 1}, good[1:]...)
		if err := decode(append(longer, 0)); !errors.Is(err, store.ErrEntry) {
			t.Errorf("%T with an element more: got %v, want ErrEntry", e, err)
		}
	}
}

// TestADepThatIsPrevIsWrittenShort, and in no other way.
func TestADepThatIsPrevIsWrittenShort(t *testing.T) {
	b := storetest.Open(t)
	e := samples()[1].(store.ChangeEntry)
	e.Deps = []syncproto.ChangeID{e.Prev}
	short := plain(t, b, e)
	e.Deps = []syncproto.ChangeID{{5}}
	long := plain(t, b, e)
	if len(long)-len(short) != 33 {
		t.Errorf("got %d bytes and %d, want 33 fewer", len(short), len(long))
	}
	for name, payload := range map[string][]byte{
		"prev in full":     bytes.Replace(long, append([]byte{0x58, 32, 5}, make([]byte, 31)...), append([]byte{0x58, 32, 2}, make([]byte, 31)...), 1),
		"short of no prev": bytes.Replace(short, append([]byte{0x58, 32, 2}, make([]byte, 31)...), append([]byte{0x58, 32, 0}, make([]byte, 31)...), 1),
	} {
		if _, err := store.DecodeEntry(1, payload, b.Keys); !errors.Is(err, store.ErrEntry) {
			t.Errorf("%s: got %v, want ErrEntry", name, err)
		}
	}
}

func TestChangeIsBoundToItsHeader(t *testing.T) {
	b := storetest.Open(t)
	e := newAuthor(b, actorA, ada).change(visit, "visit", nil)
	if _, err := store.OpenChange(b.Keys, e); err != nil {
		t.Fatal(err)
	}
	alter := map[string]func(*store.ChangeEntry){
		"id":     func(e *store.ChangeEntry) { e.ID[0] ^= 1 },
		"prev":   func(e *store.ChangeEntry) { e.Prev[0] ^= 1 },
		"time":   func(e *store.ChangeEntry) { e.AtMS++ },
		"record": func(e *store.ChangeEntry) { e.Record[0] ^= 1 },
	}
	for name, f := range alter {
		bad := e
		f(&bad)
		if _, err := store.OpenChange(b.Keys, bad); err == nil {
			t.Errorf("a change with another %s was opened", name)
		}
	}
}

func FuzzDecodeEntry(f *testing.F) {
	b := storetest.Open(f)
	keepsWords(f, b, smith)
	for _, e := range samples() {
		payload, err := store.EncodeEntry(e, b.Keys)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
		if store.IsControl(e) {
			f.Add(store.EncodeControl(e))
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		e, err := store.DecodeEntry(1, payload, b.Keys)
		if err == nil && !store.IsControl(e) {
			again, err := store.EncodeEntry(e, b.Keys)
			if err != nil || string(again) != string(payload) {
				t.Errorf("an entry was read that would not be written: %x", payload)
			}
		}
		if e, err := store.DecodeControl(payload); err == nil && string(store.EncodeControl(e)) != string(payload) {
			t.Errorf("a control entry was read that would not be written: %x", payload)
		}
	})
}
