// Package delivery takes every final record to the borough's case-management system, so
// that nobody types it there again.
//
// Service looks through the families that have news, works out which versions of which
// records the other side has not been given, and gives them to a Target one after the
// other: a Folder or a Webhook. What is owed follows from the records and the receipts
// alone: there is no queue that could be lost. A Bundle is one version of one record as
// it goes out, signed; Verify is what the other side does with it.
//
// Nothing of a bundle is logged. Which kinds of records ever leave is package access's
// decision; each delivery is in the audit log before a byte of it leaves.
package delivery

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/store"
	"doorstep/server/internal/tracing"
	"doorstep/syncproto"
)

// Parcel is one bundle on its way.
type Parcel struct {
	ID        string // of the bundle: the record's, a dash, the version's number
	Bundle    []byte // JSON
	Signature string // detached JWS over Bundle
	Page      []byte // the same as a page to read; nil for a tombstone
}

// Target is where bundles go: a *Folder or a *Webhook.
type Target interface {
	// Deliver returns once the other side has the parcel for good, or, with Taken false, once
	// it lies where the other side fetches it. It fails with a *Refusal for what the
	// other side will not take; any other error means that nothing can be delivered now.
	// The same parcel may come again.
	Deliver(context.Context, Parcel) (Handed, error)
	// Check fails if nothing can be delivered now, as far as that can be told without
	// delivering.
	Check() error
	// Fetched reports whether what lay ready was taken.
	Fetched(id string) (bool, error)
	// Withdraw takes back what lies ready of a record and was not fetched.
	Withdraw(record syncproto.RecordID) error
}

// Handed is what became of a delivery.
type Handed struct {
	Taken     bool   // false: it lies ready, and Fetched tells
	Reference string // under which the other side keeps it, if it said
}

// Refusal is the other side's word that it will not take a parcel.
type Refusal struct{ Status int }

func (r *Refusal) Error() string { return "the case-management system refused it" }

// Final reads versions that were sealed: a *finalise.Service.
type Final interface {
	// FinalVersion returns a record's version as it was sealed, whoever may read it.
	FinalVersion(record syncproto.RecordID) (*syncproto.View, error)
}

// Accesses is told what leaves: an *audit.AccessLog.
type Accesses interface {
	// Note returns once an export is durable.
	Note(audit.Access) error
}

// Config is what New needs. Kinds and Since may be left out.
type Config struct {
	Borough  string
	Store    *store.Store
	Final    Final
	Accesses Accesses
	Target   Target
	Signer   Signer
	Receipts *Receipts
	Log      *slog.Logger
	Now      func() time.Time
	Zone     *time.Location
	// Kinds narrows what leaves; empty: all that access lets out.
	Kinds []string
	// SinceMS leaves out what became final before.
	SinceMS int64
	// Restricted: records of restricted files leave too, and say so.
	Restricted bool
	// Traces says how long deliveries took; nil: nobody.
	Traces *tracing.Tracer
}

// How often is looked, and how long is waited after trouble.
const (
	LookEvery    = 2 * time.Second
	firstWait    = 5 * time.Second
	longestWait  = 15 * time.Minute
	refusedWait  = 10 * time.Minute // doubles with each refusal
	longestPause = 24 * time.Hour
	// familiesAtOnce bounds one look: after a start a large borough takes some minutes.
	familiesAtOnce = 500
)

// Service delivers. Its methods are safe for concurrent use; Run runs once.
type Service struct {
	cfg Config

	mu      sync.Mutex // guards what follows
	found   found
	owing   []Owed                       // what does not lie with the other side yet; nil: work it out anew
	waits   map[syncproto.RecordID]pause // refused, or its bundle could not be made
	down    trouble
	arrived uint64 // since the start
}

// pause is how long a record rests that was refused or could not be made ready.
type pause struct {
	status int // 0: it was not refused
	times  int
	until  time.Time
}

// trouble is why nothing can be delivered.
type trouble struct {
	err   error // nil: none
	times int
	until time.Time
}

// New returns a Service that has delivered nothing yet.
func New(cfg Config) *Service {
	return &Service{cfg: cfg, found: found{families: map[syncproto.FamilyID]familyFound{}}, waits: map[syncproto.RecordID]pause{}}
}

// Run delivers until ctx ends.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(LookEvery)
	defer tick.Stop()
	for {
		if err := s.Round(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("final records could not be delivered", "reason", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Round looks for what is owed and delivers what can be. Trouble of the other side is no
// error: it is kept for Depth, and tried again later.
func (s *Service) Round(ctx context.Context) error {
	if err := s.look(ctx); err != nil {
		return err
	}
	if err := s.cfg.Target.Check(); err != nil {
		s.note(err)
		return nil
	}
	if err := s.fetched(); err != nil {
		s.note(err)
		return nil
	}
	for _, item := range s.Owed() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !s.mayTry(item) {
			continue
		}
		if err := s.deliver(ctx, item); err != nil {
			return err
		}
	}
	return nil
}

// mayTry reports whether a version can be delivered now.
func (s *Service) mayTry(o Owed) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	return !o.Held && !o.Ready && !now.Before(s.waits[o.Record].until) && (s.down.err == nil || !now.Before(s.down.until))
}

// deliver makes one bundle, has the audit log know, and gives it away.
func (s *Service) deliver(ctx context.Context, o Owed) error {
	p, err := s.parcel(o)
	if err != nil {
		s.rest(o, err)
		return nil
	}
	seen := audit.Access{Type: audit.TypeExport, Family: o.Family, Record: o.Record, Word: "delivery"}
	if err := s.cfg.Accesses.Note(seen); err != nil {
		return err
	}
	if o.gone() {
		if err := s.cfg.Target.Withdraw(o.Record); err != nil {
			s.note(err)
			return nil
		}
	}
	handed, err := s.handOver(ctx, p)
	if err != nil {
		return s.failed(ctx, o, err)
	}
	r := Receipt{Record: o.Record, Version: o.Version, Gone: o.gone(), Taken: handed.Taken, Reference: handed.Reference,
		AtMS: s.cfg.Now().UnixMilli(), Digest: digestOf(p.Bundle)}
	if err := s.cfg.Receipts.Add(r); err != nil {
		return err // the same bundle goes again, and the other side knows it by its id
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down, s.owing = trouble{}, nil
	delete(s.waits, o.Record)
	if handed.Taken {
		s.arrived++
	}
	return nil
}

// handOver gives a bundle away.
func (s *Service) handOver(ctx context.Context, p Parcel) (Handed, error) {
	ctx, span := s.cfg.Traces.Work(ctx, tracing.Deliver)
	span.Count(tracing.Bytes, len(p.Bundle))
	handed, err := s.cfg.Target.Deliver(ctx, p)
	var refused *Refusal
	if errors.As(err, &refused) {
		span.Refused(refused.Status)
		span.End(nil)
		return handed, err
	}
	span.End(err)
	return handed, err
}

func (s *Service) failed(ctx context.Context, o Owed, err error) error {
	var refused *Refusal
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !errors.As(err, &refused) {
		s.note(err)
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down, s.owing = trouble{}, nil
	wait := s.pause(o.Record, refused.Status)
	s.cfg.Log.Warn("the case-management system refused a final record", "bundle", o.ID(), "status", refused.Status, "again_in", wait.String())
	return nil
}

// rest leaves a record alone for a while whose bundle could not be made, because it is
// erased meanwhile or cannot be read: the others need not wait for it.
func (s *Service) rest(o Owed, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait := s.pause(o.Record, s.waits[o.Record].status)
	s.cfg.Log.Error("a final record could not be made ready for delivery", "bundle", o.ID(), "reason", err.Error(), "again_in", wait.String())
}

// pause has a record rest, longer each time, and says how long. s.mu is held.
func (s *Service) pause(record syncproto.RecordID, status int) time.Duration {
	times := s.waits[record].times
	wait := min(refusedWait<<min(times, 10), longestPause)
	s.waits[record] = pause{status: status, times: times + 1, until: s.cfg.Now().Add(wait)}
	return wait
}

// note keeps why nothing can be delivered, and logs it once.
func (s *Service) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down.err == nil {
		s.cfg.Log.Warn("final records cannot be delivered now", "reason", err.Error())
	}
	wait := min(firstWait<<min(s.down.times, 10), longestWait)
	s.down = trouble{err: err, times: s.down.times + 1, until: s.cfg.Now().Add(wait)}
}

// fetched asks for each parcel that lies ready whether it was taken.
func (s *Service) fetched() error {
	for _, r := range s.cfg.Receipts.Ready() {
		taken, err := s.cfg.Target.Fetched(bundleID(r.Record, r.Version))
		if err != nil {
			return err
		}
		if !taken {
			continue
		}
		r.Taken, r.AtMS = true, s.cfg.Now().UnixMilli()
		if err := s.cfg.Receipts.Add(r); err != nil {
			return err
		}
		s.mu.Lock()
		s.arrived, s.owing = s.arrived+1, nil
		s.mu.Unlock()
	}
	return nil
}

// Depth is how much has not arrived, for whoever runs the server.
type Depth struct {
	Waiting  int       // versions that were not delivered
	Refused  int       // records of those that the other side refused
	Ready    int       // versions that lie ready and were not fetched
	Held     int       // records of restricted files, which stay here
	Oldest   time.Time // since when the oldest of waiting and ready waits; zero: none does
	Failing  bool      // nothing can be delivered now
	Trouble  string    // why; it names no record
	Arrived  uint64    // since the start
	Complete bool      // every family was looked at; before, the counts mean little
}

// Depth counts.
func (s *Service) Depth() Depth {
	list := s.Owed()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Depth{Failing: s.down.err != nil, Arrived: s.arrived, Complete: s.found.complete}
	if s.down.err != nil {
		out.Trouble = s.down.err.Error()
	}
	for _, o := range list {
		switch {
		case o.Held:
			out.Held++
			continue
		case o.Ready:
			out.Ready++
		default:
			out.Waiting += o.Last - o.Version + 1
			if o.Refused != 0 {
				out.Refused++
			}
		}
		if at := time.UnixMilli(o.SinceMS); out.Oldest.IsZero() || at.Before(out.Oldest) {
			out.Oldest = at
		}
	}
	return out
}

// Owed lists, for each record, the first version that has not arrived, the oldest first.
// It asks nobody's leave: see Waiting.
func (s *Service) Owed() []Owed {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owing == nil {
		s.owing = s.workOut()
	}
	out := slices.Clone(s.owing)
	for i := range out {
		out[i].Held = !s.cfg.Restricted && !out[i].gone() && len(s.cfg.Store.State().RestrictionsOf(out[i].Family)) > 0
	}
	return out
}

// workOut is Owed by what was found and the receipts. s.mu is held.
func (s *Service) workOut() []Owed {
	out := []Owed{}
	for _, f := range s.found.families {
		for _, r := range f.records {
			if o, is := s.owes(r); is {
				out = append(out, o)
			}
		}
	}
	for _, e := range s.found.gone {
		if o, is := s.owesWord(e); is {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b Owed) int {
		return cmp.Or(cmp.Compare(a.SinceMS, b.SinceMS), slices.Compare(a.Record[:], b.Record[:]))
	})
	return out
}
