package finalise

import (
	"context"

	"doorstep/server/internal/access"
	"doorstep/server/internal/lease"
	"doorstep/syncproto"
)

// LeaseTime is how long a coordinator has a record to themselves.
const LeaseTime = lease.Time

// Lease says who prepares a record, and until when.
type Lease = lease.Lease

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
		_, held := s.leaseOf(p.info.Record)
		var ok bool
		if out, ok = s.leases.Take(p.info.Record, caller.User, s.cfg.Now()); !ok {
			out = Lease{}
			return leased(p)
		}
		if !held {
			s.leaseChanged(p)
		}
		return nil
	})
	return out, err
}

// Release gives up the caller's lease of a record; without one it does nothing.
func (s *Service) Release(_ context.Context, caller Caller, record syncproto.RecordID) error {
	return s.read(caller, record, func(g *group) error {
		p := g.whole()
		if l, held := s.leaseOf(p.info.Record); held && l.User == caller.User {
			s.leases.Give(p.info.Record, caller.User)
			s.leaseChanged(p)
		}
		return nil
	})
}

func (s *Service) leaseChanged(p *part) {
	if s.cfg.OnLease != nil {
		s.cfg.OnLease(p.info.Family)
	}
}

// leaseOf returns the lease in force on a record.
func (s *Service) leaseOf(record syncproto.RecordID) (Lease, bool) {
	return s.leases.Of(record, s.cfg.Now())
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
