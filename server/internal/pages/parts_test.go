package pages

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// components is where the design system's own examples lie, once npm has fetched them.
const components = "../../web/node_modules/govuk-frontend/dist/govuk/components"

// example is one of the design system's: options of its macro, and the HTML that they give.
type example struct {
	Name    string
	Options json.RawMessage
	HTML    string
}

// asked are the options that our components take.
type asked struct {
	Text, Href, Name, Value, Classes                   string
	ID, IDPrefix, Type, Autocomplete, InputMode, Title string
	Label, Hint, ErrorMessage                          *worded
	Rows                                               int
	Fieldset                                           *struct{ Legend worded }
	Items                                              []struct {
		Text, Value       string
		Checked, Selected bool
		Hint              *worded
	}
	TitleText      string
	ErrorList      []struct{ Text, Href string }
	Previous, Next *struct{ Href string }
}

type worded struct{ Text string }

func (w *worded) words() string {
	if w == nil {
		return ""
	}
	return w.Text
}

// TestComponentsAreTheDesignSystems holds the markup of each component to every example
// of the design system that asks for no more than we use.
func TestComponentsAreTheDesignSystems(t *testing.T) {
	p := testPages(t)
	for component, c := range map[string]struct {
		part  string
		least int
		of    func(*asked) any
	}{
		"tag":           {"tag", 8, func(a *asked) any { return tag{a.Text, strings.TrimPrefix(a.Classes, "govuk-tag--")} }},
		"button":        {"button", 5, buttonOf},
		"input":         {"input", 7, func(a *asked) any { return controlOf(a, "input") }},
		"textarea":      {"textarea", 6, func(a *asked) any { return controlOf(a, "textarea") }},
		"radios":        {"choice", 2, func(a *asked) any { return controlOf(a, "choice") }},
		"select":        {"select", 2, func(a *asked) any { return controlOf(a, "select") }},
		"error-summary": {"error-summary", 3, problemsOf},
		"pagination":    {"pages", 3, pagesOf},
	} {
		matched := 0
		for _, e := range examplesOf(t, component) {
			var a asked
			dec := json.NewDecoder(bytes.NewReader(e.Options))
			dec.DisallowUnknownFields()
			if dec.Decode(&a) != nil {
				continue // asks for what our pages do not have
			}
			in := c.of(&a)
			if in == nil {
				continue
			}
			var got bytes.Buffer
			if err := p.pages["queue.html"].ExecuteTemplate(&got, c.part, in); err != nil {
				t.Fatal(err)
			}
			matched++
			if got, want := plainMarkup(got.String()), plainMarkup(e.HTML); got != want {
				t.Errorf("%s, %s:\n got %s\nwant %s", component, e.Name, got, want)
			}
		}
		if matched < c.least {
			t.Errorf("%s was held to %d examples only", component, matched)
		}
	}
}

func examplesOf(t *testing.T, component string) []example {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(components, component, "fixtures.json"))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("components must be tested here, but the design system is not there (make web): %v", err)
		}
		t.Skip("NOT TESTED: components against the design system's examples, because it is not there (make web)")
	}
	var all struct{ Fixtures []example }
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	return all.Fixtures
}

var (
	spaces  = regexp.MustCompile(`\s+`)
	besides = regexp.MustCompile(`\s*(<[^>]*>)\s*`)
)

// plainMarkup leaves out what differs in the writing alone: space beside tags, and how
// quotes and apostrophes are escaped.
func plainMarkup(html string) string {
	html = besides.ReplaceAllString(spaces.ReplaceAllString(html, " "), "$1")
	return strings.TrimSpace(strings.NewReplacer("&#39;", "'", "&#34;", `"`, "&quot;", `"`, "&#43;", "+").Replace(html))
}

func buttonOf(a *asked) any {
	if a.Type != "" || a.ID != "" || a.Classes != "" && a.Classes != "govuk-button--secondary" && a.Classes != "govuk-button--warning" {
		return nil
	}
	return map[string]any{"Text": a.Text, "Href": a.Href, "Name": a.Name, "Value": a.Value,
		"Secondary": strings.HasSuffix(a.Classes, "secondary"), "Warning": strings.HasSuffix(a.Classes, "warning")}
}

func controlOf(a *asked, kind string) any {
	if a.Classes != "" || a.Autocomplete != "" && kind != "input" {
		return nil
	}
	c := control{Kind: kind, ID: a.ID, Name: a.Name, Label: a.Label.words(), Hint: a.Hint.words(), Error: a.ErrorMessage.words(), Value: a.Value,
		Type: a.Type, Autocomplete: a.Autocomplete, InputMode: a.InputMode, Rows: a.Rows}
	if kind == "choice" {
		if a.Fieldset == nil {
			return nil
		}
		c.ID, c.Label = a.IDPrefix, a.Fieldset.Legend.Text
	}
	if c.ID == "" {
		c.ID = a.Name // as the design system does
	}
	for _, i := range a.Items {
		if i.Value == "" || a.Value != "" {
			return nil // we name every answer, and say ourselves which is chosen
		}
		c.Items = append(c.Items, option{Value: i.Value, Text: i.Text, Hint: i.Hint.words(), Checked: i.Checked || i.Selected})
	}
	return c
}

func problemsOf(a *asked) any {
	if a.TitleText != "There is a problem" || a.Classes != "" {
		return nil
	}
	var out []problem
	for _, e := range a.ErrorList {
		out = append(out, problem{e.Text, e.Href})
	}
	return out
}

func pagesOf(a *asked) any {
	var out queuePage
	if a.Previous != nil {
		out.Newer = a.Previous.Href
	}
	if a.Next != nil {
		out.Older = a.Next.Href
	}
	return out
}
