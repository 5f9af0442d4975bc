package chain

import "fmt"

// groupBytes is what the entries of a group take in a file, and whether that is within the limits.
func groupBytes(payloads [][]byte) (int64, error) {
	if len(payloads) == 0 {
		return 0, fmt.Errorf("a group without entries: %w", ErrTooLarge)
	}
	var total int64
	for _, payload := range payloads {
		if len(payload) == 0 || len(payload) > maxPayloadBytes {
			return 0, fmt.Errorf("a payload of %d bytes: %w", len(payload), ErrTooLarge)
		}
		total += int64(entryHeadBytes + len(payload))
	}
	if layoutAt(0, total).end > MaxGroupBytes {
		return 0, fmt.Errorf("a group of %d bytes: %w", total, ErrTooLarge)
	}
	return total, nil
}

// group is a group made ready to be written.
type group struct {
	bytes  []byte
	slots  []slot
	sums   []Digest // of the payloads
	digest Digest   // of the chain after it
}

// buildGroup makes the bytes of a group that begins at start, in buf if that is large enough.
func buildGroup(buf []byte, start int64, head groupHead, payloads [][]byte) group {
	at := head.layout(start)
	b := append(buf[:0], make([]byte, groupHeadBytes)...)
	g := group{digest: head.prev, slots: make([]slot, len(payloads)), sums: make([]Digest, len(payloads))}
	for i, payload := range payloads {
		g.slots[i] = slot{offset: uint32(start + int64(len(b))), length: uint32(len(payload))}
		g.sums[i] = Sum(payload)
		e := entryHead{
			back: uint32(len(b)), length: uint32(len(payload)), position: head.first + Position(i), digest: g.sums[i],
		}
		b = append(e.append(b), payload...)
		g.digest = g.digest.Next(e.digest)
	}
	for from, to := range sectors(at.entries, at.sums) {
		b = le.AppendUint32(b, castagnoli(b[from-start:to-start]))
	}
	head.sumsCRC = castagnoli(b[at.sums-start:])
	head.encode(b)
	g.bytes = append(b, make([]byte, at.end-at.sumsEnd)...)
	return g
}

// checkGroup verifies every byte of a group that begins at start, given its header. For each entry it calls each with
// the entry, the payload and the chain digest after it. It answers what is wrong, or "".
func checkGroup(b []byte, start int64, head groupHead, each func(entryHead, []byte, Digest) error) (string, error) {
	at := head.layout(start)
	entries, digest := b[groupHeadBytes:at.sums-start], head.prev
	back := uint32(groupHeadBytes)
	for i := range head.count {
		if len(entries) < entryHeadBytes {
			return "the entries do not fill the group", nil
		}
		e := parseEntryHead(entries)
		if e.back != back || e.position != head.first+Position(i) || int64(e.length) > int64(len(entries)-entryHeadBytes) || e.length == 0 {
			return fmt.Sprintf("the header of entry %d is wrong", head.first+Position(i)), nil
		}
		payload := entries[entryHeadBytes:][:e.length]
		if Sum(payload) != e.digest {
			return fmt.Sprintf("entry %d does not match its digest", e.position), nil
		}
		digest = digest.Next(e.digest)
		if err := each(e, payload, digest); err != nil {
			return "", err
		}
		entries, back = entries[entryHeadBytes+e.length:], back+entryHeadBytes+e.length
	}
	switch {
	case len(entries) != 0:
		return "the entries do not fill the group", nil
	case castagnoli(b[at.sums-start:at.sumsEnd-start]) != head.sumsCRC:
		return "the sums of the group do not match their checksum", nil
	case !isZero(b[at.sumsEnd-start:]):
		return "the padding of the group is not zero", nil
	}
	return "", nil
}
