package api

import (
	"slices"

	"doorstep/server/internal/reading"
	"doorstep/syncproto"
)

// CustodyList lists what waits for a reviewer or is kept away.
type CustodyList struct {
	Changes []CustodyJSON     `json:"changes" doc:"What waits, the oldest first, and then what a reviewer keeps away; at most 1000 at once."`
	Next    string            `json:"next,omitempty" doc:"The last change of this page, after which the next one begins; left out: there is no more."`
	Waiting int64             `json:"waiting" doc:"How many changes wait for a reviewer."`
	Kept    int64             `json:"kept" doc:"How many a reviewer keeps away."`
	Bytes   int64             `json:"bytes" doc:"What all of them take."`
	People  map[string]string `json:"people" doc:"Names of the people in it, by id."`
}

// CustodyJSON is one change in custody, without its words.
type CustodyJSON struct {
	Change     string `json:"change" doc:"Its id."`
	Family     string `json:"family" doc:"The family it speaks of."`
	Record     string `json:"record" doc:"The record it speaks of."`
	Kind       string `json:"kind" doc:"The record's kind."`
	Author     string `json:"author" doc:"Who wrote it."`
	Device     string `json:"device" doc:"On which device."`
	Code       int64  `json:"code" doc:"Number of the reason why it is here; kept_away: a reviewer keeps it locked away."`
	Name       string `json:"name" doc:"Short name of the reason."`
	Plain      string `json:"plain" doc:"The reason in plain words, as its author reads it."`
	ReceivedMS int64  `json:"received_ms" doc:"When the server received it, Unix milliseconds."`
	Bytes      int64  `json:"bytes" doc:"How large it is, as it is stored."`
	MayReview  bool   `json:"may_review" doc:"The caller may read its words and decide."`
	ReviewedBy string `json:"reviewed_by,omitempty" doc:"Who keeps it away."`
	ReviewedMS int64  `json:"reviewed_ms,omitempty" doc:"Since when, Unix milliseconds."`
}

// CustodyWords is one change in custody with its words.
type CustodyWords struct {
	CustodyJSON
	Erased bool              `json:"erased" doc:"The words are gone with their record."`
	Ops    []OpJSON          `json:"ops" doc:"The words."`
	Reason string            `json:"reason,omitempty" doc:"Why a reviewer keeps it away."`
	People map[string]string `json:"people" doc:"Names of the people in it, by id."`
}

// KeepAwayRequest keeps a change in custody locked away.
type KeepAwayRequest struct {
	Reason string `json:"reason" validate:"required,maxbytes=4096" doc:"Why. Those who may review the change read it; its author is told that there is one."`
}

// maxCustodyList bounds one page.
const maxCustodyList = 1000

func (a *API) custody(c *call, _ *none) (*CustodyList, error) {
	return a.custodyPage(c, func([]reading.InCustody) int { return 0 })
}

// custodyAfter is the list from behind a change on. What was decided since is not in the
// list, and nothing is behind it: the list is then begun again.
func (a *API) custodyAfter(c *call, _ *none) (*CustodyList, error) {
	id, err := c.changeID()
	if err != nil {
		return nil, err
	}
	return a.custodyPage(c, func(list []reading.InCustody) int {
		return slices.IndexFunc(list, func(q reading.InCustody) bool { return q.Change == id }) + 1
	})
}

// custodyPage lists a page that begins where from says, counted from 0 in all there
// is; the sums are of all.
func (a *API) custodyPage(c *call, from func([]reading.InCustody) int) (*CustodyList, error) {
	list, err := a.cfg.Records.Custody(c.ctx, c.caller.User)
	if err != nil {
		return nil, err
	}
	begin := from(list)
	if begin == 0 && c.param != "" {
		return nil, syncproto.CodeNotFound
	}
	page := list[begin:min(begin+maxCustodyList, len(list))]
	p := a.newPeople()
	out := &CustodyList{Changes: make([]CustodyJSON, 0, len(page)), People: p.names}
	for _, q := range list {
		out.Bytes += int64(q.Bytes)
		if q.Code == syncproto.CodeKeptAway {
			out.Kept++
		} else {
			out.Waiting++
		}
	}
	for i := range page {
		out.Changes = append(out.Changes, p.inCustody(&page[i]))
	}
	if n := len(page); n > 0 && begin+n < len(list) {
		out.Next = page[n-1].Change.String()
	}
	return out, nil
}

func (a *API) custodyWords(c *call, _ *none) (*CustodyWords, error) {
	id, err := c.changeID()
	if err != nil {
		return nil, err
	}
	w, err := a.cfg.Records.CustodyWords(c.ctx, c.caller.User, id)
	if err != nil {
		return nil, err
	}
	c.record = w.Record
	p := a.newPeople()
	return &CustodyWords{CustodyJSON: p.inCustody(&w.InCustody), Erased: w.Ops == nil, Ops: opsJSON(w.Ops), Reason: w.Reason, People: p.names}, nil
}

func (p *people) inCustody(q *reading.InCustody) CustodyJSON {
	out := CustodyJSON{
		Change: q.Change.String(), Family: q.Family.String(), Record: q.Record.String(), Kind: q.Kind, Author: p.id(q.Author),
		Device: q.Device.String(), Code: int64(q.Code), Name: q.Code.Error(), Plain: q.Code.Plain(), ReceivedMS: q.ReceivedMS,
		Bytes: int64(q.Bytes), MayReview: q.MayReview, ReviewedMS: q.ReviewedMS,
	}
	if !q.ReviewedBy.IsZero() {
		out.ReviewedBy = p.id(q.ReviewedBy)
	}
	return out
}

func (a *API) admit(c *call, _ *none) (*none, error) {
	id, err := c.changeID()
	if err != nil {
		return nil, err
	}
	return nil, a.cfg.Exchange.Admit(c.ctx, c.device(), id)
}

func (a *API) admitAddendum(c *call, _ *none) (*none, error) {
	id, err := c.changeID()
	if err != nil {
		return nil, err
	}
	return nil, a.cfg.Exchange.AdmitAddendum(c.ctx, c.device(), id)
}

func (a *API) keepAway(c *call, in *KeepAwayRequest) (*none, error) {
	id, err := c.changeID()
	if err != nil {
		return nil, err
	}
	return nil, a.cfg.Exchange.KeepAway(c.ctx, c.device(), id, in.Reason)
}

// changeID reads the change in the path. What is no id names nothing.
func (c *call) changeID() (syncproto.ChangeID, error) {
	id, err := syncproto.ParseChangeID(c.param)
	if err != nil {
		return id, syncproto.CodeNotFound
	}
	return id, nil
}
