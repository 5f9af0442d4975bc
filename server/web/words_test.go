package web_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"doorstep/server/web/webtest"
	"doorstep/syncproto"
	"doorstep/syncproto/clocks"
	"doorstep/syncproto/schema"
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

// TestRefusalsSpeakWelsh: every reason that the protocol, or the client by itself, gives to a
// person has words in Welsh, and those that may be said in several ways in English have as many.
func TestRefusalsSpeakWelsh(t *testing.T) {
	english := refusals(t)
	source, err := os.ReadFile(filepath.Join("src", "words", "refusals.cy.ts"))
	if err != nil {
		t.Fatal(err)
	}
	welsh := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^  "([^"]+)": "(.*)",$`).FindAllStringSubmatch(string(source), -1) {
		welsh[m[1]] = m[2]
	}
	for code, plain := range english {
		if words := welsh[code]; strings.TrimSpace(words) == "" || slices.Contains(plain, words) {
			t.Errorf("%s (%q) is %q in Welsh", code, plain, words)
		}
	}
	for key := range welsh {
		code, plain, apart := strings.Cut(key, "|")
		if said, ok := english[code]; !ok || apart && !slices.Contains(said, plain) {
			t.Errorf("nobody gives the reason %q", key)
		}
	}
}

// refusals are the codes that a person may read the words of, with these: the protocol's
// first, then what the client says besides.
func refusals(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for c := syncproto.Code(1); c < 1000; c++ {
		if c.Error() != "unknown" {
			found[c.Error()] = []string{c.Plain()}
		}
	}
	found["unknown"] = []string{syncproto.Code(999).Plain()}
	gives, sentence := regexp.MustCompile(`(?:new Refusal\(|\bcode: )"(\w+)",(.*)`), regexp.MustCompile(`"([A-Z][^"]*\.)"`)
	files, err := filepath.Glob("../../client-sdk/ts/src/*.ts")
	more, err2 := filepath.Glob("../../client-sdk/ts/src/worker/*.ts")
	if err != nil || err2 != nil || len(files) < 5 || len(more) < 10 {
		t.Fatalf("the client's source: %d and %d files, %v, %v", len(files), len(more), err, err2)
	}
	own := 0
	for _, file := range append(files, more...) {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range gives.FindAllStringSubmatch(string(source), -1) {
			for _, plain := range sentence.FindAllStringSubmatch(m[2], -1) {
				found[m[1]] = append(found[m[1]], plain[1])
				own++
			}
		}
	}
	if own < 12 || len(found) < 70 {
		t.Fatalf("only %d reasons were found, %d of them the client's own", len(found), own)
	}
	return found
}

// TestReasonsOfDueDatesHaveWords: what package clocks rests a day on where no regulation
// is named, and each unit in which it counts, is in the app's table of them.
func TestReasonsOfDueDatesHaveWords(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("src", "screens", "today.tsx"))
	if err != nil {
		t.Fatal(err)
	}
	table := func(name string) []string {
		_, from, _ := strings.Cut(string(source), "const "+name+":")
		body, _, _ := strings.Cut(from, ";\n")
		_, body, _ = strings.Cut(body, "= {")
		var keys []string
		for _, m := range regexp.MustCompile(`(?:"([^"]+)"|(\b[A-Z]+)): [\["]`).FindAllStringSubmatch(body, -1) {
			keys = append(keys, m[1]+m[2])
		}
		slices.Sort(keys)
		return keys
	}
	want := []string{clocks.LocalPolicy, clocks.OwnPlan}
	slices.Sort(want)
	if got := table("bases"); !slices.Equal(got, want) {
		t.Errorf("the app has words for %q, days rest on %q", got, want)
	}
	var units []string
	kind, _ := schema.Newest("status")
	frequency, _ := kind.Field("visit_frequency")
	for _, f := range frequency.Sub {
		if f.ID == "unit" {
			for _, c := range f.Codes.All() {
				units = append(units, c.Code)
			}
		}
	}
	slices.Sort(units)
	if got := table("units"); len(got) < 4 || !slices.Equal(got, units) {
		t.Errorf("the app has words for the units %q, there are %q", got, units)
	}
}

// TestFormsSpeakWelsh: what the schema gives a person to read is there in Welsh too, word
// for word of the schema as it is now, and is not the English left standing.
func TestFormsSpeakWelsh(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("src", "words", "kinds.cy.json"))
	if err != nil {
		t.Fatal(err)
	}
	welsh := map[string]string{}
	if err := json.Unmarshal(source, &welsh); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(welsh[""], "aros i gael ei adolygu") {
		t.Error("the texts do not say that they await review")
	}
	delete(welsh, "")
	same := []string{"Person", "person", "Makaton", "Incredible Years", "Triple P", "Strengthening Families, Strengthening Communities",
		"Strengthening Families 10-14"} // names, and a word that both languages have
	english := formTexts()
	for text, place := range english {
		if strings.Contains(text, "|") {
			continue // if it means nothing else there
		}
		switch other, ok := welsh[text]; {
		case !ok:
			t.Errorf("%s: %q has no Welsh", place, text)
		case strings.TrimSpace(other) == "" || other == text && !slices.Contains(same, text):
			t.Errorf("%s: %q is %q in Welsh", place, text, other)
		}
	}
	for key := range welsh {
		if _, ok := english[key]; !ok {
			t.Errorf("no form says %q", key)
		}
		if place, text, apart := strings.Cut(key, "|"); apart && welsh[text] == welsh[key] {
			t.Errorf("%s says of %q what is said of it everywhere", place, text)
		}
	}
}

// formTexts are the texts of every kind, each with a place where it stands, and also under
// that place for what means something else there: "plan.trajectory.date|By".
func formTexts() map[string]string {
	texts := map[string]string{}
	note := func(place string, words ...string) {
		for _, w := range words {
			if w != "" {
				texts[w], texts[place+"|"+w] = place, place
			}
		}
	}
	checks := func(place string, list []schema.Check) {
		for _, c := range list {
			note(place, c.Plain)
		}
	}
	var walk func(place string, fields []schema.Field)
	walk = func(place string, fields []schema.Field) {
		for i := range fields {
			f, at := &fields[i], place+"."+fields[i].ID
			note(at, f.Hint.Label, f.Hint.Help, f.Hint.Section)
			for _, c := range f.Codes.All() {
				note(at, c.Label)
			}
			checks(at, f.Checks)
			walk(at, f.Sub)
		}
	}
	for _, k := range schema.All() {
		note(k.ID, k.Name)
		checks(k.ID, k.Checks)
		walk(k.ID, k.Fields)
	}
	return texts
}

// TestEveryPageIsLookedAt: each page of the app, and everything that it tells of a
// record's way to the borough, is in the list of states that are held to WCAG 2.2 AA.
func TestEveryPageIsLookedAt(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("src", "desk.tsx"))
	if err != nil {
		t.Fatal(err)
	}
	pages, shows := map[string]bool{}, map[string]bool{}
	for _, s := range webtest.States() {
		pages[s.Page] = true
		for _, key := range s.Shows {
			shows[key] = true
		}
	}
	found := regexp.MustCompile(`case "(\w+)": return|place === "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(found) < 7 {
		t.Fatalf("only %d pages were found", len(found))
	}
	for _, m := range found {
		if page := m[1] + m[2]; !pages[page] {
			t.Errorf("nobody looks at the page %s", page)
		}
	}
	for key := range catalogue(t, "en") {
		if strings.HasPrefix(key, "fate.") && !shows[key] {
			t.Errorf("nobody looks at a record that says %s", key)
		}
	}
}

// TestHintsNameFields: what is said of how a form is laid out is about kinds and fields
// that there are.
func TestHintsNameFields(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("src", "form", "hints.ts"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(source), "hints: {")
	named, entry := 0, regexp.MustCompile(`(?m)^  (\w+): \{`)
	kinds, bodies := entry.FindAllStringSubmatch(table, -1), entry.Split(table, -1)[1:]
	for i, m := range kinds {
		kind, ok := schema.Newest(m[1])
		if !ok {
			t.Errorf("%s is no kind", m[1])
			continue
		}
		for _, id := range regexp.MustCompile(`"([a-z_]+)"|(\w+): \{ field`).FindAllStringSubmatch(bodies[i], -1) {
			named++
			if _, ok := kind.Field(id[1] + id[2]); !ok {
				t.Errorf("%s has no field %s", m[1], id[1]+id[2])
			}
		}
	}
	if named < 20 {
		t.Errorf("only %d fields were found", named)
	}
}
