package indexfiles

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
)

// A log has a header of 20 bytes (the number of a key, 8 bytes, zero without encryption, and a nonce), then entries:
//
//	meta, user meta: a byte each | length of key, length of value, expiry: varints | key | value | CRC-32C, 4 bytes
//
// and zeros to its end. A key ends with the version, 8 bytes, counted down from the greatest number. Entries of a
// transaction have one version and are followed by one that says so.
const (
	logHeaderBytes = 20
	logKeyIDBytes  = 8
	maxKeyBytes    = 1 << 16
	versionBytes   = 8
	metaInTxn      = 1 << 6
	metaEndOfTxn   = 1 << 7
)

// logSpan is what a log holds: the versions of its whole transactions, and whether nothing but zeros follows them.
type logSpan struct {
	first, last uint64 // 0: none
	end         int    // of the last whole transaction, bytes
	whole       bool
}

// readLog reads a log as badger does when it opens one. Versions must follow each other.
func readLog(name string, b []byte) (logSpan, error) {
	if len(b) < logHeaderBytes || !allZero(b[:logKeyIDBytes]) {
		return logSpan{}, damaged(name, "its header is wrong")
	}
	span := logSpan{end: logHeaderBytes}
	var open uint64 // version of the transaction that is being read
	for at := logHeaderBytes; ; {
		e, n, ok := parseEntry(b[at:])
		if !ok {
			break
		}
		at += n
		switch {
		case e.meta&metaEndOfTxn != 0:
			if v, err := strconv.ParseUint(string(e.value), 10, 64); err != nil || v != open {
				return span, nil
			}
			open = 0
		case e.meta&metaInTxn != 0 && (open == 0 || open == e.version):
			open = e.version
			continue
		case e.meta&metaInTxn != 0 || open != 0:
			return span, nil
		}
		if span.last != 0 && e.version > span.last+1 {
			return span, damaged(name, "version %d follows version %d", e.version, span.last)
		}
		if span.first == 0 {
			span.first = e.version
		}
		span.last, span.end = max(span.last, e.version), at
	}
	span.whole = open == 0 && allZero(b[span.end:])
	return span, nil
}

// logEntry is one entry of a log.
type logEntry struct {
	meta    byte
	version uint64
	value   []byte
}

// parseEntry reads the entry at the beginning of b.
func parseEntry(b []byte) (e logEntry, n int, ok bool) {
	if len(b) < 2 {
		return e, 0, false
	}
	e.meta, n = b[0], 2
	var lengths [3]uint64 // of key and value; the expiry
	for i := range lengths {
		v, used := binary.Uvarint(b[n:])
		if used <= 0 {
			return e, 0, false
		}
		lengths[i], n = v, n+used
	}
	key, value := lengths[0], lengths[1]
	if key < versionBytes || key > maxKeyBytes || value > uint64(len(b)) || n+int(key+value)+4 > len(b) {
		return e, 0, false
	}
	end := n + int(key+value)
	if castagnoli(b[:end]) != binary.BigEndian.Uint32(b[end:]) {
		return e, 0, false
	}
	e.version = math.MaxUint64 - binary.BigEndian.Uint64(b[n+int(key)-versionBytes:])
	e.value = b[n+int(key) : end]
	return e, end + 4, true
}

func allZero(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }
