package reading

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"doorstep/server/internal/search"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// Hit is a record that a search found.
type Hit struct {
	Record syncproto.RecordID
	Family syncproto.FamilyID
	Kind   string
	// Last is the position of the record's newest news, by which hits are in order.
	Last uint64
}

// Piece is a stretch of an excerpt.
type Piece = search.Piece

// MaxQueryWords is how many words of a query count.
const MaxQueryWords = 8

// MaxHits is how many hits a search returns at most. Who gets more looks for something
// else too.
const MaxHits = 1000

// shelves are the words of every family's records, in memory alone: they are content. They
// follow from the views, are made when they are first asked for, or before by Look, and
// anew when the family has news.
type shelves struct {
	mu       sync.Mutex // guards what follows
	families map[syncproto.FamilyID]*shelf
	bytes    int // of all of them
}

// maxShelfBytes bounds what searches keep in memory: the words of about a quarter of a
// million records of a page each. What has no room is made anew at each search.
const maxShelfBytes = 256 << 20

// shelf is the words of one family's records, up to its news.
type shelf struct {
	news    uint64
	records []Hit
	words   *search.Shelf
}

// Search finds records by the words in them, in what a person may read and nothing else:
// names first, then what is newest. All is how many there are, of which MaxHits are
// returned. A query of no words finds nothing.
func (r *Room) Search(ctx context.Context, user syncproto.UserID, text string) (hits []Hit, all int, err error) {
	query := search.Query(text, MaxQueryWords)
	if len(query) == 0 {
		return nil, 0, nil
	}
	for _, family := range r.reached(user) {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		may := r.kindsOf(user, family)
		if len(may.kinds)+len(may.own) == 0 {
			continue
		}
		s, err := r.shelf(family)
		if err != nil {
			return nil, 0, err
		}
		mine, err := r.written(user, family, s, may.own)
		if err != nil {
			return nil, 0, err
		}
		for _, n := range s.words.Find(query, func(n int) bool { return may.reads(s.records[n].Kind) || mine[n] }) {
			hits = append(hits, s.records[n])
		}
	}
	slices.SortFunc(hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(rank(a.Kind), rank(b.Kind)), cmp.Compare(b.Last, a.Last), slices.Compare(a.Record[:], b.Record[:]))
	})
	return hits[:min(len(hits), MaxHits)], len(hits), nil
}

// rank puts who is meant before what is said of them.
func rank(kind string) int {
	switch kind {
	case "family":
		return 0
	case "person":
		return 1
	}
	return 2
}

func names(kind string) bool { return kind == "family" || kind == "person" }

// reached are the families that a person has a footing with, and the files of workers
// that are theirs to read.
func (r *Room) reached(user syncproto.UserID) []syncproto.FamilyID {
	at := r.now().UnixMilli()
	var out []syncproto.FamilyID
	for _, h := range r.store.State().Access(user, at).Holdings {
		if h.Reached() {
			out = append(out, h.Family)
		}
	}
	for _, file := range r.store.State().OwnFiles(user, at) {
		if !slices.Contains(out, file) {
			out = append(out, file)
		}
	}
	return out
}

// mayRead is which kinds of a family's records a person may read: all of them, or those
// alone that they wrote.
type mayRead struct{ kinds, own []string }

func (m mayRead) reads(kind string) bool {
	_, found := slices.BinarySearch(m.kinds, kind)
	return found
}

func (r *Room) kindsOf(user syncproto.UserID, family syncproto.FamilyID) mayRead {
	return mayRead{r.readable(user, family), r.readableOwn(user, family)}
}

// written are the places on a shelf of those records of some kinds that a person may read
// because they wrote them.
func (r *Room) written(user syncproto.UserID, family syncproto.FamilyID, s *shelf, kinds []string) (map[int]bool, error) {
	out := map[int]bool{}
	who := r.asker(user, family)
	for n := range s.records {
		if _, own := slices.BinarySearch(kinds, s.records[n].Kind); !own {
			continue
		}
		info, err := r.store.RecordInfo(s.records[n].Record)
		if err != nil {
			return nil, err
		}
		if out[n], err = r.mayOpen(who, user, info); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Look brings what a search of a family's records looks through up to the family's news.
// Search does so too, for whom it is about: whoever looks before spares them the wait.
// Where there is no room left it does nothing.
func (r *Room) Look(family syncproto.FamilyID) error {
	r.shelves.mu.Lock()
	full := r.shelves.bytes > maxShelfBytes*9/10
	r.shelves.mu.Unlock()
	if full {
		return nil
	}
	_, err := r.shelf(family)
	return err
}

// Forget drops what searches of some families look through: something of them was erased.
func (r *Room) Forget(families []syncproto.FamilyID) {
	r.shelves.mu.Lock()
	defer r.shelves.mu.Unlock()
	for _, f := range families {
		r.shelves.drop(f)
	}
}

// drop takes a shelf away; mu is held.
func (x *shelves) drop(f syncproto.FamilyID) {
	if s := x.families[f]; s != nil {
		x.bytes -= s.size()
		delete(x.families, f)
	}
}

// keep puts a shelf where the one before was; without room for it, others give way. mu is
// held.
func (x *shelves) keep(family syncproto.FamilyID, s *shelf) {
	x.drop(family)
	for f := range x.families {
		if x.bytes+s.size() <= maxShelfBytes {
			break
		}
		x.drop(f)
	}
	x.families[family] = s
	x.bytes += s.size()
}

func (s *shelf) size() int { return s.words.Bytes() + len(s.records)*int(unsafe.Sizeof(Hit{})) }

// SearchBytes is how much memory searches take, about.
func (r *Room) SearchBytes() (bytes, records int) {
	r.shelves.mu.Lock()
	defer r.shelves.mu.Unlock()
	for _, s := range r.shelves.families {
		records += len(s.records)
	}
	return r.shelves.bytes, records
}

// shelf is the words of a family's records as they stand.
func (r *Room) shelf(family syncproto.FamilyID) (*shelf, error) {
	news := r.store.State().News(family) // first: what is read after it is not older
	r.shelves.mu.Lock()
	s := r.shelves.families[family]
	r.shelves.mu.Unlock()
	if s != nil && s.news == news {
		return s, nil
	}
	s, err := r.fill(family)
	if err != nil {
		return nil, fmt.Errorf("reading a family's words: %w", err)
	}
	s.news = news
	r.shelves.mu.Lock()
	defer r.shelves.mu.Unlock()
	if r.store.State().News(family) == news { // nothing was erased since
		r.shelves.keep(family, s)
	}
	return s, nil
}

func (r *Room) fill(family syncproto.FamilyID) (*shelf, error) {
	s := &shelf{}
	var texts []search.Record
	for _, kind := range schema.All() {
		if newest, _ := schema.Newest(kind.ID); newest != kind {
			continue
		}
		ids, err := r.store.RecordsOf(family, kind.ID)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			info, err := r.store.RecordInfo(id)
			if err != nil {
				return nil, err
			}
			v, err := r.store.View(id)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			s.records = append(s.records, Hit{Record: id, Family: family, Kind: kind.ID, Last: info.Last})
			texts = append(texts, search.Record{Text: strings.Join(append(said(kind, v), r.titleOf(info, v)), "\n"), Names: names(kind.ID)})
		}
	}
	s.words = search.Build(texts)
	return s, nil
}

// Excerpt is the stretch of a record that a search found it by; nil where its title alone
// is, or the family's name, or the person may not read it.
func (r *Room) Excerpt(user syncproto.UserID, record syncproto.RecordID, text string) []Piece {
	info, err := r.open(user, record)
	if err != nil {
		return nil
	}
	v, err := r.store.View(record)
	if err != nil {
		return nil
	}
	kind, ok := schema.Newest(info.Kind)
	if !ok {
		return nil
	}
	query := search.Query(text, MaxQueryWords)
	for _, s := range said(kind, v) {
		if e := search.Excerpt(s, query); e != nil {
			return e
		}
	}
	return nil
}

// said are the texts of a record that people typed: not what they picked from a list.
func said(kind *schema.Kind, v *syncproto.View) []string {
	var out []string
	for i := range v.Fields {
		fv := &v.Fields[i]
		f, ok := kind.Field(fv.Field)
		if !ok {
			continue
		}
		out = appendSaid(out, f, fv.Text, fv.Value)
		for j := range fv.Slots {
			out = appendSaid(out, f, fv.Slots[j].Text, fv.Slots[j].Value)
		}
		for j := range fv.Items {
			for k := range fv.Items[j].Fields {
				part := &fv.Items[j].Fields[k]
				if sub, ok := f.SubField(part.Field); ok {
					out = appendSaid(out, sub, part.Text, part.Value)
				}
			}
		}
	}
	for i := range v.Conflicts {
		c := &v.Conflicts[i]
		if f, ok := kind.At(c.Path.Field, c.Path.Sub); ok {
			for _, side := range c.Sides {
				out = appendSaid(out, f, "", side.Value)
			}
		}
	}
	for _, q := range v.Workflow.Queries {
		out = append(out, q.Question, q.Answer)
	}
	for i := range v.Addenda {
		out = append(out, v.Addenda[i].Text)
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

// appendSaid adds what a field says in words.
func appendSaid(out []string, f *schema.Field, text string, value cbor.Value) []string {
	out = append(out, text)
	switch f.Type {
	case schema.TypeLine, schema.TypeProse:
		said, _ := value.AsText()
		return append(out, said)
	case schema.TypeStruct:
		for i := range f.Sub {
			part, _ := value.Get(f.Sub[i].ID)
			out = appendSaid(out, &f.Sub[i], "", part)
		}
	}
	return out
}
