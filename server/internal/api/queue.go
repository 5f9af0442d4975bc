package api

import (
	"slices"

	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
)

// QueueList is what waits for a coordinator.
type QueueList struct {
	Records []QueueJSON       `json:"records" doc:"The one handed over first first; at most 200 at once."`
	Next    string            `json:"next,omitempty" doc:"The last record of this page, after which the next one begins; left out: there is no more."`
	Waiting int64             `json:"waiting" doc:"How many there are in all."`
	People  map[string]string `json:"people" doc:"Names of the people in it, by id."`
}

// QueueJSON is one record that waits, with the parts that are sealed with it.
type QueueJSON struct {
	Record       string          `json:"record" doc:"Its id."`
	Family       string          `json:"family" doc:"The family it belongs to."`
	Kind         string          `json:"kind" doc:"Its kind, e.g. visit."`
	State        string          `json:"state" doc:"handed_over, in_preparation, conflict, query, confirmed or final."`
	HandedOverBy string          `json:"handed_over_by,omitempty" doc:"Who handed it over."`
	HandedOverMS int64           `json:"handed_over_ms" doc:"When, by the device's clock, Unix milliseconds."`
	HandedOverTo string          `json:"handed_over_to,omitempty" doc:"To whom; left out: to the team."`
	Conflicts    int64           `json:"conflicts" doc:"Open conflicts, its parts' among them."`
	OpenQueries  int64           `json:"open_queries" doc:"Open queries, its parts' among them."`
	Confirmed    bool            `json:"confirmed" doc:"Every confirmation that is needed stands."`
	LeasedTo     string          `json:"leased_to,omitempty" doc:"Who prepares it now."`
	LeasedUntil  int64           `json:"leased_until_ms,omitempty" doc:"Until when, Unix milliseconds."`
	Late         int64           `json:"late" doc:"Changes that came after the seal and wait as proposals."`
	Blocks       []ProblemDetail `json:"blocks" doc:"What keeps it from being finalised."`
}

// Checklist is what keeps a record from being finalised.
type Checklist struct {
	Blocks []ProblemDetail `json:"blocks" doc:"Every open reason; empty: it can be finalised."`
}

// maxQueueList bounds one page: of each record on it everything is looked up that keeps
// it from being final.
const maxQueueList = 200

func (a *API) queue(c *call, _ *none) (*QueueList, error) {
	list, err := a.cfg.Workflow.Queue(c.ctx, c.worker())
	return a.queuePage(c, list, err)
}

func (a *API) late(c *call, _ *none) (*QueueList, error) {
	list, err := a.cfg.Workflow.Final(c.ctx, c.worker())
	return a.queuePage(c, list, err)
}

// queuePage is the page of a list that begins behind the record in the path; what is not
// in the list any more has nothing behind it: the list is then begun again.
func (a *API) queuePage(c *call, list []finalise.Item, err error) (*QueueList, error) {
	if err != nil {
		return nil, err
	}
	all, begin := len(list), 0
	if c.param != "" {
		id, err := c.id()
		if err != nil {
			return nil, err
		}
		begin = slices.IndexFunc(list, func(i finalise.Item) bool { return i.Record == syncproto.RecordID(id) }) + 1
		if begin == 0 {
			return nil, syncproto.CodeNotFound
		}
	}
	page := list[begin:min(begin+maxQueueList, all)]
	if err := a.cfg.Workflow.Explain(c.ctx, c.worker(), page); err != nil {
		return nil, err
	}
	out := a.queueList(page)
	out.Waiting = int64(all)
	if begin+len(page) < all {
		out.Next = out.Records[len(page)-1].Record
	}
	return out, nil
}

func (a *API) checklist(c *call, _ *none) (*Checklist, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	list, err := a.cfg.Workflow.Checklist(c.ctx, c.worker(), syncproto.RecordID(id))
	if err != nil {
		return nil, err
	}
	return &Checklist{Blocks: detailsOf(list)}, nil
}

func (a *API) queueList(list []finalise.Item) *QueueList {
	p := a.newPeople()
	out := &QueueList{Records: make([]QueueJSON, 0, len(list)), People: p.names}
	for _, q := range list {
		j := QueueJSON{Record: q.Record.String(), Family: q.Family.String(), Kind: q.Kind, State: string(q.State),
			HandedOverBy: p.id(q.HandedOverBy), HandedOverMS: q.HandedOverMS, HandedOverTo: p.id(q.HandedOverTo),
			Conflicts: int64(q.Conflicts), OpenQueries: int64(q.OpenQueries), Confirmed: q.Confirmed,
			LeasedTo: p.id(q.LeasedTo), Late: int64(q.Late), Blocks: detailsOf(q.Blocks)}
		if !q.LeasedUntil.IsZero() {
			j.LeasedUntil = q.LeasedUntil.UnixMilli()
		}
		out.Records = append(out.Records, j)
	}
	return out
}
