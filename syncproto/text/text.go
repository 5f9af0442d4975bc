// Package text merges one text that several people edit apart.
//
// It hides how: the history of a text is kept as the graph of splices exactly
// as they were typed, and the merged text is the replay of that graph. The
// order in which concurrent insertions end up is that of FugueMax, so that
// passages typed apart at one place never interleave. The rule is stated in
// full in spec/text.md; nothing but the set of events decides the result.
//
// The main types are Log, the append-only history of one text, and Splice, one
// edit in it. An LV numbers an event inside one Log, in the order of arrival,
// and means nothing outside it.
//
// All positions and lengths are Unicode code points, never bytes and never
// UTF-16 units, so that no edit can cut a code point in half. The package
// does not know records, devices, people or clocks, does not check who may
// write, and never normalises a text.
package text

import "unicode/utf8"

// LV is the local number of one event, the insertion or deletion of one code
// point, in the order in which a Log received it. The first is 0.
type LV int32

// A Splice deletes Del code points at code point Pos and then inserts Ins
// there. Pos counts in the text at the version the splice is applied to; in a
// list of splices each sees the result of those before it.
type Splice struct {
	Pos int
	Del int
	Ins string
}

// A Span is a stretch of the merged text, from code point Start up to but not
// including End, that one call of Add wrote. From is the event that inserted
// the code point at Start.
type Span struct {
	Start, End int
	From       LV
}

// maxEvents bounds the events of one log, because local numbers are 32 bits
// wide and the upper half of them names text from before a conflict.
const maxEvents = 1 << 30

// maxContent bounds the bytes of all insertions, which are found by 32-bit
// offsets.
const maxContent = 1<<31 - 1

// maxAgentBytes bounds an agent's name; a record uses 56 bytes.
const maxAgentBytes = 1024

// Error is the reason why a log refused a change or its encoded form. A
// refused change leaves the log as it was.
type Error string

func (e Error) Error() string { return "text: " + string(e) }

// The reasons for refusing.
const (
	// ErrPosition: a splice lies outside the text at its version.
	ErrPosition = Error("position outside the text at that version")
	// ErrUTF8: the text of a splice is not valid UTF-8.
	ErrUTF8 = Error("text is not valid UTF-8")
	// ErrParent: a parent is not an event of this log.
	ErrParent = Error("unknown parent")
	// ErrReused: the agent has used one of the sequence numbers before.
	ErrReused = Error("sequence number used twice by one agent")
	// ErrSeq: a sequence number is negative or too large.
	ErrSeq = Error("sequence number out of range")
	// ErrTooLarge: the log, or an agent's name, would pass its limit.
	ErrTooLarge = Error("too large")
)

// Diff returns the one splice that turns old into new: what lies between
// their longest common beginning and the longest common end of the rest. It
// returns nil when they are equal. Both must be valid UTF-8.
func Diff(old, new string) []Splice {
	if old == new {
		return nil
	}
	start, pos := commonPrefix(old, new)
	old, new = old[start:], new[start:]
	end := commonSuffix(old, new)
	old, new = old[:len(old)-end], new[:len(new)-end]
	return []Splice{{Pos: pos, Del: utf8.RuneCountInString(old), Ins: new}}
}

// commonPrefix returns the length of the longest beginning that a and b share
// and that ends between code points, in bytes and in code points.
func commonPrefix(a, b string) (bytes, points int) {
	for bytes < len(a) && bytes < len(b) {
		r, n := utf8.DecodeRuneInString(a[bytes:])
		s, m := utf8.DecodeRuneInString(b[bytes:])
		if r != s || n != m {
			break
		}
		bytes += n
		points++
	}
	return bytes, points
}

// commonSuffix returns the length in bytes of the longest end that a and b
// share and that begins between code points.
func commonSuffix(a, b string) int {
	bytes := 0
	for bytes < len(a) && bytes < len(b) {
		r, n := utf8.DecodeLastRuneInString(a[:len(a)-bytes])
		s, m := utf8.DecodeLastRuneInString(b[:len(b)-bytes])
		if r != s || n != m {
			break
		}
		bytes += n
	}
	return bytes
}
