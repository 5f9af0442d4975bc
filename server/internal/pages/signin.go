package pages

import (
	_ "embed"
	"maps"
	"slices"

	"doorstep/syncproto"
)

//go:embed html/passkey.js
var passkeyScript []byte

// PasskeyScript is the address of the script that asks for a passkey.
const PasskeyScript = Root + "passkey.js"

// PasskeyFile is that script. It is nobody's, and for whoever is not signed in yet.
func PasskeyFile() Answer {
	return Answer{Body: passkeyScript, Media: "text/javascript; charset=utf-8"}
}

// Way is how somebody proves who they are.
type Way uint8

// The ways of proving it.
const (
	ByPassword Way = iota
	ByService      // the borough's own sign-in service
	ByPasskey
)

// Proving is a page on which somebody proves who they are: at first, or anew.
type Proving struct {
	After string // address to go to then
	// What is offered. Service is the address that the link to the borough's sign-in
	// service has; empty: not that way.
	Password, Passkey bool
	Service           string
	// Code is why the last try was refused, By which way that was; CodeOK: there was none.
	// Elsewhere: they showed an account of the service that is not the borough's.
	Code      syncproto.Code
	By        Way
	Elsewhere bool
	// Lost is what was sent by somebody whose session had ended, or whose proof was of too
	// long ago, so that no word of it is gone.
	Lost map[string]string
	// Left: they have just signed out. Leave is then where they sign out of the borough's
	// sign-in service too; empty: nowhere that is known.
	Left  bool
	Leave string
}

// provingPage is Proving as templates write it.
type provingPage struct {
	Proving
	Token string // of the session that is proved anew; empty: nobody is signed in
	Send  string // address of its forms
	Words []string
}

// SignIn is the page for who is not signed in.
func (p *Pages) SignIn(in Proving) ([]byte, error) {
	page := provingPage{Proving: in, Send: Root + "sign-in"}
	return p.render("sign-in.html", p.proving("Sign in", page, false))
}

// StepUp is the page on which somebody proves anew who they are, before what is sworn or
// sealed.
func (p *Pages) StepUp(c *Call, in Proving) ([]byte, error) {
	page := provingPage{Proving: in, Token: c.FormToken, Send: Root + "step-up"}
	return p.show(c, "step-up.html", p.proving("Show that it is you", page, true))
}

// proving is what both pages show.
func (p *Pages) proving(title string, page provingPage, again bool) shell {
	for _, k := range slices.Sorted(maps.Keys(page.Lost)) {
		page.Words = append(page.Words, page.Lost[k])
	}
	s := shell{Title: title, Content: page}
	if page.Passkey {
		s.Script = PasskeyScript
	}
	if page.Code != syncproto.CodeOK {
		s.Problems = []problem{{Text: page.refused(again)}}
		if page.By == ByPassword && page.Password {
			s.Problems[0].Href = "#login"
		}
	}
	return s
}

// refused says why a proof was refused, for somebody at a desk who gave it in this way.
func (in *Proving) refused(again bool) string {
	switch {
	case in.Elsewhere:
		return "That is not an account of this council. Sign in with the account that you use at work."
	case in.Code == syncproto.CodeUnavailable && in.By == ByService:
		return "The council's sign-in service does not answer at the moment. Try again in a few minutes, or ask IT."
	case in.Code == syncproto.CodeUnavailable:
		return "The server cannot answer at the moment. Try again in a minute."
	case in.Code == syncproto.CodeTooMany:
		return "There were too many tries from here. Wait a few minutes, and try again."
	case in.Code == syncproto.CodeBadPasskey:
		return "This passkey could not be checked. Try again or sign in another way, and tell IT."
	case in.Code == syncproto.CodeBadCredentials && again && in.By != ByPassword:
		return "That was somebody else. Show with your own sign-in that it is you."
	case in.Code == syncproto.CodeBadCredentials && in.By != ByPassword:
		return "Your sign-in worked, but your account here is not in use any more. Ask IT."
	case in.Code == syncproto.CodeNotFound:
		return "People do not sign in this way here. Choose one of the others."
	}
	return refusedWords(in.Code)
}

// Back is the page that the borough's sign-in service sends a browser back to. The browser
// goes on by itself, from a page of this server: what it keeps for pages of ours alone, it
// does not bring along from elsewhere.
func (p *Pages) Back(onward string) ([]byte, error) {
	return p.render("signed-in.html", shell{Title: "You are back", Onward: onward, Content: onward})
}
