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
	Kind         string
	State        State
	HandedOverBy syncproto.UserID
	HandedOverMS int64 // by the device's clock
	HandedOverTo syncproto.UserID
	Conflicts    int // its parts' among them
	OpenQueries  int
	Confirmed    bool // every word that is needed stands
	LeasedTo     syncproto.UserID
	LeasedUntil  time.Time
	Late         int      // changes that came after the seal and wait as proposals
	Blocks       []Detail // what keeps it from being finalised
}

// Queue lists what was handed over and is not final, the one handed over first
// first, of what the caller's role has in its queue (domain rules (c), the column of
// the queue): a coordinator their teams' work, an author what becomes of their own.
func (s *Service) Queue(ctx context.Context, caller Caller) ([]Item, error) {
	return s.list(ctx, caller, func(v *syncproto.View) (bool, error) {
		return v.Seal == nil && v.Workflow.HandedOver != nil, nil
	})
}

// Final lists final records to which changes came late that nobody has accepted
// yet: the proposals that wait to be read.
func (s *Service) Final(ctx context.Context, caller Caller) ([]Item, error) {
	return s.list(ctx, caller, s.hasProposals)
}

// hasProposals looks at every record of a seal, in views that are kept.
func (s *Service) hasProposals(v *syncproto.View) (bool, error) {
	if v.Seal == nil {
		return false, nil
	}
	for _, h := range v.Seal.Group {
		w, err := s.cfg.Store.View(h.Record)
		if err != nil {
			return false, err
		}
		if proposals(w) > 0 {
			return true, nil
		}
	}
	return false, nil
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

func (s *Service) list(ctx context.Context, caller Caller, want func(*syncproto.View) (bool, error)) ([]Item, error) {
	var out []Item
	state := s.cfg.Store.State()
	nowMS := s.cfg.Now().UnixMilli()
	for _, h := range state.Access(caller.User, nowMS).Holdings {
		a := askerOf(state, caller, h.Family, nowMS)
		a.Authorship = access.AuthorBegan // of some record, which each is asked for below
		for _, kind := range wholeKinds() {
			if !h.Reached() || !mayQueue(a, kind.ID) {
				continue
			}
			items, err := s.items(ctx, caller, h.Family, kind.ID, want)
			if err != nil {
				return nil, err
			}
			out = append(out, items...)
		}
	}
	slices.SortStableFunc(out, func(a, b Item) int { return cmp.Compare(a.HandedOverMS, b.HandedOverMS) })
	return out, nil
}

// items describes the wanted records of one family and kind.
func (s *Service) items(ctx context.Context, caller Caller, family syncproto.FamilyID, kind string, want func(*syncproto.View) (bool, error)) ([]Item, error) {
	records, err := s.cfg.Store.RecordsOf(family, kind)
	if err != nil {
		return nil, err
	}
	var out []Item
	for _, record := range records {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		v, err := s.cfg.Store.View(record)
		if err != nil {
			return nil, err
		}
		if ok, err := want(v); !ok || err != nil {
			if err != nil {
				return nil, err
			}
			continue
		}
		item, err := s.item(caller, record)
		switch {
		case errors.Is(err, syncproto.CodeNotFound): // not the caller's any more
		case err != nil:
			return nil, err
		default:
			out = append(out, item)
		}
	}
	return out, nil
}

// mayQueue decides whether somebody has records of a kind in their queue.
func mayQueue(a access.Asker, kind string) bool {
	return a.MayRead(kind).Allow && a.May(kind, access.Need{Action: access.ActionQueue}).Allow
}

// queued reports whether the caller has the group in their queue: for a worker it
// is enough to have written in one of its parts.
func (g *group) queued() bool {
	return slices.ContainsFunc(g.parts, func(p *part) bool { return mayQueue(g.asker(p), p.info.Kind) })
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

// item describes one record, as the caller may see it.
func (s *Service) item(caller Caller, record syncproto.RecordID) (item Item, err error) {
	err = s.read(caller, record, func(g *group) (err error) {
		if !g.queued() {
			return syncproto.CodeNotFound
		}
		item, err = s.describe(g)
		return err
	})
	return item, err
}

func (s *Service) describe(g *group) (Item, error) {
	p := g.whole()
	item := Item{Record: p.info.Record, Family: p.info.Family, Kind: p.info.Kind, State: StateHandedOver, Confirmed: true}
	if h := p.view.Workflow.HandedOver; h != nil {
		item.HandedOverBy, item.HandedOverMS = h.Author, h.TimeMS
		item.HandedOverTo = handedTo(p.graph.Change(h.Change))
	}
	for _, q := range g.parts {
		item.count(q)
	}
	if l, ok := s.leaseOf(p.info.Record); ok {
		item.LeasedTo, item.LeasedUntil = l.User, l.Until
	}
	var err error
	if item.Blocks, err = g.checklist(); err != nil {
		return item, err
	}
	item.State = item.state(p.info.Sealed != 0)
	return item, nil
}

func (i *Item) count(p *part) {
	i.Conflicts += len(p.view.Conflicts)
	for _, q := range p.view.Workflow.Queries {
		if q.AnsweredBy == nil {
			i.OpenQueries++
		}
	}
	i.Late += proposals(p.view)
	i.Confirmed = i.Confirmed && len(p.unconfirmed()) == 0
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
