package intake

import (
	"context"
	"errors"
	"fmt"

	"doorstep/server/internal/desk"
	"doorstep/server/internal/progress"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// groupBytes is about how much one group of the journal holds. Everybody waits
// while a group is composed, and the journal takes 32 MiB at most.
const groupBytes = 4 << 20

// entryBytes is about what an entry costs beside its content.
const entryBytes = 400

// batch is what is stored together: everything of some families, or what is
// nobody's family's.
type batch struct {
	refs     []freshRef
	controls []store.Entry
	edits    []edit
	bytes    int
}

func (b *batch) add(c batch) {
	b.refs = append(b.refs, c.refs...)
	b.controls = append(b.controls, c.controls...)
	b.edits = append(b.edits, c.edits...)
	b.bytes += c.bytes
}

// store writes the run, batch by batch.
func (r *run) store(ctx context.Context) error {
	batches := r.batches()
	r.report.Groups = len(batches)
	r.stage = progress.Begin(ctx, "storing the files' lines", progress.Changes, int64(len(r.edits)))
	for _, b := range batches {
		position, err := r.deps.Ledger.Propose(ctx, func(tx *store.Tx) ([]store.Entry, error) { return r.propose(tx, b) })
		if err != nil {
			return fmt.Errorf("storing group %d of %d: %w", r.report.Stored+1, len(batches), err)
		}
		if r.report.Stored == 0 {
			r.report.Position = position
		}
		r.report.Stored++
	}
	return nil
}

// batches puts people and teams first, then families, each whole, as many
// together as fit.
func (r *run) batches() []batch {
	parts := map[syncproto.FamilyID]*batch{}
	order := []syncproto.FamilyID{{}}
	of := func(family syncproto.FamilyID) *batch {
		if parts[family] == nil {
			parts[family] = &batch{}
			order = appendNew(order, family)
		}
		return parts[family]
	}
	for _, ref := range r.refs.fresh {
		b := of(ref.family)
		b.refs, b.bytes = append(b.refs, ref), b.bytes+entryBytes
	}
	for _, c := range r.controls {
		b := of(c.family)
		b.controls, b.bytes = append(b.controls, c.entry), b.bytes+entryBytes
	}
	for _, e := range r.edits {
		b := of(e.target.family)
		b.edits, b.bytes = append(b.edits, e), b.bytes+sizeOf(e.changes)
	}
	var out []batch
	for _, family := range order {
		b := parts[family]
		if b == nil {
			continue
		}
		if last := len(out) - 1; last >= 0 && out[last].bytes+b.bytes <= groupBytes {
			out[last].add(*b)
		} else {
			out = append(out, *b)
		}
	}
	return out
}

func sizeOf(changes []desk.Edit) int {
	size := 0
	for _, c := range changes {
		size += entryBytes
		for _, op := range c.Ops {
			size += opBytes(op)
		}
	}
	return size
}

// propose composes one batch. What people wrote since it was worked out is taken
// into account; ids that another import gave meanwhile end it.
func (r *run) propose(tx *store.Tx, b batch) ([]store.Entry, error) {
	var entries []store.Entry
	for _, ref := range b.refs {
		if now, _ := tx.State().Ref(ref.entry.Kind, ref.entry.Ref); now != ref.before {
			return nil, ErrAnotherImport
		}
		entries = append(entries, ref.entry)
	}
	var changes []desk.Edit
	for _, e := range b.edits {
		r.stage.Add(1)
		fresh, err := r.refresh(&tx.Reader, e)
		if err != nil {
			return nil, err
		}
		changes = append(changes, fresh...)
	}
	if _, err := r.deps.Desk.Compose(tx, changes); err != nil {
		return nil, fmt.Errorf("composing the changes: %w", err)
	}
	for _, e := range b.controls {
		if account, ok := e.(store.UserEntry); ok {
			now, err := renewed(tx.State(), account)
			if err != nil {
				return nil, err
			}
			e = now
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// renewed puts what a file says of an account over what is known of it now: a
// password or a lock of this minute stays.
func renewed(state *store.State, account store.UserEntry) (store.UserEntry, error) {
	now, known := state.User(account.ID)
	if !known {
		if _, taken := state.UserByLogin(account.Login); taken {
			return account, ErrAnotherImport
		}
		return account, nil
	}
	now.Name, now.Role = account.Name, account.Role
	return now, nil
}

// refresh works a record's changes out again if it has news since.
func (r *run) refresh(reader Reader, e edit) ([]desk.Edit, error) {
	info, err := reader.RecordInfo(e.target.record)
	if errors.Is(err, store.ErrNotFound) || err == nil && info.Last == e.last {
		return e.changes, nil
	}
	if err != nil {
		return nil, err
	}
	now, err := readImported(reader, e.target.record, r.account)
	if err != nil || now.final {
		return nil, err
	}
	return r.changesOf(e.target, now, r.diff(e.target, now)), nil
}
