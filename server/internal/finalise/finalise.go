// Package finalise takes records from captured to final, and adds to them
// afterwards: hand over, confirm, query, propose, answer, decide, edit, finalise,
// addendum, correct, rectify, accept what came late (domain rules 5).
//
// Each act of a Service is one proposal to the ledger: it reads the record as it
// stands there, asks package access, has the desk compose the change, and
// refuses with every reason at once (Refusal). Finalising seals a visit and each
// child's part of it together, or not at all: one VerdictSeal for each, chained
// by hash to the borough's seal before. What was sealed never changes; whatever
// comes later is an addendum. Queue lists what waits for a coordinator, Checklist
// what still keeps one record from being sealed, Lease keeps two coordinators
// from preparing one record at once.
//
// The package does not merge, does not sign, and gives nobody access.
package finalise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"doorstep/server/internal/desk"
	"doorstep/server/internal/lease"
	"doorstep/server/internal/once"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// Ledger orders and keeps entries: an *exchange.Ledger.
type Ledger interface {
	Propose(ctx context.Context, decide func(tx *store.Tx) ([]store.Entry, error)) (uint64, error)
}

// Composer makes signed changes on behalf of a person: a *desk.Desk.
type Composer interface {
	Compose(tx *store.Tx, edits []desk.Edit) ([]syncproto.ChangeID, error)
}

// Keys makes keys that are not there yet: a store.Keys.
type Keys interface {
	Ensure([]store.KeyPair) error
}

// Config is what New needs. All fields but OnSeal and OnLease are required.
type Config struct {
	Ledger Ledger
	Desk   Composer
	Store  *store.Store
	Keys   Keys
	Now    func() time.Time
	Rand   io.Reader // for the ids of records and entries that begin here
	// OnSeal is called after each seal.
	OnSeal func()
	// OnLease is called when a record of a family was given to a coordinator, or given
	// back: no entry tells of it.
	OnLease func(syncproto.FamilyID)
}

// Caller is who acts.
type Caller struct {
	User syncproto.UserID
}

// Service takes records on their way. It is safe for concurrent use.
type Service struct {
	cfg    Config
	leases *lease.Book
	table  table
}

// New returns a Service.
func New(cfg Config) *Service {
	return &Service{cfg: cfg, leases: lease.NewBook(), table: table{hands: map[syncproto.FamilyID]*hand{}}}
}

// HandOver gives a record to a coordinator; To zero: to the team's queue.
type HandOver struct {
	Record syncproto.RecordID
	To     syncproto.UserID
}

// Confirm is an author's word that the named heads are right. Heads are those
// of the record and of its parts, as the author saw them.
type Confirm struct {
	Record syncproto.RecordID
	Heads  []syncproto.RecordHeads
	// For is who left and cannot confirm, whom the caller stands in for; zero: nobody. Reason
	// says why.
	For    syncproto.UserID
	Reason string
}

// Query asks an author about a record, or about one field of it.
type Query struct {
	Record syncproto.RecordID
	Path   syncproto.Path
	To     syncproto.UserID
	Text   string
}

// Answer answers a query. With Sets, the field that it asks about is given Value in the
// same step, as one who agrees to a proposal does; Seen are then the record's heads as the
// person saw them.
type Answer struct {
	Record syncproto.RecordID
	Query  syncproto.ChangeID
	Text   string
	Sets   bool
	Value  cbor.Value
	Seen   []syncproto.ChangeID
}

// Decide settles a conflict: the value that counts, and why. For the removal of
// a protected element the value is true (it is gone) or false (it stays). For
// prose that two people touched at once the value is null: it was read and is
// right. Seen are the record's heads as the person saw them.
type Decide struct {
	Record syncproto.RecordID
	Path   syncproto.Path
	Value  cbor.Value
	Reason string
	Seen   []syncproto.ChangeID
}

// Finalise seals the named heads: those of the record and of every part of it.
type Finalise struct {
	Record syncproto.RecordID
	Heads  []syncproto.RecordHeads
}

// Addendum adds to a final record. TimeMS is when it happened, 0 if not said.
type Addendum struct {
	Record syncproto.RecordID
	Text   string
	TimeMS int64
	Reason string // why late
}

// Correct puts right a field of a final record; both versions are shown. Old is
// what the final record says, New what it should.
type Correct struct {
	Record syncproto.RecordID
	Path   syncproto.Path
	Old    cbor.Value
	New    cbor.Value
	Reason string
}

// AcceptLate adopts a change that came after the seal, as an addendum. Text may
// be empty.
type AcceptLate struct {
	Record syncproto.RecordID
	Change syncproto.ChangeID
	Text   string
}

// act is what one step comes to: edits to compose, and what is to follow them.
type act struct {
	edits []desk.Edit
	then  func(tx *store.Tx, changes []syncproto.ChangeID) ([]store.Entry, error)
}

// propose runs one act on a record and the records sealed with it. decide must
// not keep the group. It returns the id of the first change composed; of a request
// that was carried out before, the id that it was answered with then (package once).
func (s *Service) propose(ctx context.Context, caller Caller, record syncproto.RecordID, decide func(*group) (act, error)) (syncproto.ChangeID, error) {
	if id, done, err := answered(ctx, s.cfg.Store.State()); done || err != nil {
		return id, err
	}
	if err := s.mayRead(caller, record); err != nil {
		return syncproto.ChangeID{}, err
	}
	known := s.foresee(record)
	var first syncproto.ChangeID
	_, err := s.cfg.Ledger.Propose(ctx, func(tx *store.Tx) ([]store.Entry, error) {
		id, done, err := answered(ctx, tx.State())
		if done || err != nil {
			first = id
			return nil, err
		}
		if err := mayRead(&tx.Reader, caller, record, tx.State(), tx.AtMS()); err != nil {
			return nil, err
		}
		g, err := loadGroup(&tx.Reader, record, known)
		if err != nil {
			return nil, err
		}
		g.state, g.caller, g.atMS, g.record = tx.State(), caller, tx.AtMS(), record
		a, err := decide(g)
		if err != nil {
			return nil, err
		}
		changes, err := s.cfg.Desk.Compose(tx, a.edits)
		if err != nil {
			return nil, fmt.Errorf("composing a change: %w", err)
		}
		first = changes[0]
		noted := once.Entry(ctx, tx.AtMS(), first[:])
		if a.then == nil {
			return noted, nil
		}
		follows, err := a.then(tx, changes)
		return append(follows, noted...), err
	})
	return first, err
}

// answered returns the change that a request was answered with before.
func answered(ctx context.Context, state *store.State) (id syncproto.ChangeID, done bool, err error) {
	answer, done, err := once.Answered(ctx, state)
	copy(id[:], answer)
	return id, done, err
}

func (s *Service) mayRead(caller Caller, record syncproto.RecordID) error {
	return s.cfg.Store.Read(func(r *store.Reader) error {
		return mayRead(r, caller, record, s.cfg.Store.State(), s.cfg.Now().UnixMilli())
	})
}

// edit is a change of one record by the caller.
func (g *group) edit(p *part, ops ...syncproto.Op) desk.Edit {
	return desk.Edit{
		Author: g.caller.User, Family: p.info.Family, Record: p.info.Record, Kind: p.info.Kind,
		Ops: ops, Deps: p.info.Heads, Capture: g.capture(p),
	}
}

// notFound turns the store's word for what is unknown into what callers are told.
func notFound(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return syncproto.CodeNotFound
	}
	return err
}
