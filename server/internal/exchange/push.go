package exchange

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"doorstep/server/internal/keyring"
	"doorstep/server/internal/store"
	"doorstep/server/internal/tracing"
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// incoming is one change on its way in.
type incoming struct {
	batch  *incomingBatch
	last   bool // of its batch: the signature goes with it, or after it
	signed bool // the signature went with it
	id     syncproto.ChangeID
	prev   syncproto.ChangeID
	digest [32]byte // of the body, if that cannot be read
	seq    uint64   // its place in the chain; 0: not known

	change   *syncproto.Change // nil if the body cannot be read
	refuse   syncproto.Code    // found before ordering
	poison   bool              // checking it panicked
	known    bool              // the index has it already
	atMS     int64
	sealed   store.Words
	erased   bool // its record was: the words go into custody
	returned bool // given back by somebody else's device, with a proof that it counted
	gap      bool // what comes before it was purged from its device, and does not come again
	// recovered: two people opened it; it goes into custody whoever may.
	recovered bool

	receipt syncproto.Receipt
}

// incomingBatch is what the changes of a batch have in common.
type incomingBatch struct {
	device    store.DeviceEntry
	actor     syncproto.ActorID
	tip       syncproto.ChangeID
	signature []byte
	full      bool   // somebody was told that custody has no room
	stored    uint64 // places of it in the chain that are new, counted as it is ordered
}

// pushed is the answer to the batches of a request, and where in the journal the
// changes that are stored lie.
type pushed struct {
	receipts  []syncproto.Receipt
	positions map[uint64]bool
}

// chunkChanges is how many changes one proposal orders.
const chunkChanges = 256

// push takes the batches of a request in. All that does not depend on the order
// is done first, here, in the caller's goroutine: reading, hashing, checking
// against the schema, verifying each batch's signature, sealing. The ledger then
// orders the changes, in chunks.
func (x *Exchange) push(ctx context.Context, caller Caller, batches []syncproto.Batch) (pushed, error) {
	out := pushed{positions: map[uint64]bool{}}
	var all, order []*incoming
	_, span := tracing.Within(ctx, tracing.Receive)
	for i := range batches {
		ins, err := x.prepareBatch(caller, &batches[i])
		if err != nil {
			span.End(err)
			return out, err
		}
		all = append(all, ins...)
		if len(ins) > 0 && ins[0].receipt.Status == 0 {
			order = append(order, ins...)
		}
	}
	span.Count(tracing.Changes, len(all))
	span.End(nil)
	err := x.placeAll(ctx, all, order, &out)
	return out, err
}

// placeAll seals and orders what can be ordered, and gathers the receipts of all.
func (x *Exchange) placeAll(ctx context.Context, all, order []*incoming, out *pushed) error {
	_, span := tracing.Within(ctx, tracing.Seal)
	err := x.seal(order)
	span.End(err)
	if err != nil {
		return err
	}
	wrote, err := x.foresee(order)
	if err != nil {
		return err
	}
	for len(order) > 0 {
		n := min(len(order), chunkChanges)
		if err := x.orderChunk(ctx, order[:n], wrote); err != nil {
			return err
		}
		order = order[n:]
	}
	out.receipts = slices.Grow(out.receipts, len(all))
	for _, in := range all {
		out.receipts = append(out.receipts, in.receipt)
		if in.receipt.Position > 0 {
			out.positions[in.receipt.Position] = true
		}
	}
	return nil
}

// prepareBatch reads a batch. If the batch as a whole cannot be ordered, its
// changes come back with their receipts.
func (x *Exchange) prepareBatch(caller Caller, batch *syncproto.Batch) ([]*incoming, error) {
	b := &incomingBatch{actor: batch.Actor, signature: batch.Signature}
	ins := make([]*incoming, len(batch.Bodies))
	prev := batch.Prev
	for i, raw := range batch.Bodies {
		ins[i] = readChange(b, prev, raw)
		prev = ins[i].id
	}
	if len(ins) == 0 {
		return nil, nil
	}
	b.tip = prev
	ins[0].gap = batch.Gap
	ins[len(ins)-1].last = true
	device, enrolled := x.cfg.Store.State().Device(batch.Device)
	if !enrolled {
		// Enrolment may lag. Nothing can be verified, so nothing is stored or
		// bound: the device keeps its changes and sends them again.
		b.device.ID = batch.Device
		x.note("changes of an unknown device held", syncproto.CodeUnknownKey, b, ins[0].id)
		answerAll(ins, syncproto.StatusHeld, syncproto.CodeUnknownKey)
		return ins, nil
	}
	b.device = device
	if caller.CustodyOnly && !onlyOf(ins, caller.User) {
		// Who proved no more than the device may not speak for others who use it.
		x.note("changes of others in a custody session held", syncproto.CodeUnauthenticated, b, ins[0].id)
		answerAll(ins, syncproto.StatusHeld, syncproto.CodeUnauthenticated)
		return ins, nil
	}
	if !x.cfg.Verify(device.Key, syncproto.TipMessage(batch.Actor, b.tip), batch.Signature) {
		x.alarm("bad signature", syncproto.CodeBadSignature, b, ins[0].id)
		answerAll(ins, syncproto.StatusRefused, syncproto.CodeBadSignature)
		return ins, nil
	}
	placeInChain(ins, batch.Prev)
	err := x.cfg.Store.Read(func(r *store.Reader) error {
		chain, err := r.Chain(b.actor)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("looking up a chain: %w", err)
		}
		for _, in := range ins {
			if err := x.check(r, in, &chain); err != nil {
				return err
			}
		}
		return nil
	})
	return ins, err
}

// onlyOf reports whether all changes that can be read are by one author.
func onlyOf(ins []*incoming, author syncproto.UserID) bool {
	return !slices.ContainsFunc(ins, func(in *incoming) bool { return in.change != nil && in.change.Body.Author != author })
}

func answerAll(ins []*incoming, status syncproto.ReceiptStatus, code syncproto.Code) {
	for _, in := range ins {
		in.receipt = syncproto.Receipt{Change: in.id, Status: status, Code: code}
	}
}

func readChange(b *incomingBatch, prev syncproto.ChangeID, raw []byte) *incoming {
	in := &incoming{batch: b, prev: prev}
	c, err := syncproto.DecodePassing(prev, raw)
	if err != nil {
		in.refuse = codeOf(err)
		in.digest = sha256.Sum256(raw)
		in.id = syncproto.ChainID(prev, in.digest)
		return in
	}
	in.change, in.id = c, c.ID
	return in
}

// codeOf finds the Code in an error.
func codeOf(err error) syncproto.Code {
	var code syncproto.Code
	if errors.As(err, &code) {
		return code
	}
	return syncproto.CodeMalformed
}

// placeInChain works out each change's place from the first that says one: a
// body that cannot be read has its place between its neighbours.
func placeInChain(ins []*incoming, prev syncproto.ChangeID) {
	base := uint64(0)
	if prev.IsZero() {
		base = 1
	}
	for i, in := range ins {
		if base == 0 && in.change != nil && in.change.Body.Seq > uint64(i) {
			base = in.change.Body.Seq - uint64(i)
		}
	}
	for i, in := range ins {
		if base > 0 {
			in.seq = base + uint64(i)
		}
	}
}

// check finds what is wrong with a change by itself, and whether it is new. chain is
// what its actor's chain comes to before it, as far as can be told here: whether a
// change is new is decided as it is ordered, but what is known need not be sealed.
func (x *Exchange) check(r *store.Reader, in *incoming, chain *store.ChainInfo) error {
	if !in.follows(*chain) {
		_, err := r.Change(in.id)
		if err == nil {
			in.known = true
			return nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("looking up a change: %w", err)
		}
	}
	if in.refuse == syncproto.CodeOK {
		in.poison = x.guard(in.id, func() error {
			in.refuse = x.fault(in)
			return nil
		}) != nil
	}
	if in.follows(*chain) {
		chain.Seq, chain.Known, chain.Tip = in.seq, in.seq, in.id
	}
	return nil
}

func (x *Exchange) fault(in *incoming) syncproto.Code {
	body := &in.change.Body
	switch {
	case body.Borough != x.cfg.Borough:
		return syncproto.CodeWrongBorough
	case body.Actor != in.batch.actor, !in.returned && !in.batch.device.UsedBy(body.Author):
		return syncproto.CodeWrongDevice
	case body.Seq != in.seq:
		return syncproto.CodeMalformed
	case body.NewerApp:
		return syncproto.CodeOK // held: its ops cannot be checked here
	}
	kind, ok := schema.Newest(body.Kind)
	if !ok {
		return syncproto.CodeOK // held: a kind of a newer app
	}
	if err := syncproto.CheckOps(kind, body.SchemaVersion, body.Ops); err != nil {
		return codeOf(err)
	}
	return syncproto.CodeOK
}

// seal makes the keys that new changes need, with one write for all, and seals
// them. A record that cannot have a key refuses its change, not the others.
func (x *Exchange) seal(ins []*incoming) error {
	if err := x.setErasedAside(ins); err != nil {
		return err
	}
	if err := x.cfg.Keys.Ensure(keyPairs(ins)); err != nil {
		for _, in := range ins {
			if err := x.ensureOne(in); err != nil {
				return err
			}
		}
	}
	room := roomFor(ins)
	for _, in := range ins {
		if !in.isNew() {
			continue
		}
		in.atMS = x.cfg.Now().UnixMilli()
		seal := store.SealWords
		if in.erased {
			seal = store.SealInCustody
		}
		sealed, err := seal(x.cfg.Keys, in.change, in.atMS, &room)
		if err != nil {
			return err
		}
		in.sealed = sealed
	}
	return nil
}

// setErasedAside has the words of erased records sealed for custody. The key store
// may never have heard of such a record: after a restore from before it began.
func (x *Exchange) setErasedAside(ins []*incoming) error {
	for _, in := range ins {
		if !in.isNew() || !x.cfg.Store.State().IsErased(in.change.Body.Family, in.change.Body.Record) {
			continue
		}
		in.erased = true
		if err := x.ensureCustody(in); err != nil {
			return err
		}
	}
	return nil
}

// isNew reports whether a change is to be stored, as far as is known.
func (in *incoming) isNew() bool { return !in.known && in.refuse == syncproto.CodeOK }

// roomFor is room for the words of all that are new.
func roomFor(ins []*incoming) store.Room {
	changes, bytes := 0, 0
	for _, in := range ins {
		if in.isNew() {
			changes, bytes = changes+1, bytes+len(in.change.Raw)
		}
	}
	return store.RoomFor(changes, bytes)
}

func keyPairs(ins []*incoming) []store.KeyPair {
	seen := make(map[store.KeyPair]bool, len(ins))
	pairs := make([]store.KeyPair, 0, len(ins))
	for _, in := range ins {
		if !in.isNew() || in.erased {
			continue
		}
		p := store.KeyPair{Family: in.change.Body.Family, Record: in.change.Body.Record}
		if !seen[p] {
			seen[p] = true
			pairs = append(pairs, p)
		}
	}
	return pairs
}

func (x *Exchange) ensureOne(in *incoming) error {
	pairs := keyPairs([]*incoming{in})
	if len(pairs) == 0 {
		return nil
	}
	switch err := x.cfg.Keys.Ensure(pairs); {
	case errors.Is(err, keyring.ErrErased):
		in.erased = true
		return x.ensureCustody(in)
	case err != nil:
		return fmt.Errorf("making a key: %w", err)
	}
	return nil
}

// foresee reads what the authors of changes wrote before, where that matters.
func (x *Exchange) foresee(ins []*incoming) (authors, error) {
	wrote := authors{}
	if x.cfg.Unasked {
		return wrote, nil
	}
	err := x.cfg.Store.Read(func(r *store.Reader) error {
		for _, in := range ins {
			if in.known || in.erased || in.refuse != syncproto.CodeOK {
				continue
			}
			if err := wrote.foresee(r, x.cfg.Store.State(), in.change, x.cfg.Now().UnixMilli()); err != nil {
				return fmt.Errorf("reading an author's part in a record: %w", err)
			}
		}
		return nil
	})
	return wrote, err
}

// orderChunk has the ledger order some changes. Their receipts hold once it
// returns nil.
func (x *Exchange) orderChunk(ctx context.Context, ins []*incoming, wrote authors) error {
	stored := map[*incomingBatch]uint64{}
	for _, in := range ins {
		stored[in.batch] = in.batch.stored
	}
	return x.propose(ctx, wrote, func(o ordering) error {
		for batch, before := range stored {
			batch.stored = before
		}
		for _, in := range ins {
			if in.poison {
				o.poisoned[in.id] = true
			}
			if in.returned {
				o.counted[in.id] = true
			}
			if err := o.order(in); err != nil {
				return fmt.Errorf("ordering change %s: %w", in.id, err)
			}
		}
		return nil
	})
}

// alarm logs what only a forger or a faulty app would send. It never holds content.
func (x *Exchange) alarm(what string, code syncproto.Code, b *incomingBatch, id syncproto.ChangeID) {
	x.cfg.Log.Warn("security event", "event", what, "code", code.Error(), "change", id.String(),
		"actor", b.actor.String(), "device", b.device.ID.String())
}

// note logs what did not become part of a record, and why; never its content.
func (x *Exchange) note(what string, code syncproto.Code, b *incomingBatch, id syncproto.ChangeID) {
	x.cfg.Log.Info(what, "code", code.Error(), "change", id.String(),
		"actor", b.actor.String(), "device", b.device.ID.String())
}
