package exchange

import (
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Waiting is how many proposals wait for their turn.
func (l *Ledger) Waiting() int { return len(l.queue) }

// PoisonJudge makes judging fail as by a fault of this program.
func (x *Exchange) PoisonJudge(poisonous func(*syncproto.Change) bool) {
	x.judge = func(tx *store.Tx, c *syncproto.Change) error {
		if poisonous(c) {
			panic("bug: a fault that this change brings out")
		}
		return tx.Judge(c)
	}
}
