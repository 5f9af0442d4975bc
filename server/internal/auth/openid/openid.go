// Package openid signs people in with the borough's own sign-in service, by
// OpenID Connect: the authorisation code flow with PKCE, state and nonce. The
// server is the relying party and trades in the code; the browser or app only
// carries it from the service to the server.
//
// Begin returns the address to send a person to and a Flow, which the caller keeps
// from everybody else; Finish takes what came back and returns the Person. Which
// account that person has is not decided here.
package openid

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Config is how a borough's sign-in service is reached and read.
type Config struct {
	Issuer       string
	ClientID     string
	Secret       string   // empty: a public client, protected by PKCE alone
	Redirects    []string // where the service may send people back to; see Begin
	Scopes       []string // besides openid
	SubjectClaim string   // names a person for good; never an address
	LoginClaim   string   // what a person signs in as there
	GroupsClaim  string   // list of the person's groups
	Require      []Claim  // that everybody's ID token must make; whose does not is ErrElsewhere
	Now          func() time.Time
	HTTP         *http.Client
}

// Claim is a word that a service says of a person, such as the tenant or the hosted
// domain of their account.
type Claim struct{ Name, Value string }

var (
	// ErrElsewhere says that a person has an account at the service, but none of this
	// borough's: another tenant's, or a private one.
	ErrElsewhere = errors.New("the account is not one of this borough's")
	// ErrUnavailable says that the sign-in service does not answer.
	ErrUnavailable = errors.New("the sign-in service does not answer")
	// ErrRefused says that what came back cannot be trusted; the chain says why.
	ErrRefused = errors.New("the sign-in service's answer was refused")
	// ErrRedirect says that a redirect is not among those of the configuration.
	ErrRedirect = errors.New("this redirect is not configured")
)

// algorithms are the signatures of ID tokens that are taken: none with a shared
// secret, and never "none".
var algorithms = []string{oidc.RS256, oidc.PS256, oidc.ES256, oidc.EdDSA}

const (
	// retryAfter spares a service that just failed.
	retryAfter = 5 * time.Second
	// leeway forgives clocks that differ from the service's.
	leeway = time.Minute
)

// Provider is a sign-in service. It is safe for concurrent use.
type Provider struct {
	cfg Config

	mu       sync.Mutex
	found    *oidc.Provider // guarded by mu; nil until the service was reached
	failed   error          // guarded by mu
	failedAt time.Time      // guarded by mu
}

// New returns a provider; the service is first asked when somebody signs in, so
// that a server starts without it.
func New(cfg Config) *Provider { return &Provider{cfg: cfg} }

// Flow is a sign-in that was begun. Whoever has it and the code could finish it.
type Flow struct {
	Redirect string
	State    string
	Nonce    string
	Verifier string // of PKCE
	Fresh    bool   // the person was to prove anew who they are
	BegunMS  int64
}

// Person is whom the service vouches for.
type Person struct {
	Subject   string // issuer and stable claim, one string
	Login     string // "" if the service does not say
	Name      string
	Groups    []string
	Confirmed bool      // the login is no address, or the service has confirmed it
	ProvedAt  time.Time // when they gave password or key there; zero: it does not say
}

// Begin returns where to send a person and the flow to finish with. redirect is
// one of the configured ones; one on a loopback address may have any port (RFC
// 8252, 7.3). fresh asks the service to have the person prove anew who they are.
func (p *Provider) Begin(ctx context.Context, redirect string, fresh bool, random io.Reader) (string, Flow, error) {
	if !p.Allows(redirect) {
		return "", Flow{}, ErrRedirect
	}
	found, err := p.discover(ctx)
	if err != nil {
		return "", Flow{}, err
	}
	flow := Flow{Redirect: redirect, Fresh: fresh, BegunMS: p.cfg.Now().UnixMilli()}
	for _, field := range []*string{&flow.State, &flow.Nonce, &flow.Verifier} {
		var b [32]byte
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", Flow{}, fmt.Errorf("drawing a state: %w", err)
		}
		*field = base64.RawURLEncoding.EncodeToString(b[:])
	}
	opts := []oauth2.AuthCodeOption{oidc.Nonce(flow.Nonce), oauth2.S256ChallengeOption(flow.Verifier)}
	if fresh {
		opts = append(opts, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return p.oauth(found, redirect).AuthCodeURL(flow.State, opts...), flow, nil
}

// Back is what the service sent a person back with.
type Back struct {
	Code   string
	State  string
	Issuer string // the parameter iss (RFC 9207); empty: none came
}

// Finish trades in the code and returns whom the service vouches for. It fails
// with ErrRefused, ErrElsewhere or ErrUnavailable.
func (p *Provider) Finish(ctx context.Context, flow Flow, back Back) (Person, error) {
	if subtle.ConstantTimeCompare([]byte(back.State), []byte(flow.State)) != 1 || flow.State == "" {
		return Person{}, fmt.Errorf("%w: another state", ErrRefused)
	}
	if back.Issuer != "" && back.Issuer != p.cfg.Issuer {
		return Person{}, fmt.Errorf("%w: of another issuer", ErrRefused)
	}
	found, err := p.discover(ctx)
	if err != nil {
		return Person{}, err
	}
	ctx = oidc.ClientContext(ctx, p.cfg.HTTP)
	token, err := p.oauth(found, flow.Redirect).Exchange(ctx, back.Code, oauth2.VerifierOption(flow.Verifier))
	if err != nil {
		return Person{}, exchangeError(err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return Person{}, fmt.Errorf("%w: no ID token", ErrRefused)
	}
	return p.read(ctx, found, flow, raw)
}

// exchangeError tells a code that was refused from a service that is not there.
// What the service wrote is left out: it may name the person.
func exchangeError(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response.StatusCode < http.StatusInternalServerError {
		return fmt.Errorf("%w: the code was not taken (%s)", ErrRefused, refused.ErrorCode)
	}
	return fmt.Errorf("%w: trading in the code", ErrUnavailable)
}

// read checks an ID token and reads the person in it.
func (p *Provider) read(ctx context.Context, found *oidc.Provider, flow Flow, raw string) (Person, error) {
	verifier := found.Verifier(&oidc.Config{ClientID: p.cfg.ClientID, SupportedSigningAlgs: algorithms, Now: p.cfg.Now})
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		return Person{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(flow.Nonce)) != 1 {
		return Person{}, fmt.Errorf("%w: another nonce", ErrRefused)
	}
	if token.IssuedAt.After(p.cfg.Now().Add(leeway)) {
		return Person{}, fmt.Errorf("%w: issued in the future", ErrRefused)
	}
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		return Person{}, fmt.Errorf("%w: unreadable claims", ErrRefused)
	}
	if azp := text(claims, "azp"); azp != "" && azp != p.cfg.ClientID {
		return Person{}, fmt.Errorf("%w: for another client", ErrRefused)
	}
	for _, want := range p.cfg.Require {
		if text(claims, want.Name) != want.Value {
			return Person{}, fmt.Errorf("%w: claim %s", ErrElsewhere, want.Name)
		}
	}
	return p.person(flow, token, claims)
}

// person reads the claims that the configuration names.
func (p *Provider) person(flow Flow, token *oidc.IDToken, claims map[string]any) (Person, error) {
	subject := text(claims, p.cfg.SubjectClaim)
	if subject == "" {
		return Person{}, fmt.Errorf("%w: no claim %s", ErrRefused, p.cfg.SubjectClaim)
	}
	out := Person{Subject: p.Subject(subject), Login: text(claims, p.cfg.LoginClaim), Name: text(claims, "name"), Confirmed: true}
	if p.cfg.LoginClaim == "email" {
		out.Confirmed, _ = claims["email_verified"].(bool)
	}
	groups, _ := claims[p.cfg.GroupsClaim].([]any)
	for _, g := range groups {
		if name, ok := g.(string); ok {
			out.Groups = append(out.Groups, name)
		}
	}
	if at, ok := claims["auth_time"].(float64); ok {
		out.ProvedAt = time.Unix(int64(at), 0)
	}
	begun := time.UnixMilli(flow.BegunMS).Add(-leeway)
	if flow.Fresh && out.ProvedAt.Before(begun) {
		return Person{}, fmt.Errorf("%w: the person did not prove anew who they are", ErrRefused)
	}
	return out, nil
}

// Subject names a person of this service by the value of the subject claim.
func (p *Provider) Subject(claim string) string { return p.cfg.Issuer + " " + claim }

func text(claims map[string]any, name string) string {
	s, _ := claims[name].(string)
	return s
}

func (p *Provider) oauth(found *oidc.Provider, redirect string) *oauth2.Config {
	endpoint := found.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInParams // also how a public client names itself
	if p.cfg.Secret != "" && p.takesBasic(found) {
		endpoint.AuthStyle = oauth2.AuthStyleInHeader
	}
	return &oauth2.Config{ClientID: p.cfg.ClientID, ClientSecret: p.cfg.Secret, Endpoint: endpoint, RedirectURL: redirect,
		Scopes: append([]string{oidc.ScopeOpenID}, p.cfg.Scopes...)}
}

// takesBasic reports whether the service takes the secret as HTTP Basic, as it
// does if it does not say (OpenID Connect Discovery 1.0, 3). Trying both ways, as
// the library would, uses the code up.
func (p *Provider) takesBasic(found *oidc.Provider) bool {
	var said struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := found.Claims(&said); err != nil || said.Methods == nil {
		return true
	}
	return slices.Contains(said.Methods, "client_secret_basic")
}

// discover asks the service for its addresses, once.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	now := p.cfg.Now()
	if p.failed != nil && now.Sub(p.failedAt) < retryAfter {
		return nil, p.failed
	}
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.cfg.HTTP), p.cfg.Issuer)
	if err != nil {
		p.failed, p.failedAt = fmt.Errorf("%w: %w", ErrUnavailable, err), now
		return nil, p.failed
	}
	p.found, p.failed = found, nil
	return found, nil
}

// Leave is where a person signs out of the service itself (OpenID Connect RP-Initiated
// Logout 1.0); empty if it has no such page, or was not reached yet. It never waits.
func (p *Provider) Leave() string {
	if !p.mu.TryLock() {
		return ""
	}
	defer p.mu.Unlock()
	var said struct {
		End string `json:"end_session_endpoint"`
	}
	if p.found == nil || p.found.Claims(&said) != nil {
		return ""
	}
	u, err := url.Parse(said.End)
	if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return ""
	}
	q := u.Query()
	q.Set("client_id", p.cfg.ClientID)
	u.RawQuery = q.Encode()
	return u.String()
}

// Allows reports whether a redirect is configured, letter for letter, or but for the
// port on a loopback address.
func (p *Provider) Allows(redirect string) bool {
	if slices.Contains(p.cfg.Redirects, redirect) {
		return true
	}
	u, err := url.Parse(redirect)
	if err != nil || u.Scheme != "http" || u.User != nil || u.Fragment != "" || !loopback(u.Hostname()) {
		return false
	}
	u.Host = u.Hostname()
	if net.ParseIP(u.Host).To4() == nil {
		u.Host = "[" + u.Host + "]"
	}
	return slices.Contains(p.cfg.Redirects, u.String())
}

// loopback reports whether a host is a loopback address. A name, which somebody
// else could answer for, is none.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
