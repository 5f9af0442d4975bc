package tracing

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// What a collector does not take for now arrives once it does, in the order of the work;
// what it refuses for good holds up nothing.
func TestSpansAreKeptUntilTheyAreTaken(t *testing.T) {
	answers := []int{503, 429, 400, 502, 401} // then 200
	var arrived []string
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if len(answers) > 0 {
			w.WriteHeader(answers[0])
			answers = answers[1:]
			return
		}
		for _, m := range regexp.MustCompile(`"name":"(span [0-9])"`).FindAllStringSubmatch(string(body), -1) {
			arrived = append(arrived, m[1])
		}
	}))
	defer collector.Close()
	var logs bytes.Buffer
	p := newPoster(Config{Endpoint: collector.URL, Log: slog.New(slog.NewTextHandler(&logs, nil))})
	for _, name := range []string{"span 1", "span 2", "span 3", "span 4", "span 5"} {
		if err := p.ExportSpans(t.Context(), []sdktrace.ReadOnlySpan{tracetest.SpanStub{Name: name}.Snapshot()}); err != nil {
			t.Fatal(err)
		}
	}
	// The third try, which carried the first span again, was refused for good.
	if got, want := strings.Join(arrived, ", "), "span 2, span 3, span 4, span 5"; got != want || len(p.kept) != 0 || p.bytes != 0 {
		t.Errorf("arrived: %s, want %s; %d requests of %d bytes are kept", got, want, len(p.kept), p.bytes)
	}
	if n := strings.Count(logs.String(), "\n"); n != 2 || !strings.Contains(logs.String(), "posted again") {
		t.Errorf("the log has %d lines, want that it failed and that it goes on: %s", n, logs.String())
	}
}

// A collector that is gone for long costs a bounded number of bytes: the oldest go.
func TestNoMoreIsKeptThanTheBound(t *testing.T) {
	var logs bytes.Buffer
	p := newPoster(Config{Log: slog.New(slog.NewTextHandler(&logs, nil))})
	for n := range 12 {
		p.keep(bytes.Repeat([]byte{byte(n)}, 1<<20))
	}
	if p.bytes != maxKept || len(p.kept) != 8 || p.kept[0][0] != 4 || strings.Count(logs.String(), "\n") != 1 {
		t.Errorf("%d requests of %d bytes are kept, the oldest is number %d, the log says %s", len(p.kept), p.bytes, p.kept[0][0], logs.String())
	}
}
