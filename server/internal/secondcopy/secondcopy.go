// Package secondcopy keeps journals and the key store a second time, in a folder on another disk or a mounted host, and
// brings them back from there.
//
// A Copy follows in a goroutine of its own, so nobody who writes waits for it. It reads each entry from the journal, which
// checks it, appends it to a journal of its own in the folder, which is durable when Append returns, and holds both chains
// against each other; then it brings the key store after it. Only then does Copied move on. Where the folder is missing,
// full, slow or damaged, Copied stays, the trouble is logged and shown, and it tries again.
//
// The folder is laid out as the data's is. Repair writes what has rotted in the data anew from it; Restore begins the data
// from it, where the data is lost.
package secondcopy

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"doorstep/server/internal/disk"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/keyring"
)

// KeysFolder is the folder of the key store, below that of the data and below that of the copy.
const KeysFolder = "keys"

// Followed is a journal that is copied, under the name of its folder.
type Followed struct {
	Name    string
	Journal *journal.Journal
}

// Config is what Start needs. Fields without a remark are required.
type Config struct {
	Journals     []Followed // the first is the one that Copied speaks of
	Keys         *keyring.Ring
	Data         string   // folder of the data
	Files        []string // small files there that are copied too, whenever the first journal has grown
	Dir          string   // folder of the copy; it must be there: a disk that is not mounted is not written past
	FS           disk.FS
	MinFreeBytes int64 // to leave on the disk of the copy; may be 0
	SegmentBytes int64 // as journal.Options; may be 0
	Log          *slog.Logger
	// Every is how long to wait between two looks for what is new; 0: a tenth of a second. What comes meanwhile is copied
	// with one sync.
	Every time.Duration
	// Retry is how long to wait after a failure; 0: five seconds.
	Retry time.Duration
}

// Status says how the copy stands.
type Status struct {
	Dir     string `json:"dir"`
	Copied  uint64 `json:"copied"`  // up to this position everything is durable in the copy too
	Behind  uint64 `json:"behind"`  // entries that are not
	Trouble string `json:"trouble"` // why it stands still; empty: it does not
}

// Copy follows journals and a key store.
type Copy struct {
	cfg  Config
	keys *keyring.Second // the goroutine's, as is what follows
	file map[string][]byte

	stop context.CancelFunc
	done chan struct{}

	mu      sync.Mutex                  // guards what follows
	open    map[string]*journal.Journal // the copies, by name; only the goroutine changes it
	copied  journal.Position
	trouble string
}

const (
	defaultEvery = 100 * time.Millisecond
	defaultRetry = 5 * time.Second
	stopWithin   = 10 * time.Second // a disk that hangs does not keep the server from ending
)

// The codes of the log's lines.
const (
	codeStands = "copy_stands_still"
	codeGoesOn = "copy_goes_on"
	codeAside  = "copy_set_aside"
)

// Start begins to follow, from where the copy in the folder ends.
func Start(cfg Config) *Copy {
	if cfg.Every == 0 {
		cfg.Every = defaultEvery
	}
	if cfg.Retry == 0 {
		cfg.Retry = defaultRetry
	}
	ctx, stop := context.WithCancel(context.Background())
	c := &Copy{
		cfg: cfg, stop: stop, done: make(chan struct{}), open: map[string]*journal.Journal{}, file: map[string][]byte{},
		keys: keyring.NewSecond(cfg.FS, filepath.Join(cfg.Dir, KeysFolder)),
	}
	go func() {
		defer close(c.done)
		c.run(ctx)
	}()
	return c
}

// Stop ends the copying, after what is durable has been copied, and closes the copy.
func (c *Copy) Stop() error {
	c.stop()
	late := time.NewTimer(stopWithin)
	defer late.Stop()
	select {
	case <-c.done:
		return nil
	case <-late.C:
		return errors.New("the disk of the second copy does not answer: it was left as it is")
	}
}

// Copied is the position up to which every entry of the first journal, and every key that it needs, is durable in the copy.
func (c *Copy) Copied() journal.Position {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.copied
}

// Status says how the copy stands.
func (c *Copy) Status() Status {
	head, _ := c.cfg.Journals[0].Journal.Head()
	c.mu.Lock()
	defer c.mu.Unlock()
	return Status{Dir: c.cfg.Dir, Copied: uint64(c.copied), Behind: uint64(head - min(c.copied, head)), Trouble: c.trouble}
}

func (c *Copy) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := c.follow()
		wait := c.cfg.Every
		if err != nil {
			err = errors.Join(err, c.drop())
			wait = c.cfg.Retry
		}
		c.note(err)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
	if c.Status().Trouble == "" {
		c.note(c.follow())
	}
	_ = c.drop() // what is copied is durable
}

// note says what became of a try, if that is news.
func (c *Copy) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	trouble := ""
	if err != nil {
		trouble = err.Error()
	}
	if trouble != c.trouble && trouble != "" {
		c.cfg.Log.Error("the second copy stands still: changes are stored and not copied", "code", codeStands, "reason", trouble)
	}
	if trouble == "" && c.trouble != "" {
		c.cfg.Log.Warn("the second copy goes on", "code", codeGoesOn, "copied", uint64(c.copied))
	}
	c.trouble = trouble
}

// drop closes a copy: the next try opens it anew.
func (c *Copy) drop() error {
	c.mu.Lock()
	open := c.open
	c.open = map[string]*journal.Journal{}
	c.mu.Unlock()
	err := c.keys.Close()
	for _, j := range open {
		err = errors.Join(err, j.Close())
	}
	return err
}
