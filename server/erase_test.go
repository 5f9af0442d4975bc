package server

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/desk"
	"doorstep/server/internal/doors"
	"doorstep/server/internal/erasure"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

var (
	worker, officer, guardian = syncproto.UserID{1}, syncproto.UserID{2}, syncproto.UserID{3}
	theirs, others            = syncproto.FamilyID{11}, syncproto.FamilyID{12}
	doomed, kept, apart       = syncproto.RecordID{21}, syncproto.RecordID{22}, syncproto.RecordID{23}
)

const planted, harmless = "Zoë hid the letter in the blue tin", "nothing of note was said"

// plant makes three records: one whose words will be erased, one of the same family
// and one of another.
func plant(t *testing.T, b *borough) {
	t.Helper()
	ctx := context.Background()
	person := func(id syncproto.UserID, role access.Role) store.Entry {
		return store.UserEntry{ID: id, Login: string(role) + string('0'+id[0]), Name: "N", Role: string(role)}
	}
	must := func(_ uint64, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(b.ledger.Propose(ctx, func(*store.Tx) ([]store.Entry, error) {
		return []store.Entry{person(worker, access.RoleSocialWorker), person(officer, access.RoleGovernance), person(guardian, access.RoleGovernance),
			store.RelationEntry{User: worker, Family: theirs, Basis: "LEAD", Grant: true}, store.RelationEntry{User: worker, Family: others, Basis: "LEAD", Grant: true}}, nil
	}))
	write := func(f syncproto.FamilyID, r syncproto.RecordID, words string) {
		t.Helper()
		must(0, b.keys.Ensure([]store.KeyPair{{Family: f, Record: r}}))
		must(b.ledger.Propose(ctx, func(tx *store.Tx) ([]store.Entry, error) {
			op := syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: "visit_type"}, Value: cbor.Text("CP")}
			note := syncproto.Op{Code: syncproto.OpAddendum, Text: words, Reason: words}
			_, err := b.desk.Compose(tx, []desk.Edit{{Author: worker, Family: f, Record: r, Kind: "visit", Ops: []syncproto.Op{op, note}}})
			return nil, err
		}))
		if _, err := b.store.View(r); err != nil { // a view is kept of it
			t.Fatal(err)
		}
	}
	write(theirs, doomed, planted)
	write(theirs, kept, harmless)
	write(others, apart, harmless)
}

// wantGone opens everything that there is with every key that is left. Also are
// erased beside the one record.
func wantGone(t *testing.T, b *borough, also ...syncproto.RecordID) {
	t.Helper()
	var pairs []store.KeyPair
	for _, f := range []syncproto.FamilyID{{}, theirs, others} {
		for _, r := range b.keys.RecordsOf(f) {
			pairs = append(pairs, store.KeyPair{Family: f, Record: r})
		}
	}
	opened := 0
	err := b.journal.J.Scan(1, func(p journal.Position, payload []byte) error {
		e, err := store.DecodeEntry(uint64(p), payload, b.keys)
		if strings.Contains(fmt.Sprintf("%+v", e), planted) {
			t.Errorf("entry %d still says it", p)
		}
		c, ok := e.(store.ChangeEntry)
		if err != nil || !ok {
			return err
		}
		for _, pair := range pairs {
			plain, err := b.keys.Unseal(pair, binary.BigEndian.AppendUint64(c.ID[:], uint64(c.AtMS)), c.Sealed)
			if err == nil {
				opened++
			}
			if strings.Contains(string(plain), planted) {
				t.Errorf("entry %d still opens", p)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if opened == 0 {
		t.Error("no key opens anything: the test looks at nothing")
	}
	wantNoBytes(t, b.cfg.Data.Dir)
	if _, err := b.store.View(doomed); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the record is still shown: %v", err)
	}
	if _, err := b.room.Record(context.Background(), worker, doomed); !errors.Is(err, syncproto.CodeNotFound) {
		t.Errorf("its worker still reads it: %v", err)
	}
	for _, r := range []syncproto.RecordID{kept, apart} {
		if slices.Contains(also, r) {
			continue
		}
		v, err := b.store.View(r)
		if err != nil || !bytes.Contains(v.Encode(), []byte(harmless)) {
			t.Errorf("record %s is not as it was: %v", r, err)
		}
	}
}

// wantNoBytes looks for the words in every file.
func wantNoBytes(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(planted)) {
			t.Errorf("%s holds the words", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestErasedWordsAreGoneEverywhere(t *testing.T) {
	b := begun(t)
	plant(t, b)
	ctx := context.Background()
	ask := erasure.Ask{Scope: erasure.ScopeRecord, Record: doomed, Basis: erasure.BasisUnlawful, Reason: "written about another family"}
	if _, err := b.erasure.Ask(ctx, worker, ask); !errors.Is(err, syncproto.CodeForbidden) {
		t.Errorf("a worker asks: got %v", err)
	}
	hold, err := b.erasure.Hold(ctx, officer, erasure.NewHold{Family: theirs, Kind: "legal", Reason: "an inquiry"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.erasure.Ask(ctx, officer, ask); err == nil || !strings.Contains(err.Error(), "legal hold") {
		t.Errorf("under a legal hold: got %v", err)
	}
	if err := b.erasure.Lift(ctx, guardian, hold.ID, "the inquiry is over"); err != nil {
		t.Fatal(err)
	}
	asked, err := b.erasure.Ask(ctx, officer, ask)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.erasure.Confirm(ctx, officer, asked.ID); err == nil {
		t.Error("one person erases alone")
	}
	keys := filepath.Join(t.TempDir(), "keys")
	copyDir(t, filepath.Join(b.cfg.Data.Dir, keysFolder), keys)
	before, err := b.audit.Checkpoint(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.erasure.Confirm(ctx, guardian, asked.ID); err != nil {
		t.Fatal(err)
	}
	wantGone(t, b)
	cfg, note := b.cfg, b.audit.Signer().Note(&before)
	reopen := func() {
		t.Helper()
		if b, err = openBorough(cfg, newLogger(cfg.Log, io.Discard), false); err != nil {
			t.Fatal(err)
		}
		wantGone(t, b)
		if err := b.close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(ctx, cfg, [][]byte{note}, func(string) {}, io.Discard); err != nil {
		t.Errorf("verify after an erasure: %v", err)
	}
	if err := os.RemoveAll(filepath.Join(cfg.Data.Dir, indexFolder)); err != nil {
		t.Fatal(err)
	}
	reopen() // the index built anew
	if err := os.RemoveAll(filepath.Join(cfg.Data.Dir, keysFolder)); err != nil {
		t.Fatal(err)
	}
	copyDir(t, keys, filepath.Join(cfg.Data.Dir, keysFolder))
	reopen() // a key store from before the erasure
}

func TestEraseWaitsForWhatItMustWaitFor(t *testing.T) {
	b := begun(t)
	plant(t, b)
	ctx := context.Background()
	soon := time.Now().Add(time.Hour).UnixMilli()
	for _, c := range []struct {
		name  string
		basis string
		hold  erasure.NewHold
		says  string
	}{
		{"no date known", erasure.BasisRetention, erasure.NewHold{}, "no retention date"},
		{"date not reached", erasure.BasisRetention, erasure.NewHold{Family: theirs, Kind: "retention", UntilMS: soon}, "retention hold until"},
		{"open record", erasure.BasisCourt, erasure.NewHold{}, "still open"},
		{"hold on one record of the family", erasure.BasisUnlawful, erasure.NewHold{Family: theirs, Record: doomed, Kind: "legal"}, "legal hold"},
	} {
		if c.hold.Kind != "" {
			if _, err := b.erasure.Hold(ctx, officer, c.hold); err != nil {
				t.Fatal(err)
			}
		}
		_, err := b.erasure.Ask(ctx, officer, erasure.Ask{Scope: erasure.ScopeFamily, Family: theirs, Basis: c.basis, Reason: "r"})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.says)
		}
	}
}

// life is a child's; died is empty for one who lives, kind their status until some years ago.
type life struct{ born, died, kind string }

// involve puts a child on the family's file.
func involve(t *testing.T, b *borough, of life) {
	t.Helper()
	child, status := syncproto.RecordID{31}, syncproto.RecordID{32}
	text := func(field, words string) syncproto.Op {
		return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field}, Value: cbor.Text(words)}
	}
	ref := syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: "child"}, Value: cbor.Bytes(child[:])}
	for _, e := range []desk.Edit{
		{Author: worker, Family: theirs, Record: child, Kind: "person", Ops: []syncproto.Op{text("names", "Zoë"), text("dob", of.born)}},
		{Author: worker, Family: theirs, Record: status, Kind: "status", Ops: []syncproto.Op{ref, text("kind", of.kind), text("from", "2010-01-01"), text("to", "2011-01-01")}},
	} {
		if of.died != "" && e.Kind == "person" {
			e.Ops = append(e.Ops, text("died", of.died))
		}
		if err := b.keys.Ensure([]store.KeyPair{{Family: theirs, Record: e.Record}}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.ledger.Propose(context.Background(), func(tx *store.Tx) ([]store.Entry, error) {
			_, err := b.desk.Compose(tx, []desk.Edit{e})
			return nil, err
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// The schedule says which files are over, to information governance alone, and keeps those
// that are not from being erased, also when somebody set an earlier date by hand.
func TestRetentionScheduleIsHeldAndProposes(t *testing.T) {
	for _, c := range []struct {
		life
		over string // since when; empty: it is not
		says string // why it is not erased
	}{
		{life{"1990-05-01", "", "CIN"}, "2011-05-01", "still open"}, // over, but somebody has to make its visit final first
		{life{"1990-05-01", "", "CLA"}, "", "(looked after: 75 years from birth)"},
		{life{"1990-05-01", "2001-03-02", "CLA"}, "2016-03-02", "still open"},
		{life{time.Now().AddDate(-10, 0, 0).Format(time.DateOnly), time.Now().AddDate(-2, 0, 0).Format(time.DateOnly), "CLA"}, "", "(looked after: 15 years from the death of a child)"},
		{life{time.Now().AddDate(-20, 0, 0).Format(time.DateOnly), "", "CIN"}, "", "the retention schedule keeps it longer (child in need: 21 years from birth)"},
	} {
		b := begun(t)
		plant(t, b)
		involve(t, b, c.life)
		ctx := context.Background()
		if _, err := b.erasure.Over(ctx, worker); !errors.Is(err, syncproto.CodeForbidden) {
			t.Errorf("a worker is told which files are over: %v", err)
		}
		list, err := b.erasure.Over(ctx, officer)
		if err != nil || (len(list) == 1) != (c.over != "") || c.over != "" && (list[0].Family != theirs || list[0].Since.ISO() != c.over) {
			t.Errorf("born on %s: over is %+v, %v", c.born, list, err)
		}
		_, err = b.erasure.Ask(ctx, officer, erasure.Ask{Scope: erasure.ScopeFamily, Family: theirs, Basis: erasure.BasisRetention, Reason: "r"})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("born on %s: got %v, want %q", c.born, err, c.says)
		}
		past := time.Now().Add(-time.Hour).UnixMilli()
		if _, err := b.erasure.Hold(ctx, officer, erasure.NewHold{Family: theirs, Kind: "retention", UntilMS: past, Reason: "r"}); err != nil {
			t.Fatal(err)
		}
		_, err = b.erasure.Ask(ctx, officer, erasure.Ask{Scope: erasure.ScopeFamily, Family: theirs, Basis: erasure.BasisRetention, Reason: "r"})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("born on %s, with a date by hand that is past: got %v, want %q", c.born, err, c.says)
		}
		if _, err := b.erasure.Hold(ctx, officer, erasure.NewHold{Family: theirs, Kind: "legal", Reason: "an inquiry"}); err != nil {
			t.Fatal(err)
		}
		if list, err := b.erasure.Over(ctx, officer); err != nil || len(list) != 0 {
			t.Errorf("under a legal hold: over is %+v, %v", list, err)
		}
	}
}

// A date of retention that is later than the end of a legal hold does not hide it.
func TestLegalHoldBesideALongerRetention(t *testing.T) {
	b := begun(t)
	plant(t, b)
	ctx := context.Background()
	in := func(d time.Duration) int64 { return time.Now().Add(d).UnixMilli() }
	asked, err := b.erasure.Ask(ctx, officer, erasure.Ask{Scope: erasure.ScopeRecord, Record: doomed, Basis: erasure.BasisUnlawful, Reason: "r"})
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range []erasure.NewHold{{Family: theirs, Kind: "legal", UntilMS: in(time.Hour)}, {Family: theirs, Kind: "retention", UntilMS: in(2 * time.Hour)}} {
		if _, err := b.erasure.Hold(ctx, officer, h); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.erasure.Confirm(ctx, guardian, asked.ID); err == nil || !strings.Contains(err.Error(), "legal hold") {
		t.Errorf("erased what a legal hold keeps: %v", err)
	}
	_, err = b.erasure.Ask(ctx, officer, erasure.Ask{Scope: erasure.ScopeFamily, Family: theirs, Basis: erasure.BasisUnlawful, Reason: "r"})
	if err == nil || !strings.Contains(err.Error(), "legal hold") {
		t.Errorf("asked for what a legal hold keeps: %v", err)
	}
}

// What people began since a family was asked for is open like what was there.
func TestFamilyIsNotErasedUnderAnOpenRecord(t *testing.T) {
	b := begun(t)
	plant(t, b)
	ctx := context.Background()
	family, action, visit := syncproto.FamilyID{13}, syncproto.RecordID{31}, syncproto.RecordID{32}
	write := func(r syncproto.RecordID, kind, field, value string) {
		t.Helper()
		err := b.keys.Ensure([]store.KeyPair{{Family: family, Record: r}})
		if err == nil {
			_, err = b.ledger.Propose(ctx, func(tx *store.Tx) ([]store.Entry, error) {
				op := syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field}, Value: cbor.Text(value)}
				_, err := b.desk.Compose(tx, []desk.Edit{{Author: worker, Family: family, Record: r, Kind: kind, Ops: []syncproto.Op{op}}})
				return nil, err
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write(action, "action", "status", "OPEN")
	asked, err := b.erasure.Ask(ctx, officer, erasure.Ask{Scope: erasure.ScopeFamily, Family: family, Basis: erasure.BasisCourt, Reason: "r"})
	if err != nil {
		t.Fatal(err)
	}
	write(visit, "visit", "visit_type", "CP")
	if err := b.erasure.Confirm(ctx, guardian, asked.ID); err == nil || !strings.Contains(err.Error(), "still open") {
		t.Errorf("erased a family under an open record: %v", err)
	}
}

func TestFamilyErasedWhole(t *testing.T) {
	b := begun(t)
	plant(t, b)
	ctx := context.Background()
	mark := b.markOf(theirs, doomed)
	wordsOfDoors(t, b)
	asked, err := b.erasure.Ask(ctx, officer, erasure.Ask{Scope: erasure.ScopeFamily, Family: theirs, Basis: erasure.BasisUnlawful, Reason: "r"})
	if err == nil {
		err = b.erasure.Confirm(ctx, guardian, asked.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(b.keys.RecordsOf(theirs)) != 0 || len(b.keys.RecordsOf(others)) == 0 {
		t.Error("the keys of the family are left, or others are gone")
	}
	if got := b.markOf(theirs, doomed); got == mark || mark == [16]byte{} {
		t.Error("the family's marks can still be told")
	}
	if err := b.keys.Ensure([]store.KeyPair{{Family: theirs, Record: syncproto.RecordID{77}}}); err == nil {
		t.Error("an erased family gets a new key")
	}
	wantDoorsSilent(t, b)
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	if b, err = openBorough(b.cfg, newLogger(b.cfg.Log, io.Discard), false); err != nil {
		t.Fatal(err)
	}
	wantDoorsSilent(t, b)
	wantGone(t, b, kept)
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
}

// wordsOfDoors has people type about the family whose file is erased later: why
// somebody was let in and kept out, and an emergency that nobody reviewed yet.
func wordsOfDoors(t *testing.T, b *borough) {
	t.Helper()
	ctx := context.Background()
	manager, duty := syncproto.UserID{31}, syncproto.UserID{32}
	_, err := b.ledger.Propose(ctx, func(*store.Tx) ([]store.Entry, error) {
		return []store.Entry{
			store.UserEntry{ID: manager, Login: "m", Name: "M", Role: string(access.RoleManager)},
			store.UserEntry{ID: duty, Login: "d", Name: "D", Role: string(access.RoleEDT)},
			store.RelationEntry{User: manager, Family: theirs, Basis: "MANAGER", Grant: true},
		}, nil
	})
	soon := time.Now().Add(time.Hour).UnixMilli()
	_, given := b.doors.Give(ctx, manager, doors.Grant{User: worker, Family: theirs, Basis: "COVER", ToMS: soon, Reason: planted})
	_, opened := b.doors.Open(ctx, duty, doors.Opening{Family: theirs, Code: "OTHER", Text: planted})
	restricted := b.doors.Restrict(ctx, officer, doors.Restriction{Family: theirs, Category: "STAFF", Reason: planted, ReviewMS: soon})
	if err := errors.Join(err, given, opened, restricted); err != nil {
		t.Fatal(err)
	}
	if said := saidOfDoors(b); strings.Count(said, planted) != 3 {
		t.Fatalf("the words are not there to begin with: %s", said)
	}
}

func saidOfDoors(b *borough) string {
	s := b.store.State()
	return fmt.Sprintf("%+v %+v %+v", s.RelationsWith(theirs), s.RestrictionsOf(theirs), s.BreakGlasses())
}

// wantDoorsSilent: what people typed is gone, who did what is not, and an emergency
// can still be reviewed.
func wantDoorsSilent(t *testing.T, b *borough) {
	t.Helper()
	said := saidOfDoors(b)
	if strings.Contains(said, planted) || !strings.Contains(said, "COVER") || !strings.Contains(said, "STAFF") {
		t.Errorf("the doors of an erased family say %s", said)
	}
	for _, e := range b.store.State().BreakGlasses() {
		err := b.doors.Review(context.Background(), officer, e.ID, "JUSTIFIED", planted)
		if err != nil && !errors.Is(err, syncproto.CodeFinal) {
			t.Errorf("the emergency cannot be reviewed any more: %v", err)
		}
	}
	if said := saidOfDoors(b); strings.Contains(said, planted) || !strings.Contains(said, "JUSTIFIED") {
		t.Errorf("after its review: %s", said)
	}
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			err = os.Chmod(path, 0o600)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A command of information governance that names itself is carried out once, however
// often it is given, and is something else under no name of another.
func TestNamedOrderIsCarriedOutOnce(t *testing.T) {
	b := begun(t)
	plant(t, b)
	if err := b.auth.SetPassword(t.Context(), "ig_officer2", "a dry place for papers"); err != nil {
		t.Fatal(err)
	}
	op := localOperator{b}
	order := EraseOrder{Login: "ig_officer2", Password: "a dry place for papers", Act: "ask", Scope: erasure.ScopeRecord,
		ID: doomed.String(), Basis: erasure.BasisUnlawful, Reason: "of another family", Request: strings.Repeat("a", 32)}
	first, err := op.Erase(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	again, err := op.Erase(t.Context(), order)
	if err != nil || !slices.Equal(again, first) {
		t.Errorf("given twice: got %+v and %+v, %v", first, again, err)
	}
	if asks, err := b.erasure.Asks(officer); err != nil || len(asks) != 1 {
		t.Errorf("asked for: %+v, %v; want one", asks, err)
	}
	order.Reason = "another reason"
	if _, err := op.Erase(t.Context(), order); !errors.Is(err, syncproto.CodeBadValue) {
		t.Errorf("something else under the same name: got %v", err)
	}
	order.Request = "x"
	if _, err := op.Erase(t.Context(), order); err == nil {
		t.Error("a name that is no id was taken")
	}
}
