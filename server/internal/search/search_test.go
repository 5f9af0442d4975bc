package search_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"doorstep/server/internal/search"
)

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"Siân ap Gwilym-Llŷr":      "sian ap gwilymllyr gwilym llyr",
		"O\u2019Brien's dog, dog":  "obriens o brien s dog",
		"Łukasz Þóra Çelik STRAẞE": "lukasz thora celik strasse",
		"محمد, 3 May 2026; ﬁne":    "محمد 3 may 2026 fine",
		"  - ' ":                   "",
	} {
		if got := strings.Join(search.Words(text), " "); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := search.Query("a Smith-Jones smith-jones b12 and more", 3); !slices.Equal(got, []string{"smithjones", "b12", "and"}) {
		t.Errorf("query: got %q", got)
	}
}

func TestFind(t *testing.T) {
	shelf := search.Build([]search.Record{
		{Text: "The Okafor family", Names: true},
		{Text: "Chiamaka Okafor", Names: true},
		{Text: "A bruise on the left arm; Chiamaka said she fell."},
		{Text: "Nobody at home. The arm of the chair was bruised."},
		{},
	})
	everything := func(int) bool { return true }
	withoutPerson := func(n int) bool { return n != 1 }
	for _, c := range []struct {
		query string
		may   func(int) bool
		want  []int
	}{
		{"okaf", everything, []int{0, 1}},
		{"brui", everything, []int{2, 3}},
		{"bruise", everything, []int{2, 3}},
		{"bruised", everything, []int{3}},
		{"okafor bruise arm", everything, []int{2, 3}},
		{"chiamaka bruise", everything, []int{2, 3}},
		{"chiamaka bruise", withoutPerson, []int{2}},
		{"chiamaka home", withoutPerson, nil},
		{"chiamaka", withoutPerson, []int{2}},
		{"okafor nothing", everything, nil},
		{"zz", everything, nil},
		{"", everything, nil},
	} {
		if got := shelf.Find(search.Query(c.query, 9), c.may); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %v, want %v", c.query, got, c.want)
		}
	}
}

// TestFindIsASearchThroughTheTexts: what a Shelf finds is what looking through each text
// finds.
func TestFindIsASearchThroughTheTexts(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 7))
		word := func() string {
			return strings.Repeat(string(rune('a'+rng.IntN(3))), 1+rng.IntN(3)) + string(rune('a'+rng.IntN(4)))
		}
		list := make([]search.Record, rng.IntN(90))
		for n := range list {
			for range rng.IntN(12) {
				list[n].Text += word() + word() + " "
			}
		}
		shelf := search.Build(list)
		query := []string{word(), word()[:1]}[:1+rng.IntN(2)]
		may := func(n int) bool { return n%5 != 0 }
		var want []int
		for n, r := range list {
			missing := slices.ContainsFunc(query, func(q string) bool {
				return !slices.ContainsFunc(strings.Fields(r.Text), func(w string) bool { return strings.HasPrefix(w, q) })
			})
			if !missing && may(n) {
				want = append(want, n)
			}
		}
		if got := shelf.Find(query, may); !slices.Equal(got, want) {
			t.Errorf("seed %d, %q in %d records: got %v, want %v", seed, query, len(list), got, want)
		}
	}
}

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("Vorher wäre ", 30) + "saw a Brüise there. " + strings.Repeat("nachher ö ", 30)
	for _, c := range []struct{ text, query, want string }{
		{"She saw a bruise, and bruises.", "bruis", "She saw a [bruise], and [bruises]."},
		{"Smith-Jones came", "jones", "[Smith-Jones] came"},
		{"nothing", "bruis", ""},
	} {
		if got := written(search.Excerpt(c.text, search.Query(c.query, 9))); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
	got := written(search.Excerpt(long, []string{"bruis"}))
	if !strings.HasPrefix(got, "… ") || !strings.HasSuffix(got, " …") || !strings.Contains(got, "saw a [Brüise] there") || len(got) > 300 {
		t.Errorf("of a long text: %q", got)
	}
	for at := range len(long) {
		search.Excerpt(long[at:], []string{"bruis"}) // no cut within a letter panics
	}
}

func written(pieces []search.Piece) string {
	var b strings.Builder
	for _, p := range pieces {
		if p.Found {
			fmt.Fprintf(&b, "[%s]", p.Text)
		} else {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}
