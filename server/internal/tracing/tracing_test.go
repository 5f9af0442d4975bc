package tracing_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"bytes"
	"log/slog"

	"doorstep/server/internal/tracing"
	"doorstep/server/internal/tracing/tracingtest"
	"doorstep/syncproto"
)

func open(t *testing.T, c *tracingtest.Collector, oneIn int) *tracing.Tracer {
	t.Helper()
	return tracing.Open(tracing.Config{Endpoint: c.URL, Token: "word", OneIn: oneIn, Borough: "wight", Version: "v1", Log: slog.New(slog.DiscardHandler)})
}

// One request as the exchange has it: what is inside what, what is counted, and what an
// error leaves behind.
func TestSpansArriveAsTheyWereNested(t *testing.T) {
	collector := tracingtest.New(t)
	tracer := open(t, collector, 1)
	ctx, request := tracer.Request(t.Context(), "POST", "/v1/sync")
	inner, order := tracing.Within(ctx, tracing.Order)
	var group tracing.Spans
	group.Add(order)
	group.Add(nil)
	writes := group.Inside(tracing.Journal)
	writes.Count(tracing.Entries, 3)
	writes.End(errors.New("a secret word on the disk"))
	order.End(syncproto.CodeDiskFull)
	_, answer := tracing.Within(inner, tracing.Answer)
	answer.End(nil)
	request.Answer(tracing.Answered{Status: 507, In: 10, Out: 20, Cause: syncproto.CodeDiskFull})
	if err := tracer.Close(); err != nil {
		t.Fatal(err)
	}
	got := collector.Spans(t)
	want := map[string]tracingtest.Span{
		"POST /v1/sync": {Words: "error.type=disk_full http.request.body.size=10 http.request.method=POST http.response.body.size=20 http.response.status_code=507 http.route=/v1/sync", Failed: true},
		"order":         {Parent: "POST /v1/sync", Words: "error.type=disk_full", Failed: true},
		"journal":       {Parent: "order", Words: "doorstep.entries=3 error.type=internal", Failed: true},
		"answer":        {Parent: "order"},
	}
	if len(got) != len(want) {
		t.Errorf("%d spans arrived, want %d: %+v", len(got), len(want), got)
	}
	for _, s := range got {
		if s.End < s.Start || s.Trace != got[0].Trace {
			t.Errorf("%s: from %d to %d in trace %s, want one trace, forwards", s.Name, s.Start, s.End, s.Trace)
		}
		if w := want[s.Name]; s.Parent != w.Parent || s.Words != w.Words || s.Failed != w.Failed {
			t.Errorf("%s: got %+v, want %+v", s.Name, s, w)
		}
	}
	if text := collector.Text(); strings.Contains(text, "secret") || !strings.Contains(text, `"service.namespace"`) {
		t.Errorf("an error's words were posted, or the borough was not: %s", text)
	}
	if heard := collector.Authorization(); heard != "Bearer word" {
		t.Errorf("the collector heard %q", heard)
	}
}

// What the caller did wrong is no failure of the server's.
func TestRefusalsAreNoFailures(t *testing.T) {
	collector := tracingtest.New(t)
	tracer := open(t, collector, 1)
	_, request := tracer.Request(t.Context(), "GET", "/v1/records/:id")
	request.Answer(tracing.Answered{Status: 403, Cause: syncproto.CodeForbidden})
	if err := tracer.Close(); err != nil {
		t.Fatal(err)
	}
	if got := collector.Spans(t); len(got) != 1 || got[0].Failed || !strings.Contains(got[0].Words, "error.type=forbidden") {
		t.Errorf("got %+v", got)
	}
}

func TestOneRequestOfSome(t *testing.T) {
	collector := tracingtest.New(t)
	tracer := open(t, collector, 5)
	for range 20 {
		ctx, request := tracer.Request(t.Context(), "GET", "/v1/due")
		_, inside := tracing.Within(ctx, tracing.Order)
		inside.End(nil)
		request.Answer(tracing.Answered{Status: 200})
	}
	_, work := tracer.Work(t.Context(), tracing.Backup)
	work.End(nil)
	if err := tracer.Close(); err != nil {
		t.Fatal(err)
	}
	if got := collector.Spans(t); len(got) != 9 {
		t.Errorf("%d spans arrived, want those of four requests and a backup", len(got))
	}
}

// Without a tracer nothing is done: no memory is taken either.
func TestNothingWithoutATracer(t *testing.T) {
	var none *tracing.Tracer
	ctx := t.Context()
	cost := testing.AllocsPerRun(100, func() {
		ctx, request := none.Request(ctx, "POST", "/v1/sync")
		ctx, inside := tracing.Within(ctx, tracing.Order)
		_, work := none.Work(ctx, tracing.Backup)
		var all tracing.Spans
		all.Add(inside.Inside(tracing.Decide))
		all.Inside(tracing.Journal).End(nil)
		work.Count(tracing.Bytes, 1)
		work.Refused(400)
		inside.End(nil)
		request.Answer(tracing.Answered{Status: 200})
	})
	if cost != 0 || none.Close() != nil {
		t.Errorf("%v pieces of memory were taken", cost)
	}
}

// A collector that fails is told of once, holds nobody up, and never hears its own words.
func TestCollectorThatFails(t *testing.T) {
	var mu sync.Mutex
	var logs bytes.Buffer // guarded by mu
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "an overheard word", http.StatusServiceUnavailable)
	}))
	defer failing.Close()
	log := slog.New(slog.NewTextHandler(locked{&mu, &logs}, nil))
	tracer := tracing.Open(tracing.Config{Endpoint: failing.URL + "/path-with-a-key", Log: log})
	for range 3000 { // more than are posted at once
		_, work := tracer.Work(context.Background(), tracing.Backup)
		work.End(nil)
	}
	if err := tracer.Close(); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if n := strings.Count(logs.String(), "\n"); n != 1 || strings.Contains(logs.String(), "key") || strings.Contains(logs.String(), "overheard") || !strings.Contains(logs.String(), "503") {
		t.Errorf("%d lines: %s", n, logs.String())
	}
}

type locked struct {
	mu *sync.Mutex
	w  *bytes.Buffer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
