package server

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"doorstep/server/internal/api"
	"doorstep/server/internal/backup"
)

// Config is everything that can be set. The file is TOML, one table for each
// struct below; the environment overrides single keys (DOORSTEP_LISTEN_ADDRESS
// is listen.address). Secrets are in files of their own and never here.
type Config struct {
	Name    string `koanf:"name" doc:"What the installation is called, for people."`
	Borough string `koanf:"borough" doc:"The borough's short name, part of every change for good: lower-case letters, digits and dashes. Never change it."`

	Data      DataConfig      `koanf:"data"`
	Secrets   SecretsConfig   `koanf:"secrets"`
	Listen    ListenConfig    `koanf:"listen"`
	Sessions  SessionConfig   `koanf:"sessions"`
	OpenID    OpenIDConfig    `koanf:"openid"`
	Passkeys  PasskeyConfig   `koanf:"passkeys"`
	Limits    LimitsConfig    `koanf:"limits"`
	Visits    VisitsConfig    `koanf:"visits"`
	Retention RetentionConfig `koanf:"retention"`
	Labels    LabelsConfig    `koanf:"labels"`
	Scrub     ScrubConfig     `koanf:"scrub"`
	Backup    BackupConfig    `koanf:"backup"`
	Import    ImportConfig    `koanf:"import"`
	Delivery  DeliveryConfig  `koanf:"delivery"`
	Metrics   MetricsConfig   `koanf:"metrics"`
	Traces    TracesConfig    `koanf:"traces"`
	Log       LogConfig       `koanf:"log"`

	unproven  bool // see Unproven
	unguarded bool // see Unguarded
}

// Unproven returns c for a server that takes requests of devices without proofs of
// their keys. It is for measuring what proofs cost: no file or environment sets it.
// A borough of another name than "benchmark" stays as it is.
func (c Config) Unproven() Config {
	c.unproven = c.Borough == "benchmark"
	return c
}

// Unguarded returns c for a server without what says who may do what and who did:
// devices send without proofs of their keys, nobody asks whether an author may make
// a change, and neither the audit log nor the access log is kept. Signatures, the
// schema, encryption and durability stay. It is for measuring what all that costs: no
// file or environment sets it, and a borough of another name than "benchmark" stays
// as it is.
func (c Config) Unguarded() Config {
	c.unguarded = c.Borough == "benchmark"
	return c.Unproven()
}

// DataConfig says where records are kept.
type DataConfig struct {
	Dir       string `koanf:"dir" doc:"Folder of the journal, the index and the key store, on a local disk (ext4 or XFS), readable by the server alone."`
	Witness   string `koanf:"witness" doc:"File outside data.dir in which the server notes how far the journal has got, so that an old copy of data.dir put back is noticed at the start. On another disk it survives more. Empty: none."`
	CopyDir   string `koanf:"copy_dir" doc:"Folder of the second copy of the journal and the key store, on another disk or a mounted host, readable by the server alone. Tablets keep their own words until they are in it. Empty: none is kept."`
	MinFreeMB int64  `koanf:"min_free_mb" doc:"Free space to leave on each of these disks, in megabytes: below it nothing new is accepted, or copied; reading goes on."`
	BallastMB int64  `koanf:"ballast_mb" doc:"Size in megabytes of a file in data.dir that only takes room: on a full disk doorstep free-ballast gives it back at once. 0: none."`
}

// SecretsConfig says where the secret keys are.
type SecretsConfig struct {
	Dir string `koanf:"dir" doc:"Folder with borough.key, token.key, reply.key, desk.key, checkpoint.key and share.key, readable by the server alone and not on the disk of the data. Left empty: systemd's credentials folder."`
}

// ListenConfig says how the server is reached.
type ListenConfig struct {
	Address        string   `koanf:"address" doc:"Address and port to listen on."`
	PublicURL      string   `koanf:"public_url" doc:"How people and devices address the server, e.g. \"https://doorstep.borough.example\". Proofs of devices must name it; passkeys and openid need it. Empty: the host that a request names is believed."`
	TLSCert        string   `koanf:"tls_cert" doc:"File with the certificate chain, PEM. Empty: plain HTTP, for a reverse proxy on this machine."`
	TLSKey         string   `koanf:"tls_key" doc:"File with the certificate's key, PEM."`
	InsecureHTTP   bool     `koanf:"insecure_http" doc:"Allow plain HTTP on an address that other machines can reach. Only behind a proxy on a private network."`
	TrustedProxies []string `koanf:"trusted_proxies" doc:"Addresses or networks of reverse proxies whose X-Forwarded-For is believed."`
}

// SessionConfig says how long people stay signed in.
type SessionConfig struct {
	Idle   time.Duration `koanf:"idle" doc:"A session that was not used for so long ends."`
	Max    time.Duration `koanf:"max" doc:"Any session ends after so long."`
	StepUp time.Duration `koanf:"step_up" doc:"What is sworn, sealed, revoked or handed out needs a proof of the person no older than this, by password, passkey or sign-in service."`
}

// LimitsConfig bounds what callers can take.
type LimitsConfig struct {
	Connections    int   `koanf:"connections" doc:"Connections at once."`
	PerAddress     int   `koanf:"per_address" doc:"Connections of one address at once; a whole office or proxy may be one address."`
	Syncs          int   `koanf:"syncs" doc:"Syncs worked on at once."`
	Streams        int   `koanf:"streams" doc:"Event streams at once."`
	StreamsPerUser int   `koanf:"streams_per_user" doc:"Event streams of one person at once."`
	MemoryMB       int   `koanf:"memory_mb" doc:"Memory to stay below if possible, in megabytes. What is mapped of the index's files counts, so Go's own memory gets what they leave of it. Up to there it is spent to save time: unused memory is looked for less often."`
	CustodyMB      int64 `koanf:"custody_mb" doc:"Megabytes of one person's words from one device that may wait for a reviewer; what is over stays on the device. A worker writes some 5 a year."`
}

// ScrubConfig says how the data is read through while the server runs, so that
// rot is found while there is still another copy.
type ScrubConfig struct {
	MBPerSecond int64         `koanf:"mb_per_second" doc:"Megabytes a second that are read and checked in the background."`
	Every       time.Duration `koanf:"every" doc:"How long after one reading of everything began the next begins."`
}

// BackupConfig says where encrypted backups go and how long they are kept. The
// secrets are never in them: keep a copy of secrets.dir somewhere else.
type BackupConfig struct {
	Dir        string        `koanf:"dir" doc:"Folder of the backups of the journal, on another disk or a mounted share. Empty: none are made."`
	KeysDir    string        `koanf:"keys_dir" doc:"Folder of the backups of the key store, not inside backup.dir: its copies must go after backup.keep_keys, or what was erased could come back."`
	Recipients []string      `koanf:"recipients" doc:"Whom backups are encrypted to (age1...); doorstep backup-key makes one. Two are wise."`
	Every      time.Duration `koanf:"every" doc:"How long after a backup the server makes the next. Only what is new is written."`
	FullEvery  time.Duration `koanf:"full_every" doc:"How old a set of backups gets before the next backup begins a new one, which holds everything."`
	Keep       time.Duration `koanf:"keep" doc:"A set whose newest backup is older is removed, unless it is the newest."`
	KeepKeys   time.Duration `koanf:"keep_keys" doc:"A copy of the key store that is older is removed, unless it is the newest."`
}

// MetricsConfig says where figures for Prometheus are.
type MetricsConfig struct {
	Address string `koanf:"address" doc:"Address and port on which Prometheus finds figures, by plain HTTP at /metrics; never listen.address. They name nobody. Empty: none."`
	Open    bool   `koanf:"open" doc:"Allow a metrics.address that other machines can reach. Keep it to Prometheus with a firewall or a network policy."`
}

// LogConfig says what is logged. No setting ever logs content.
type LogConfig struct {
	Level  string `koanf:"level" doc:"debug, info, warn or error. A running server takes it over at doorstep reload, as it does visits, retention and labels; all other keys need a restart."`
	Format string `koanf:"format" doc:"json or text."`
}

// DefaultConfig returns the setting of every key that a file may leave out.
func DefaultConfig() Config {
	return Config{
		Data:      DataConfig{Dir: "/var/lib/doorstep", MinFreeMB: 2048},
		Secrets:   SecretsConfig{Dir: "/etc/doorstep/secrets"},
		Listen:    ListenConfig{Address: "127.0.0.1:8480"},
		OpenID:    defaultOpenID(),
		Passkeys:  PasskeyConfig{Origins: []string{}},
		Sessions:  SessionConfig{Idle: 14 * 24 * time.Hour, Max: 90 * 24 * time.Hour, StepUp: 30 * time.Minute},
		Limits:    LimitsConfig{Connections: 8192, PerAddress: 2048, Syncs: 256, Streams: 5000, StreamsPerUser: 4, MemoryMB: 1024, CustodyMB: 32},
		Visits:    defaultVisits(),
		Retention: defaultRetention(),
		Labels:    LabelsConfig{Kinds: []string{}, Roles: []string{}},
		Scrub:     ScrubConfig{MBPerSecond: 32, Every: 7 * 24 * time.Hour},
		Traces:    TracesConfig{OneIn: 1},
		Import:    ImportConfig{Keep: 7 * 24 * time.Hour},
		Delivery:  DeliveryConfig{Kinds: []string{}},
		Backup:    BackupConfig{Recipients: []string{}, Every: 24 * time.Hour, FullEvery: 30 * 24 * time.Hour, Keep: 90 * 24 * time.Hour, KeepKeys: 35 * 24 * time.Hour},
		Log:       LogConfig{Level: "info", Format: "json"},
	}
}

// ConfigError lists everything that is wrong with a configuration.
type ConfigError struct{ Faults []string }

func (e *ConfigError) Error() string {
	if len(e.Faults) == 1 {
		return "the configuration has a fault: " + e.Faults[0]
	}
	return fmt.Sprintf("the configuration has %d faults:\n  - %s", len(e.Faults), strings.Join(e.Faults, "\n  - "))
}

// Check returns a *ConfigError with every fault, or nil. It reads no secret.
func (c Config) Check() error {
	var f faults
	c.checkNames(&f)
	c.checkListen(&f)
	f.unless(c.Sessions.Idle >= time.Minute, "sessions.idle must be a minute or more, e.g. \"336h\"")
	f.unless(c.Sessions.Max >= c.Sessions.Idle, "sessions.max must not be shorter than sessions.idle")
	c.checkIdentity(&f)
	c.Visits.rules(&f)
	c.Retention.rules(&f)
	c.Labels.rules(&f)
	f.unless(c.Sessions.StepUp >= time.Minute, "sessions.step_up must be a minute or more")
	f.unless(c.Data.MinFreeMB >= 0, "data.min_free_mb must not be negative")
	f.unless(c.Data.BallastMB >= 0 && c.Data.BallastMB <= 1<<20, "data.ballast_mb must be 0 to 1048576")
	for key, v := range map[string]int{"connections": c.Limits.Connections, "per_address": c.Limits.PerAddress,
		"syncs": c.Limits.Syncs, "streams": c.Limits.Streams, "streams_per_user": c.Limits.StreamsPerUser,
		"memory_mb": c.Limits.MemoryMB} {
		f.unless(v > 0, "limits."+key+" must be 1 or more")
	}
	f.unless(c.Limits.CustodyMB > 0 && c.Limits.CustodyMB <= 1<<20, "limits.custody_mb must be 1 to 1048576")
	f.unless(c.Scrub.MBPerSecond > 0 && c.Scrub.MBPerSecond <= 10_000, "scrub.mb_per_second must be 1 to 10000")
	f.unless(c.Scrub.Every >= time.Second, "scrub.every must be a second or more")
	c.checkBackup(&f)
	c.checkMetrics(&f)
	c.Traces.check(&f)
	c.Delivery.check(&f, c.Data.Dir)
	c.Import.check(&f, c.Data.Dir)
	f.unless(slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level), "log.level must be debug, info, warn or error")
	f.unless(c.Log.Format == "json" || c.Log.Format == "text", "log.format must be json or text")
	return f.err()
}

func (c Config) checkNames(f *faults) {
	f.unless(c.Name != "" && len(c.Name) <= 200, "name must be set, to at most 200 bytes")
	f.unless(validBorough(c.Borough), "borough must be set, to at most 64 lower-case letters, digits and dashes")
	f.unless(filepath.IsAbs(c.Data.Dir), "data.dir must be an absolute path")
	f.unless(c.Data.Witness == "" || filepath.IsAbs(c.Data.Witness) && !within(c.Data.Dir, c.Data.Witness), "data.witness must be an absolute path outside data.dir")
	f.unless(c.Data.CopyDir == "" || filepath.IsAbs(c.Data.CopyDir) && !within(c.Data.Dir, c.Data.CopyDir) && !within(c.Data.CopyDir, c.Data.Dir),
		"data.copy_dir must be an absolute path outside data.dir")
	dir := c.secretsDir()
	f.unless(filepath.IsAbs(dir), "secrets.dir must be an absolute path, or systemd must pass credentials")
	f.unless(dir == "" || !within(c.Data.Dir, dir), "secrets.dir must not be inside data.dir: a copy of the data would hold its keys")
}

func (c Config) checkBackup(f *faults) {
	b := c.Backup
	_, err := backup.ParseRecipients(b.Recipients)
	f.unless(err == nil, fmt.Sprintf("backup.recipients: %v", err))
	f.unless(b.Every >= time.Minute && b.FullEvery >= b.Every, "backup.every must be a minute or more, and backup.full_every not shorter")
	f.unless(b.Keep >= b.Every && b.KeepKeys >= b.Every, "backup.keep and backup.keep_keys must not be shorter than backup.every")
	if b.Dir == "" {
		return
	}
	f.unless(filepath.IsAbs(b.Dir) && filepath.IsAbs(b.KeysDir), "backup.dir and backup.keys_dir must be absolute paths")
	f.unless(!within(c.Data.Dir, b.Dir) && !within(c.Data.Dir, b.KeysDir), "backup.dir and backup.keys_dir must not be inside data.dir")
	f.unless(!within(b.Dir, b.KeysDir) && !within(b.KeysDir, b.Dir), "backup.keys_dir must not be inside backup.dir, nor the other way round")
	f.unless(len(b.Recipients) > 0, "backup.recipients must name somebody whom backups are encrypted to: doorstep backup-key makes one")
}

func (c Config) checkMetrics(f *faults) {
	if c.Metrics.Address == "" {
		return
	}
	host, port, err := net.SplitHostPort(c.Metrics.Address)
	f.unless(err == nil, "metrics.address must be an address and a port, e.g. \"127.0.0.1:8481\"")
	f.unless(err != nil || loopback(host) || c.Metrics.Open, "metrics.address can be reached by other machines: choose 127.0.0.1, or set metrics.open where a firewall keeps others away")
	_, public, _ := net.SplitHostPort(c.Listen.Address)
	f.unless(err != nil || port != public || port == "0", "metrics.address must have another port than listen.address")
}

func (c Config) checkListen(f *faults) {
	host, _, err := net.SplitHostPort(c.Listen.Address)
	f.unless(err == nil, "listen.address must be an address and a port, e.g. \"127.0.0.1:8480\"")
	secure := c.Listen.TLSCert != "" || c.Listen.TLSKey != ""
	f.unless((c.Listen.TLSCert == "") == (c.Listen.TLSKey == ""), "listen.tls_cert and listen.tls_key must be set together")
	f.unless(err != nil || secure || loopback(host) || c.Listen.InsecureHTTP,
		"listen.address can be reached by other machines: set listen.tls_cert and listen.tls_key, or listen.insecure_http behind a proxy")
	for _, s := range c.Listen.TrustedProxies {
		_, err := parsePrefix(s)
		f.unless(err == nil, fmt.Sprintf("listen.trusted_proxies: %q is neither an address nor a network", s))
	}
}

// secretsDir is where the secret keys are; "" if nobody said.
func (c Config) secretsDir() string {
	if c.Secrets.Dir != "" {
		return c.Secrets.Dir
	}
	return os.Getenv(credentialsVariable)
}

// limits are the API's limits, of which the file sets some.
func (c Config) limits() api.Limits {
	return api.Limits{Connections: c.Limits.Connections, PerAddress: c.Limits.PerAddress, Syncs: c.Limits.Syncs,
		Streams: c.Limits.Streams, StreamsPerUser: c.Limits.StreamsPerUser}
}

func (c Config) proxies() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range c.Listen.TrustedProxies {
		if p, err := parsePrefix(s); err == nil { // Check told of the others
			out = append(out, p)
		}
	}
	return out
}

func parsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}

func validBorough(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// within reports whether path is dir or below it.
func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

// faults gathers what is wrong.
type faults []string

func (f *faults) unless(ok bool, fault string) {
	if !ok {
		*f = append(*f, fault)
	}
}

func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	slices.Sort(f)
	return &ConfigError{Faults: f}
}
