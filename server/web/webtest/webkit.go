package webtest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"doorstep/server/web"
)

// WebKit is the second engine, WebKitGTK on a screen that nobody sees, driven through
// its WebDriver (W3C). It is here for a smoke test: scripts, and waiting for them.
type WebKit struct {
	t       testing.TB
	session string // address of the WebDriver session
}

// StartWebKit starts the engine, or skips aloud: unlike Chromium it is not part of
// what everything is tested with.
func StartWebKit(t testing.TB) *WebKit {
	t.Helper()
	browsers, _ := filepath.Glob("/usr/lib/*/webkit2gtk-4.*/MiniBrowser")
	for _, program := range []string{"WebKitWebDriver", "Xvfb"} {
		if _, err := exec.LookPath(program); err != nil || len(browsers) == 0 {
			t.Skipf("NOT TESTED: the web app in a second engine, because there is no %s (Debian: apt-get install webkit2gtk-driver xvfb)", program)
		}
	}
	if _, built := web.Open(); !built {
		t.Skip("NOT TESTED: the web app in a second engine, because this test was built without the app (make web)")
	}
	screen := startScreen(t)
	for range 3 {
		if w := tryWebKit(t, browsers[0], screen); w != nil {
			return w
		}
	}
	t.Skip("NOT TESTED: the web app in a second engine, because WebKit does not start here")
	return nil
}

// tryWebKit starts the driver and a browser, and gives nil where no browser began:
// somebody else may have taken the port that was free.
func tryWebKit(t testing.TB, browser, screen string) *WebKit {
	t.Helper()
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	home := Profile(t)
	driver := exec.Command("WebKitWebDriver", "--port="+port)
	driver.Env = append(os.Environ(), "DISPLAY="+screen, "HOME="+home, "XDG_CACHE_HOME="+home, "XDG_DATA_HOME="+home,
		"LIBGL_ALWAYS_SOFTWARE=1", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS=1")
	begin(t, driver)
	w := &WebKit{t: t, session: "http://" + address + "/session"}
	var made struct{ SessionID string }
	options := map[string]any{"binary": browser, "args": []string{"--automation"}}
	wanted := map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{"webkitgtk:browserOptions": options}}}
	for until := time.Now().Add(most / 2); ; {
		err := w.call(http.MethodPost, "", wanted, &made)
		if err == nil {
			break
		}
		if time.Now().After(until) {
			t.Logf("starting WebKit: %v", err)
			return nil
		}
		time.Sleep(50 * time.Millisecond) // the driver begins to listen
	}
	w.session += "/" + made.SessionID
	t.Cleanup(func() { _ = w.call(http.MethodDelete, "", nil, nil) })
	return w
}

// Open goes to an address.
func (w *WebKit) Open(url string) {
	w.t.Helper()
	if err := w.call(http.MethodPost, "/url", map[string]string{"url": url}, nil); err != nil {
		w.t.Fatalf("opening the page: %v", err)
	}
}

// Eval carries out an expression and decodes its value into out, unless that is nil.
func (w *WebKit) Eval(script string, out any) {
	w.t.Helper()
	if err := w.call(http.MethodPost, "/execute/sync", map[string]any{"script": "return (" + script + ");", "args": []any{}}, out); err != nil {
		w.t.Fatalf("evaluating %.120s: %v", script, err)
	}
}

// Until waits until an expression is true.
func (w *WebKit) Until(what, script string) {
	w.t.Helper()
	for until := time.Now().Add(most); ; {
		var ok bool
		w.Eval("(() => { try { return Boolean("+script+"); } catch { return false; } })()", &ok)
		if ok {
			return
		}
		if time.Now().After(until) {
			var text string
			w.Eval("document.body.innerText", &text)
			w.t.Fatalf("waited in vain until %s; the page says:\n%s", what, text)
		}
		time.Sleep(50 * time.Millisecond) // it is asked again
	}
}

// Fill puts words into the field with this label, as an input of the page's user.
func (w *WebKit) Fill(label, words string) {
	w.t.Helper()
	field := fieldOf(label)
	w.Until("there is a field "+label, field+" && !"+field+".readOnly")
	w.Eval(fmt.Sprintf(`(() => { const f = %s; f.focus(); f.value += %q; f.dispatchEvent(new InputEvent("input", {bubbles: true})); return true; })()`, field, words), nil)
}

// Press presses the button or link with these words.
func (w *WebKit) Press(words string) {
	w.t.Helper()
	find := named(words)
	w.Until("there is something to press called "+words, find)
	w.Eval(find+".click()", nil)
}

func (w *WebKit) call(method, path string, in, out any) error {
	var body io.Reader = http.NoBody
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(encoded)
	}
	ctx, stop := context.WithTimeout(context.Background(), most)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, method, w.session+path, body)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct{ Value json.RawMessage }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("WebDriver: %s", answer.Value)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer.Value, out)
}

// startScreen starts a screen in memory and returns its name.
func startScreen(t testing.TB) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	screen := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1024x1280x24", "-nolisten", "tcp")
	screen.ExtraFiles = []*os.File{w}
	begin(t, screen)
	w.Close()
	_ = r.SetReadDeadline(time.Now().Add(most))
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Skipf("NOT TESTED: the web app in a second engine, because Xvfb gives no screen: %v", err)
	}
	return ":" + strings.TrimSpace(number)
}

// begin starts a program that ends with the test.
func begin(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // a screen then takes its lock file away
		late := time.AfterFunc(most/6, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		late.Stop()
	})
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
