package server

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// pkg is what `go list -json` says of one package of this module.
type pkg struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Deps         []string
}

// packages lists every package of the module.
func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports,Deps", "doorstep/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []pkg
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	if len(list) < 10 {
		t.Fatalf("go list found only %d packages", len(list))
	}
	return list
}

// in reports whether path is one of the packages, or below one that ends in "/".
func in(path string, set ...string) bool {
	return slices.ContainsFunc(set, func(s string) bool {
		return path == s || strings.HasSuffix(s, "/") && (strings.HasPrefix(path, s) || path+"/" == s)
	})
}

// owners says which packages alone may import a dependency, and why.
var owners = []struct {
	module string
	by     []string
	why    string
}{
	{"github.com/gofiber/fiber/v2", []string{"doorstep/server/internal/api"}, "one place configures HTTP"},
	{"github.com/valyala/fasthttp", []string{"doorstep/server/internal/api"}, "one place configures HTTP"},
	{"github.com/go-playground/validator/v10", []string{"doorstep/server/internal/api"}, "rules of requests are checked at the edge"},
	{"github.com/dgraph-io/badger/v4", []string{"doorstep/server/internal/store/", "doorstep/client-sdk/device", "doorstep/server/cmd/doorstep/bench"}, "badger is hidden behind the index, and behind a device's store; the benchmark measures it bare"},
	{"filippo.io/age", []string{"doorstep/server/internal/backup"}, "one place encrypts backups"},
	{"github.com/golang-jwt/jwt/v5", []string{"doorstep/server/internal/auth"}, "one parser with every check on"},
	{"github.com/coreos/go-oidc/v3", []string{"doorstep/server/internal/auth/openid"}, "one place trusts a sign-in service"},
	{"golang.org/x/oauth2", []string{"doorstep/server/internal/auth/openid"}, "one place trusts a sign-in service"},
	{"github.com/go-webauthn/webauthn", []string{"doorstep/server/internal/auth/passkey"}, "one place checks passkeys"},
	{"golang.org/x/crypto/argon2", []string{"doorstep/server/internal/auth"}, "passwords are weighed in one place"},
	{"golang.org/x/mod/", []string{"doorstep/server/internal/audit"}, "one package knows how the log is proved"},
	{"github.com/evanw/esbuild", []string{"doorstep/client-sdk/ts/bundle", "doorstep/server/web/"}, "what bundles pages is no part of a product"},
	{"github.com/knadh/koanf/", []string{"doorstep/server"}, "one struct of configuration"},
	{"go.opentelemetry.io/", []string{"doorstep/server/internal/tracing"}, "one place knows what a span may say"},
	{"github.com/prometheus/", []string{"doorstep/server/internal/metrics"}, "one table of figures, without globals"},
	{"github.com/spf13/cobra", []string{"doorstep/server/cmd/"}, "the command line is the command's"},
}

// TestDependenciesHaveOneOwner holds that what a dependency is like stays a
// secret of one package. Tests may measure beside it.
func TestDependenciesHaveOneOwner(t *testing.T) {
	for _, p := range packages(t) {
		for _, path := range p.Imports {
			for _, o := range owners {
				if (path == o.module || strings.HasPrefix(path, strings.TrimSuffix(o.module, "/")+"/")) && !in(p.ImportPath, o.by...) {
					t.Errorf("%s imports %s, which only %v may: %s", p.ImportPath, path, o.by, o.why)
				}
			}
		}
	}
}

// playing are the packages of the command that play devices against a server, and the
// tool that builds the app on the browser's client.
var playing = []string{"doorstep/server/web/build", "doorstep/server/cmd/doorstep", "doorstep/server/cmd/doorstep/demo/", "doorstep/server/cmd/doorstep/bench/"}

// TestSidesMeetInSyncprotoOnly holds that client and server share the protocol and
// nothing else, so that either can be written anew from the spec.
func TestSidesMeetInSyncprotoOnly(t *testing.T) {
	for _, p := range packages(t) {
		for _, path := range p.Deps {
			switch {
			case in(p.ImportPath, "doorstep/client-sdk/") && in(path, "doorstep/server/"):
				t.Errorf("%s depends on %s: a client knows no server code", p.ImportPath, path)
			case in(p.ImportPath, "doorstep/syncproto/") && (in(path, "doorstep/server/") || in(path, "doorstep/client-sdk/")):
				t.Errorf("%s depends on %s: the protocol knows neither side", p.ImportPath, path)
			case in(p.ImportPath, "doorstep/server/") && in(path, "doorstep/client-sdk/") && !in(p.ImportPath, playing...) && !in(p.ImportPath, "doorstep/server/internal/sim/"):
				t.Errorf("%s depends on %s: only the demonstration plays devices", p.ImportPath, path)
			}
		}
	}
}

// layers says which packages of ours each package of the server may import.
// cmd → server → api → auth, exchange, finalise, intake, reading → desk, access →
// store; the journal and the keys come in through ports (store/backing fits them).
// A package that is missing here has not found its place yet: add it.
var layers = map[string][]string{
	"cmd/doorstep":                 {"doorstep/server", "doorstep/server/cmd/doorstep/"},
	"web":                          {},
	"web/webtest":                  {"doorstep/server/web"},
	"web/build":                    {"doorstep/client-sdk/ts/bundle"}, // a developer's tool
	"internal/api":                 {"doorstep/server/web", "auth", "auth/openid", "exchange", "finalise", "once", "pages", "reading", "audit", "doors", "erasure", "export", "oversight", "pace", "tracing", "wording"},
	"internal/pages":               {"delivery", "doors", "measure", "oversight", "finalise", "reading", "wording"},
	"internal/auth":                {"auth/openid", "auth/passkey", "pace"},
	"internal/auth/openid":         {},
	"internal/auth/passkey":        {},
	"internal/auth/authtest":       {"auth"},
	"internal/exchange":            {"access", "audit", "once", "store", "journal", "keyring", "tracing"},
	"internal/doors":               {"access", "once", "store"},
	"internal/finalise":            {"access", "desk", "lease", "once", "store"},
	"internal/lease":               {},
	"internal/oversight":           {"access", "audit", "store"},
	"internal/export":              {"access", "audit", "reading", "store"},
	"internal/measure":             {"access", "audit", "reading", "store"},
	"internal/delivery":            {"access", "audit", "disk", "finalise", "store", "tracing", "wording"},
	"internal/erasure":             {"access", "audit", "disk", "once", "retention", "store"},
	"internal/settle":              {"audit", "disk", "erasure", "journal", "store"},
	"internal/intake":              {"access", "desk", "progress", "store"},
	"internal/retention":           {},
	"internal/reading":             {"access", "retention", "search", "store", "wording"},
	"internal/wording":             {},
	"internal/search":              {},
	"internal/desk":                {"store"},
	"internal/once":                {"store"},
	"internal/access":              {},
	"internal/store":               {"audit", "disk", "progress", "store/indexfiles"},
	"internal/store/indexfiles":    {"disk"},
	"internal/store/backing":       {"store", "audit", "journal", "keyring"},
	"internal/store/storetest":     {"store", "store/backing", "journal", "keyring", "access"},
	"internal/audit":               {"disk"},
	"internal/journal":             {"chain", "disk", "progress"},
	"internal/keyring":             {"chain", "disk"},
	"internal/chain":               {"disk"},
	"internal/scrub":               {"disk"},
	"internal/secondcopy":          {"disk", "journal", "keyring"},
	"internal/backup":              {"chain", "disk", "journal", "keyring", "progress"},
	"internal/disk":                {},
	"internal/pace":                {},
	"internal/progress":            {},
	"internal/disk/disktest":       {"disk"},
	"internal/metrics":             {},
	"internal/tracing":             {},
	"internal/tracing/tracingtest": {},
	"internal/mutants":             {}, // tests only
}

func TestLayers(t *testing.T) {
	for _, p := range packages(t) {
		short, ok := strings.CutPrefix(p.ImportPath, "doorstep/server/")
		if !ok || strings.HasPrefix(short, "cmd/doorstep/") || in(short, "endtoend", "internal/sim") {
			continue // the server itself, which wires everything; what plays; tests of the whole
		}
		allowed, placed := layers[short]
		if !placed {
			t.Errorf("%s is in no layer: add it to the table", p.ImportPath)
			continue
		}
		for _, path := range p.Imports {
			ours := strings.HasPrefix(path, "doorstep/")
			protocol := in(path, "doorstep/syncproto/") && !in(path, "doorstep/syncproto/frame") || path == "doorstep/syncproto/frame" && short == "internal/api"
			inside, _ := strings.CutPrefix(path, "doorstep/server/internal/")
			if ours && !protocol && !slices.Contains(allowed, inside) && !in(path, allowed...) {
				t.Errorf("%s imports %s, which its layer may not", p.ImportPath, path)
			}
		}
	}
}

// pure are the packages that also run in a browser: bytes and values in, bytes and
// values out.
var pure = []string{"doorstep/syncproto", "doorstep/syncproto/cbor", "doorstep/syncproto/clocks", "doorstep/syncproto/schema", "doorstep/syncproto/sorting", "doorstep/syncproto/text", "doorstep/client-sdk/engine"}

// banned in what pure packages import, and why.
var banned = map[string]string{
	"fmt": "size of the browser build", "encoding/json": "size of the browser build", "reflect": "size of the browser build",
	"encoding/hex": "links fmt", "encoding/binary": "links reflect",
	"net": "no I/O", "net/http": "no I/O", "os": "no I/O", "io": "no I/O", "syscall": "no I/O", "log": "no I/O", "log/slog": "no I/O",
	"crypto/ecdsa": "checking a signature is a port", "crypto/ed25519": "checking a signature is a port",
	"crypto/rand": "chance comes in as an argument", "math/rand": "chance comes in as an argument", "math/rand/v2": "chance comes in as an argument",
	"time": "time comes in as an argument", "sync": "no goroutines", "context": "no goroutines", "os/signal": "no I/O",
}

// linked is banned even from afar: what an import of an import brings in.
var linked = []string{"fmt", "encoding/json", "reflect", "net", "net/http", "crypto/ecdsa", "crypto/rand", "math/rand", "math/rand/v2", "log", "math/big"}

func TestTheCoreIsPure(t *testing.T) {
	found := 0
	for _, p := range packages(t) {
		if !slices.Contains(pure, p.ImportPath) {
			continue
		}
		found++
		for _, path := range p.Imports {
			if why := banned[path]; why != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, path, why)
			}
		}
		for _, path := range p.Deps {
			if slices.Contains(linked, path) {
				t.Errorf("%s links %s: %s", p.ImportPath, path, banned[path])
			}
		}
		if slices.Contains(p.Imports, "doorstep/syncproto/frame") {
			t.Errorf("%s imports frame: compressing is the transport's", p.ImportPath)
		}
	}
	if found != len(pure) {
		t.Errorf("found %d of the pure packages, want %d", found, len(pure))
	}
}

// TestHelpersOfTestsStayInTests holds that what is made for tests alone, in a
// folder that ends in "test" or in tests of the whole, is linked by nothing else.
func TestHelpersOfTestsStayInTests(t *testing.T) {
	helps := func(path string) bool {
		return in(path, "doorstep/") && strings.HasSuffix(path, "test") || in(path, "doorstep/server/endtoend", "doorstep/server/internal/sim")
	}
	found := 0
	for _, p := range packages(t) {
		if helps(p.ImportPath) {
			found++
			continue // one helper may use another
		}
		for _, path := range p.Deps {
			if helps(path) {
				t.Errorf("%s depends on %s, which is for tests", p.ImportPath, path)
			}
		}
	}
	if found == 0 {
		t.Error("no such package was found: the test looks at nothing")
	}
}

// TestTopLevel holds the folders of the module: a new one needs a decision.
func TestTopLevel(t *testing.T) {
	for _, p := range packages(t) {
		if !in(p.ImportPath, "doorstep/server/", "doorstep/syncproto/", "doorstep/client-sdk/") {
			t.Errorf("%s is outside server, syncproto and client-sdk", p.ImportPath)
		}
		for _, part := range strings.Split(p.ImportPath, "/") {
			if slices.Contains([]string{"util", "utils", "common", "models", "services", "handlers", "mocks", "helpers"}, part) {
				t.Errorf("%s has a name that says nothing", p.ImportPath)
			}
		}
	}
}
