package endtoend

import (
	"context"
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

	"doorstep/client-sdk/device"
	"doorstep/client-sdk/engine"
	"doorstep/server"
	"doorstep/syncproto"
)

var stormSize = flag.Int("storm", 0, "devices in TestFault74ReconnectStorm (default 60, with -short 20)")

// Of a storm: workers who share the devices, devices that enrol at once, and
// callers who only hold connections.
const (
	stormWorkers = 20
	stormEnrols  = 4
	stormLoafers = 50
)

// stormy is a device that comes back with a visit to send.
type stormy struct {
	*device.Device
	visit    syncproto.ChangeID
	received chan struct{} // closed when the visit's receipt is here
	took     time.Duration // until then
}

func (d *stormy) hear(n engine.Note) {
	if n.Kind == engine.NoteReceived && n.Change == d.visit {
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
// can: every visit must be received, and none be lost.
func TestFault74ReconnectStorm(t *testing.T) {
	size := *stormSize
	if size == 0 {
		size = 60
		if testing.Short() {
			size = 20
		}
	} else {
		t.Parallel()
	}
	p, l := newProcess(t, caseload{workers: stormWorkers, families: stormWorkers, works: func(n, f int) bool { return n == f }},
		func(cfg *server.Config) {
			cfg.Limits.Connections, cfg.Limits.PerAddress = 2*size+1000, 2*size+1000
		})
	devices := enrolMany(t, p, size)
	p.end(l, syscall.SIGTERM) // everybody is cut off, and writes
	for n, d := range devices {
		d.visit = writeVisit(t, d.Device, n)
	}
	l = p.begin()
	p.serving(l)
	goAway := loaf(t, p.address())
	began := time.Now()
	wantAllReceived(t, devices, began)
	t.Logf("%d devices in %.1f s: receipt after %v at the median, %v for 99 of 100, %v for the last; %d idle callers beside them; the server's memory at its most: %s",
		size, time.Since(began).Seconds(), quantile(devices, 0.5), quantile(devices, 0.99), quantile(devices, 1), stormLoafers, peakMemory(t, l))
	goAway()
	p.end(l, syscall.SIGTERM)
	data := openData(t, p.cfg)
	for n, d := range devices {
		if ref, err := data.store.Change(d.visit); err != nil || ref.Status != syncproto.StatusAccepted {
			t.Errorf("the visit of device %d: %+v, %v", n, ref.Status, err)
		}
	}
}

// enrolMany enrols devices, some at once, and syncs each.
func enrolMany(t *testing.T, p *process, size int) []*stormy {
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
				d, err := enrolForStorm(p, n)
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

func enrolForStorm(p *process, n int) (*stormy, error) {
	ctx := context.Background()
	worker := login(n % stormWorkers)
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
	d := &stormy{received: make(chan struct{})}
	d.Device, err = device.Open(store, quiet{client}, device.Options{Notify: d.hear})
	if err != nil {
		return nil, err
	}
	_, err = d.Sync(ctx)
	return d, err
}

// writeVisit records a visit of the usual length, offline.
func writeVisit(t *testing.T, d *device.Device, n int) syncproto.ChangeID {
	t.Helper()
	var record syncproto.RecordID
	copy(record[:], fmt.Sprintf("storm%11d", n))
	var family syncproto.FamilyID
	if err := d.Read(func(e *engine.Engine) { family = e.Families()[0].Family }); err != nil {
		t.Fatal(err)
	}
	words := strings.Repeat(fmt.Sprintf("She met us at the door, visit %d. ", n), 120)
	id, err := d.Edit(engine.Edit{Family: family, Record: record, Kind: "visit", Ops: []syncproto.Op{write("household_summary", 0, words)}})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// loaf opens connections that send a request a byte a second, and connections
// that ask a lot and read nothing, until they are told to go away.
func loaf(t *testing.T, address string) (goAway func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	goAway = func() { cancel(); all.Wait() }
	t.Cleanup(goAway)
	slow := "POST /v1/sync HTTP/1.1\r\nHost: doorstep\r\nContent-Length: 100000\r\n\r\n"
	greedy := strings.Repeat("GET /v1/about HTTP/1.1\r\nHost: doorstep\r\n\r\n", 2000)
	for n := range stormLoafers {
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
