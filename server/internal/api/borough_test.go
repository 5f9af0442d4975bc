package api

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"doorstep/server/internal/doors"
	"doorstep/server/internal/exchange"
	"doorstep/server/internal/finalise"
	"doorstep/server/internal/reading"
	"doorstep/server/internal/wording"
	"doorstep/syncproto"
	"doorstep/syncproto/clocks"
)

// testBorough answers what exchange, finalise and the store would, from memory.
type testBorough struct {
	moreInCustody int
	mu            sync.Mutex
	syncs         []*syncproto.SyncRequest // guarded by mu
	wakes         map[syncproto.UserID][]chan struct{}
	ready         error
	err           error                        // what every workflow step answers
	hook          func(*syncproto.SyncRequest) // runs inside Sync
	views         map[syncproto.RecordID]*syncproto.View
	owner         syncproto.UserID
	steps         []any
}

var errStrange = errors.New("disk /dev/sda1 has a strange smell")

func newTestBorough() *testBorough {
	return &testBorough{wakes: map[syncproto.UserID][]chan struct{}{}, views: map[syncproto.RecordID]*syncproto.View{}}
}

func (b *testBorough) Epoch() syncproto.Epoch { return syncproto.Epoch{0xE0, 0xC} }

func (b *testBorough) Ready() error { return b.ready }

func (b *testBorough) Sync(_ context.Context, _ exchange.Caller, req *syncproto.SyncRequest) (*syncproto.SyncReply, error) {
	if b.hook != nil {
		b.hook(req)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return nil, b.err
	}
	b.syncs = append(b.syncs, req)
	return &syncproto.SyncReply{Version: 1, Request: req.Request, Epoch: b.Epoch(), TimeMS: 1, Cursor: []byte("c")}, nil
}

func (b *testBorough) Admit(_ context.Context, _ exchange.Caller, id syncproto.ChangeID) error {
	_, err := b.step(id)
	return err
}

func (b *testBorough) AdmitAddendum(_ context.Context, _ exchange.Caller, id syncproto.ChangeID) error {
	_, err := b.step([]any{"addendum", id})
	return err
}

func (b *testBorough) KeepAway(_ context.Context, _ exchange.Caller, id syncproto.ChangeID, reason string) error {
	_, err := b.step([]any{"keep", id, reason})
	return err
}

func (b *testBorough) stored() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.syncs)
}

func (b *testBorough) Subscribe(user syncproto.UserID) (<-chan struct{}, func(), error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ch := make(chan struct{}, 1)
	b.wakes[user] = append(b.wakes[user], ch)
	return ch, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for i, c := range b.wakes[user] {
			if c == ch {
				b.wakes[user] = append(b.wakes[user][:i], b.wakes[user][i+1:]...)
				return
			}
		}
	}, nil
}

func (b *testBorough) wake(user syncproto.UserID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ch := range b.wakes[user] {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

func (b *testBorough) subscribed(user syncproto.UserID) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.wakes[user])
}

func (b *testBorough) Families(_ context.Context, user syncproto.UserID) ([]reading.Family, error) {
	if user != b.owner {
		return nil, nil
	}
	return []reading.Family{{ID: syncproto.FamilyID{1}, Basis: []string{"LEAD"}}}, nil
}

func (b *testBorough) FamilyRecords(_ context.Context, user syncproto.UserID, _ syncproto.FamilyID) ([]reading.Record, error) {
	if user != b.owner {
		return nil, syncproto.CodeNotFound
	}
	var out []reading.Record
	for id, v := range b.views {
		out = append(out, reading.Record{ID: id, Kind: v.Kind, Sealed: v.Seal != nil})
	}
	return out, nil
}

func (b *testBorough) Record(_ context.Context, user syncproto.UserID, id syncproto.RecordID) (*syncproto.View, error) {
	v, ok := b.views[id]
	if !ok || user != b.owner {
		return nil, syncproto.CodeNotFound
	}
	return v, nil
}

func (b *testBorough) RecordAt(ctx context.Context, user syncproto.UserID, id syncproto.RecordID, heads []syncproto.ChangeID) (*syncproto.View, error) {
	v, err := b.Record(ctx, user, id)
	for _, h := range heads {
		if err == nil && !slices.Contains(v.Heads, h) {
			return nil, syncproto.CodeNotFound
		}
	}
	return v, err
}

func (b *testBorough) Attribution(ctx context.Context, user syncproto.UserID, id syncproto.RecordID, heads []syncproto.ChangeID) (*reading.Attribution, error) {
	if _, err := b.RecordAt(ctx, user, id, heads); err != nil {
		return nil, err
	}
	by := func(c byte, capture syncproto.CaptureMode) syncproto.Source {
		return syncproto.Source{Origin: syncproto.Origin{Change: syncproto.ChangeID{c}, Author: b.owner, TimeMS: 5, Capture: capture}, Seq: 1}
	}
	return &reading.Attribution{
		Attribution: &syncproto.Attribution{Record: id, Heads: heads,
			Sources: []syncproto.Source{by(1, syncproto.CaptureTyped), by(2, syncproto.CaptureDictated)},
			Texts: []syncproto.TextAuthors{{Path: syncproto.Path{Field: "summary"}, Text: "Zoë ran",
				Spans:   []syncproto.AuthoredSpan{{Start: 0, End: 4, By: 0}, {Start: 4, End: 7, By: 1}},
				Deleted: []syncproto.DeletedSpan{{At: 4, Text: "walked", By: 0, DeletedBy: []int32{1}}}}}},
		Received: []reading.Received{{Device: syncproto.DeviceID{9}, AtMS: 7}, {Device: syncproto.DeviceID{9}, AtMS: 8, ClockWrong: true}},
	}, nil
}

func (b *testBorough) History(_ context.Context, user syncproto.UserID, id syncproto.RecordID) ([]reading.HistoryItem, error) {
	if _, ok := b.views[id]; !ok || user != b.owner {
		return nil, syncproto.CodeNotFound
	}
	body := syncproto.Body{Author: b.owner, TimeMS: 1764000000000, OffsetMin: 60, Capture: syncproto.CapturePen,
		Deps: []syncproto.ChangeID{{7}}, Ops: sampleOps()}
	return []reading.HistoryItem{{Change: &syncproto.Change{ID: syncproto.ChangeID{1}, Body: body}, Device: syncproto.DeviceID{9},
		Status: syncproto.StatusLate, Code: syncproto.CodeLate, Position: 12, ReceivedMS: 1764000001000}}, nil
}

func (b *testBorough) Due(_ context.Context, user syncproto.UserID) ([]reading.ChildDue, error) {
	return []reading.ChildDue{{Family: syncproto.FamilyID{1}, Child: syncproto.RecordID{2}, Failed: clocks.Date(2026, 5, 1),
		SeeBy: clocks.Date(2026, 5, 11), UnseenBySocialWork: true, Visits: []clocks.Due{{Visit: "CLA", On: clocks.Date(2026, 6, 14),
			Basis: "Reg 28(2)(b)", Every: clocks.Every(6, clocks.Weeks), From: clocks.Date(2026, 5, 3), Last: clocks.Date(2026, 5, 3), Alone: true}}}}, nil
}

func (b *testBorough) FamilyDue(ctx context.Context, user syncproto.UserID, family syncproto.FamilyID) ([]reading.ChildDue, error) {
	if user != b.owner {
		return nil, syncproto.CodeNotFound
	}
	return b.Due(ctx, user)
}

func (b *testBorough) Elsewhere(syncproto.UserID) []reading.Elsewhere { return nil }

func (b *testBorough) Colleagues(syncproto.UserID) []syncproto.UserID {
	return []syncproto.UserID{b.owner}
}

func (b *testBorough) Names() wording.Names {
	return wording.Names{Kinds: map[string]string{"plan": "keeping-safe plan"}}
}

func (b *testBorough) Tablets([]syncproto.UserID) map[syncproto.DeviceID]string {
	return map[syncproto.DeviceID]string{{9}: "Tablet 9"}
}

func (b *testBorough) Custody(_ context.Context, user syncproto.UserID) ([]reading.InCustody, error) {
	list := []reading.InCustody{b.inCustody(user)}
	for n := range b.moreInCustody {
		more := b.inCustody(user)
		more.Change[0], more.Change[1], more.Change[2] = byte(n>>8), byte(n), 1
		list = append(list, more)
	}
	return list, nil
}

func (b *testBorough) inCustody(user syncproto.UserID) reading.InCustody {
	return reading.InCustody{Change: syncproto.ChangeID{1}, Family: syncproto.FamilyID{1}, Record: syncproto.RecordID{2}, Kind: "visit",
		Author: b.owner, Device: syncproto.DeviceID{9}, Code: syncproto.CodeKeptAway, ReceivedMS: 5, Bytes: 700,
		MayReview: user == b.owner, ReviewedBy: b.owner, ReviewedMS: 6}
}

func (b *testBorough) CustodyWords(_ context.Context, user syncproto.UserID, id syncproto.ChangeID) (reading.Words, error) {
	if user != b.owner || id != (syncproto.ChangeID{1}) {
		return reading.Words{}, syncproto.CodeNotFound
	}
	return reading.Words{InCustody: b.inCustody(user), Ops: sampleOps(), Reason: "not hers to write"}, nil
}

func (b *testBorough) Name(u syncproto.UserID) string { return "Name " + u.String()[:4] }

func (b *testBorough) step(in any) (syncproto.ChangeID, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return syncproto.ChangeID{}, b.err
	}
	b.steps = append(b.steps, in)
	return syncproto.ChangeID{0xCC}, nil
}

func (b *testBorough) HandOver(_ context.Context, _ finalise.Caller, in finalise.HandOver) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Confirm(_ context.Context, _ finalise.Caller, in finalise.Confirm) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Query(_ context.Context, _ finalise.Caller, in finalise.Query) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Answer(_ context.Context, _ finalise.Caller, in finalise.Answer) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Decide(_ context.Context, _ finalise.Caller, in finalise.Decide) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Finalise(_ context.Context, _ finalise.Caller, in finalise.Finalise) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Addendum(_ context.Context, _ finalise.Caller, in finalise.Addendum) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Correct(_ context.Context, _ finalise.Caller, in finalise.Correct) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Edit(_ context.Context, _ finalise.Caller, in finalise.Edit) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Propose(_ context.Context, _ finalise.Caller, in finalise.Propose) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) TypeUp(_ context.Context, _ finalise.Caller, in finalise.TypeUp) (syncproto.RecordID, error) {
	_, err := b.step(in)
	return syncproto.RecordID{1}, err
}

func (b *testBorough) Misfile(_ context.Context, _ finalise.Caller, in finalise.Misfile) (syncproto.RecordID, error) {
	_, err := b.step(in)
	return syncproto.RecordID{1}, err
}

func (b *testBorough) Fill(_ context.Context, _ finalise.Caller, in finalise.Fill) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Enter(_ context.Context, _ finalise.Caller, in finalise.Enter) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Rectify(_ context.Context, _ finalise.Caller, in finalise.Rectify) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Chase(context.Context, syncproto.UserID) ([]reading.Chased, error) {
	return []reading.Chased{{What: reading.ChaseQuery, Family: syncproto.FamilyID{1}, Record: syncproto.RecordID{2}, Whom: b.owner, SinceMS: 5, By: clocks.NoDay},
		{What: reading.ChaseTablet, Family: syncproto.FamilyID{1}, Device: syncproto.DeviceID{3}, By: clocks.Date(2026, 5, 3), Overdue: true}}, nil
}

func (b *testBorough) AcceptLate(_ context.Context, _ finalise.Caller, in finalise.AcceptLate) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Lease(_ context.Context, c finalise.Caller, r syncproto.RecordID) (finalise.Lease, error) {
	_, err := b.step(r)
	return finalise.Lease{User: c.User, Until: time.UnixMilli(9)}, err
}

func (b *testBorough) Release(_ context.Context, _ finalise.Caller, r syncproto.RecordID) error {
	_, err := b.step(r)
	return err
}

func (b *testBorough) Checklist(context.Context, finalise.Caller, syncproto.RecordID) ([]finalise.Detail, error) {
	return []finalise.Detail{{Record: syncproto.RecordID{2}, Code: syncproto.CodeOpenQuery}}, nil
}

func (b *testBorough) Queue(context.Context, finalise.Caller) ([]finalise.Item, error) {
	return []finalise.Item{{Record: syncproto.RecordID{2}, Family: syncproto.FamilyID{1}, Kind: "visit", State: finalise.StateQuery,
		HandedOverBy: b.owner, HandedOverMS: 4, Conflicts: 1, OpenQueries: 2, LeasedTo: b.owner, LeasedUntil: time.UnixMilli(7),
		Blocks: []finalise.Detail{{Code: syncproto.CodeOpenQuery, Plain: "Ali has not answered yet."}}}}, nil
}

func (b *testBorough) Search(context.Context, syncproto.UserID, string) ([]reading.Hit, int, error) {
	return []reading.Hit{{Record: syncproto.RecordID{2}, Family: syncproto.FamilyID{1}, Kind: "visit"}}, 1, nil
}

func (b *testBorough) Explain(context.Context, finalise.Caller, []finalise.Item) error { return nil }

func (b *testBorough) Final(ctx context.Context, c finalise.Caller) ([]finalise.Item, error) {
	return b.Queue(ctx, c)
}

// The doors of a borough from memory: every act is a step.
func (b *testBorough) Of(context.Context, syncproto.UserID, syncproto.FamilyID) (doors.Doors, error) {
	return doors.Doors{Relations: []doors.Relation{{User: b.owner, Basis: "LEAD"}}, Restrictions: []doors.Shut{{Category: "STAFF"}}}, b.err
}

func (b *testBorough) Give(_ context.Context, _ syncproto.UserID, g doors.Grant) (syncproto.ID, error) {
	_, err := b.step(g)
	return syncproto.ID{7}, err
}

func (b *testBorough) Withdraw(_ context.Context, _ syncproto.UserID, id syncproto.ID, _ string) error {
	_, err := b.step(id)
	return err
}

func (b *testBorough) Restrict(_ context.Context, _ syncproto.UserID, r doors.Restriction) error {
	_, err := b.step(r)
	return err
}

func (b *testBorough) Lift(_ context.Context, _ syncproto.UserID, _ syncproto.FamilyID, category, _ string) error {
	_, err := b.step(category)
	return err
}

func (b *testBorough) Restrictions(context.Context, syncproto.UserID) []doors.Shut {
	return []doors.Shut{{Category: "REVIEW"}}
}

func (b *testBorough) Open(_ context.Context, user syncproto.UserID, o doors.Opening) (doors.Emergency, error) {
	_, err := b.step(o)
	return doors.Emergency{User: user, Family: o.Family, Code: o.Code}, err
}

func (b *testBorough) Openings(context.Context, syncproto.UserID) []doors.Emergency {
	return []doors.Emergency{{User: b.owner}}
}

func (b *testBorough) Review(_ context.Context, _ syncproto.UserID, id syncproto.ID, _, _ string) error {
	_, err := b.step(id)
	return err
}

func (b *testBorough) Counts(context.Context, syncproto.UserID) ([]doors.Count, error) {
	return []doors.Count{{Month: "2026-11", Code: "OTHER", Opened: 1}}, b.err
}
