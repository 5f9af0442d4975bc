// Package search finds records by their words, in memory.
//
// A Shelf is the words of one family's records: each word once, with the records that
// hold it. It is built anew when the family has news and is dropped when something of it
// is erased, so that nothing of what was erased stays behind. Words folds a text to what
// is compared: small letters without accents, so that "Siân" is found by "sian". A query
// is a list of such words; each is found at the beginning of a word, as people type.
//
// The package knows nothing of who may read what: Find is told which records count.
package search

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sort"
)

// Record is one record of a family, for a Shelf. Names: its words are what the family or a
// person in it is called, which any record of the family is found by.
type Record struct {
	Text  string
	Names bool
}

// Shelf is the words of a family's records. It is never changed, and safe for concurrent
// use.
type Shelf struct {
	names   []int
	records int
	// words are sorted and written one behind the other: how many bytes it has in common
	// with the word before, its other bytes, and the numbers of the records that hold it,
	// each as the step from the one before. One in blockWords is whole, and in blocks with where
	// it stands.
	words  []byte
	blocks []block
}

type block struct {
	word string
	at   int
}

// blockWords is how many words are written behind a whole one.
const blockWords = 64

// Build makes the Shelf of some records, which are known by their place in the list.
func Build(list []Record) *Shelf {
	s := &Shelf{records: len(list)}
	holders := map[string][]int{}
	for n, r := range list {
		if r.Names {
			s.names = append(s.names, n)
		}
		for _, word := range Words(r.Text) {
			if at := holders[word]; len(at) == 0 || at[len(at)-1] != n {
				holders[word] = append(at, n)
			}
		}
	}
	words := make([]string, 0, len(holders))
	for w := range holders {
		words = append(words, w)
	}
	sort.Strings(words)
	before := ""
	for i, w := range words {
		if i%blockWords == 0 {
			s.blocks, before = append(s.blocks, block{w, len(s.words)}), ""
		}
		s.words = appendWord(s.words, before, w, holders[w])
		before = w
	}
	s.words = slices.Clip(s.words)
	return s
}

func appendWord(b []byte, before, word string, at []int) []byte {
	same := 0
	for same < len(before) && same < len(word) && before[same] == word[same] {
		same++
	}
	b = binary.AppendUvarint(b, uint64(same))
	b = binary.AppendUvarint(b, uint64(len(word)-same))
	b = append(b, word[same:]...)
	b = binary.AppendUvarint(b, uint64(len(at)))
	last := 0
	for _, n := range at {
		b = binary.AppendUvarint(b, uint64(n-last))
		last = n
	}
	return b
}

// Bytes is how much memory the Shelf takes, about.
func (s *Shelf) Bytes() int { return len(s.words) + 40*len(s.blocks) + 8*len(s.names) + 96 }

// Find returns which records hold every word of a query, in order of their numbers: words
// as Words gives them. A word that the names of the family hold counts for each of its
// records, but one word at least must be the record's own. Only records for which may
// returns true count, for names as well.
func (s *Shelf) Find(query []string, may func(n int) bool) []int {
	if len(query) == 0 || len(s.words) == 0 {
		return nil
	}
	all := newSet(s.records)
	own := newSet(s.records)
	all.fill(s.records)
	for _, word := range query {
		found := s.holders(word)
		own.or(found)
		if slices.ContainsFunc(s.names, func(n int) bool { return found.has(n) && may(n) }) {
			continue // of the family: every record of it has this word
		}
		all.and(found)
		if all.empty() {
			return nil
		}
	}
	all.and(own)
	return slices.DeleteFunc(all.list(), func(n int) bool { return !may(n) })
}

// holders are the records with a word that begins so.
func (s *Shelf) holders(prefix string) set {
	out := newSet(s.records)
	// The first word that begins so is in the last block that begins before it.
	from := sort.Search(len(s.blocks), func(i int) bool { return s.blocks[i].word >= prefix })
	if from > 0 {
		from--
	}
	var word []byte
	for b := s.words[s.blocks[from].at:]; len(b) > 0; {
		word, b = nextWord(word, b)
		count := 0
		count, b = number(b)
		wanted := bytes.HasPrefix(word, []byte(prefix))
		if !wanted && string(word) > prefix {
			break
		}
		n := 0
		for range count {
			var step int
			step, b = number(b)
			if n += step; wanted {
				out.add(n)
			}
		}
	}
	return out
}

// nextWord reads a word behind the one before, in whose place it is written.
func nextWord(word, b []byte) (next, rest []byte) {
	same, b := number(b)
	more, b := number(b)
	return append(word[:same], b[:more]...), b[more:]
}

func number(b []byte) (int, []byte) {
	n, size := binary.Uvarint(b)
	return int(n), b[size:]
}

// set is a set of records.
type set []uint64

func newSet(records int) set { return make(set, (records+63)/64) }

func (s set) add(n int)      { s[n/64] |= 1 << (n % 64) }
func (s set) has(n int) bool { return s[n/64]&(1<<(n%64)) != 0 }

func (s set) fill(records int) {
	for n := range records {
		s.add(n)
	}
}

func (s set) and(t set) {
	for i := range s {
		s[i] &= t[i]
	}
}

func (s set) or(t set) {
	for i := range s {
		s[i] |= t[i]
	}
}

func (s set) empty() bool { return !slices.ContainsFunc(s, func(x uint64) bool { return x != 0 }) }

func (s set) list() []int {
	var out []int
	for i, x := range s {
		for n := 0; x != 0; n, x = n+1, x>>1 {
			if x&1 != 0 {
				out = append(out, i*64+n)
			}
		}
	}
	return out
}
