package exchange

import (
	"errors"
	"fmt"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Own news are verdicts on what the caller sent from this very device, whatever
// they may read by now: else a worker who lost a family would see "waiting" for
// ever beside words that a reviewer locked away or let in. They tell what became of
// the change and no more: neither family nor record, nor who decided.

// custodyPage is all that goes to a device that may only send: what it has to
// remove, and what became of its own words.
func (x *Exchange) custodyPage(caller Caller, acc store.Access, owed []syncproto.Purged, c cursor) (page, error) {
	c.relations, c.relationsMS = acc.Head, acc.AtMS
	m := &pageMaker{x: x, acc: acc, page: page{cursor: c, items: purgeItems(owed)}}
	err := x.cfg.Store.Read(func(r *store.Reader) error {
		m.reader = r
		return m.own(caller.Device)
	})
	return m.page, err
}

// own hands out the device's own news. It comes after the walk, so that what the
// feed has brought already can be left out.
func (m *pageMaker) own(device syncproto.DeviceID) error {
	c := &m.page.cursor
	positions, err := m.reader.OwnNews(store.OwnNews{
		Device: device, Author: m.acc.User, After: c.own, UpTo: m.acc.Head, Most: maxPageItems,
	})
	if err != nil {
		return fmt.Errorf("reading the news of a device's own changes: %w", err)
	}
	for _, position := range positions {
		if len(m.page.items) >= maxPageItems {
			m.page.more = true
			return nil
		}
		if err := m.ownItem(position); err != nil {
			return fmt.Errorf("handing out entry %d to its author: %w", position, err)
		}
		c.own = position
	}
	if m.page.more = len(positions) == maxPageItems; !m.page.more {
		c.own = m.acc.Head
	}
	return nil
}

func (m *pageMaker) ownItem(position uint64) error {
	v, err := m.reader.Verdict(position)
	if err != nil {
		return err
	}
	ref, err := m.reader.Change(v.Change)
	if err != nil {
		return err
	}
	if brought, err := m.brought(ref); err != nil || brought && ref.Placed == position {
		return err
	}
	bare := syncproto.Verdict{Kind: v.Kind, Position: position, Change: v.Change, Code: v.Code, AtMS: v.AtMS}
	m.page.items = append(m.page.items, syncproto.Item{Type: syncproto.ItemVerdict, Position: position, AtMS: v.AtMS, Verdict: &bare})
	return nil
}

// brought reports whether the feed has brought the verdict that placed a change to
// this device: the walk is at its end, nothing is left to be filled, and the record was
// not erased, of which the feed tells nothing else.
func (m *pageMaker) brought(ref store.ChangeRef) (bool, error) {
	h, _ := m.acc.Holding(ref.Family)
	if m.may == nil || !h.Held() || !m.mayCarry(ref.Family, ref.Kind) {
		return false, nil
	}
	gone, err := m.gone(ref.Record)
	if errors.Is(err, store.ErrNotFound) { // nothing of it counts yet
		return true, nil
	}
	return !gone, err
}
