package server

import (
	"log/slog"
	"net/url"

	"doorstep/server/internal/tracing"
)

// TracesConfig says whom the server tells where the time of requests goes.
type TracesConfig struct {
	Endpoint  string `koanf:"endpoint" doc:"Address to which OpenTelemetry traces are posted (OTLP over HTTP, JSON), e.g. \"http://127.0.0.1:4318/v1/traces\". They hold counts, codes and names of routes, and nothing of anybody. A bearer token, if the collector wants one, goes into the file traces.token in secrets.dir. Empty: none."`
	OneIn     int    `koanf:"one_in" doc:"Of so many requests one is traced. Deliveries and backups always are."`
	PlainHTTP bool   `koanf:"plain_http" doc:"Allow an http:// address on another machine. Only on a private network."`
}

// tracesTokenFile holds what the collector knows the server by.
const tracesTokenFile = "traces.token"

func (c TracesConfig) check(f *faults) {
	f.unless(c.OneIn >= 1, "traces.one_in must be 1 or more")
	if c.Endpoint == "" {
		return
	}
	u, err := url.Parse(c.Endpoint)
	sound := err == nil && u.Host != "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http")
	f.unless(sound, "traces.endpoint must be an http or https address without a name or password in it, e.g. \"http://127.0.0.1:4318/v1/traces\"")
	f.unless(!sound || u.Scheme == "https" || loopback(u.Hostname()) || c.PlainHTTP, "traces.endpoint is on another machine: choose https, or set traces.plain_http on a private network")
}

// openTraces begins to trace as the configuration says; nil: it says not to.
func (c Config) openTraces(log *slog.Logger) (*tracing.Tracer, error) {
	if c.Traces.Endpoint == "" {
		return nil, nil
	}
	token, err := secretToken(c.secretsDir(), tracesTokenFile)
	if err != nil {
		return nil, err
	}
	return tracing.Open(tracing.Config{Endpoint: c.Traces.Endpoint, Token: token, OneIn: c.Traces.OneIn, Borough: c.Borough,
		Version: thisBuild().Version, Log: log}), nil
}

// startTraces traces what the server does.
func (b *borough) startTraces() (err error) {
	if b.traces, err = b.cfg.openTraces(b.log); err == nil && b.traces != nil {
		b.onClose("traces", b.traces.Close)
	}
	return err
}
