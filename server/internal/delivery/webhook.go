package delivery

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"doorstep/syncproto"
)

// Headers of a delivery.
const (
	HeaderBundle    = "Doorstep-Bundle"    // the bundle's id
	HeaderSignature = "Doorstep-Signature" // detached JWS over the body
)

// Limits of one request.
const (
	webhookTimeout = 60 * time.Second
	maxAnswer      = 16 << 10 // bytes of an answer that are looked at
)

// Webhook posts bundles to one address, and to no other: it follows no redirect and
// asks no proxy of the environment. Any 2xx answer means that the other side has the
// bundle for good; 409 that it had it already. An answer {"reference": "..."} is kept.
type Webhook struct {
	address string
	token   string // sent as a bearer token; empty: none
	client  *http.Client
}

// NewWebhook names the address. roots may be nil: the machine's certificate authorities.
func NewWebhook(address, token string, roots *tls.Config) *Webhook {
	if roots == nil {
		roots = &tls.Config{}
	}
	roots = roots.Clone()
	roots.MinVersion = tls.VersionTLS12
	return &Webhook{address: address, token: token, client: &http.Client{
		Timeout:       webhookTimeout,
		Transport:     &http.Transport{TLSClientConfig: roots, MaxIdleConns: 2, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 15 * time.Second, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// errAnswer says that the other side cannot take anything now.
var errAnswer = errors.New("delivery.url answered that it cannot take records now")

// Deliver implements Target.
func (w *Webhook) Deliver(ctx context.Context, p Parcel) (Handed, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.address, bytes.NewReader(p.Bundle))
	if err != nil {
		return Handed{}, fmt.Errorf("addressing delivery.url: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set(HeaderBundle, p.ID)
	req.Header.Set("Idempotency-Key", p.ID)
	req.Header.Set(HeaderSignature, p.Signature)
	if w.token != "" {
		req.Header.Set("Authorization", "Bearer "+w.token)
	}
	res, err := w.client.Do(req)
	if err != nil {
		var where *url.Error
		if errors.As(err, &where) {
			err = where.Err // without the address, which may hold what only the other side should know
		}
		return Handed{}, fmt.Errorf("posting to delivery.url: %w", err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	switch {
	case res.StatusCode == http.StatusConflict || err == nil && res.StatusCode/100 == 2:
		return Handed{Taken: true, Reference: referenceIn(answer)}, nil
	case err != nil:
		return Handed{}, fmt.Errorf("reading the answer of delivery.url: %w", err)
	case refuses(res.StatusCode):
		return Handed{}, &Refusal{Status: res.StatusCode}
	}
	return Handed{}, fmt.Errorf("%w (%d)", errAnswer, res.StatusCode)
}

// refuses tells a word about this bundle from one about the way there: who is not let in,
// who is sent elsewhere and who comes too often will fare no better with another bundle.
func refuses(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired,
		http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return status/100 == 4
}

// referenceIn is what the other side calls the bundle, if it says so on one line.
func referenceIn(answer []byte) string {
	var said struct {
		Reference string `json:"reference"`
	}
	if json.Unmarshal(answer, &said) != nil || len(said.Reference) > maxReference || !utf8.ValidString(said.Reference) ||
		strings.ContainsFunc(said.Reference, unicode.IsControl) {
		return ""
	}
	return said.Reference
}

// Check implements Target: whether the address answers is found out by posting.
func (w *Webhook) Check() error { return nil }

// Fetched implements Target: what was posted was taken.
func (w *Webhook) Fetched(string) (bool, error) { return true, nil }

// Withdraw implements Target: nothing lies ready anywhere.
func (w *Webhook) Withdraw(syncproto.RecordID) error { return nil }
