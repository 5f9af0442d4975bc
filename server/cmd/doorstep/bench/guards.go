package bench

import "context"

// unguarded is the name of the borough whose server asks nobody who they are beyond
// their session, nor what they may do, and keeps no log of it.
const unguarded = "unguarded"

// measureGuards pushes the same load to a server with proofs of the devices' keys,
// access decisions, audit log and access log, and to the same program without them.
func (b *bench) measureGuards(ctx context.Context) error {
	return b.withSite(ctx, "guarded", func(with *site) error {
		return b.withSite(ctx, unguarded, func(without *site) error {
			b.say("pushing with and without proofs, access decisions, audit log and access log")
			return b.measureBeside(ctx, &b.report.Guards, with, without)
		})
	})
}
