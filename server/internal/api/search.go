package api

// SearchRequest says which words are looked for. It is a body and no address, because
// addresses end up in the logs of proxies.
type SearchRequest struct {
	Words string `json:"words" validate:"required,maxbytes=1024" doc:"Words, or their beginnings, with or without accents; a record must hold all of them, or its family's names do. At most 8 count, and no single letters."`
}

// SearchList is what a search found in what the caller may read.
type SearchList struct {
	Hits []HitJSON `json:"hits" doc:"Families and people first, then the newest; at most 1000."`
	All  int64     `json:"all" doc:"How many there are in all."`
}

// HitJSON is one record that was found.
type HitJSON struct {
	Record string `json:"record" doc:"Its id."`
	Family string `json:"family" doc:"The family it belongs to."`
	Kind   string `json:"kind" doc:"Its kind, e.g. visit."`
}

func (a *API) search(c *call, in *SearchRequest) (*SearchList, error) {
	hits, all, err := a.cfg.Records.Search(c.ctx, c.caller.User, in.Words)
	if err != nil {
		return nil, err
	}
	out := &SearchList{Hits: make([]HitJSON, 0, len(hits)), All: int64(all)}
	for _, h := range hits {
		out.Hits = append(out.Hits, HitJSON{Record: h.Record.String(), Family: h.Family.String(), Kind: h.Kind})
	}
	return out, nil
}
