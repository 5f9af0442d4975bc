// Package webtest drives the app and the desk in a real browser: it fills in,
// presses, waits for what a person would see, and takes pictures; and reads the desk's
// pages without one. It is for tests.
package webtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"doorstep/server/web"
)

// Program finds the browser and the built app, or skips aloud; where everything is to
// be tested (CI=true) a lack is a failure.
func Program(t testing.TB) string {
	t.Helper()
	if _, built := web.Open(); !built {
		lacks(t, "this test was built without the app (make web)")
	}
	return chromium(t)
}

func chromium(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		lacks(t, "there is no chromium (Debian: apt-get install chromium)")
	}
	return program
}

func lacks(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("this must be tested here in a real browser, but %s", why)
	}
	t.Skipf("NOT TESTED in a real browser, because %s", why)
}

// Browser is one tab of a browser with a profile of its own, that is: of one tablet.
type Browser struct {
	t    testing.TB
	ctx  context.Context
	tabs context.Context // of the whole browser
	end  context.CancelFunc
	seen map[string]bool // states of the app that it was in
}

// most is how long anything that a test does with a page may take.
const most = time.Minute

// Launch starts chromium with one tab in which nothing is open, and returns the tab's
// context, which chromedp's actions are done with, and what ends the browser. Flags are
// chromium's, "name=value". Without user-data-dir it has a profile of its own, which goes
// with it. It skips aloud where there is no chromium, as Program does.
func Launch(t testing.TB, flags ...string) (tab context.Context, end context.CancelFunc) {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(chromium(t)), chromedp.NoSandbox,
		chromedp.WSURLReadTimeout(most), // a machine that is at work on much else starts it slowly
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.WindowSize(820, 1180), chromedp.Env("LANGUAGE=en_GB"))
	for _, f := range flags {
		name, value, _ := strings.Cut(f, "=")
		options = append(options, chromedp.Flag(name, value))
	}
	program, quit := chromedp.NewExecAllocator(context.Background(), options...)
	tab, leave := chromedp.NewContext(program)
	end = func() { leave(); quit() }
	t.Cleanup(end)
	if err := chromedp.Do(tab); err != nil { // starts it; the browser lives as long as the context of this call
		t.Fatalf("starting chromium: %v", err)
	}
	return tab, end
}

// Profile is a folder for a browser, whose processes may write there for a moment after it
// was ended: that it cannot be removed yet is no failure, as it is of t.TempDir.
func Profile(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "doorstep-profile")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// Start starts a browser for the app or the desk, which ends with the test. Flags are as
// for Launch.
func Start(t testing.TB, flags ...string) *Browser {
	t.Helper()
	Program(t)
	tab, end := Launch(t, flags...)
	return &Browser{t: t, ctx: tab, tabs: tab, end: end, seen: map[string]bool{}}
}

// For is the same tab for a part of the test, which fails in its own name.
func (b *Browser) For(t testing.TB) *Browser {
	part := *b
	part.t = t
	return &part
}

// Quit ends the browser as its user does.
func (b *Browser) Quit() {
	b.t.Helper()
	if err := chromedp.Cancel(b.tabs); err != nil {
		b.t.Fatalf("ending chromium: %v", err)
	}
}

// Crash kills the tab's process without warning, and goes on in a new tab of the same
// browser, in which nothing is open yet.
func (b *Browser) Crash() {
	b.t.Helper()
	fresh, end := chromedp.NewContext(b.tabs)
	b.t.Cleanup(end)
	if err := chromedp.Do(fresh, chromedp.Navigate("about:blank")); err != nil {
		b.t.Fatalf("opening a new tab: %v", err)
	}
	ctx, stop := context.WithTimeout(b.ctx, most)
	defer stop()
	kill := chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		go func() { _, _ = cdp.Call(ctx, tab, page.Crash, cdp.Empty{}) }() // the dead do not answer
		return nil
	})
	if _, err := chromedp.Run(ctx, chromedp.WaitEvent(inspector.TargetCrashed, nil, kill)); err != nil {
		b.t.Fatalf("crashing the tab: %v", err)
	}
	if b.ctx != b.tabs {
		b.end() // the first tab is the browser's own
	}
	b.ctx, b.end = fresh, end
}

// Context is what chromedp's own actions are done with.
func (b *Browser) Context() context.Context { return b.ctx }

// Open goes to an address.
func (b *Browser) Open(url string) {
	b.t.Helper()
	b.do("opening the page", chromedp.Navigate(url))
}

// Eval carries out a script and returns its value; the script may be a promise.
func Eval[T any](b *Browser, script string) T {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, most)
	defer stop()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("evaluating %.120s: %v", script, err)
	}
	return v
}

// Sees waits until the page shows these words.
func (b *Browser) Sees(words string) {
	b.t.Helper()
	b.Until(fmt.Sprintf("the page shows %q", words), fmt.Sprintf("document.body.innerText.includes(%q)", words))
}

// Until waits until a script says true.
func (b *Browser) Until(what, script string) {
	b.t.Helper()
	wait := fmt.Sprintf(`new Promise((done) => { const until = Date.now() + 45000; (function look() {
		let ok = false; try { ok = Boolean(%s); } catch {}
		if (ok || Date.now() > until) done(ok); else setTimeout(look, 50); })(); })`, script)
	ctx, stop := context.WithTimeout(b.ctx, 2*most)
	defer stop()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](wait, chromedp.EvalAwaitPromise))
		switch {
		case err != nil && leftThePage(err):
			continue // what waited went with the page: wait in the next
		case err != nil:
			b.t.Fatalf("waiting until %s: %v", what, err)
		case !ok:
			b.t.Fatalf("waited in vain until %s; the page says:\n%s", what, b.Text())
		}
		return
	}
}

// leftThePage reports whether a script came to nothing because its page was left.
func leftThePage(err error) bool {
	said := err.Error()
	return strings.Contains(said, "navigated or closed") || strings.Contains(said, "context was destroyed") || strings.Contains(said, "Cannot find context")
}

// Text is all that the page shows.
func (b *Browser) Text() string { return Eval[string](b, "document.body.innerText") }

// Fill types into the field with this label, as a person does.
func (b *Browser) Fill(label, words string) {
	b.t.Helper()
	b.typeInto(label, fieldOf(label), "focus()", words)
}

// Press presses the button or link with these words.
func (b *Browser) Press(words string) {
	b.t.Helper()
	b.touch("there is something to press called "+words, named(words), "click()")
}

// touch waits until a script finds a part of the page, and does something to it in the
// same turn: a page that is drawn again between two looks has another part there. What it
// does may lead away from the page.
func (b *Browser) touch(what, find, do string) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, 2*most)
	defer stop()
	for {
		b.Until(what, find)
		done, err := chromedp.Run(ctx, chromedp.Evaluate[bool](fmt.Sprintf("(() => { const found = %s; found?.%s; return Boolean(found); })()", find, do)))
		if err != nil && !leftThePage(err) {
			b.t.Fatalf("%s, but: %v", what, err)
		}
		if err != nil || done {
			return
		}
	}
}

// typeInto types into a field once it can be typed into. enter is how it gets the focus.
func (b *Browser) typeInto(label, field, enter, words string) {
	b.t.Helper()
	b.touch("there is a field "+label, fmt.Sprintf("((f) => f && !f.readOnly ? f : null)(%s)", field), enter)
	b.do("typing into "+label, chromedp.KeyEvent(words))
}

// Submit sends a form that a script gives, and does not wait for what comes of it.
func (b *Browser) Submit(form string) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, most)
	defer stop()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("("+form+").requestSubmit(), true")); err != nil && !leftThePage(err) {
		b.t.Fatalf("sending a form: %v", err)
	}
}

// FillIn types into a field that has its label within a group of fields, as a day has
// day, month and year; it opens the group where that is folded.
func (b *Browser) FillIn(group, label, words string) {
	b.t.Helper()
	field := fmt.Sprintf(`(() => {
		const g = [...document.querySelectorAll("fieldset")].find((e) => e.querySelector("legend")?.innerText.trim().startsWith(%q) && e.getClientRects().length);
		g?.querySelector(".when__open")?.click();
		const l = g && [...g.querySelectorAll("label")].find((e) => e.innerText.trim() === %q);
		return l && document.getElementById(l.htmlFor);
	})()`, group, label)
	b.typeInto(label+" of "+group, field, "select()", words)
}

// Choose picks an option of the list with this label, by its words.
func (b *Browser) Choose(label, option string) {
	b.t.Helper()
	find := fmt.Sprintf("[...%s.options].find((o) => o.text === %q)", fieldOf(label), option)
	b.Until("the list "+label+" offers "+option, find)
	Eval[bool](b, fmt.Sprintf(`(() => { const l = %s; l.value = %s.value; l.dispatchEvent(new Event("change", {bubbles: true})); return true; })()`, fieldOf(label), find))
}

// Picture returns the whole page as PNG.
func (b *Browser) Picture() []byte {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, most)
	defer stop()
	var png []byte
	b.onLongScreen(func() {
		var err error
		if png, err = chromedp.Run(ctx, chromedp.FullScreenshot(100)); err != nil {
			b.t.Fatalf("taking a picture: %v", err)
		}
	})
	return png
}

// Size makes the browser's window this large, in CSS pixels.
func (b *Browser) Size(width, height int64) {
	b.t.Helper()
	b.do("setting the window's size", chromedp.EmulateViewport(width, height))
	Eval[bool](b, `new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn(true))))`)
}

// onLongScreen does something while the screen is as long as the page, so that what stays
// at a screen's head or foot lies over nothing.
func (b *Browser) onLongScreen(do func()) {
	b.t.Helper()
	type screen struct{ Width, Height, Page int64 }
	was := Eval[screen](b, `(scrollTo(0, 0), {Width: innerWidth, Height: innerHeight, Page: document.documentElement.scrollHeight})`)
	b.Size(was.Width, max(was.Height, was.Page))
	Eval[bool](b, "scrollTo(0, 0), true")
	do()
	b.Size(was.Width, was.Height)
}

func (b *Browser) do(what string, action chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, most)
	defer stop()
	if err := chromedp.Do(ctx, action); err != nil && !errors.Is(err, context.Canceled) {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// named finds what can be pressed, by the words that it begins with.
func named(words string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("button, a, summary, label")].find((e) => e.innerText.trim().split("\n")[0].startsWith(%q) && !e.disabled && e.getClientRects().length)`, words)
}

// fieldOf finds the control of a label, by the words that it begins with.
func fieldOf(label string) string {
	return fmt.Sprintf(`(() => { const l = [...document.querySelectorAll("label")].find((e) => e.innerText.trim().startsWith(%q) && e.getClientRects().length); return l && document.getElementById(l.htmlFor); })()`, label)
}
