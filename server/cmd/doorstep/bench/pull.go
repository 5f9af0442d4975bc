package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"doorstep/client-sdk/device"
	"doorstep/server/internal/progress"
)

// freshRounds is how often a fresh device pulls everything.
const freshRounds = 3

// measureFreshPull fills the borough and has fresh devices pull all of it: as the
// server hands it out, and as a tablet with its store on disk takes it in.
func (b *bench) measureFreshPull(ctx context.Context, s *site) error {
	if err := b.fill(ctx, s, b.o.Pull); err != nil {
		return err
	}
	if err := b.readBack(ctx, s); err != nil {
		return err
	}
	out := &b.report.FreshPull
	out.Visits = s.held
	b.say("pulling %d visits to fresh devices, %d times", s.held, freshRounds)
	pulling := progress.Begin(ctx, "pulling to fresh devices", progress.Rounds, freshRounds)
	for n := range freshRounds {
		pulling.Add(1)
		runtime.GC()
		r, err := b.freshPull(ctx, s)
		if err == nil && r.Changes < s.held {
			err = fmt.Errorf("%d visits are held, a fresh device got %d changes", s.held, r.Changes)
		}
		if err == nil {
			r.TabletMS, err = tabletPull(ctx, s, n)
		}
		if err != nil {
			return err
		}
		out.Rounds = append(out.Rounds, r)
	}
	out.finish()
	return nil
}

// freshPull begins the reader's feed anew.
func (b *bench) freshPull(ctx context.Context, s *site) (FreshPullRound, error) {
	p := s.reader
	p.cursor, p.families = nil, nil
	before := p.wire.used()
	began, cpu := time.Now(), cpuOf(s.pid)
	changes, err := p.pull(ctx)
	took := time.Since(began)
	return FreshPullRound{Changes: changes, MS: ms(took), ServerCPU: (cpuOf(s.pid) - cpu).Seconds(), Wire: p.wire.used().since(before)}, err
}

// tabletPull is the same by a tablet of the reader's with a new store in a folder.
func tabletPull(ctx context.Context, s *site, n int) (float64, error) {
	dir := filepath.Join(s.dir, fmt.Sprintf("tablet-%d", n))
	rows, err := device.OpenBadger(dir, device.BadgerOptions{})
	if err != nil {
		return 0, err
	}
	store, err := device.Sealed(rows, device.NewStoreKey())
	if err != nil {
		return 0, errors.Join(err, rows.Close())
	}
	took, err := s.reader.pullInto(ctx, store)
	return took, errors.Join(err, store.Close(), os.RemoveAll(dir))
}

// pullInto syncs a new installation of the same device until it has everything.
func (p *pusher) pullInto(ctx context.Context, store device.Store) (float64, error) {
	if err := device.Install(store, p.identity, p.key); err != nil {
		return 0, err
	}
	d, err := device.Open(store, transport{p.client}, device.Options{})
	if err != nil {
		return 0, err
	}
	began := time.Now()
	_, err = d.Sync(ctx)
	return ms(time.Since(began)), err
}

// transport is a client that keeps its session to itself.
type transport struct{ client *device.Client }

// Sync implements device.Transport.
func (t transport) Sync(ctx context.Context, wire []byte) ([]byte, error) {
	return t.client.Sync(ctx, wire)
}

// measureOnePulls pulls one new record from each borough in turn, so that all
// sizes see the same minutes of this machine.
func (b *bench) measureOnePulls(ctx context.Context, sites []*site) error {
	if len(sites) == 0 {
		return nil
	}
	b.say("pulling one record %d times from each of %d boroughs in turn, after a tenth to warm up", b.o.Pulls, len(sites))
	out := make([]OnePull, len(sites))
	for n, s := range sites {
		out[n].Visits = s.held
		if err := b.readBack(ctx, s); err != nil { // to the head
			return err
		}
	}
	warmUp := b.o.Pulls/10 + 1
	pulling := progress.Begin(ctx, "pulling one record", progress.Rounds, int64(warmUp+b.o.Pulls))
	for turn := range warmUp + b.o.Pulls {
		pulling.Add(1)
		for n := range sites {
			n = (n + turn) % len(sites)
			took, wire, err := b.onePull(ctx, sites[n], turn)
			if err != nil {
				return err
			}
			if turn >= warmUp {
				out[n].took = append(out[n].took, took)
				out[n].Wire = wire
			}
		}
	}
	for n := range out {
		out[n].finish()
	}
	b.report.OnePull = out
	return nil
}

// onePull has one visit pushed and measures how long the reader takes to get it.
func (b *bench) onePull(ctx context.Context, s *site, turn int) (time.Duration, Traffic, error) {
	from := s.pushers[turn%len(s.pushers)]
	p, err := from.prepare(1, false)
	if err == nil {
		err = from.push(ctx, p, false)
	}
	if err != nil {
		return 0, Traffic{}, err
	}
	b.acknowledged(s, 1)
	before, began := s.reader.wire.used(), time.Now()
	changes, err := s.reader.pull(ctx)
	took := time.Since(began)
	if err == nil && changes != 1 {
		err = fmt.Errorf("one visit was pushed, the reader got %d changes", changes)
	}
	b.report.ReadBack += s.unread
	s.unread = 0
	return took, s.reader.wire.used().since(before), err
}
