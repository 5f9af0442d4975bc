package sim

import (
	"flag"
	"testing"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

var (
	sessions   = flag.Int("sessions", 300, "losses of access that TestAccessComesAndGoes lives through")
	accessSeed = flag.Uint64("access-seed", 1, "seed that TestAccessComesAndGoes begins with")
)

// A session here is a stretch of somebody's access that ends: by an entry, by the
// clock, by a denial, by a restriction of the file, with a person's account or with a
// device.

// tenure is what the test knows of one person and one family, by itself.
type tenure struct {
	granted bool
	untilMS int64 // 0: no end
	denied  bool
}

// seat is one person's store on one device.
type seat struct {
	device syncproto.DeviceID
	user   syncproto.UserID
}

// file is what a seat was given of a family, and when it had to let go of it.
type file struct {
	held   bool   // now, as far as the test knows
	lost   uint64 // position of the journal's head when it was lost last
	lostMS int64
	given  bool // content of it was handed out since the grant
	ever   bool
}

// lives is a world in which access comes and goes, and what must be so of it.
type lives struct {
	*world
	tenures  map[holding]*tenure
	disabled map[syncproto.UserID]bool
	shut     map[syncproto.FamilyID]bool // restricted, and nobody was let in
	gone     map[syncproto.DeviceID]bool
	files    map[seat]map[syncproto.FamilyID]*file
	devices  byte
	ended    int // sessions
}

func newLives(t *testing.T, seed uint64) *lives {
	l := &lives{
		world: newWorld(t, seed), tenures: map[holding]*tenure{}, disabled: map[syncproto.UserID]bool{},
		shut: map[syncproto.FamilyID]bool{},
		gone: map[syncproto.DeviceID]bool{}, files: map[seat]map[syncproto.FamilyID]*file{},
	}
	l.tablets = l.tablets[:5] // nobody on duty
	for _, x := range l.tablets {
		for _, family := range l.families {
			l.tenures[holding{x.user, family}] = &tenure{granted: l.mayHold(x.user, family)}
		}
	}
	l.watch = l.checkSession
	l.note()
	return l
}

func (l *lives) must(e store.Entry) {
	if !l.borough.propose(e) {
		l.failf("the borough does not take an entry")
	}
}

func (l *lives) held(x *tablet, family syncproto.FamilyID) bool {
	t := l.tenures[holding{x.user, family}]
	return t.granted && !t.denied && !l.shut[family] && !l.disabled[x.user] && !l.gone[x.device] && (t.untilMS == 0 || l.clockMS < t.untilMS)
}

func (l *lives) file(x *tablet, family syncproto.FamilyID) *file {
	s := seat{x.device, x.user}
	if l.files[s] == nil {
		l.files[s] = map[syncproto.FamilyID]*file{}
	}
	if l.files[s][family] == nil {
		l.files[s][family] = &file{}
	}
	return l.files[s][family]
}

// note brings what the test knows up to this moment, and counts what has ended.
func (l *lives) note() {
	head := l.borough.store.State().Head()
	for _, x := range l.tablets {
		for _, family := range l.families {
			f, now := l.file(x, family), l.held(x, family)
			if f.held && !now {
				f.lost, f.lostMS = head, l.clockMS
				if end := l.tenures[holding{x.user, family}].untilMS; end != 0 {
					f.lostMS = min(f.lostMS, end) // it was the clock, maybe some time ago
				}
				l.ended++
			}
			f.held = now
		}
	}
}

// checkSession checks, with each reply, that no word goes down to who may not hold
// it, and that no word becomes part of a record that came up from such a one.
func (l *lives) checkSession(x *tablet, reply *syncproto.SyncReply) {
	for _, r := range reply.Receipts {
		ref, err := l.borough.store.Change(r.Change)
		if err != nil {
			continue // not stored: the device keeps it
		}
		_, before := l.acked[r.Change]
		if counts := r.Status == syncproto.StatusAccepted || r.Status == syncproto.StatusLate; counts && !before && !l.held(x, ref.Family) {
			l.failf("tablet %x has no access to family %x, and its change %s became part of a record", x.device[:1], ref.Family[:1], r.Change)
		}
		l.count["sent "+statusNames[r.Status]]++
	}
	for _, item := range reply.Items {
		if item.Type != syncproto.ItemChange {
			continue
		}
		c, err := syncproto.DecodeChange(item.Prev, item.Body)
		if err != nil {
			l.failf("the server handed out what cannot be read: %v", err)
		}
		if !l.held(x, c.Body.Family) {
			l.failf("tablet %x was sent a change of family %x after its access had ended", x.device[:1], c.Body.Family[:1])
		}
		f := l.file(x, c.Body.Family)
		f.given, f.ever = true, true
	}
	if l.gone[x.device] {
		for _, item := range reply.Items {
			own := item.Type == syncproto.ItemVerdict && x.wrote[item.Verdict.Change] && item.Verdict.Record == (syncproto.RecordID{})
			if !own && (item.Type != syncproto.ItemPurge || !item.Family.IsZero()) {
				l.failf("to the revoked tablet %x went an item of type %d", x.device[:1], item.Type)
			}
		}
	}
}

func (l *lives) oneStep() {
	x := l.tablets[l.rng.IntN(len(l.tablets))]
	switch n := l.rng.IntN(100); {
	case n < 38:
		x.act()
	case n < 58:
		x.sync()
	case n < 84:
		l.network()
	case n < 87:
		x.crashAt = l.rng.IntN(6)
	case n < 97:
		l.change(x, l.families[l.rng.IntN(len(l.families))])
	case n < 98:
		l.clockMS += l.rng.Int64N(600_000)
	default:
		l.borough.crash(l.rng.IntN(2) == 0)
		l.borough.start()
		l.count["server crashes"]++
		l.checkAcked()
	}
	l.note()
}

// change gives or takes access in one of the ways there are.
func (l *lives) change(x *tablet, family syncproto.FamilyID) {
	t := l.tenures[holding{x.user, family}]
	relation := store.RelationEntry{User: x.user, Family: family, Basis: "LEAD", Grant: true}
	switch n := l.rng.IntN(21); {
	case n == 20:
		l.shut[family] = !l.shut[family]
		l.must(store.RestrictionEntry{Family: family, Category: store.RestrictStaff, On: l.shut[family],
			AtMS: l.clockMS, ReviewMS: l.clockMS + 86_400_000})
		l.count["restrictions"]++
	case n < 6 && t.granted:
		t.granted, relation.Grant = false, false
		l.must(relation)
	case n < 9:
		t.granted, t.untilMS = true, l.clockMS+1+l.rng.Int64N(300_000)
		relation.ToMS = t.untilMS
		l.must(relation)
	case n < 15:
		t.granted, t.untilMS = true, 0
		l.must(relation)
	case n < 17:
		t.denied = !t.denied
		l.must(store.RelationEntry{User: x.user, Family: family, Basis: "DENIED", Grant: t.denied})
	case n < 19:
		l.disabled[x.user] = !l.disabled[x.user]
		u, _ := l.borough.store.State().User(x.user)
		u.Disabled = l.disabled[x.user]
		l.must(u)
	case !l.gone[x.device] && len(l.tablets) < 9:
		l.revoke(x)
	}
	l.log("access of worker %x to family %x: %+v", x.user[:1], family[:1], *t)
}

// revoke withdraws a device; its person gets another.
func (l *lives) revoke(x *tablet) {
	d, _ := l.borough.store.State().Device(x.device)
	d.RevokedMS = l.clockMS
	l.must(d)
	l.gone[x.device] = true
	l.count["devices revoked"]++
	l.devices++
	next := syncproto.DeviceID{0xe0 + l.devices}
	l.must(store.DeviceEntry{ID: next, Key: publicKey(next), Users: []syncproto.UserID{x.user}, EnrolledMS: l.clockMS})
	l.tablets = append(l.tablets, newTablet(l.world, x.user, next))
}

func (l *lives) live(steps int) {
	for l.step = 0; l.step < steps; l.step++ {
		l.clockMS += int64(l.rng.IntN(4000))
		l.oneStep()
	}
	l.calm()
	l.note()
	l.calm() // what the clock ended meanwhile
	l.checkEnd()
	l.borough.stop()
}

// checkEnd checks what must hold once everybody was heard of.
func (l *lives) checkEnd() {
	l.checkAcked()
	receipts := l.receipts()
	for _, x := range l.tablets {
		l.checkWritten(x)
		l.checkKept(x)
		for _, family := range l.families {
			if l.held(x, family) {
				l.checkSame(x, family)
				continue
			}
			if n := len(x.engine.Records(family)); n > 0 {
				l.failf("tablet %x still shows %d records of family %x", x.device[:1], n, family[:1])
			}
			l.checkGone(x, family)
			l.checkReceipt(x, family, receipts)
		}
		acc := l.borough.store.State().Access(x.user, l.clockMS)
		if owed := l.borough.store.State().PurgesOwed(syncproto.Epoch(l.borough.journal.Epoch()), x.device, acc); len(owed) > 0 {
			l.failf("tablet %x still owes %v", x.device[:1], owed)
		}
	}
}

// checkKept checks that every word that a tablet sent is there to be read: in its
// record, or in custody for a reviewer.
func (l *lives) checkKept(x *tablet) {
	err := l.borough.store.Read(func(r *store.Reader) error {
		for _, id := range sortedKeys(x.wrote) {
			ref, err := r.Change(id)
			if err != nil {
				return err
			}
			if ref.Status == syncproto.StatusRefused {
				l.failf("change %s of tablet %x was refused with %v: nobody can read it", id, x.device[:1], ref.Code)
			}
			if c, err := r.Content(ref.Position); err != nil || c.ID != id {
				l.failf("change %s of tablet %x is %s and cannot be read: %v", id, x.device[:1], statusNames[ref.Status], err)
			}
			l.count["kept "+statusNames[ref.Status]]++
		}
		return nil
	})
	if err != nil {
		l.failf("looking for what tablet %x wrote: %v", x.device[:1], err)
	}
}

// checkGone checks that no row of a tablet holds anything of a family.
func (l *lives) checkGone(x *tablet, family syncproto.FamilyID) {
	for k := range x.rows {
		content := k[0] == 'c' || k[0] == 'd' || k[0] == 'v' || k[0] == 'x'
		if content && len(k) > 17 && k[1:17] == string(family[:]) {
			l.failf("tablet %x still has a row of kind %c of family %x", x.device[:1], k[0], family[:1])
		}
	}
}

// receipts reads all purge receipts from the journal and checks their signatures.
func (l *lives) receipts() map[seat][]store.PurgeEntry {
	out := map[seat][]store.PurgeEntry{}
	err := l.borough.store.Read(func(r *store.Reader) error {
		for p := uint64(1); p <= l.borough.store.State().Head(); p++ {
			e, err := r.Entry(p)
			if err != nil {
				return err
			}
			if purge, ok := e.(store.PurgeEntry); ok {
				message := syncproto.PurgeMessage(purge.Device, purge.User, purge.Epoch, purge.Purged)
				if !verify(publicKey(purge.Device), message, purge.Signature) {
					l.failf("entry %d: a purge receipt that its device did not sign", p)
				}
				s := seat{purge.Device, purge.User}
				out[s] = append(out[s], purge)
				l.count["purge receipts"]++
			}
		}
		return nil
	})
	if err != nil {
		l.failf("reading the journal: %v", err)
	}
	return out
}

// checkReceipt checks that what a tablet was given of a family, and had to let go
// of, has a receipt from after that.
func (l *lives) checkReceipt(x *tablet, family syncproto.FamilyID, receipts map[seat][]store.PurgeEntry) {
	f := l.file(x, family)
	if !f.ever {
		return
	}
	for _, e := range receipts[seat{x.device, x.user}] {
		for _, p := range e.Purged {
			if (p.Family == family || p.Family.IsZero()) && e.AtMS >= f.lostMS {
				return
			}
		}
	}
	l.failf("tablet %x lost family %x at entry %d, and there is no receipt since", x.device[:1], family[:1], f.lost)
}

// TestAccessComesAndGoes lives through sessions of random grants, revocations and
// reconnects: no change goes down after an end, every word that came up from
// whoever had lost access is in custody, and every purge has its receipt.
func TestAccessComesAndGoes(t *testing.T) {
	want := *sessions
	if testing.Short() {
		want = min(want, 60)
	}
	total, ended := map[string]int{}, 0
	seed := *accessSeed
	for ; ended < want; seed++ {
		l := newLives(t, seed)
		l.fail = func(s string) {
			t.Helper()
			t.Fatalf("%s\nthis world: go test ./server/internal/sim -run TestAccessComesAndGoes -access-seed=%d -sessions=1 -v -show", s, seed)
		}
		l.live(*steps)
		ended += l.ended
		for what, n := range l.count {
			total[what] += n
		}
	}
	t.Logf("%d sessions in %d worlds: %v", ended, seed-*accessSeed, total)
	if want < 300 {
		return
	}
	for _, what := range []string{"sent accepted", "sent quarantined", "kept quarantined", "devices revoked", "restrictions", "purge receipts", "tablet crashes", "server crashes"} {
		if total[what] == 0 {
			t.Errorf("in %d sessions there was not one of: %s", ended, what)
		}
	}
}
