package tracing

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// poster posts spans as the OpenTelemetry protocol has them: an ExportTraceServiceRequest
// in JSON (OTLP 1.x, "OTLP/HTTP" and "JSON Protobuf Encoding"). What a collector does not
// take for now is kept and posted before what comes next, the oldest first, as much of it as
// maxKept allows: what is older is lost, and nobody waits.
type poster struct {
	endpoint, token string
	client          *http.Client
	log             *slog.Logger

	mu      sync.Mutex // guards what follows; held while it posts
	kept    [][]byte   // requests, the oldest first
	bytes   int        // of them
	failing bool       // the log was told
	lost    bool       // and of this
}

func newPoster(cfg Config) *poster {
	return &poster{endpoint: cfg.Endpoint, token: cfg.Token, log: cfg.Log, client: &http.Client{
		Timeout:       postTimeout,
		Transport:     &http.Transport{MaxIdleConns: 1, IdleConnTimeout: 10 * postEvery, ForceAttemptHTTP2: true}, // no proxy of the environment
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// ExportSpans implements sdktrace.SpanExporter. It returns no error, which the library
// would print past the log.
func (p *poster) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	body, err := json.Marshal(request(spans))
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep(body)
	p.flush(ctx)
	return nil
}

// maxKept bounds what is kept for a collector that does not answer: some tens of thousands
// of spans.
const maxKept = 8 << 20

// keep puts a request last, and lets go of the oldest beyond the bound.
func (p *poster) keep(body []byte) {
	p.kept, p.bytes = append(p.kept, body), p.bytes+len(body)
	for p.bytes > maxKept {
		p.dropFirst()
		if !p.lost {
			p.lost = true
			p.log.Warn("the oldest spans are lost, because traces.endpoint took none for too long")
		}
	}
}

func (p *poster) dropFirst() {
	p.bytes -= len(p.kept[0])
	p.kept[0] = nil
	p.kept = p.kept[1:]
}

// flush posts what is kept, until the collector does not take something for now.
func (p *poster) flush(ctx context.Context) {
	for len(p.kept) > 0 {
		err := p.post(ctx, p.kept[0])
		if err != nil && !p.failing {
			p.failing = true
			p.log.Warn("spans cannot be posted; some are kept until they can", "reason", err.Error())
		}
		if err != nil && !errors.Is(err, errRefused) {
			return
		}
		p.dropFirst() // it was taken, or never will be
		if err == nil && p.failing {
			p.failing, p.lost = false, false
			p.log.Info("spans are posted again")
		}
	}
}

// Shutdown implements sdktrace.SpanExporter: it tries once more.
func (p *poster) Shutdown(ctx context.Context) error {
	p.mu.Lock()
	p.flush(ctx)
	p.mu.Unlock()
	p.client.CloseIdleConnections()
	return nil
}

var (
	errNotTaken = errors.New("traces.endpoint did not take spans for now")
	errRefused  = errors.New("traces.endpoint refused spans")
)

// forNow reports whether the same request may be tried again after an answer (OTLP/HTTP,
// "Failures: retryable"); whoever is not let in may be once the token is mended.
func forNow(status int) bool {
	return slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, status)
}

func (p *poster) post(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.endpoint, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("addressing traces.endpoint: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	res, err := p.client.Do(req)
	if err != nil {
		var where *url.Error
		if errors.As(err, &where) {
			err = where.Err // without the address, which may hold a key
		}
		return fmt.Errorf("posting to traces.endpoint: %w", err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection is used again
	switch {
	case res.StatusCode/100 == 2:
		return nil
	case forNow(res.StatusCode):
		return fmt.Errorf("%w (%d)", errNotTaken, res.StatusCode)
	}
	return fmt.Errorf("%w (%d)", errRefused, res.StatusCode)
}

// The structs below are opentelemetry.proto.collector.trace.v1 in JSON: ids in hexadecimal,
// 64-bit numbers as strings, enumerations as numbers.
type (
	exportRequest struct {
		ResourceSpans []resourceSpans `json:"resourceSpans"`
	}
	resourceSpans struct {
		Resource   attributes   `json:"resource"`
		ScopeSpans []scopeSpans `json:"scopeSpans"`
	}
	attributes struct {
		Attributes []keyValue `json:"attributes,omitempty"`
	}
	scopeSpans struct {
		Scope scope      `json:"scope"`
		Spans []wireSpan `json:"spans"`
	}
	scope struct {
		Name string `json:"name"`
	}
	wireSpan struct {
		TraceID      string     `json:"traceId"`
		SpanID       string     `json:"spanId"`
		ParentSpanID string     `json:"parentSpanId,omitempty"`
		Flags        uint32     `json:"flags"`
		Name         string     `json:"name"`
		Kind         int        `json:"kind"`
		Start        string     `json:"startTimeUnixNano"`
		End          string     `json:"endTimeUnixNano"`
		Attributes   []keyValue `json:"attributes,omitempty"`
		Status       wireStatus `json:"status"`
	}
	wireStatus struct {
		Code int `json:"code,omitempty"`
	}
	keyValue struct {
		Key   string `json:"key"`
		Value value  `json:"value"`
	}
	value struct {
		String *string `json:"stringValue,omitempty"`
		Int    *string `json:"intValue,omitempty"`
	}
)

const statusError = 2 // STATUS_CODE_ERROR

// request is the spans of one export, which all have one resource and one scope.
func request(spans []sdktrace.ReadOnlySpan) exportRequest {
	if len(spans) == 0 {
		return exportRequest{ResourceSpans: []resourceSpans{}}
	}
	of := scopeSpans{Scope: scope{spans[0].InstrumentationScope().Name}}
	for _, s := range spans {
		of.Spans = append(of.Spans, spanOf(s))
	}
	return exportRequest{ResourceSpans: []resourceSpans{{
		Resource: attributes{keyValues(spans[0].Resource().Attributes())}, ScopeSpans: []scopeSpans{of},
	}}}
}

func spanOf(s sdktrace.ReadOnlySpan) wireSpan {
	at := s.SpanContext()
	out := wireSpan{
		TraceID: at.TraceID().String(), SpanID: at.SpanID().String(), Flags: uint32(at.TraceFlags()), Name: s.Name(), Kind: kindOf(s.SpanKind()),
		Start: nanos(s.StartTime()), End: nanos(s.EndTime()), Attributes: keyValues(s.Attributes()),
	}
	if s.Parent().HasSpanID() {
		out.ParentSpanID = s.Parent().SpanID().String()
	}
	if s.Status().Code == codes.Error {
		out.Status.Code = statusError
	}
	return out
}

// kindOf is SPAN_KIND_SERVER or SPAN_KIND_INTERNAL: others are not begun.
func kindOf(k trace.SpanKind) int {
	if k == trace.SpanKindServer {
		return 2
	}
	return 1
}

// keyValues are attributes; all of ours are words and whole numbers.
func keyValues(list []attribute.KeyValue) (out []keyValue) {
	for _, a := range list {
		kv := keyValue{Key: string(a.Key)}
		if a.Value.Type() == attribute.INT64 {
			n := strconv.FormatInt(a.Value.AsInt64(), 10)
			kv.Value.Int = &n
		} else {
			word := a.Value.String()
			kv.Value.String = &word
		}
		out = append(out, kv)
	}
	return out
}
