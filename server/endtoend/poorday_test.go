package endtoend

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"doorstep/server/web/webtest"
	"doorstep/syncproto"
)

const (
	dayVisits = 5
	dayWords  = 3000 // characters that are written on each visit
	dayPieces = 6    // changes that they are written in
)

// poorSite is a site behind a poor line.
type poorSite struct {
	site
	line *poorLine
}

func (p poorSite) address() string { return p.line.address() }

// wholeDay is what a worker records on five visits and in a plan, without a signal.
func (b *tablet) wholeDay(family syncproto.FamilyID, words string) (wrote []syncproto.ChangeID) {
	b.t.Helper()
	for range dayVisits {
		visit, at := b.newRecord(), 0
		wrote = append(wrote, b.edit(family, visit, "visit", setText("visit_type", "CIN"), setText("place", "HOME"), setText("outcome", "COMPLETED")))
		for range dayPieces {
			piece := take(&words, dayWords/dayPieces)
			wrote = append(wrote, b.edit(family, visit, "visit", write("household_summary", at, piece)))
			at += len([]rune(piece))
		}
	}
	plan := b.newRecord()
	for n := range 2 {
		wrote = append(wrote, b.edit(family, plan, "plan", setText("contingency", fmt.Sprintf("Plan %d. %s", n, take(&words, 300)))))
	}
	return wrote
}

// The line of this test is poor enough for requests to be cut in the middle, and not so
// poor that the test takes long.
func quickHallway(stallIn, cutIn int, seed uint64) signal {
	return signal{bytesPerSecond: 200_000, roundTrip: 60 * time.Millisecond, stall: 150 * time.Millisecond, stallIn: stallIn, cutIn: cutIn, seed: seed}
}

// A day's work goes up in one request as soon as there is a signal, however poor: not
// once to learn that the token has lapsed meanwhile, and once more with another, and not
// after a request that trades the token in. What
// the line cuts goes up again, and nothing is lost or there twice.
func TestADayGoesUpOverAPoorSignal(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 2, families: 1, plans: true})
	front := newFrontDoor(t, b.address)
	line := newPoorLine(t, front.address)
	worker, colleague := newTablet(t, poorSite{b, line}, 0, 4), newTablet(t, b, 1, 5)
	worker.syncs()
	family, words, cuts := worker.families()[0], prose(t), 0
	for _, c := range []struct {
		what   string
		signal signal
	}{
		{"slow", quickHallway(0, 0, 1)},
		{"slow with stalls", quickHallway(4, 0, 2)},
		{"slow with stalls and cuts", quickHallway(8, 8, 3)},
	} {
		worker.lapses(front)
		line.goes()
		worker.line.http.CloseIdleConnections()
		wrote := worker.wholeDay(family, words)
		front.take()
		line.comes(c.signal)
		tries := worker.getsThrough()
		cuts += tries - 1
		asked := front.take()
		if c.signal.cutIn == 0 && (tries > 1 || !wentUpOnce(asked)) {
			t.Errorf("%s: in %d tries %v; want the day to go up once, and first", c.what, tries, asked)
		}
		worker.wantEmptyOutbox()
		worker.wantAccepted()
		newWire(b, colleague).wantOnce(wrote...)
		line.good()
	}
	if cuts == 0 {
		t.Error("the line was never cut")
	}
	colleague.syncs()
	wantSameFolds(t, "the colleague", worker.folds(), colleague.folds())
}

// getsThrough syncs until nothing is left, and tells how many tries that took.
func (b *tablet) getsThrough() (tries int) {
	b.t.Helper()
	for tries = 1; ; tries++ {
		_, err := b.Sync(b.t.Context())
		if err == nil {
			return tries
		}
		if tries == 100 {
			b.t.Fatalf("after %d tries: %v", tries, err)
		}
	}
}

// lapses gives a tablet a session whose access token lapses, as it does in a day
// without a signal.
func (b *tablet) lapses(front *frontDoor) {
	b.t.Helper()
	front.tell(map[string]int{"expires_in": 1})
	defer front.tell(nil)
	b.newSession()
}

// poorTablet is the app in a browser, at the end of a poor line.
type poorTablet struct {
	*appTablet
	door *frontDoor
	line *poorLine
}

// proofsByTime is how long a server has to run before it takes a proof without a nonce, and
// the seconds that a proof's time is rounded to.
const proofsByTime = 13 * time.Second

// newPoorTablet sets up a worker's tablet while the line is good.
func newPoorTablet(t *testing.T, b *borough) *poorTablet {
	t.Helper()
	began, front := time.Now(), newFront(t, b)
	door := newFrontDoor(t, func() string { return front.Listener.Addr().String() })
	line := newPoorLine(t, door.address)
	front.URL = "http://" + line.address()
	p := &poorTablet{&appTablet{Browser: webtest.Start(t, "lang=en-GB", "accept-lang=en-GB"), t: t, front: front, login: login(0)}, door, line}
	p.installs()
	p.sends()
	<-time.After(time.Until(began.Add(proofsByTime))) // else the server would want the day twice
	return p
}

// recordDay is a script: what a worker records in a day, without a signal.
const recordDay = `(async () => {
	const client = tablet.client, [{family}] = await client.families(), all = %s;
	let at = 0;
	const words = (n) => all.slice(at, at += n);
	for (let visit = 0; visit < %d; visit++) {
		const record = tablet.newID();
		const set = (field, value) => ({op: "set", path: {field}, value});
		await client.edit({record, family, kind: "visit", ops: [set("visit_type", "CIN"), set("place", "HOME"), set("outcome", "COMPLETED")]});
		const field = await client.text(record, {field: "household_summary"});
		for (let piece = 0; piece < %d; piece++) {
			await field.input(field.value + words(%d));
			await client.save(record);
		}
		await field.close();
	}
	const plan = (await client.records(family)).find((r) => r.kind === "plan").record;
	for (let n = 0; n < 2; n++) await client.apply(plan, {op: "set", path: {field: "contingency"}, value: words(300)});
	return (await client.outbox()).changes;
})()`

// recordsADay records a day's work without a signal, so long that the access token
// lapses, and then opens the app.
func (p *poorTablet) recordsADay(words string) (changes int) {
	p.t.Helper()
	quoted, err := json.Marshal(words)
	if err != nil {
		p.t.Fatal(err)
	}
	p.Open(p.front.URL + p.front.page)
	p.Until("the page is ready", "window.ready && (window.ready.then(() => { window.opened = true; }), window.opened)")
	p.door.tell(map[string]int{"expires_in": 1})
	webtest.Eval[bool](p.Browser, fmt.Sprintf(`tablet.unlock(%q).then(() => tablet.client.signIn({login: %q, password: %q})).then(() => true)`, pin, p.login, password))
	p.door.tell(nil)
	p.line.goes()
	changes = webtest.Eval[int](p.Browser, fmt.Sprintf(recordDay, quoted, dayVisits, dayPieces, dayWords/dayPieces))
	p.Open(p.url("#/outbox")) // the tablet has the app itself
	p.Fill("PIN of", pin)
	p.Press("Unlock")
	p.Sees("On this tablet")
	return changes
}

// acknowledged gives a signal, and tells how long it took from then until the app said
// that the day is with the borough, and what was asked of the server meanwhile.
func (p *poorTablet) acknowledged(s signal) (time.Duration, []asked) {
	p.t.Helper()
	p.door.take()
	p.line.comes(s)
	ms := webtest.Eval[float64](p.Browser, `new Promise((done) => {
		const began = performance.now();
		const look = () => { if (document.body.innerText.includes("Everything that you wrote is with the borough")) { seen.disconnect(); done(performance.now() - began); } };
		const seen = new MutationObserver(look);
		seen.observe(document.body, {childList: true, subtree: true, characterData: true});
		dispatchEvent(new Event("online"));
	})`)
	return time.Duration(ms) * time.Millisecond, p.door.take()
}

// The app sends a day's work in one request too, and loses nothing to a line that is cut.
func TestTheAppSendsADayOverAPoorSignal(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 2, families: 1, plans: true})
	p, words := newPoorTablet(t, b), prose(t)
	for _, s := range []signal{quickHallway(4, 0, 2), quickHallway(8, 8, 5)} {
		changes := p.recordsADay(words)
		if want := dayVisits*(1+dayPieces) + 2; changes != want {
			t.Errorf("%d changes wait to be sent, want %d", changes, want)
		}
		took, asked := p.acknowledged(s)
		if n := carrying(asked); s.cutIn == 0 && n != 1 {
			t.Errorf("%v: the day went up %d times, want once", asked, n)
		}
		t.Logf("acknowledged after %v: %v", took, asked)
		p.line.good()
	}
	colleague := newTablet(t, b, 1, 1)
	colleague.syncs()
	p.wantSameAs(colleague)
}
