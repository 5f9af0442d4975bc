package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"doorstep/server/internal/progress"
)

// measurePush pushes rounds of visits, and stores each round's bytes in the bare
// journal and in bare badger too, in an order that turns from round to round.
func (b *bench) measurePush(ctx context.Context, s *site) (err error) {
	l, err := openLimits(b.folder, b.o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	out := &b.report.Push
	out.LargestGroup = l.largest
	group := l.largest // of the server's last round, in visits
	b.say("pushing: %d rounds of %d visits from %d devices, %d a request, after one round to warm up",
		b.o.Rounds, b.o.Devices*b.o.Batches*b.o.Batch, b.o.Devices, b.o.Batch)
	pushing := progress.Begin(ctx, "pushing", progress.Rounds, int64(b.o.Rounds+1))
	for round := range b.o.Rounds + 1 {
		r, err := b.pushRound(ctx, s, l, round, &group)
		if err != nil {
			return err
		}
		pushing.Add(1)
		if round == 0 {
			continue
		}
		out.Rounds = append(out.Rounds, r)
		b.say("round %d of %d: server %s, in groups of %d: bare journal %s, bare badger %s", round, b.o.Rounds, r.Server, r.Group, r.Journal, r.Badger)
	}
	out.finish(b.o)
	return b.readBack(ctx, s)
}

// pushRound is one round. The limits write in groups of the size that the server made
// last; before the first time, which only warms up, nobody knows.
func (b *bench) pushRound(ctx context.Context, s *site, l *limits, round int, group *int) (r PushRound, err error) {
	parcels, err := prepareAll(s.pushers, b.o.Batches, b.o.Batch, true)
	if err != nil {
		return r, err
	}
	var bodies [][]byte
	for _, of := range parcels {
		for _, p := range of {
			bodies = append(bodies, p.batch.Bodies...)
		}
	}
	steps := []func() error{
		func() (err error) {
			before := s.groups()
			r.Server, err = b.pushAll(ctx, s, parcels, &r)
			if made := s.groups() - before; made > 0 {
				*group = min(max(len(bodies)/made, 1), l.largest)
			}
			return err
		},
		func() (err error) { r.Journal, err = l.bareJournal(bodies, *group); return err },
		func() (err error) { r.Badger, err = l.bareBadger(bodies, *group); return err },
		func() (err error) { r.JournalMost, err = l.bareJournal(bodies, l.largest); return err },
		func() (err error) { r.BadgerMost, err = l.bareBadger(bodies, l.largest); return err },
	}
	for n := range steps {
		runtime.GC() // no step pays for what another left
		if err := steps[(n+round)%len(steps)](); err != nil {
			return r, err
		}
	}
	r.Group = *group
	return r, nil
}

// prepareAll has every pusher prepare a number of requests.
func prepareAll(pushers []*pusher, requests, visits int, packed bool) ([][]*parcel, error) {
	out := make([][]*parcel, len(pushers))
	err := inParallel(len(pushers), func(n int) error {
		for range requests {
			p, err := pushers[n].prepare(visits, packed)
			if err != nil {
				return err
			}
			out[n] = append(out[n], p)
		}
		return nil
	})
	return out, err
}

// pushAll sends each pusher's parcels, one after the other, all pushers at once.
func (b *bench) pushAll(ctx context.Context, s *site, parcels [][]*parcel, r *PushRound) (Rate, error) {
	visits, before := 0, s.traffic()
	began, cpu, own, idle := time.Now(), cpuOf(s.pid), ownCPU(), idleCPU()
	err := inParallel(len(s.pushers), func(n int) error {
		for _, p := range parcels[n] {
			if err := s.pushers[n].push(ctx, p, true); err != nil {
				return err
			}
		}
		return nil
	})
	took := time.Since(began)
	for _, of := range parcels {
		for _, p := range of {
			visits += len(p.ids)
			r.Content += int64(p.prose)
		}
	}
	r.Seconds, r.ServerCPU, r.ClientCPU = took.Seconds(), (cpuOf(s.pid) - cpu).Seconds(), (ownCPU() - own).Seconds()
	r.Idle = (idleCPU() - idle).Seconds()
	r.Wire = s.traffic().since(before)
	if err == nil {
		b.acknowledged(s, visits)
	}
	return rateOf(visits, took, seconds(r.ServerCPU)), err
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// acknowledged counts visits that were answered as accepted and stored.
func (b *bench) acknowledged(s *site, visits int) {
	s.held += visits
	s.unread += visits
	b.report.Acknowledged += visits
}

// readBack has the reader pull, and checks that everything acknowledged comes.
func (b *bench) readBack(ctx context.Context, s *site) error {
	changes, err := s.reader.pull(ctx)
	if err == nil && changes < s.unread {
		err = fmt.Errorf("%d visits were acknowledged, the reader got %d: the last of the people must have all families", s.unread, changes)
	}
	if err != nil {
		return err
	}
	b.report.ReadBack += s.unread
	s.unread = 0
	return nil
}

// traffic is what went over the wires of all pushers.
func (s *site) traffic() (t Traffic) {
	for _, p := range s.pushers {
		t = t.plus(p.wire.used())
	}
	return t
}

// fillVisits is how many visits a request carries when a borough is filled.
const fillVisits = 256

// fill pushes visits, the same way as any, until the borough has enough.
func (b *bench) fill(ctx context.Context, s *site, visits int) error {
	b.say("filling the borough %q with %d visits", s.name, visits)
	var mu sync.Mutex
	left := visits - s.held
	filling := progress.Begin(ctx, "filling the borough", progress.Visits, int64(left))
	take := func() (n int) { // the next request's share
		mu.Lock()
		defer mu.Unlock()
		n = min(left, fillVisits)
		left -= n
		return n
	}
	err := inParallel(len(s.pushers), func(n int) error {
		for visits := take(); visits > 0; visits = take() {
			p, err := s.pushers[n].prepare(visits, false)
			if err == nil {
				err = s.pushers[n].push(ctx, p, false)
			}
			if err != nil {
				return err
			}
			filling.Add(int64(visits))
			mu.Lock()
			b.acknowledged(s, visits)
			mu.Unlock()
		}
		return nil
	})
	s.hangUp()
	return err
}

// inParallel calls fn with 0 to n-1, each in a goroutine, and waits for all.
func inParallel(n int, fn func(n int) error) error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = fn(i) })
	}
	all.Wait()
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool { return err == nil })...)
}
