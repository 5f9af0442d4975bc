package api

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"doorstep/server/internal/auth"
	"doorstep/syncproto"
)

// streamCount bounds event streams per person and in all.
type streamCount struct {
	max, perUser int
	open         sync.WaitGroup // streams that have not ended

	mu     sync.Mutex
	all    int                      // guarded by mu
	byUser map[syncproto.UserID]int // guarded by mu
}

func (s *streamCount) enter(user syncproto.UserID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= s.max || s.byUser[user] >= s.perUser {
		return false
	}
	s.all++
	s.byUser[user]++
	return true
}

func (s *streamCount) leave(user syncproto.UserID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.byUser[user]--; s.byUser[user] == 0 {
		delete(s.byUser, user)
	}
}

// wait waits until no stream is open, or ctx ends. None may be opened meanwhile.
func (s *streamCount) wait(ctx context.Context) error {
	ended := make(chan struct{})
	go func() {
		s.open.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// events keeps a connection open and says "pull" whenever there may be news. It
// carries nothing else, so a stream that outlives a right to see shows nothing. It
// takes the connection over from the HTTP server, whose buffers and goroutines for a
// body in the making would cost some 40 KB while nothing is said for hours.
func (a *API) events(c *call, fctx *fasthttp.RequestCtx) {
	caller := c.caller
	if !a.streams.enter(caller.User) {
		a.writeProblem(fctx, &refusal{code: syncproto.CodeTooMany, retryAfter: 30 * time.Second})
		return
	}
	wake, cancel, err := a.cfg.Events.Subscribe(caller.User)
	if err != nil {
		a.streams.leave(caller.User)
		a.writeProblem(fctx, refusalOf(err))
		return
	}
	fctx.SetStatusCode(fasthttp.StatusOK)
	fctx.SetContentType("text/event-stream")
	fctx.Response.Header.SetConnectionClose() // where the stream ends, its body does
	conn := fctx.Conn()
	a.streams.open.Add(1) // while the server still counts the connection, or a shutdown could pass it by
	fctx.HijackSetNoResponse(true)
	fctx.Hijack(func(net.Conn) { // once it returns, the request's buffers go to others; the connection stays ours
		header := string(fctx.Response.Header.Header())
		go func() {
			defer a.streams.open.Done()
			defer conn.Close()
			defer a.streams.leave(caller.User)
			defer cancel()
			a.stream(conn, header, caller, wake)
		}()
	})
}

// stream writes events until the caller goes, loses the session, or the server
// shuts down. The first event is a pull, so that nothing that happened before
// the subscription is missed. That a tablet went is found out by the next thing that is
// said to it.
func (a *API) stream(conn net.Conn, header string, caller auth.Caller, wake <-chan struct{}) {
	var gone <-chan struct{} // a tablet keeps one stream for hours: what else listens to it is saved
	if caller.Device.IsZero() {
		gone = left(conn)
	}
	beat := time.NewTicker(a.cfg.Limits.KeepAlive)
	defer beat.Stop()
	const news, still = "event: pull\ndata:\n\n", ": still here\n\n"
	text := header + news
	for {
		// The server's own deadline was set once, when the stream began.
		if err := conn.SetWriteDeadline(time.Now().Add(a.cfg.Limits.WriteTimeout)); err != nil {
			return
		}
		if _, err := io.WriteString(conn, text); err != nil {
			return
		}
		select {
		case <-wake:
			text = news
		case <-beat.C:
			text = still
		case <-gone:
			return
		case <-a.closing:
			return
		}
		if a.cfg.Auth.Check(caller) != nil {
			return
		}
	}
}

// left is closed when the other side of a connection went. A browser goes from page to
// page, and the stream of the last must not count for long against that of the next.
func left(conn net.Conn) <-chan struct{} {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if conn.SetReadDeadline(time.Time{}) == nil {
			_, _ = conn.Read(make([]byte, 1)) // nothing more is asked on it: it ends, or the stream does
		}
	}()
	return gone
}
