package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"doorstep/server/internal/progress"
)

// What a running server does for an operator is heard of while it is done, and the answer
// is what it would be without.
func TestProgressOfARunningServerIsHeard(t *testing.T) {
	heard := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /work", func(w http.ResponseWriter, r *http.Request) {
		ctx, stop := tellProgress(r.Context(), w, time.Millisecond)
		progress.Begin(ctx, "storing", progress.Changes, 8).Add(2)
		<-heard
		stop()
		writeAdmin(w, http.StatusOK, User{Login: "jo"})
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	ctx, meter := WithProgress(t.Context())
	go func() { // the work ends once it was heard of
		defer close(heard)
		for ctx.Err() == nil {
			if at, ok := meter.At(); ok && at.What == "storing" && at.Percent() == 25 {
				return
			}
		}
	}()
	op := remoteOperator{&http.Client{Transport: redirected{server.URL}}}
	user, err := ask[nothing, User](ctx, op, "work", nothing{})
	if err != nil || user.Login != "jo" {
		t.Errorf("got %+v, %v", user, err)
	}
}

// redirected sends what is meant for the admin socket to a server of the test.
type redirected struct{ url string }

func (r redirected) RoundTrip(req *http.Request) (*http.Response, error) {
	to, err := http.NewRequestWithContext(req.Context(), req.Method, r.url+req.URL.Path, req.Body)
	if err != nil {
		return nil, err
	}
	return http.DefaultTransport.RoundTrip(to)
}

// Verifying, rebuilding and backing up say how far they are, to the end.
func TestLongWorkSaysHowFarItIs(t *testing.T) {
	cfg := begin(t)
	for _, c := range []struct {
		name string
		work func(ctx context.Context) error
		what string
	}{
		{"verify", func(ctx context.Context) error {
			_, err := Verify(ctx, cfg, nil, func(string) {}, t.Output())
			return err
		}, "folding records"},
		{"rebuild", func(ctx context.Context) error { _, err := Rebuild(ctx, cfg, t.Output()); return err }, "bringing the index up to the journal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, meter := WithProgress(t.Context())
			if err := c.work(ctx); err != nil {
				t.Fatal(err)
			}
			if at, ok := meter.At(); !ok || at.What != c.what || at.Total > 0 && at.Percent() != 100 {
				t.Errorf("it ended at %+v, want all of %q", at, c.what)
			}
		})
	}
}
