package server

import (
	"fmt"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"doorstep/server/internal/api"
	"doorstep/server/internal/disk"
	"doorstep/server/internal/exchange"
	"doorstep/server/internal/metrics"
	"doorstep/syncproto"
)

// What a device has to do to count as seen or as silent. A visit round takes a day;
// a device that nobody used for two weeks is lost, or its person left.
const (
	seenWithin  = 24 * time.Hour
	silentAfter = 14 * 24 * time.Hour
)

// metering counts what happens while a borough is served, and remembers when devices
// were heard of. It forgets with the process.
type metering struct {
	metrics *metrics.Metrics
	streams func() int // set before figures are shown

	mu       sync.Mutex // guards contacts
	contacts map[syncproto.DeviceID]contact
}

// contact is when a device was last heard of, and what it held then.
type contact struct {
	at     time.Time
	unsent uint64
}

// startMeter begins to count.
func (b *borough) startMeter() {
	b.meter = &metering{contacts: map[syncproto.DeviceID]contact{}}
	b.meter.metrics = metrics.New(metrics.Config{
		Figures: b.figures, Build: thisBuild(), Routes: api.RouteNames(), Codes: codeNames(), Verdicts: verdicts(),
	})
}

// thisBuild is what the binary says of itself.
func thisBuild() metrics.Build {
	out := metrics.Build{Version: "unknown", Revision: "unknown", Go: "unknown",
		Protocol: fmt.Sprintf("%d to %d", syncproto.MinProtocolVersion, syncproto.ProtocolVersion)}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return out
	}
	out.Version, out.Go = info.Main.Version, info.GoVersion
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			out.Revision = s.Value
		}
	}
	return out
}

// verdicts are the names of what becomes of a change, by receipt status less one.
func verdicts() []string { return []string{"accepted", "held", "quarantined", "late", "refused"} }

// endOfCodes is above every code that there is.
const endOfCodes syncproto.Code = 256

// codeNames are the short names of all codes.
func codeNames() (out []string) {
	for c := syncproto.CodeOK; c < endOfCodes; c++ {
		out = append(out, c.Error())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// answers is what api tells of answers; nil while nobody counts.
func (b *borough) answers() api.Meter {
	if b.meter == nil {
		return nil
	}
	return b.meter.metrics
}

// onSynced is what exchange tells of syncs; nil while nobody counts.
func (b *borough) onSynced() func(exchange.Synced) {
	if b.meter == nil {
		return nil
	}
	return func(s exchange.Synced) { b.meter.synced(s, time.Now()) }
}

func (m *metering) synced(s exchange.Synced, now time.Time) {
	names := verdicts()
	for i := range s.Receipts {
		m.metrics.Receipt(names[s.Receipts[i].Status-1], s.Receipts[i].Code == syncproto.CodeFutureTime)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.contacts[s.Device] = contact{at: now, unsent: s.Unsent}
}

func (m *metering) contactOf(device syncproto.DeviceID) contact {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.contacts[device]
}

func (m *metering) openStreams() int {
	if m == nil || m.streams == nil {
		return 0
	}
	return m.streams()
}

// meteredJournal counts what goes to a journal.
type meteredJournal struct {
	exchange.Journal
	metrics *metrics.Metrics
}

// Append implements exchange.Journal.
func (j meteredJournal) Append(payloads [][]byte) (uint64, error) {
	began := time.Now()
	first, err := j.Journal.Append(payloads)
	j.metrics.Written(len(payloads), time.Since(began), err)
	return first, err
}

func (b *borough) metered(j exchange.Journal) exchange.Journal {
	if b.meter == nil {
		return j
	}
	return meteredJournal{j, b.meter.metrics}
}

// lastHeardOf is when a device of the borough was last heard of, and what it said that
// it held. What no sync told since the start, sessions tell: they are renewed every
// few minutes while a device is in use.
func (b *borough) lastHeardOf(device syncproto.DeviceID, users []syncproto.UserID) (at time.Time, unsent uint64) {
	if b.meter != nil {
		c := b.meter.contactOf(device)
		at, unsent = c.at, c.unsent
	}
	for _, user := range users {
		for _, s := range b.store.State().SessionsOf(user) {
			if t := time.UnixMilli(max(s.RotatedMS, s.SignedInMS)); s.Device == device && t.After(at) {
				at = t
			}
		}
	}
	return at, unsent
}

func (b *borough) deviceFigures(now time.Time) (out metrics.Devices) {
	for _, d := range b.store.State().Devices() {
		if len(d.Users) == 0 {
			continue // the desk
		}
		if d.RevokedMS != 0 {
			out.Revoked++
		} else {
			out.Enrolled++
		}
		at, unsent := b.lastHeardOf(d.ID, d.Users)
		away := now.Sub(later(at, time.UnixMilli(d.EnrolledMS)))
		if away < seenWithin {
			out.Seen++
		}
		if away >= silentAfter && d.RevokedMS == 0 {
			out.Silent++
		}
		if unsent == 0 {
			continue
		}
		out.Unsent, out.Changes = out.Unsent+1, out.Changes+unsent
		if out.Longest.IsZero() || at.Before(out.Longest) {
			out.Longest = at
		}
	}
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (b *borough) diskFigures() metrics.Disk {
	out := metrics.Disk{MinFree: b.minFree()}
	var err error
	if out.Free, err = (disk.Local{}).FreeBytes(filepath.Join(b.cfg.Data.Dir, journalFolder)); err != nil {
		b.log.Error("nobody knows how much room there is", "reason", err.Error())
	}
	if out.Ballast, err = ballastBytes(b.cfg.Data.Dir); err != nil {
		b.log.Error("nobody knows how large the ballast is", "reason", err.Error())
	}
	return out
}

func (b *borough) waitingFigures() (out metrics.Waiting) {
	unplaced, err := b.store.AllUnplaced()
	if err != nil {
		b.log.Error("nobody knows what is held", "reason", err.Error())
	}
	for _, c := range unplaced {
		if c.Status == syncproto.StatusHeld {
			out.Held++
		}
	}
	custody, err := b.room.AllCustody()
	if err != nil {
		b.log.Error("nobody knows what is in quarantine", "reason", err.Error())
	}
	for _, c := range custody {
		if c.Code == syncproto.CodeKeptAway {
			out.KeptAway++
			continue
		}
		if out.Quarantined++; !c.MayReview {
			out.Unreviewed++
		}
		if at := timeOf(c.ReceivedMS); out.Oldest.IsZero() || at.Before(out.Oldest) {
			out.Oldest = at
		}
	}
	out.CustodyAlerts = len(b.store.State().CustodyAlerts())
	return out
}

// clockFigures asks the kernel whether something keeps its clock right. A sandbox may
// forbid the question.
func clockFigures() metrics.Clock {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return metrics.Clock{Known: err == nil, Synchronised: state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0}
}
