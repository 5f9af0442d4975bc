// Package storetest opens a whole borough on disk for tests: a real journal, a
// real key ring and the index over them, in one folder that can be closed and
// opened again.
package storetest

import (
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"testing"

	"doorstep/server/internal/access"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/keyring"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/backing"
)

// Borough is an open folder. Its fields are replaced by Reopen.
type Borough struct {
	T       testing.TB
	Dir     string
	Journal backing.Journal
	Keys    backing.Keys
	Store   *store.Store
	Log     *slog.Logger
	// Fatal is what the store said last on its OnFatal; nil if nothing.
	Fatal error

	ring *keyring.Ring
}

// Open opens a new borough, closed at the end of the test.
func Open(t testing.TB) *Borough {
	t.Helper()
	b := &Borough{T: t, Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	b.open(true)
	t.Cleanup(b.Close)
	return b
}

// Reopen closes everything and opens it again, as a restart does.
func (b *Borough) Reopen() {
	b.T.Helper()
	b.Close()
	b.open(false)
}

// Index is the folder of the index.
func (b *Borough) Index() string { return filepath.Join(b.Dir, "index") }

func (b *Borough) open(create bool) {
	b.T.Helper()
	j, err := journal.Open(filepath.Join(b.Dir, "journal"), journal.Options{})
	if err != nil {
		b.T.Fatalf("opening the journal: %v", err)
	}
	b.Journal = backing.Journal{J: j}
	b.ring, err = keyring.Load(filepath.Join(b.Dir, "keys"), keyring.Key{1}, keyring.Options{Create: create})
	if err != nil {
		b.T.Fatalf("loading the keys: %v", err)
	}
	if b.Keys, err = backing.NewKeys(b.ring, func(err error) { b.Fatal = err }); err != nil {
		b.T.Fatal(err)
	}
	b.Store, err = store.Open(b.Index(), store.Options{
		Source: b.Journal, Sealer: b.Keys, Log: b.Log, OnFatal: func(err error) { b.Fatal = err },
		Holds: access.Holds,
	})
	if err != nil {
		b.T.Fatalf("opening the store: %v", err)
	}
}

// Close closes everything; a second time it does nothing.
func (b *Borough) Close() {
	b.T.Helper()
	if b.ring == nil {
		return
	}
	if err := errors.Join(b.Store.Close(), b.Journal.J.Close(), b.ring.Close()); err != nil {
		b.T.Errorf("closing the borough: %v", err)
	}
	b.ring = nil
}

// Commit stages, appends and commits entries as one group, as the sequencer
// does, and returns the position of the first.
func (b *Borough) Commit(atMS int64, entries ...store.Entry) uint64 {
	b.T.Helper()
	first, err := b.TryCommit(atMS, entries...)
	if err != nil {
		b.T.Fatalf("committing: %v", err)
	}
	return first
}

// TryCommit is Commit that returns the error of staging; nothing is stored then.
func (b *Borough) TryCommit(atMS int64, entries ...store.Entry) (uint64, error) {
	b.T.Helper()
	tx := b.Store.Begin(atMS)
	defer tx.Discard()
	for _, e := range entries {
		if _, err := tx.Stage(e); err != nil {
			return 0, err
		}
	}
	tx.Keep()
	if _, err := b.Journal.Append(tx.Payloads()); err != nil {
		b.T.Fatalf("appending: %v", err)
	}
	_, digest := b.Journal.Head()
	if _, err := tx.Commit(digest); err != nil {
		b.T.Fatalf("committing: %v", err)
	}
	return tx.First(), nil
}
