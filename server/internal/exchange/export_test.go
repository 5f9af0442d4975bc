package exchange

// Waiting is how many proposals wait for their turn.
func (l *Ledger) Waiting() int { return len(l.queue) }
