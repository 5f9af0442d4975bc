package device_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"doorstep/client-sdk/device"
	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
	"doorstep/syncproto/text"
)

func typing(at int, words string) engine.Typing {
	return engine.Typing{Record: visit, Path: purpose, Splice: text.Splice{Pos: at, Ins: words}}
}

// worker is a device on a line to a borough.
func worker(t *testing.T, b *borough, n byte) (*device.Device, *line, *device.Memory) {
	t.Helper()
	m := device.NewMemory()
	b.install(t, m, n)
	l := &line{borough: b, device: syncproto.DeviceID{n}}
	return mustOpen(t, m, l, device.Options{}), l, m
}

func TestWordsOfTwoWorkersMeet(t *testing.T) {
	b := newBorough()
	a, _, _ := worker(t, b, 1)
	c, _, _ := worker(t, b, 2)
	if _, err := a.Edit(beginVisit()); err != nil {
		t.Fatal(err)
	}
	typeWords(t, a, "Seen at home.")
	mustSave(t, a)
	mustSync(t, a)
	mustSync(t, c)
	typeWords(t, c, " Mum was there.")
	mustSave(t, c)
	mustSync(t, c)
	mustSync(t, a)
	for _, d := range []*device.Device{a, c} {
		if got, want := shown(t, d), "Seen at home. Mum was there."; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if s, _ := a.Status(visit); s.State != engine.StateSeen {
		t.Errorf("state of the first worker's words: %d, want seen", s.State)
	}
	if s, _ := c.Status(visit); s.State != engine.StateReceived {
		t.Errorf("state of the second worker's words: %d, want received", s.State)
	}
}

func mustSave(t *testing.T, d *device.Device) {
	t.Helper()
	if err := d.Save(visit); err != nil {
		t.Fatal(err)
	}
}

func mustSync(t *testing.T, d *device.Device) device.Report {
	t.Helper()
	r, err := d.Sync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Every call that returned is there after a kill, on a real disk: nothing is
// closed here.
func TestDurableBeforeReturn(t *testing.T) {
	b := newBorough()
	dir, copied := t.TempDir(), t.TempDir()
	s := openBadger(t, dir)
	b.install(t, s, 1)
	d := mustOpen(t, s, &line{borough: b}, device.Options{})
	defer d.Close()
	if _, err := d.Edit(beginVisit()); err != nil {
		t.Fatal(err)
	}
	typeWords(t, d, "Said she was not hungry")
	copyStore(t, dir, copied) // as the disk is now
	again := openBadger(t, copied)
	e := mustOpen(t, again, &line{borough: b}, device.Options{})
	defer e.Close()
	if got, want := shown(t, e), "Said she was not hungry"; got != want {
		t.Errorf("after the kill: %q, want %q", got, want)
	}
}

// faulty is a store whose writes fail when told to.
type faulty struct {
	device.Store
	fail error
}

func (f *faulty) Apply(rows []engine.Row) error {
	if f.fail != nil {
		return f.fail
	}
	return f.Store.Apply(rows)
}

// A write that fails is told to the caller, and the words are not shown as if
// they were safe; when the disk is well again the device goes on.
func TestFullDisk(t *testing.T) {
	b := newBorough()
	f := &faulty{Store: device.NewMemory()}
	b.install(t, f, 1)
	d := mustOpen(t, f, &line{borough: b, device: syncproto.DeviceID{1}}, device.Options{})
	if _, err := d.Edit(beginVisit()); err != nil {
		t.Fatal(err)
	}
	typeWords(t, d, "safe")
	f.fail = device.ErrFull
	if err := d.Type(typing(4, " lost")); !errors.Is(err, device.ErrFull) {
		t.Errorf("typing on a full disk: %v", err)
	}
	if got := shown(t, d); got != "safe" {
		t.Errorf("shown after the failure: %q, want %q", got, "safe")
	}
	if _, err := d.Sync(t.Context()); !errors.Is(err, device.ErrFull) {
		t.Errorf("sync on a full disk: %v", err)
	}
	f.fail = nil
	typeWords(t, d, " again")
	mustSave(t, d)
	mustSync(t, d)
	if got := atServer(b); got != "safe again" {
		t.Errorf("at the server: %q, want %q", got, "safe again")
	}
}

// The request and the reply of a sync are cut at every byte, and bits of the
// reply are flipped: the next sync gives the same result.
func TestFault62CutAtEveryByte(t *testing.T) {
	cuts := []struct {
		name string
		step int
		hook func(l *line, damage func(wire []byte) []byte)
		harm func(wire []byte, at int)
	}{
		{"request", 1, func(l *line, d func([]byte) []byte) { l.request = d }, nil},
		{"reply", 1, func(l *line, d func([]byte) []byte) { l.reply = d }, nil},
		{"flip", 7, func(l *line, d func([]byte) []byte) { l.reply = d }, func(w []byte, at int) { w[at] ^= 0x10 }},
	}
	b := newBorough()
	rows := unevenWorkers(t, b)
	for _, c := range cuts {
		t.Run(c.name, func(t *testing.T) {
			length := 1
			for at := 0; at < length; at += c.step {
				harm := func(l *line) {
					c.hook(l, func(wire []byte) []byte {
						length = max(length, len(wire))
						at := min(at, len(wire)-1)
						if c.harm == nil {
							return wire[:at]
						}
						wire = bytes.Clone(wire)
						c.harm(wire, at)
						return wire
					})
				}
				noticed := cutOnce(t, at, b.clone(), rows.Reopen(), harm)
				if !noticed && c.harm == nil { // a flipped bit may be one that says nothing
					t.Fatalf("the cut at byte %d went unnoticed", at)
				}
			}
			if length < 100 {
				t.Errorf("only %d bytes: the test shows little", length)
			}
		})
	}
}

// unevenWorkers makes a worker with words to send and news to hear, and returns
// the rows of that worker's device.
func unevenWorkers(t *testing.T, b *borough) *device.Memory {
	t.Helper()
	other, _, _ := worker(t, b, 2)
	if _, err := other.Edit(beginVisit()); err != nil {
		t.Fatal(err)
	}
	mustSync(t, other)
	d, _, rows := worker(t, b, 1)
	mustSync(t, d)
	typeWords(t, d, "up")
	mustSave(t, d)
	typeWords(t, other, "down ")
	mustSave(t, other)
	mustSync(t, other)
	return rows
}

// cutOnce does one sync that is harmed at a byte, after which the device is
// killed, and one that is not. It reports whether the device noticed.
func cutOnce(t *testing.T, at int, b *borough, rows *device.Memory, harm func(l *line)) bool {
	t.Helper()
	l := &line{borough: b, device: syncproto.DeviceID{1}}
	harm(l)
	_, noticed := mustOpen(t, rows, l, device.Options{}).Sync(t.Context())
	l.request, l.reply = nil, nil
	d := mustOpen(t, rows.Reopen(), l, device.Options{})
	mustSync(t, d)
	if o, _ := d.Outbox(); shown(t, d) != atServer(b) || len(atServer(b)) != len("updown ") || o.Changes > 0 {
		t.Fatalf("harm at byte %d: %q here, %q at the server, outbox %+v", at, shown(t, d), atServer(b), o)
	}
	changes := 0
	for _, e := range b.server.Entries {
		if e.Change != nil {
			changes++
		}
	}
	if changes != 3 {
		t.Fatalf("harm at byte %d: %d changes at the server, want 3", at, changes)
	}
	return noticed != nil
}

func TestRunSyncsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBorough()
		d, l, _ := worker(t, b, 1)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- d.Run(ctx) }()
		if _, err := d.Edit(beginVisit()); err != nil {
			t.Fatal(err)
		}
		typeWords(t, d, "typed and left alone")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got, want := atServer(b), "typed and left alone"; got != want {
			t.Errorf("at the server after two minutes: %q, want %q", got, want)
		}
		before := l.calls.Load()
		l.down.Store(true)
		typeWords(t, d, ", then more")
		mustSave(t, d)
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := l.calls.Load() - before; n < 5 || n > 60 {
			t.Errorf("%d attempts in an hour without a server", n)
		}
		l.down.Store(false)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if got, want := atServer(b), "typed and left alone, then more"; got != want {
			t.Errorf("at the server after it is back: %q, want %q", got, want)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
}

// A small request is sent in place of a large one where large ones fail.
func TestRequestsShrinkOnAPoorLine(t *testing.T) {
	b := newBorough()
	d, l, _ := worker(t, b, 1)
	if _, err := d.Edit(beginVisit()); err != nil {
		t.Fatal(err)
	}
	rng, noise := rand.New(rand.NewPCG(1, 2)), strings.Builder{}
	for range 60_000 {
		noise.WriteByte("abcdefghijklmnopqrstuvwxyz0123456789"[rng.IntN(36)])
	}
	for range 8 {
		if err := d.Type(typing(0, noise.String())); err != nil {
			t.Fatal(err)
		}
	}
	const limit = 120_000
	largest := 0
	l.request = func(w []byte) []byte {
		largest = max(largest, len(w))
		if len(w) > limit {
			return w[:limit] // the tunnel ends here
		}
		return w
	}
	for range 20 {
		if _, err := d.Sync(t.Context()); err == nil {
			break
		}
	}
	if largest <= limit {
		t.Fatal("no request was too large: the test shows nothing")
	}
	if got := len(atServer(b)); got != 8*60_000 {
		t.Errorf("%d characters at the server, want %d", got, 8*60_000)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	b := newBorough()
	if _, err := device.Open(device.NewMemory(), nil, device.Options{}); !errors.Is(err, device.ErrNotEnrolled) {
		t.Errorf("an empty store: %v", err)
	}
	m := device.NewMemory()
	b.install(t, m, 1)
	d := mustOpen(t, m, &line{borough: b}, device.Options{})
	if _, err := d.Edit(beginVisit()); err != nil {
		t.Fatal(err)
	}
	rows := m.Reopen()
	if err := rows.Apply([]engine.Row{{Key: findRow(t, rows, 'c')}}); err != nil {
		t.Fatal(err)
	}
	_, err := device.Open(rows, nil, device.Options{})
	var missing *engine.MissingError
	if !errors.As(err, &missing) || missing.Seq != 1 {
		t.Errorf("an own change is gone: %v", err)
	}
}

func findRow(t *testing.T, s device.Store, kind byte) (found []byte) {
	t.Helper()
	err := s.Load(func(key, _ []byte) error {
		if key[0] == kind {
			found = key
		}
		return nil
	})
	if err != nil || found == nil {
		t.Fatalf("no row of kind %c: %v", kind, err)
	}
	return found
}

func TestOverHTTP(t *testing.T) {
	b := newBorough()
	c := b.overHTTP(t)
	m := device.NewMemory()
	enrolment := device.Enrolment{Login: "amina", Password: "wrong", Code: "abcd-efgh-1jkl-mn0p", Name: "tablet 14"}
	_, err := c.Enrol(t.Context(), m, enrolment)
	if !errors.Is(err, syncproto.CodeBadCredentials) {
		t.Errorf("enrolling with a wrong password: %v", err)
	}
	enrolment.Password = "right"
	id, err := c.Enrol(t.Context(), m, enrolment)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.Enrol(t.Context(), m, enrolment); err != nil || again.Device != id.Device {
		t.Errorf("enrolling again makes device %v of %v: %v", again.Device, id.Device, err)
	}
	d := mustOpen(t, m, c, device.Options{})
	if _, err := d.Edit(beginVisit()); err != nil {
		t.Fatal(err)
	}
	if r := mustSync(t, d); r.Requests != 1 || r.BytesUp == 0 || r.BytesDown == 0 {
		t.Errorf("report %+v", r)
	}
	if d.Identity().Borough != "Testing" {
		t.Errorf("identity %+v", d.Identity())
	}
}

// An access token that lapsed is traded in on the way; the answer to that is
// lost once, and the process ends in between.
func TestFault72SessionLapsesMidSync(t *testing.T) {
	b := newBorough()
	m := device.NewMemory()
	c := b.overHTTP(t)
	if _, err := c.Enrol(t.Context(), m, device.Enrolment{Password: "right", Code: "ABCDEFGHIJKLMNOP"}); err != nil {
		t.Fatal(err)
	}
	d := mustOpen(t, m, c, device.Options{})
	if _, err := d.Edit(beginVisit()); err != nil {
		t.Fatal(err)
	}
	b.lapse(false)
	mustSync(t, d)
	b.lapse(true)
	if _, err := d.Sync(t.Context()); err == nil {
		t.Fatal("the lost answer went unnoticed")
	}
	d = mustOpen(t, m.Reopen(), b.overHTTP(t), device.Options{})
	if _, err := d.Edit(engine.Edit{Record: visit, Ops: beginVisit().Ops}); err != nil {
		t.Fatal(err)
	}
	mustSync(t, d)
	if o, _ := d.Outbox(); o.Changes != 0 {
		t.Errorf("outbox %+v", o)
	}
}

func TestSignedOutDeviceKeepsRecording(t *testing.T) {
	b := newBorough()
	m := device.NewMemory()
	c := b.overHTTP(t)
	id, err := c.Enrol(t.Context(), m, device.Enrolment{Password: "right", Code: "ABCDEFGHIJKLMNOP"})
	if err != nil {
		t.Fatal(err)
	}
	var notes []engine.Note
	d := mustOpen(t, m, c, device.Options{Notify: func(n engine.Note) { notes = append(notes, n) }})
	b.mu.Lock()
	b.token += 2 // somebody revoked the session
	b.mu.Unlock()
	if _, err := d.Edit(beginVisit()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Sync(t.Context()); !errors.Is(err, syncproto.CodeUnauthenticated) {
		t.Errorf("sync without a session: %v", err)
	}
	if len(notes) == 0 || notes[len(notes)-1].Kind != engine.NoteSignIn {
		t.Errorf("notes %+v", notes)
	}
	typeWords(t, d, "still recording")
	if err := c.SignIn(t.Context(), "amina", "right", id.Device); err != nil {
		t.Fatal(err)
	}
	mustSave(t, d)
	mustSync(t, d)
	if got := atServer(b); got != "still recording" {
		t.Errorf("at the server: %q", got)
	}
}

func TestListenWakes(t *testing.T) {
	b := newBorough()
	m := device.NewMemory()
	c := b.overHTTP(t)
	if _, err := c.Enrol(t.Context(), m, device.Enrolment{Password: "right", Code: "ABCDEFGHIJKLMNOP"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	woken, ended := make(chan struct{}, 8), make(chan error, 1)
	go func() { ended <- c.Listen(ctx, func() { woken <- struct{}{} }) }()
	<-woken
	b.events <- struct{}{}
	<-woken
	cancel()
	if err := <-ended; err == nil {
		t.Error("a stream that ended gives no error")
	}
}

func TestRefusalCarriesRetryAfter(t *testing.T) {
	b := newBorough()
	m := device.NewMemory()
	c := b.overHTTP(t)
	if _, err := c.Enrol(t.Context(), m, device.Enrolment{Password: "right", Code: "ABCDEFGHIJKLMNOP"}); err != nil {
		t.Fatal(err)
	}
	_, err := c.Sync(t.Context(), []byte("no frame"))
	var r *device.Refusal
	if !errors.As(err, &r) || r.RetryAfter != 7*time.Second {
		t.Errorf("got %v, want a refusal that asks for 7 s", err)
	}
	if _, err := device.NewClient("ftp://x", nil); err == nil {
		t.Error("an address that is not HTTP passes")
	}
}
