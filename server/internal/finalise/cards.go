package finalise

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"doorstep/server/internal/access"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// card is a record in somebody's queue as it stands, whoever looks. It holds nothing of
// what the record says.
type card struct {
	item  Item // without what each look finds out: the lease, and what keeps it from being final
	parts []credits
}

// credits are what people have to do with the words of one record of a card's group.
type credits struct {
	kind string
	by   []authorship
}

type authorship struct {
	user syncproto.UserID
	is   access.Authorship
}

// hand is what one family has in the queue, up to its news.
type hand struct {
	news    uint64
	waiting []*card // handed over, and not final
	late    []*card // final, with proposals that nobody has taken on
	idle    map[syncproto.RecordID][]stamp
}

// stamp is the last news of a record. As long as all stamps of a record that is in no
// queue hold, it need not be looked at again.
type stamp struct {
	record syncproto.RecordID
	last   uint64
}

// table remembers every family's hand. It is in memory alone: what it holds follows from
// the records, and is found out again after a start.
type table struct {
	mu    sync.Mutex // guards hands
	hands map[syncproto.FamilyID]*hand
}

// Look brings what is remembered of a family's queue up to its news. Queue does so too,
// for the families that it is about: whoever looks before spares them the wait.
func (s *Service) Look(family syncproto.FamilyID) error {
	_, err := s.hand(family)
	return err
}

// hand is what a family has in the queue now.
func (s *Service) hand(family syncproto.FamilyID) (*hand, error) {
	news := s.cfg.Store.State().News(family) // first: what is read after it is not older
	s.table.mu.Lock()
	known := s.table.hands[family]
	s.table.mu.Unlock()
	if known != nil && known.news == news {
		return known, nil
	}
	h := &hand{news: news, idle: map[syncproto.RecordID][]stamp{}}
	if known == nil {
		known = &hand{}
	}
	if err := s.deal(h, family, known.idle); err != nil {
		return nil, fmt.Errorf("looking through a family's queue: %w", err)
	}
	s.table.mu.Lock()
	defer s.table.mu.Unlock()
	if now := s.table.hands[family]; now == nil || now.news <= news {
		s.table.hands[family] = h
	}
	return h, nil
}

// deal looks at a family's records that can be sealed, but for those that were idle and
// still are.
func (s *Service) deal(h *hand, family syncproto.FamilyID, idle map[syncproto.RecordID][]stamp) error {
	for _, kind := range wholeKinds() {
		records, err := s.cfg.Store.RecordsOf(family, kind.ID)
		if err != nil {
			return err
		}
		for _, record := range records {
			if stamps := idle[record]; stamps != nil && s.hold(stamps) {
				h.idle[record] = stamps
				continue
			}
			if err := s.place(h, record); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) hold(stamps []stamp) bool {
	return !slices.ContainsFunc(stamps, func(x stamp) bool {
		info, err := s.cfg.Store.RecordInfo(x.record)
		return err != nil || info.Last != x.last
	})
}

// place puts a record where it belongs.
func (s *Service) place(h *hand, record syncproto.RecordID) error {
	stamps, v, err := s.glance(record)
	if errors.Is(err, store.ErrNotFound) { // erased, or nobody has got to see it yet
		return nil
	}
	if err != nil {
		return err
	}
	waits := v.Seal == nil && v.Workflow.HandedOver != nil
	late := false
	if v.Seal != nil {
		if stamps, late, err = s.proposed(v.Seal.Group); err != nil {
			return err
		}
	}
	if !waits && !late {
		h.idle[record] = stamps
		return nil
	}
	c, err := s.card(record)
	switch {
	case err != nil:
		return err
	case waits:
		h.waiting = append(h.waiting, c)
	default:
		h.late = append(h.late, c)
	}
	return nil
}

// glance is a record's view, and the news that it is not older than.
func (s *Service) glance(record syncproto.RecordID) ([]stamp, *syncproto.View, error) {
	info, err := s.cfg.Store.RecordInfo(record)
	if err != nil {
		return nil, nil, err
	}
	v, err := s.cfg.Store.View(record)
	return []stamp{{record, info.Last}}, v, err
}

// proposed looks at every record of a seal, in views that are kept.
func (s *Service) proposed(group []syncproto.RecordHeads) (stamps []stamp, late bool, err error) {
	for _, h := range group {
		one, v, err := s.glance(h.Record)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		stamps = append(stamps, one...)
		late = late || proposals(v) > 0
	}
	return stamps, late, nil
}

// proposals counts late changes that no addendum accepts.
func proposals(v *syncproto.View) int {
	accepted := map[string]bool{}
	for _, a := range v.Addenda {
		if !a.Late {
			accepted[a.Reason] = true
		}
	}
	n := 0
	for _, a := range v.Addenda {
		if a.Late && !accepted[AcceptReason(a.By.Change)] {
			n++
		}
	}
	return n
}

// card describes a record for whoever may have it in their queue.
func (s *Service) card(record syncproto.RecordID) (*card, error) {
	known := foreseen{members: s.members(record)}
	var out *card
	err := s.cfg.Store.Read(func(r *store.Reader) error {
		g, err := loadGroup(r, record, known)
		if err != nil {
			return err
		}
		g.state, g.atMS = s.cfg.Store.State(), s.cfg.Now().UnixMilli()
		out = &card{item: g.item()}
		for _, p := range g.parts {
			out.parts = append(out.parts, g.credits(p))
		}
		return nil
	})
	return out, err
}

// credits says who wrote in a record.
func (g *group) credits(p *part) credits {
	w := credits{kind: p.info.Kind}
	changes := p.graph.Changes()
	for _, c := range changes {
		user := c.Body.Author
		if !slices.ContainsFunc(w.by, func(a authorship) bool { return a.user == user }) {
			w.by = append(w.by, authorship{user, access.AuthorshipOf(changes, user)})
		}
	}
	for _, user := range g.answerable(p) {
		i := slices.IndexFunc(w.by, func(a authorship) bool { return a.user == user })
		if i < 0 {
			w.by = append(w.by, authorship{user, access.AuthorWrote})
		} else if w.by[i].is == access.AuthorNot {
			w.by[i].is = access.AuthorWrote
		}
	}
	return w
}

// queued reports whether somebody has a card in their queue: they may read the record,
// and for a worker it is enough to have written in one of its parts.
func (c *card) queued(a access.Asker, user syncproto.UserID) bool {
	a.Authorship = access.AuthorNot
	if !a.MayRead(c.item.Kind).Allow {
		return false
	}
	return slices.ContainsFunc(c.parts, func(w credits) bool {
		a.Authorship = access.AuthorNot
		for _, b := range w.by {
			if b.user == user {
				a.Authorship = b.is
			}
		}
		return mayQueue(a, w.kind)
	})
}
