package syncproto

import "crypto/sha256"

// PartID returns the record id of one child's part of a visit: the first 16
// bytes of SHA-256("doorstep-part-v1\x00" ‖ visit ‖ child). Two workers who
// both begin a child's part apart so write one record, with two roots, and not
// two records of one child (SPEC 3.8).
func PartID(visit, child RecordID) RecordID {
	b := append([]byte("doorstep-part-v1\x00"), visit[:]...)
	sum := sha256.Sum256(append(b, child[:]...))
	return RecordID(sum[:16])
}
