package text

import "encoding/binary"

// Encode returns the log as bytes: the same changes added in the same order
// give the same bytes.
func (l *Log) Encode() []byte {
	b := binary.AppendUvarint(nil, uint64(len(l.changes)))
	for _, c := range l.changes {
		b = appendBytes(b, l.agents[c.agent])
		b = binary.AppendUvarint(b, uint64(c.seq))
		b = binary.AppendUvarint(b, uint64(len(c.parents)))
		for _, p := range c.parents {
			b = binary.AppendUvarint(b, uint64(p))
		}
		b = binary.AppendUvarint(b, uint64(c.end-c.start))
		for _, e := range l.events[c.start:c.end] {
			b = binary.AppendUvarint(b, uint64(e.pos))
			b = binary.AppendVarint(b, int64(e.r))
		}
	}
	return b
}

func appendBytes(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// ErrEncoding is the reason why Decode refused bytes that Encode would not
// have written.
const ErrEncoding = Error("malformed encoding")

// Decode reads what Encode wrote. It refuses everything else with
// ErrEncoding, or with the reason for which Add would have refused a change.
func Decode(b []byte) (*Log, error) {
	d := decoder{b: b}
	l := New()
	for range d.uint() {
		agent, seq := d.bytes(), d.uint()
		var parents []LV
		for range d.uint() {
			parents = append(parents, LV(d.uint()))
		}
		var splices []Splice
		for range d.uint() {
			splices = append(splices, d.event())
		}
		if d.bad {
			return nil, ErrEncoding
		}
		if _, err := l.Add(agent, seq, parents, splices); err != nil {
			return nil, err
		}
	}
	if d.bad || len(d.b) > 0 {
		return nil, ErrEncoding
	}
	return l, nil
}

type decoder struct {
	b   []byte
	bad bool
}

// uint reads a number no larger than the bytes that are left could justify
// counting to, or than an event may be numbered.
func (d *decoder) uint() int {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > maxEvents {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return int(v)
}

func (d *decoder) bytes() []byte {
	n := d.uint()
	if n > len(d.b) {
		d.fail()
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) event() Splice {
	pos := d.uint()
	v, n := binary.Varint(d.b)
	if n <= 0 || v < -1 || v > 0x10ffff {
		d.fail()
		return Splice{}
	}
	d.b = d.b[n:]
	if v < 0 {
		return Splice{Pos: pos, Del: 1}
	}
	return Splice{Pos: pos, Ins: string(rune(v))}
}

func (d *decoder) fail() { d.b, d.bad = nil, true }
