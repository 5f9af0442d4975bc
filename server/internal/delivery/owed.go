package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"doorstep/server/internal/access"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// What made a version of a record.
const (
	ChangeFinal         = "final"
	ChangeAddendum      = "addendum"
	ChangeCorrection    = "correction"
	ChangeLateEntry     = "late_entry"
	ChangeRectification = "rectification"
	ChangeErased        = "erased"   // the last: there is nothing in it
	ChangeMisfiled      = "misfiled" // likewise: it was in the wrong family's file
)

// Owed is a version of a record that has not arrived.
type Owed struct {
	Record  syncproto.RecordID
	Family  syncproto.FamilyID
	Kind    string // empty for what is gone
	Version int    // from 1, the sealed one
	Last    int    // the newest version that there is
	Change  string // what made it
	SinceMS int64  // when it came to be
	Basis   string // of an erasure
	Held    bool   // the file is restricted: it stays here
	Ready   bool   // it lies where the other side fetches it
	Refused int    // HTTP status, if the other side refused it
}

// gone reports whether the version says that there is nothing any more.
func (o Owed) gone() bool { return o.Change == ChangeErased || o.Change == ChangeMisfiled }

// ID is the bundle's.
func (o Owed) ID() string { return bundleID(o.Record, o.Version) }

func bundleID(record syncproto.RecordID, version int) string {
	return record.String() + "-" + strconv.Itoa(version)
}

// found is what was seen of the borough's records.
type found struct {
	families map[syncproto.FamilyID]familyFound
	gone     []goneRecord
	complete bool
}

// goneRecord is one that was erased, or moved out of the wrong family's file.
type goneRecord struct {
	record syncproto.RecordID
	family syncproto.FamilyID
	change string
	basis  string // of an erasure
	atMS   int64
}

// goneFrom lists what is gone: of a record that was moved and then erased, the erasure.
func goneFrom(state *store.State) []goneRecord {
	var out []goneRecord
	for _, e := range state.Erasures() {
		out = append(out, goneRecord{record: e.Record, family: e.Family, change: ChangeErased, basis: e.Basis, atMS: e.AtMS})
	}
	for _, e := range state.Misfiles() {
		if !state.IsErased(e.Family, e.Record) {
			out = append(out, goneRecord{record: e.Record, family: e.Family, change: ChangeMisfiled, atMS: e.AtMS})
		}
	}
	return out
}

type familyFound struct {
	news    uint64
	records []finalRecord
}

// finalRecord is one that is final, and when each of its versions came to be.
type finalRecord struct {
	record syncproto.RecordID
	family syncproto.FamilyID
	kind   string
	atMS   []int64
	what   []string // what made each
}

// look reads families with news, of the others nothing.
func (s *Service) look(ctx context.Context) error {
	state := s.cfg.Store.State()
	most, complete := familiesAtOnce, true
	for family, news := range state.AllNews() {
		if known, is := s.known(family); is && known.news == news {
			continue
		}
		if most--; most < 0 {
			complete = false
			break
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		records, err := s.finals(family)
		if err != nil {
			return fmt.Errorf("looking for final records: %w", err)
		}
		s.mu.Lock()
		s.found.families[family], s.owing = familyFound{news, records}, nil
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if gone := goneFrom(state); !slices.Equal(gone, s.found.gone) {
		s.found.gone, s.owing = gone, nil
	}
	s.found.complete = complete
	return nil
}

func (s *Service) known(family syncproto.FamilyID) (familyFound, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.found.families[family]
	return f, ok
}

// leaves reports whether records of a kind go to the case-management system.
func (s *Service) leaves(k *schema.Kind) bool {
	newest, _ := schema.Newest(k.ID)
	return k == newest && k.Finalises && access.MayDeliver(k.ID) && (len(s.cfg.Kinds) == 0 || slices.Contains(s.cfg.Kinds, k.ID))
}

// finals are the final records of a family.
func (s *Service) finals(family syncproto.FamilyID) (out []finalRecord, err error) {
	for _, k := range schema.All() {
		if !s.leaves(k) {
			continue
		}
		records, err := s.cfg.Store.RecordsOf(family, k.ID)
		if err != nil {
			return nil, err
		}
		for _, record := range records {
			r, ok, err := s.finalOf(record)
			if err != nil {
				return nil, err
			}
			if ok {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// finalOf says when each version of a record came to be; false: it is not final, or gone.
func (s *Service) finalOf(record syncproto.RecordID) (finalRecord, bool, error) {
	info, err := s.cfg.Store.RecordInfo(record)
	if err != nil || info.Sealed == 0 || info.Gone != 0 {
		return finalRecord{}, false, err
	}
	v, err := s.cfg.Store.View(record)
	if errors.Is(err, store.ErrNotFound) {
		return finalRecord{}, false, nil // erased meanwhile
	}
	if err != nil || v.Seal == nil || v.Seal.AtMS < s.cfg.SinceMS {
		return finalRecord{}, false, err
	}
	out := finalRecord{record: record, family: info.Family, kind: info.Kind, atMS: []int64{v.Seal.AtMS}, what: []string{ChangeFinal}}
	after, err := s.after(v)
	for _, a := range after {
		out.atMS, out.what = append(out.atMS, a.receivedMS), append(out.what, a.change)
	}
	return out, err == nil, err
}

// after is what was added to a final record, and came to be a version of it.
type after struct {
	syncproto.Addendum
	change     string
	receivedMS int64
	position   uint64
	late       *syncproto.Addendum // that it takes on
}

// after lists what was added to a final record in the order of the journal, which no
// rebuild changes: the n-th made version n+1. What came late and nobody took on is no
// part of the record yet.
func (s *Service) after(v *syncproto.View) ([]after, error) {
	var out []after
	for i := range v.Addenda {
		a := v.Addenda[i]
		if a.Late {
			continue
		}
		ref, err := s.cfg.Store.Change(a.By.Change)
		if err != nil {
			return nil, fmt.Errorf("looking up what was added: %w", err)
		}
		one := after{Addendum: a, receivedMS: ref.AtMS, position: ref.Position}
		one.change, one.late = natureOf(v, &v.Addenda[i])
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(a, b after) int { return cmp.Compare(a.position, b.position) })
	return out, nil
}

// owes is the first version of a record that has not arrived; false: all have.
func (s *Service) owes(r finalRecord) (Owed, bool) {
	given := s.cfg.Receipts.Of(r.record)
	if given.Gone {
		return Owed{}, false
	}
	o := Owed{Record: r.record, Family: r.family, Kind: r.kind, Version: given.Version + 1, Last: len(r.atMS), Refused: s.waits[r.record].status}
	if given.Version > 0 && !given.Taken {
		o.Version, o.Ready = given.Version, true
	}
	if o.Version > o.Last {
		return Owed{}, false
	}
	o.SinceMS, o.Change = r.atMS[o.Version-1], r.what[o.Version-1]
	if o.Ready && o.Version < o.Last { // the next need not wait until this one is fetched
		o.Ready, o.Version = false, o.Version+1
		o.SinceMS, o.Change = r.atMS[o.Version-1], r.what[o.Version-1]
	}
	return o, true
}

// owesWord reports whether the other side has to be told that a record is gone: it has it,
// and does not know.
func (s *Service) owesWord(e goneRecord) (Owed, bool) {
	given := s.cfg.Receipts.Of(e.record)
	o := Owed{Record: e.record, Family: e.family, Version: given.Version + 1, Last: given.Version + 1, Change: e.change, SinceMS: e.atMS, Basis: e.basis,
		Refused: s.waits[e.record].status}
	if given.Gone {
		o.Version, o.Last, o.Ready = given.Version, given.Version, true
		return o, !given.Taken
	}
	return o, given.Version > 0
}

// Waiting lists what has not arrived, of the records that a person may read.
func (s *Service) Waiting(user syncproto.UserID) []Owed {
	return slices.DeleteFunc(s.Owed(), func(o Owed) bool { return !s.mayRead(user, o.Family, o.Kind) })
}

// Arrival is a version that the other side has.
type Arrival struct {
	Receipt
	Kind   string
	Family syncproto.FamilyID
}

// Arrived lists what arrived last, the newest first, of the records that a person may read.
func (s *Service) Arrived(user syncproto.UserID, most int) ([]Arrival, error) {
	var out []Arrival
	for _, r := range s.cfg.Receipts.Newest(1 << 30) {
		if len(out) == most {
			break
		}
		info, err := s.cfg.Store.RecordInfo(r.Record)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("looking up what arrived: %w", err)
		}
		if info.Gone == 0 && s.mayRead(user, info.Family, info.Kind) {
			out = append(out, Arrival{Receipt: r, Kind: info.Kind, Family: info.Family})
		}
	}
	return out, nil
}

func (s *Service) mayRead(user syncproto.UserID, family syncproto.FamilyID, kind string) bool {
	who := access.AskerOf(access.Standing(s.cfg.Store.State().StandingOf(user, family, s.cfg.Now().UnixMilli())))
	return kind != "" && who.MayRead(kind).Allow
}
