// Package oversight shows the audit log to those who may look at it.
//
// Service pages through what the journal and the access log say happened, asks
// access how much of it a person may see (all of it, what concerns the families of
// their own teams, or configuration alone), and proves an entry by a checkpoint.
package oversight

import (
	"context"
	"fmt"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/audit"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Config is what New needs. All fields are required.
type Config struct {
	Store    *store.Store
	Journal  audit.Source // of the borough's log
	Log      *audit.Log
	Accesses *audit.AccessLog
	// Mark stands for a record; a zero family is looked up.
	Mark func(syncproto.FamilyID, syncproto.RecordID) audit.Mark
	// RecordsOf lists the records of a family.
	RecordsOf func(syncproto.FamilyID) []syncproto.RecordID
	Now       func() time.Time
}

// Service shows the audit log. It is safe for concurrent use.
type Service struct{ cfg Config }

// New returns a Service.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

// Limits of a page: what it shows, and what it reads for that.
const (
	MaxEvents = 200
	maxRead   = 20_000
)

// Query says which events are wanted; a zero field wants all.
type Query struct {
	Accesses bool   // of the access log; else of the journal
	After    uint64 // position in it
	User     syncproto.UserID
	Device   syncproto.DeviceID
	Session  syncproto.ID
	Record   syncproto.RecordID
	FromMS   int64
	ToMS     int64
	Prove    bool // with the proof of each, for events of the journal
}

// Event is one event, its leaf, and where it stands.
type Event struct {
	audit.Event
	Position uint64
	Leaf     []byte
	Proof    [][32]byte // that the leaf is in the page's checkpoint
}

// Page is some events in order, and where the next page begins.
type Page struct {
	Events     []Event
	Next       uint64 // the After of the next page
	More       bool   // there is more to read
	Checkpoint []byte // a signed note, if proofs were wanted
}

// Search returns the next page of a person's query. It fails with CodeForbidden
// for somebody who may see nothing of the log.
func (s *Service) Search(ctx context.Context, user syncproto.UserID, q Query) (Page, error) {
	u, _ := s.cfg.Store.State().User(user)
	sees, err := s.sight(user, access.MayAudit(access.Role(u.Role)))
	if err != nil {
		return Page{}, err
	}
	var mark audit.Mark
	if !q.Record.IsZero() {
		if mark = s.cfg.Mark(syncproto.FamilyID{}, q.Record); mark == (audit.Mark{}) {
			return Page{}, syncproto.CodeNotFound
		}
	}
	p := Page{Next: q.After}
	head := s.head(q.Accesses)
	for read := 0; p.Next < head && read < maxRead && len(p.Events) < MaxEvents; read++ {
		if err := ctx.Err(); err != nil {
			return Page{}, err
		}
		e, err := s.read(q.Accesses, p.Next+1)
		if err != nil {
			return Page{}, err
		}
		p.Next++
		if q.matches(&e.Event, mark) && sees(&e.Event) {
			p.Events = append(p.Events, e)
		}
	}
	p.More = p.Next < head
	if q.Prove && !q.Accesses {
		return p, s.prove(&p)
	}
	return p, nil
}

// sight says which events somebody may see.
func (s *Service) sight(user syncproto.UserID, how access.Oversight) (func(*audit.Event) bool, error) {
	switch how {
	case access.OversightAll:
		return func(*audit.Event) bool { return true }, nil
	case access.OversightConfiguration:
		return func(e *audit.Event) bool { return store.IsConfiguration(e.Type) }, nil
	case access.OversightTeam:
		marks := map[audit.Mark]bool{}
		for _, h := range s.cfg.Store.State().Access(user, s.cfg.Now().UnixMilli()).Holdings {
			if h.Held() && managed(h) {
				marks[s.cfg.Mark(h.Family, syncproto.RecordID(h.Family))] = true
				for _, r := range s.cfg.RecordsOf(h.Family) {
					marks[s.cfg.Mark(h.Family, r)] = true
				}
			}
		}
		delete(marks, audit.Mark{})
		return func(e *audit.Event) bool { return marks[e.Record] }, nil
	}
	return nil, syncproto.CodeForbidden
}

func managed(h store.Holding) bool {
	for _, b := range h.Bases {
		if access.Basis(b) == access.BasisManager {
			return true
		}
	}
	return false
}

func (q *Query) matches(e *audit.Event, mark audit.Mark) bool {
	last := max(e.AtMS, e.UntilMS)
	return (q.User.IsZero() || q.User == e.User || q.User == e.Second) && (q.Device.IsZero() || q.Device == e.Device) &&
		(q.Session.IsZero() || q.Session == e.Session) && (q.Record.IsZero() || mark == e.Record) &&
		(q.FromMS == 0 || last >= q.FromMS) && (q.ToMS == 0 || e.AtMS < q.ToMS)
}

func (s *Service) head(accesses bool) uint64 {
	if accesses {
		return s.cfg.Accesses.Tree().Size()
	}
	return s.cfg.Log.Tree().Size()
}

func (s *Service) read(accesses bool, position uint64) (Event, error) {
	if accesses {
		e, err := s.cfg.Accesses.Read(position)
		if err != nil {
			return Event{}, fmt.Errorf("reading the access log: %w", err)
		}
		return Event{Event: e, Position: position, Leaf: e.Encode()}, nil
	}
	payload, err := s.cfg.Journal.Read(position)
	if err != nil {
		return Event{}, fmt.Errorf("reading entry %d: %w", position, err)
	}
	leaf, err := store.Leaf(payload)
	if err != nil {
		return Event{}, err
	}
	e, err := audit.DecodeEvent(leaf)
	return Event{Event: e, Position: position, Leaf: leaf}, err
}

// prove adds the proofs, by a checkpoint that covers them all.
func (s *Service) prove(p *Page) error {
	c, err := s.cfg.Log.Keep(s.cfg.Now())
	if err != nil {
		return err
	}
	p.Checkpoint = s.cfg.Log.Signer().Note(&c)
	for i := range p.Events {
		if p.Events[i].Proof, err = s.cfg.Log.Tree().ProveLeaf(p.Events[i].Position, c.TreeHead); err != nil {
			return err
		}
	}
	return nil
}
