package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"time"

	"doorstep/server/internal/progress"
)

// Progress says how far long work is that is done under a context of WithProgress: verify,
// backup, restore, repair, rebuild, import.
type Progress = progress.Meter

// ProgressAt is where such work stands.
type ProgressAt = progress.At

// NewProgress is that of work that begins.
func NewProgress() *Progress { return progress.New(time.Now) }

// WithProgress returns a context for long work, and what says how far that is.
func WithProgress(ctx context.Context) (context.Context, *Progress) {
	m := NewProgress()
	return progress.With(ctx, m), m
}

// A running server that works for an operator says how far it is by answers of status 102
// (Processing, RFC 2518 section 10.1) before its own, each with this header: the JSON of
// where the work stands.
const (
	progressHeader = "Doorstep-Progress"
	progressEvery  = 500 * time.Millisecond
)

// tellProgress returns a context for an operator's work, and has whoever asked hear how far
// it is until stop, which must be called before anything else is written to w.
func tellProgress(ctx context.Context, w http.ResponseWriter, every time.Duration) (work context.Context, stop func()) {
	work, meter := WithProgress(ctx)
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				at, ok := meter.At()
				text, err := json.Marshal(at)
				if ok && err == nil {
					w.Header().Set(progressHeader, string(text))
					w.WriteHeader(http.StatusProcessing)
				}
			}
		}
	}()
	return work, func() {
		close(quit)
		<-done
		w.Header().Del(progressHeader)
	}
}

// hearProgress has the meter of ctx, if it has one, hear what the running server says.
func hearProgress(ctx context.Context) context.Context {
	meter := progress.Of(ctx)
	if meter == nil {
		return ctx
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
		var at progress.At
		if json.Unmarshal([]byte(h.Get(progressHeader)), &at) == nil {
			meter.Hear(at)
		}
		return nil
	}})
}
