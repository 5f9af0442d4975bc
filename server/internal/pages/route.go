package pages

import (
	"context"
	"net/url"

	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
)

// Root is the address below which all pages lie.
const Root = "/desk/"

// Route is one page, or one form that is sent. ID names it in logs.
type Route struct {
	Method, Path, ID string
	// Fresh: what it does needs a sign-in of a moment ago.
	Fresh bool
	// Once: it is one proposal, and a form that is sent twice does it once.
	Once   bool
	Handle func(context.Context, *Call) (Answer, error)
}

// Call is one request of a person who signed in.
type Call struct {
	User  syncproto.UserID
	Param string     // the id in the path; empty if it has none
	Query url.Values // of the address
	Form  url.Values // that was sent; nil for a page
	// FormToken goes into each form, and must come back with it.
	FormToken string
	// Request goes into each form that is carried out once, under RequestName.
	Request string
	// Fresh: the person proved who they are a moment ago.
	Fresh bool
}

// RequestName is the field of a form that holds the name of its request.
const RequestName = "request"

// Answer is a page, or where to go next. With an error beside it, it is how the error is
// shown; without, the error's own words are.
type Answer struct {
	Body  []byte               // nil if To is set
	Media string               // of Body, where it is no HTML
	To    string               // address to go to (303)
	Shown []syncproto.RecordID // whose words are on the page, for the audit log
}

// worker is the caller as finalise knows people.
func (c *Call) worker() finalise.Caller { return finalise.Caller{User: c.User} }

// record reads the record in the path. What is no id names nothing.
func (c *Call) record() (syncproto.RecordID, error) {
	id, err := syncproto.ParseID(c.Param)
	if err != nil {
		return syncproto.RecordID{}, syncproto.CodeNotFound
	}
	return syncproto.RecordID(id), nil
}

// Routes is every page of the desk but those of signing in.
func (p *Pages) Routes() []Route {
	const get, post = "GET", "POST"
	return append([]Route{
		{Method: get, Path: Root, ID: "deskQueue", Handle: p.home},
		{Method: get, Path: Root + "live.js", ID: "deskLive", Handle: p.live},
		{Method: get, Path: Root + "version", ID: "deskQueueVersion", Handle: p.queueVersion},
		{Method: get, Path: Root + "records/:id/version", ID: "deskRecordVersion", Handle: p.recordVersion},
		{Method: get, Path: Root + "late", ID: "deskLate", Handle: p.late},
		{Method: get, Path: Root + "chasing", ID: "deskChasing", Handle: p.chasing},
		{Method: get, Path: Root + "search", ID: "deskSearch", Handle: p.search},
		{Method: post, Path: Root + "search", ID: "deskSearchSend", Handle: p.search},
		{Method: get, Path: Root + "families", ID: "deskFamilies", Handle: p.families},
		{Method: get, Path: Root + "families/:id", ID: "deskFamily", Handle: p.family},
		{Method: get, Path: Root + "families/:id/type-up", ID: "deskTypeUp", Handle: p.typeUp},
		{Method: post, Path: Root + "families/:id/type-up", ID: "deskTypeUpSend", Once: true, Handle: p.sendTypeUp},
		{Method: get, Path: Root + "families/:id/lift", ID: "deskLift", Handle: p.lift},
		{Method: post, Path: Root + "families/:id/lift", ID: "deskLiftSend", Once: true, Handle: p.sendLift},
		{Method: get, Path: Root + "families/:id/restrict", ID: "deskRestrict", Handle: p.restrict},
		{Method: post, Path: Root + "families/:id/restrict", ID: "deskRestrictSend", Once: true, Handle: p.sendRestrict},
		{Method: get, Path: oversightRoot, ID: "deskOversight", Handle: p.oversight},
		{Method: post, Path: Root + "openings/:id/review", ID: "deskReviewOpening", Handle: p.reviewOpening},
		{Method: get, Path: Root + "emergency", ID: "deskEmergency", Handle: p.emergency},
		{Method: post, Path: Root + "emergency", ID: "deskOpenFile", Fresh: true, Handle: p.openFile},
		{Method: get, Path: Root + "time", ID: "deskTime", Handle: p.timeGiven},
		{Method: get, Path: Root + "time.csv", ID: "deskTimeCSV", Handle: p.timeCSV},
		{Method: get, Path: Root + "imports", ID: "deskImports", Handle: p.imports},
		{Method: get, Path: Root + "delivery", ID: "deskDelivery", Handle: p.delivery},
		{Method: get, Path: Root + "custody", ID: "deskCustody", Handle: p.custody},
		{Method: get, Path: Root + "custody/:id", ID: "deskCustodyWords", Handle: p.custodyWords},
		{Method: post, Path: Root + "custody/:id/admit", ID: "deskAdmit", Handle: p.admit},
		{Method: post, Path: Root + "custody/:id/addendum", ID: "deskAdmitAddendum", Handle: p.admitAddendum},
		{Method: post, Path: Root + "custody/:id/keep", ID: "deskKeepAway", Handle: p.keepAway},
		{Method: get, Path: Root + "records/:id/history", ID: "deskHistory", Handle: p.history},
		{Method: get, Path: Root + "records/:id/original", ID: "deskOriginal", Handle: p.original},
		{Method: get, Path: Root + "records/:id", ID: "deskRecord", Handle: p.record},
		{Method: post, Path: Root + "records/:id/lease", ID: "deskLease", Handle: p.lease},
		{Method: post, Path: Root + "records/:id/release", ID: "deskRelease", Handle: p.release},
	}, append(p.siteRoutes(), p.actRoutes()...)...)
}

// to is the address of a record's page.
func to(record syncproto.RecordID) string { return Root + "records/" + record.String() }
