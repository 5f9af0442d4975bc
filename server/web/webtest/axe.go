package webtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Violation is one rule of WCAG 2.2 AA that a page does not keep.
type Violation struct {
	ID     string   `json:"id"`
	Help   string   `json:"help"`
	Places []string `json:"places"`
}

func (v Violation) String() string {
	return fmt.Sprintf("%s: %s (%s)", v.ID, v.Help, strings.Join(v.Places, "; "))
}

// KeepsWCAG holds the page as it stands to WCAG 2.2 AA, in light and in dark. state is
// the name of one of States, app is as for Axe.
func (b *Browser) KeepsWCAG(app, state string) {
	b.t.Helper()
	b.isIn(app, state)
	for _, scheme := range []string{"dark", "light"} {
		b.Scheme(scheme)
		for _, v := range b.Axe(app) {
			b.t.Errorf("%s, %s: %v", state, scheme, v)
		}
	}
}

// KeepsWCAGOnPaper does so as the page is printed from a tablet whose colours are dark,
// which paper does not follow; the browser shows it so until Scheme is called.
func (b *Browser) KeepsWCAGOnPaper(app, state string) {
	b.t.Helper()
	b.isIn(app, state)
	b.emulate(emulation.SetEmulatedMediaParams{Media: "print", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
	for _, v := range b.Axe(app) {
		b.t.Errorf("%s, on paper: %v", state, v)
	}
}

// Scheme has the browser ask pages for "light" or "dark" colours.
func (b *Browser) Scheme(scheme string) {
	b.t.Helper()
	b.emulate(emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

func (b *Browser) emulate(media emulation.SetEmulatedMediaParams) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatalf("asking for %+v: %v", media, err)
	}
}

// Axe checks the page as it stands with axe-core, which lies in the node_modules of
// the folder app (server/web).
func (b *Browser) Axe(app string) []Violation {
	b.t.Helper()
	source, err := os.ReadFile(filepath.Join(app, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		b.t.Fatalf("axe-core is not there (make web): %v", err)
	}
	if !Eval[bool](b, "Boolean(globalThis.axe)") {
		Eval[bool](b, string(source)+";true")
	}
	var found []Violation
	b.onLongScreen(func() {
		found = Eval[[]Violation](b, `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}).then((r) =>
		r.violations.map((v) => ({id: v.id, help: v.help, places: v.nodes.slice(0, 4).map((n) => n.target.join(" ") + " " + (n.any[0]?.message ?? ""))})))`)
	})
	return found
}
