package server

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// provider is a real sign-in service in a process of its own.
type provider struct{ issuer string }

// startProvider starts testdata/provider, a Node program around oidc-provider,
// which it installs first if need be. Without node or npm the test is skipped,
// aloud; where everything is to be tested (CI=true) that is a failure.
func startProvider(t *testing.T, people map[string]map[string]any) *provider {
	t.Helper()
	folder := filepath.Join("testdata", "provider")
	missing := func(why string) {
		if os.Getenv("CI") == "true" {
			t.Fatalf("signing in with a real provider must be tested here, but %s", why)
		}
		t.Skipf("NOT TESTED: signing in with a real provider, because %s (Debian: apt-get install nodejs npm)", why)
	}
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			missing("there is no " + program)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "oidc-provider")); err != nil {
		install := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
		install.Dir = folder
		if out, err := install.CombinedOutput(); err != nil {
			missing("npm cannot install it: " + strings.TrimSpace(string(out)))
		}
	}
	known, err := json.Marshal(people)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "provider.js", string(known))
	cmd.Dir = folder
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close() // ends it
		if err := cmd.Wait(); err != nil {
			t.Errorf("the provider: %v", err)
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "http://") {
			go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the process
			return &provider{issuer: lines.Text()}
		}
	}
	t.Fatal("the provider did not start")
	return nil
}

// browser is a person's browser, with the provider's cookies.
type browser struct {
	t    *testing.T
	http *http.Client
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// form finds the provider's form and what it prompts for: a login, or a native
// app's confirmation.
var form = regexp.MustCompile(`(?s)<form[^>]*action="([^"]+)".*?name="prompt" value="([a-z]+)"`)

// signIn follows an address through the provider's pages, where sub signs in if it
// asks for that, and returns the address that the app is called back with.
func (b *browser) signIn(at, redirect, sub string) (back url.Values, asked bool) {
	b.t.Helper()
	for range 12 {
		if strings.HasPrefix(at, redirect) {
			u, err := url.Parse(at)
			if err != nil {
				b.t.Fatal(err)
			}
			return u.Query(), asked
		}
		res, err := b.http.Get(at)
		if err != nil {
			b.t.Fatal(err)
		}
		page, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			b.t.Fatal(err)
		}
		if found := form.FindSubmatch(page); res.StatusCode == http.StatusOK && found != nil {
			asked = asked || string(found[2]) == "login"
			answer := url.Values{"prompt": {string(found[2])}, "login": {sub}, "password": {"any"}}
			if res, err = b.http.PostForm(b.absolute(at, string(found[1])), answer); err != nil {
				b.t.Fatal(err)
			}
			res.Body.Close()
		}
		if res.StatusCode < 300 || res.StatusCode > 399 {
			b.t.Fatalf("the provider answers %d", res.StatusCode)
		}
		at = b.absolute(at, res.Header.Get("Location"))
	}
	b.t.Fatal("the provider goes round in circles")
	return nil, false
}

func (b *browser) absolute(base, ref string) string {
	b.t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		b.t.Fatal(err)
	}
	out, err := u.Parse(ref)
	if err != nil {
		b.t.Fatal(err)
	}
	return out.String()
}
