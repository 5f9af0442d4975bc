package bench

import (
	"context"
	"errors"
)

// Beside is pushing to a server with something, beside one without; rounds of both
// take turns.
type Beside struct {
	Rounds []BesideRound `json:"rounds"`
	// Share is of the visits a second without it, and CPUShare of the visits in a
	// second of the server's CPU; medians over the rounds.
	Share    float64 `json:"share"`
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
	for round := range b.o.Rounds + 1 {
		var r BesideRound
		steps := []func() error{
			func() (err error) { r.With, err = b.plainRound(ctx, with); return err },
			func() (err error) { r.Without, err = b.plainRound(ctx, without); return err },
		}
		if err := errors.Join(steps[round%2](), steps[1-round%2]()); err != nil {
			return err
		}
		if round == 0 {
			continue
		}
		out.Rounds = append(out.Rounds, r)
		b.say("round %d of %d: with %s, without %s", round, b.o.Rounds, r.With, r.Without)
	}
	out.Share = median(out.Rounds, func(r BesideRound) float64 { return r.With.PerSecond / r.Without.PerSecond })
	out.CPUShare = median(out.Rounds, func(r BesideRound) float64 { return r.With.PerCPUSecond / max(r.Without.PerCPUSecond, 1) })
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
