package auth

import (
	"fmt"
	"strconv"
)

// Remember has so many proofs of a key be used.
func (a *Auth) Remember(key Thumbprint, known bool, count int) {
	for i := range count {
		a.prover.seen.use(key, "flood "+strconv.Itoa(i), known, a.cfg.Now())
	}
}

// Work has fn told of each derivation of a key from a password, and what it costs.
func (a *Auth) Work(fn func(string)) {
	derive := a.derive
	a.derive = func(password, salt []byte, passes, memoryKiB uint32, lanes uint8, keyBytes uint32) []byte {
		fn(fmt.Sprintf("derive %d %d %d %d", passes, memoryKiB, lanes, keyBytes))
		return derive(password, salt, passes, memoryKiB, lanes, keyBytes)
	}
}

// Swap has another ledger asked from now on.
func (a *Auth) Swap(other func(Ledger) Ledger) { a.cfg.Ledger = other(a.cfg.Ledger) }
