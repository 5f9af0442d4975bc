package search

import (
	"strings"
	"unicode/utf8"
)

// Piece is a stretch of an excerpt; Found: it is what was looked for.
type Piece struct {
	Text  string
	Found bool
}

// around is how many bytes of a text are shown on each side of what was found.
const around = 90

// Excerpt is the stretch of a text around the first word that one of a query begins, with
// all such words in it marked; nil if there is none.
func Excerpt(text string, query []string) []Piece {
	var marks [][2]int
	each(text, func(from, to int) {
		if whole, parts := fold(text[from:to]); begins(whole, query) || len(parts) > 1 && anyBegins(parts, query) {
			marks = append(marks, [2]int{from, to})
		}
	})
	if len(marks) == 0 {
		return nil
	}
	from, to := wordsAround(text, marks[0][0], marks[0][1])
	var out []Piece
	add := func(s string, found bool) {
		if s != "" {
			out = append(out, Piece{s, found})
		}
	}
	at := from
	for _, m := range marks {
		if m[1] > to {
			break
		}
		add(text[at:m[0]], false)
		add(text[m[0]:m[1]], true)
		at = m[1]
	}
	add(text[at:to], false)
	if from > 0 {
		out[0].Text = "… " + out[0].Text
	}
	if to < len(text) {
		out[len(out)-1].Text += " …"
	}
	return out
}

func begins(word string, query []string) bool {
	for _, q := range query {
		if strings.HasPrefix(word, q) {
			return true
		}
	}
	return false
}

func anyBegins(words, query []string) bool {
	for _, w := range words {
		if begins(w, query) {
			return true
		}
	}
	return false
}

// wordsAround widens a stretch of a text, to whole words.
func wordsAround(text string, from, to int) (int, int) {
	if from = max(0, from-around); from > 0 {
		if space := strings.IndexByte(text[from:], ' '); space >= 0 && space < around {
			from += space + 1
		}
		for !utf8.RuneStart(text[from]) {
			from++
		}
	}
	if to = min(len(text), to+around); to < len(text) {
		if space := strings.LastIndexByte(text[:to], ' '); space > to-around {
			to = space
		}
		for !utf8.RuneStart(text[to]) {
			to--
		}
	}
	return from, to
}
