package backing

import "doorstep/server/internal/audit"

// Audited is a journal for the ledger, followed by the audit log.
type Audited struct {
	Journal
	Log *audit.Log
}

// Append writes a group durably and takes it into the audit log.
func (a Audited) Append(payloads [][]byte) (uint64, error) {
	first, err := a.Journal.Append(payloads)
	if err == nil {
		sums := make([][32]byte, 0, len(payloads))
		for _, sum := range a.J.LastSums() {
			sums = append(sums, sum)
		}
		a.Log.Follow(first, payloads, sums)
	}
	return first, err
}
