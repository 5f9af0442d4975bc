package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"doorstep/server/internal/journal"
	"doorstep/server/internal/keyring"
	"doorstep/server/internal/progress"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Verified says what Verify found.
type Verified struct {
	Entries  uint64 // in the journal
	Segments int
	Bytes    int64
	Epochs   int
	// Indexed is false when a server was running: then only the journal was
	// verified.
	Indexed bool
	// Checkpoints are those that the audit log was held to: the last that the server
	// kept, and those that were given.
	Checkpoints int
	// Forks are states of the log that devices remember and the journal lacks, each
	// explained by a declared restore or not.
	Forks   int
	Changes int // whose words were unsealed and hashed again
	Records int // whose view was folded again and compared
}

// ErrDamaged says that Verify found bytes that are not what was written, or an
// index that says something else than the journal.
var ErrDamaged = errors.New("damage was found")

// Verify checks every byte of the borough's data and changes no record: the chain
// of the journal always, and, if no server has the data open, every change's words
// and id and the index against it. It tells report what it is about. The error is
// ErrDamaged when the data is, with what and where.
//
// The audit log is derived anew from the journal and held to the last checkpoint
// that the server kept and to each of remembered: signed notes, as devices and
// auditors have them. So it finds whatever was removed, altered, reordered or
// rewound since, also by somebody who has every key and sealed all files anew.
func Verify(ctx context.Context, cfg Config, remembered [][]byte, report func(string), logs io.Writer) (Verified, error) {
	var out Verified
	check, err := newLogCheck(cfg, remembered)
	if err != nil {
		return out, err
	}
	defer check.close()
	sum, err := journal.VerifyEach(ctx, filepath.Join(cfg.Data.Dir, journalFolder), report, check.visit)
	if errors.Is(err, journal.ErrDamaged) {
		return out, fmt.Errorf("%w in the journal: %w", ErrDamaged, err)
	}
	if err != nil {
		return out, fmt.Errorf("verifying the journal: %w", err)
	}
	out = Verified{Entries: uint64(sum.Head), Segments: sum.Segments, Bytes: sum.Bytes, Epochs: sum.Epochs}
	if err := checkLog(cfg, check, report); err != nil {
		return out, err
	}
	out.Checkpoints = check.heads
	if err := check.accesses(ctx, filepath.Join(cfg.Data.Dir, accessFolder), report); err != nil {
		return out, err
	}
	b, err := openWith(&borough{cfg: cfg, log: newLogger(cfg.Log, logs), progress: progress.Of(ctx)}, false)
	if errors.Is(err, ErrInUse) {
		report("a server has the data open: the index was not compared")
		return out, nil
	}
	if err != nil {
		return out, fmt.Errorf("opening the data: %w", err)
	}
	out.Indexed, out.Forks = true, len(b.store.State().Forks())
	report(b.forks())
	err = b.verifyIndex(ctx, &out, report)
	return out, errors.Join(err, b.close())
}

// checkLog ends a check of the audit log.
func checkLog(cfg Config, check *logCheck, report func(string)) error {
	r, err := journal.OpenReader(nil, filepath.Join(cfg.Data.Dir, journalFolder))
	if err != nil {
		return fmt.Errorf("reading the epochs: %w", err)
	}
	return errors.Join(check.done(r.Epochs(), report), r.Close())
}

// verifyIndex reads every change of the journal and holds the index to it.
func (b *borough) verifyIndex(ctx context.Context, out *Verified, report func(string)) error {
	records := map[syncproto.RecordID]bool{}
	head, _ := b.journal.Head()
	comparing := progress.Begin(ctx, "comparing changes with the index", progress.Entries, int64(head))
	err := b.journal.J.Scan(1, func(p journal.Position, payload []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		comparing.Add(1)
		e, err := store.DecodeEntry(uint64(p), payload, b.keys)
		if err != nil {
			return fmt.Errorf("%w: entry %d: %w", ErrDamaged, p, err)
		}
		change, ok := e.(store.ChangeEntry)
		if !ok {
			return nil
		}
		out.Changes++
		records[change.Record] = true
		return b.verifyChange(uint64(p), change)
	})
	if err != nil {
		return err
	}
	report(fmt.Sprintf("%d changes agree with the index", out.Changes))
	folding := progress.Begin(ctx, "folding records", progress.Records, int64(len(records)))
	for record := range records {
		if err := ctx.Err(); err != nil {
			return err
		}
		folding.Add(1)
		if err := b.verifyView(record, out); err != nil {
			return err
		}
	}
	report(fmt.Sprintf("%d records fold to what the index shows", out.Records))
	return nil
}

// verifyChange unseals a change's words, which checks its id, and looks it up.
func (b *borough) verifyChange(at uint64, e store.ChangeEntry) error {
	if _, err := store.OpenChange(b.keys, e); err != nil && !errors.Is(err, keyring.ErrErased) {
		return fmt.Errorf("%w: change %s at %d: %w", ErrDamaged, e.ID, at, err)
	}
	ref, err := b.store.Change(e.ID)
	if err != nil {
		return fmt.Errorf("%w: the index lacks change %s at %d: %w", ErrDamaged, e.ID, at, err)
	}
	if ref.Record != e.Record || ref.Family != e.Family || ref.Author != e.Author {
		return fmt.Errorf("%w: the index says something else of change %s at %d", ErrDamaged, e.ID, at)
	}
	return nil
}

// verifyView folds a record anew and compares that with what readers get.
func (b *borough) verifyView(record syncproto.RecordID, out *Verified) error {
	shown, err := b.store.View(record)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, keyring.ErrErased) {
		return nil // nothing of it counts, or it was erased
	}
	if err != nil {
		return fmt.Errorf("%w: reading record %s: %w", ErrDamaged, record, err)
	}
	var folded *syncproto.View
	err = b.store.Read(func(r *store.Reader) error {
		var err error
		folded, err = r.Fold(record)
		return err
	})
	if err != nil {
		return fmt.Errorf("%w: folding record %s: %w", ErrDamaged, record, err)
	}
	if string(shown.Encode()) != string(folded.Encode()) {
		return fmt.Errorf("%w: record %s is not shown as its changes add up", ErrDamaged, record)
	}
	out.Records++
	return nil
}
