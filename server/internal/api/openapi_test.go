package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"doorstep/server/internal/auth"
	"doorstep/syncproto"
)

func loadDocument(t *testing.T, b []byte) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(b)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestDocumentIsValidAndMatchesTheRoutes(t *testing.T) {
	w := newWorld(t, nil)
	a := w.get("/v1/openapi.json", "")
	doc := loadDocument(t, a.body)
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	var served, documented []string
	for _, r := range w.api.app.GetRoutes(true) {
		app := strings.HasPrefix(r.Path, "/app") || r.Path == "/" // files for browsers, not the API
		if r.Method != http.MethodHead && !app {
			served = append(served, r.Method+" "+openPath(r.Path))
		}
	}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			documented = append(documented, method+" "+path)
		}
	}
	slices.Sort(served)
	slices.Sort(documented)
	if len(served) == 0 || !slices.Equal(served, documented) {
		t.Errorf("served:\n%s\ndocumented:\n%s", strings.Join(served, "\n"), strings.Join(documented, "\n"))
	}
}

func TestEveryCodeHasAStatus(t *testing.T) {
	n := 0
	for c := syncproto.CodeOK; c < 200; c++ {
		if c.Error() == syncproto.Code(65000).Error() { // no such code
			continue
		}
		n++
		if got := status(c); got == http.StatusInternalServerError && c != syncproto.CodeInternal {
			t.Errorf("code %d (%s) has no status", c, c)
		}
	}
	if n < 55 {
		t.Errorf("only %d codes were found", n)
	}
}

// holdToDocument checks an answer against what the document promises.
func (w *world) holdToDocument(method, path string, a answer) {
	w.t.Helper()
	w.docOnce.Do(func() { w.doc = loadDocument(w.t, w.api.OpenAPI()) })
	op := operationOf(w.doc, method, path)
	if op == nil {
		return // nothing is promised for what no route serves
	}
	res := op.Responses.Value(strconv.Itoa(a.status))
	if res == nil {
		w.t.Errorf("%s %s answered %d, which is not documented", method, path, a.status)
		return
	}
	media, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	content := res.Value.Content.Get(media)
	if len(a.body) == 0 && len(res.Value.Content) == 0 {
		return
	}
	if content == nil {
		w.t.Errorf("%s %s answered %d as %q, which is not documented", method, path, a.status, media)
		return
	}
	if !strings.HasSuffix(media, "json") {
		return
	}
	var v any
	if err := json.Unmarshal(a.body, &v); err != nil {
		w.t.Errorf("%s %s: %v", method, path, err)
		return
	}
	if err := content.Schema.Value.VisitJSON(v); err != nil {
		w.t.Errorf("%s %s answered what is not documented: %v", method, path, err)
	}
}

func operationOf(doc *openapi3.T, method, path string) *openapi3.Operation {
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(path, "/")
	for pattern, item := range doc.Paths.Map() {
		want := strings.Split(pattern, "/")
		same := len(want) == len(parts)
		for i := range want {
			same = same && (want[i] == "{id}" || want[i] == parts[i])
		}
		if same {
			return item.Operations()[method]
		}
	}
	return nil
}

func TestRefusalOfABadRequestNamesEveryKey(t *testing.T) {
	w := newWorld(t, nil)
	a := w.postJSON("/v1/devices", "", EnrolRequest{Login: strings.Repeat("ä", 100), PublicKey: "short"})
	var p Problem
	a.wantJSON(t, http.StatusBadRequest, &p)
	got := map[string]string{}
	for _, d := range p.Details {
		got[d.Path] = d.Name
	}
	want := map[string]string{"login": "too_large", "code": "missing_field",
		"public_key": "bad_value", "proof": "missing_field"}
	if len(got) != len(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("got %s=%s, want %s", k, got[k], v)
		}
	}
	if strings.Contains(string(a.body), "short") {
		t.Error("the answer repeats a value")
	}
}

func TestRulesReachIntoLists(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	s := w.signIn("jo")
	record := strings.Repeat("0", 32)
	a := w.postJSON("/v1/records/"+record+"/finalise", s.AccessToken,
		FinaliseRequest{Heads: []RecordHeadsJSON{{Record: record, Heads: []string{strings.Repeat("0", 64), "nope"}}}})
	a.wantKeyNamed(t, http.StatusBadRequest, "heads[0].heads[1]")
	a = w.postJSON("/v1/records/"+record+"/finalise", s.AccessToken, FinaliseRequest{})
	a.wantKeyNamed(t, http.StatusBadRequest, "heads")
	a = w.postJSON("/v1/records/"+record+"/query", s.AccessToken, QueryRequest{Path: &PathJSON{Field: ""}, To: record, Text: "x"})
	a.wantKeyNamed(t, http.StatusBadRequest, "path.field")
}

// wantKeyNamed checks that a refusal names a key.
func (a answer) wantKeyNamed(t *testing.T, status int, key string) {
	t.Helper()
	var p Problem
	a.wantJSON(t, status, &p)
	for _, d := range p.Details {
		if d.Path == key {
			return
		}
	}
	t.Errorf("got %+v, want a detail for %s", p.Details, key)
}
