package device

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"doorstep/syncproto"
	"doorstep/syncproto/frame"
)

// Client is the Transport over HTTP, and what a person needs to sign in. It
// trades in an access token that lapsed by itself, and signs each request with
// the device's key.
type Client struct {
	base string
	http *http.Client
	keys prover

	mu      sync.Mutex // held across a refresh, so that there is one at a time
	session Session    // guarded by mu
	shown   string     // guarded by mu; the lapsed access token in whose place the refresh token was shown
	keep    sessionRow // guarded by mu; its store is nil until Open
	seat    Identity   // guarded by mu; whose device it is; zero until Open or Enrol
}

// Session is a signed-in session. It is kept with the device's rows.
type Session struct {
	Access  string
	Refresh string
	// RefreshID names the refresh that is under way, so that asking again after
	// a lost reply gives the same tokens.
	RefreshID string
	// Bearer: the server asks for no proof of the key with this session's tokens.
	Bearer bool
	// CustodyOnly: access has ended; unsent words go into custody, nothing comes down.
	CustodyOnly bool
	// UntilMS is when the access token lapses, by this device's clock, in milliseconds
	// since 1970; 0: not known.
	UntilMS int64
}

// tokenMargin: a token that lapses sooner may have lapsed when it arrives.
const tokenMargin = 20 * time.Second

// usable reports whether the access token is there and not known to have lapsed.
func (s Session) usable(now time.Time) bool {
	return s.Access != "" && (s.UntilMS == 0 || now.Add(tokenMargin).UnixMilli() < s.UntilMS)
}

// showable reports whether the refresh token can be shown in place of an access token
// that lapsed (SPEC 7.8).
func (s Session) showable() bool { return s.Refresh != "" && !s.Bearer }

// authorization is the header that an access token goes into.
func (s Session) authorization() string {
	if s.Bearer {
		return "Bearer " + s.Access
	}
	return "DPoP " + s.Access
}

// maxAnswerBytes bounds answers that are not sync replies.
const maxAnswerBytes = 64 << 10

// NewClient returns a client of the server at base, such as
// "https://doorstep.borough.example". A nil h means a client without cookies and
// redirects.
func NewClient(base string, h *http.Client) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("server address %q: want https://host", base)
	}
	if h == nil {
		h = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}
	}
	return &Client{base: strings.TrimRight(u.String(), "/"), http: h}, nil
}

// sessionUser is a Transport that signs with the device's key and wants its
// session kept.
type sessionUser interface {
	useSessions(keep sessionRow, own ownRows)
}

func (c *Client) useSessions(keep sessionRow, own ownRows) {
	c.keys.use(own.key)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep, c.seat = keep, own.identity
	if c.session == (Session{}) {
		c.session = own.session
	}
}

// SignIn begins a session of a person on an enrolled device, whose key the client
// has from Open or Enrol. It fails with a Refusal: CodeBadCredentials,
// CodeTooMany, CodeWrongDevice, CodeBadProof.
func (c *Client) SignIn(ctx context.Context, login, password string, device syncproto.DeviceID) error {
	return c.signIn(ctx, map[string]any{"login": login, "password": password}, device)
}

// signIn begins a session by a credential.
func (c *Client) signIn(ctx context.Context, in map[string]any, device syncproto.DeviceID) error {
	if !device.IsZero() {
		in["device"] = device.String()
	}
	var out sessionAnswer
	if err := c.call(ctx, "/v1/sign-in", in, &out); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.setSession(out.session())
}

// setSession keeps a session. The caller holds mu.
func (c *Client) setSession(s Session) error {
	c.session = s
	if c.keep.store == nil {
		return nil
	}
	if err := c.keep.save(s); err != nil {
		return fmt.Errorf("keep session: %w", err)
	}
	return nil
}

// sessionAnswer is what /v1/sign-in, /v1/devices and /v1/token/refresh tell.
type sessionAnswer struct {
	AccessToken   string `json:"access_token"`
	TokenType     string `json:"token_type"`
	ExpiresIn     int64  `json:"expires_in"` // seconds
	RefreshToken  string `json:"refresh_token"`
	User          string `json:"user"`
	Device        string `json:"device"`
	Borough       string `json:"borough"`
	ReplyKey      string `json:"reply_key"`
	CheckpointKey string `json:"checkpoint_key"`
	CustodyOnly   bool   `json:"custody_only"`
	RecoveryKey   string `json:"recovery_key"`
}

func (a sessionAnswer) session() Session {
	s := Session{Access: a.AccessToken, Refresh: a.RefreshToken, Bearer: a.TokenType == "Bearer", CustodyOnly: a.CustodyOnly}
	if a.ExpiresIn > 0 {
		s.UntilMS = time.Now().UnixMilli() + a.ExpiresIn*1000
	}
	return s
}

// StepUp proves anew who the person is, in the session that they are in: what is
// sworn, sealed or opened in an emergency needs a proof of a moment ago. It fails
// with a Refusal: CodeBadCredentials for a wrong password and for somebody else's,
// CodeTooMany, CodeUnauthenticated once the session has ended.
func (c *Client) StepUp(ctx context.Context, login, password string) error {
	in := map[string]any{"login": login, "password": password}
	var out struct{}
	err := c.signedIn(ctx, func(authorization string) error {
		return c.callAs(ctx, authorization, "/v1/step-up", in, &out)
	})
	if err != nil {
		return fmt.Errorf("step up: %w", err)
	}
	return nil
}

// call posts JSON and reads the JSON answer.
func (c *Client) call(ctx context.Context, path string, in, out any) error {
	return c.callAs(ctx, "", path, in, out)
}

// callAs is call with an Authorization header; empty: none.
func (c *Client) callAs(ctx context.Context, authorization, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	answer, err := c.do(req, maxAnswerBytes)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

// do sends a request and returns the body of a 200 answer; any other answer is a
// Refusal.
func (c *Client) do(req *http.Request, limit int64) ([]byte, error) {
	resp, err := c.send(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > limit {
		return nil, errors.New("answer is too long")
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, refused(resp, body)
	}
	return body, nil
}

// send sends a request with its proof. Once, it sends it again with the nonce that
// the server asks for: after a restart of the server, or if a clock is wrong.
func (c *Client) send(req *http.Request) (*http.Response, error) {
	for first := true; ; first = false {
		if err := c.keys.prove(req); err != nil {
			return nil, err
		}
		resp, err := c.http.Do(req)
		if err != nil {
			return nil, err
		}
		nonce := c.keys.heard(resp.Header)
		if !first || !nonce || resp.StatusCode != http.StatusUnauthorized || req.Body != nil && req.GetBody == nil {
			return resp, nil
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswerBytes)) // so that the connection can be used again
		if err := resp.Body.Close(); err != nil {
			return nil, err
		}
		if req.Body != nil {
			if req.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

// refused reads the server's reason, in the form of the route, or goes by the
// status if there is none to read: a proxy may have answered.
func refused(resp *http.Response, body []byte) *Refusal {
	r := &Refusal{Code: codeOfStatus(resp.StatusCode)}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		r.RetryAfter = time.Duration(min(seconds, 3600)) * time.Second
	}
	if resp.Header.Get("Content-Type") == frame.MediaType {
		if p, err := syncproto.DecodeProblem(body); err == nil {
			r.Code = p.Code
		}
		return r
	}
	var problem struct {
		Code syncproto.Code `json:"code"`
	}
	if json.Unmarshal(body, &problem) == nil && problem.Code != syncproto.CodeOK {
		r.Code = problem.Code
	}
	return r
}

func codeOfStatus(status int) syncproto.Code {
	switch status {
	case http.StatusUnauthorized:
		return syncproto.CodeUnauthenticated
	case http.StatusForbidden:
		return syncproto.CodeForbidden
	case http.StatusRequestEntityTooLarge:
		return syncproto.CodeTooLarge
	case http.StatusTooManyRequests:
		return syncproto.CodeTooMany
	}
	return syncproto.CodeUnavailable
}

// Sync implements Transport.
func (c *Client) Sync(ctx context.Context, wire []byte) ([]byte, error) {
	var answer []byte
	send := func(authorization string) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/v1/sync", bytes.NewReader(wire))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", frame.MediaType)
		req.Header.Set("Authorization", authorization)
		answer, err = c.do(req, syncproto.MaxWireBytes)
		return err
	}
	if done, err := c.showing(send); done {
		return answer, err
	}
	err := c.signedIn(ctx, send)
	return answer, err
}

// showing makes the first sync after the access token lapsed with the refresh token
// instead: what was written is not to wait for a round trip. It reports false where a new
// access token is needed.
func (c *Client) showing(send func(authorization string) error) (done bool, err error) {
	c.mu.Lock()
	session, shown := c.session, c.shown
	c.mu.Unlock()
	if session.usable(time.Now()) || !session.showable() || shown == session.Access {
		return false, nil
	}
	err = send("DPoP " + session.Refresh)
	if err == nil || lapsedBy(err) {
		c.mu.Lock()
		c.shown = session.Access
		c.mu.Unlock()
	}
	return !lapsedBy(err), err
}

// signedIn makes a call with the access token; with a new one if it is known to have
// lapsed, and once more if the server says so: over a poor signal a day's work must not
// go up to be refused. Where no new one can be had because access
// has ended, the call is made in a custody session.
func (c *Client) signedIn(ctx context.Context, call func(authorization string) error) error {
	c.mu.Lock()
	session := c.session
	c.mu.Unlock()
	var err error = &Refusal{Code: syncproto.CodeUnauthenticated}
	if session.usable(time.Now()) {
		err = call(session.authorization())
	}
	if !lapsedBy(err) {
		return err
	}
	next, err := c.refresh(ctx, session.Access)
	if lapsedBy(err) {
		next, err = c.custody(ctx, session.Access, err)
	}
	if err != nil {
		return err
	}
	return call(next.authorization())
}

// refresh trades the refresh token for the next, unless somebody did so since
// lapsed was seen to have lapsed.
func (c *Client) refresh(ctx context.Context, lapsed string) (Session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session.Access != lapsed {
		return c.session, nil
	}
	if c.session.Refresh == "" {
		return Session{}, &Refusal{Code: syncproto.CodeUnauthenticated}
	}
	if c.session.RefreshID == "" {
		s := c.session
		s.RefreshID = freshID()
		if err := c.setSession(s); err != nil {
			return Session{}, err
		}
	}
	in := map[string]string{"refresh_token": c.session.Refresh, "request_id": c.session.RefreshID}
	var out sessionAnswer
	if err := c.call(ctx, "/v1/token/refresh", in, &out); err != nil {
		return Session{}, fmt.Errorf("refresh session: %w", err)
	}
	s := out.session()
	return s, c.setSession(s)
}

func freshID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}
