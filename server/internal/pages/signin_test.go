package pages

import (
	"html"
	"strings"
	"testing"

	"doorstep/syncproto"
)

// TestWhyAProofIsRefused: in words that are true at a desk, for the way in which somebody
// tried, and never those for a tablet, which keeps what it has not sent.
func TestWhyAProofIsRefused(t *testing.T) {
	cases := []struct {
		in    Proving
		again bool
		want  string
	}{
		{Proving{Code: syncproto.CodeBadCredentials}, false, syncproto.CodeBadCredentials.Plain()},
		{Proving{Code: syncproto.CodeBadCredentials}, true, syncproto.CodeBadCredentials.Plain()},
		{Proving{Code: syncproto.CodeBadCredentials, By: ByService}, false, "your account here is not in use any more"},
		{Proving{Code: syncproto.CodeBadCredentials, By: ByPasskey}, false, "your account here is not in use any more"},
		{Proving{Code: syncproto.CodeBadCredentials, By: ByService}, true, "That was somebody else."},
		{Proving{Code: syncproto.CodeBadCredentials, By: ByPasskey}, true, "That was somebody else."},
		{Proving{Code: syncproto.CodeUnavailable, By: ByService}, false, "The council's sign-in service does not answer"},
		{Proving{Code: syncproto.CodeUnavailable, By: ByPasskey}, false, "Try again in a minute."},
		{Proving{Code: syncproto.CodeBadPasskey, By: ByPasskey}, false, "sign in another way"},
		{Proving{Code: syncproto.CodeUnlinked, By: ByService}, false, syncproto.CodeUnlinked.Plain()},
		{Proving{Code: syncproto.CodeUnlinked, By: ByService, Elsewhere: true}, false, "not an account of this council"},
		{Proving{Code: syncproto.CodeNoRole, By: ByService}, false, syncproto.CodeNoRole.Plain()},
		{Proving{Code: syncproto.CodeUnconfirmed, By: ByService}, false, syncproto.CodeUnconfirmed.Plain()},
		{Proving{Code: syncproto.CodeSignInFailed, By: ByService}, true, syncproto.CodeSignInFailed.Plain()},
		{Proving{Code: syncproto.CodeNotFound, By: ByPasskey}, false, "People do not sign in this way here."},
		{Proving{Code: syncproto.CodeTooMany}, false, "There were too many tries from here."},
	}
	for _, c := range cases {
		got := c.in.refused(c.again)
		if !strings.Contains(got, c.want) || strings.Contains(got, "device") {
			t.Errorf("%v by %d, again %v: it says %q, want %q", c.in.Code, c.in.By, c.again, got, c.want)
		}
	}
}

// TestProvingPagesOfferWhatThereIs, and give back what was not sent.
func TestProvingPagesOfferWhatThereIs(t *testing.T) {
	p := testPages(t)
	lost := map[string]string{"reason": "Rang <Kat> at ten"}
	for name, c := range map[string]struct {
		in    Proving
		again bool
		has   []string
		hasNo []string
	}{
		"all":                {Proving{Password: true, Passkey: true, Service: "/desk/sign-in/service"}, false, []string{"Sign in with the council", "Use a passkey", "Or with a name and password", PasskeyScript}, []string{"You are signed out"}},
		"passwords":          {Proving{Password: true}, false, []string{"Sign-in name"}, []string{"council", "passkey", "<script"}},
		"a passkey":          {Proving{Passkey: true}, true, []string{"Use a passkey"}, []string{"council", "Password"}},
		"nothing":            {Proving{}, true, []string{"You have no way left"}, []string{"<script", "Password"}},
		"words anew":         {Proving{Password: true, Lost: lost}, true, []string{"This was not sent yet", "Rang <Kat> at ten"}, []string{"Nothing that you did is lost"}},
		"words ended":        {Proving{Password: true, Lost: lost}, false, []string{"You were signed out before this was sent", "Rang <Kat> at ten"}, nil},
		"left":               {Proving{Password: true, Service: "/desk/sign-in/service", Left: true, Leave: "https://id.example/out"}, false, []string{"You are signed out here.", `href="https://id.example/out"`}, nil},
		"left, no end known": {Proving{Password: true, Service: "/desk/sign-in/service", Left: true}, false, []string{"sign out there too."}, []string{`href=""`}},
	} {
		page, file := provingPage{Proving: c.in, Send: Root + "sign-in"}, "sign-in.html"
		if c.again {
			page.Token, file = "word", "step-up.html"
		}
		body, err := p.render(file, p.proving("Title", page, c.again))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(body), "<Kat>") {
			t.Errorf("%s: words are markup", name)
		}
		text := html.UnescapeString(string(body))
		for _, want := range c.has {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the page lacks %q:\n%s", name, want, text)
			}
		}
		for _, not := range c.hasNo {
			if strings.Contains(text, not) {
				t.Errorf("%s: the page has %q", name, not)
			}
		}
	}
}

// TestBackLeadsOnWhereItSays: what came back stays one address, whatever is in it.
func TestBackLeadsOnWhereItSays(t *testing.T) {
	body, err := testPages(t).Back("/desk/signed-in/on?code=a%22%3E%3Cscript%3E%3B+url&state=b")
	if err != nil {
		t.Fatal(err)
	}
	text := string(body)
	if strings.Contains(text, "<script") || !strings.Contains(text, `content="0; url=/desk/signed-in/on?code=a%22%3E%3Cscript%3E%3B+url&amp;state=b"`) &&
		!strings.Contains(text, `content="0; url=/desk/signed-in/on?code=a%22%3E%3Cscript%3E%3B&#43;url&amp;state=b"`) {
		t.Errorf("the page:\n%s", text)
	}
}

// TestRefusalsAtADeskSpeakOfNoTablet: the codes that the server answers by itself, whatever
// is asked of it.
func TestRefusalsAtADeskSpeakOfNoTablet(t *testing.T) {
	for _, code := range []syncproto.Code{syncproto.CodeMethod, syncproto.CodeMalformed, syncproto.CodeUnsupportedMedia, syncproto.CodeContentEncoding,
		syncproto.CodeTooLarge, syncproto.CodeTooMany, syncproto.CodeDiskFull, syncproto.CodeInternal, syncproto.CodeUnavailable,
		syncproto.CodeNotFound, syncproto.CodeForbidden, syncproto.CodeStepUp} {
		if words := refusedWords(code); words == "" || strings.Contains(words, "device") || strings.Contains(words, "app") {
			t.Errorf("%v is told as %q", code, words)
		}
	}
}
