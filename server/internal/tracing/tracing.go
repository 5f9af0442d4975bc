// Package tracing says where the time of a request went, as OpenTelemetry spans that are
// posted to a collector over OTLP/HTTP.
//
// A Tracer begins a span for what comes from outside or by itself (a request, a delivery,
// a backup); Within begins one inside the span of its context, and nothing where there is
// none. So only who begins needs a Tracer, and what is not traced costs a look into the
// context.
//
// A span names nobody and holds no content: its attributes are counts, and words out of
// closed lists (methods, templates of routes, codes). There is no way to add others, and an
// error's text is never kept. Nothing is ever taken from callers: a trace of theirs is
// not continued. The package hides the library that it is made with.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"doorstep/syncproto"
)

// Name is what a span is called.
type Name string

// The spans there are, besides those of requests, which are called by method and route.
const (
	Receive Name = "receive" // changes are read, hashed and checked, their signature too
	Seal    Name = "seal"    // they get keys, if they need new ones, and are sealed under them
	Order   Name = "order"   // a proposal waits for its turn, is decided, and made durable and visible
	Decide  Name = "decide"  // its turn
	Journal Name = "journal" // the write of its group, with the sync
	Index   Name = "index"   // its group's rows
	Answer  Name = "answer"  // the next page of the caller's feed
	Deliver Name = "deliver" // one version of a final record, to the case-management system
	Backup  Name = "backup"
)

// Quantity is what an attribute counts.
type Quantity string

// What is counted.
const (
	Changes Quantity = "doorstep.changes"
	Entries Quantity = "doorstep.entries"
	Items   Quantity = "doorstep.items"
	Bytes   Quantity = "doorstep.bytes"
	status  Quantity = "http.response.status_code"
	asked   Quantity = "http.request.body.size"
	told    Quantity = "http.response.body.size"
)

const errorType = "error.type"

// Config is what Open needs. All fields are required but OneIn and Borough.
type Config struct {
	Endpoint string // of the collector: OTLP over HTTP, e.g. http://127.0.0.1:4318/v1/traces
	Token    string // sent as a bearer token; empty: none
	OneIn    int    // of so many requests one is traced; below 2: each
	Borough  string // its short name
	Version  string // of this build
	Log      *slog.Logger
}

// Tracer begins spans. A nil Tracer begins none. It is safe for concurrent use.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	oneIn    uint64
	requests atomic.Uint64
}

// Limits of what waits to be posted: beyond it spans are lost, and nobody waits.
const (
	maxWaiting  = 8192
	maxAtOnce   = 1024
	postEvery   = 2 * time.Second
	postTimeout = 10 * time.Second
	lastPost    = 3 * time.Second // at the end
)

// Open starts to post spans in the background. Close ends it.
func Open(cfg Config) *Tracer {
	about := resource.NewSchemaless(
		attribute.String("service.name", "doorstep"), attribute.String("service.version", cfg.Version), attribute.String("service.namespace", cfg.Borough))
	t := &Tracer{oneIn: uint64(max(cfg.OneIn, 1))}
	t.provider = sdktrace.NewTracerProvider(
		sdktrace.WithResource(about), sdktrace.WithSampler(sdktrace.AlwaysSample()), // Request samples
		sdktrace.WithBatcher(newPoster(cfg), sdktrace.WithMaxQueueSize(maxWaiting), sdktrace.WithMaxExportBatchSize(maxAtOnce),
			sdktrace.WithBatchTimeout(postEvery), sdktrace.WithExportTimeout(postTimeout)))
	t.tracer = t.provider.Tracer("doorstep")
	return t
}

// Close posts what waits, within seconds, and ends. A nil Tracer has nothing to end.
func (t *Tracer) Close() error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastPost)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("posting the last spans: %w", err)
	}
	return nil // a collector that does not answer holds up no stop
}

// Span is one stretch of work. All methods of a nil Span do nothing.
type Span struct {
	span   trace.Span
	tracer *Tracer
}

type spanKey struct{}

// Request begins the span of a request, if this one is to be traced. method and route are
// from the table of routes, never from the request.
func (t *Tracer) Request(ctx context.Context, method, route string) (context.Context, *Span) {
	if t == nil || t.requests.Add(1)%t.oneIn != 0 {
		return ctx, nil
	}
	return t.begin(ctx, Name(method+" "+route), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route)))
}

// Work begins the span of what the server does by itself.
func (t *Tracer) Work(ctx context.Context, name Name) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	return t.begin(ctx, name)
}

// Within begins a span inside that of ctx, and nothing if there is none.
func Within(ctx context.Context, name Name) (context.Context, *Span) {
	s := in(ctx)
	if s == nil {
		return ctx, nil
	}
	return s.tracer.begin(trace.ContextWithSpan(ctx, s.span), name)
}

func in(ctx context.Context) *Span {
	s, _ := ctx.Value(spanKey{}).(*Span)
	return s
}

func (t *Tracer) begin(ctx context.Context, name Name, opts ...trace.SpanStartOption) (context.Context, *Span) {
	_, span := t.tracer.Start(ctx, string(name), opts...)
	s := &Span{span, t}
	return context.WithValue(ctx, spanKey{}, s), s
}

// Inside begins a span inside s.
func (s *Span) Inside(name Name) *Span {
	if s == nil {
		return nil
	}
	_, span := s.tracer.tracer.Start(trace.ContextWithSpan(context.Background(), s.span), string(name))
	return &Span{span, s.tracer}
}

// Count adds a number.
func (s *Span) Count(what Quantity, n int) {
	if s != nil {
		s.span.SetAttributes(attribute.Int(string(what), n))
	}
}

// Answered is how a request was answered: the HTTP status, the sizes of both bodies in
// bytes, and why it was refused, if it was; nil: it was not.
type Answered struct {
	Status, In, Out int
	Cause           error
}

// Answer adds how a request was answered, and ends its span. What the caller did wrong is
// no failure of ours.
func (s *Span) Answer(a Answered) {
	if s == nil {
		return
	}
	s.Count(status, a.Status)
	s.Count(asked, a.In)
	s.Count(told, a.Out)
	if a.Cause != nil {
		s.span.SetAttributes(attribute.String(errorType, codeOf(a.Cause)))
	}
	if a.Status >= 500 {
		s.span.SetStatus(codes.Error, "")
	}
	s.span.End()
}

// Refused adds that the other side answered with an HTTP status that is no success.
func (s *Span) Refused(httpStatus int) {
	if s != nil {
		s.Count(status, httpStatus)
		s.fail("refused")
	}
}

// End ends the span. Of an error only its code is kept, "internal" if it has none.
func (s *Span) End(err error) {
	if s == nil {
		return
	}
	if err != nil {
		s.fail(codeOf(err))
	}
	s.span.End()
}

func (s *Span) fail(code string) {
	s.span.SetAttributes(attribute.String(errorType, code))
	s.span.SetStatus(codes.Error, "")
}

func codeOf(err error) string {
	var code syncproto.Code
	switch {
	case errors.As(err, &code):
		return code.Error()
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return syncproto.CodeInternal.Error()
}

// Spans are spans that begin and end together: many wait for one write.
type Spans []*Span

// Inside begins a span inside each.
func (all Spans) Inside(name Name) (out Spans) {
	for _, s := range all {
		out = append(out, s.Inside(name))
	}
	return out
}

// Count adds a number to each.
func (all Spans) Count(what Quantity, n int) {
	for _, s := range all {
		s.Count(what, n)
	}
}

// End ends each, as Span.End does.
func (all Spans) End(err error) {
	for _, s := range all {
		s.End(err)
	}
}

// Add adds a span that may be nil.
func (all *Spans) Add(s *Span) {
	if s != nil {
		*all = append(*all, s)
	}
}

// nanos is a time as OTLP's JSON has it: a decimal string.
func nanos(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }
