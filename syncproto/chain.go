package syncproto

import (
	"crypto/sha256"
	"slices"

	"doorstep/syncproto/sorting"
)

// SignatureBytes is the length of both signatures of the protocol: ES256 as
// r ‖ s, and Ed25519.
const SignatureBytes = 64

const (
	tipPrefix   = "doorstep-tip-v1\x00"
	replyPrefix = "doorstep-reply-v1\x00"
	purgePrefix = "doorstep-purge-v1\x00"
)

// Verifier checks a signature; the core links no curve. For a tip, key is the
// device's P-256 point, uncompressed (65 bytes: 4 ‖ x ‖ y), message is
// TipMessage and signature is ES256 (SHA-256 inside, r ‖ s). For a reply, key is
// the server's Ed25519 key (32 bytes) and message is ReplyMessage. It returns
// false for anything malformed and never panics.
type Verifier func(key, message, signature []byte) bool

// ComputeID returns the id of the change whose body's bytes are body and whose
// actor made prev just before: SHA-256(prev ‖ SHA-256(body)). So the digest of a
// body is enough to follow a chain without showing anybody's words (SPEC 3.3).
func ComputeID(prev ChangeID, body []byte) ChangeID {
	return ChainID(prev, sha256.Sum256(body))
}

// ChainID is ComputeID for somebody who has only the body's SHA-256.
func ChainID(prev ChangeID, digest [32]byte) ChangeID {
	var both [64]byte
	copy(both[:32], prev[:])
	copy(both[32:], digest[:])
	return sha256.Sum256(both[:])
}

// TipMessage returns what a device signs whenever it sends: the actor and the
// tip of its chain. One signature covers every change before the tip (SPEC 3.4).
func TipMessage(actor ActorID, tip ChangeID) []byte {
	b := make([]byte, 0, len(tipPrefix)+len(actor)+len(tip))
	b = append(b, tipPrefix...)
	b = append(b, actor[:]...)
	return append(b, tip[:]...)
}

// ReplyMessage returns what the server signs of a reply to a device: the reply
// cannot be shown to another device, and nothing between the two can change it
// (SPEC 7.6).
func ReplyMessage(device DeviceID, payload []byte) []byte {
	digest := sha256.Sum256(payload)
	b := make([]byte, 0, len(replyPrefix)+len(device)+len(digest))
	b = append(b, replyPrefix...)
	b = append(b, device[:]...)
	return append(b, digest[:]...)
}

// PurgeMessage returns what a device signs of its purge receipts: for whom, in
// which epoch, and each purge that it carried out (SPEC 7.5).
func PurgeMessage(device DeviceID, user UserID, epoch Epoch, purged []Purged) []byte {
	digest := sha256.Sum256(appendPurged(nil, purged))
	b := make([]byte, 0, len(purgePrefix)+len(device)+len(user)+len(epoch)+len(digest))
	b = append(b, purgePrefix...)
	b = append(b, device[:]...)
	b = append(b, user[:]...)
	b = append(b, epoch[:]...)
	return append(b, digest[:]...)
}

// CompareChangeID orders ids bytewise.
func CompareChangeID(a, b ChangeID) int { return slices.Compare(a[:], b[:]) }

// SortChangeIDs sorts ids bytewise, in place.
func SortChangeIDs(ids []ChangeID) {
	sorting.By(ids, func(a, b *ChangeID) int { return CompareChangeID(*a, *b) })
}

// MergeHeads returns the ids of both lists, sorted, each once.
func MergeHeads(a, b []ChangeID) []ChangeID {
	both := slices.Concat(a, b)
	SortChangeIDs(both)
	return slices.Compact(both)
}
