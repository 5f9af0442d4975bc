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

// Queue lists what was handed over and is not final, of the families that the
// caller reads, the one handed over first first. A coordinator has their team's
// work there, an author what happens to theirs.
func (s *Service) Queue(ctx context.Context, caller Caller) ([]Item, error) {
	return s.list(ctx, caller, func(i Item) bool { return i.State != StateFinal })
}

// Final lists final records to which changes came late: the proposals that wait
// to be read.
func (s *Service) Final(ctx context.Context, caller Caller) ([]Item, error) {
	return s.list(ctx, caller, func(i Item) bool { return i.State == StateFinal && i.Late > 0 })
}

func (s *Service) list(ctx context.Context, caller Caller, keep func(Item) bool) ([]Item, error) {
	var out []Item
	state := s.cfg.Store.State()
	user, _ := state.User(caller.User)
	for _, h := range state.Access(caller.User).Holdings {
		a := access.Asker{Role: access.Role(user.Role)}
		for _, b := range h.Bases {
			a.Bases = append(a.Bases, access.Basis(b))
		}
		for _, kind := range wholeKinds() {
			if !h.Held() || !a.MayRead(kind.ID).Allow {
				continue
			}
			records, err := s.cfg.Store.RecordsOf(h.Family, kind.ID)
			if err != nil {
				return nil, err
			}
			for _, record := range records {
				item, ok, err := s.item(ctx, caller, record)
				if err != nil {
					return nil, err
				}
				if ok && keep(item) {
					out = append(out, item)
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Item) int { return cmp.Compare(a.HandedOverMS, b.HandedOverMS) })
	return out, nil
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

// item describes one record; false if it was not handed over, or is not for the
// caller after all.
func (s *Service) item(_ context.Context, caller Caller, record syncproto.RecordID) (Item, bool, error) {
	v, err := s.cfg.Store.View(record)
	if err != nil {
		return Item{}, false, err
	}
	if v.Workflow.HandedOver == nil {
		return Item{}, false, nil
	}
	var item Item
	err = s.read(caller, record, func(g *group) (err error) {
		item, err = s.describe(g)
		return err
	})
	if errors.Is(err, syncproto.CodeNotFound) {
		return Item{}, false, nil
	}
	return item, err == nil, err
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
	for _, a := range p.view.Addenda {
		if a.Late {
			i.Late++
		}
	}
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
