package pages

import (
	"context"
	"fmt"
	"time"

	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
	"doorstep/syncproto/clocks"
)

// pageLength is how many records one page of the queue shows: as many as a person looks
// through before they narrow the list.
const pageLength = 50

// stateTags are the states of the queue in the order in which a coordinator deals with
// them, and how they are shown.
var stateTags = [...]struct {
	state finalise.State
	tag   tag
}{
	{finalise.StateConfirmed, tag{"Ready to finalise", "green"}},
	{finalise.StateHandedOver, tag{"Handed over", "blue"}},
	{finalise.StateInPreparation, tag{"In preparation", "purple"}},
	{finalise.StateQuery, tag{"Question to the author", "yellow"}},
	{finalise.StateConflict, tag{"People differ", "orange"}},
	{finalise.StateFinal, tag{"Final", "grey"}},
}

func stateTag(state finalise.State) tag {
	for _, s := range stateTags {
		if s.state == state {
			return s.tag
		}
	}
	return tag{Text: string(state)}
}

// queuePage is the queue, narrowed to a state, a team, or what is past its time.
type queuePage struct {
	Filters []filter
	Narrow  []narrowing
	Rows    []queueRow
	Empty   string
	Caption string
	Older   string // address of the next page; empty: there is none
	Newer   string
	Late    bool
}

// narrowing is one more way to narrow the queue.
type narrowing struct {
	Label   string
	Filters []filter
}

type filter struct {
	Text, Href string
	Count      int
	Current    bool
}

type queueRow struct {
	Href, Title, Family string
	State               tag
	From                string // who handed it over
	Since               string // when
	Days                int    // how long it waits
	By                  string // the day by which it was to be on file
	Over                *tag   // that day is past
	To                  string // the coordinator it was handed to
	Lease               string // who has it, until when
	Waits               string // what it waits for
}

func (p *Pages) queue(ctx context.Context, c *Call) (Answer, error) {
	list, err := p.cfg.Workflow.Queue(ctx, c.worker())
	if err != nil {
		return Answer{}, err
	}
	in := queuePage{Caption: "Records on their way to final, the one that waits longest first", Empty: "Nothing waits here."}
	n := narrowed{pages: p, user: c.User, state: finalise.State(c.Query.Get("state")), team: c.Query.Get("team"), over: c.Query.Get("clock") == "over",
		since: p.cfg.Records.OnFileSince()}
	in.Filters, in.Narrow = n.states(list), n.others(list)
	return p.list(ctx, c, n.keep(list), in, shell{Title: "Queue", Here: Root, Live: &liveness{At: Root + "version", Version: versionOfQueue(list)}})
}

func (p *Pages) late(ctx context.Context, c *Call) (Answer, error) {
	list, err := p.cfg.Workflow.Final(ctx, c.worker())
	if err != nil {
		return Answer{}, err
	}
	in := queuePage{Caption: "Final records to which words came late", Empty: "No final record has late entries that nobody has read.", Late: true}
	return p.list(ctx, c, list, in, shell{Title: "Late entries", Here: Root + "late"})
}

// list shows one page of records.
func (p *Pages) list(ctx context.Context, c *Call, list []finalise.Item, in queuePage, s shell) (Answer, error) {
	var shown []finalise.Item
	shown, in.Newer, in.Older = onPage(c, list)
	if err := p.cfg.Workflow.Explain(ctx, c.worker(), shown); err != nil {
		return Answer{}, err
	}
	say := p.speaker(c)
	for i := range shown {
		in.Rows = append(in.Rows, say.queueRow(&shown[i]))
	}
	s.Content = in
	body, err := p.show(c, "queue.html", s)
	return Answer{Body: body}, err
}

// onPage cuts the page out of a list that the address asks for.
func onPage[T any](c *Call, list []T) (page []T, newer, older string) {
	var n int
	if _, err := fmt.Sscanf(c.Query.Get("page"), "%d", &n); err != nil || n < 1 || (n-1)*pageLength >= len(list) {
		n = 1
	}
	address := func(n int) string {
		q := c.Query
		q.Del("done")
		q.Set("page", fmt.Sprint(n))
		return "?" + q.Encode()
	}
	from, end := (n-1)*pageLength, min(n*pageLength, len(list))
	if n > 1 {
		newer = address(n - 1)
	}
	if end < len(list) {
		older = address(n + 1)
	}
	return list[from:end], newer, older
}

func (s *speaker) queueRow(i *finalise.Item) queueRow {
	row := queueRow{Href: to(i.Record), Title: s.title(i.Record), Family: s.family(i.Family), State: stateTag(i.State),
		From: s.person(i.HandedOverBy), To: s.person(i.HandedOverTo), Waits: waitsFor(i)}
	if i.HandedOverMS != 0 {
		row.Since = s.Moment(i.HandedOverMS)
		row.Days = int(s.pages.cfg.Now().Sub(time.UnixMilli(i.HandedOverMS)) / (24 * time.Hour))
	}
	if i.HappenedMS != 0 && i.State != finalise.StateFinal {
		by, over := s.pages.cfg.Records.OnFileBy(i.HappenedMS)
		if by != clocks.NoDay {
			row.By = by.String()
		}
		if over {
			row.Over = &tag{"Past its time", "red"}
		}
	}
	if !i.LeasedTo.IsZero() {
		row.Lease = s.lease(i)
	}
	return row
}

func (s *speaker) lease(i *finalise.Item) string {
	who := s.person(i.LeasedTo)
	if i.LeasedTo == s.user {
		who = "You"
	}
	return who + ", until " + i.LeasedUntil.In(s.pages.cfg.Zone).Format("15:04")
}

// waitsFor counts what keeps a record from being final.
func waitsFor(i *finalise.Item) string {
	if i.State == finalise.StateFinal {
		return some(i.Late, "late entry", "late entries")
	}
	missing := 0
	for _, b := range i.Blocks {
		if b.Code == syncproto.CodeMissingField {
			missing++
		}
	}
	var out string
	add := func(n int, one, more string) {
		if n > 0 && out != "" {
			out += ", "
		}
		if n > 0 {
			out += some(n, one, more)
		}
	}
	add(i.Conflicts, "disagreement", "disagreements")
	add(i.OpenQueries, "open question", "open questions")
	add(missing, "thing not filled in", "things not filled in")
	if !i.Confirmed {
		add(1, "confirmation", "")
	}
	if out == "" && len(i.Blocks) > 0 {
		return some(len(i.Blocks), "reason", "reasons")
	}
	return out
}

// some writes a number of things.
func some(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
