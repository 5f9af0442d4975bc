package server

import (
	"doorstep/server/internal/audit"
	"doorstep/server/internal/exchange"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/backing"
)

// What Config.Unguarded leaves out is left out here, and in no other place but for
// proofs (package auth) and checkpoints (keepCheckpoint).

// ordered is the journal that the ledger writes to: one that the audit log follows.
func (b *borough) ordered() exchange.Journal {
	if b.cfg.unguarded {
		return b.journal
	}
	return backing.Audited{Journal: b.journal, Log: b.audit}
}

// guarded is how changes are exchanged: as cfg says.
func (b *borough) guarded(cfg exchange.Config) exchange.Config {
	if b.cfg.unguarded {
		cfg.Checkpoints, cfg.Accesses, cfg.Unasked = nil, nil, true
	}
	return cfg
}

// sealer is what seals and marks entries.
func (b *borough) sealer() store.Sealer {
	if b.cfg.unguarded {
		return unmarked{b.keys}
	}
	return b.keys
}

// unmarked are keys that make no marks for the audit log.
type unmarked struct{ backing.Keys }

// Mark implements store.Sealer.
func (unmarked) Mark(store.KeyPair) audit.Mark { return audit.Mark{} }
