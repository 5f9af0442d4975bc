package api

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/doors"
	"doorstep/server/internal/erasure"
	"doorstep/server/internal/finalise"
	"doorstep/server/internal/once"
	"doorstep/syncproto"
	"doorstep/syncproto/frame"
)

// status is the one table from codes to HTTP status. A code that is missing
// here answers 500, which a test over all codes forbids.
func status(c syncproto.Code) int {
	switch c {
	case syncproto.CodeOK:
		return fasthttp.StatusOK
	case syncproto.CodeTooLarge:
		return fasthttp.StatusRequestEntityTooLarge
	case syncproto.CodeUnsupportedMedia, syncproto.CodeContentEncoding:
		return fasthttp.StatusUnsupportedMediaType
	case syncproto.CodeEmpty, syncproto.CodeMalformed, syncproto.CodeNotCanonical, syncproto.CodeTooDeep,
		syncproto.CodeBadText, syncproto.CodeBadNumber, syncproto.CodeBadID, syncproto.CodeBadCursor,
		syncproto.CodeUnsupportedVersion, syncproto.CodeIDMismatch, syncproto.CodeBadSignature,
		syncproto.CodeTooManyDeps, syncproto.CodeSelfDep, syncproto.CodeUnknownField, syncproto.CodeBadValue,
		syncproto.CodeBadOp, syncproto.CodeWrongRecord, syncproto.CodeBadPosition, syncproto.CodeCycle,
		syncproto.CodeFutureTime:
		return fasthttp.StatusBadRequest
	case syncproto.CodeUnauthenticated, syncproto.CodeBadCredentials, syncproto.CodeBadProof, syncproto.CodeSignInFailed,
		syncproto.CodeBadPasskey:
		return fasthttp.StatusUnauthorized
	case syncproto.CodeWrongDevice, syncproto.CodeUnknownKey, syncproto.CodeForeignDep, syncproto.CodeNotEntitled,
		syncproto.CodeDeniedField, syncproto.CodeRevokedDevice, syncproto.CodeAccessEnded, syncproto.CodeForbidden, syncproto.CodeStepUp,
		syncproto.CodeUnlinked, syncproto.CodeNoRole, syncproto.CodeUnconfirmed:
		return fasthttp.StatusForbidden
	case syncproto.CodeNotFound, syncproto.CodeWrongBorough, syncproto.CodeMisfiled:
		return fasthttp.StatusNotFound
	case syncproto.CodeMethod:
		return fasthttp.StatusMethodNotAllowed
	case syncproto.CodeUnknownEpoch, syncproto.CodeMissingDeps, syncproto.CodeMissingPrev, syncproto.CodeNewerApp,
		syncproto.CodeForked, syncproto.CodeErased, syncproto.CodeLogRewritten, syncproto.CodeBuildsOnQuarantine, syncproto.CodeKeptAway, syncproto.CodeRecovered, syncproto.CodeLate, syncproto.CodeFinal,
		syncproto.CodeOpenConflict, syncproto.CodeOpenQuery, syncproto.CodeMissingField, syncproto.CodeHeldChanges,
		syncproto.CodeStaleHeads, syncproto.CodeNotConfirmed, syncproto.CodeNotHandedOver, syncproto.CodeLeased,
		syncproto.CodeLostToEarlier, syncproto.CodeUnreviewed, syncproto.CodeUnreadOverlap,
		syncproto.CodeNotPlaced:
		return fasthttp.StatusConflict
	case syncproto.CodeTooMany, syncproto.CodeCustodyFull:
		return fasthttp.StatusTooManyRequests
	case syncproto.CodeUnavailable:
		return fasthttp.StatusServiceUnavailable
	case syncproto.CodeDiskFull:
		return fasthttp.StatusInsufficientStorage
	}
	return fasthttp.StatusInternalServerError
}

// Problem is the body of every JSON answer that is not a success.
type Problem struct {
	Code      uint16          `json:"code" doc:"Number of the reason; the list is append-only (SPEC 11)."`
	Name      string          `json:"name" doc:"Short name of the reason, for programs and logs."`
	Plain     string          `json:"plain" doc:"What happened and what to do, in plain words for the person."`
	RequestID string          `json:"request_id" doc:"Names this request in the server's log."`
	Details   []ProblemDetail `json:"details" doc:"Every single reason, where there can be several."`
}

// ProblemDetail is one of several reasons.
type ProblemDetail struct {
	Record string `json:"record,omitempty" doc:"The record concerned."`
	Path   string `json:"path,omitempty" doc:"The field concerned, parts joined by a slash; for a bad request the JSON key."`
	Code   uint16 `json:"code" doc:"Number of the reason."`
	Name   string `json:"name" doc:"Short name of the reason."`
	Plain  string `json:"plain" doc:"The reason in plain words."`
}

// refusal is an error on its way to becoming a Problem.
type refusal struct {
	code       syncproto.Code
	status     int // 0: as the table says
	details    []ProblemDetail
	retryAfter time.Duration
	nonce      string // for the caller's next proof; empty: none
}

func (r *refusal) Error() string { return r.code.Error() }
func (r *refusal) Unwrap() error { return r.code }

// refusalOf turns any error into what the caller is told. An error without a
// code is ours: the caller learns no more than that, the log has the chain.
func refusalOf(err error) *refusal {
	var r *refusal
	if errors.As(err, &r) {
		return r
	}
	out := &refusal{code: syncproto.CodeInternal}
	errors.As(err, &out.code)
	var many *auth.TooMany
	if errors.As(err, &many) {
		out.retryAfter = many.RetryAfter
	}
	var needs auth.NeedsPassword
	if errors.As(err, &needs) {
		missing := syncproto.CodeMissingField
		for _, path := range []string{"login", "password"} {
			out.details = append(out.details, ProblemDetail{Path: path, Code: uint16(missing), Name: missing.Error(),
				Plain: "This account has a password. Give it once more, so that nobody else can take the account over."})
		}
	}
	var unproven *auth.ProofError
	if errors.As(err, &unproven) {
		out.nonce = unproven.Nonce
	}
	if errors.Is(err, once.Reused{}) {
		out.details = []ProblemDetail{reusedDetail()}
	}
	var shut *doors.Refusal
	if errors.As(err, &shut) {
		out.details = []ProblemDetail{{Code: uint16(shut.Code), Name: shut.Code.Error(), Plain: shut.Plain}}
	}
	var kept *erasure.Refusal
	if errors.As(err, &kept) {
		out.details = []ProblemDetail{{Code: uint16(kept.Code), Name: kept.Code.Error(), Plain: kept.Plain}}
	}
	var reasons *finalise.Refusal
	if errors.As(err, &reasons) {
		out.details = detailsOf(reasons.Reasons)
	}
	return out
}

func detailsOf(list []finalise.Detail) []ProblemDetail {
	out := make([]ProblemDetail, 0, len(list))
	for _, d := range list {
		j := ProblemDetail{Path: pathText(d.Path), Code: uint16(d.Code), Name: d.Code.Error(), Plain: d.Plain}
		if d.Plain == "" {
			j.Plain = d.Code.Plain()
		}
		if d.Record != (syncproto.RecordID{}) {
			j.Record = d.Record.String()
		}
		out = append(out, j)
	}
	return out
}

// pathText joins a path's parts for people; it is empty for the record itself.
func pathText(p syncproto.Path) string {
	s := p.Field
	if !p.Element.IsZero() {
		s += "/" + p.Element.String()
	}
	if p.Sub != "" {
		s += "/" + p.Sub
	}
	return s
}

// writeProblem answers with r: as CBOR on the sync route, as JSON elsewhere.
func (a *API) writeProblem(fctx *fasthttp.RequestCtx, r *refusal) {
	code := r.status
	if code == 0 {
		code = status(r.code)
	}
	fctx.Response.ResetBody()
	fctx.SetStatusCode(code)
	if r.retryAfter > 0 {
		fctx.Response.Header.Set("Retry-After", strconv.Itoa(int(r.retryAfter/time.Second)+1))
	}
	if code == fasthttp.StatusUnauthorized {
		fctx.Response.Header.Set("WWW-Authenticate", challenge(r))
	}
	if r.nonce != "" {
		fctx.Response.Header.Set(nonceHeader, r.nonce)
	}
	if string(fctx.Path()) == syncPath {
		fctx.SetContentType(frame.MediaType)
		fctx.SetBody(syncproto.EncodeProblem(a.syncProblem(r.code)))
		return
	}
	p := Problem{Code: uint16(r.code), Name: r.code.Error(), Plain: r.code.Plain(),
		RequestID: stateOf(fctx).id, Details: r.details}
	if p.Details == nil {
		p.Details = []ProblemDetail{}
	}
	body, err := json.Marshal(p)
	if err != nil {
		panic("bug: a problem does not encode: " + err.Error())
	}
	fctx.SetContentType("application/problem+json")
	fctx.SetBody(body)
}

// challenge is what WWW-Authenticate says of a refusal (RFC 9449, 7.1 and 9).
func challenge(r *refusal) string {
	if r.nonce != "" {
		return `DPoP algs="ES256", error="use_dpop_nonce"`
	}
	return `DPoP algs="ES256", Bearer`
}

// syncProblem is the body of a failed sync (SPEC 7.7).
func (a *API) syncProblem(c syncproto.Code) *syncproto.SyncProblem {
	p := &syncproto.SyncProblem{Code: c, Epoch: a.cfg.Health.Epoch()}
	if c == syncproto.CodeUnsupportedVersion {
		p.MinVersion, p.MaxVersion = syncproto.MinProtocolVersion, syncproto.ProtocolVersion
	}
	return p
}
