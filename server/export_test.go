package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/audit"
	"doorstep/server/internal/export"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

func exporting(b *borough) *export.Service {
	return export.New(export.Config{Store: b.store, Records: b.room, Accesses: b.accesses, Now: time.Now})
}

// TestExportIsWhatMayLeave: each role takes away exactly what of the family it may
// read and have on a tablet, and for a subject's request all that it may read; and
// every record that leaves is durable in the access log before it does.
func TestExportIsWhatMayLeave(t *testing.T) {
	b := begun(t)
	people := everyRole(t, b)
	writeFile(t, b)
	ctx, now := context.Background(), time.Now().UnixMilli()
	all := append(slices.Clone(childsFile), restOfFile...)
	took := 0
	for role, user := range people {
		who := access.AskerOf(access.Standing(b.store.State().StandingOf(user, theirs, now)))
		pack := slices.Contains(who.Bases, access.BasisRequest) && role == access.RoleGovernance
		var want []syncproto.RecordID
		readable := false
		for _, r := range all {
			info, err := b.store.RecordInfo(r)
			if err != nil {
				t.Fatal(err)
			}
			read := who.MayRead(info.Kind).Allow
			readable = readable || read
			if read && (pack || who.MayCarry(info.Kind).Allow) {
				want = append(want, r)
			}
		}
		if err := b.accesses.Flush(); err != nil {
			t.Fatal(err)
		}
		before := b.accesses.Tree().Size()
		records, err := exporting(b).Take(ctx, audit.Acting{User: user}, theirs, "COURT")
		var got []syncproto.RecordID
		for _, r := range records {
			got = append(got, r.View.Record)
			if len(r.History) == 0 {
				t.Errorf("%s takes record %s without its history", role, r.View.Record)
			}
		}
		order := func(a, b syncproto.RecordID) int { return slices.Compare(a[:], b[:]) }
		slices.SortFunc(got, order)
		slices.SortFunc(want, order)
		if !slices.Equal(got, want) {
			t.Errorf("%s takes %v, want %v", role, got, want)
		}
		leaves := 0
		if len(want) > 0 {
			leaves, took = len(want)+1, took+1
		} else if refused := syncproto.CodeForbidden; !errors.Is(err, refused) && (readable || !errors.Is(err, syncproto.CodeNotFound)) {
			t.Errorf("%s may take nothing: %v", role, err)
		}
		if grown := int(b.accesses.Tree().Size() - before); grown != leaves {
			t.Errorf("%s: %d leaves are durable, want %d", role, grown, leaves)
		}
	}
	if took < 5 || took == len(people) {
		t.Errorf("%d of %d roles take something away", took, len(people))
	}
}

// TestExportInAnEmergency: what was opened to be read is not taken away, nor what is
// restricted, nor anything while the audit log cannot be written.
func TestExportInAnEmergency(t *testing.T) {
	b := begun(t)
	plant(t, b)
	ctx, now := context.Background(), time.Now().UnixMilli()
	duty := syncproto.UserID{51}
	commit := func(entries ...store.Entry) {
		t.Helper()
		if _, err := b.ledger.Propose(ctx, func(*store.Tx) ([]store.Entry, error) { return entries, nil }); err != nil {
			t.Fatal(err)
		}
	}
	commit(store.UserEntry{ID: duty, Login: "d", Name: "D", Role: string(access.RoleEDT)},
		store.BreakGlassEntry{ID: syncproto.ID{52}, User: duty, Family: theirs, Code: "HOSPITAL", FromMS: now - 1000, ToMS: now + 3_600_000})
	if _, err := b.room.Record(ctx, duty, doomed); err != nil {
		t.Fatalf("the file is not open: %v", err)
	}
	take := func(user syncproto.UserID) error {
		_, err := exporting(b).Take(ctx, audit.Acting{User: user}, theirs, "OTHER")
		return err
	}
	if err := take(duty); !errors.Is(err, syncproto.CodeForbidden) {
		t.Errorf("in an emergency: %v", err)
	}
	if err := take(worker); err != nil {
		t.Errorf("the lead worker: %v", err)
	}
	broken := export.New(export.Config{Store: b.store, Records: b.room, Accesses: fullLog{}, Now: time.Now})
	if records, err := broken.Take(ctx, audit.Acting{User: worker}, theirs, "OTHER"); !errors.Is(err, syncproto.CodeUnavailable) {
		t.Errorf("unaudited: %d records, %v", len(records), err)
	}
	commit(store.RestrictionEntry{Family: theirs, Category: store.RestrictHighRisk, On: true, AtMS: now, ReviewMS: now + 1000},
		store.RelationEntry{User: worker, Family: theirs, Basis: access.Named, Grant: true, ID: syncproto.ID{53}})
	if _, err := b.room.Record(ctx, worker, doomed); err != nil {
		t.Fatalf("who was let in does not read: %v", err)
	}
	if err := take(worker); !errors.Is(err, syncproto.CodeForbidden) {
		t.Errorf("of a restricted file: %v", err)
	}
}

// fullLog takes no more.
type fullLog struct{}

func (fullLog) Note(audit.Access) error { return fmt.Errorf("the disk: %w", syncproto.CodeUnavailable) }
