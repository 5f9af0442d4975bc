package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"doorstep/server/internal/auth"
	"doorstep/syncproto"
)

const (
	proofHeader = "DPoP"       // RFC 9449, 4.1
	nonceHeader = "DPoP-Nonce" // RFC 9449, 8.1
	// provenHeader carries what became of a request's proof from the arrival of the
	// header, when proofs are weighed, to the handler, which may come minutes later.
	// What a caller sends under this name is thrown away. It is always set: what
	// comes after a body in chunks is appended to the header (RFC 9112, 7.1.2), and
	// only the first of a name is read.
	provenHeader = "X-Doorstep-Proven"
	unproven     = "none" // its value if no proof was weighed
)

// authorization returns a copy of the token that a request carries, and whether it
// came as one that is bound to a key.
func authorization(h *fasthttp.RequestHeader) (in auth.Sender, ok bool) {
	all := h.PeekAll(fiber.HeaderAuthorization)
	if len(all) != 1 {
		return in, false
	}
	in.Sync = string(h.RequestURI()) == syncPath
	rest, bound := bytes.CutPrefix(all[0], []byte("DPoP "))
	if !bound {
		if rest, ok = bytes.CutPrefix(all[0], []byte("Bearer ")); !ok {
			return in, false
		}
	}
	in.Token, in.Bound = string(rest), bound
	return in, len(rest) > 0
}

// arrived weighs what a header shows of its sender, before the body is read: a
// thief of a token alone gets no more memory and time than a stranger. It reports
// whether the request is from somebody known.
func (a *API) arrived(h *fasthttp.RequestHeader) (known bool) {
	in, claims := authorization(h)
	var key auth.Thumbprint
	if claims {
		var err error
		_, key, err = a.cfg.Auth.Known(context.Background(), in)
		known = err == nil
	}
	proofs := h.PeekAll(proofHeader)
	if len(proofs) == 0 || claims && !known {
		h.Set(provenHeader, unproven)
		return known && key.IsZero() && !in.Bound
	}
	out := &proof{err: &auth.ProofError{Reason: "more than one", Nonce: a.cfg.Auth.Nonce()}}
	if len(proofs) == 1 {
		out.proven, out.err = a.cfg.Auth.Prove(context.Background(),
			auth.Proof{JWT: string(proofs[0]), Method: string(h.Method()), URL: a.urlOf(h), Token: in.Token, Holder: key})
	}
	h.Set(provenHeader, out.encode())
	return known && out.err == nil && key == out.proven.Key
}

// urlOf is the address that a request's proof has to name.
func (a *API) urlOf(h *fasthttp.RequestHeader) string {
	origin := a.cfg.Origin
	if origin == "" {
		origin = "//" + string(h.Host())
	}
	path, _, _ := bytes.Cut(h.RequestURI(), []byte("?"))
	return origin + string(path)
}

// proof is what became of a request's proof; the zero value: none came.
type proof struct {
	proven auth.Proven
	err    error
}

func (p *proof) encode() string {
	var refused *auth.ProofError
	switch {
	case errors.As(p.err, &refused):
		return "no " + refused.Nonce + " " + refused.Reason
	case p.err != nil:
		return "busy"
	}
	return "ok " + base64.RawURLEncoding.EncodeToString(p.proven.Key[:]) + " " + p.proven.Nonce
}

// proofOf reads what arrived wrote.
func proofOf(h *fasthttp.RequestHeader) (p proof) {
	parts := strings.SplitN(string(h.Peek(provenHeader)), " ", 3)
	switch {
	case parts[0] == "busy":
		p.err = syncproto.CodeUnavailable
	case len(parts) < 3: // unproven
	case parts[0] == "no":
		p.err = &auth.ProofError{Nonce: parts[1], Reason: parts[2]}
	default:
		key, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil || len(key) != len(p.proven.Key) {
			panic("bug: a proven key that does not read")
		}
		p.proven = auth.Proven{Key: auth.Thumbprint(key), Nonce: parts[2]}
	}
	return p
}
