package server

import (
	"context"
	"errors"
	"testing"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/audit"
	"doorstep/server/internal/oversight"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Information governance sees the whole log and can prove each entry of it, a
// manager what concerns their own families, IT configuration alone, a worker nothing.
func TestAuditLogIsShownToWhoMaySeeIt(t *testing.T) {
	b := begun(t)
	plant(t, b)
	ctx := context.Background()
	manager, it := syncproto.UserID{31}, syncproto.UserID{32}
	if _, err := b.ledger.Propose(ctx, func(*store.Tx) ([]store.Entry, error) {
		return []store.Entry{
			store.UserEntry{ID: manager, Login: "m", Name: "M", Role: string(access.RoleManager)},
			store.UserEntry{ID: it, Login: "i", Name: "I", Role: string(access.RoleIT)},
			store.RelationEntry{User: manager, Family: others, Basis: "MANAGER", Grant: true},
		}, nil
	}); err != nil {
		t.Fatal(err)
	}
	read := audit.Access{Type: audit.TypeRead, By: audit.Acting{User: worker, Session: syncproto.ID{5}}, Record: doomed, Word: "record"}
	if err := b.accesses.NoteNow(read); err != nil {
		t.Fatal(err)
	}
	s := b.oversight()
	all, err := s.Search(ctx, officer, oversight.Query{Prove: true})
	head, _ := b.journal.Head()
	if err != nil || uint64(len(all.Events)) != min(head, oversight.MaxEvents) {
		t.Fatalf("information governance: got %d of %d events, %v", len(all.Events), head, err)
	}
	c, err := b.audit.Signer().ParseNote(all.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all.Events {
		if size := len(e.Leaf) + 32*len(e.Proof); size > 2048 || c.Size < e.Position {
			t.Errorf("the proof of entry %d has %d bytes, by a checkpoint over %d", e.Position, size, c.Size)
		}
	}
	got, err := s.Search(ctx, officer, oversight.Query{Accesses: true, Record: doomed})
	if err != nil || len(got.Events) != 1 || got.Events[0].Session != read.By.Session {
		t.Errorf("who read the record: got %+v, %v", got.Events, err)
	}
	if got, err = s.Search(ctx, officer, oversight.Query{Accesses: true, Record: kept}); err != nil || len(got.Events) != 0 {
		t.Errorf("who read another record: got %+v, %v", got.Events, err)
	}
	seen, whole, err := s.Readers(ctx, officer, []syncproto.RecordID{doomed}, 0)
	if err != nil || !whole || len(seen) != 1 || seen[0].User != worker || seen[0].Carried || seen[0].FirstMS == 0 {
		t.Errorf("the readers of the record: got %+v, %v, %v", seen, whole, err)
	}
	if late, _, err := s.Readers(ctx, officer, []syncproto.RecordID{doomed}, seen[0].LastMS+1); err != nil || len(late) != 0 {
		t.Errorf("its readers since: got %+v, %v", late, err)
	}
	for _, who := range []syncproto.UserID{manager, it, worker} {
		if list, _, err := s.Readers(ctx, who, []syncproto.RecordID{doomed}, 0); !errors.Is(err, syncproto.CodeForbidden) {
			t.Errorf("the readers of another team's record, for %s: got %+v, %v", who, list, err)
		}
	}
	theirsOnly, err := s.Search(ctx, manager, oversight.Query{})
	mark := b.markOf(others, apart)
	for _, e := range theirsOnly.Events {
		if e.Record != mark && e.Record != b.markOf(others, syncproto.RecordID(others)) {
			t.Errorf("a manager sees an event of another family: %+v", e.Event)
		}
	}
	if err != nil || len(theirsOnly.Events) == 0 {
		t.Errorf("a manager: got %d events, %v", len(theirsOnly.Events), err)
	}
	config, err := s.Search(ctx, it, oversight.Query{})
	for _, e := range config.Events {
		if e.Record != (audit.Mark{}) || !e.Change.IsZero() {
			t.Errorf("IT sees what is about a family: %+v", e.Event)
		}
	}
	if err != nil || len(config.Events) == 0 {
		t.Errorf("IT: got %d events, %v", len(config.Events), err)
	}
	if _, err := s.Search(ctx, worker, oversight.Query{}); !errors.Is(err, syncproto.CodeForbidden) {
		t.Errorf("a worker: got %v", err)
	}
}

// TestEmergencyReadsAreDurableFirst: while an opening is open, what its holder reads
// is in the log before they see it; before and after that it is gathered.
func TestEmergencyReadsAreDurableFirst(t *testing.T) {
	b := begun(t)
	plant(t, b)
	now := time.Now().UnixMilli()
	duty := syncproto.UserID{41}
	open := store.BreakGlassEntry{ID: syncproto.ID{42}, User: duty, Family: theirs, Code: "HOSPITAL", FromMS: now - 1000, ToMS: now + 3_600_000}
	closed := open
	closed.ClosedBy, closed.ClosedMS, closed.Finding = guardian, now, "JUSTIFIED"
	for i, c := range []struct {
		entry store.Entry
		first bool
	}{
		{store.UserEntry{ID: duty, Login: "d", Name: "D", Role: string(access.RoleEDT)}, false}, {open, true}, {closed, false},
	} {
		if _, err := b.ledger.Propose(context.Background(), func(*store.Tx) ([]store.Entry, error) { return []store.Entry{c.entry}, nil }); err != nil {
			t.Fatal(err)
		}
		if err := b.accesses.Flush(); err != nil {
			t.Fatal(err)
		}
		before := b.accesses.Tree().Size()
		if err := b.accesses.Note(audit.Access{Type: audit.TypeRead, By: audit.Acting{User: duty}, Record: kept}); err != nil {
			t.Fatal(err)
		}
		if durable := b.accesses.Tree().Size() > before; durable != c.first {
			t.Errorf("step %d: durable before it is shown: %v, want %v", i, durable, c.first)
		}
	}
}
