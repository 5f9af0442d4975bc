package sim

import (
	"slices"
	"strings"
	"testing"

	"doorstep/server/internal/journal"
	"doorstep/server/internal/store"
)

// liveInPeace lives some steps of a day on which nothing goes wrong.
func (w *world) liveInPeace(steps int) {
	for range steps {
		w.step++
		w.clockMS += int64(w.rng.IntN(4000))
		if t := w.tablets[w.rng.IntN(4)]; w.rng.IntN(2) == 0 {
			t.act()
		} else {
			w.syncOnce(t)
		}
	}
	for _, t := range w.tablets {
		w.syncInPeace(t)
	}
	if err := w.borough.tick(); err != nil {
		w.failf("keeping a checkpoint: %v", err)
	}
}

// withTornEnd is a copy that was taken while the next group was being written.
func (w *world) withTornEnd(c copied) copied {
	b := w.borough
	for path, content := range c.files {
		if !strings.HasPrefix(path, "data/journal/segment-") {
			continue
		}
		if now := b.disk.Content(path); len(now) > len(content) {
			c.files[path] = slices.Concat(content, now[len(content):len(content)+70])
			return c
		}
	}
	w.failf("bug: the journal did not grow in the copy's last segment")
	return c
}

// TestAnOlderCopyWithATornEndIsNoticed is what seed 23252 showed: an older copy of the
// data is put back without a word, and the torn end that it has begins an epoch. What
// the copy lacks was not lost at that end, so the cursor of a tablet that is ahead must
// count as one of a lost future: else nobody declares that the journal went on from a
// copy, and tablets that remember more of the log raise an alarm.
func TestAnOlderCopyWithATornEndIsNoticed(t *testing.T) {
	for seed := uint64(1); seed <= 5; seed++ {
		w := newWorld(t, seed)
		w.liveInPeace(40)
		w.backUp()
		w.liveInPeace(40)
		c := w.withTornEnd(w.backups[0])
		w.borough.crash(false)
		w.doubt()
		w.wentBack = true
		w.putBack(c)
		w.forgetWhatWentWith(c)
		if _, torn := w.borough.journal.Torn(); !torn {
			t.Fatalf("seed %d: bug: the copy had no torn end", seed)
		}
		w.syncOnce(w.tablets[0])
		epochs := w.borough.store.State().Epochs()
		if last := epochs[len(epochs)-1]; last.Why != store.EpochOlder || epochs[len(epochs)-2].Why != store.EpochTorn {
			t.Errorf("seed %d: the epochs are %+v, want the last to say that the journal is an older copy, after a torn end", seed, epochs)
		}
		if at := w.borough.journal.Epochs(); at[len(at)-1].Why != journal.WhyOlder {
			t.Errorf("seed %d: the journal's own epochs do not say so: %+v", seed, at)
		}
		w.calm()
		w.checkAll()
		w.borough.stop()
	}
}
