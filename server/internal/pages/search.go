package pages

import (
	"context"
	"strconv"

	"doorstep/server/internal/reading"
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// hitsLength is how many hits one page of a search shows.
const hitsLength = 20

// searchPage asks for words and shows what was found. Words are sent as a form and are in
// no address: addresses end up in the logs of proxies and in the history of browsers.
type searchPage struct {
	Token        string
	Query        control
	Words        string
	Asked        bool
	Count        string
	Rows         []hitRow
	Newer, Older int // numbers of the pages before and after; 0: there is none
}

type hitRow struct {
	Title, Href, Family, Kind string
	Excerpt                   []reading.Piece
}

func (p *Pages) search(ctx context.Context, c *Call) (Answer, error) {
	text := c.Form.Get("words")
	in := searchPage{Token: c.FormToken, Words: text, Asked: c.Form != nil, Query: control{Kind: "input", ID: "words", Name: "words", Type: "search", Value: text,
		Label: "Words to look for", Hint: "The beginning of a word is enough. With several words, all of them are looked for. Only records that you may read are searched, and the log of reads says that you searched."}}
	hits, all, err := p.cfg.Records.Search(ctx, c.User, text)
	if err != nil {
		return Answer{}, err
	}
	var shown []syncproto.RecordID
	say := p.speaker(c)
	for _, h := range in.page(hits, c.Form.Get("page")) {
		if row, ok := say.hitRow(&h, text); ok {
			in.Rows, shown = append(in.Rows, row), append(shown, h.Record)
		}
	}
	switch in.Count = some(all, "record", "records"); {
	case all == 0:
		in.Count = "Nothing that you may read has these words."
	case all > len(hits):
		in.Count += ", of which these are the newest " + strconv.Itoa(len(hits)) + ". Another word finds fewer"
	}
	body, err := p.show(c, "search.html", shell{Title: "Search", Here: Root + "search", Content: in})
	return Answer{Body: body, Shown: shown}, err
}

// page cuts out the hits of a page by its number.
func (in *searchPage) page(hits []reading.Hit, number string) []reading.Hit {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || (n-1)*hitsLength >= len(hits) {
		n = 1
	}
	in.Newer = n - 1
	if n*hitsLength < len(hits) {
		in.Older = n + 1
	}
	return hits[min((n-1)*hitsLength, len(hits)):min(n*hitsLength, len(hits))]
}

// hitRow is false for what the person may not read any more.
func (s *speaker) hitRow(h *reading.Hit, text string) (hitRow, bool) {
	row := hitRow{Title: s.title(h.Record), Href: to(h.Record), Family: s.family(h.Family), Excerpt: s.pages.cfg.Records.Excerpt(s.user, h.Record, text)}
	if _, ok := schema.Newest(h.Kind); ok {
		row.Kind = s.pages.cfg.Records.Names().Kind(h.Kind)
	}
	if row.Title == row.Family {
		row.Family = ""
	}
	return row, row.Title != ""
}
