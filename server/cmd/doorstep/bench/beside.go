package bench

import (
	"context"
	"errors"

	"doorstep/server/internal/progress"
)

// Beside is pushing to a server with something, beside one without; rounds of both
// take turns.
type Beside struct {
	Rounds []BesideRound `json:"rounds"`
	// With and Without are medians over the rounds.
	With    Rate `json:"with"`
	Without Rate `json:"without"`
	// Share is of the visits a second without it, and CPUShare of the visits in a
	// second of the server's CPU; medians over the rounds. Least and Most are the
	// range of Share: rounds are short, and the machine does other things too.
	Share    float64 `json:"share"`
	Least    float64 `json:"share_least"`
	Most     float64 `json:"share_most"`
	CPUShare float64 `json:"cpu_share"`
}

// BesideRound is one round of each.
type BesideRound struct {
	With    Rate `json:"with"`
	Without Rate `json:"without"`
}

func (b *bench) measureBeside(ctx context.Context, out *Beside, with, without *site) error {
	b.say("%d rounds of %d visits each, %d a request, after one round to warm up",
		b.o.Rounds, b.o.Devices*b.o.Batches*b.o.Batch, b.o.Batch)
	pushing := progress.Begin(ctx, "pushing", progress.Rounds, int64(b.o.Rounds+1))
	for round := range b.o.Rounds + 1 {
		var r BesideRound
		steps := []func() error{
			func() (err error) { r.With, err = b.plainRound(ctx, with); return err },
			func() (err error) { r.Without, err = b.plainRound(ctx, without); return err },
		}
		if err := errors.Join(steps[round%2](), steps[1-round%2]()); err != nil {
			return err
		}
		pushing.Add(1)
		if round == 0 {
			continue
		}
		out.Rounds = append(out.Rounds, r)
		b.say("round %d of %d: with %s, without %s", round, b.o.Rounds, r.With, r.Without)
	}
	out.finish()
	if err := b.readBack(ctx, with); err != nil {
		return err
	}
	return b.readBack(ctx, without)
}

func (b *bench) plainRound(ctx context.Context, s *site) (Rate, error) {
	parcels, err := prepareAll(s.pushers, b.o.Batches, b.o.Batch, true)
	if err != nil {
		return Rate{}, err
	}
	var r PushRound
	return b.pushAll(ctx, s, parcels, &r)
}

func (s *Beside) finish() {
	s.With = medianRate(s.Rounds, func(r BesideRound) Rate { return r.With })
	s.Without = medianRate(s.Rounds, func(r BesideRound) Rate { return r.Without })
	share := func(r BesideRound) float64 { return r.With.PerSecond / r.Without.PerSecond }
	s.Share, s.Least, s.Most = median(s.Rounds, share), quantile(s.Rounds, 0, share), quantile(s.Rounds, 1, share)
	s.CPUShare = median(s.Rounds, func(r BesideRound) float64 { return r.With.PerCPUSecond / max(r.Without.PerCPUSecond, 1) })
}

// text tells how the two compare, and at how many per cent the goal is.
func (s *Beside) text(l *lines, goal int) {
	l.say("  %.0f %% of the visits a second (goal: %d), %.0f to %.0f %% in single rounds; %.0f %% of those in a second of the server's CPU",
		100*s.Share, goal, 100*s.Least, 100*s.Most, 100*s.CPUShare)
	l.say("  with it %s, %.0f in a CPU second; without %s, %.0f in a CPU second",
		s.With, s.With.PerCPUSecond, s.Without, s.Without.PerCPUSecond)
}
