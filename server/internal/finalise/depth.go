package finalise

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Depth is how much waits in the whole borough's queue, for whoever runs the server.
type Depth struct {
	ByState map[State]int
	Oldest  time.Time // when the one was handed over that has waited longest, by its device's clock; zero: none waits
	// Complete: every family was counted. Before, nothing above means anything.
	Complete bool
}

// Waiting are the states of a record that was handed over and is not final.
func Waiting() []State {
	return []State{StateHandedOver, StateInPreparation, StateConflict, StateQuery, StateConfirmed}
}

// depths remembers what each family has in the queue, up to its news.
type depths struct {
	mu       sync.Mutex // guards what follows, and is held while families are counted
	families map[syncproto.FamilyID]counted
}

type counted struct {
	news    uint64
	waiting []waiting
}

type waiting struct {
	record syncproto.RecordID
	state  State // without leases, which are no news
	atMS   int64
}

// Depth counts the queue. Families without news since they were counted are not looked
// at again, and of the others at most so many in one call.
func (s *Service) Depth(most int) (Depth, error) {
	d := &s.depths
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.families == nil {
		d.families = map[syncproto.FamilyID]counted{}
	}
	out := Depth{ByState: map[State]int{}, Complete: true}
	for family, news := range s.cfg.Store.State().AllNews() {
		known, is := d.families[family]
		if !is || known.news != news {
			if most--; most < 0 {
				out.Complete = false
				break
			}
			var err error
			if known.waiting, err = s.waitingOf(family); err != nil {
				return Depth{}, fmt.Errorf("counting the queue: %w", err)
			}
			known.news = news
			d.families[family] = known
		}
		s.add(&out, known.waiting)
	}
	return out, nil
}

func (s *Service) add(out *Depth, list []waiting) {
	for _, w := range list {
		if _, leased := s.leaseOf(w.record); leased && w.state != StateConflict && w.state != StateQuery {
			w.state = StateInPreparation
		}
		out.ByState[w.state]++
		if at := time.UnixMilli(w.atMS); out.Oldest.IsZero() || at.Before(out.Oldest) {
			out.Oldest = at
		}
	}
}

// waitingOf are the records of a family that were handed over and are not final.
func (s *Service) waitingOf(family syncproto.FamilyID) (out []waiting, err error) {
	for _, kind := range wholeKinds() {
		records, err := s.cfg.Store.RecordsOf(family, kind.ID)
		if err != nil {
			return nil, err
		}
		for _, record := range records {
			v, err := s.cfg.Store.View(record)
			if err != nil {
				return nil, err
			}
			if v.Seal != nil || v.Workflow.HandedOver == nil {
				continue
			}
			state, err := s.stateOf(record)
			if err != nil {
				return nil, err
			}
			out = append(out, waiting{record: record, state: state, atMS: v.Workflow.HandedOver.TimeMS})
		}
	}
	return slices.Clip(out), nil
}

// stateOf is where a record that was handed over stands, leases apart.
func (s *Service) stateOf(record syncproto.RecordID) (state State, err error) {
	known := foreseen{members: s.members(record)}
	err = s.cfg.Store.Read(func(r *store.Reader) error {
		g, err := loadGroup(r, record, known)
		if err != nil {
			return err
		}
		item := Item{Confirmed: true}
		for _, p := range g.parts {
			item.count(p)
		}
		state = item.state(false)
		return nil
	})
	return state, err
}
