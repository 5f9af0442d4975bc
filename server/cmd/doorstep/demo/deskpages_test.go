package demo

import (
	"go/ast"
	"regexp"
	"strings"
	"testing"
)

// notCrawled are pages of the desk that nobody's crawl comes to, and why.
var notCrawled = map[string]string{
	"live.js":                 "no page",
	"version":                 "no page: by it a script asks whether what is shown has changed",
	"records/:id/version":     "no page: by it a script asks whether what is shown has changed",
	"families/:id/lift":       "nothing is restricted on this day",
	"records/:id/stand-in":    "nobody has left on this day",
	"records/:id/read":        "nobody changed a sentence that another changed apart on this day",
	"custody/:id":             "nothing is in custody on this day",
	"records/:id/original":    "no record is moved out of the wrong file before the crawl",
	"records/:id/accept-late": "what came late was taken on",
}

var ids = regexp.MustCompile(`[0-9a-f]{32,64}`)

// everyPage holds that the crawl came to every page that there is: a page that is new is
// held to what access says with all the others, or is told apart here.
func everyPage(t *testing.T, readers map[string]*reader) {
	t.Helper()
	seen := map[string]bool{}
	for _, r := range readers {
		for address := range r.pages {
			address, _, _ = strings.Cut(strings.TrimPrefix(address, "/desk/"), "?")
			seen[ids.ReplaceAllString(address, ":id")] = true
		}
	}
	for path := range pagesInCode(t) {
		if _, left := notCrawled[path]; seen[path] == left {
			t.Errorf("%q: somebody's crawl came to it: %v; the table leaves it out: %v", path, seen[path], left)
		}
	}
}

// pagesInCode are the addresses of all pages and forms, below the desk's own.
func pagesInCode(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for act := range actsInCode(t) {
		out["records/:id/"+act] = true
	}
	for _, f := range sourceOf(t, "../../../internal/pages") {
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok || valueOf(lit, "Path") == nil || valueOf(lit, "Method") == nil {
				return true
			}
			method, _ := valueOf(lit, "Method").(*ast.Ident)
			if method != nil && method.Name == "get" {
				if words := literals(valueOf(lit, "Path")); len(words) == 1 && !strings.HasPrefix(words[0], "/") { // IT's pages are crawled in their own test
					out[words[0]] = true
				}
			}
			return true
		})
	}
	if len(out) < 30 {
		t.Fatalf("the code has only these pages: %v", out)
	}
	return out
}
