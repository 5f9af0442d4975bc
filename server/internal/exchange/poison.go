package exchange

import (
	"context"
	"errors"
	"maps"
	"runtime/debug"

	"doorstep/server/internal/access"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// poisonError says that deciding about one change panicked: a fault of this
// program that this change brings out. What had been staged must be dropped.
type poisonError struct{ id syncproto.ChangeID }

func (p poisonError) Error() string { return "deciding about change " + p.id.String() + " panicked" }

// guard runs what decides about one change and depends on its content alone. A
// panic there is this change's, and must not be the answer to all that came with
// it, for ever. Nothing else is guarded: a panic elsewhere is the ledger's to
// report.
func (x *Exchange) guard(id syncproto.ChangeID, decide func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			x.cfg.Log.Error("a change cannot be judged", "change", id.String(),
				"panic", panicText(r), "stack", string(debug.Stack()))
			err = poisonError{id}
		}
	}()
	return decide()
}

// propose has the ledger run decide. If a change turns out to be poisonous, all is
// decided anew with that change known to be so, and it goes into quarantine: its
// words are safe, a reviewer can read them, and nothing is worked out of them until
// the program is mended and they admit it.
func (x *Exchange) propose(ctx context.Context, wrote authors, decide func(ordering) error) error {
	poisoned := map[syncproto.ChangeID]bool{}
	for {
		known := maps.Clone(wrote) // what is looked up in a proposal that is dropped must not stay
		_, err := x.cfg.Ledger.Propose(ctx, func(tx *store.Tx) ([]store.Entry, error) {
			return nil, decide(ordering{tx: tx, x: x, authors: known, poisoned: poisoned, askers: map[asked]access.Asker{},
				counted: map[syncproto.ChangeID]bool{}, alerted: map[seat]uint64{}})
		})
		if err == nil {
			maps.Copy(wrote, known)
		}
		var p poisonError
		if !errors.As(err, &p) {
			return err
		}
		if poisoned[p.id] {
			return syncproto.CodeInternal // not even this helped: an admission of it
		}
		poisoned[p.id] = true
	}
}

// judge stages what the order decides about an accepted change's server fields, and
// whose file it begins.
func (o ordering) judge(c *syncproto.Change) error {
	if err := o.x.guard(c.ID, func() error { return o.x.judge(o.tx, c) }); err != nil {
		return err
	}
	return o.openOwnFile(c)
}
