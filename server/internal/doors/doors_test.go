package doors_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"testing"
	"time"

	"doorstep/server/internal/disk/disktest"
	"doorstep/server/internal/doors"
	"doorstep/server/internal/exchange"
	"doorstep/server/internal/keyring"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/backing"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
)

// The people of the tests, and the family of team east that they meet about.
var (
	family    = syncproto.FamilyID{1}
	elsewhere = syncproto.FamilyID{2}
	lead      = syncproto.UserID{1}
	mate      = syncproto.UserID{2} // a social worker of the same team
	clinician = syncproto.UserID{3}
	manager   = syncproto.UserID{4}
	other     = syncproto.UserID{5} // manages the other team
	duty      = syncproto.UserID{6}
	officer   = syncproto.UserID{7}
	second    = syncproto.UserID{8} // another officer
	auditor   = syncproto.UserID{9}
	analyst   = syncproto.UserID{10}
)

type world struct {
	t     *testing.T
	b     *storetest.Borough
	cfg   doors.Config
	doors *doors.Service
	now   time.Time
	woken []syncproto.UserID
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, b: storetest.Open(t), now: time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)}
	ledger := exchange.NewLedger(exchange.LedgerConfig{
		Journal: w.b.Journal, Store: w.b.Store, Log: w.b.Log, Now: func() time.Time { return w.now },
		OnFatal: func(err error) { t.Errorf("the ledger failed: %v", err) },
	})
	t.Cleanup(ledger.Close)
	w.cfg = doors.Config{Ledger: ledger, Store: w.b.Store, Keys: w.b.Keys, Now: func() time.Time { return w.now }, Random: rand.Reader,
		Wake: func(users []syncproto.UserID) { w.woken = append(w.woken, users...) }}
	w.doors = doors.New(w.cfg)
	east, west := store.TeamID{1}, store.TeamID{2}
	user := func(id syncproto.UserID, role string) store.Entry {
		return store.UserEntry{ID: id, Login: id.String(), Name: role, Role: role}
	}
	_, err := ledger.Propose(context.Background(), func(*store.Tx) ([]store.Entry, error) {
		return []store.Entry{
			user(lead, "social_worker"), user(mate, "social_worker"), user(clinician, "clinician"), user(manager, "manager"),
			user(other, "manager"), user(duty, "edt"), user(officer, "ig_officer"), user(second, "ig_officer"),
			user(auditor, "auditor"), user(analyst, "analyst"),
			store.FamilyTeamEntry{Family: family, Team: east}, store.FamilyTeamEntry{Family: elsewhere, Team: west},
			store.RefEntry{Kind: "family", Ref: "F-1", ID: syncproto.ID(family)},
			store.TeamEntry{User: manager, Team: east, Basis: "MANAGER", Grant: true},
			store.TeamEntry{User: mate, Team: east, Basis: "TEAM", Grant: true},
			store.TeamEntry{User: other, Team: west, Basis: "MANAGER", Grant: true},
			store.RelationEntry{User: lead, Family: family, Basis: "LEAD", Grant: true},
		}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) in(d time.Duration) int64 { return w.now.Add(d).UnixMilli() }

func (w *world) give(by, to syncproto.UserID, basis string, until time.Duration) (syncproto.ID, error) {
	return w.doors.Give(context.Background(), by, doors.Grant{User: to, Family: family, Basis: basis, ToMS: w.in(until), Reason: "a reason"})
}

func (w *world) bases(user syncproto.UserID) []string {
	return w.b.Store.State().BasisOf(user, family, w.now.UnixMilli())
}

func (w *world) held(user syncproto.UserID) bool {
	h, _ := w.b.Store.State().Access(user, w.now.UnixMilli()).Holding(family)
	return h.Held()
}

func (w *world) wants(err error, code syncproto.Code, what string) {
	w.t.Helper()
	if !errors.Is(err, code) {
		w.t.Errorf("%s: got %v, want %v", what, err, code)
	}
	var refusal *doors.Refusal
	if errors.As(err, &refusal) && refusal.Plain == "" {
		w.t.Errorf("%s: refused without words", what)
	}
}

const day = 24 * time.Hour

func TestAGrantHoldsFromItsDayUntilItsDay(t *testing.T) {
	w := newWorld(t)
	id, err := w.doors.Give(context.Background(), manager, doors.Grant{
		User: clinician, Family: family, Basis: "CONSULT", FromMS: w.in(2 * day), ToMS: w.in(9 * day), Reason: "the mother asked for it"})
	if err != nil {
		t.Fatal(err)
	}
	if len(w.bases(clinician)) != 0 || w.held(clinician) {
		t.Error("it holds before its day")
	}
	state := w.b.Store.State()
	if at, ok := state.NextTurn(clinician, w.now.UnixMilli()); !ok || at != w.in(2*day) {
		t.Errorf("the next turn is at %d, %v", at, ok)
	}
	w.now = w.now.Add(2 * day)
	if !slices.Equal(w.bases(clinician), []string{"CONSULT"}) || !w.held(clinician) {
		t.Error("it does not hold on its day")
	}
	if at, ok := state.NextTurn(clinician, w.now.UnixMilli()); !ok || at != w.in(7*day) {
		t.Errorf("the next turn is at %d, %v", at, ok)
	}
	w.now = w.now.Add(7 * day)
	if len(w.bases(clinician)) != 0 || w.held(clinician) {
		t.Error("it holds after its end, though no entry ended it")
	}
	if _, ok := state.NextTurn(clinician, w.now.UnixMilli()); ok {
		t.Error("a turn is still to come")
	}
	w.now = w.now.Add(-time.Millisecond)
	if len(w.bases(clinician)) != 1 {
		t.Error("a moment before its end it does not hold")
	}
	if err := w.doors.Withdraw(context.Background(), manager, id, "done"); err != nil || len(w.bases(clinician)) != 0 {
		t.Errorf("withdrawn: %v, %v", err, w.bases(clinician))
	}
}

func TestWhoMayGiveWhat(t *testing.T) {
	w := newWorld(t)
	cases := []struct {
		name  string
		by    syncproto.UserID
		to    syncproto.UserID
		basis string
		until time.Duration
		want  syncproto.Code
	}{
		{"a consultation by the manager", manager, clinician, "CONSULT", 30 * day, syncproto.CodeOK},
		{"cover by the manager", manager, mate, "COVER", 30 * day, syncproto.CodeOK},
		{"a consultation by another team's manager", other, clinician, "CONSULT", day, syncproto.CodeNotFound},
		{"a consultation by the lead worker", lead, clinician, "CONSULT", day, syncproto.CodeNotFound},
		{"a sample by the manager", manager, auditor, "SAMPLE", day, syncproto.CodeNotFound},
		{"a sample by governance", officer, auditor, "SAMPLE", 30 * day, syncproto.CodeOK},
		{"a request by governance to itself", officer, officer, "REQUEST", day, syncproto.CodeForbidden},
		{"a request by governance to a colleague", officer, second, "REQUEST", 30 * day, syncproto.CodeOK},
		{"a consultation to an auditor", manager, auditor, "CONSULT", day, syncproto.CodeBadValue},
		{"without an end", manager, clinician, "CONSULT", -1000 * day, syncproto.CodeBadValue},
		{"for too long", manager, clinician, "CONSULT", 400 * day, syncproto.CodeBadValue},
		{"let in for too long", officer, lead, "NAMED", 91 * day, syncproto.CodeBadValue},
		{"to nobody", manager, syncproto.UserID{99}, "CONSULT", day, syncproto.CodeBadValue},
		{"what only an allocation gives", manager, mate, "LEAD", day, syncproto.CodeNotFound},
		{"in an emergency", officer, mate, "BREAK_GLASS", day, syncproto.CodeNotFound},
	}
	for _, c := range cases {
		_, err := w.give(c.by, c.to, c.basis, c.until)
		if c.want == syncproto.CodeOK {
			if err != nil || !slices.Contains(w.bases(c.to), c.basis) {
				t.Errorf("%s: %v, %v", c.name, err, w.bases(c.to))
			}
			continue
		}
		w.wants(err, c.want, c.name)
	}
	_, err := w.doors.Give(context.Background(), manager, doors.Grant{User: clinician, Family: family, Basis: "JOINT", ToMS: w.in(day)})
	w.wants(err, syncproto.CodeBadValue, "without a reason")
	w.wants(w.doors.Withdraw(context.Background(), manager, syncproto.ID{}, "why"), syncproto.CodeNotFound, "an allocation")
}

func TestWhoIsKeptOutStaysOut(t *testing.T) {
	w := newWorld(t)
	if _, err := w.doors.Give(context.Background(), manager, doors.Grant{User: lead, Family: family, Basis: "DENIED", Reason: "a neighbour"}); err != nil {
		t.Fatal(err)
	}
	if len(w.bases(lead)) != 0 || w.held(lead) {
		t.Error("the lead worker is kept out and is in")
	}
	_, err := w.give(manager, lead, "COVER", day)
	w.wants(err, syncproto.CodeForbidden, "a grant to who is kept out")
	_, err = w.doors.Open(context.Background(), lead, doors.Opening{Reference: "F-1", Code: "OTHER", Text: "let me see"})
	w.wants(err, syncproto.CodeForbidden, "an emergency of who is kept out")
}

func TestRestrictionShutsTheFile(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	restrict := func(by syncproto.UserID, category string, review time.Duration) error {
		return w.doors.Restrict(ctx, by, doors.Restriction{Family: family, Category: category, Reason: "of a colleague", ReviewMS: w.in(review)})
	}
	w.wants(restrict(manager, "STAFF", 91*day), syncproto.CodeBadValue, "a review after 90 days")
	w.wants(restrict(manager, "SECRET", day), syncproto.CodeBadValue, "an unknown category")
	w.wants(restrict(lead, "STAFF", day), syncproto.CodeNotFound, "by the lead worker")
	if !w.held(lead) {
		t.Fatal("the lead worker holds nothing to begin with")
	}
	if err := restrict(manager, "STAFF", 90*day); err != nil {
		t.Fatal(err)
	}
	if s := w.b.Store.State().StandingOf(lead, family, w.now.UnixMilli()); !s.Restricted || s.Named || w.held(lead) {
		t.Errorf("restricted: %+v, on tablets %v", s, w.held(lead))
	}
	w.wants(w.doors.Lift(ctx, manager, family, "STAFF", "over"), syncproto.CodeNotFound, "lifted by a manager who was not let in")
	if _, err := w.give(officer, lead, "NAMED", 30*day); err != nil {
		t.Fatal(err)
	}
	if s := w.b.Store.State().StandingOf(lead, family, w.now.UnixMilli()); !s.Named || w.held(lead) {
		t.Errorf("let in: %+v, on tablets %v", s, w.held(lead))
	}
	w.now = w.now.Add(100 * day)
	list := w.doors.Restrictions(ctx, officer)
	if len(list) != 1 || list[0].ReviewMS >= w.now.UnixMilli() {
		t.Errorf("an overdue restriction is gone, or not known to be: %+v", list)
	}
	if s := w.b.Store.State().StandingOf(lead, family, w.now.UnixMilli()); !s.Restricted || s.Named {
		t.Errorf("after the review was due: %+v", s)
	}
	if err := w.doors.Lift(ctx, officer, family, "STAFF", "left the council"); err != nil || !w.held(lead) {
		t.Errorf("lifted: %v, on tablets %v", err, w.held(lead))
	}
}

func TestEmergencyOpening(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	o := doors.Opening{Reference: "F-1", Code: "OUT_OF_HOURS_CALL", Text: "the police are at the door"}
	_, err := w.doors.Open(ctx, analyst, o)
	w.wants(err, syncproto.CodeForbidden, "an analyst")
	_, err = w.doors.Open(ctx, duty, doors.Opening{Reference: "F-9", Code: "OTHER", Text: "x"})
	w.wants(err, syncproto.CodeNotFound, "no such family")
	_, err = w.doors.Open(ctx, duty, doors.Opening{Reference: "F-1", Code: "CURIOUS", Text: "x"})
	w.wants(err, syncproto.CodeBadValue, "no such reason")
	_, err = w.doors.Open(ctx, duty, doors.Opening{Reference: "F-1", Code: "OTHER"})
	w.wants(err, syncproto.CodeBadValue, "without words")
	if len(w.woken) != 0 {
		t.Error("people were told of an opening that was refused")
	}
	e, err := w.doors.Open(ctx, duty, o)
	if err != nil {
		t.Fatal(err)
	}
	if e.ToMS-e.FromMS != (8*time.Hour).Milliseconds() || !slices.Equal(w.bases(duty), []string{"BREAK_GLASS"}) || w.held(duty) {
		t.Errorf("opening %+v, bases %v, on tablets %v", e, w.bases(duty), w.held(duty))
	}
	for _, who := range []syncproto.UserID{lead, manager, officer, second, auditor} {
		if !slices.Contains(w.woken, who) {
			t.Errorf("%x was not told", who[:1])
		}
	}
	if slices.Contains(w.woken, other) || slices.Contains(w.woken, analyst) || slices.Contains(w.woken, clinician) {
		t.Errorf("told whom it does not concern: %v", w.woken)
	}
	if again, err := w.doors.Open(ctx, duty, o); err != nil || again.ID != e.ID {
		t.Errorf("opened again: %v, another opening %v", err, again.ID != e.ID)
	}
	w.checkReview(e)
}

func (w *world) checkReview(e store.BreakGlassEntry) {
	w.t.Helper()
	ctx := context.Background()
	seen := w.doors.Openings(ctx, lead)
	if len(seen) != 1 || seen[0].Text != "" {
		w.t.Errorf("the lead worker sees %+v", seen)
	}
	if seen := w.doors.Openings(ctx, manager); len(seen) != 1 || seen[0].Text == "" {
		w.t.Errorf("the manager sees %+v", seen)
	}
	if seen := w.doors.Openings(ctx, other); len(seen) != 0 {
		w.t.Errorf("another team's manager sees %+v", seen)
	}
	w.wants(w.doors.Review(ctx, duty, e.ID, "JUSTIFIED", "I was right"), syncproto.CodeForbidden, "one's own review")
	w.wants(w.doors.Review(ctx, lead, e.ID, "JUSTIFIED", "fine"), syncproto.CodeForbidden, "the lead worker's review")
	w.wants(w.doors.Review(ctx, other, e.ID, "JUSTIFIED", "fine"), syncproto.CodeNotFound, "another team's manager's review")
	w.wants(w.doors.Review(ctx, manager, e.ID, "FINE", "fine"), syncproto.CodeBadValue, "an unknown finding")
	if err := w.doors.Review(ctx, manager, e.ID, "NOT_JUSTIFIED", "there was no call"); err != nil {
		w.t.Fatal(err)
	}
	if len(w.bases(duty)) != 0 {
		w.t.Error("closed, and still open")
	}
	w.wants(w.doors.Review(ctx, officer, e.ID, "JUSTIFIED", "fine"), syncproto.CodeFinal, "a second review")
	counts, err := w.doors.Counts(ctx, officer)
	if err != nil || len(counts) != 1 || counts[0] != (doors.Count{Month: "2026-11", Code: "OUT_OF_HOURS_CALL", Opened: 1, NotJustified: 1}) {
		w.t.Errorf("counts: %+v, %v", counts, err)
	}
	_, err = w.doors.Counts(ctx, manager)
	w.wants(err, syncproto.CodeForbidden, "a manager's count of the borough")
}

func TestAnEmergencyEndsByTheClock(t *testing.T) {
	w := newWorld(t)
	if _, err := w.doors.Open(context.Background(), mate, doors.Opening{Family: elsewhere, Code: "HOSPITAL", Text: "brought in hurt"}); err != nil {
		t.Fatal(err)
	}
	at := func(after time.Duration) []string {
		return w.b.Store.State().BasisOf(mate, elsewhere, w.in(after))
	}
	if len(at(8*time.Hour-time.Millisecond)) != 1 || len(at(8*time.Hour)) != 0 {
		t.Errorf("after eight hours: %v, %v", at(8*time.Hour-time.Millisecond), at(8*time.Hour))
	}
	w.b.Reopen()
	if len(at(0)) != 1 || len(at(8*time.Hour)) != 0 {
		t.Error("a restart changed what is open")
	}
}

func TestWhatAnEmergencyDoesNotOpen(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	open := func(by syncproto.UserID) error {
		_, err := w.doors.Open(ctx, by, doors.Opening{Reference: "F-1", Code: "CHILD_AT_RISK", Text: "now"})
		return err
	}
	restrict := func(category string) {
		t.Helper()
		err := w.doors.Restrict(ctx, officer, doors.Restriction{Family: family, Category: category, Reason: "why", ReviewMS: w.in(day)})
		if err != nil {
			t.Fatal(err)
		}
	}
	restrict("HIGH_RISK")
	w.wants(open(mate), syncproto.CodeForbidden, "a restricted file, by a social worker")
	if err := open(duty); err != nil {
		t.Errorf("a restricted file, by emergency duty: %v", err)
	}
	restrict("ADOPTION")
	w.now = w.now.Add(9 * time.Hour)
	w.wants(open(duty), syncproto.CodeForbidden, "the file from before an adoption")
}

// On a full disk no key can be made for what people type about a family: they are told
// that there is no room, and the server goes on.
func TestFault79NoRoomForTheKeyOfWhatIsTyped(t *testing.T) {
	w := newWorld(t)
	d := disktest.New(1)
	ring, err := keyring.Load("keys", keyring.Key{2}, keyring.Options{Create: true, FS: d})
	if err != nil {
		t.Fatal(err)
	}
	if w.cfg.Keys, err = backing.NewKeys(ring, func(err error) { t.Errorf("the server would have ended: %v", err) }); err != nil {
		t.Fatal(err)
	}
	w.doors = doors.New(w.cfg)
	d.SetCapacity(1)
	_, err = w.give(manager, clinician, "CONSULT", day)
	w.wants(err, syncproto.CodeDiskFull, "a grant on a full disk")
	if len(w.bases(clinician)) != 0 {
		t.Error("it was refused, and it holds")
	}
	if err := ring.Close(); err != nil {
		t.Error(err)
	}
}
