package bench

import "context"

// unproven is the name of the borough whose server asks for no proofs.
const unproven = "unproven"

// measureProofs pushes the same load to a server that demands everything of its
// callers, and to one that takes the same requests without proofs of the devices'
// keys.
func (b *bench) measureProofs(ctx context.Context) error {
	return b.withSite(ctx, "proven", func(with *site) error {
		return b.withSite(ctx, unproven, func(without *site) error {
			b.say("pushing with and without proofs")
			return b.measureBeside(ctx, &b.report.Proofs, with, without)
		})
	})
}
