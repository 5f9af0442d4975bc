package spec_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"doorstep/syncproto"
)

// update writes the vectors and the schema reference anew. Look at the
// difference before committing it: a vector that changes is a format that broke.
var update = flag.Bool("update", false, "write vectors/ and schema.md")

// lineWidth is where a field's value goes on in the next line.
const lineWidth = 100

// render writes a vector as parseVector reads it.
func (v vector) render() string {
	var b strings.Builder
	for _, f := range v.fields {
		line := f.key + ": " + f.value
		for utf8.RuneCountInString(line) > lineWidth {
			cut := runes(line, lineWidth)
			for line[cut-1] == ' ' { // no line ends in a space, which editors remove
				cut--
			}
			b.WriteString(line[:cut] + "\n")
			line = "  " + line[cut:]
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// runes returns how many bytes the first n code points of s take.
func runes(s string, n int) int {
	at := 0
	for range n {
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return at
}

// maker gathers vectors, numbered by area.
type maker struct {
	t       *testing.T
	vectors []vector
	numbers map[string]int
}

// add files a vector under area/NN-name.txt; pairs are its further fields, keys
// and values in turn, of which empty values are left out.
func (m *maker) add(area, name, kind string, expect syncproto.Code, comment string, pairs ...string) {
	m.numbers[area]++
	v := vector{name: fmt.Sprintf("%s/%02d-%s.txt", area, m.numbers[area], name)}
	v.fields = []field{{"kind", kind}, {"expect", expect.Error()}, {"comment", comment}}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.fields = append(v.fields, field{pairs[i], pairs[i+1]})
		}
	}
	m.vectors = append(m.vectors, v)
}

// says is the diagnostic notation of what a valid vector holds.
func (m *maker) says(expect syncproto.Code, b []byte) string {
	if expect != syncproto.CodeOK && expect != syncproto.CodeNewerApp {
		return ""
	}
	return says(m.t, b)
}

// message files a vector of one encoded message.
func (m *maker) message(area, name string, expect syncproto.Code, comment string, b []byte) {
	m.add(area, name, area, expect, comment, "hex", hex.EncodeToString(b), "says", m.says(expect, b))
}

func generate(t *testing.T) []vector {
	t.Helper()
	m := &maker{t: t, numbers: map[string]int{}}
	valueVectors(m)
	bodyVectors(m)
	messageVectors(m)
	frameVectors(m)
	chainVectors(m)
	purgeVectors(m)
	replyVectors(m)
	foldVectors(m)
	logVectors(m)
	outboxVectors(m)
	return m.vectors
}

func TestVectorsAreCurrent(t *testing.T) {
	want := map[string]string{}
	for _, v := range generate(t) {
		want[v.name] = v.render()
	}
	if *update {
		writeVectors(t, want)
	}
	for _, v := range readVectors(t) {
		if _, ok := want[v.name]; !ok {
			t.Errorf("%s: nothing writes it; remove it, or add it to the generator", v.name)
		}
	}
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join("vectors", name))
		if err != nil || !bytes.Equal(got, []byte(text)) {
			t.Errorf("%s is not what is generated (error %v); if the change is meant, run: go test ./syncproto/spec -update", name, err)
		}
	}
}

// writeVectors replaces the folders that the generator owns.
func writeVectors(t *testing.T, files map[string]string) {
	t.Helper()
	for name := range files {
		if err := os.RemoveAll(filepath.Join("vectors", filepath.Dir(name))); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		path := filepath.Join("vectors", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
