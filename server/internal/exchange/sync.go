package exchange

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/store"
	"doorstep/server/internal/tracing"
	"doorstep/syncproto"
)

// Config is what New needs. All fields but Checkpoints, NewEpoch, OnReturned, OnSynced, Accesses, Unasked and Copied are required.
type Config struct {
	Borough string
	// Epoch is the journal's when the server starts; SetEpoch tells of later ones.
	Epoch syncproto.Epoch
	// NewEpoch begins an epoch of the journal after the one that was, if that is not
	// over yet, because the journal is an older copy, and calls SetEpoch. nil: a device
	// that was further is only asked to compare.
	NewEpoch  func(was syncproto.Epoch) error
	Store     *store.Store
	Ledger    *Ledger
	Keys      store.Keys
	Verify    syncproto.Verifier // of tips: ES256
	CursorKey [32]byte           // makes cursors that only this borough can
	Now       func() time.Time
	Log       *slog.Logger
	// OnReturned is told what devices bring back after a restore; nil: nobody. It
	// must return at once.
	OnReturned func(Return)
	// OnSynced is told of every sync that was answered, for figures; nil: nobody. It
	// must return at once, and keep nothing of the receipts.
	OnSynced func(Synced)
	// CustodyBytes is how much of one person's words from one device may be held or
	// in quarantine before no more is taken; 0: 32 MB, some years of one worker's
	// typing, so that no honest backlog meets it and no device fills the disk.
	CustodyBytes uint64
	// Checkpoints is the audit log; nil: replies say nothing of it.
	Checkpoints Checkpoints
	// Accesses is told whose records go to which device; nil: nobody.
	Accesses Accesses
	// Unasked accepts changes without asking whether their authors may make them. It
	// is for measuring what asking costs; no server that people use has it.
	Unasked bool
	// Copied is up to which position the second copy has everything; nil: there is
	// no second copy.
	Copied func() uint64
}

// Accesses takes in who was sent what: an *audit.AccessLog.
type Accesses interface {
	Note(audit.Access) error
}

// Checkpoints answers what a device remembers of the audit log: an *audit.Log.
type Checkpoints interface {
	Answer(old syncproto.TreeHead, now time.Time) (audit.Answer, error)
}

// Exchange answers sync requests. It is safe for concurrent use.
type Exchange struct {
	cfg   Config
	judge func(*store.Tx, *syncproto.Change) error // Tx.Judge; tests poison it
	epoch atomic.Pointer[syncproto.Epoch]
}

// New returns an Exchange.
func New(cfg Config) *Exchange {
	x := &Exchange{cfg: cfg, judge: (*store.Tx).Judge}
	x.SetEpoch(cfg.Epoch)
	return x
}

// SetEpoch says that the journal is in another epoch: cursors of the old one are
// void from now on.
func (x *Exchange) SetEpoch(epoch syncproto.Epoch) { x.epoch.Store(&epoch) }

// Epoch is the one that cursors are made for now.
func (x *Exchange) Epoch() syncproto.Epoch { return *x.epoch.Load() }

// Caller is who sends a request, as package auth found out.
type Caller struct {
	User    syncproto.UserID
	Device  syncproto.DeviceID
	Session syncproto.ID // for the audit log
	// CustodyOnly: the device was revoked, or the person's access ended. Their own
	// words come up into custody, and nothing goes down but purges and own news.
	CustodyOnly bool
}

// Synced says what a sync brought, without a word of it.
type Synced struct {
	Device   syncproto.DeviceID
	Receipts []syncproto.Receipt
	// Unsent is how many changes the device holds that are not here, as it says.
	Unsent uint64
}

// Sync takes in what a device sends and returns a receipt for each change, and
// then the next page of the caller's feed.
//
// Errors concern the whole request, and nothing of it needs another answer than
// sending it again: CodeUnsupportedVersion, CodeTooLarge, CodeBadCursor,
// CodeUnknownEpoch (forget the cursor, the device's epoch is over), CodeDiskFull,
// CodeUnavailable, the context's error, and errors that are no Code for what is
// our own fault. Changes that were durable by then get the same receipt again.
func (x *Exchange) Sync(ctx context.Context, caller Caller, q *syncproto.SyncRequest) (*syncproto.SyncReply, error) {
	if err := checkRequest(q); err != nil {
		return nil, err
	}
	cursor, err := x.openCursor(caller, q)
	if err != nil {
		return nil, err
	}
	if caller.CustodyOnly && !x.accessEnded(caller) {
		return nil, syncproto.CodeUnauthenticated // it came back meanwhile: they sign in
	}
	pushed, err := x.push(ctx, caller, q.Batches)
	if err != nil {
		return nil, err
	}
	back, err := x.takeBack(ctx, caller, q.Returned)
	if err != nil {
		return nil, err
	}
	pushed.add(back)
	x.tellReturned(caller, q, back)
	if err := x.takePurges(ctx, caller, q); err != nil {
		return nil, err
	}
	answering, span := tracing.Within(ctx, tracing.Answer)
	page, err := x.pull(answering, caller, cursor, pushed.positions, q.PageSize)
	span.Count(tracing.Items, len(page.items))
	span.End(err)
	if err != nil {
		return nil, err
	}
	if err := x.noteDownloads(caller, page); err != nil {
		return nil, err
	}
	reply := &syncproto.SyncReply{
		Version: syncproto.ProtocolVersion, Request: q.Request, Epoch: x.Epoch(),
		TimeMS: x.cfg.Now().UnixMilli(), Receipts: pushed.receipts,
		Items: page.items, Cursor: x.sealCursor(caller, page.cursor), More: page.more,
	}
	if err := x.reportChains(caller, q, reply); err != nil {
		return nil, err
	}
	if err := x.reportLog(ctx, caller, q, reply); err != nil {
		return nil, err
	}
	x.reportCopied(reply)
	if x.cfg.OnSynced != nil {
		x.cfg.OnSynced(Synced{Device: caller.Device, Receipts: reply.Receipts, Unsent: unsent(q.Chains, reply.Chains)})
	}
	return reply, nil
}

// unsent is by how much a device's chains are ahead of what is here of them.
func unsent(there, here []syncproto.ChainHead) (n uint64) {
	for _, c := range there {
		i := slices.IndexFunc(here, func(h syncproto.ChainHead) bool { return h.Actor == c.Actor })
		if i >= 0 && c.Seq > here[i].Seq {
			n += c.Seq - here[i].Seq
		}
	}
	return n
}

// reportCopied tells a device how far the second copy has got, and which of its
// changes are in it already.
func (x *Exchange) reportCopied(reply *syncproto.SyncReply) {
	if x.cfg.Copied == nil {
		return
	}
	reply.Copies, reply.Copied = true, x.cfg.Copied()
	for i := range reply.Receipts {
		rc := &reply.Receipts[i]
		if rc.Durability == syncproto.DurabilityStored && rc.Position <= reply.Copied {
			rc.Durability = syncproto.DurabilityCopied
		}
	}
}

// checkRequest holds the limits that the codec holds too, for callers in process.
func checkRequest(q *syncproto.SyncRequest) error {
	if q.Version < syncproto.MinProtocolVersion || q.Version > syncproto.ProtocolVersion {
		return syncproto.CodeUnsupportedVersion
	}
	changes := 0
	for i := range q.Batches {
		changes += len(q.Batches[i].Bodies)
	}
	if len(q.Batches) > syncproto.MaxBatches || changes > syncproto.MaxBatchChanges ||
		len(q.Chains) > syncproto.MaxChains || len(q.Purged) > syncproto.MaxPurged || len(q.Returned) > syncproto.MaxReturned {
		return syncproto.CodeTooLarge
	}
	return nil
}

// reportChains tells a device how far the server has its actors' chains, and
// which of them are forked. Another device's chain is not spoken of.
func (x *Exchange) reportChains(caller Caller, q *syncproto.SyncRequest, reply *syncproto.SyncReply) error {
	asked := map[syncproto.ActorID]bool{}
	for _, c := range q.Chains {
		asked[c.Actor] = true
	}
	return x.cfg.Store.Read(func(r *store.Reader) error {
		for _, c := range q.Chains {
			if !asked[c.Actor] {
				continue // named twice
			}
			asked[c.Actor] = false
			chain, err := r.Chain(c.Actor)
			switch {
			case errors.Is(err, store.ErrNotFound):
				reply.Chains = append(reply.Chains, syncproto.ChainHead{Actor: c.Actor})
				continue
			case err != nil:
				return fmt.Errorf("looking up a chain: %w", err)
			case chain.Device != caller.Device:
				continue
			}
			reply.Chains = append(reply.Chains, syncproto.ChainHead{Actor: c.Actor, Seq: chain.Seq, Tip: chain.Tip})
			if chain.Forked {
				reply.Forked = append(reply.Forked, c.Actor)
			}
		}
		return nil
	})
}
