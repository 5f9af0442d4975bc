package bench

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"doorstep/client-sdk/device"
	"doorstep/server"
	"doorstep/server/internal/progress"
)

// profile is a load that a borough brings. Each of the tablets that play it stands for
// several practitioners: what they would send, one tablet sends.
type profile struct {
	name, about   string
	practitioners int
	visits        int     // of 4 KB, of each practitioner
	spread        float64 // of the time that the run takes, over which they come; 0: all at once
	news          bool    // each tablet first asks for what came since
}

// profiles are all of them, by what they are for. Hours are pressed into the run's seconds.
func profiles() []profile {
	return []profile{
		{"borough", "a day of a borough, pressed together: everybody writes up four visits", 600, 4, 1, false},
		{"county", "a day of a county, likewise", 2_500, 4, 1, false},
		{"monday", "Monday, 9 am, in a borough: everybody opens the tablet, asks for news and sends two visits of the weekend, most of them in the first third", 600, 2, 1. / 3, true},
		{"storm", "the signal comes back: everybody sends two visits in the same moment, and asks for news", 600, 2, 0, true},
	}
}

// profileNames lists their names.
func profileNames() (out []string) {
	for _, p := range profiles() {
		out = append(out, p.name)
	}
	return out
}

// Profile is what people waited for under a load, and what the server took for it.
type Profile struct {
	Name          string  `json:"name"`
	About         string  `json:"about"`
	Practitioners int     `json:"practitioners"`
	Tablets       int     `json:"tablets"` // that played them
	Visits        int     `json:"visits"`
	Seconds       float64 `json:"seconds"` // from the first to the last receipt
	// From the moment at which a tablet had a visit to send, to its receipt, with every
	// wait that the server asked for.
	MedianMS float64 `json:"median_ms"`
	P95MS    float64 `json:"p95_ms"`
	P99MS    float64 `json:"p99_ms"`
	LongMS   float64 `json:"longest_ms"`
	// SentAway is how often a tablet was told to come back later.
	SentAway int `json:"sent_away"`
	// ServerCPU is the server's CPU in all; a practitioner's is a thousandth of a second
	// for each of them. Disk is the journal, keys and index that a practitioner's visits took.
	ServerCPU       float64 `json:"server_cpu_seconds"`
	CPUMillisEach   float64 `json:"cpu_ms_a_practitioner"`
	DiskKBEach      float64 `json:"disk_kb_a_practitioner"`
	ResidentMB      float64 `json:"resident_mb_at_most"`
	ResidentAfterMB float64 `json:"resident_mb_after"`

	mu   sync.Mutex // guards took and SentAway while it runs
	took []time.Duration
}

// measureProfile plays a load and checks that nothing of it was lost.
func (b *bench) measureProfile(ctx context.Context) error {
	load := profiles()[slices.Index(profileNames(), b.o.Profile)]
	if b.o.Practitioners > 0 {
		load.practitioners = b.o.Practitioners
	}
	tablets := min(b.o.Tablets, load.practitioners)
	out := &Profile{Name: load.name, About: load.about, Practitioners: load.practitioners, Tablets: tablets}
	b.report.Profile = out
	b.say("founding a borough with %d tablets for %d practitioners: %s", tablets, load.practitioners, load.about)
	s, err := b.startWith(ctx, "profile", func(s *site, ctx context.Context, op server.Operator, _ int) error {
		return s.bringIn(ctx, op, tablets)
	})
	if err != nil {
		return err
	}
	err = b.play(ctx, s, load, out)
	out.ResidentMB, out.ResidentAfterMB = residentMB(s.pid, "VmHWM"), residentMB(s.pid, "VmRSS")
	if err == nil {
		b.say("reading back what was acknowledged")
		err = b.readBack(ctx, s)
	}
	return errors.Join(err, s.close())
}

// play has each tablet send its visits when they are due.
func (b *bench) play(ctx context.Context, s *site, load profile, out *Profile) error {
	each := load.practitioners * load.visits / len(s.pushers)
	parcels, err := prepareAll(s.pushers, each, 1, true)
	if err != nil {
		return err
	}
	data := filepath.Join(s.dir, "data")
	began, cpu, disk := time.Now(), cpuOf(s.pid), sizeOf(data)
	window := time.Duration(load.spread * b.o.PressedInto * float64(time.Second))
	b.say("%d visits, within %.0f s", each*len(s.pushers), window.Seconds())
	playing := progress.Begin(ctx, "playing "+load.name, progress.Visits, int64(each*len(s.pushers)))
	err = inParallel(len(s.pushers), func(n int) error {
		for i, p := range parcels[n] {
			playing.Add(1)
			due := began.Add(window / time.Duration(each*len(s.pushers)) * time.Duration(i*len(s.pushers)+n))
			if err := out.send(ctx, s.pushers[n], p, sending{due, load.news && i == 0}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	out.Visits, out.Seconds = each*len(s.pushers), time.Since(began).Seconds()
	out.ServerCPU = (cpuOf(s.pid) - cpu).Seconds()
	out.finish(float64(sizeOf(data) - disk))
	b.acknowledged(s, out.Visits)
	return nil
}

// sending is when a visit is due, and whether the tablet asks for news before.
type sending struct {
	due  time.Time
	news bool
}

// send waits until a visit is due and sends it until it is taken.
func (out *Profile) send(ctx context.Context, p *pusher, with *parcel, when sending) error {
	if err := wait(ctx, time.Until(when.due)); err != nil {
		return err
	}
	if when.news {
		if err := out.insist(ctx, func() error { _, err := p.pull(ctx); return err }); err != nil {
			return err
		}
	}
	if err := out.insist(ctx, func() error { return p.push(ctx, with, true) }); err != nil {
		return err
	}
	out.mu.Lock()
	defer out.mu.Unlock()
	out.took = append(out.took, time.Since(when.due))
	return nil
}

// insist does something again, when the server asks for that, as long as it does.
func (out *Profile) insist(ctx context.Context, fn func() error) error {
	for {
		err := fn()
		var refused *device.Refusal
		if !errors.As(err, &refused) || refused.RetryAfter == 0 {
			return err
		}
		out.mu.Lock()
		out.SentAway++
		out.mu.Unlock()
		if err := wait(ctx, refused.RetryAfter); err != nil {
			return err
		}
	}
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// finish works the figures out. grown is how much larger the data is, in bytes.
func (out *Profile) finish(grown float64) {
	out.MedianMS, out.P95MS = quantile(out.took, 0.5, ms), quantile(out.took, 0.95, ms)
	out.P99MS, out.LongMS = quantile(out.took, 0.99, ms), quantile(out.took, 1, ms)
	out.CPUMillisEach = 1e3 * out.ServerCPU / float64(out.Practitioners)
	out.DiskKBEach = grown / 1024 / float64(out.Practitioners)
}

func (out *Profile) text(l *lines) {
	l.say("\nProfile %s: %s", out.Name, out.About)
	l.say("  %d practitioners, played by %d tablets: %d visits of 4 KB in %.1f s (%.0f a second)", out.Practitioners, out.Tablets, out.Visits, out.Seconds, float64(out.Visits)/out.Seconds)
	l.say("  until the receipt: median %.0f ms, 95 of 100 within %.0f ms, 99 within %.0f ms, the longest %.0f ms; %d times told to come back", out.MedianMS, out.P95MS, out.P99MS, out.LongMS, out.SentAway)
	l.say("  the server took %.1f s of CPU, and %.0f MB at its most (%.0f MB after)", out.ServerCPU, out.ResidentMB, out.ResidentAfterMB)
	l.say("  a practitioner's visits cost %.1f ms of CPU and %.0f KB of disk", out.CPUMillisEach, out.DiskKBEach)
}
