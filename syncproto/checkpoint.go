package syncproto

import "crypto/sha256"

// TreeHead names one state of a server's audit log: how many entries it has, and
// the root of the Merkle tree over them (RFC 9162 section 2.1, SHA-256).
type TreeHead struct {
	Size uint64
	Root [32]byte
}

// Checkpoint is a tree head that the server signed at a time. Two checkpoints of
// one log are consistent if the later extends the earlier; a server that cannot
// prove that has taken away, altered or reordered what it once showed (SPEC 7.11).
type Checkpoint struct {
	TreeHead
	TimeMS    int64  // server's clock; never less than in the checkpoint before
	Signature []byte // Ed25519 by the server's checkpoint key over CheckpointText
}

// Restored says that the server declared a break: since this epoch its log goes
// on from a copy that held Size entries. Entries after them were lost.
type Restored struct {
	Epoch Epoch
	Size  uint64
}

// IsZero reports whether there is no such declaration.
func (r Restored) IsZero() bool { return r.Epoch.IsZero() }

// CheckpointText returns what a checkpoint's signature covers: the text of a
// signed note (C2SP tlog-checkpoint) whose origin is "doorstep/" and the
// borough's name, with the time as an extension line.
func CheckpointText(borough string, c *Checkpoint) []byte {
	b := make([]byte, 0, 160)
	b = append(b, CheckpointOrigin(borough)...)
	b = append(b, '\n')
	b = appendDecimal(b, c.Size)
	b = append(b, '\n')
	b = appendBase64(b, c.Root[:])
	b = append(b, "\ntime "...)
	b = appendDecimal(b, uint64(max(c.TimeMS, 0)))
	return append(b, '\n')
}

// CheckpointOrigin returns the first line of a borough's checkpoints, which is
// also the name of the key that signs them.
func CheckpointOrigin(borough string) string { return "doorstep/" + borough }

// CheckpointNote returns the checkpoint as the signed note that people keep,
// paste and hand on; hash is the key's hash of that format, 4 bytes.
func CheckpointNote(borough string, c *Checkpoint, hash [4]byte) []byte {
	b := append(CheckpointText(borough, c), "\n\u2014 "...)
	b = append(b, CheckpointOrigin(borough)...)
	b = append(b, ' ')
	b = appendBase64(b, append(hash[:], c.Signature...))
	return append(b, '\n')
}

// CheckpointKeyHash returns the key hash of a checkpoint key, as signed notes
// name it.
func CheckpointKeyHash(borough string, key []byte) (hash [4]byte) {
	const ed25519 = 1
	named := append([]byte(CheckpointOrigin(borough)), '\n', ed25519)
	sum := sha256.Sum256(append(named, key...))
	copy(hash[:], sum[:])
	return hash
}

// CheckConsistency reports whether a proof shows that the log of head old is the
// beginning of that of head now (RFC 9162 section 2.1.4.2). Any log extends the
// empty one. A log that is as long must have the same root, and needs no proof.
func CheckConsistency(proof [][32]byte, old, now TreeHead) bool {
	switch {
	case old.Size > now.Size:
		return false
	case old.Size == 0:
		return len(proof) == 0
	case old.Size == now.Size:
		return len(proof) == 0 && old.Root == now.Root
	}
	if old.Size&(old.Size-1) == 0 { // a power of two: its root is a node of the new tree
		proof = append([][32]byte{old.Root}, proof...)
	}
	if len(proof) == 0 {
		return false
	}
	a, b := old.Size-1, now.Size-1
	for a&1 == 1 {
		a, b = a>>1, b>>1
	}
	was, is := proof[0], proof[0]
	for _, p := range proof[1:] {
		if b == 0 {
			return false
		}
		if a&1 == 1 || a == b {
			was, is = nodeHash(p, was), nodeHash(p, is)
			for a&1 == 0 && a != 0 {
				a, b = a>>1, b>>1
			}
		} else {
			is = nodeHash(is, p)
		}
		a, b = a>>1, b>>1
	}
	return b == 0 && was == old.Root && is == now.Root
}

// LeafHash returns the hash of one entry of the log (RFC 9162 section 2.1.1).
func LeafHash(leaf []byte) [32]byte {
	b := make([]byte, 0, 1+len(leaf))
	return sha256.Sum256(append(append(b, 0), leaf...))
}

func nodeHash(left, right [32]byte) [32]byte {
	var both [65]byte
	both[0] = 1
	copy(both[1:], left[:])
	copy(both[33:], right[:])
	return sha256.Sum256(both[:])
}

func appendDecimal(b []byte, n uint64) []byte {
	var digits [20]byte
	i := len(digits)
	for {
		i--
		digits[i] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return append(b, digits[i:]...)
		}
	}
}

// appendBase64 is RFC 4648 base64 with padding; encoding/base64 links reflect.
func appendBase64(b, src []byte) []byte {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for len(src) > 0 {
		var group [3]byte
		n := copy(group[:], src)
		src = src[n:]
		v := uint(group[0])<<16 | uint(group[1])<<8 | uint(group[2])
		four := []byte{letters[v>>18], letters[v>>12&63], letters[v>>6&63], letters[v&63]}
		for i := n + 1; i < 4; i++ {
			four[i] = '='
		}
		b = append(b, four...)
	}
	return b
}
