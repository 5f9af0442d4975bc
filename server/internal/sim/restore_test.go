package sim

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// copied is the server's data at one moment: what a backup holds, and what somebody
// may put back who copies folders or rolls a machine back.
type copied struct {
	head    uint64
	entries [][]byte
	epochs  []journal.EpochStart
	keys    map[string][]byte
	files   map[string][]byte // everything below data
}

// backUp takes a backup beside the running server. It fails where the disk does.
func (w *world) backUp() {
	b := w.borough
	r, err := journal.OpenReader(b.disk, "data/journal")
	if err != nil {
		w.log("no backup: %v", err)
		return
	}
	head, _ := r.Head()
	c := copied{head: uint64(head), epochs: r.Epochs(), keys: map[string][]byte{}, files: map[string][]byte{}}
	for p := journal.Position(1); p <= head; p++ {
		payload, err := r.Read(p)
		if err != nil {
			w.log("no backup: %v", err)
			return
		}
		c.entries = append(c.entries, payload)
	}
	_ = r.Close() // nothing was written
	for _, path := range b.disk.Paths() {
		if strings.HasPrefix(path, "data/") {
			c.files[path] = b.disk.Content(path)
		}
		if strings.HasPrefix(path, "data/keys/") {
			c.keys[path] = b.disk.Content(path)
		}
	}
	w.backups = append(w.backups, c)
	w.count["backups"]++
	w.log("backup %d is taken, entry %d", len(w.backups), head)
}

// disaster takes the server back to an earlier moment.
func (w *world) disaster() {
	if len(w.backups) == 0 || w.borough.failed {
		return
	}
	n := w.rng.IntN(len(w.backups))
	c := w.backups[n]
	w.backups = w.backups[:n+1] // those after it are of a history that is given up
	w.borough.crash(w.rng.IntN(2) == 0)
	w.doubt()
	w.serverSkewMS, w.wentBack = 0, true // whoever restores looks at the clock
	w.wire = nil                         // a reply from before that arrived after it would be as if it had arrived before it
	switch w.rng.IntN(3) {
	case 0:
		w.putBack(c)
	case 1:
		w.putJournalBack(c)
	default:
		w.restore(c)
	}
	w.count["server crashes"]++
	w.forgetWhatWentWith(c)
}

// restore brings a backup back in order, with the newest keys there are. The machine
// may have lost everything else, or have it still.
func (w *world) restore(c copied) {
	b := w.borough
	w.count["restores"]++
	w.log("the backup up to entry %d is restored", c.head)
	b.disk.Wipe("data/journal/")
	b.disk.Wipe("data/keys/")
	if w.rng.IntN(2) == 0 {
		b.disk.Wipe("data/")
	}
	for path, content := range w.backups[len(w.backups)-1].keys {
		b.disk.SetContent(path, content)
	}
	if err := b.restoreJournal(c); err != nil {
		w.failf("restoring the journal: %v", err)
	}
	w.removeIndex()
	b.start()
}

func (b *borough) restoreJournal(c copied) error {
	to, err := journal.BeginCopy("data/journal", c.epochs, b.journalOptions())
	if err != nil {
		return err
	}
	if err := to.Append(c.entries); err != nil {
		return errors.Join(err, to.Abandon())
	}
	return to.Finish("restored")
}

func (w *world) removeIndex() {
	if err := os.RemoveAll(w.borough.index); err != nil {
		w.failf("removing the index: %v", err)
	}
}

// putBack puts an old copy of all the data in place without a word, beside an index
// that may be newer.
func (w *world) putBack(c copied) {
	b := w.borough
	w.count["old copies put back"]++
	w.log("an old copy of the data up to entry %d is put back", c.head)
	b.disk.Wipe("data/")
	for _, path := range slices.Sorted(maps.Keys(c.files)) {
		b.disk.SetContent(path, c.files[path])
	}
	if w.rng.IntN(2) == 0 {
		w.removeIndex()
	}
	b.start()
}

// doubt notes which tablets may say that the log was rewritten, as it was: those that
// remember more of it than the copy has, and have no cursor by which the server could
// tell and declare it.
func (w *world) doubt() {
	for _, t := range w.tablets {
		t.doubts = t.doubts || t.cut
	}
}

// putJournalBack puts the journal alone back, under a checkpoint that may be newer.
// Then the server must not start, and the backup is restored in order.
func (w *world) putJournalBack(c copied) {
	b := w.borough
	b.disk.Wipe("data/journal/")
	for _, path := range slices.Sorted(maps.Keys(c.files)) {
		if strings.HasPrefix(path, "data/journal/") {
			b.disk.SetContent(path, c.files[path])
		}
	}
	err := b.open()
	if err == nil {
		w.count["old copies put back"]++
		return
	}
	if !errors.Is(err, audit.ErrOtherHistory) {
		w.failf("an old journal: %v", err)
	}
	w.count["refusals of old copies"]++
	w.log("the server does not start on an old journal")
	b.crash(false)
	w.restore(c)
}

// forgetWhatWentWith takes back what the server had promised and nobody can keep:
// words of which, after a restore, there is no copy on any tablet, and final versions
// that were made final after the backup. All else must come back.
func (w *world) forgetWhatWentWith(c copied) {
	w.standing, w.sure = newStanding(), promise{}
	held := w.onTablets()
	for _, id := range sortedKeys(w.acked) {
		if _, err := w.borough.store.Change(id); err == nil {
			continue
		}
		if of, some := held[id]; some {
			w.away[id] = of
			continue
		}
		delete(w.acked, id)
		w.count["words of which no copy was left"]++
		for _, t := range w.tablets {
			delete(t.wrote, id)
		}
	}
	for record, s := range w.seals {
		if s.position > c.head {
			delete(w.seals, record)
		}
	}
	w.afterStart()
}

// afterStart checks what must be so of a server that has just begun.
func (w *world) afterStart() {
	w.log("the server is back, entry %d", w.borough.store.State().Head())
	w.checkPromise()
	w.checkAcked()
	w.know()
	maps.Copy(w.erased, w.standing.erased) // a start puts on the list what is in the journal
	w.takeAtItsWord()
}

// onTablets are the changes whose content is on some tablet, and the record of each.
func (w *world) onTablets() map[syncproto.ChangeID]store.KeyPair {
	held := map[syncproto.ChangeID]store.KeyPair{}
	for _, t := range w.tablets {
		for key := range t.rows {
			if id, of, ok := changeRow(key); ok {
				held[id] = of
			}
		}
	}
	return held
}

// changeRow reads the key of a row that holds a change.
func changeRow(key string) (id syncproto.ChangeID, of store.KeyPair, ok bool) {
	if key[0] != 'c' || len(key) != 1+16+16+32 {
		return id, of, false
	}
	of.Family, of.Record = syncproto.FamilyID([]byte(key[1:17])), syncproto.RecordID([]byte(key[17:33]))
	return syncproto.ChangeID([]byte(key[33:])), of, true
}
