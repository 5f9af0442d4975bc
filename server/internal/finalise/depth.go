package finalise

import (
	"time"
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

// Depth counts the queue. Families without news since they were looked at are not looked
// at again, and of the others at most so many in one call.
func (s *Service) Depth(most int) (Depth, error) {
	out := Depth{ByState: map[State]int{}, Complete: true}
	for family, news := range s.cfg.Store.State().AllNews() {
		s.table.mu.Lock()
		h := s.table.hands[family]
		s.table.mu.Unlock()
		if h == nil || h.news < news {
			if most--; most < 0 {
				out.Complete = false
				break
			}
			var err error
			if h, err = s.hand(family); err != nil {
				return Depth{}, err
			}
		}
		for _, c := range h.waiting {
			s.count(&out, c)
		}
	}
	return out, nil
}

func (s *Service) count(out *Depth, c *card) {
	item := s.withLease(c.item)
	out.ByState[item.State]++
	if at := time.UnixMilli(item.HandedOverMS); out.Oldest.IsZero() || at.Before(out.Oldest) {
		out.Oldest = at
	}
}
