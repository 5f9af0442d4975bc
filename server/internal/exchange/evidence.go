package exchange

import (
	"context"
	"fmt"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// reportLog tells a device what the audit log is now, and proves that it extends
// what the device remembers. Where it does not, it says which declared restore
// explains that; without one, the device will raise an alarm, and so does the
// server's own log.
func (x *Exchange) reportLog(ctx context.Context, caller Caller, q *syncproto.SyncRequest, reply *syncproto.SyncReply) error {
	if x.cfg.Checkpoints == nil {
		return nil
	}
	if err := x.noteForks(ctx, caller, q.Forks); err != nil {
		return err
	}
	answer, err := x.cfg.Checkpoints.Answer(q.Log, x.cfg.Now())
	if err != nil {
		return fmt.Errorf("proving the audit log: %w", err)
	}
	reply.Checkpoint, reply.Proof = answer.Checkpoint, answer.Proof
	if !answer.Diverged {
		return nil
	}
	reply.Restored = x.cfg.Store.State().RestoredBelow(q.Log.Size)
	if reply.Restored.IsZero() {
		x.cfg.Log.Error("security event", "event", "a device remembers another history of the audit log",
			"device", caller.Device.String(), "size", q.Log.Size)
	}
	fork := store.ForkEntry{Device: caller.Device, User: caller.User, Size: q.Log.Size, Root: q.Log.Root, Declared: !reply.Restored.IsZero()}
	return x.keepForks(ctx, []store.ForkEntry{fork})
}

// noteForks keeps what devices left behind at a declared restore: evidence of what
// the lost part of the log was.
func (x *Exchange) noteForks(ctx context.Context, caller Caller, forks []syncproto.Checkpoint) error {
	var entries []store.ForkEntry
	for _, c := range forks {
		entries = append(entries, store.ForkEntry{Device: caller.Device, User: caller.User, Size: c.Size, Root: c.Root,
			TimeMS: c.TimeMS, Signature: c.Signature, Declared: true})
	}
	return x.keepForks(ctx, entries)
}

// keepForks writes down what is not known yet.
func (x *Exchange) keepForks(ctx context.Context, forks []store.ForkEntry) error {
	state := x.cfg.Store.State()
	var entries []store.Entry
	for _, f := range forks {
		if !state.KnowsFork(f) {
			entries = append(entries, f)
		}
	}
	if len(entries) == 0 {
		return nil
	}
	_, err := x.cfg.Ledger.Propose(ctx, func(*store.Tx) ([]store.Entry, error) { return entries, nil })
	return err
}

// noteDownloads tells the audit log whose records go to a device, before they do.
func (x *Exchange) noteDownloads(caller Caller, p page) error {
	if x.cfg.Accesses == nil {
		return nil
	}
	by := audit.Acting{User: caller.User, Device: caller.Device, Session: caller.Session}
	for _, r := range p.shown {
		if err := x.cfg.Accesses.Note(audit.Access{Type: audit.TypeDownload, By: by, Family: r.Family, Record: r.Record}); err != nil {
			return err
		}
	}
	return nil
}

// ensureCustody makes the key of words that came for an erased record.
func (x *Exchange) ensureCustody(in *incoming) error {
	if err := x.cfg.Keys.Ensure([]store.KeyPair{store.CustodyKey(in.change.Body.Record)}); err != nil {
		return fmt.Errorf("making a key of custody: %w", err)
	}
	return nil
}

// goneItem is what a device is told of an erasure, or of a record that was moved to another
// family.
func (m *pageMaker) goneItem(family syncproto.FamilyID, row store.FeedRef) ([]syncproto.Item, error) {
	record, moved, err := m.reader.GoneRecord(row.Position)
	if err != nil {
		return nil, err
	}
	item := syncproto.Item{Type: syncproto.ItemErase, Position: row.Position, Family: family, Record: record}
	if moved {
		item.Type = syncproto.ItemMisfile
	}
	return []syncproto.Item{item}, nil
}

// gone reports whether the record of a change was erased, or moved to another family.
func (m *pageMaker) gone(record syncproto.RecordID) (bool, error) {
	info, err := m.reader.RecordInfo(record)
	return info.Gone > 0, err
}
