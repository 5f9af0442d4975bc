package endtoend

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"doorstep/client-sdk/device"
	"doorstep/client-sdk/engine"
	"doorstep/server"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

var stormSize = flag.Int("storm", 0, "devices in TestFault74ReconnectStorm (default 60, with -short 20); with it, they come back twice: among idle callers, and without")

// Of a storm: workers who share the devices, ten to each where there are many; devices
// that enrol at once; and callers who only hold connections, one to twenty devices.
const (
	stormWorkers = 20
	stormShare   = 10
	stormEnrols  = 16
	stormLoafers = 50
	stormLoafing = 20
)

// stormy is a device that comes back with a visit to send.
type stormy struct {
	*device.Device
	visits   []syncproto.ChangeID
	received chan struct{} // closed when the receipt of the last visit is here
	took     time.Duration // until then
}

func (d *stormy) hear(n engine.Note) {
	if n.Kind == engine.NoteReceived && len(d.visits) > 0 && n.Change == d.visits[len(d.visits)-1] {
		close(d.received)
	}
}

// quiet is a client that listens to no events: its device has one connection.
type quiet struct{ *device.Client }

// Listen implements device.Listener.
func (quiet) Listen(ctx context.Context, _ func()) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestFault74ReconnectStorm lets a whole borough's tablets come back at one
// moment, each with a visit, among callers who send and read as slowly as they
// can: every visit must be received, and none be lost. With -storm=10000 it shows what
// that costs, and what the slow callers do to the others.
func TestFault74ReconnectStorm(t *testing.T) {
	size, loafers := *stormSize, []int{max(stormLoafers, *stormSize/stormLoafing), 0}
	if size == 0 {
		size, loafers = 60, loafers[:1]
		if testing.Short() {
			size = 20
		}
	} else {
		t.Parallel()
	}
	workers := max(stormWorkers, size/stormShare)
	p, l := newProcess(t, caseload{workers: workers, families: workers, works: func(n, f int) bool { return n == f }},
		func(cfg *server.Config) {
			cfg.Limits.Connections, cfg.Limits.PerAddress = size+2*loafers[0]+1000, size+2*loafers[0]+1000
		})
	l = p.withQuickPasswords(l)
	began := time.Now()
	devices := enrolMany(t, p, size, workers)
	t.Logf("%d devices enrolled in %.1f s", size, time.Since(began).Seconds())
	for _, idle := range loafers {
		l = comeBack(p, l, devices, idle)
	}
	p.end(l, syscall.SIGTERM)
	data := openData(t, p.cfg)
	for n, d := range devices {
		for _, visit := range d.visits {
			if ref, err := data.store.Change(visit); err != nil || ref.Status != syncproto.StatusAccepted {
				t.Errorf("a visit of device %d: %+v, %v", n, ref.Status, err)
			}
		}
	}
}

// comeBack cuts every device off, lets it write, and lets all come back at once
// beside so many idle callers.
func comeBack(p *process, l *life, devices []*stormy, loafers int) *life {
	t := p.t
	t.Helper()
	p.end(l, syscall.SIGTERM)
	for n, d := range devices {
		writeVisit(t, d, n)
	}
	l = p.begin()
	p.serving(l)
	goAway := loaf(t, p.address(), loafers)
	began := time.Now()
	wantAllReceived(t, devices, began)
	t.Logf("%d devices in %.1f s: receipt after %v at the median, %v for 99 of 100, %v for the last; %d idle callers beside them; the server's memory at its most: %s",
		len(devices), time.Since(began).Seconds(), quantile(devices, 0.5), quantile(devices, 0.99), quantile(devices, 1), loafers, peakMemory(t, l))
	goAway()
	return l
}

// withQuickPasswords gives everybody who was brought in their password, in a form that
// takes no time to check: a storm is not about how long passwords take. It stops the
// server and returns its next life.
func (p *process) withQuickPasswords(l *life) *life {
	p.t.Helper()
	p.end(l, syscall.SIGTERM)
	salt := []byte("0123456789abcdef")
	b64 := base64.RawStdEncoding.EncodeToString
	hash := fmt.Sprintf("$argon2id$v=%d$m=8,t=1,p=1$%s$%s", argon2.Version, b64(salt), b64(argon2.IDKey([]byte(password), salt, 1, 8, 1, 32)))
	p.t.Run("passwords", func(t *testing.T) { // which closes the data
		data := openData(t, p.cfg)
		var entries []store.Entry
		for _, u := range data.store.State().Users() {
			if strings.HasPrefix(u.Login, "worker.") {
				u.PasswordHash = hash
				entries = append(entries, u)
			}
		}
		data.commit(t, entries...)
	})
	l = p.begin()
	p.serving(l)
	return l
}

// enrolMany enrols devices, some at once, and syncs each.
func enrolMany(t *testing.T, p *process, size, workers int) []*stormy {
	t.Helper()
	devices := make([]*stormy, size)
	var next atomic.Int64
	var all sync.WaitGroup
	for range stormEnrols {
		all.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= size {
					return
				}
				d, err := enrolForStorm(p, n, login(n%workers))
				if err != nil {
					t.Errorf("device %d: %v", n, err)
					return
				}
				devices[n] = d
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return devices
}

func enrolForStorm(p *process, n int, worker string) (*stormy, error) {
	ctx := context.Background()
	code, err := p.operator().IssueCode(ctx, worker)
	if err != nil {
		return nil, err
	}
	store := device.NewMemory()
	client, err := device.NewClient(base, newLine(p).http)
	if err != nil {
		return nil, err
	}
	if _, err := client.Enrol(ctx, store, device.Enrolment{Login: worker, Password: password, Code: code.Code, Name: strconv.Itoa(n)}); err != nil {
		return nil, err
	}
	d := &stormy{}
	d.Device, err = device.Open(store, quiet{client}, device.Options{Notify: d.hear})
	if err != nil {
		return nil, err
	}
	_, err = d.Sync(ctx)
	return d, err
}

// writeVisit records a visit of the usual length, offline.
func writeVisit(t *testing.T, d *stormy, n int) {
	t.Helper()
	var record syncproto.RecordID
	copy(record[:], fmt.Sprintf("storm%d.%09d", len(d.visits), n))
	var family syncproto.FamilyID
	if err := d.Read(func(e *engine.Engine) { family = e.Families()[0].Family }); err != nil {
		t.Fatal(err)
	}
	words := strings.Repeat(fmt.Sprintf("She met us at the door, visit %d. ", n), 120)
	id, err := d.Edit(engine.Edit{Family: family, Record: record, Kind: "visit", Ops: []syncproto.Op{write("household_summary", 0, words)}})
	if err != nil {
		t.Fatal(err)
	}
	d.visits, d.received, d.took = append(d.visits, id), make(chan struct{}), 0
}

// loaf opens connections that send a request a byte a second, and connections
// that ask a lot and read nothing, until they are told to go away.
func loaf(t *testing.T, address string, loafers int) (goAway func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	goAway = func() { cancel(); all.Wait() }
	t.Cleanup(goAway)
	slow := "POST /v1/sync HTTP/1.1\r\nHost: doorstep\r\nContent-Length: 100000\r\n\r\n"
	greedy := strings.Repeat("GET /v1/about HTTP/1.1\r\nHost: doorstep\r\n\r\n", 2000)
	for n := range loafers {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		all.Go(func() {
			defer stop()
			if n%2 == 0 {
				_, _ = conn.Write([]byte(greedy)) // blocks once the reply's buffer is full, until the server gives up
				return
			}
			for i := range len(slow) {
				if _, err := conn.Write([]byte{slow[i]}); err != nil {
					return // the server has had enough
				}
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			}
		})
	}
	return goAway
}

// wantAllReceived lets every device run by itself, as an app does, until its
// visit is received.
func wantAllReceived(t *testing.T, devices []*stormy, began time.Time) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	var all sync.WaitGroup
	for _, d := range devices {
		all.Go(func() {
			ctx, stop := context.WithCancel(ctx)
			var run sync.WaitGroup
			run.Go(func() { _ = d.Run(ctx) }) // ends with the context
			select {
			case <-d.received:
				d.took = time.Since(began)
			case <-ctx.Done():
			}
			stop()
			run.Wait()
		})
	}
	all.Wait()
	for n, d := range devices {
		if o, err := d.Outbox(); err != nil || o.Changes > 0 || d.took == 0 {
			t.Errorf("device %d still holds %d changes, %v", n, o.Changes, err)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

// quantile is the time by which a share of the devices had their receipts.
func quantile(devices []*stormy, share float64) time.Duration {
	var took []time.Duration
	for _, d := range devices {
		took = append(took, d.took)
	}
	slices.Sort(took)
	return took[int(share*float64(len(took)-1))].Round(time.Millisecond)
}

// peakMemory is the most that the server had resident, where the system tells.
func peakMemory(t *testing.T, l *life) string {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", l.cmd.Process.Pid))
	if err != nil {
		return "unknown here"
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(line)
}
