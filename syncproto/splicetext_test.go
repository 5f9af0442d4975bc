package syncproto

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestBytesOf holds the quick way over ASCII against counting every code point.
func TestBytesOf(t *testing.T) {
	for _, words := range []string{
		"", "a", "seven b", "eight by", "nine byte", "Zoë was at home with Mr Łukasz and their dog",
		strings.Repeat("plain words and then ", 9) + "über" + strings.Repeat(" more", 20), "äöüäöüäöü", "1234567ü", "\u65e5本語 text 日本語",
	} {
		for count := range utf8.RuneCountInString(words) + 2 {
			want, ok := 0, count <= utf8.RuneCountInString(words)
			if ok {
				want = len(string([]rune(words)[:count]))
			}
			if got, gotOK := bytesOf(words, uint64(count)); got != want || gotOK != ok {
				t.Errorf("%d code points of %q: %d bytes, %t, want %d, %t", count, words, got, gotOK, want, ok)
			}
		}
	}
}
