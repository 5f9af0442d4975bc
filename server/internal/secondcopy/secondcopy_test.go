package secondcopy

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"doorstep/server/internal/disk/disktest"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/keyring"
)

const (
	dataDir = "/data"
	copyDir = "/copy"
)

// world is data on one disk and its copy on another.
type world struct {
	t        *testing.T
	data     *disktest.Disk
	other    *disktest.Disk
	journal  *journal.Journal
	access   *journal.Journal
	keys     *keyring.Ring
	log      bytes.Buffer
	payloads [][]byte
	segment  int64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, data: disktest.New(1), other: disktest.New(2), segment: 8 << 10}
	if err := errors.Join(w.other.MkdirAll(copyDir), w.data.MkdirAll(dataDir)); err != nil {
		t.Fatal(err)
	}
	w.open()
	return w
}

func (w *world) open() {
	w.t.Helper()
	var err, err2, err3 error
	w.journal, err = journal.Open(dataDir+"/journal", journal.Options{FS: w.data, SegmentBytes: w.segment})
	w.access, err2 = journal.Open(dataDir+"/access", journal.Options{FS: w.data})
	w.keys, err3 = keyring.Load(dataDir+"/keys", keyring.Key{1}, keyring.Options{FS: w.data, Create: true, Rand: rand.NewChaCha8([32]byte{1})})
	if err := errors.Join(err, err2, err3); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) close() {
	w.t.Helper()
	if err := errors.Join(w.journal.Close(), w.access.Close(), w.keys.Close()); err != nil {
		w.t.Fatal(err)
	}
}

// write appends entries, each under a key of its own.
func (w *world) write(count int) {
	w.t.Helper()
	for range count {
		n := len(w.payloads)
		payload := bytes.Repeat([]byte(fmt.Sprintf("words %d ", n)), 40)
		pair := keyring.Pair{Family: keyring.ID{1}, Record: keyring.ID{byte(n), byte(n >> 8), 2}}
		if err := w.keys.Ensure([]keyring.Pair{pair}); err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.journal.Append([][]byte{payload}); err != nil {
			w.t.Fatal(err)
		}
		w.payloads = append(w.payloads, payload)
	}
	if _, err := w.access.Append([][]byte{[]byte("somebody looked")}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) start() *Copy {
	return Start(Config{
		Journals: []Followed{{"journal", w.journal}, {"access", w.access}}, Keys: w.keys, Data: dataDir, Files: []string{"erased"},
		Dir: copyDir, FS: w.other, SegmentBytes: 16 << 10, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
	})
}

func (w *world) stop(c *Copy) {
	w.t.Helper()
	if err := c.Stop(); err != nil {
		w.t.Fatal(err)
	}
}

// wantCopied checks that the copy, opened as after a loss, holds every entry and key.
func (w *world) wantCopied(count int) {
	w.t.Helper()
	in := Folders{FS: w.other, Data: dataDir, Copy: copyDir}
	j, err := in.openCopy("journal")
	if err != nil {
		w.t.Fatal(err)
	}
	defer j.Close()
	if head, _ := j.Head(); int(head) != count {
		w.t.Errorf("the copy has %d entries, want %d", head, count)
	}
	for i, want := range w.payloads[:count] {
		if got, err := j.Read(journal.Position(i + 1)); err != nil || !bytes.Equal(got, want) {
			w.t.Fatalf("entry %d of the copy: %q, %v", i+1, got, err)
		}
	}
	if err := keyring.CheckStore(w.other.Content(copyDir + "/keys/keys")); err != nil {
		w.t.Errorf("the copy of the keys: %v", err)
	}
	for n := range count {
		if record := []byte{byte(n), byte(n >> 8), 2, 0}; !bytes.Contains(w.other.Content(copyDir+"/keys/keys"), record) {
			w.t.Fatalf("the copy of the keys lacks that of entry %d", n+1)
		}
	}
}

func (w *world) wantLog(code string, want bool) {
	w.t.Helper()
	if strings.Contains(w.log.String(), code) != want {
		w.t.Errorf("the log has %s: %v, want %v\n%s", code, !want, want, w.log.String())
	}
}

// passes lets the copy's clock go on.
func passes(d time.Duration) {
	time.Sleep(d) // of the bubble: no time passes
	synctest.Wait()
}

func TestCopyFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.write(60)
		c := w.start()
		passes(time.Second)
		if got := c.Copied(); got != 60 {
			t.Errorf("copied: %d, want 60", got)
		}
		w.write(5)
		if st := c.Status(); st.Behind != 5 || st.Trouble != "" {
			t.Errorf("before the next look: %+v, want 5 behind", st)
		}
		passes(time.Second)
		if got := c.Copied(); got != 65 {
			t.Errorf("copied: %d, want 65", got)
		}
		w.write(1)
		w.stop(c) // what is durable is copied first
		w.wantCopied(66)
		c = w.start() // and goes on where it stopped
		w.write(3)
		passes(time.Second)
		w.stop(c)
		w.wantCopied(69)
		w.wantLog("copy_", false)
		w.close()
	})
}

// TestFault81CopyOnABrokenDisk breaks the disk of the copy in every way: the journal
// goes on, what is copied is told truly, the trouble is named, and the copy catches
// up once the disk works again.
func TestFault81CopyOnABrokenDisk(t *testing.T) {
	for name, c := range map[string]struct{ breaks, mends func(*disktest.Disk) }{
		"full":             {func(d *disktest.Disk) { d.SetCapacity(1) }, func(d *disktest.Disk) { d.SetCapacity(1 << 60) }},
		"fails to write":   {func(d *disktest.Disk) { d.FailWrite(0) }, func(d *disktest.Disk) {}},
		"fails to sync":    {func(d *disktest.Disk) { d.FailSync(0) }, func(d *disktest.Disk) {}},
		"loses its power":  {func(d *disktest.Disk) { d.CutPowerAt(d.Steps() + 3) }, func(d *disktest.Disk) { d.Crash() }},
		"power at the end": {func(d *disktest.Disk) { d.CutPowerAt(d.Steps() + 1) }, func(d *disktest.Disk) { d.Crash() }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.write(20)
				copying := w.start()
				passes(time.Second)
				c.breaks(w.other)
				w.write(20)
				passes(300 * time.Millisecond)
				if st := copying.Status(); st.Copied != 20 || st.Trouble == "" {
					t.Errorf("on a disk that %s: %+v, want it to stand at 20 and say why", name, st)
				}
				w.wantLog("copy_stands_still", true)
				c.mends(w.other)
				w.write(1)
				passes(time.Minute)
				if st := copying.Status(); st.Copied != 41 || st.Trouble != "" {
					t.Errorf("after the disk was mended: %+v, want it to have caught up to 41", st)
				}
				w.wantLog("copy_goes_on", true)
				w.stop(copying)
				w.wantCopied(41)
				w.close()
			})
		})
	}
}

// TestCopyThatIsDamagedIsBegunAnew damages the copy, and puts an older state of the
// data back.
func TestCopyThatCannotBeGoneOnWithIsKept(t *testing.T) {
	t.Run("damaged", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.write(40)
			c := w.start()
			passes(time.Second)
			w.stop(c)
			w.other.FlipBit(copyDir+"/journal/segment-00000000000000000001", 5000*8)
			c = w.start()
			passes(time.Minute)
			w.stop(c)
			w.wantLog("copy_set_aside", true)
			w.wantCopied(40)
			w.close()
		})
	})
	t.Run("ahead", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.write(10)
			w.close()
			old := map[string][]byte{}
			for _, path := range w.data.Paths() {
				old[path] = w.data.Content(path)
			}
			w.open()
			w.write(10)
			c := w.start()
			passes(time.Second)
			w.stop(c)
			w.close()
			for _, path := range w.data.Paths() { // an old copy of the data is put back
				if err := w.data.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			for path, content := range old {
				w.data.SetContent(path, content)
			}
			w.open()
			w.payloads = w.payloads[:10]
			c = w.start()
			passes(time.Minute)
			w.stop(c)
			w.wantLog("copy_set_aside", true)
			w.wantCopied(10)
			if len(w.other.Content(copyDir+"/journal.aside/segment-00000000000000000001")) == 0 {
				t.Error("what the copy had more is gone")
			}
			w.close()
		})
	})
}

func TestCopyForgetsDestroyedKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.write(3)
		pair := keyring.Pair{Family: keyring.ID{1}, Record: keyring.ID{1, 0, 2}}
		var secret []byte // the wrapped key of the second record, which ends its entry
		c := w.start()
		passes(time.Second)
		store := w.other.Content(copyDir + "/keys/keys")
		at := bytes.Index(store, pair.Record[:])
		secret = store[at+len(pair.Record) : at+len(pair.Record)+60]
		if err := w.keys.DestroyAll(keyring.Doomed{Records: []keyring.Pair{pair}}); err != nil {
			t.Fatal(err)
		}
		passes(time.Second)
		if w.other.Holds(secret) {
			t.Error("the disk of the copy still holds a key that was destroyed")
		}
		w.stop(c)
		w.wantCopied(3)
		w.close()
	})
}

// TestFault79DamagedSegmentsAreRepairedFromTheCopy damages each segment, the epochs
// and the key store of data that nobody has open, and that of a journal in use.
func TestFault79DamagedDataIsRepairedFromTheCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.write(80)
		c := w.start()
		passes(time.Second)
		segments := w.journal.Segments()
		aside, err := c.RepairSegment("journal", segments[1]) // though it is sound
		if err != nil || aside == "" {
			t.Fatalf("repairing a segment in use: %q, %v", aside, err)
		}
		for i, want := range w.payloads {
			if got, err := w.journal.Read(journal.Position(i + 1)); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("entry %d after the repair: %v", i+1, err)
			}
		}
		w.write(1)
		passes(time.Second)
		w.stop(c)
		w.close()
		in := Folders{FS: twoDisks{w.data, w.other}, Data: dataDir, Copy: copyDir}
		for _, name := range append(segments, "EPOCH") {
			path := filepath.Join(dataDir, "journal", name)
			w.data.FlipBit(path, int64(len(w.data.Content(path))*5))
		}
		done, newEpoch, err := in.RepairJournal("journal")
		if err != nil || len(done) != len(segments)+1 || !newEpoch {
			t.Fatalf("repairing %d segments and the epochs: %v, new epoch %v, %v", len(segments), done, newEpoch, err)
		}
		w.data.FlipBit(dataDir+"/keys/keys", 4000*8)
		if _, err := in.RepairKeys(); err != nil {
			t.Fatalf("repairing the keys: %v", err)
		}
		w.open()
		for i, want := range w.payloads {
			if got, err := w.journal.Read(journal.Position(i + 1)); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("entry %d after the repair: %v", i+1, err)
			}
		}
		w.close()
	})
}

// TestCopyThatIsBehindRepairsNothing holds that a repair never takes words away.
func TestCopyThatIsBehindRepairsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.segment = 1 << 20
		w.write(10)
		c := w.start()
		passes(time.Second)
		w.stop(c)
		w.write(1)
		w.close()
		path := dataDir + "/journal/segment-00000000000000000001"
		w.data.FlipBit(path, 1000*8)
		before := w.data.Content(path)
		in := Folders{FS: twoDisks{w.data, w.other}, Data: dataDir, Copy: copyDir}
		if _, _, err := in.RepairJournal("journal"); !errors.Is(err, journal.ErrBehind) {
			t.Errorf("got %v, want ErrBehind", err)
		}
		if !bytes.Equal(w.data.Content(path), before) {
			t.Error("the damaged segment was changed")
		}
	})
}

// TestFault82CopyOnADiskThatHangs copies to a disk that answers nothing any more.
func TestFault82CopyOnADiskThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		answers := make(chan struct{})
		w.write(5)
		c := Start(Config{
			Journals: []Followed{{"journal", w.journal}}, Keys: w.keys, Data: dataDir, Dir: copyDir,
			FS: hanging{w.other, answers}, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
		})
		passes(time.Minute)
		w.write(5) // nobody waits for it
		if st := c.Status(); st.Copied != 0 || st.Behind != 10 {
			t.Errorf("on a disk that hangs: %+v, want nothing copied", st)
		}
		began := time.Now()
		if err := c.Stop(); err == nil || time.Since(began) > time.Minute {
			t.Errorf("stopping took %v: %v, want an error after some seconds", time.Since(began), err)
		}
		close(answers)
		synctest.Wait()
		w.close()
	})
}
