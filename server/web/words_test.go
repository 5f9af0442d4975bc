package web

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// catalogue reads the texts of a language, by their keys.
func catalogue(t *testing.T, language string) map[string]string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("src", "words", language+".ts"))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^  "([a-z_.]+)": "(.*)",$`).FindAllStringSubmatch(string(source), -1) {
		texts[m[1]] = m[2]
	}
	if len(texts) < 150 {
		t.Fatalf("%s: only %d texts were found", language, len(texts))
	}
	return texts
}

// TestBothLanguagesSayTheSame: every text is there in both, with the same places to fill
// in, and is not the other language's left standing.
func TestBothLanguagesSayTheSame(t *testing.T) {
	english, welsh := catalogue(t, "en"), catalogue(t, "cy")
	places := func(text string) []string {
		found := regexp.MustCompile(`\{\w+\}`).FindAllString(text, -1)
		slices.Sort(found)
		return found
	}
	same := []string{"app.name", "conflict.side"} // a name, and nothing but places
	for key, text := range english {
		other, ok := welsh[key]
		switch {
		case !ok:
			t.Errorf("%s has no Welsh", key)
		case !slices.Equal(places(text), places(other)):
			t.Errorf("%s: places to fill in differ: %q, %q", key, text, other)
		case text == other && !slices.Contains(same, key):
			t.Errorf("%s is the same in both languages: %q", key, text)
		}
	}
	for key := range welsh {
		if _, ok := english[key]; !ok {
			t.Errorf("%s has no English", key)
		}
	}
}

// TestEveryTextIsUsed: what no screen says any more is taken out of the catalogue.
func TestEveryTextIsUsed(t *testing.T) {
	var source strings.Builder
	err := filepath.WalkDir("src", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Base(filepath.Dir(path)) == "words" || !strings.HasPrefix(filepath.Ext(path), ".ts") {
			return err
		}
		b, err := os.ReadFile(path)
		source.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for key := range catalogue(t, "en") {
		group := key[:strings.LastIndex(key, ".")+1]
		if !strings.Contains(source.String(), `"`+key+`"`) && !strings.Contains(source.String(), "`"+group+"${") {
			t.Errorf("no screen says %s", key)
		}
	}
}
