package pages

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"doorstep/syncproto"
)

// shell is what every page has around its content.
type shell struct {
	Title    string // of the page, unique on the desk
	Name     string // of the installation
	Style    string
	Person   string // who is signed in; empty: nobody
	Here     string // address of the entry of the navigation that this is
	Nav      []navItem
	Token    string // for forms
	Notice   string // what was just done
	Problems []problem
	Live     *liveness // nil: the page does not listen for news
	Content  any
}

type navItem struct {
	Text, Href string
	Current    bool
}

// problem is one reason why something was not done. Href leads to the field concerned.
type problem struct{ Text, Href string }

var navigation = [...]navItem{{Text: "Queue", Href: Root}, {Text: "Chasing list", Href: Root + "chasing"}, {Text: "Late entries", Href: Root + "late"},
	{Text: "Search", Href: Root + "search"}, {Text: "Families", Href: Root + "families"}, {Text: "Custody", Href: Root + "custody"}, {Text: "Oversight", Href: oversightRoot}}

// show renders a page for the caller.
func (p *Pages) show(c *Call, file string, s shell) ([]byte, error) {
	s.Person, s.Token = p.cfg.Records.Name(c.User), c.FormToken
	entries := navigation[:]
	if p.minds(c.User) {
		entries = siteNavigation[:]
	}
	for _, n := range entries {
		n.Current = n.Href == s.Here
		s.Nav = append(s.Nav, n)
	}
	s.Notice = notices[c.Query.Get("done")]
	return p.render(file, s)
}

func (p *Pages) render(file string, s shell) ([]byte, error) {
	s.Name, s.Style = p.cfg.Name, p.cfg.Style
	t, ok := p.pages[file]
	if !ok {
		panic("bug: there is no page " + file)
	}
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, "layout", s); err != nil {
		return nil, fmt.Errorf("rendering %s: %w", file, err)
	}
	return out.Bytes(), nil
}

// notices say what was just done, by the word that an address ends in.
var notices = map[string]string{
	"leased":   "This record is yours to prepare. Others can read it.",
	"released": "You gave the record back.",
	"final":    "It is final.", "confirmed": "You stand by the record as it is now.", "handed": "It is handed over to the team.",
	"asked": "Your question was sent.", "answered": "Your answer was sent.", "decided": "It is decided. Both sides stay in the history.",
	"read": "It was read, and stands.", "edited": "Saved. What it said before stays in the history.", "proposed": "Your proposal was sent to its author.",
	"added": "It was added. The final record is as it was.", "corrected": "The correction was added: both are shown from now on.",
	"admitted": "The words are in the record.", "kept": "The words are kept away. They are not lost.",
	"revoked": "The tablet is revoked.", "ended": "The account is ended.",
	"accepted": "The late entry was taken on.", "rectified": "It stays with the record.",
	"begun": "It is begun, and in the queue. Fill in what the notes say; its author confirms it.", "filled": "Saved. Its author has to confirm it.",
	"lifted": "The restriction is lifted.", "restricted": "The file is restricted.",
	"reviewed": "It is reviewed and closed.", "opened": "The file is open to you for eight hours. Those concerned were told.",
}

// SignIn is the page for who is not signed in. After is where to go then; lost is what
// was sent by somebody whose session had ended, so that no word of it is gone.
func (p *Pages) SignIn(after string, code syncproto.Code, lost map[string]string) ([]byte, error) {
	s := shell{Title: "Sign in"}
	if code != syncproto.CodeOK {
		s.Problems = []problem{{Text: code.Plain(), Href: "#login"}}
	}
	in := signInPage{After: after, Errored: code != syncproto.CodeOK}
	for _, k := range slices.Sorted(maps.Keys(lost)) {
		in.Lost = append(in.Lost, lost[k])
	}
	s.Content = in
	return p.render("sign-in.html", s)
}

type signInPage struct {
	Token   string
	After   string
	Errored bool
	Lost    []string
}

// Refused is the page for what cannot be shown or done.
func (p *Pages) Refused(c *Call, code syncproto.Code, plain []string) ([]byte, error) {
	s := shell{Title: "This cannot be done"}
	if code == syncproto.CodeNotFound {
		s.Title = "There is nothing here"
	}
	s.Content = refusedPage{Plain: code.Plain(), Reasons: plain}
	if c == nil {
		return p.render("refused.html", s)
	}
	return p.show(c, "refused.html", s)
}

type refusedPage struct {
	Plain   string
	Reasons []string
}

// StepUp is the page on which somebody proves anew who they are, before what is sworn or
// sealed. After is where to go then.
func (p *Pages) StepUp(c *Call, after string, code syncproto.Code) ([]byte, error) {
	s := shell{Title: "Show that it is you", Content: signInPage{After: after, Errored: code != syncproto.CodeOK, Token: c.FormToken}}
	if code != syncproto.CodeOK {
		s.Problems = []problem{{Text: code.Plain(), Href: "#login"}}
	}
	return p.show(c, "step-up.html", s)
}
