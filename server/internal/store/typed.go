package store

import (
	"fmt"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// Why somebody was let in, kept out, or opened a file is typed by people, about a
// family. So it is sealed under a key of that family, beside the rest of the entry:
// when the family is erased the words go with it, and what stays is who did what,
// when, by codes. The reason of an erasure itself is not such a word: whoever has to
// answer for it must be able to say why.

// typed is a control entry with words that people typed about a family.
type typed interface {
	Entry
	family() syncproto.FamilyID
	words() []string
	// saying is the same entry with these words, as many as words gives.
	saying(words []string) Entry
}

func (e RelationEntry) family() syncproto.FamilyID    { return e.Family }
func (e RestrictionEntry) family() syncproto.FamilyID { return e.Family }
func (e BreakGlassEntry) family() syncproto.FamilyID  { return e.Family }
func (e HoldEntry) family() syncproto.FamilyID        { return e.Family }

func (e RelationEntry) words() []string    { return []string{e.Reason} }
func (e RestrictionEntry) words() []string { return []string{e.Reason} }
func (e BreakGlassEntry) words() []string  { return []string{e.Text, e.Note} }
func (e HoldEntry) words() []string        { return []string{e.Reason} }

func (e RelationEntry) saying(w []string) Entry    { e.Reason = w[0]; return e }
func (e RestrictionEntry) saying(w []string) Entry { e.Reason = w[0]; return e }
func (e BreakGlassEntry) saying(w []string) Entry  { e.Text, e.Note = w[0], w[1]; return e }
func (e HoldEntry) saying(w []string) Entry        { e.Reason = w[0]; return e }

// wordsRecord stands for no record: under it a family has the key of what people
// typed about it outside of records.
var wordsRecord = syncproto.RecordID([]byte("doorstep reasons"))

// WordsKey names the key that what is typed about a family outside of its records is
// sealed under. It has to be there (Keys.Ensure) before an entry with such words.
func WordsKey(family syncproto.FamilyID) KeyPair { return KeyPair{family, wordsRecord} }

// wordsAAD binds what is sealed of an entry's words.
const wordsAAD = "doorstep-words-v1"

// WithoutWords is an entry without what people typed in it: for an erased family,
// whose words nothing could be sealed under any more.
func WithoutWords(e Entry) Entry {
	if t, ok := e.(typed); ok {
		return wordless(t)
	}
	return e
}

// sealWords takes the words out of an entry and seals them; nothing if there are
// none.
func sealWords(e Entry, s Sealer) (without Entry, sealed []byte, err error) {
	t, ok := e.(typed)
	if !ok || saysNothing(t.words()) {
		return e, nil, nil
	}
	var b []byte
	for _, w := range t.words() {
		b = cbor.AppendText(b, w)
	}
	if sealed, err = s.Seal(WordsKey(t.family()), []byte(wordsAAD), b); err != nil {
		return e, nil, fmt.Errorf("sealing what was typed about a family: %w", err)
	}
	return wordless(t), sealed, nil
}

// unsealWords puts the words back. They are gone once their family is erased, and
// then the entry is shown without: who did what, and when, is not in them. What
// cannot be opened for another reason is no reason to open no door, or to shut none.
func unsealWords(e Entry, sealed []byte, s Sealer) (Entry, error) {
	t, ok := e.(typed)
	switch {
	case len(sealed) == 0:
		return e, nil
	case !ok || !saysNothing(t.words()):
		return nil, ErrEntry
	}
	plain, err := s.Unseal(WordsKey(t.family()), []byte(wordsAAD), sealed)
	if err != nil {
		return e, nil
	}
	d := newDecoder(plain)
	words := t.words()
	for i := range words {
		words[i] = d.Text()
	}
	if d.Done() != nil || saysNothing(words) {
		return nil, ErrEntry
	}
	return t.saying(words), nil
}

func saysNothing(words []string) bool {
	for _, w := range words {
		if w != "" {
			return false
		}
	}
	return true
}

func wordless(t typed) Entry { return t.saying(make([]string, len(t.words()))) }

// forgetWords makes the state say of a family what it will say after the next start:
// its words are erased. mu is held.
func (s *State) forgetWords(family syncproto.FamilyID) {
	r := &s.relations
	for _, of := range r.direct {
		for on, e := range of {
			if on.family == family && e.Reason != "" {
				of[on] = wordless(e).(RelationEntry)
			}
		}
	}
	for category, e := range r.restrictions[family] {
		r.restrictions[family][category] = wordless(e).(RestrictionEntry)
	}
	for id, e := range r.openings {
		if e.Family == family {
			r.openings[id] = wordless(e).(BreakGlassEntry)
		}
	}
	s.evidence.misfiled.forgetReasons(family)
	for id, e := range s.evidence.holds {
		if e.Family == family {
			s.evidence.holds[id] = wordless(e).(HoldEntry)
		}
	}
}
