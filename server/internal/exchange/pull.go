package exchange

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"doorstep/server/internal/access"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// How a page is made, and why nothing is missed.
//
// Relations are taken at one moment, the head of the page, and nothing beyond
// that position is handed out. First they are held against those that the device
// knows of (cursor.relations): for a family that it may hold now and had not comes
// a grant, and the family's rows up to cursor.walked, as back-fill; then
// cursor.relations is the head. For a family that its user may hold no more comes
// a purge: when the cursor says that the device had it, and on every page until
// the device has signed that it is gone. So neither a lost cursor nor the word of
// a cloned device leaves a file where it must not be. While back-fill is left, cursor.walked stays. After it comes the walk: the
// rows after cursor.walked, of all families held, in the journal's order.
//
// So at every cursor, for each family held as of cursor.relations, the device was
// sent each row up to cursor.walked, except those after fill.after of a family
// that is still being filled. Then come the device's own news (ownnews.go). A relation that ended and came back between two
// pages changes nothing: the device heard of neither. Rows are only added behind
// the head, so a row can neither slip in before walked nor change.

// maxPageItems bounds a page of very small rows.
const maxPageItems = 4096

// page is what one reply hands out.
type page struct {
	items  []syncproto.Item
	shown  []store.KeyPair // whose changes are among the items
	cursor cursor
	more   bool
}

// pull makes the next page of the caller's feed. have are the positions of changes
// that the device sent with this very request: it holds them, so they are left out,
// unless their family is new to it.
func (x *Exchange) pull(ctx context.Context, caller Caller, c cursor, have map[uint64]bool, size uint64) (page, error) {
	state := x.cfg.Store.State()
	for range 3 {
		acc := state.Access(caller.User, x.cfg.Now().UnixMilli())
		owed := state.PurgesOwed(x.believes(c), caller.Device, acc)
		if x.revoked(caller.Device) {
			return x.custodyPage(caller, acc, owed, c)
		}
		if caller.CustodyOnly && !x.accessEnded(caller) {
			return page{}, syncproto.CodeUnauthenticated
		}
		p, err := x.makePage(ctx, acc, owed, pulling{caller.Device, c, have, size})
		if err != nil {
			return page{}, err
		}
		after := state.Access(caller.User, x.cfg.Now().UnixMilli())
		if after.ChangedAt == acc.ChangedAt && !turned(acc, after) && !x.revoked(caller.Device) {
			return p, nil
		}
		// Access changed while the page was made: what the device may not hold any
		// more must not leave.
	}
	return page{cursor: c, more: true}, nil
}

// believes is the epoch whose purge receipts count for a device with a cursor. Without
// one none does: it may be a clone of the device that signed them, with all that the
// other removed.
func (x *Exchange) believes(c cursor) syncproto.Epoch {
	if c.relations == 0 {
		return syncproto.Epoch{}
	}
	return x.Epoch()
}

// turned reports whether the clock ended something while a page was made.
func turned(before, after store.Access) bool {
	for i, h := range before.Holdings { // of the same families: no entry came between
		if h.Held() && !after.Holdings[i].Held() {
			return true
		}
	}
	return false
}

// pageMaker fills one page.
type pageMaker struct {
	x      *Exchange
	ctx    context.Context
	reader *store.Reader
	acc    store.Access
	have   map[uint64]bool
	fresh  map[syncproto.FamilyID]bool // granted on this page
	may    map[mayKey]bool             // decisions taken on this page
	budget int                         // bytes left
	page   page
}

type mayKey struct {
	family syncproto.FamilyID
	kind   string
}

// pulling is what a page is asked for with.
type pulling struct {
	device syncproto.DeviceID
	cursor cursor
	have   map[uint64]bool
	size   uint64 // wanted, bytes; 0: as many as there may be
}

// revoked reports whether a device was revoked: it may only send.
func (x *Exchange) revoked(device syncproto.DeviceID) bool {
	d, _ := x.cfg.Store.State().Device(device)
	return d.RevokedMS != 0
}

// accessEnded reports whether a caller may only send. Somebody whose account is
// disabled holds no family, so their page has nothing but purges and own news.
func (x *Exchange) accessEnded(caller Caller) bool {
	u, known := x.cfg.Store.State().User(caller.User)
	return !known || u.Disabled || x.revoked(caller.Device)
}

func (x *Exchange) makePage(ctx context.Context, acc store.Access, owed []syncproto.Purged, ask pulling) (page, error) {
	budget, c := syncproto.PageBytes, ask.cursor
	if ask.size > 0 && ask.size < syncproto.PageBytes {
		budget = int(ask.size)
	}
	c.fills = slices.Clone(c.fills)
	m := &pageMaker{
		x: x, ctx: ctx, acc: acc, have: ask.have, budget: budget, page: page{cursor: c, items: purgeItems(owed)},
		fresh: map[syncproto.FamilyID]bool{}, may: map[mayKey]bool{},
	}
	m.relations()
	err := x.cfg.Store.Read(func(r *store.Reader) error {
		m.reader = r
		if done, err := m.backfill(); err != nil || !done {
			return err
		}
		if err := m.walk(); err != nil || m.page.more {
			return err
		}
		return m.own(ask.device)
	})
	return m.page, err
}

// relations says what the device may hold now and did not, and the reverse, beside
// the purges that are owed.
func (m *pageMaker) relations() {
	c := &m.page.cursor
	for _, h := range m.acc.Holdings {
		had := h.HeldAt(c.relations, c.relationsMS)
		position := h.ChangedAt
		if position <= c.relations { // it was the clock
			position = m.acc.Head
		}
		switch {
		case h.Held() && (!had || h.ChangedAt > c.relations):
			m.page.items = append(m.page.items, syncproto.Item{
				Type: syncproto.ItemGrant, Position: position, Family: h.Family, Basis: foremost(h.Bases),
			})
			if !had {
				m.fresh[h.Family] = true
				c.fills = append(c.fills, fill{family: h.Family})
			}
		case had && !h.Held():
			m.purge(h)
			c.fills = slices.DeleteFunc(c.fills, func(f fill) bool { return f.family == h.Family })
		}
	}
	slices.SortStableFunc(m.page.items, func(a, b syncproto.Item) int { return cmp.Compare(a.Position, b.Position) })
	c.relations, c.relationsMS = m.acc.Head, m.acc.AtMS
	if c.walked == 0 {
		c.fills = nil // the walk brings everything
	}
	if len(c.fills) > maxFills {
		// More than a cursor holds: begin the walk again. The device knows the rest.
		c.fills, c.walked = nil, 0
	}
}

// purge puts a purge on the page that is not there yet.
func (m *pageMaker) purge(h store.Holding) {
	there := slices.ContainsFunc(m.page.items, func(it syncproto.Item) bool {
		return it.Type == syncproto.ItemPurge && it.Family == h.Family
	})
	if !there {
		m.page.items = append(m.page.items, syncproto.Item{Type: syncproto.ItemPurge, Position: m.acc.EndedAt(h), Family: h.Family})
	}
}

// foremost picks the basis that says most about a person's part in a family.
func foremost(bases []string) string {
	for _, basis := range []string{"LEAD", "CO", "COVER", "JOINT", "PA", "MANAGER", "COORD"} {
		if slices.Contains(bases, basis) {
			return basis
		}
	}
	return bases[0]
}

// backfill hands out the earlier rows of new families. It reports whether none
// are left.
func (m *pageMaker) backfill() (bool, error) {
	c := &m.page.cursor
	for len(c.fills) > 0 {
		f := &c.fills[0]
		rows := feed{reader: m.reader, family: f.family, after: f.after, upTo: c.walked}
		for {
			row, ok, err := rows.peek()
			if err != nil {
				return false, err
			}
			if !ok {
				break
			}
			if full, err := m.hand(f.family, row, nil); err != nil || full {
				m.page.more = true
				return false, err
			}
			f.after = row.Position
			rows.next()
		}
		c.fills = c.fills[1:]
	}
	return true, nil
}

// walk hands out the rows after cursor.walked of all families, in order.
func (m *pageMaker) walk() error {
	c := &m.page.cursor
	feeds := m.feedsWithNews()
	for len(feeds) > 0 {
		first, err := earliest(&feeds)
		if err != nil {
			return err
		}
		if first == nil {
			break
		}
		row, _, err := first.peek()
		if err != nil {
			return err
		}
		if full, err := m.hand(first.family, row, m.have); err != nil || full {
			m.page.more = true
			return err
		}
		c.walked = row.Position
		first.next()
	}
	c.walked = m.acc.Head
	return nil
}

// feedsWithNews opens the feeds of the families that have any; the others cost
// nothing, however many rows they have.
func (m *pageMaker) feedsWithNews() []*feed {
	var feeds []*feed
	state, c := m.x.cfg.Store.State(), m.page.cursor
	for _, h := range m.acc.Holdings {
		last := state.News(h.Family)
		if h.Held() && last > c.walked {
			feeds = append(feeds, &feed{reader: m.reader, family: h.Family, after: c.walked, upTo: m.acc.Head, last: last})
		}
	}
	return feeds
}

// earliest returns the feed whose next row comes first, dropping those that are
// at their end; nil if all are.
func earliest(feeds *[]*feed) (*feed, error) {
	var first *feed
	var at uint64
	left := (*feeds)[:0]
	for _, f := range *feeds {
		row, ok, err := f.peek()
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		left = append(left, f)
		if first == nil || row.Position < at {
			first, at = f, row.Position
		}
	}
	*feeds = left
	return first, nil
}

// hand puts a row on the page. It reports whether the page is full instead: the
// first row always finds room. have are changes to leave out.
func (m *pageMaker) hand(family syncproto.FamilyID, row store.FeedRef, have map[uint64]bool) (full bool, err error) {
	if err := m.ctx.Err(); err != nil {
		return false, err
	}
	items, err := m.itemsOf(family, row, have)
	if err != nil {
		return false, fmt.Errorf("handing out entry %d: %w", row.Position, err)
	}
	size := 0
	for _, it := range items {
		size += 96 + len(it.Body)
	}
	if len(m.page.items)+len(items) > maxPageItems || size > m.budget && m.handedRows() {
		return true, nil
	}
	m.budget -= size
	m.page.items = append(m.page.items, items...)
	return false, nil
}

// handedRows reports whether the page has a row already, not grants alone.
func (m *pageMaker) handedRows() bool {
	n := len(m.page.items)
	return n > 0 && m.page.items[n-1].Type <= syncproto.ItemVerdict
}

// itemsOf turns a row into what the device gets: nothing if the reader may not
// read such records, a change, a verdict, or a change and the verdict that
// places it.
func (m *pageMaker) itemsOf(family syncproto.FamilyID, row store.FeedRef, have map[uint64]bool) ([]syncproto.Item, error) {
	if row.Type == store.FeedGone {
		return m.goneItem(family, row)
	}
	var items []syncproto.Item
	if row.Type != store.FeedVerdict && (!have[row.Change] || m.fresh[family]) {
		e, err := m.reader.ChangeEntry(row.Change)
		if err != nil {
			return nil, err
		}
		if !m.mayCarry(family, e.Kind) {
			return nil, nil
		}
		if gone, err := m.gone(e.Record); err != nil || gone {
			return nil, err
		}
		body, err := store.OpenChange(m.x.cfg.Keys, e)
		if err != nil {
			return nil, err
		}
		items = append(items, syncproto.Item{
			Type: syncproto.ItemChange, Position: row.Position, AtMS: e.AtMS, Prev: e.Prev, Body: body,
			Device: e.Device, Proof: m.x.proofOf(e.ID, e.Device),
		})
		if r := (store.KeyPair{Family: e.Family, Record: e.Record}); len(m.page.shown) == 0 || m.page.shown[len(m.page.shown)-1] != r {
			m.page.shown = append(m.page.shown, r)
		}
	}
	if row.Type == store.FeedChange {
		return items, nil
	}
	v, err := m.reader.Verdict(row.Position)
	if err != nil {
		return nil, err
	}
	info, err := m.reader.RecordInfo(v.Record)
	if err != nil {
		return nil, err
	}
	if info.Gone > 0 {
		return nil, nil
	}
	if !m.mayCarry(family, info.Kind) {
		return nil, nil
	}
	return append(items, syncproto.Item{Type: syncproto.ItemVerdict, Position: row.Position, AtMS: v.AtMS, Verdict: &v}), nil
}

// mayCarry asks access whether the reader may have records of a kind on a tablet,
// once a page.
func (m *pageMaker) mayCarry(family syncproto.FamilyID, kind string) bool {
	k := mayKey{family, kind}
	allowed, known := m.may[k]
	if !known {
		h, _ := m.acc.Holding(family)
		standing := m.x.cfg.Store.State().StandingOf(m.acc.User, family, m.acc.AtMS)
		allowed = h.Held() && access.AskerOf(access.Standing(standing)).MayCarry(kind).Allow
		m.may[k] = allowed
	}
	return allowed
}

// feed reads a family's rows in stretches.
type feed struct {
	reader *store.Reader
	family syncproto.FamilyID
	after  uint64 // rows up to here were taken
	upTo   uint64
	last   uint64 // position of the family's last row, if known: it must come

	rows []store.FeedRef
	end  bool
}

const stretchRows = 128

// peek returns the next row; false at the end.
func (f *feed) peek() (store.FeedRef, bool, error) {
	if len(f.rows) == 0 && !f.end {
		if err := f.load(); err != nil {
			return store.FeedRef{}, false, err
		}
	}
	if len(f.rows) == 0 {
		return store.FeedRef{}, false, nil
	}
	return f.rows[0], true, nil
}

// next takes the row that peek returned.
func (f *feed) next() {
	f.after = f.rows[0].Position
	f.rows = f.rows[1:]
}

func (f *feed) load() error {
	err := f.reader.Feed(f.family, f.after, f.upTo, func(row store.FeedRef) bool {
		f.rows = append(f.rows, row)
		return len(f.rows) < stretchRows
	})
	if err != nil {
		return fmt.Errorf("reading a feed: %w", err)
	}
	f.end = len(f.rows) < stretchRows
	if f.end && f.last > 0 && f.last <= f.upTo {
		newest := f.after
		if len(f.rows) > 0 {
			newest = f.rows[len(f.rows)-1].Position
		}
		if newest != f.last {
			return f.reader.Lacks(f.family)
		}
	}
	return nil
}
