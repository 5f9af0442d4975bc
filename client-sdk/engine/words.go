package engine

import (
	"unicode/utf8"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// brokenWords are words that came ill-formed from a keyboard or a paste. What is
// signed has U+FFFD where they are broken; how they came is kept beside it.
type brokenWords struct {
	path  syncproto.Path
	given string
}

// repair returns ops whose words are well-formed, and what had to be changed.
func repair(ops []syncproto.Op) ([]syncproto.Op, []brokenWords) {
	var broken []brokenWords
	fix := func(path syncproto.Path, s string) string {
		if utf8.ValidString(s) {
			return s
		}
		broken = append(broken, brokenWords{path: path, given: s})
		return wellFormed(s)
	}
	out := make([]syncproto.Op, len(ops))
	for i, op := range ops {
		op.Text, op.Reason = fix(op.Path, op.Text), fix(op.Path, op.Reason)
		splices := make([]text.Splice, len(op.Splices))
		for j, s := range op.Splices {
			s.Ins = fix(op.Path, s.Ins)
			splices[j] = s
		}
		op.Splices = splices
		out[i] = op
	}
	return out, broken
}

// wellFormed returns a text with one U+FFFD in place of each stretch of bytes that is not
// UTF-8.
func wellFormed(s string) string {
	var b []byte
	broken := false
	for i, r := range s {
		_, size := utf8.DecodeRuneInString(s[i:])
		bad := r == utf8.RuneError && size == 1
		if !bad || !broken {
			b = utf8.AppendRune(b, r)
		}
		broken = bad
	}
	return string(b)
}

// keepWords stores words as they were given.
func (e *Engine) keepWords(w *work, r *record, broken []brokenWords) {
	for _, b := range broken {
		e.meta.words++
		r.words = append(r.words, e.meta.words)
		v := cbor.AppendArray(nil, 4)
		v = cbor.AppendText(v, b.path.Field)
		v = cbor.AppendBytes(v, b.path.Element[:])
		v = cbor.AppendText(v, b.path.Sub)
		v = cbor.AppendBytes(v, []byte(b.given))
		w.put(keyWords(r.family, r.id, e.meta.words), v)
	}
	if len(broken) > 0 {
		e.putMeta(w)
	}
}
