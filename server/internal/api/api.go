// Package api is the HTTP face of a borough's server. It hides fiber, JSON and
// status codes.
//
// New takes the packages that do the work through the small interfaces below and
// returns an API; Serve answers requests on a listener until Shutdown. Every
// route is one line of the table in routes.go, from which requests are decoded,
// checked and answered and the OpenAPI document is made; lockdown.go is the one
// place that configures the HTTP server. The package decides nothing about who
// may see or do what: the packages behind it ask access themselves, so that no
// route can forget to.
package api

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/auth"
	"doorstep/server/internal/exchange"
	"doorstep/server/internal/pace"
	"doorstep/server/internal/tracing"
	"doorstep/syncproto"
	"doorstep/syncproto/frame"
)

// Config is what New needs. Numbers and durations that are zero take the default
// named with them; everything else must be set.
type Config struct {
	Name    string // of the installation, for people
	Borough string // as changes name it
	// Origin is how callers address the server, such as
	// "https://doorstep.borough.example"; empty: the Host they name is believed,
	// where a proof has to name the server.
	Origin string

	Auth     Auth
	Exchange Exchange
	Events   Events
	Records  Records
	Workflow Workflow
	Doors    Doors
	Erasures Erasures
	Exports  Exports
	Health   Health
	// App is the web app; nil: this server has none, and says so to who asks for it.
	App App
	// Desk is the pages for a browser at a desk; nil: there are none.
	Desk Desk

	// SignReply is Ed25519 by the reply key over a message (SPEC 7); ReplyKey is
	// its public half, which devices pin when they enrol.
	SignReply func(message []byte) []byte
	ReplyKey  []byte
	// RecoveryKey is what devices seal unsent work to, a P-256 point; nil: none.
	RecoveryKey []byte
	// Checkpoints is the audit log.
	Checkpoints Checkpoints
	// Oversight shows the audit log.
	Oversight Oversight
	// Accesses is told who looks at what.
	Accesses Accesses
	// Copies says how many disks or hosts come to hold a change.
	Copies int

	// StepUp is how old a sign-in may be for confirming and finalising; 0: 30 min.
	StepUp time.Duration

	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger

	// Meter is told of every answer; nil: nobody.
	Meter Meter
	// Traces says where the time of requests went; nil: nobody.
	Traces *tracing.Tracer

	// TrustedProxies may name the caller's address in X-Forwarded-For.
	TrustedProxies []netip.Prefix
	Limits         Limits
}

// Meter counts answers. It must return at once.
type Meter interface {
	Request(route string, status int, took time.Duration)
	SignInRefused(code string)
}

// Checkpoints is the audit log, as far as everybody is told: an *audit.Log.
type Checkpoints interface {
	Checkpoint(now time.Time) (syncproto.Checkpoint, error)
	Signer() audit.Signer
}

// Limits bound what callers can take. Zero fields take the default.
type Limits struct {
	ReadTimeout    time.Duration // whole request; 30 s
	WriteTimeout   time.Duration // whole answer; 30 s
	IdleTimeout    time.Duration // between requests of a connection; 75 s
	SlowLink       time.Duration // instead of the first two, for a signed-in device's sync; 10 min
	Connections    int           // at once; 8192
	PerAddress     int           // connections of one address, or of one IPv6 network, at once; 2048
	PerSession     int           // requests of one session a second, ten seconds' worth of them at once; 100
	Syncs          int           // worked on at once; 256
	SyncWait       time.Duration // for one of those places, before 503; 5 s
	Streams        int           // event streams at once; 5000
	StreamsPerUser int           // 4
	KeepAlive      time.Duration // between comments on an event stream; 10 s
}

// Auth is who is calling; package auth implements it.
type Auth interface {
	SignIn(context.Context, auth.SignIn) (auth.Grant, error)
	Refresh(context.Context, auth.Renewal) (auth.Grant, error)
	BeginCustody(context.Context, syncproto.UserID, syncproto.DeviceID, auth.Thumbprint) (auth.Grant, error)
	SignOut(context.Context, auth.Caller) error
	// Ways lists how people can sign in here.
	Ways() []string
	WaysOf(syncproto.UserID) []string
	BeginOpenID(ctx context.Context, redirect string, fresh bool) (url, ticket string, err error)
	OpenIDTo(redirect string) bool
	OpenIDLeave() string
	BeginPasskey(context.Context) (options json.RawMessage, ticket string, err error)
	StepUp(context.Context, auth.Caller, auth.Credential) (time.Time, error)
	Passkeys(syncproto.UserID) []auth.Passkey
	BeginAddPasskey(context.Context, auth.Caller) (options json.RawMessage, ticket string, err error)
	AddPasskey(ctx context.Context, c auth.Caller, back auth.PasskeyBack, name string) (auth.Passkey, error)
	RemovePasskey(ctx context.Context, user syncproto.UserID, id syncproto.ID) error
	RevokeDeviceAs(context.Context, auth.Caller, syncproto.DeviceID) error
	RevokeUserAs(context.Context, auth.Caller, syncproto.UserID) error
	Enrol(context.Context, auth.Enrol) (auth.Grant, error)
	Share(context.Context, auth.ShareRequest) (auth.Share, error)
	ShareOf(syncproto.UserID, syncproto.DeviceID) (auth.Share, error)
	Known(context.Context, auth.Sender) (auth.Caller, auth.Thumbprint, error)
	Prove(context.Context, auth.Proof) (auth.Proven, error)
	Nonce() string
	Verify(context.Context, auth.Sender) (auth.Caller, error)
	Check(auth.Caller) error
}

// Exchange takes changes in and hands news out. Errors that are a
// syncproto.Code concern the envelope.
type Exchange interface {
	Sync(context.Context, exchange.Caller, *syncproto.SyncRequest) (*syncproto.SyncReply, error)
	// Admit lets a change out of quarantine, AdmitAddendum as an addendum to a final
	// record; KeepAway keeps it locked away, with a reason.
	Admit(context.Context, exchange.Caller, syncproto.ChangeID) error
	AdmitAddendum(context.Context, exchange.Caller, syncproto.ChangeID) error
	KeepAway(ctx context.Context, caller exchange.Caller, id syncproto.ChangeID, reason string) error
}

// Events wakes whoever waits for news.
type Events interface {
	// Subscribe wakes the caller when there may be news for user, until cancel. It
	// fails with CodeTooMany over a limit of its own.
	Subscribe(user syncproto.UserID) (wake <-chan struct{}, cancel func(), err error)
}

// Health tells how the server is.
type Health interface {
	Epoch() syncproto.Epoch
	// Ready returns nil when the journal is open and the index has caught up.
	Ready() error
}

// API answers requests.
type API struct {
	cfg     Config
	app     *fiber.App
	routes  []route
	desk    []deskRoute
	rules   map[string]rule // of routes, for the audit log
	checker checker
	openapi []byte
	syncs   chan struct{} // places for syncs being worked on
	streams streamCount
	frames  frame.Wrapper

	sessions  *pace.Limiter // requests of each session
	strangers window        // large bodies of callers without a good token

	closing  chan struct{} // closed when Shutdown begins: event streams end
	stopOnce sync.Once
}

// New checks cfg, compiles every request's rules and writes the OpenAPI
// document; a mistake in either is an error here, never at the first request.
func New(cfg Config) (*API, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg.Limits = cfg.Limits.withDefaults()
	if cfg.StepUp == 0 {
		cfg.StepUp = 30 * time.Minute
	}
	a := &API{cfg: cfg, syncs: make(chan struct{}, cfg.Limits.Syncs), closing: make(chan struct{})}
	a.sessions = pace.New(10*cfg.Limits.PerSession, time.Second/time.Duration(cfg.Limits.PerSession), maxSessions)
	a.strangers.max, a.strangers.every = largeStrangers, strangersEvery
	a.streams.perUser, a.streams.max = cfg.Limits.StreamsPerUser, cfg.Limits.Streams
	a.streams.byUser = map[syncproto.UserID]int{}
	a.routes, a.desk, a.rules = a.table(), a.deskTable(), rules(cfg.Desk != nil)
	err := checkRules(a.everyRoute(), a.rules)
	if err != nil {
		return nil, err
	}
	if a.checker, err = compileRules(a.routes); err != nil {
		return nil, fmt.Errorf("compiling the rules of requests: %w", err)
	}
	if a.openapi, err = json.Marshal(document(cfg.Name, a.routes)); err != nil {
		return nil, fmt.Errorf("writing the OpenAPI document: %w", err)
	}
	a.app = a.newApp()
	return a, nil
}

// everyRoute is every route of JSON and every page.
func (a *API) everyRoute() []route {
	all := slices.Clone(a.routes)
	for _, r := range a.desk {
		all = append(all, r.route)
	}
	return all
}

// Serve answers requests on ln until Shutdown, then returns nil. It speaks TLS
// when secure is set.
func (a *API) Serve(ln net.Listener, secure *tls.Config) error {
	ln = &cappedListener{Listener: ln, perAddress: a.cfg.Limits.PerAddress, open: map[string]int{}}
	if secure != nil {
		ln = tls.NewListener(ln, secure)
	}
	if err := a.app.Listener(ln); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("serving HTTP: %w", err)
	}
	return nil
}

// Shutdown stops taking connections, ends event streams, lets requests that are
// under way finish until ctx ends, then cuts what is left.
func (a *API) Shutdown(ctx context.Context) error {
	a.stopOnce.Do(func() { close(a.closing) })
	err := errors.Join(a.app.ShutdownWithContext(ctx), a.streams.wait(ctx))
	if errors.Is(err, context.DeadlineExceeded) { // slow callers do not make a stop a failure
		a.cfg.Log.Warn("callers who were not done in time were cut off")
		return nil
	}
	if err != nil {
		return fmt.Errorf("draining HTTP: %w", err)
	}
	return nil
}

// Streams is how many event streams are open.
func (a *API) Streams() int {
	a.streams.mu.Lock()
	defer a.streams.mu.Unlock()
	return a.streams.all
}

// OpenAPI returns the OpenAPI 3 document of every route, as JSON.
func (a *API) OpenAPI() []byte { return a.openapi }

func (c *Config) check() error {
	if c.Borough == "" || c.Auth == nil || c.Exchange == nil || c.Events == nil || c.Records == nil || c.Workflow == nil || c.Doors == nil || c.Erasures == nil || c.Exports == nil ||
		c.Health == nil || c.SignReply == nil || c.Now == nil || c.Random == nil || c.Log == nil {
		return errors.New("api: Borough, Auth, Exchange, Events, Records, Workflow, Doors, Erasures, Exports, Health, SignReply, Now, Random and Log must be set")
	}
	return nil
}

func (l Limits) withDefaults() Limits {
	setDuration := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	setInt := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	setDuration(&l.ReadTimeout, 30*time.Second)
	setDuration(&l.WriteTimeout, 30*time.Second)
	setDuration(&l.IdleTimeout, 75*time.Second)
	setDuration(&l.SlowLink, 10*time.Minute)
	setDuration(&l.SyncWait, 5*time.Second)
	setDuration(&l.KeepAlive, 10*time.Second)
	setInt(&l.Connections, 8192)
	setInt(&l.PerAddress, 2048)
	setInt(&l.PerSession, 100)
	setInt(&l.Syncs, 256)
	setInt(&l.Streams, 5000)
	setInt(&l.StreamsPerUser, 4)
	return l
}
