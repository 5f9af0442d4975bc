package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"mime"
	"reflect"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/auth"
	"doorstep/syncproto"
)

// who says which callers a route takes.
type who uint8

const (
	anyone    who = iota // no sign-in
	signedIn             // a good access token
	evenLost             // also from a revoked device: what only takes words in, or ends a session
	onDevice             // as evenLost, and in a session of an enrolled device
	jsonMedia = "application/json"
)

// route is one line of the API. Exactly one of handle and stream is set.
type route struct {
	method, path string
	id           string // operation id, also in logs
	summary      string
	who          who
	stepUp       bool         // needs a fresh sign-in
	onlyOnce     bool         // a request that names itself is carried out once
	request      reflect.Type // JSON body; nil: none
	response     reflect.Type // JSON answer; nil: none
	consumes     string       // media type when it is not JSON
	produces     string       // media type when it is not JSON
	borrows      bool         // its handle gets the connection's own body, and keeps nothing of it
	codes        []syncproto.Code
	handle       func(*call) error
	stream       func(*call, *fasthttp.RequestCtx)
}

// call is one request on its way through a handler. Handlers see it and never
// fiber: its strings and bytes are copies, but for the body of a route that borrows.
type call struct {
	ctx     context.Context
	caller  auth.Caller
	address string
	proof   proof              // what became of the request's proof
	nonce   string             // for the caller's next proof; empty: none
	family  syncproto.FamilyID // that the body names, for the audit log; zero: none
	record  syncproto.RecordID // as family
	param   string             // the record or family of the path; "" when the route has none
	heads   string             // the version of the path; "" when the route has none
	body    []byte
	log     *slog.Logger
	reply   func(media string, body []byte)
}

// none stands for a route without a JSON body or answer.
type none struct{}

// handler makes a route's handle out of a function over plain structs: decode,
// check, call, encode.
func handler[Req, Res any](a *API, r route, f func(*call, *Req) (*Res, error)) route {
	if t := reflect.TypeFor[Req](); t != reflect.TypeFor[none]() {
		r.request = t
	}
	if t := reflect.TypeFor[Res](); t != reflect.TypeFor[none]() {
		r.response = t
	}
	r.handle = func(c *call) error {
		var req Req
		if r.request != nil {
			if err := decodeJSON(c.body, &req); err != nil {
				return err
			}
			if err := a.checker.check(&req); err != nil {
				return err
			}
		}
		res, err := f(c, &req)
		if err != nil || r.response == nil {
			return err
		}
		body, err := json.Marshal(res)
		if err != nil {
			return err
		}
		c.reply(jsonMedia, body)
		return nil
	}
	return r
}

// fiberHandler binds a route to fiber: who calls, what was sent, what is answered.
func (a *API) fiberHandler(r route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		fctx := c.Context()
		s := stateOf(fctx)
		s.route = r.id
		ctx, cancel := context.WithTimeout(context.Background(), a.cfg.Limits.WriteTimeout)
		ctx, s.span = a.cfg.Traces.Request(ctx, r.method, r.path)
		defer cancel()
		k := &call{ctx: ctx, address: a.address(fctx), proof: proofOf(&fctx.Request.Header), param: strings.Clone(c.Params("id")),
			heads: strings.Clone(c.Params("heads")), body: fctx.Request.Body(),
			log: a.cfg.Log.With("request", s.id, "route", r.id)}
		if !r.borrows {
			k.body = bytes.Clone(k.body)
		}
		k.reply = func(media string, body []byte) {
			fctx.SetContentType(media)
			fctx.SetBody(body)
		}
		err := a.letIn(r, k, fctx, s)
		if err == nil && r.stream != nil {
			setNonce(fctx, k.nonce)
			r.stream(k, fctx)
			return nil
		}
		if err == nil {
			fctx.SetStatusCode(fasthttp.StatusOK)
			if err = r.handle(k); err == nil && len(fctx.Response.Body()) == 0 {
				fctx.SetStatusCode(fasthttp.StatusNoContent)
			}
		}
		if noted := a.note(r, k, err); noted != nil && err == nil {
			fctx.Response.ResetBody()
			err = noted // what cannot be audited is not shown
		}
		if err != nil {
			s.cause = err
			a.writeProblem(fctx, refusalOf(err))
			return nil
		}
		setNonce(fctx, k.nonce)
		return nil
	}
}

// setNonce gives the caller a nonce for their next proof.
func setNonce(fctx *fasthttp.RequestCtx, nonce string) {
	if nonce != "" {
		fctx.Response.Header.Set(nonceHeader, nonce)
	}
}

// letIn checks the media type and who is calling.
func (a *API) letIn(r route, k *call, fctx *fasthttp.RequestCtx, s *state) (err error) {
	if r.who != anyone {
		caller, err := a.callerOf(k, &fctx.Request.Header)
		if err != nil {
			return err
		}
		if wait := a.sessions.Take(string(caller.Session[:]), a.cfg.Now()); wait > 0 {
			return &refusal{code: syncproto.CodeTooMany, retryAfter: wait}
		}
		if caller.CustodyOnly && r.who == signedIn {
			return syncproto.CodeAccessEnded
		}
		if r.who == onDevice && caller.Device.IsZero() {
			return syncproto.CodeWrongDevice
		}
		if r.stepUp && a.cfg.Now().Sub(caller.SignedInAt) > a.cfg.StepUp {
			return syncproto.CodeStepUp
		}
		k.caller, s.user = caller, caller.User
		k.ctx = audit.WithActing(k.ctx, k.acting())
	}
	if want := r.media(); want != "" {
		got, _, err := mime.ParseMediaType(string(fctx.Request.Header.ContentType()))
		if err != nil || got != want {
			return syncproto.CodeUnsupportedMedia
		}
	}
	k.ctx, err = withRequest(k.ctx, r, k, &fctx.Request.Header)
	return err
}

// callerOf returns who sent a request.
func (a *API) callerOf(k *call, h *fasthttp.RequestHeader) (auth.Caller, error) {
	in, ok := authorization(h)
	if !ok {
		return auth.Caller{}, syncproto.CodeUnauthenticated
	}
	in.Key = k.proof.proven.Key
	caller, err := a.cfg.Auth.Verify(k.ctx, in)
	if k.proof.err != nil && (err == nil || !errors.Is(err, syncproto.CodeUnauthenticated)) {
		err = k.proof.err // which says more
	}
	k.nonce = k.proof.proven.Nonce
	return caller, err
}

// media is what a request's Content-Type must be; "" when it has no body.
func (r route) media() string {
	if r.consumes != "" {
		return r.consumes
	}
	if r.request != nil {
		return jsonMedia
	}
	return ""
}

func levelOf(status int) slog.Level {
	switch {
	case status >= 500:
		return slog.LevelError
	case status >= 400:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
