package pages

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"doorstep/syncproto"
)

// Site is the server, its devices and its accounts, as who looks after them sees them. It
// holds no word of any record. Each method but Minds answers CodeNotFound to anybody else.
type Site interface {
	// Minds reports whether a person looks after the server.
	Minds(syncproto.UserID) bool
	State(ctx context.Context, by syncproto.UserID) (SiteState, error)
	Devices(ctx context.Context, by syncproto.UserID) ([]SiteDevice, error)
	People(ctx context.Context, by syncproto.UserID) ([]SitePerson, error)
	// RevokeDevice withdraws a device: it is purged, and what it had not sent goes up
	// into custody first.
	RevokeDevice(ctx context.Context, by syncproto.UserID, device syncproto.DeviceID) error
	// RevokePerson ends everything that a person could act by.
	RevokePerson(ctx context.Context, by, person syncproto.UserID) error
}

// SiteState says how the server is.
type SiteState struct {
	Troubles []string // what has to be done something about at once; empty: nothing
	Lines    []SiteLine
}

// SiteLine is one thing about the server, and how it is.
type SiteLine struct{ What, How string }

// SiteDevice is a tablet, without anything that is on it. Times are Unix milliseconds; 0:
// never.
type SiteDevice struct {
	ID                    syncproto.DeviceID
	Name                  string
	People                []string // logins
	HeardMS, RevokedMS    int64
	PurgedMS              int64
	Unsent                uint64 // changes that are nowhere else, as it last said
	PurgesOwed            int
	Silent, Seen, Current bool // away for two weeks; heard of within a day; in use
}

// SitePerson is an account.
type SitePerson struct {
	ID          syncproto.UserID
	Login, Role string
	Disabled    bool
	Self        bool // the caller's own
}

// siteRoot is the address of the pages of who looks after the server.
const siteRoot = Root + "it"

// siteNavigation is the whole of the navigation for who looks after the server: no other
// page has anything for them.
var siteNavigation = [...]navItem{{Text: "Server", Href: siteRoot}, {Text: "Tablets", Href: siteRoot + "/devices"}, {Text: "Accounts", Href: siteRoot + "/people"}}

func (p *Pages) siteRoutes() []Route {
	const get, post = "GET", "POST"
	device, person := siteRoot+"/devices/:id/revoke", siteRoot+"/people/:id/revoke"
	return []Route{
		{Method: get, Path: siteRoot, ID: "deskSite", Handle: p.minding(p.site)},
		{Method: get, Path: siteRoot + "/devices", ID: "deskSiteDevices", Handle: p.minding(p.siteDevices)},
		{Method: get, Path: siteRoot + "/people", ID: "deskSitePeople", Handle: p.minding(p.sitePeople)},
		{Method: get, Path: device, ID: "deskSiteDevice", Handle: p.minding(p.askDevice)},
		{Method: post, Path: device, ID: "deskSiteDeviceSend", Fresh: true, Handle: p.minding(p.revokeDevice)},
		{Method: get, Path: person, ID: "deskSitePerson", Handle: p.minding(p.askPerson)},
		{Method: post, Path: person, ID: "deskSitePersonSend", Fresh: true, Handle: p.minding(p.revokePerson)},
	}
}

func (p *Pages) minds(user syncproto.UserID) bool { return p.cfg.Site != nil && p.cfg.Site.Minds(user) }

// minding is a page for who looks after the server; for anybody else there is none.
func (p *Pages) minding(page func(context.Context, *Call) (Answer, error)) func(context.Context, *Call) (Answer, error) {
	return func(ctx context.Context, c *Call) (Answer, error) {
		if !p.minds(c.User) {
			return Answer{}, syncproto.CodeNotFound
		}
		return page(ctx, c)
	}
}

// home is where somebody comes who signed in: the queue, or the server.
func (p *Pages) home(ctx context.Context, c *Call) (Answer, error) {
	if p.minds(c.User) {
		return Answer{To: siteRoot}, nil
	}
	return p.queue(ctx, c)
}

type sitePage struct {
	State  SiteState
	Unsent []deviceRow // devices that hold unsent work, the one away longest first
}

type deviceRow struct {
	Name, People, Heard, Unsent string
	State                       tag
	Purge                       string
	Href                        string // to revoke it; empty: it is
}

func (p *Pages) site(ctx context.Context, c *Call) (Answer, error) {
	state, err := p.cfg.Site.State(ctx, c.User)
	if err != nil {
		return Answer{}, err
	}
	list, err := p.cfg.Site.Devices(ctx, c.User)
	if err != nil {
		return Answer{}, err
	}
	in := sitePage{State: state}
	say := p.speaker(c)
	for i := range list {
		if list[i].Unsent > 0 {
			in.Unsent = append(in.Unsent, say.deviceRow(&list[i]))
		}
	}
	body, err := p.show(c, "site.html", shell{Title: "How the server is", Here: siteRoot, Content: in})
	return Answer{Body: body}, err
}

// siteListPage is a page of a list of tablets or accounts.
type siteListPage struct {
	Devices      []deviceRow
	People       []personRow
	Newer, Older string
}

func (p *Pages) siteDevices(ctx context.Context, c *Call) (Answer, error) {
	list, err := p.cfg.Site.Devices(ctx, c.User)
	if err != nil {
		return Answer{}, err
	}
	var in siteListPage
	say := p.speaker(c)
	list, in.Newer, in.Older = onPage(c, list)
	for i := range list {
		in.Devices = append(in.Devices, say.deviceRow(&list[i]))
	}
	body, err := p.show(c, "site-devices.html", shell{Title: "Tablets", Here: siteRoot + "/devices", Content: in})
	return Answer{Body: body}, err
}

func (s *speaker) deviceRow(d *SiteDevice) deviceRow {
	out := deviceRow{Name: orElse(d.Name, "A tablet"), People: strings.Join(d.People, ", "), Heard: s.everMoment(d.HeardMS), State: deviceTag(d)}
	if d.Unsent > 0 {
		out.Unsent = fmt.Sprintf("%d changes", d.Unsent)
	}
	switch {
	case d.PurgedMS != 0:
		out.Purge = "It signed that everything is gone, " + s.Moment(d.PurgedMS)
	case d.PurgesOwed > 0:
		out.Purge = fmt.Sprintf("%d purges that it has not signed for", d.PurgesOwed)
	}
	if d.Current {
		out.Href = siteRoot + "/devices/" + d.ID.String() + "/revoke"
	}
	return out
}

func deviceTag(d *SiteDevice) tag {
	switch {
	case !d.Current:
		return tag{"Revoked", "grey"}
	case d.Silent:
		return tag{"Silent for two weeks", "orange"}
	case d.Seen:
		return tag{"Seen today", "green"}
	}
	return tag{"In use", "blue"}
}

// everMoment is a moment, or "never".
func (s *speaker) everMoment(ms int64) string {
	if ms == 0 {
		return "never"
	}
	return s.Moment(ms)
}

type personRow struct {
	Login, Role string
	State       tag
	Href        string // to end everything they could act by
}

func (p *Pages) sitePeople(ctx context.Context, c *Call) (Answer, error) {
	list, err := p.cfg.Site.People(ctx, c.User)
	if err != nil {
		return Answer{}, err
	}
	var in siteListPage
	list, in.Newer, in.Older = onPage(c, list)
	for _, one := range list {
		row := personRow{Login: one.Login, Role: p.cfg.Records.Names().Role(one.Role), State: tag{"In use", "green"}}
		if one.Disabled {
			row.State = tag{"Disabled", "grey"}
		} else if !one.Self {
			row.Href = siteRoot + "/people/" + one.ID.String() + "/revoke"
		}
		in.People = append(in.People, row)
	}
	body, err := p.show(c, "site-people.html", shell{Title: "Accounts", Here: siteRoot + "/people", Content: in})
	return Answer{Body: body}, err
}

// revokePage asks once more before something is withdrawn.
type revokePage struct {
	Token, Action, Back string
	What                string
	Then                []string // what comes of it
	Button              string
}

// askFirst shows it. A fresh sign-in comes before it, where it is not fresh.
func (p *Pages) askFirst(c *Call, title, action string, in revokePage) (Answer, error) {
	if !c.Fresh {
		return Answer{To: Root + "step-up?after=" + action}, nil
	}
	in.Token, in.Action = c.FormToken, action
	body, err := p.show(c, "site-revoke.html", shell{Title: title, Here: in.Back, Content: in})
	return Answer{Body: body}, err
}

// deviceHere is the device in the path, if it is in use.
func (p *Pages) deviceHere(ctx context.Context, c *Call) (SiteDevice, error) {
	list, err := p.cfg.Site.Devices(ctx, c.User)
	if err != nil {
		return SiteDevice{}, err
	}
	at := slices.IndexFunc(list, func(d SiteDevice) bool { return d.Current && d.ID.String() == c.Param })
	if at < 0 {
		return SiteDevice{}, syncproto.CodeNotFound
	}
	return list[at], nil
}

func (p *Pages) askDevice(ctx context.Context, c *Call) (Answer, error) {
	d, err := p.deviceHere(ctx, c)
	if err != nil {
		return Answer{}, err
	}
	row := p.speaker(c).deviceRow(&d)
	return p.askFirst(c, "Revoke a tablet", row.Href, revokePage{
		Back: siteRoot + "/devices", What: row.Name + ", of " + row.People + ", last heard of: " + row.Heard, Button: "Revoke this tablet",
		Then: []string{"Nothing more comes down to it, and nobody can sign in on it.",
			"What was written on it and not sent goes up by itself when it is next online, and waits for a reviewer: no word of it is lost.",
			"Everything on it is then removed, and it signs that this was done.", "It cannot be undone. A tablet that turns up again is enrolled anew."},
	})
}

func (p *Pages) revokeDevice(ctx context.Context, c *Call) (Answer, error) {
	d, err := p.deviceHere(ctx, c)
	if err != nil {
		return Answer{}, err
	}
	if err := p.cfg.Site.RevokeDevice(ctx, c.User, d.ID); err != nil {
		return Answer{}, err
	}
	return Answer{To: siteRoot + "/devices?done=revoked"}, nil
}

// personHere is the account in the path, if it is in use and not the caller's own.
func (p *Pages) personHere(ctx context.Context, c *Call) (SitePerson, error) {
	list, err := p.cfg.Site.People(ctx, c.User)
	if err != nil {
		return SitePerson{}, err
	}
	at := slices.IndexFunc(list, func(u SitePerson) bool { return !u.Disabled && !u.Self && u.ID.String() == c.Param })
	if at < 0 {
		return SitePerson{}, syncproto.CodeNotFound
	}
	return list[at], nil
}

func (p *Pages) askPerson(ctx context.Context, c *Call) (Answer, error) {
	u, err := p.personHere(ctx, c)
	if err != nil {
		return Answer{}, err
	}
	return p.askFirst(c, "End an account", siteRoot+"/people/"+u.ID.String()+"/revoke", revokePage{
		Back: siteRoot + "/people", What: u.Login + ", " + p.cfg.Records.Names().Role(u.Role), Button: "End this account",
		Then: []string{"All their sessions and passkeys end now, and the account is disabled.", "Tablets that are theirs alone are revoked and purged.",
			"What they had not sent goes up by itself and waits for a reviewer: no word of it is lost."},
	})
}

func (p *Pages) revokePerson(ctx context.Context, c *Call) (Answer, error) {
	u, err := p.personHere(ctx, c)
	if err != nil {
		return Answer{}, err
	}
	if err := p.cfg.Site.RevokePerson(ctx, c.User, u.ID); err != nil {
		return Answer{}, err
	}
	return Answer{To: siteRoot + "/people?done=ended"}, nil
}
