package endtoend

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"
)

// prose returns English as people wrote it: what the public traces of package
// text end with (syncproto/text/testdata/ATTRIBUTION.md), about 25 KB.
func prose(t *testing.T) string {
	t.Helper()
	var all string
	for _, name := range []string{"friendsforever.json.gz", "blog-post-excerpt.json.gz"} {
		f, err := os.Open(filepath.Join("..", "..", "syncproto", "text", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		unzipped, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		var trace struct {
			EndContent string `json:"endContent"`
		}
		if err := json.NewDecoder(unzipped).Decode(&trace); err != nil {
			t.Fatal(err)
		}
		all += trace.EndContent + "\n"
	}
	return all
}

// take cuts about n bytes off the front of a text, between two characters.
func take(text *string, n int) string {
	for n < len(*text) && !utf8.RuneStart((*text)[n]) {
		n--
	}
	n = min(n, len(*text))
	out := (*text)[:n]
	*text = (*text)[n:]
	return out
}
