package finalise

import (
	"context"
	"time"

	"doorstep/server/internal/access"
	"doorstep/syncproto"
)

// LeaseTime is how long a coordinator has a record to themselves before they
// must renew: long enough for one record, short enough that a closed lid does not
// keep it from the others.
const LeaseTime = 15 * time.Minute

// Lease says who prepares a record, and until when. Leases are kept in memory:
// after a restart every record is free.
type Lease struct {
	User  syncproto.UserID
	Until time.Time
}

// Lease gives the caller a record, and the parts sealed with it, for LeaseTime;
// asked again, for longer. It fails with CodeLeased while another coordinator has
// it, CodeFinal, and what access says to who may not finalise.
func (s *Service) Lease(_ context.Context, caller Caller, record syncproto.RecordID) (Lease, error) {
	var out Lease
	err := s.read(caller, record, func(g *group) error {
		p := g.whole()
		op := syncproto.Op{Code: syncproto.OpFinalise, Heads: g.heads()}
		if err := first(g.may(p, op), open(p)); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		now := s.cfg.Now()
		if held, ok := s.leases[p.info.Record]; ok && held.User != caller.User && now.Before(held.Until) {
			return leased(p)
		}
		s.sweep(now)
		out = Lease{User: caller.User, Until: now.Add(LeaseTime)}
		s.leases[p.info.Record] = out
		return nil
	})
	return out, err
}

// Release gives up the caller's lease of a record; without one it does nothing.
func (s *Service) Release(_ context.Context, caller Caller, record syncproto.RecordID) error {
	return s.read(caller, record, func(g *group) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		id := g.whole().info.Record
		if s.leases[id].User == caller.User {
			delete(s.leases, id)
		}
		return nil
	})
}

// sweep drops leases that have run out; mu is held.
func (s *Service) sweep(now time.Time) {
	for record, l := range s.leases {
		if !now.Before(l.Until) {
			delete(s.leases, record)
		}
	}
}

// leaseOf returns the lease in force on a record.
func (s *Service) leaseOf(record syncproto.RecordID) (Lease, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.leases[record]
	return l, ok && s.cfg.Now().Before(l.Until)
}

// forget drops the lease of a record that is final.
func (s *Service) forget(record syncproto.RecordID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.leases, record)
}

// notLeased refuses a coordinator while another one prepares the record. Authors
// and managers are never kept out.
func (s *Service) notLeased(g *group) error {
	l, ok := s.leaseOf(g.whole().info.Record)
	if !ok || l.User == g.caller.User || g.asker(g.whole()).Role != access.RoleCoordinator {
		return nil
	}
	return leased(g.whole())
}

func leased(p *part) error { return because(p, syncproto.Path{}, syncproto.CodeLeased, "") }
