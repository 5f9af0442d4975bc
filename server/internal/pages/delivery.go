package pages

import (
	"context"
	"strconv"

	"doorstep/server/internal/delivery"
	"doorstep/syncproto"
)

// Delivery takes final records to the borough's case-management system: a
// *delivery.Service.
type Delivery interface {
	Waiting(syncproto.UserID) []delivery.Owed
	Arrived(user syncproto.UserID, most int) ([]delivery.Arrival, error)
	Depth() delivery.Depth
}

// recentArrivals is how many records that arrived are shown.
const recentArrivals = 50

// deliveryPage is what the case-management system has not got, and what it got last.
type deliveryPage struct {
	None    bool   // no delivery is set up
	Trouble string // nothing can be delivered now
	Slow    bool   // not everything was looked at yet
	Waiting []parcelRow
	Arrived []parcelRow
}

type parcelRow struct {
	Title, Href, Family string
	What                string
	State               tag
	When                string
	Reference           string
}

func (p *Pages) delivery(_ context.Context, c *Call) (Answer, error) {
	in := deliveryPage{None: p.cfg.Delivery == nil}
	if !in.None {
		if err := p.deliveries(c, &in); err != nil {
			return Answer{}, err
		}
	}
	body, err := p.show(c, "delivery.html", shell{Title: "Case-management system", Here: oversightRoot, Content: in})
	return Answer{Body: body}, err
}

func (p *Pages) deliveries(c *Call, in *deliveryPage) error {
	say, depth := p.speaker(c), p.cfg.Delivery.Depth()
	in.Slow = !depth.Complete
	if depth.Failing {
		in.Trouble = depth.Trouble
	}
	for _, o := range p.cfg.Delivery.Waiting(c.User) {
		row := say.parcel(o.Record, o.Family, o.Kind, o.Version)
		row.What, row.State, row.When = madeBy(o.Change)+row.What, parcelState(o), say.Moment(o.SinceMS)
		in.Waiting = append(in.Waiting, row)
	}
	arrived, err := p.cfg.Delivery.Arrived(c.User, recentArrivals)
	for _, a := range arrived {
		row := say.parcel(a.Record, a.Family, a.Kind, a.Version)
		row.When, row.Reference = say.Moment(a.AtMS), a.Reference
		in.Arrived = append(in.Arrived, row)
	}
	return err
}

func (s *speaker) parcel(record syncproto.RecordID, family syncproto.FamilyID, kind string, version int) parcelRow {
	out := parcelRow{Title: s.title(record), Href: to(record), Family: s.pages.cfg.Records.FamilyName(s.user, family)}
	if out.Title == "" {
		out.Title = s.pages.cfg.Records.Names().Kind(kind)
	}
	if version > 1 {
		out.What = "version " + strconv.Itoa(version)
	}
	return out
}

// madeBy says what made a version; of the first it says nothing.
func madeBy(change string) string {
	switch change {
	case delivery.ChangeAddendum:
		return "An addendum, "
	case delivery.ChangeCorrection:
		return "A correction, "
	case delivery.ChangeLateEntry:
		return "A late entry that was taken on, "
	case delivery.ChangeRectification:
		return "A challenge, "
	}
	return ""
}

func parcelState(o delivery.Owed) tag {
	switch {
	case o.Held:
		return tag{"Stays here: restricted file", "purple"}
	case o.Refused != 0:
		return tag{"Refused (" + strconv.Itoa(o.Refused) + ")", "red"}
	case o.Ready:
		return tag{"Ready, not fetched yet", "yellow"}
	}
	return tag{"Waiting", "blue"}
}
