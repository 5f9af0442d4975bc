package server

import (
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"doorstep/syncproto"
)

// TestLookAheadWaitsForQuiet: a family is looked at once it has had no news for a while,
// and once for all its news; a look that fails stops nothing.
func TestLookAheadWaitsForQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // guards looked
		var looked []byte
		soFar := func() []byte {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(looked)
		}
		l := newLookAhead(slog.New(slog.NewTextHandler(io.Discard, nil)),
			func(f syncproto.FamilyID) error {
				mu.Lock()
				looked = append(looked, f[0])
				mu.Unlock()
				time.Sleep(time.Second)
				return errors.New("no")
			})
		l.news[syncproto.FamilyID{1}] = time.Time{} // as after a start
		l.done.Go(l.run)
		for range 4 {
			time.Sleep(quietFor / 2)
			l.note([]syncproto.FamilyID{{2}})
		}
		synctest.Wait()
		if got := soFar(); !slices.Equal(got, []byte{1}) {
			t.Errorf("while the second has news: %v, want the first alone", got)
		}
		time.Sleep(quietFor + 2*time.Second)
		synctest.Wait()
		if got := soFar(); !slices.Equal(got, []byte{1, 2}) {
			t.Errorf("when it is quiet: %v, want both", got)
		}
		close(l.stop)
		l.done.Wait()
	})
}
