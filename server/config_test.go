package server

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "doorstep.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Every authority that is deployed has a configuration that is its own and decides its
// own visits.
func TestEveryBoroughConfigLoads(t *testing.T) {
	files, err := filepath.Glob("../deploy/boroughs/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d files, %v", len(files), err)
	}
	boroughs, policies, addresses, schedules, names := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, path := range files {
		cfg, err := LoadConfig(path, nil)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(path), err)
			continue
		}
		boroughs[cfg.Borough] = true
		policies[strings.Join(cfg.Visits.Policy, "\n")] = true
		addresses[cfg.Listen.PublicURL] = true
		schedules[strings.Join(cfg.Retention.Schedule, "\n")] = true
		names[strings.Join(append(cfg.Labels.Kinds, cfg.Labels.Roles...), "\n")] = true
		if name := strings.TrimSuffix(filepath.Base(path), ".toml"); cfg.Borough != name {
			t.Errorf("%s is for the borough %q", filepath.Base(path), cfg.Borough)
		}
	}
	for _, want := range []string{"hammersmith-and-fulham", "kensington-and-chelsea", "westminster", "hampshire", "isle-of-wight"} {
		if !boroughs[want] {
			t.Errorf("there is no configuration for %s", want)
		}
	}
	for what, own := range map[string]map[string]bool{"visit policies": policies, "addresses": addresses, "schedules of retention": schedules, "sets of labels": names} {
		if len(own) != len(files) {
			t.Errorf("%d authorities have %d %s, want one each", len(files), len(own), what)
		}
	}
}

func TestConfigFaultsComeInOneMessage(t *testing.T) {
	path := writeConfig(t, `
borough = "Isle of Wight"
colour = "blue"
[listen]
address = "0.0.0.0:80"
tls_cert = "/etc/cert.pem"
trusted_proxies = ["10.0.0.0/8", "nonsense"]
[data]
dir = "relative"
[limits]
syncs = 0
[log]
level = "chatty"
`)
	_, err := LoadConfig(path, []string{"DOORSTEP_COLOUR=red", "HOME=/root"})
	var faults *ConfigError
	if !errors.As(err, &faults) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"name must be set", "borough must be set", "unknown key colour", "DOORSTEP_COLOUR",
		"tls_key must be set together", `"nonsense"`, "data.dir", "limits.syncs", "log.level"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the message does not tell of %q:\n%v", want, err)
		}
	}
	if len(faults.Faults) != 9 {
		t.Errorf("got %d faults, want 9:\n%v", len(faults.Faults), err)
	}
}

func TestConfigFaultsOneByOne(t *testing.T) {
	const good = "name=\"x\"\nborough=\"x\"\n"
	cases := map[string]struct{ text, want string }{
		"not TOML":               {"name = ", "is not TOML"},
		"plain HTTP for all":     {good + "[listen]\naddress=\":8480\"", "insecure_http"},
		"number for a duration":  {good + "[sessions]\nidle=\"soon\"", "idle"},
		"text for a number":      {good + "[limits]\nsyncs=\"many\"", "syncs"},
		"secrets inside data":    {good + "[data]\ndir=\"/var/lib/doorstep\"\n[secrets]\ndir=\"/var/lib/doorstep/keys\"", "must not be inside"},
		"a secret in the file":   {good + "[secrets]\nborough_key=\"abc\"", "unknown key secrets.borough_key"},
		"a table as a key":       {good + "data=5", "unknown key data"},
		"sessions longer idle":   {good + "[sessions]\nidle=\"2h\"\nmax=\"1h\"", "sessions.max"},
		"figures for everybody":  {good + "[metrics]\naddress=\"0.0.0.0:8481\"", "metrics.open"},
		"figures in public":      {good + "[metrics]\naddress=\"127.0.0.1:8480\"", "another port"},
		"traces in the open":     {good + "[traces]\nendpoint=\"http://collector.example:4318/v1/traces\"", "traces.plain_http"},
		"traces with a password": {good + "[traces]\nendpoint=\"https://me:word@collector.example/v1/traces\"", "traces.endpoint must be"},
		"kept for how long":      {good + "[retention]\nschedule=[\"CIN soon birth\"]", "retention.schedule"},
		"kept by nobody's rule":  {good + "[retention]\nschedule=[\"ADOPTED 100 birth\"]", "no status"},
		"a kind that is none":    {good + "[labels]\nkinds=[\"note = jotting\"]", "labels.kinds"},
		"a kind named twice":     {good + "[labels]\nkinds=[\"plan = a\", \"plan = b\"]", "labels.kinds"},
		"a kind without a name":  {good + "[labels]\nkinds=[\"plan = \"]", "needs a name"},
		"a claim of no value":    {good + "[openid]\nissuer=\"https://id.x\"\nclient_id=\"x\"\nredirects=[\"https://x/desk/signed-in\"]\nrequire=[\"tid\"]", "openid.require"},
		"a claim of no service":  {good + "[openid]\nrequire=[\"tid = t\"]", "openid.issuer must be set"},
		"a role that is none":    {good + "[labels]\nroles=[\"wizard = Practitioner\"]", "labels.roles"},
		"traces of none":         {good + "[traces]\none_in=0", "traces.one_in"},
		"figures without a port": {good + "[metrics]\naddress=\"127.0.0.1\"", "metrics.address must be"},
		"address without a port": {good + "[listen]\naddress=\"127.0.0.1\"", "listen.address"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := LoadConfig(writeConfig(t, c.text), nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want a word of %q", err, c.want)
			}
		})
	}
}

func TestEnvironmentOverrides(t *testing.T) {
	path := writeConfig(t, "name=\"x\"\nborough=\"x\"\n[log]\nlevel=\"warn\"\n")
	cfg, err := LoadConfig(path, []string{"DOORSTEP_LOG_LEVEL=debug", "DOORSTEP_SESSIONS_IDLE=2h", "DOORSTEP_LIMITS_SYNCS=7",
		"DOORSTEP_LISTEN_INSECURE_HTTP=true", "DOORSTEP_LISTEN_TRUSTED_PROXIES=10.0.0.1, 192.168.0.0/16", "DOORSTEP_CONFIG=/x"})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Log.Level != "debug" || cfg.Sessions.Idle != 2*time.Hour || cfg.Limits.Syncs != 7 || !cfg.Listen.InsecureHTTP ||
		len(cfg.proxies()) != 2 {
		t.Errorf("got %+v", cfg)
	}
}

// A running server takes over what it can, says what waits for a restart, and goes on
// with what it has when the file has faults, which are all named.
func TestReloadTakesOverWhatItCan(t *testing.T) {
	cfg := begin(t)
	r := start(t, cfg)
	if _, err := r.Reload(t.Context()); !errors.Is(err, errNothingServed) {
		t.Errorf("a server that nobody told where its configuration is: %v", err)
	}
	file := func(cfg Config, more string) func() (Config, error) {
		var text strings.Builder
		if err := WriteConfig(&text, cfg); err != nil {
			t.Fatal(err)
		}
		path := writeConfig(t, more+text.String())
		return func() (Config, error) { return LoadConfig(path, nil) }
	}
	changed := cfg
	changed.Log.Level, changed.Limits.Syncs, changed.Visits.Unseen = "debug", 7, "5 WEEK"
	changed.Retention.Schedule, changed.Labels.Kinds = []string{"CIN 25 birth"}, []string{"plan = keeping-safe plan"}

	r.ReloadFrom(file(changed, "colour = \"blue\"\nshape = \"round\"\n"))
	_, err := r.Reload(t.Context())
	var bad *ConfigError
	if !errors.As(err, &bad) || len(bad.Faults) != 2 || r.borough.log.Enabled(t.Context(), slog.LevelDebug) {
		t.Errorf("a file with two faults: %v; want both, and nothing taken over", err)
	}
	r.ReloadFrom(file(changed, ""))
	got, err := r.Reload(t.Context())
	want := ReloadReport{Taken: []string{"visits.unseen", "retention.schedule", "labels.kinds", "log.level"}, Waiting: []string{"limits.syncs"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if !r.borough.log.Enabled(t.Context(), slog.LevelDebug) {
		t.Error("the new level of the log was not taken over")
	}
	if name := r.borough.room.Names().Kind("plan"); name != "keeping-safe plan" {
		t.Errorf("a plan is called %q, want what the borough calls it now", name)
	}
	again, err := r.Reload(t.Context())
	if err != nil || len(again.Taken) != 0 || len(again.Waiting) != 1 {
		t.Errorf("the same file again: %+v, %v; want nothing taken, one key that waits", again, err)
	}
}

// Secrets that systemd passes are read by the mode that its access list shows as; the
// same files anywhere else are open to a group.
func TestSecretsPassedBySystemd(t *testing.T) {
	cfg := begin(t)
	files, err := filepath.Glob(filepath.Join(cfg.Secrets.Dir, "*.key"))
	if err != nil || len(files) < 6 {
		t.Fatalf("found %d secrets, %v", len(files), err)
	}
	for _, path := range files {
		if err := os.Chmod(path, 0o440); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := loadSecrets(cfg.Secrets.Dir); err == nil {
		t.Error("secrets that a group can read were taken")
	}
	t.Setenv(credentialsVariable, cfg.Secrets.Dir)
	if _, err := loadSecrets(cfg.Secrets.Dir); err != nil {
		t.Errorf("passed by systemd: %v", err)
	}
	if err := os.Chmod(filepath.Join(cfg.Secrets.Dir, shareKeyFile), 0o444); err != nil {
		t.Fatal(err)
	}
	if _, err := loadSecrets(cfg.Secrets.Dir); err == nil {
		t.Error("a secret that everybody can read was taken")
	}
}

func TestWrittenConfigReadsBack(t *testing.T) {
	want := DefaultConfig()
	want.Name, want.Borough = `The "Royal" Borough`, "kensington"
	want.Listen.TrustedProxies = []string{"10.0.0.1"}
	var b strings.Builder
	if err := WriteConfig(&b, want); err != nil {
		t.Fatal(err)
	}
	got, err := LoadConfig(writeConfig(t, b.String()), nil)
	if err != nil {
		t.Fatalf("%v in:\n%s", err, b.String())
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, s := range settings() {
		if s.doc == "" {
			t.Errorf("key %s has no words", s.key)
		}
	}
}

// TestOnlyTheBenchmarkLeavesAnythingOut holds that no file leads to a server that
// asks nobody, and that no borough of people becomes one.
func TestOnlyTheBenchmarkLeavesAnythingOut(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Name, cfg.Borough = "Isle of Wight", "isle-of-wight"
	for what, less := range map[string]Config{"proofs": cfg.Unproven(), "guards": cfg.Unguarded()} {
		if !reflect.DeepEqual(less, cfg) {
			t.Errorf("a borough of people can be served without %s", what)
		}
	}
	cfg.Name, cfg.Borough = "Benchmark Borough", "benchmark"
	if less := cfg.Unguarded(); !less.unguarded || !less.unproven {
		t.Fatalf("unguarded %v, unproven %v for the benchmark, want both", less.unguarded, less.unproven)
	}
	var text strings.Builder
	if err := WriteConfig(&text, cfg.Unguarded()); err != nil {
		t.Fatal(err)
	}
	read, err := LoadConfig(writeConfig(t, text.String()), nil)
	if err != nil {
		t.Fatal(err)
	}
	if read.unguarded || read.unproven {
		t.Errorf("a file leads to unguarded %v, unproven %v", read.unguarded, read.unproven)
	}
}
