package erasure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/audit"
	"doorstep/server/internal/disk"
	"doorstep/server/internal/once"
	"doorstep/server/internal/retention"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/clocks"
	"doorstep/syncproto/schema"
)

// Ledger orders and keeps entries: an *exchange.Ledger.
type Ledger interface {
	Propose(ctx context.Context, decide func(tx *store.Tx) ([]store.Entry, error)) (uint64, error)
}

// Vault is the keys as erasing needs them.
type Vault interface {
	Keys
	Ensure([]store.KeyPair) error
	Mark(store.KeyPair) audit.Mark
}

// Schedule says until when files are kept: a *reading.Room.
type Schedule interface {
	// Kept is about a family's file, or, where child is not zero, about that child's.
	Kept(family syncproto.FamilyID, child syncproto.RecordID) (retention.Kept, error)
	Today() clocks.Day
}

// Config is what New needs. All fields are required but Schedule.
type Config struct {
	Ledger Ledger
	Store  *store.Store
	Keys   Vault
	List   *List
	Now    func() time.Time
	Random io.Reader // of ids
	// Schedule is the borough's; nil: it has none, and dates are set by hand alone.
	Schedule Schedule
}

// Service erases, and sets holds. It is safe for concurrent use.
type Service struct {
	cfg  Config
	mu   sync.Mutex      // one erasure, or change of a hold, at a time
	owed []store.KeyPair // guarded by mu; decided, and not destroyed yet
}

// New returns a Service.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

// Scopes.
const (
	ScopeRecord = "record" // one record
	ScopeChild  = "child"  // a child's own record, and every record that is about this child alone
	ScopeFamily = "family" // everything
)

// Legal bases.
const (
	BasisRetention = "retention_ended" // the date of the retention schedule was reached
	BasisCourt     = "court_order"
	BasisUnlawful  = "unlawful" // recorded without a lawful basis, such as about the wrong person
)

// Ask is a request to erase.
type Ask struct {
	Scope string
	// Family is of scope family, or Reference: its number in the case management
	// system.
	Family    syncproto.FamilyID
	Reference string
	Record    syncproto.RecordID // of scopes record and child
	Basis     string
	Reason    string // for people, at most 2,000 bytes
}

const maxReason = 2000

// Refusal says why something is not erased, in words for the person who asked.
type Refusal struct {
	Code  syncproto.Code
	Plain string
	cause error // for the operator; nil: the words say it all
}

// Error implements error.
func (r *Refusal) Error() string {
	if r.cause != nil {
		return r.Plain + ": " + r.cause.Error()
	}
	return r.Plain
}

// Unwrap makes a Refusal its code.
func (r *Refusal) Unwrap() error { return r.Code }

func refuse(code syncproto.Code, format string, args ...any) error {
	return &Refusal{Code: code, Plain: fmt.Sprintf(format, args...)}
}

// Ask writes down what one person wants erased. It refuses what must not go yet: with
// CodeForbidden and the reason, and so for who may not ask; with CodeNotFound what
// there is not, and with CodeBadValue.
func (s *Service) Ask(ctx context.Context, by syncproto.UserID, in Ask) (Asked, error) {
	if id, done, err := answered(ctx, s.cfg.Store.State()); done || err != nil {
		return s.openAsk(id), err
	}
	if err := s.may(by); err != nil {
		return Asked{}, err
	}
	in.Family = s.familyOf(in.Family, in.Reference)
	if !slices.Contains([]string{BasisRetention, BasisCourt, BasisUnlawful}, in.Basis) {
		return Asked{}, refuse(syncproto.CodeBadValue, "%q is no legal basis for erasing: retention_ended, court_order or unlawful", in.Basis)
	}
	if in.Reason == "" || len(in.Reason) > maxReason {
		return Asked{}, refuse(syncproto.CodeBadValue, "say why, in at most %d bytes", maxReason)
	}
	e := store.EraseAskEntry{Scope: in.Scope, Family: in.Family, Record: in.Record, Basis: in.Basis, Reason: in.Reason,
		By: by, AtMS: s.cfg.Now().UnixMilli()}
	if err := s.scope(&e); err != nil {
		return Asked{}, err
	}
	if err := s.mayAbout(by, e.Family); err != nil {
		return Asked{}, err
	}
	if err := s.hindrance(&e); err != nil {
		return Asked{}, err
	}
	var err error
	if e.ID, err = s.newID(); err != nil {
		return Asked{}, err
	}
	id, err := s.propose(acting(ctx, by), e.ID, e)
	if err != nil {
		return Asked{}, err
	}
	return s.openAsk(id), nil
}

// openAsk is what was asked for as whoever asked was answered.
func (s *Service) openAsk(id syncproto.ID) Asked {
	e, _ := s.cfg.Store.State().EraseAsk(id)
	return Asked{e, StateOpen}
}

// answered returns the id that a request was answered with before (package once).
func answered(ctx context.Context, state *store.State) (id syncproto.ID, done bool, err error) {
	answer, done, err := once.Answered(ctx, state)
	copy(id[:], answer)
	return id, done, err
}

// acting is a context in which somebody acts: in the session that they came in, if
// it is theirs.
func acting(ctx context.Context, by syncproto.UserID) context.Context {
	if audit.ActingIn(ctx).User == by {
		return ctx
	}
	return audit.WithActing(ctx, audit.Acting{User: by})
}

// familyOf is a family by its reference, unless it is named itself.
func (s *Service) familyOf(family syncproto.FamilyID, reference string) syncproto.FamilyID {
	if reference == "" {
		return family
	}
	id, _ := s.cfg.Store.State().Ref("family", reference)
	return syncproto.FamilyID(id)
}

func (s *Service) newID() (id syncproto.ID, err error) {
	if _, err := io.ReadFull(s.cfg.Random, id[:]); err != nil {
		return id, fmt.Errorf("drawing an id: %w", err)
	}
	return id, nil
}

// propose writes entries down and returns the id of what was done; of a request that
// was carried out before, the one that it was answered with then.
func (s *Service) propose(ctx context.Context, id syncproto.ID, entries ...store.Entry) (syncproto.ID, error) {
	_, err := s.cfg.Ledger.Propose(ctx, func(tx *store.Tx) ([]store.Entry, error) {
		before, done, err := answered(ctx, tx.State())
		if done || err != nil {
			id = before
			return nil, err
		}
		return append(entries, once.Entry(ctx, tx.AtMS(), id[:])...), nil
	})
	if err != nil {
		return id, fmt.Errorf("writing an erasure down: %w", err)
	}
	return id, nil
}

func (s *Service) may(by syncproto.UserID) error {
	u, known := s.cfg.Store.State().User(by)
	if !known || u.Disabled || !access.MayErase(access.Role(u.Role)) {
		return syncproto.CodeForbidden
	}
	return nil
}

// mayAbout keeps those away from a family's file who are kept out of it: nobody
// erases, or holds, what is about a relative of theirs.
func (s *Service) mayAbout(by syncproto.UserID, family syncproto.FamilyID) error {
	bases := s.cfg.Store.State().StandingOf(by, family, s.cfg.Now().UnixMilli()).Bases
	if slices.Contains(bases, string(access.BasisDenied)) || slices.Contains(bases, string(access.BasisRelative)) {
		return refuse(syncproto.CodeForbidden, "you are kept out of this family: somebody else has to do this")
	}
	return nil
}

// scope finds the records that go.
func (s *Service) scope(e *store.EraseAskEntry) error {
	if e.Scope == ScopeFamily {
		e.Record = syncproto.RecordID{}
		e.Records = s.recordsOf(e.Family)
		if len(e.Records) == 0 {
			return syncproto.CodeNotFound
		}
		return nil
	}
	info, err := s.cfg.Store.RecordInfo(e.Record)
	if errors.Is(err, store.ErrNotFound) || err == nil && info.Gone > 0 {
		return syncproto.CodeNotFound
	}
	if err != nil {
		return fmt.Errorf("looking up what to erase: %w", err)
	}
	e.Family, e.Records = info.Family, []syncproto.RecordID{e.Record}
	switch {
	case e.Scope == ScopeRecord:
		return nil
	case e.Scope == ScopeChild && info.Kind == personKind:
		return s.addAbout(e)
	}
	return refuse(syncproto.CodeBadValue, "scope %q does not fit a record of kind %s", e.Scope, info.Kind)
}

// recordsOf lists the records of a family that have a key. What was typed about the
// family outside of them goes with the family's own key.
func (s *Service) recordsOf(family syncproto.FamilyID) []syncproto.RecordID {
	return slices.DeleteFunc(s.cfg.Keys.RecordsOf(family), func(r syncproto.RecordID) bool { return r == store.WordsKey(family).Record })
}

// hindrance says why what was asked for must not go yet; holds first. A court and
// what was unlawful from the beginning do not wait for a date of retention; for a
// legal hold everything waits.
func (s *Service) hindrance(e *store.EraseAskEntry) error {
	kinds := []store.HoldKind{store.HoldLegal}
	if e.Basis == BasisRetention {
		kinds = append(kinds, store.HoldRetention)
	}
	now, scheduled := s.cfg.Now(), false
	for _, record := range append([]syncproto.RecordID{e.Record}, e.Records...) {
		for _, kind := range kinds {
			if h, held := s.cfg.Store.State().HoldOn(kind, e.Family, record, now); held {
				return refuse(syncproto.CodeForbidden, "this must not be erased yet: %s", holdText(h))
			}
		}
		scheduled = scheduled || s.wasScheduled(e.Family, record)
	}
	for _, pair := range s.pairsOf(*e) {
		if h, held := s.cfg.Store.State().HoldOn(store.HoldLegal, pair.Family, pair.Record, now); held && pair.Family != e.Family {
			return refuse(syncproto.CodeForbidden, "what it was in another file, from which it was moved, must not be erased yet: %s", holdText(h))
		}
	}
	if e.Basis == BasisRetention {
		if err := s.stillKept(e, scheduled); err != nil {
			return err
		}
	}
	if e.Basis == BasisUnlawful {
		return nil
	}
	for _, record := range e.Records {
		if open, err := s.open(record); err != nil || open {
			return errors.Join(err, refuse(syncproto.CodeForbidden, "record %s is still open: it must be final, with nothing held or in quarantine", record))
		}
	}
	return nil
}

// wasScheduled reports whether a retention date was ever set and has passed.
func (s *Service) wasScheduled(family syncproto.FamilyID, record syncproto.RecordID) bool {
	_, was := s.cfg.Store.State().HoldOn(store.HoldRetention, family, record, time.UnixMilli(1))
	return was
}

// open reports whether people still work on a record: it can be made final and is
// not, or something of it waits. Nobody works on one that was moved to another file.
func (s *Service) open(record syncproto.RecordID) (bool, error) {
	info, err := s.cfg.Store.RecordInfo(record)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	waiting, err := s.cfg.Store.Unplaced(info.Family, record)
	kind, known := schema.Newest(info.Kind)
	final := info.Sealed > 0 || info.Gone > 0 || known && len(kind.Parts()) == 0 && kind.Part == ""
	return !final || len(waiting) > 0, err
}

// Confirm carries out what another person asked for. When it returns nil, the words
// are gone from this server. It fails as Ask does; with CodeNotFound also for what was
// answered already; and with CodeDiskFull or CodeUnavailable if it is decided, but the
// keys could not be destroyed: Finish does it as soon as that can be.
func (s *Service) Confirm(ctx context.Context, by syncproto.UserID, id syncproto.ID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, done, err := answered(ctx, s.cfg.Store.State()); done || err != nil {
		return errors.Join(err, s.destroy(s.confirmed(id))) // the first time may have ended before that
	}
	ask, err := s.asked(by, id)
	if err != nil {
		return err
	}
	if ask.Scope == ScopeFamily {
		ask.Records = s.recordsOf(ask.Family) // also what came since it was asked
	}
	if err := s.hindrance(&ask); err != nil {
		return err
	}
	pairs := s.pairsOf(ask)
	if _, err := s.propose(acting(ctx, by), ask.ID, s.erasures(ask, by, pairs)...); err != nil {
		return err
	}
	return s.destroy(pairs)
}

// pairsOf are the keys that go: with a record that came from a wrong file those of what it
// was there, which holds the same words.
func (s *Service) pairsOf(ask store.EraseAskEntry) []store.KeyPair {
	pairs := make([]store.KeyPair, 0, len(ask.Records)+1)
	for _, r := range ask.Records {
		pairs = append(pairs, store.KeyPair{Family: ask.Family, Record: r})
		for from, moved := s.cfg.Store.State().MovedFrom(r); moved; from, moved = s.cfg.Store.State().MovedFrom(from.Record) {
			if from.Family != ask.Family || ask.Scope != ScopeFamily { // else it is among them
				pairs = append(pairs, store.KeyPair{Family: from.Family, Record: from.Record})
			}
		}
	}
	if ask.Scope == ScopeFamily {
		pairs = append(pairs, store.KeyPair{Family: ask.Family})
	}
	return pairs
}

// erasures are the entries that say so.
func (s *Service) erasures(ask store.EraseAskEntry, by syncproto.UserID, pairs []store.KeyPair) []store.Entry {
	entries := make([]store.Entry, 0, len(pairs))
	for _, p := range pairs {
		e := store.EraseEntry{Ask: ask.ID, Scope: ask.Scope, Basis: ask.Basis, Family: p.Family, Record: p.Record,
			By: ask.By, Second: by, AtMS: s.cfg.Now().UnixMilli()}
		marked := p
		if p.Record.IsZero() {
			marked.Record = syncproto.RecordID(p.Family)
		}
		e.Mark = s.cfg.Keys.Mark(marked)
		entries = append(entries, e)
	}
	return entries
}

// confirmed lists what an erasure that was confirmed takes.
func (s *Service) confirmed(ask syncproto.ID) []store.KeyPair {
	var out []store.KeyPair
	for _, e := range s.cfg.Store.State().Erasures() {
		if e.Ask == ask {
			out = append(out, store.KeyPair{Family: e.Family, Record: e.Record})
		}
	}
	return out
}

// destroy takes words away for good. What is gone already is passed over. The caller
// holds mu.
func (s *Service) destroy(pairs []store.KeyPair) error {
	s.owed = append(s.owed, pairs...)
	return s.finish()
}

// Finish destroys what was decided and could not be destroyed then, as on a full disk.
// A server calls it every minute; a start does the same from what the journal says.
func (s *Service) Finish() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.finish()
}

// finish destroys what is owed: first it is put on the list. The caller holds mu.
func (s *Service) finish() error {
	if len(s.owed) == 0 {
		return nil
	}
	err := s.cfg.List.Add(s.owed)
	if err == nil {
		err = s.cfg.Keys.Destroy(s.owed)
	}
	if err == nil {
		s.owed = nil
		return nil
	}
	code := syncproto.CodeUnavailable
	if disk.IsFull(err) || errors.Is(err, syncproto.CodeDiskFull) {
		code = syncproto.CodeDiskFull
	}
	return &Refusal{Code: code, cause: err,
		Plain: "the erasure is decided and nobody is shown the words any more, but their keys could not be destroyed yet; the server tries again every minute"}
}

// Refuse ends what another person asked for.
func (s *Service) Refuse(ctx context.Context, by syncproto.UserID, id syncproto.ID) error {
	if _, done, err := answered(ctx, s.cfg.Store.State()); done || err != nil {
		return err
	}
	ask, err := s.asked(by, id)
	if err != nil {
		return err
	}
	ask.Refused = true
	_, err = s.propose(acting(ctx, by), ask.ID, ask)
	return err
}

// asked returns what another person asked for and nobody answered.
func (s *Service) asked(by syncproto.UserID, id syncproto.ID) (store.EraseAskEntry, error) {
	if err := s.may(by); err != nil {
		return store.EraseAskEntry{}, err
	}
	ask, known := s.cfg.Store.State().EraseAsk(id)
	done := slices.ContainsFunc(s.cfg.Store.State().Erasures(), func(e store.EraseEntry) bool { return e.Ask == id })
	switch {
	case !known || done || ask.Refused:
		return ask, syncproto.CodeNotFound
	case ask.By == by:
		return ask, refuse(syncproto.CodeForbidden, "another person has to answer what you asked for")
	}
	return ask, s.mayAbout(by, ask.Family)
}
