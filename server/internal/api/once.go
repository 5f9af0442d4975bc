package api

import (
	"context"
	"crypto/sha256"

	"github.com/valyala/fasthttp"

	"doorstep/server/internal/once"
	"doorstep/syncproto"
)

// onceHeader names a request, so that it can be sent again when its answer was lost
// (draft-ietf-httpapi-idempotency-key-header): a string of RFC 8941 of 32 hex digits.
const onceHeader = "Idempotency-Key"

// once makes a route carry a request that is sent again out only once. What it does
// has to be one proposal, which stages once.Entry.
func (r route) once() route {
	r.onlyOnce = true
	return r
}

// withRequest returns a context in which a request that names itself is carried out
// once. It fails with CodeMalformed for a name of another form.
func withRequest(ctx context.Context, r route, k *call, h *fasthttp.RequestHeader) (context.Context, error) {
	names := h.PeekAll(onceHeader)
	if !r.onlyOnce || len(names) == 0 {
		return ctx, nil
	}
	name := string(names[0])
	if len(names) > 1 || len(name) != 34 || name[0] != '"' || name[33] != '"' {
		return ctx, syncproto.CodeMalformed
	}
	id, err := syncproto.ParseID(name[1:33])
	if err != nil || id.IsZero() {
		return ctx, syncproto.CodeMalformed
	}
	what := sha256.New()
	what.Write([]byte(r.id + "\x00" + k.param + "\x00"))
	what.Write(k.body)
	return once.With(ctx, once.Request{User: k.caller.User, ID: syncproto.RequestID(id), What: [32]byte(what.Sum(nil))}), nil
}

// reusedDetail says that a name was another request's.
func reusedDetail() ProblemDetail {
	return ProblemDetail{Path: onceHeader, Code: uint16(syncproto.CodeBadValue), Name: syncproto.CodeBadValue.Error(),
		Plain: "Something else was asked under the name of this request before."}
}
