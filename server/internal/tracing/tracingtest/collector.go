// Package tracingtest is a collector of traces for tests: an HTTP server that takes what
// OTLP's JSON says and nothing else.
package tracingtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Collector is a running collector. Its methods are safe for concurrent use.
type Collector struct {
	URL string

	mu            sync.Mutex // guards what follows
	bodies        [][]byte
	authorization string
	fault         string
}

// New starts a collector that ends with the test.
func New(t testing.TB) *Collector {
	c := &Collector{}
	server := httptest.NewServer(http.HandlerFunc(c.take))
	t.Cleanup(server.Close)
	c.URL = server.URL + "/v1/traces"
	return c
}

func (c *Collector) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bodies, c.authorization = append(c.bodies, body), r.Header.Get("Authorization")
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/json" {
		c.fault = fmt.Sprint(r.Method, r.URL, r.Header, err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"partialSuccess":{}}`)
}

// Text is all that was posted.
func (c *Collector) Text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(bytes.Join(c.bodies, []byte("\n")))
}

// Authorization is what the last post was let in by.
func (c *Collector) Authorization() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.authorization
}

// Span is a span as it arrived.
type Span struct {
	Name, ID, Trace string
	Parent          string // its name; empty: none
	Words           string // "key=value" of each attribute, sorted, with blanks between
	Start, End      int64  // nanoseconds since 1970
	Failed          bool
}

// wire is an ExportTraceServiceRequest as a collector reads it: keys that it does not know
// are faults here.
type wire struct {
	ResourceSpans []struct {
		Resource   struct{ Attributes []attribute }
		ScopeSpans []struct {
			Scope struct{ Name string }
			Spans []struct {
				TraceID, SpanID, ParentSpanID, Name string
				Kind, Flags                         int
				StartTimeUnixNano                   int64 `json:",string"`
				EndTimeUnixNano                     int64 `json:",string"`
				Attributes                          []attribute
				Status                              struct{ Code int }
			}
		}
	}
}

type attribute struct {
	Key   string
	Value struct {
		StringValue *string
		IntValue    *int64 `json:",string"`
	}
}

// Spans is every span that arrived. Anything that is not OTLP's JSON fails the test, as
// does a span whose parent did not arrive.
func (c *Collector) Spans(t testing.TB) (out []Span) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault != "" {
		t.Errorf("the collector was asked %s", c.fault)
	}
	parents, names := []string{}, map[string]string{}
	for _, body := range c.bodies {
		var w wire
		for _, key := range []string{"resourceSpans", "scopeSpans", "traceId", "spanId", "startTimeUnixNano", "endTimeUnixNano"} {
			if !bytes.Contains(body, []byte(`"`+key+`"`)) { // Go's decoder does not mind capitals, collectors do
				t.Errorf("there is no %s in %s", key, body)
			}
		}
		strict := json.NewDecoder(bytes.NewReader(body))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&w); err != nil {
			t.Fatalf("no OTLP: %v: %s", err, body)
		}
		for _, s := range w.ResourceSpans[0].ScopeSpans[0].Spans {
			if len(s.TraceID) != 32 || len(s.SpanID) != 16 || s.Kind == 0 {
				t.Errorf("%s: ids %q and %q, kind %d", s.Name, s.TraceID, s.SpanID, s.Kind)
			}
			names[s.SpanID] = s.Name
			parents = append(parents, s.ParentSpanID)
			out = append(out, Span{Name: s.Name, ID: s.SpanID, Trace: s.TraceID, Words: words(t, s.Attributes),
				Start: s.StartTimeUnixNano, End: s.EndTimeUnixNano, Failed: s.Status.Code == 2})
		}
	}
	for i, id := range parents {
		if out[i].Parent = names[id]; id != "" && out[i].Parent == "" {
			t.Errorf("the parent of %s did not arrive", out[i].Name)
		}
	}
	return out
}

func words(t testing.TB, list []attribute) string {
	var out []string
	for _, a := range list {
		switch v := a.Value; {
		case v.StringValue != nil && v.IntValue == nil:
			out = append(out, a.Key+"="+*v.StringValue)
		case v.IntValue != nil && v.StringValue == nil:
			out = append(out, fmt.Sprintf("%s=%d", a.Key, *v.IntValue))
		default:
			t.Errorf("%s is neither a word nor a number", a.Key)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}
