package api

import (
	"bufio"
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

// events keeps a connection open and says "pull" whenever there may be news. It
// carries nothing else, so a stream that outlives a right to see shows nothing.
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
	conn := fctx.Conn()
	fctx.SetStatusCode(fasthttp.StatusOK)
	fctx.SetContentType("text/event-stream")
	fctx.Response.ImmediateHeaderFlush = true
	fctx.SetBodyStreamWriter(func(w *bufio.Writer) {
		defer a.streams.leave(caller.User)
		defer cancel()
		a.stream(w, conn, caller, wake)
	})
}

// stream writes events until the caller goes, loses the session, or the server
// shuts down. The first event is a pull, so that nothing that happened before
// the subscription is missed.
func (a *API) stream(w *bufio.Writer, conn net.Conn, caller auth.Caller, wake <-chan struct{}) {
	beat := time.NewTicker(a.cfg.Limits.KeepAlive)
	defer beat.Stop()
	text := "event: pull\ndata:\n\n"
	for {
		// The server's own deadline was set once, when the stream began.
		if err := conn.SetWriteDeadline(time.Now().Add(a.cfg.Limits.WriteTimeout)); err != nil {
			return
		}
		if _, err := w.WriteString(text); err != nil {
			return
		}
		if err := w.Flush(); err != nil {
			return
		}
		select {
		case <-wake:
			text = "event: pull\ndata:\n\n"
		case <-beat.C:
			text = ": still here\n\n"
		case <-a.closing:
			return
		}
		if a.cfg.Auth.Check(caller) != nil {
			return
		}
	}
}
