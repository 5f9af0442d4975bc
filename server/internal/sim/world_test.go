package sim

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"doorstep/server/internal/exchange"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// startMS is when every run begins, Unix milliseconds.
const startMS = 1_767_225_600_000

// world is one run: everybody, the network between them, and what must be so.
type world struct {
	t       *testing.T
	fail    func(string) // ends the run
	seed    uint64
	rng     *rand.Rand
	clockMS int64
	step    int
	trace   [32]byte // hash of everything that happened

	// watch sees each reply before anything else checks it; nil: nobody does.
	watch       func(*tablet, *syncproto.SyncReply)
	borough     *borough
	tablets     []*tablet
	families    []syncproto.FamilyID
	coordinator syncproto.UserID
	wire        []message // under way, in no particular order

	serverSkewMS int64 // how wrong the server's clock is
	slowSyncs    int   // of the server's disk, still to come
	wentBack     bool  // to older data: what it knew of time went with the rest

	standing *standing
	sure     promise
	acked    map[syncproto.ChangeID]syncproto.ReceiptStatus // what replies promised
	away     map[syncproto.ChangeID]store.KeyPair           // acked, lost with a restore, and to come back
	erased   map[store.KeyPair]bool                         // what must never come back
	seals    map[syncproto.RecordID]seal
	backups  []copied
	count    map[string]int // what happened how often
}

type holding struct {
	user   syncproto.UserID
	family syncproto.FamilyID
}

// seal is what was final when it was sealed.
type seal struct {
	heads    []syncproto.ChangeID
	hash     [32]byte
	position uint64 // of the journal's head then
}

// message is a request on its way up or, once answered, a reply on its way down.
type message struct {
	tablet  *tablet
	request syncproto.RequestID
	payload []byte

	answered bool
	signed   []byte         // the reply; nil: none came
	code     syncproto.Code // of a refused request
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, fail: func(s string) { t.Helper(); t.Fatal(s) }, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), clockMS: startMS,
		coordinator: syncproto.UserID{0xc0},
		standing:    newStanding(), acked: map[syncproto.ChangeID]syncproto.ReceiptStatus{}, away: map[syncproto.ChangeID]store.KeyPair{},
		erased: map[store.KeyPair]bool{}, seals: map[syncproto.RecordID]seal{}, count: map[string]int{},
	}
	w.borough = newBorough(t, seed, rand.New(rand.NewPCG(seed, 2)), func() time.Time { return time.UnixMilli(w.clockMS + w.serverSkewMS) })
	w.borough.fail = func(s string) { w.failf("%s", s) }
	w.borough.disk.OnSync(w.dawdle)
	w.people()
	for i, t := range w.tablets[:4] {
		w.relate(t.user, w.families[i%3], true)
		w.relate(t.user, w.families[(i+1)%3], true)
	}
	w.tablets[3].skewMS = []int64{0, -40 * 365 * 86_400_000, 10 * 365 * 86_400_000}[w.rng.IntN(3)]
	w.takeAtItsWord()
	return w
}

// people are four workers with a tablet each, the first of which two of them share,
// the office, and who is on emergency duty.
func (w *world) people() {
	entries := []store.Entry{
		store.UserEntry{ID: w.coordinator, Login: "coordinator", Role: "coordinator"},
		store.UserEntry{ID: manager, Login: "manager", Role: "manager"},
		store.TeamEntry{User: manager, Team: team, Basis: "MANAGER", Grant: true},
		store.UserEntry{ID: officer, Login: "officer", Role: "ig_officer"},
		store.UserEntry{ID: second, Login: "second", Role: "ig_officer"},
		store.UserEntry{ID: duty, Login: "duty", Role: "edt"},
	}
	for i := range 3 {
		w.families = append(w.families, syncproto.FamilyID{0xf1 + byte(i)})
		entries = append(entries, store.FamilyTeamEntry{Family: w.families[i], Team: team})
	}
	for i := range 4 {
		user := syncproto.UserID{byte(i + 1)}
		entries = append(entries, store.UserEntry{ID: user, Login: fmt.Sprint("worker", i), Role: "practitioner"})
		w.tablets = append(w.tablets, newTablet(w, user, syncproto.DeviceID{0xd1 + byte(i)}))
	}
	w.tablets = append(w.tablets, newTablet(w, w.tablets[1].user, w.tablets[0].device), newTablet(w, duty, syncproto.DeviceID{0xd5}))
	users := map[syncproto.DeviceID][]syncproto.UserID{}
	for _, t := range w.tablets {
		users[t.device] = append(users[t.device], t.user)
	}
	for _, device := range sortedKeys(users) {
		entries = append(entries, store.DeviceEntry{ID: device, Key: publicKey(device), Users: users[device], EnrolledMS: startMS})
	}
	if !w.borough.propose(entries...) {
		w.failf("the borough cannot begin")
	}
}

// dawdleMS is how long a slow disk takes for a sync.
const dawdleMS = 10_000

// dawdle makes a sync of the server's disk take its time.
func (w *world) dawdle() {
	if w.slowSyncs > 0 {
		w.slowSyncs--
		w.clockMS += dawdleMS
	}
}

func (w *world) id() [16]byte { return id16(w.rng) }

// log adds to what happened; -v shows it.
func (w *world) log(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	w.trace = sha256.Sum256(append(w.trace[:], line...))
	if testing.Verbose() && *show {
		w.t.Logf("%d: %s", w.step, line)
	}
}

func (w *world) failf(format string, args ...any) {
	w.t.Helper()
	w.fail(fmt.Sprintf("seed %d, step %d: %s\nreplay: go test ./server/internal/sim -seeds=%d -v -show",
		w.seed, w.step, fmt.Sprintf(format, args...), w.seed))
}

// run lives the seed's day: steps of trouble, then calm, then the final checks.
func (w *world) run(steps int) {
	for w.step = 0; w.step < steps; w.step++ {
		w.clockMS += int64(w.rng.IntN(4000))
		w.oneStep()
	}
	w.calm()
	w.checkAll()
	w.borough.stop()
}

func (w *world) oneStep() {
	t := w.tablets[w.rng.IntN(len(w.tablets))]
	switch n := w.rng.IntN(200); {
	case n < 74:
		t.act()
	case n < 102:
		t.sync()
	case n < 166:
		w.network()
	case n < 171:
		t.crashAt = w.rng.IntN(4)
	case n < 176:
		w.relate(t.user, w.families[w.rng.IntN(len(w.families))], w.rng.IntN(3) > 0)
	case n < 184:
		w.decideAboutFiles(t)
	case n < 187:
		w.trySeal()
	case n < 189:
		w.tick()
	case n < 191:
		w.syncInPeace(t)
	default:
		w.trouble(t, n-191)
	}
	if w.borough.failed {
		w.log("the server lost its disk")
		w.restartServer()
	}
}

// trouble is what happens to devices, servers and disks.
func (w *world) trouble(t *tablet, kind int) {
	switch {
	case kind < 4:
		w.diskTrouble()
	case kind < 5 && w.rng.IntN(2) == 0:
		w.clockTrouble(t)
	case kind < 5:
		w.clone(t)
	case kind < 6:
		w.backUp()
	case kind < 7 && w.rng.IntN(2) == 0:
		w.disaster()
	default:
		w.log("the server crashes")
		w.restartServer()
	}
}

// diskTrouble has the server's disk fail or dawdle soon, or now.
func (w *world) diskTrouble() {
	d := w.borough.disk
	kinds := []string{"power cuts planned", "failed syncs planned", "failed writes planned", "full disks", "slow disks"}
	kind := w.rng.IntN(len(kinds))
	soon := w.rng.IntN(6)
	switch kind {
	case 0:
		d.CutPowerAt(d.Steps() + soon)
	case 1:
		d.FailSync(soon)
	case 2:
		d.FailWrite(soon)
	case 3:
		free, _ := d.FreeBytes("data") // without power it is full as well
		d.SetCapacity(1<<62 - free + minFree + int64(w.rng.IntN(4<<10)))
	case 4:
		w.slowSyncs = 1 + soon
	}
	w.count[kinds[kind]]++
	w.log("%s: %d", kinds[kind], soon)
}

// maxTablets bounds how many tablets the clones make of the four.
const maxTablets = 8

// clone restores a backup of a tablet onto another one: two devices with one key,
// one actor and one person.
func (w *world) clone(t *tablet) {
	if len(w.tablets) >= maxTablets {
		return
	}
	c := *t
	c.rows, c.wrote, c.crashAt = maps.Clone(t.rows), maps.Clone(t.wrote), -1
	w.count["cloned tablets"]++
	w.log("tablet %x is cloned", t.device[:1])
	c.restart()
	w.tablets = append(w.tablets, &c)
}

// clockTrouble moves a tablet's clock, the server's, or everybody's forward.
func (w *world) clockTrouble(t *tablet) {
	const day = 86_400_000
	w.count["clock jumps"]++
	switch w.rng.IntN(6) {
	case 0, 1:
		w.clockMS += w.rng.Int64N(3 * day)
		return
	case 2:
		if w.serverSkewMS = []int64{-day, day, 0, -60_000}[w.rng.IntN(4)]; w.wentBack {
			w.serverSkewMS = max(0, w.serverSkewMS)
		}
		w.count["server clock jumps"]++
		w.log("the server's clock is wrong by %d", w.serverSkewMS)
		return
	}
	t.skewMS += []int64{-1, 1, -day, day, -365 * day, 365 * day}[w.rng.IntN(6)] * (1 + w.rng.Int64N(40))
	w.log("tablet %x's clock is wrong by %d", t.device[:1], t.skewMS)
}

// trySeal picks a record at the server and makes it final.
func (w *world) trySeal() {
	family := w.families[w.rng.IntN(len(w.families))]
	records, err := w.borough.store.RecordsOf(family, "plan")
	if err != nil {
		w.failf("listing records: %v", err)
	}
	if len(records) > 0 {
		w.seal(records[w.rng.IntN(len(records))])
	}
}

// restartServer cuts its power or kills it and starts it with what the disk kept.
// Requests under way are lost; everything that was acknowledged must be there.
func (w *world) restartServer() {
	w.borough.crash(w.rng.IntN(3) > 0)
	w.count["server crashes"]++
	if w.rng.IntN(8) == 0 {
		w.startOnRottenDisk()
	} else {
		w.borough.start()
	}
	w.afterStart()
}

// startOnRottenDisk flips a bit before the start. The server must say so and stop,
// or the bit did not matter; then the bit is put right, as from a copy. (What
// checkAcked finds missing after that was cut off in silence.)
func (w *world) startOnRottenDisk() {
	b := w.borough
	path, bit := b.rot(w.rng)
	w.count["flipped bits"]++
	w.log("bit %d of %s flips", bit, path)
	if err := b.open(); err != nil {
		w.count["refusals of damage"]++
		w.log("the server does not start: %v", err)
		b.crash(false)
		b.disk.FlipBit(path, bit)
		b.start()
	}
}

// network moves one message on: answers it, brings it down, doubles or drops it.
func (w *world) network() {
	if len(w.wire) == 0 {
		return
	}
	i := w.rng.IntN(len(w.wire))
	m := w.wire[i]
	fate := w.rng.IntN(20)
	if fate > 1 {
		w.wire = slices.Delete(w.wire, i, i+1)
	} else { // it stays on the wire as well
		w.count["messages doubled"]++
	}
	switch {
	case fate == 2:
		w.log("a message is lost")
		w.count["messages lost"]++
	case fate == 3:
		w.log("a tablet gives up waiting")
		m.tablet.receive(message{request: m.request})
	default:
		w.deliver(m)
	}
}

func (w *world) deliver(m message) {
	if m.answered {
		m.tablet.receive(m)
		return
	}
	w.wire = append(w.wire, w.answer(m))
}

// answer has the server answer a request, and checks what it promises.
func (w *world) answer(m message) message {
	caller := exchange.Caller{User: m.tablet.user, Device: m.tablet.device}
	began := w.borough.now().UnixMilli()
	reply, signed, code := w.borough.sync(caller, m.payload)
	m.answered, m.signed, m.code = true, signed, code
	if reply == nil {
		w.log("tablet %x is answered %v", m.tablet.device[:1], code)
		return m
	}
	w.log("tablet %x: %d receipts, %d items, more %v", m.tablet.device[:1], len(reply.Receipts), len(reply.Items), reply.More)
	if w.watch != nil {
		w.watch(m.tablet, reply)
	}
	w.checkReply(m.tablet, reply, began)
	w.takeAtItsWord()
	return m
}

// calm heals everything and lets every tablet sync until nothing moves.
func (w *world) calm() {
	w.log("calm")
	w.wire = nil
	d := w.borough.disk
	d.CutPowerAt(1 << 60)
	d.FailSync(-1)
	d.FailWrite(-1)
	d.SetCapacity(1 << 62)
	w.slowSyncs, w.serverSkewMS = 0, 0
	if w.borough.failed {
		w.restartServer()
	}
	for _, t := range w.tablets {
		t.crashAt = -1
	}
	w.clockMS += 3_600_000 // drafts become changes
	for quiet, round := 0, 0; quiet < 2; round++ {
		if round == 100 {
			w.failf("still not quiet after %d rounds", round)
		}
		moved := false
		w.clockMS += 15_000 // beyond what the audit log takes for the same moment
		for _, t := range w.tablets {
			moved = w.syncOnce(t) || moved
			if w.borough.failed { // the power had gone, and nothing was written since
				w.restartServer()
			}
		}
		if quiet++; moved {
			quiet = 0
		}
	}
}

// syncInPeace has one tablet sync until it and the server have nothing to say, and
// checks that it then holds nothing that ended for its worker.
func (w *world) syncInPeace(t *tablet) {
	t.crashAt = -1
	for range 40 {
		if moved := w.syncOnce(t); w.borough.failed {
			return
		} else if !moved {
			w.count["syncs in peace"]++
			w.checkEnded(t)
			return
		}
	}
	w.log("tablet %x gets no peace", t.device[:1])
}

// syncOnce runs one round trip; it reports whether it brought anything.
func (w *world) syncOnce(t *tablet) bool {
	w.wire = nil
	t.sync()
	moved := false
	for _, m := range slices.Clone(w.wire) {
		a := w.answer(m)
		if a.signed == nil {
			moved = true
		} else {
			payload, _, _ := syncproto.DecodeSignedReply(a.signed)
			reply, err := syncproto.DecodeReply(payload)
			if err != nil {
				w.failf("the server's reply cannot be read: %v", err)
			}
			moved = moved || len(reply.Items) > 0 || len(reply.Receipts) > 0 || reply.More
		}
		t.receive(a)
	}
	return moved
}

// sortedKeys keeps every walk over a map the same in every run.
func sortedKeys[K ~[16]byte | ~[32]byte, V any](m map[K]V) []K {
	return slices.SortedFunc(maps.Keys(m), func(a, b K) int {
		return slices.Compare([]byte(fmt.Sprintf("%x", a)), []byte(fmt.Sprintf("%x", b)))
	})
}
