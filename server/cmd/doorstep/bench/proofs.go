package bench

import (
	"context"
	"errors"
	"slices"
)

// Proofs is pushing to a server that demands everything of its callers, beside one
// that takes the same requests without proofs of the devices' keys; rounds of both
// take turns.
type Proofs struct {
	Rounds []ProofsRound `json:"rounds"`
	Share  float64       `json:"share"` // of the push without proofs, the median
}

// ProofsRound is one round of each.
type ProofsRound struct {
	With    Rate `json:"with"`
	Without Rate `json:"without"`
}

// unproven is the name of the borough whose server asks for no proofs.
const unproven = "unproven"

// measureProofs pushes the same load to both servers.
func (b *bench) measureProofs(ctx context.Context) error {
	return b.withSite(ctx, "proven", func(with *site) error {
		return b.withSite(ctx, unproven, func(without *site) error {
			return b.proofRounds(ctx, with, without)
		})
	})
}

func (b *bench) proofRounds(ctx context.Context, with, without *site) error {
	out := &b.report.Proofs
	b.say("pushing with and without proofs: %d rounds of %d visits each, %d a request, after one round to warm up",
		b.o.Rounds, b.o.Devices*b.o.Batches*b.o.Batch, b.o.Batch)
	var shares []float64
	for round := range b.o.Rounds + 1 {
		var r ProofsRound
		steps := []func() error{
			func() (err error) { r.With, err = b.proofRound(ctx, with); return err },
			func() (err error) { r.Without, err = b.proofRound(ctx, without); return err },
		}
		if err := errors.Join(steps[round%2](), steps[1-round%2]()); err != nil {
			return err
		}
		if round == 0 {
			continue
		}
		out.Rounds = append(out.Rounds, r)
		shares = append(shares, r.With.PerSecond/r.Without.PerSecond)
		b.say("round %d of %d: with %s, without %s", round, b.o.Rounds, r.With, r.Without)
	}
	slices.Sort(shares)
	out.Share = shares[len(shares)/2]
	if err := b.readBack(ctx, with); err != nil {
		return err
	}
	return b.readBack(ctx, without)
}

func (b *bench) proofRound(ctx context.Context, s *site) (Rate, error) {
	parcels, err := prepareAll(s.pushers, b.o.Batches, b.o.Batch, true)
	if err != nil {
		return Rate{}, err
	}
	var r PushRound
	return b.pushAll(ctx, s, parcels, &r)
}
