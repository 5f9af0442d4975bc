// Package reading shows a signed-in person the records they may read, online.
//
// Room is all of it: families, records, one record's view and history, which visits are
// due, what waits in quarantine, and what is found by its words. Each call asks access first, with the person's relations
// as they are at that moment. A record that the person may not read and one that
// does not exist are told apart by nobody: the same lookups are made and the same
// code is returned. The package changes nothing, and keeps nothing but, in memory, the
// words that searches look through (search.go).
package reading

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/retention"
	"doorstep/server/internal/store"
	"doorstep/server/internal/wording"
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// Family is one that a person may read, and on which footing.
type Family struct {
	ID    syncproto.FamilyID
	Basis []string
}

// Record is one record of a family.
type Record struct {
	ID     syncproto.RecordID
	Kind   string
	Sealed bool
}

// HistoryItem is one change of a record, as it was received.
type HistoryItem struct {
	Change     *syncproto.Change
	Device     syncproto.DeviceID
	Status     syncproto.ReceiptStatus
	Code       syncproto.Code
	Position   uint64
	ReceivedMS int64
}

// Room is where records are read. It is safe for concurrent use.
type Room struct {
	store  *store.Store
	now    func() time.Time
	visits atomic.Pointer[VisitRules]
	// retention is how long files are kept.
	retention atomic.Pointer[retention.Schedule]
	names     atomic.Pointer[wording.Names]

	shelves shelves
}

// New returns a Room over an open store. Relations hold by the time of now; visits are
// due as visits say.
func New(s *store.Store, now func() time.Time, visits VisitRules) *Room {
	r := &Room{store: s, now: now, shelves: shelves{families: map[syncproto.FamilyID]*shelf{}}}
	r.SetVisits(visits)
	r.SetRetention(nil)
	r.SetNames(wording.Names{})
	return r
}

// SetVisits has visits be due by other rules from now on.
func (r *Room) SetVisits(rules VisitRules) { r.visits.Store(&rules) }

// SetNames has things be called otherwise from now on.
func (r *Room) SetNames(n wording.Names) { r.names.Store(&n) }

// Names is what the borough calls things.
func (r *Room) Names() wording.Names { return *r.names.Load() }

// Name returns a person's name as colleagues see it; "" for nobody known.
func (r *Room) Name(id syncproto.UserID) string {
	u, _ := r.store.State().User(id)
	return u.Name
}

// Families lists the families that a person may read, by id, and the files of workers as
// workers.
func (r *Room) Families(ctx context.Context, user syncproto.UserID) ([]Family, error) {
	list := r.families(user)
	for _, h := range r.store.State().Access(user, r.now().UnixMilli()).Holdings {
		if !h.Reached() || len(r.readable(user, h.Family)) > 0 {
			continue
		}
		records, err := r.FamilyRecords(ctx, user, h.Family) // of which they may read their own alone
		if err != nil && !errors.Is(err, syncproto.CodeNotFound) {
			return nil, err
		}
		if len(records) > 0 {
			list = append(list, Family{ID: h.Family, Basis: h.Bases})
		}
	}
	return r.withOwnFiles(ctx, list, user)
}

// families are those of which a person may read records of some kind, by id.
func (r *Room) families(user syncproto.UserID) []Family {
	var out []Family
	for _, h := range r.store.State().Access(user, r.now().UnixMilli()).Holdings {
		if h.Reached() && len(r.readable(user, h.Family)) > 0 {
			out = append(out, Family{ID: h.Family, Basis: h.Bases})
		}
	}
	return out
}

// withOwnFiles adds the files of workers as workers that a person may read and that
// have something in them: their own, and those of whom they supervise.
func (r *Room) withOwnFiles(ctx context.Context, list []Family, user syncproto.UserID) ([]Family, error) {
	at := r.now().UnixMilli()
	for _, file := range r.store.State().OwnFiles(user, at) {
		if slices.ContainsFunc(list, func(f Family) bool { return f.ID == file }) {
			continue
		}
		records, err := r.FamilyRecords(ctx, user, file)
		if errors.Is(err, syncproto.CodeNotFound) || err == nil && len(records) == 0 {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, Family{ID: file, Basis: r.store.State().StandingOf(user, file, at).Bases})
	}
	slices.SortFunc(list, func(a, b Family) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return list, nil
}

// FamilyRecords lists a family's records, by id. It returns CodeNotFound for a
// family that the person may not read.
func (r *Room) FamilyRecords(_ context.Context, user syncproto.UserID, family syncproto.FamilyID) ([]Record, error) {
	kinds, own := r.readable(user, family), r.readableOwn(user, family)
	out, err := r.recordsOf(family, kinds)
	if err == nil && len(own) > 0 {
		var mine []Record
		mine, err = r.ownRecords(user, family, own)
		out = append(out, mine...)
	}
	if err != nil {
		return nil, fmt.Errorf("listing the records of a family: %w", err)
	}
	if len(kinds)+len(out) == 0 {
		return nil, syncproto.CodeNotFound
	}
	slices.SortFunc(out, func(a, b Record) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return out, nil
}

// ownRecords are a family's records of some kinds that a person may read because they
// wrote them.
func (r *Room) ownRecords(user syncproto.UserID, family syncproto.FamilyID, kinds []string) (out []Record, err error) {
	all, err := r.recordsOf(family, kinds)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		_, err := r.open(user, one.ID)
		if errors.Is(err, syncproto.CodeNotFound) || errors.Is(err, syncproto.CodeMisfiled) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// recordsOf lists a family's records of some kinds.
func (r *Room) recordsOf(family syncproto.FamilyID, kinds []string) (out []Record, err error) {
	err = r.store.Read(func(rd *store.Reader) error {
		for _, kind := range kinds {
			ids, err := rd.RecordsOf(family, kind)
			if err != nil {
				return err
			}
			for _, id := range ids {
				info, err := rd.RecordInfo(id)
				if err != nil {
					return err
				}
				out = append(out, Record{ID: id, Kind: kind, Sealed: info.Sealed != 0})
			}
		}
		return nil
	})
	return out, err
}

// Record returns a record's view with what is derived from its parts. It returns
// CodeNotFound for a record that the person may not read.
func (r *Room) Record(_ context.Context, user syncproto.UserID, record syncproto.RecordID) (*syncproto.View, error) {
	info, err := r.open(user, record)
	if err != nil {
		return nil, err
	}
	v, err := r.store.View(record)
	if errors.Is(err, store.ErrNotFound) { // all its changes are held or in quarantine
		return nil, syncproto.CodeNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading a record: %w", err)
	}
	if err := r.derive(info, v); err != nil {
		return nil, fmt.Errorf("deriving what a record adds up to: %w", err)
	}
	return v, nil
}

// History lists the changes of a record that count or came late, in the order in
// which the server received them. It returns CodeNotFound for a record that the
// person may not read.
func (r *Room) History(_ context.Context, user syncproto.UserID, record syncproto.RecordID) ([]HistoryItem, error) {
	if _, err := r.open(user, record); err != nil {
		return nil, err
	}
	var out []HistoryItem
	err := r.store.Read(func(rd *store.Reader) error {
		g, _, err := rd.Graph(record)
		if err == nil {
			out, err = historyOf(rd, g)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading a record's history: %w", err)
	}
	return out, nil
}

// historyOf is every change of a graph, in the order in which they were received.
func historyOf(rd *store.Reader, g *syncproto.Graph) ([]HistoryItem, error) {
	var out []HistoryItem
	for _, c := range g.Changes() {
		ref, err := rd.Change(c.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, HistoryItem{Change: c, Device: ref.Device, Status: ref.Status, Code: ref.Code,
			Position: ref.Position, ReceivedMS: ref.AtMS})
	}
	slices.SortFunc(out, func(a, b HistoryItem) int { return int(a.Position) - int(b.Position) })
	return out, nil
}

// open returns what a record is, or CodeNotFound if the person may not know.
func (r *Room) open(user syncproto.UserID, record syncproto.RecordID) (store.RecordInfo, error) {
	info, err := r.store.RecordOrNot(record)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return info, fmt.Errorf("looking up a record: %w", err)
	}
	// Asked for what does not exist as well, so that both take the same time.
	allowed, broken := r.mayOpen(r.asker(user, info.Family), user, info)
	if broken != nil {
		return info, broken
	}
	if err != nil || !allowed {
		return info, syncproto.CodeNotFound
	}
	if _, moved := r.store.State().Misfiled(record); moved && !r.store.State().IsErased(info.Family, record) {
		return info, syncproto.CodeMisfiled // who could read it is told why it is not there
	}
	if info.Gone > 0 {
		return info, syncproto.CodeNotFound
	}
	return info, nil
}

// mayOpen reports whether a person may read one record; what they wrote in it is looked at
// where that could let them.
func (r *Room) mayOpen(who access.Asker, user syncproto.UserID, info store.RecordInfo) (bool, error) {
	return who.MayReadOwn(info.Kind, user, func() ([]*syncproto.Change, error) {
		if info.Gone > 0 {
			return nil, nil
		}
		g, _, err := r.store.Graph(info.Record)
		if err != nil {
			return nil, fmt.Errorf("looking up who wrote a record: %w", err)
		}
		return g.Changes(), nil
	})
}

func (r *Room) asker(user syncproto.UserID, family syncproto.FamilyID) access.Asker {
	return access.AskerOf(access.Standing(r.store.State().StandingOf(user, family, r.now().UnixMilli())))
}

// readable lists the record kinds of a family that a person may read, sorted.
func (r *Room) readable(user syncproto.UserID, family syncproto.FamilyID) []string {
	return kindsRead(r.asker(user, family))
}

// readableOwn lists the record kinds of a family of which a person may read what they
// wrote themselves and nothing else, sorted.
func (r *Room) readableOwn(user syncproto.UserID, family syncproto.FamilyID) []string {
	who := r.asker(user, family)
	every := kindsRead(who)
	who.Authorship = access.AuthorBegan
	return slices.DeleteFunc(kindsRead(who), func(kind string) bool {
		_, known := slices.BinarySearch(every, kind)
		return known
	})
}

func kindsRead(who access.Asker) []string {
	var out []string
	for _, k := range schema.All() {
		if who.MayRead(k.ID).Allow && !slices.Contains(out, k.ID) {
			out = append(out, k.ID)
		}
	}
	slices.Sort(out)
	return out
}

// derive fills in what a visit adds up to, for the visit and for a child's part.
func (r *Room) derive(info store.RecordInfo, v *syncproto.View) error {
	kind, ok := schema.Newest(info.Kind)
	if !ok {
		return nil
	}
	if whole, isPart := kind.Whole(); isPart {
		id, ok := partOf(v, kind)
		if !ok {
			return nil
		}
		household, err := r.store.View(id)
		if errors.Is(err, store.ErrNotFound) || err == nil && (household.Kind != whole.ID || household.Family != info.Family) {
			return nil
		}
		if err != nil {
			return err
		}
		syncproto.Derive(household, []*syncproto.View{v})
		return nil
	}
	syncproto.Derive(v, nil)
	return nil
}

// partOf returns the record that a part belongs to.
func partOf(v *syncproto.View, kind *schema.Kind) (syncproto.RecordID, bool) {
	f, ok := v.Field(kind.Part)
	if !ok {
		return syncproto.RecordID{}, false
	}
	b, ok := f.Value.AsBytes()
	if !ok || len(b) != len(syncproto.RecordID{}) {
		return syncproto.RecordID{}, false
	}
	return syncproto.RecordID(b), true
}
