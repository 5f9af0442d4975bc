package finalise

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"doorstep/server/internal/access"
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// State is where a record stands between hand-over and final.
type State string

const (
	StateHandedOver    State = "handed_over"    // nobody has begun
	StateInPreparation State = "in_preparation" // a coordinator has it
	StateConflict      State = "conflict"       // people differ
	StateQuery         State = "query"          // a question is open
	StateConfirmed     State = "confirmed"      // the author's word stands
	StateFinal         State = "final"
)

// Item is one record of the queue, with the parts sealed with it.
type Item struct {
	Record       syncproto.RecordID
	Family       syncproto.FamilyID
	Team         syncproto.ID // that the family is with, in lists; zero: none
	Kind         string
	State        State
	HappenedMS   int64 // when the visit began; 0: not said
	HandedOverBy syncproto.UserID
	HandedOverMS int64 // by the device's clock
	HandedOverTo syncproto.UserID
	Conflicts    int // its parts' among them
	OpenQueries  int
	Confirmed    bool // every word that is needed stands
	LeasedTo     syncproto.UserID
	LeasedUntil  time.Time
	Late         int      // changes that came after the seal and wait as proposals
	Blocks       []Detail // what keeps it from being finalised; in lists after Explain
}

// Queue lists what was handed over and is not final, the one handed over first
// first, of what the caller's role has in its queue (domain rules (c), the column of
// the queue): a coordinator their teams' work, an author what becomes of their own.
// What keeps each from being final is left for Explain.
func (s *Service) Queue(ctx context.Context, caller Caller) ([]Item, error) {
	return s.list(ctx, caller, func(h *hand) []*card { return h.waiting })
}

// Final lists final records to which changes came late that nobody has accepted
// yet: the proposals that wait to be read.
func (s *Service) Final(ctx context.Context, caller Caller) ([]Item, error) {
	return s.list(ctx, caller, func(h *hand) []*card { return h.late })
}

// Explain fills in what keeps each of some records from being finalised, as it stands
// now: of a page of the queue, not of all of it. What the caller may not read any more
// is left as it is.
func (s *Service) Explain(ctx context.Context, caller Caller, items []Item) error {
	for i := range items {
		if err := ctx.Err(); err != nil {
			return err
		}
		blocks, err := s.Checklist(ctx, caller, items[i].Record)
		if err != nil && !errors.Is(err, syncproto.CodeNotFound) {
			return err
		}
		items[i].Blocks = blocks
	}
	return nil
}

func (s *Service) list(ctx context.Context, caller Caller, of func(*hand) []*card) ([]Item, error) {
	state := s.cfg.Store.State()
	nowMS := s.cfg.Now().UnixMilli()
	kinds := wholeKinds()
	var found []*card
	for _, reached := range state.Access(caller.User, nowMS).Holdings {
		a := askerOf(state, caller, reached.Family, nowMS)
		if !reached.Reached() || !queuesAny(a, kinds) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h, err := s.hand(reached.Family)
		if err != nil {
			return nil, err
		}
		for _, c := range of(h) {
			if c.queued(a, caller.User) {
				found = append(found, c)
			}
		}
	}
	slices.SortFunc(found, func(a, b *card) int {
		return cmp.Or(cmp.Compare(a.item.HandedOverMS, b.item.HandedOverMS), slices.Compare(a.item.Record[:], b.item.Record[:]))
	})
	out := make([]Item, 0, len(found))
	for _, c := range found {
		item := s.withLease(c.item)
		item.Team = syncproto.ID(state.TeamOf(item.Family))
		out = append(out, item)
	}
	return out, nil
}

// queuesAny reports whether somebody could have any record of a family in their queue,
// had they begun it.
func queuesAny(a access.Asker, kinds []*schema.Kind) bool {
	a.Authorship = access.AuthorBegan // of some record, which each is asked for besides
	return slices.ContainsFunc(kinds, func(k *schema.Kind) bool { return mayQueue(a, k.ID) })
}

// mayQueue decides whether somebody has records of a kind in their queue.
func mayQueue(a access.Asker, kind string) bool {
	return a.MayRead(kind).Allow && a.May(kind, access.Need{Action: access.ActionQueue}).Allow
}

// wholeKinds are the kinds that are sealed, without those sealed as parts.
func wholeKinds() []*schema.Kind {
	var out []*schema.Kind
	for _, k := range schema.All() {
		newest, _ := schema.Newest(k.ID)
		if k == newest && k.Finalises && k.Part == "" {
			out = append(out, k)
		}
	}
	return out
}

// item describes a group, whoever looks.
func (g *group) item() Item {
	p := g.whole()
	item := Item{Record: p.info.Record, Family: p.info.Family, Kind: p.info.Kind, Confirmed: true}
	if h := p.view.Workflow.HandedOver; h != nil {
		item.HandedOverBy, item.HandedOverMS = h.Author, h.TimeMS
		item.HandedOverTo = handedTo(p.graph.Change(h.Change))
	}
	start, _ := p.view.Field("start")
	item.HappenedMS, _ = start.Value.AsInt()
	for _, q := range g.parts {
		item.count(q)
		item.Confirmed = item.Confirmed && g.wordsStand(q)
	}
	item.State = item.state(p.info.Sealed != 0)
	return item
}

// withLease is an item with the lease in force on it.
func (s *Service) withLease(item Item) Item {
	if l, ok := s.leaseOf(item.Record); ok {
		item.LeasedTo, item.LeasedUntil = l.User, l.Until
		item.State = item.state(item.State == StateFinal)
	}
	return item
}

// describe is an item with what keeps it from being final.
func (s *Service) describe(g *group) (Item, error) {
	item := s.withLease(g.item())
	var err error
	item.Blocks, err = g.checklist()
	return item, err
}

func (i *Item) count(p *part) {
	i.Conflicts += len(p.view.Conflicts)
	for _, q := range p.view.Workflow.Queries {
		if q.AnsweredBy == nil {
			i.OpenQueries++
		}
	}
	i.Late += proposals(p.view)
}

// state is the first of these that holds.
func (i *Item) state(final bool) State {
	switch {
	case final:
		return StateFinal
	case i.Conflicts > 0:
		return StateConflict
	case i.OpenQueries > 0:
		return StateQuery
	case !i.LeasedTo.IsZero():
		return StateInPreparation
	case i.Confirmed:
		return StateConfirmed
	}
	return StateHandedOver
}

// handedTo returns whom a hand-over named.
func handedTo(c *syncproto.Change) syncproto.UserID {
	if c == nil {
		return syncproto.UserID{}
	}
	for i := range c.Body.Ops {
		if c.Body.Ops[i].Code == syncproto.OpHandOver {
			return c.Body.Ops[i].To
		}
	}
	return syncproto.UserID{}
}
