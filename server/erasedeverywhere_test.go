package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/audit"
	"doorstep/server/internal/desk"
	"doorstep/server/internal/erasure"
	"doorstep/server/internal/exchange"
	"doorstep/server/internal/finalise"
	"doorstep/server/internal/reading"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// The family of these tests: a child whose file is erased, and a brother whose is not.
var (
	child, brother         = syncproto.RecordID{41}, syncproto.RecordID{42}
	theVisit               = syncproto.RecordID{43}
	childsPart, brothers   = syncproto.RecordID{44}, syncproto.RecordID{45}
	childsTool, childsTime = syncproto.RecordID{46}, syncproto.RecordID{47}
	plan                   = syncproto.RecordID{48}
)

var childsFile = []syncproto.RecordID{child, childsPart, childsTool, childsTime}
var restOfFile = []syncproto.RecordID{brother, theVisit, brothers, plan}

// writeFile writes the family's records, each of the child's with the planted words.
func writeFile(t *testing.T, b *borough) {
	t.Helper()
	set := func(field string, v cbor.Value) syncproto.Op {
		return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field}, Value: v}
	}
	ref := func(field string, r syncproto.RecordID) syncproto.Op { return set(field, cbor.Bytes(r[:])) }
	note := func(words string) syncproto.Op {
		return syncproto.Op{Code: syncproto.OpAddendum, Text: words, Reason: "it was said later"}
	}
	handOver := syncproto.Op{Code: syncproto.OpHandOver}
	for _, r := range []struct {
		record syncproto.RecordID
		kind   string
		ops    []syncproto.Op
	}{
		{child, "person", []syncproto.Op{set("names", cbor.Text(planted))}},
		{brother, "person", []syncproto.Op{set("names", cbor.Text(harmless))}},
		{theVisit, "visit", []syncproto.Op{set("visit_type", cbor.Text("CP")), handOver, note(harmless)}},
		{childsPart, "visit_child", []syncproto.Op{ref("visit", theVisit), ref("child", child), note(planted)}},
		{brothers, "visit_child", []syncproto.Op{ref("visit", theVisit), ref("child", brother), note(harmless)}},
		{childsTool, "child_tool", []syncproto.Op{ref("child", child), note(planted)}},
		{childsTime, "missing_episode", []syncproto.Op{ref("child", child), note(planted)}},
		{plan, "plan", []syncproto.Op{note(harmless)}},
	} {
		err := b.keys.Ensure([]store.KeyPair{{Family: theirs, Record: r.record}})
		if err == nil {
			_, err = b.ledger.Propose(context.Background(), func(tx *store.Tx) ([]store.Entry, error) {
				_, err := b.desk.Compose(tx, []desk.Edit{{Author: worker, Family: theirs, Record: r.record, Kind: r.kind, Ops: r.ops}})
				return nil, err
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// everyRole has one person of each role, with every footing that a family can give.
func everyRole(t *testing.T, b *borough) map[access.Role]syncproto.UserID {
	t.Helper()
	footings := []access.Basis{access.BasisLead, access.BasisCo, access.BasisPA, access.BasisClin, access.BasisFIT, access.BasisVol,
		access.BasisMET, access.BasisChair, access.BasisIRO, access.BasisEDT, access.BasisTeam, access.BasisCoord, access.BasisManager,
		access.BasisSupport, access.BasisProgramme, access.BasisMissing, access.BasisJoint, access.BasisCover, access.BasisConsult,
		access.BasisSample, access.BasisRequest, access.BasisShared, access.BasisObserve, access.BasisBreakGlass}
	out := map[access.Role]syncproto.UserID{}
	entries := []store.Entry{store.UserEntry{ID: worker, Login: "w", Name: "W", Role: string(access.RoleSocialWorker)}}
	for i, role := range access.Roles() {
		user := syncproto.UserID{100, byte(i)}
		out[role] = user
		entries = append(entries, store.UserEntry{ID: user, Login: fmt.Sprint("u", i), Name: "N", Role: string(role)},
			store.DeviceEntry{ID: syncproto.DeviceID(user), Name: "D", Key: make([]byte, 65), Users: []syncproto.UserID{user}})
		for _, basis := range footings {
			if reads, _ := access.Holds(string(role), string(basis)); reads {
				entries = append(entries, store.RelationEntry{User: user, Family: theirs, Basis: string(basis), Grant: true})
			}
		}
	}
	if _, err := b.ledger.Propose(context.Background(), func(*store.Tx) ([]store.Entry, error) { return entries, nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// ways are all in which the server shows somebody something of a record. Each returns
// whether it did; the text is all that it showed.
func ways(b *borough, heads map[syncproto.RecordID][]syncproto.ChangeID) map[string]func(syncproto.UserID, syncproto.RecordID) (string, bool) {
	ctx := context.Background()
	shown := func(v any, err error) (string, bool) { return fmt.Sprintf("%+v", v), err == nil }
	listed := func(record syncproto.RecordID, v any, err error) (string, bool) {
		text := fmt.Sprintf("%+v", v)
		return text, err == nil && strings.Contains(text, record.String())
	}
	return map[string]func(syncproto.UserID, syncproto.RecordID) (string, bool){
		"the record":  func(u syncproto.UserID, r syncproto.RecordID) (string, bool) { return shown(b.room.Record(ctx, u, r)) },
		"its history": func(u syncproto.UserID, r syncproto.RecordID) (string, bool) { return historyOf(b, u, r) },
		"a version": func(u syncproto.UserID, r syncproto.RecordID) (string, bool) {
			return shown(b.room.RecordAt(ctx, u, r, heads[r]))
		},
		"who wrote it": func(u syncproto.UserID, r syncproto.RecordID) (string, bool) {
			return shown(b.room.Attribution(ctx, u, r, nil))
		},
		"its checklist": func(u syncproto.UserID, r syncproto.RecordID) (string, bool) {
			return shown(b.finalise.Checklist(ctx, finalise.Caller{User: u}, r))
		},
		"the family list": func(u syncproto.UserID, r syncproto.RecordID) (string, bool) {
			v, err := b.room.FamilyRecords(ctx, u, theirs)
			return listed(r, v, err)
		},
		"the queue": func(u syncproto.UserID, r syncproto.RecordID) (string, bool) {
			v, err := b.finalise.Queue(ctx, finalise.Caller{User: u})
			return listed(r, v, err)
		},
		"a search": func(u syncproto.UserID, r syncproto.RecordID) (string, bool) {
			v, _, err := b.room.Search(ctx, u, planted)
			return listed(r, v, err)
		},
		"what is due": func(u syncproto.UserID, r syncproto.RecordID) (string, bool) {
			v, err := b.room.FamilyDue(ctx, u, theirs)
			return listed(r, v, err)
		},
		"the custody":  func(u syncproto.UserID, r syncproto.RecordID) (string, bool) { return custodyOf(b, u, r) },
		"an export":    func(u syncproto.UserID, r syncproto.RecordID) (string, bool) { return inExport(b, u, r) },
		"a new tablet": func(u syncproto.UserID, r syncproto.RecordID) (string, bool) { return onTablet(b, u, r) },
	}
}

// custodyOf is every op of what waits for a reviewer of a record.
func custodyOf(b *borough, user syncproto.UserID, record syncproto.RecordID) (string, bool) {
	list, err := b.room.Custody(context.Background(), user)
	var text strings.Builder
	found := false
	for _, c := range list {
		if c.Record == record {
			words, werr := b.room.CustodyWords(context.Background(), user, c.Change)
			fmt.Fprintf(&text, "%+v", words)
			err, found = errors.Join(err, werr), true
		}
	}
	return text.String(), err == nil && found
}

// inExport is what somebody's export of the family has of a record.
func inExport(b *borough, user syncproto.UserID, record syncproto.RecordID) (string, bool) {
	records, err := exporting(b).Take(context.Background(), audit.Acting{User: user}, theirs, "OTHER")
	for _, r := range records {
		if r.View.Record == record {
			return fmt.Sprintf("%+v", r.View) + opsOf(r.History), err == nil
		}
	}
	return "", false
}

func opsOf(items []reading.HistoryItem) string {
	var text strings.Builder
	for _, h := range items {
		fmt.Fprintf(&text, "%+v", h.Change.Body.Ops)
	}
	return text.String()
}

// historyOf is every op of a record's changes.
func historyOf(b *borough, user syncproto.UserID, record syncproto.RecordID) (string, bool) {
	items, err := b.room.History(context.Background(), user, record)
	return opsOf(items), err == nil
}

// onTablet fetches all that a new tablet of somebody gets, and reports whether words
// of a record are in it.
func onTablet(b *borough, user syncproto.UserID, record syncproto.RecordID) (string, bool) {
	q := &syncproto.SyncRequest{Version: syncproto.ProtocolVersion, Request: syncproto.RequestID{1}}
	var text strings.Builder
	found := false
	for {
		reply, err := b.exchange.Sync(context.Background(), exchange.Caller{User: user, Device: syncproto.DeviceID(user)}, q)
		if err != nil {
			return err.Error(), false
		}
		for _, it := range reply.Items {
			if it.Type != syncproto.ItemChange {
				continue
			}
			text.Write(it.Body)
			c, err := syncproto.DecodeChange(it.Prev, it.Body)
			found = found || err == nil && c.Body.Record == record
		}
		q.Cursor, q.Epoch = reply.Cursor, reply.Epoch
		if !reply.More {
			return text.String(), found
		}
	}
}

// TestErasedChildIsGoneForEveryRoleAndWay erases a child's file, of which several
// kinds of records are part, and looks for it as everybody who could see it, in every
// way there is: before, to know that the way shows it, and after. The brother's file
// and what is the family's stay as they were.
func TestErasedChildIsGoneForEveryRoleAndWay(t *testing.T) {
	b := begun(t)
	people := everyRole(t, b)
	writeFile(t, b)
	heads := map[syncproto.RecordID][]syncproto.ChangeID{}
	for _, r := range append(restOfFile, childsFile...) {
		info, err := b.store.RecordInfo(r)
		if err != nil {
			t.Fatal(err)
		}
		heads[r] = info.Heads
	}
	type look struct {
		role   access.Role
		way    string
		record syncproto.RecordID
	}
	before, seen := map[look]bool{}, map[string]int{}
	eachLook := func(do func(l look, text string, shows bool)) {
		for role, user := range people {
			for way, show := range ways(b, heads) {
				for record := range heads {
					text, shows := show(user, record)
					do(look{role, way, record}, text, shows)
				}
			}
		}
	}
	eachLook(func(l look, text string, shows bool) {
		before[l] = shows
		if shows && strings.Contains(text, planted) {
			seen[l.way]++
		}
	})
	for _, way := range []string{"the record", "its history", "a version", "a new tablet", "an export"} {
		if seen[way] < 4 {
			t.Errorf("%s shows the child's words %d times before they are erased: nothing is tested", way, seen[way])
		}
	}
	ctx := context.Background()
	ask := erasure.Ask{Scope: erasure.ScopeChild, Record: child, Basis: erasure.BasisUnlawful, Reason: "recorded for another family"}
	officer, second := people[access.RoleGovernance], syncproto.UserID{120}
	if _, err := b.ledger.Propose(ctx, func(*store.Tx) ([]store.Entry, error) {
		return []store.Entry{store.UserEntry{ID: second, Login: "s", Name: "S", Role: string(access.RoleGovernance)}}, nil
	}); err != nil {
		t.Fatal(err)
	}
	asked, err := b.erasure.Ask(ctx, officer, ask)
	if err != nil || len(asked.Records) != len(childsFile) {
		t.Fatalf("asked for %v, want the %d records of the child: %v", asked.Records, len(childsFile), err)
	}
	if err := b.room.Look(theirs); err != nil {
		t.Fatal(err)
	}
	if n, _ := b.room.SearchBytes(); n == 0 {
		t.Error("searches remember nothing: nothing is tested")
	}
	if err := b.erasure.Confirm(ctx, second, asked.ID); err != nil {
		t.Fatal(err)
	}
	if n, records := b.room.SearchBytes(); records != 0 {
		t.Errorf("searches remember %d bytes of %d records of the family still", n, records)
	}
	gone := map[syncproto.RecordID]bool{}
	for _, r := range childsFile {
		gone[r] = true
	}
	eachLook(func(l look, text string, shows bool) {
		switch {
		case strings.Contains(text, planted):
			t.Errorf("%s: %s of record %s still says it", l.role, l.way, l.record)
		case gone[l.record] && shows:
			t.Errorf("%s: %s still shows the erased record %s", l.role, l.way, l.record)
		case !gone[l.record] && shows != before[l]:
			t.Errorf("%s: %s of record %s, which was not erased: shown %v, before %v", l.role, l.way, l.record, shows, before[l])
		}
	})
}

// TestWhoErasesWhat: information governance alone, never what is about a relative,
// never alone, and a child's file not while people disagree whose a record is.
func TestWhoErasesWhat(t *testing.T) {
	b := begun(t)
	people := everyRole(t, b)
	writeFile(t, b)
	ctx := context.Background()
	ask := erasure.Ask{Scope: erasure.ScopeChild, Record: child, Basis: erasure.BasisUnlawful, Reason: "r"}
	for role, user := range people {
		_, err := b.erasure.Ask(ctx, user, ask)
		_, held := b.erasure.Hold(ctx, user, erasure.NewHold{Family: theirs, Kind: "retention", UntilMS: time.Now().UnixMilli() - 1, Reason: "r"})
		_, listed := b.erasure.Asks(user)
		_, holds := b.erasure.Holds(user)
		for what, err := range map[string]error{"asks": err, "holds": held, "lists": listed, "lists holds": holds} {
			if allowed := role == access.RoleGovernance; allowed != (err == nil) || !allowed && !errors.Is(err, syncproto.CodeForbidden) {
				t.Errorf("%s %s: %v", role, what, err)
			}
		}
	}
	officer := people[access.RoleGovernance]
	list, err := b.erasure.Asks(officer)
	if err != nil || len(list) != 1 || list[0].State != erasure.StateOpen {
		t.Fatalf("asked for: %+v, %v", list, err)
	}
	for role, user := range people {
		if err := b.erasure.Confirm(ctx, user, list[0].ID); !errors.Is(err, syncproto.CodeForbidden) {
			t.Errorf("%s confirms: %v", role, err)
		}
	}
	relative := syncproto.UserID{120}
	if _, err := b.ledger.Propose(ctx, func(*store.Tx) ([]store.Entry, error) {
		return []store.Entry{store.UserEntry{ID: relative, Login: "s", Name: "S", Role: string(access.RoleGovernance)},
			store.RelationEntry{User: relative, Family: theirs, Basis: string(access.BasisRelative), Grant: true}}, nil
	}); err != nil {
		t.Fatal(err)
	}
	_, asks := b.erasure.Ask(ctx, relative, ask)
	_, holds := b.erasure.Hold(ctx, relative, erasure.NewHold{Family: theirs, Kind: "legal", Reason: "r"})
	for what, err := range map[string]error{"asks": asks, "holds": holds, "confirms": b.erasure.Confirm(ctx, relative, list[0].ID)} {
		if !errors.Is(err, syncproto.CodeForbidden) || !strings.Contains(err.Error(), "kept out") {
			t.Errorf("a relative %s: %v", what, err)
		}
	}
	dispute(t, b)
	if _, err := b.erasure.Ask(ctx, officer, ask); err == nil || !strings.Contains(err.Error(), "disagree") {
		t.Errorf("a record of which people disagree whose it is: %v", err)
	}
}

// dispute has two people say apart from each other whose the tool was.
func dispute(t *testing.T, b *borough) {
	t.Helper()
	info, err := b.store.RecordInfo(childsTool)
	if err != nil {
		t.Fatal(err)
	}
	for _, whose := range []syncproto.RecordID{brother, child} {
		op := syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: "child"}, Value: cbor.Bytes(whose[:])}
		_, err := b.ledger.Propose(context.Background(), func(tx *store.Tx) ([]store.Entry, error) {
			_, err := b.desk.Compose(tx, []desk.Edit{{Author: worker, Family: theirs, Record: childsTool, Kind: "child_tool", Deps: info.Heads, Ops: []syncproto.Op{op}}})
			return nil, err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
