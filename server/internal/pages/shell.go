package pages

import (
	"bytes"
	"fmt"

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
	Onward   string    // address that the browser goes on to by itself; empty: none
	Script   string    // address of a script besides the one that listens; empty: none
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
	"misfiled": "It is moved. Nobody reads it in the wrong file any more; its authors have to confirm it here.",
	"lifted":   "The restriction is lifted.", "restricted": "The file is restricted.",
	"keyed": "The passkey is yours. You can sign in and show that it is you with it.", "unkeyed": "The passkey is removed. It signs nobody in any more.",
	"reviewed": "It is reviewed and closed.", "opened": "The file is open to you for eight hours. Those concerned were told.",
}

// Refused is the page for what cannot be shown or done.
func (p *Pages) Refused(c *Call, code syncproto.Code, plain []string) ([]byte, error) {
	s := shell{Title: "This cannot be done"}
	switch code {
	case syncproto.CodeNotFound:
		s.Title = "There is nothing here"
	case syncproto.CodeInternal, syncproto.CodeUnavailable:
		s.Title = "This does not work at the moment"
	}
	s.Content = refusedPage{Plain: refusedWords(code), Reasons: plain, Known: c != nil}
	if c == nil {
		return p.render("refused.html", s)
	}
	return p.show(c, "refused.html", s)
}

type refusedPage struct {
	Plain   string
	Reasons []string
	Known   bool // they are signed in
}

// refusedWords are a code's words for somebody at a desk, where those for a tablet, which
// keeps what is not sent, would not be true.
func refusedWords(code syncproto.Code) string {
	switch code {
	case syncproto.CodeMethod:
		return "This address takes no such request. Go back, and begin again from a page of the desk."
	case syncproto.CodeMalformed, syncproto.CodeUnsupportedMedia, syncproto.CodeContentEncoding:
		return "The server could not read what was sent. Go back, and send it once more. If it goes on, ask IT."
	case syncproto.CodeTooLarge:
		return "This is more than can be sent in one piece. Go back, and send it in shorter parts."
	case syncproto.CodeTooMany:
		return "The server is being asked too often. Keep what you wrote, and try again in a minute."
	case syncproto.CodeDiskFull:
		return "The server has no room left. Keep what you wrote until IT has made room."
	case syncproto.CodeInternal:
		return "Something went wrong on the server, and IT can see it. Keep what you wrote, and try again."
	case syncproto.CodeUnavailable:
		return "The server cannot answer at the moment. Keep what you wrote, and try again in a minute."
	}
	return code.Plain()
}
