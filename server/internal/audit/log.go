package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"doorstep/server/internal/disk"
	"doorstep/syncproto"
)

// In the directory of a log:
const (
	// HashesName is the file of the tree's hashes, CheckpointName the newest
	// checkpoint that was kept, a signed note.
	HashesName     = "hashes"
	CheckpointName = "checkpoint"
	maxNoteBytes   = 4 << 10
)

// signEvery is how long one checkpoint serves all who ask while the log grows:
// thousands of syncs a second share one signature.
const signEvery = time.Second

// answerEvery is how long a device that holds a checkpoint is not sent a newer one:
// a tablet that syncs at every pause needs no proof at every pause.
const answerEvery = 10 * time.Second

// keptRecent bounds the checkpoints remembered for that.
const keptRecent = 2 * int(answerEvery/signEvery)

// LogOptions are what OpenLog needs; all are required.
type LogOptions struct {
	FS     disk.FS
	Dir    string
	Source Source
	Leaf   func(payload []byte, sum [32]byte) ([]byte, error)
	Signer Signer
	Log    *slog.Logger
}

// Log is a borough's audit log: the tree over its journal and the checkpoints of
// it. It is safe for concurrent use.
type Log struct {
	opt  LogOptions
	tree *Tree

	mu     sync.Mutex // guards what follows
	newest syncproto.Checkpoint
	signed time.Time // when newest was signed, by the caller's clock
	recent []recent  // signed lately, oldest first
	// lost is the last checkpoint known that this journal does not hold; until that
	// is declared, nothing takes its place.
	lost     *syncproto.Checkpoint
	declared bool

	healing sync.Mutex // guards looked, and is held while hashes are derived anew
	looked  time.Time  // when they were last
}

// OpenLog opens a log and brings it up to its journal. If the newest checkpoint
// that was kept is not of this journal's history, Lost says so: a server that was
// not restored must not go on then.
func OpenLog(opt LogOptions) (*Log, error) {
	if err := opt.FS.MkdirAll(opt.Dir); err != nil {
		return nil, fmt.Errorf("making the folder of the audit log: %w", err)
	}
	last, err := readNote(opt)
	if err != nil {
		return nil, err
	}
	l := &Log{opt: opt, newest: last}
	l.tree, err = OpenTree(TreeOptions{FS: opt.FS, Path: filepath.Join(opt.Dir, HashesName), Source: opt.Source, Leaf: opt.Leaf}, last.TreeHead)
	if errors.Is(err, ErrOtherHistory) {
		l.lost = &last
		l.newest = syncproto.Checkpoint{TimeMS: last.TimeMS}
		return l, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the audit log: %w", err)
	}
	return l, nil
}

// readNote reads the checkpoint that was kept last; zero if there is none.
func readNote(opt LogOptions) (syncproto.Checkpoint, error) {
	text, err := disk.ReadFile(opt.FS, filepath.Join(opt.Dir, CheckpointName), maxNoteBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return syncproto.Checkpoint{}, nil
	}
	if err != nil {
		return syncproto.Checkpoint{}, fmt.Errorf("reading the last checkpoint: %w", err)
	}
	c, err := opt.Signer.ParseNote(text)
	if err != nil {
		return c, fmt.Errorf("the last checkpoint in %s: %w", opt.Dir, err)
	}
	return c, nil
}

// Lost returns the last checkpoint known if the journal does not hold what it was
// made over.
func (l *Log) Lost() (syncproto.Checkpoint, bool) {
	if l.lost == nil {
		return syncproto.Checkpoint{}, false
	}
	return *l.lost, true
}

// Declare says that the log itself tells of what was lost: new checkpoints may be
// kept from now on.
func (l *Log) Declare() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.declared = true
}

// Newest is the newest checkpoint that was signed, of size 0 if there is none, and
// how many entries it does not cover.
func (l *Log) Newest() (c syncproto.Checkpoint, behind uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.newest, l.tree.Size() - min(l.newest.Size, l.tree.Size())
}

// Follow takes in a group that the journal holds from a position on. It never
// fails a write that is durable already: what it could not take in comes with the
// next group or the next Keep, and the log says so.
func (l *Log) Follow(first uint64, payloads [][]byte, sums [][32]byte) {
	if err := l.tree.Follow(first, payloads, sums); err != nil {
		l.opt.Log.Error("the audit log lags behind the journal", "reason", err.Error())
	}
}

// Tree is the log's tree.
func (l *Log) Tree() *Tree { return l.tree }

// Signer is what signs the log's checkpoints.
func (l *Log) Signer() Signer { return l.opt.Signer }

// Checkpoint returns a checkpoint of the log as it is, or was at most a second
// before. Its time is never before that of an earlier one: if the clock went back,
// time stands still until the clock has caught up. It is kept before anybody is shown
// it, so that a server that is killed forgets nothing of what it signed; where it
// cannot be kept, the one before is returned, of size 0 if there is none.
func (l *Log) Checkpoint(now time.Time) (syncproto.Checkpoint, error) {
	c, kept, err := l.checkpoint(now, signEvery)
	if kept != nil {
		l.opt.Log.Error("no checkpoint could be kept: the last one is shown", "reason", kept.Error())
	}
	return c, err
}

// checkpoint returns what Checkpoint does, and apart from it why a newer one could not
// be kept.
func (l *Log) checkpoint(now time.Time, serve time.Duration) (c syncproto.Checkpoint, kept, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	size := l.tree.Size()
	since := now.Sub(l.signed)
	if l.newest.Size > 0 && (l.newest.Size == size || since >= 0 && since < serve) {
		return l.newest, nil, nil
	}
	head, err := l.grown(now)
	if err != nil {
		return c, nil, err
	}
	at := now.UnixMilli()
	if at < l.newest.TimeMS {
		l.opt.Log.Error("the server's clock went back: checkpoints keep their time until it has caught up",
			"behind_ms", l.newest.TimeMS-at)
		at = l.newest.TimeMS
	}
	c = l.opt.Signer.Sign(head, at)
	if err := l.keep(&c); err != nil {
		return l.newest, err, nil
	}
	l.newest, l.signed = c, now
	if len(l.recent) == keptRecent {
		l.recent = l.recent[1:]
	}
	l.recent = append(l.recent, recent{head, now})
	return c, nil, nil
}

// grown is the tree's head, which extends the newest checkpoint. The caller holds mu.
func (l *Log) grown(now time.Time) (syncproto.TreeHead, error) {
	head, err := l.tree.Head()
	if err != nil || l.newest.Size == 0 {
		return head, err
	}
	_, err = l.tree.ProveExtends(l.newest.TreeHead, head)
	if errors.Is(err, ErrOtherHistory) && l.healed(now) {
		if head, err = l.tree.Head(); err == nil {
			_, err = l.tree.ProveExtends(l.newest.TreeHead, head)
		}
	}
	if err != nil {
		return head, fmt.Errorf("the tree does not extend its last checkpoint: %w", err)
	}
	return head, nil
}

// healEvery is how often a proof that failed may have the hashes derived anew: it
// reads the whole journal.
const healEvery = time.Hour

// healed derives the hashes anew, unless that was done lately, and reports whether
// any was wrong: then what failed is to be tried again. Else nobody would know a
// damaged file from a journal that is not the one it was.
func (l *Log) healed(now time.Time) bool {
	l.healing.Lock()
	defer l.healing.Unlock()
	if since := now.Sub(l.looked); since >= 0 && since < healEvery {
		return false
	}
	l.looked = now
	wrong, err := l.tree.Heal()
	if err != nil {
		l.opt.Log.Error("the hashes of the audit log could not be derived anew", "reason", err.Error())
	}
	if wrong > 0 {
		l.opt.Log.Error("the file of the audit log's hashes was damaged, and was put right from the journal", "hashes", wrong)
	}
	return wrong > 0
}

// keep writes a checkpoint down, durably: what the next start is held to. The caller
// holds mu.
func (l *Log) keep(c *syncproto.Checkpoint) error {
	if l.lost != nil && !l.declared {
		return nil
	}
	if err := l.tree.Sync(); err != nil {
		return err
	}
	if err := disk.Replace(l.opt.FS, filepath.Join(l.opt.Dir, CheckpointName), l.opt.Signer.Note(c)); err != nil {
		return fmt.Errorf("keeping a checkpoint: %w", err)
	}
	return nil
}

// Keep signs a checkpoint of all that the journal has and keeps it. It does nothing if
// nothing is new.
func (l *Log) Keep(now time.Time) (syncproto.Checkpoint, error) {
	lags := l.tree.CatchUp()
	c, kept, err := l.checkpoint(now, 0)
	return c, errors.Join(lags, kept, err)
}

// Answer is what a device that remembers a head is told.
type Answer struct {
	Checkpoint *syncproto.Checkpoint // nil: it remembers the newest
	Proof      [][32]byte
	// Diverged: what the device remembers is not of this log's history.
	Diverged bool
}

// Answer returns the newest checkpoint and the proof that it extends what a device
// remembers; the zero head is extended by all. Who remembers one of the last ten
// seconds is told nothing.
func (l *Log) Answer(old syncproto.TreeHead, now time.Time) (Answer, error) {
	if l.isRecent(old, now) {
		return Answer{}, nil
	}
	c, err := l.Checkpoint(now)
	if err != nil || c.Size == 0 || old == c.TreeHead {
		return Answer{}, err
	}
	if old.Size > c.Size && old.Size <= l.tree.Size() {
		return Answer{}, nil // it heard of a newer one, from the moment before
	}
	proof, err := l.tree.ProveExtends(old, c.TreeHead)
	if errors.Is(err, ErrOtherHistory) && l.healed(now) {
		proof, err = l.tree.ProveExtends(old, c.TreeHead)
	}
	if errors.Is(err, ErrOtherHistory) {
		return Answer{Checkpoint: &c, Diverged: true}, nil
	}
	return Answer{Checkpoint: &c, Proof: proof}, err
}

// recent is a head that was signed lately, and when.
type recent struct {
	head syncproto.TreeHead
	at   time.Time
}

// isRecent reports whether a head was signed so lately that nobody who has it needs
// a newer one.
func (l *Log) isRecent(head syncproto.TreeHead, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.recent {
		since := now.Sub(r.at)
		if r.head == head && since >= 0 && since < answerEvery {
			return true
		}
	}
	return false
}

// Close keeps a last checkpoint and closes the tree.
func (l *Log) Close(now time.Time) error {
	_, err := l.Keep(now)
	return errors.Join(err, l.tree.Close())
}
