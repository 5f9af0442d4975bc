package pages

import (
	"cmp"
	"net/url"
	"slices"

	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
)

// narrowed is what somebody wants to see of the queue. The zero of each field is all.
type narrowed struct {
	pages *Pages
	user  syncproto.UserID
	state finalise.State
	team  string // its id
	over  bool   // only what is past the day by which it was to be on file
	since int64  // what happened before is past it
}

// address is the queue's, narrowed so.
func (n narrowed) address() string {
	q := url.Values{}
	if n.state != "" {
		q.Set("state", string(n.state))
	}
	if n.team != "" {
		q.Set("team", n.team)
	}
	if n.over {
		q.Set("clock", "over")
	}
	if len(q) == 0 {
		return Root
	}
	return Root + "?" + q.Encode()
}

func (n narrowed) wants(i *finalise.Item) bool {
	return (n.state == "" || i.State == n.state) && (n.team == "" || i.Team.String() == n.team) && (!n.over || i.HappenedMS != 0 && i.HappenedMS < n.since)
}

func (n narrowed) keep(list []finalise.Item) []finalise.Item {
	if n.state == "" && n.team == "" && !n.over {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(i finalise.Item) bool { return !n.wants(&i) })
}

func (n narrowed) count(list []finalise.Item) int {
	c := 0
	for i := range list {
		if n.wants(&list[i]) {
			c++
		}
	}
	return c
}

// filter is a link to the queue narrowed as to says, with how much is in it.
func (n narrowed) filter(list []finalise.Item, text string, to narrowed) filter {
	return filter{Text: text, Href: to.address(), Count: to.count(list), Current: to == n}
}

func (n narrowed) states(list []finalise.Item) []filter {
	to := n
	to.state = ""
	out := []filter{n.filter(list, "All", to)}
	for _, s := range stateTags {
		if s.state != finalise.StateFinal {
			to.state = s.state
			out = append(out, n.filter(list, s.tag.Text, to))
		}
	}
	return out
}

// others are the teams of the queue, where there are several, and its clock.
func (n narrowed) others(list []finalise.Item) []narrowing {
	var out []narrowing
	to := n
	if teams := n.pages.teamsOf(n.user, list); len(teams) > 1 {
		to.team = ""
		one := narrowing{Label: "Team", Filters: []filter{n.filter(list, "All teams", to)}}
		for _, t := range teams {
			to.team = t.id
			one.Filters = append(one.Filters, n.filter(list, t.name, to))
		}
		out = append(out, one)
	}
	all, over := n, n
	all.over, over.over = false, true
	if n.over || over.count(list) > 0 {
		out = append(out, narrowing{Label: "Clock", Filters: []filter{n.filter(list, "Any time", all), n.filter(list, "Past its time", over)}})
	}
	return out
}

type namedTeam struct{ id, name string }

// teamsOf are the teams of the records in a queue, by name.
func (p *Pages) teamsOf(user syncproto.UserID, list []finalise.Item) []namedTeam {
	seen := map[syncproto.ID]syncproto.FamilyID{}
	for i := range list {
		if _, known := seen[list[i].Team]; !known && !list[i].Team.IsZero() {
			seen[list[i].Team] = list[i].Family
		}
	}
	var out []namedTeam
	for team, family := range seen {
		out = append(out, namedTeam{id: team.String(), name: orElse(p.cfg.Records.TeamName(user, family), "A team")})
	}
	slices.SortFunc(out, func(a, b namedTeam) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.id, b.id)) })
	return out
}
