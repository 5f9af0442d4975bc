package auth

import "strconv"

// Remember has so many proofs of a key be used.
func (a *Auth) Remember(key Thumbprint, known bool, count int) {
	for i := range count {
		a.prover.seen.use(key, "flood "+strconv.Itoa(i), known, a.cfg.Now())
	}
}
