package bench

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"doorstep/server/internal/journal"
)

// limits are what the same disk takes of the same bytes without a server, in groups
// of the size that the server's had, and in groups as large as all tablets together
// can make one.
type limits struct {
	dir     string
	largest int // group, in visits
	journal *journal.Journal
	badger  *badger.DB
	seal    cipher.AEAD
	next    uint64
}

// maxGroupBytes is how much the server puts into one group.
const maxGroupBytes = 2 << 20

func openLimits(folder string, o Options) (*limits, error) {
	l := &limits{dir: filepath.Join(folder, "limits"), largest: min(o.Devices*o.Batch, maxGroupBytes/visitBytes)}
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	if l.seal, err = cipher.NewGCM(block); err != nil {
		return nil, err
	}
	if l.journal, err = journal.Open(filepath.Join(l.dir, "journal"), journal.Options{}); err != nil {
		return nil, err
	}
	if l.badger, err = openBareBadger(filepath.Join(l.dir, "badger")); err != nil {
		return nil, errors.Join(err, l.journal.Close())
	}
	return l, nil
}

// openBareBadger opens badger as a log of notes that would be the only place where
// they are: every commit synced, values beside the tree.
func openBareBadger(dir string) (*badger.DB, error) {
	return badger.Open(badger.DefaultOptions(dir).
		WithSyncWrites(true).
		WithValueThreshold(512).
		WithDetectConflicts(false).
		WithCompression(options.None).
		WithMetricsEnabled(false).
		WithLogger(nil))
}

func (l *limits) close() error {
	return errors.Join(l.journal.Close(), l.badger.Close(), os.RemoveAll(l.dir))
}

// bareJournal encrypts the bodies and appends them.
func (l *limits) bareJournal(bodies [][]byte, group int) (Rate, error) {
	return l.measure(bodies, group, func(_ uint64, sealed [][]byte) error {
		_, err := l.journal.Append(sealed)
		return err
	})
}

// bareBadger encrypts the bodies and commits them under numbers.
func (l *limits) bareBadger(bodies [][]byte, group int) (Rate, error) {
	return l.measure(bodies, group, func(first uint64, sealed [][]byte) error {
		return l.badger.Update(func(txn *badger.Txn) error {
			for i, value := range sealed {
				if err := txn.Set(fmt.Appendf(nil, "%016x", first+uint64(i)), value); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// measure has bodies stored in groups by one goroutine.
func (l *limits) measure(bodies [][]byte, group int, store func(first uint64, sealed [][]byte) error) (Rate, error) {
	began, cpu := time.Now(), ownCPU()
	for at := 0; at < len(bodies); at += group {
		var sealed [][]byte
		for _, body := range bodies[at:min(at+group, len(bodies))] {
			nonce := make([]byte, l.seal.NonceSize(), l.seal.NonceSize()+len(body)+l.seal.Overhead())
			_, _ = rand.Read(nonce) // never fails
			sealed = append(sealed, l.seal.Seal(nonce, nonce, body, nil))
		}
		if err := store(l.next, sealed); err != nil {
			return Rate{}, fmt.Errorf("measuring a limit: %w", err)
		}
		l.next += uint64(len(sealed))
	}
	return rateOf(len(bodies), time.Since(began), ownCPU()-cpu), nil
}
