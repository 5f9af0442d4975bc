package pages

import (
	"encoding/json"

	"doorstep/syncproto"
)

// AccountRoot is the address of the page about how the caller signs in.
const AccountRoot = Root + "account"

// Account is how somebody signs in.
type Account struct {
	// HasPassword, HasService and HasPasskeys: that way is theirs.
	HasPassword, HasService, HasPasskeys bool
	// Service and Keys: the borough has a sign-in service, and passkeys can be made here.
	Service, Keys bool
	Passkeys      []AccountKey
}

// AccountKey is a passkey. Times are Unix milliseconds; 0: never.
type AccountKey struct {
	ID              syncproto.ID
	Name            string
	AddedMS, UsedMS int64
	Copied          bool // it is refused, because there are two of it
}

type accountPage struct {
	Account
	Rows []keyRow
	New  string // address of the page on which a passkey is made; empty: none can be
}

type keyRow struct {
	Name, Added, Used string
	State             tag
	Href              string // to remove it
}

// Account is the page about how the caller signs in.
func (p *Pages) Account(c *Call, in Account) ([]byte, error) {
	page := accountPage{Account: in}
	if in.Keys {
		page.New = AccountRoot + "/passkeys/new"
	}
	say := p.speaker(c)
	for i := range in.Passkeys {
		page.Rows = append(page.Rows, say.keyRow(&in.Passkeys[i]))
	}
	return p.show(c, "account.html", shell{Title: "How you sign in", Here: AccountRoot, Content: page})
}

func (s *speaker) keyRow(k *AccountKey) keyRow {
	out := keyRow{Name: k.Name, Added: s.everMoment(k.AddedMS), Used: s.everMoment(k.UsedMS), State: tag{"In use", "green"},
		Href: AccountRoot + "/passkeys/" + k.ID.String() + "/remove"}
	if k.Copied {
		out.State = tag{"There is a copy of it: refused", "red"}
	}
	return out
}

// NewPasskey is what a browser makes a passkey with.
type NewPasskey struct {
	Options json.RawMessage // of navigator.credentials.create
	Ticket  string          // to come back with
	Name    string          // that was typed
	Code    syncproto.Code  // why the last try was refused; CodeOK: there was none
}

type newPasskeyPage struct {
	NewPasskey
	Token, Text string
}

// NewPasskey is the page on which the caller makes a passkey.
func (p *Pages) NewPasskey(c *Call, in NewPasskey) ([]byte, error) {
	s := shell{Title: "Add a passkey", Here: AccountRoot, Script: PasskeyScript}
	s.Content = newPasskeyPage{NewPasskey: in, Token: c.FormToken, Text: string(in.Options)}
	switch in.Code {
	case syncproto.CodeOK:
	case syncproto.CodeTooMany:
		s.Problems = []problem{{Text: "You have as many passkeys as one person may have. Remove one that you do not use any more."}}
	case syncproto.CodeBadPasskey:
		s.Problems = []problem{{Text: "This passkey could not be added. Try once more, and ask IT if it goes on."}}
	default:
		s.Problems = []problem{{Text: refusedWords(in.Code)}}
	}
	return p.show(c, "account-passkey.html", s)
}

// RemovePasskey asks once more before a passkey is removed. last: its owner has no other
// way to sign in.
func (p *Pages) RemovePasskey(c *Call, k AccountKey, last bool) ([]byte, error) {
	say := p.speaker(c)
	in := revokePage{Token: c.FormToken, Action: AccountRoot + "/passkeys/" + k.ID.String() + "/remove", Back: AccountRoot, Button: "Remove this passkey",
		What: k.Name + ", added " + say.Moment(k.AddedMS) + ", last used: " + say.everMoment(k.UsedMS),
		Then: []string{"It signs nobody in any more, wherever it is kept.", "Take it out of your computer, phone or security key as well: there it stays until you do."}}
	if last {
		in.Then = append(in.Then, "It is the only way in which you can sign in: after this, only IT can let you in again.")
	}
	return p.show(c, "site-revoke.html", shell{Title: "Remove a passkey", Here: AccountRoot, Content: in})
}
