package search

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxWord is how many letters of a word count: what is longer is no word.
const maxWord = 40

// Words are the words of a text, folded, each once, in order of first use. What is joined
// by an apostrophe or a hyphen is a word as a whole, and each part of it one too.
func Words(text string) []string {
	var out []string
	seen := map[string]bool{}
	add := func(w string) {
		if w != "" && !seen[w] {
			seen[w] = true
			out = append(out, w)
		}
	}
	each(text, func(from, to int) {
		whole, parts := fold(text[from:to])
		add(whole)
		if len(parts) > 1 {
			for _, p := range parts {
				add(p)
			}
		}
	})
	return out
}

// Query are the words that somebody looks for, at most most: without the parts of what is
// joined, and without single letters, which too much begins with.
func Query(text string, most int) []string {
	var out []string
	each(text, func(from, to int) {
		whole, _ := fold(text[from:to])
		if len([]rune(whole)) > 1 && len(out) < most && !slices.Contains(out, whole) {
			out = append(out, whole)
		}
	})
	return out
}

// each calls fn with where each word of a text stands.
func each(text string, fn func(from, to int)) {
	from := -1
	for at, r := range text {
		switch {
		case letter(r) || from >= 0 && joins(r):
			if from < 0 {
				from = at
			}
		case from >= 0:
			fn(from, at)
			from = -1
		}
	}
	if from >= 0 {
		fn(from, len(text))
	}
}

func letter(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.Mn, unicode.Mc) }

func joins(r rune) bool {
	return r == '\'' || r == '\u2019' || r == '-' || r == '\u2010' || r == '\u2011'
}

// fold writes a word as it is compared, as a whole and in the parts that it is joined of.
func fold(word string) (whole string, parts []string) {
	var part strings.Builder
	end := func() {
		if part.Len() > 0 {
			parts = append(parts, part.String())
			part.Reset()
		}
	}
	n := 0
	for _, r := range norm.NFKD.String(word) {
		switch {
		case joins(r):
			end()
		case unicode.Is(unicode.Mn, r) || n == maxWord:
		default:
			n++
			part.WriteString(plain(unicode.ToLower(r)))
		}
	}
	end()
	return strings.Join(parts, ""), parts
}

// plain writes letters that are no other letter with a mark on it as people type them who
// have no such key.
func plain(r rune) string {
	switch r {
	case 'ł':
		return "l"
	case 'ø':
		return "o"
	case 'đ', 'ð':
		return "d"
	case 'ħ':
		return "h"
	case 'ı':
		return "i"
	case 'ß':
		return "ss"
	case 'æ':
		return "ae"
	case 'œ':
		return "oe"
	case 'þ':
		return "th"
	case 'ŋ':
		return "n"
	}
	return string(r)
}
