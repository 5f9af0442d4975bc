package endtoend

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"doorstep/server/internal/tracing/tracingtest"
)

// spanWords is all that a span may say: numbers, methods, templates of routes and codes.
var spanWords = regexp.MustCompile(`^(http\.(request\.body\.size|response\.body\.size|response\.status_code)=\d+|doorstep\.(changes|entries|items|bytes)=\d+` +
	`|http\.request\.method=(GET|HEAD|POST)|http\.route=/[a-zA-Z0-9/:.-]*|error\.type=[a-z_]+)$`)

// wantTraces holds what a collector got of a borough where tablets synced and people
// looked: where the time of a push went, and nobody's id, name or word.
func wantTraces(t *testing.T, spans []tracingtest.Span) {
	t.Helper()
	inTrace, wrote := map[string][]string{}, map[string]bool{}
	for _, s := range spans {
		inTrace[s.Trace] = append(inTrace[s.Trace], s.Parent+" > "+s.Name)
		if s.Name == "journal" && s.Parent == "order" {
			wrote[s.Trace] = true
		}
		for word := range strings.SplitSeq(s.Words, " ") {
			if word != "" && !spanWords.MatchString(word) {
				t.Errorf("%s says %q", s.Name, word)
			}
		}
	}
	whole := []string{" > POST /v1/sync", "POST /v1/sync > receive", "POST /v1/sync > seal", "POST /v1/sync > order", "order > decide", "order > journal", "order > index", "POST /v1/sync > answer"}
	pushes := 0
	for trace := range wrote {
		if slices.Contains(inTrace[trace], whole[0]) {
			pushes++
			for _, want := range whole {
				if !slices.Contains(inTrace[trace], want) {
					t.Errorf("a push has no %q: %q", want, inTrace[trace])
				}
			}
		}
	}
	backups := slices.IndexFunc(spans, func(s tracingtest.Span) bool { return s.Name == "backup" && s.Parent == "" && !s.Failed })
	pages := slices.IndexFunc(spans, func(s tracingtest.Span) bool { return strings.HasPrefix(s.Name, "GET /desk/") })
	if pushes < 2 || backups < 0 || pages < 0 {
		t.Errorf("%d pushes were traced, the backup at %d, a page at %d; want all of them", pushes, backups, pages)
	}
}

// wantDeliveries holds what a collector got of deliveries: one that nobody answered, one
// that was refused, one that was taken.
func wantDeliveries(t *testing.T, spans []tracingtest.Span) {
	t.Helper()
	taken, refused, failed := false, false, false
	for _, s := range spans {
		if s.Name != "deliver" {
			continue
		}
		switch {
		case !s.Failed:
			taken = true
		case strings.Contains(s.Words, "http.response.status_code=422"):
			refused = strings.Contains(s.Words, "error.type=refused")
		default:
			failed = true
		}
	}
	if !taken || !refused || !failed {
		t.Errorf("deliveries traced: taken %v, refused %v, failed %v", taken, refused, failed)
	}
}
