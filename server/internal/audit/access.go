package audit

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"doorstep/syncproto"
)

// Access is something that somebody looked at, searched for, or was refused.
type Access struct {
	Type   Type
	By     Acting
	Family syncproto.FamilyID // zero: whichever the record belongs to
	Record syncproto.RecordID // zero: no record in particular
	Code   syncproto.Code     // why it was refused
	Word   string             // the route or act, from a closed list
}

// Limits of gathering.
const (
	// FlushEvery is how long an access may wait to be written: what a power cut can
	// cost of ordinary reads.
	FlushEvery = 5 * time.Second
	// maxGathered bounds what waits while the log cannot be written. Beyond it
	// nothing more is shown to anybody.
	maxGathered = 10_000
	// maxFlush bounds one group.
	maxFlush = 2_000
)

// AccessJournal is where the access log is durable: a journal of its own.
type AccessJournal interface {
	Source
	// Append writes payloads with one sync and returns the position of the first.
	Append(payloads [][]byte) (uint64, error)
}

// AccessOptions are what OpenAccessLog needs; all but Anchor and Emergency are
// required.
type AccessOptions struct {
	Journal AccessJournal
	Tree    TreeOptions // of which Source and Leaf are set here
	// Anchor is how far the borough's log holds this one.
	Anchor syncproto.TreeHead
	// Mark returns what stands for a record, or for a family without one.
	Mark func(syncproto.FamilyID, syncproto.RecordID) Mark
	// Emergency reports whether a person has a file open in an emergency; nil:
	// nobody has. What they are shown is durable here before they see it.
	Emergency func(syncproto.UserID) bool
	Now       func() time.Time
	Log       *slog.Logger
}

// AccessLog takes in who looked at what. Equal accesses are gathered and written
// together every few seconds. It is safe for concurrent use.
type AccessLog struct {
	opt  AccessOptions
	tree *Tree

	mu       sync.Mutex // guards what follows
	gathered map[Access]*span
	order    []Access // of gathered, as they came

	writing sync.Mutex  // held by whoever writes
	failed  atomic.Bool // the last write: the next is tried in its time
}

// span is when equal accesses happened, and how often.
type span struct {
	first, last int64
	count       uint64
}

// OpenAccessLog opens the access log over its journal. The error is
// ErrOtherHistory, beside an open log, if the borough's log holds another.
func OpenAccessLog(opt AccessOptions) (*AccessLog, error) {
	opt.Tree.Source = opt.Journal
	opt.Tree.Leaf = func(payload []byte, _ [32]byte) ([]byte, error) { return payload, nil }
	tree, err := OpenTree(opt.Tree, opt.Anchor)
	if tree == nil {
		return nil, fmt.Errorf("opening the access log: %w", err)
	}
	return &AccessLog{opt: opt, tree: tree, gathered: map[Access]*span{}}, err
}

// Note takes in an access that is about to be answered. It fails with
// CodeUnavailable if so much waits to be written that nothing more may be shown. A
// new tablet that fetches a large file reads more in a second than is gathered: then
// whoever reads waits for the disk. What is shown out of the ordinary waits for it
// always, and fails with CodeUnavailable if it cannot be written.
func (l *AccessLog) Note(a Access) error {
	if !l.extraordinary(a) {
		return l.note(a)
	}
	if err := l.NoteNow(a); err != nil {
		l.opt.Log.Error("an access that must be on record first was refused", "error", err)
		return syncproto.CodeUnavailable
	}
	return nil
}

// extraordinary reports whether an access leaves the borough, or is of somebody
// who opened a file in an emergency: all that they see until it is closed, since
// a list or a search tells of that file too.
func (l *AccessLog) extraordinary(a Access) bool {
	switch a.Type {
	case TypeExport:
		return true
	case TypeRead, TypeHistory, TypeList, TypeSearch, TypeDownload:
		return l.opt.Emergency != nil && l.opt.Emergency(a.By.User)
	}
	return false
}

func (l *AccessLog) note(a Access) error {
	err := l.gather(a)
	if err == nil || l.failed.Load() || l.Flush() != nil {
		return err
	}
	return l.gather(a)
}

func (l *AccessLog) gather(a Access) error {
	now := l.opt.Now().UnixMilli()
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.gathered[a]; s != nil {
		s.last = max(s.last, now)
		s.count++
		return nil
	}
	switch n := len(l.order); {
	case n >= maxGathered:
		return syncproto.CodeUnavailable
	case n >= maxGathered/10 && a.Type == TypeDenied && !a.Record.IsZero():
		// Somebody asks for ids at random: they must not stop others' reading.
		a.Record, a.Family = syncproto.RecordID{}, syncproto.FamilyID{}
		if s := l.gathered[a]; s != nil {
			s.last = max(s.last, now)
			s.count++
			return nil
		}
	}
	l.gathered[a] = &span{first: now, last: now, count: 1}
	l.order = append(l.order, a)
	return nil
}

// NoteNow is Note, and returns once the access is durable: what is shown out of
// the ordinary (break-glass, an export) is shown only then.
func (l *AccessLog) NoteNow(a Access) error {
	if err := l.note(a); err != nil {
		return err
	}
	return l.Flush()
}

// Flush writes what was gathered. What could not be written waits for the next.
func (l *AccessLog) Flush() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	for {
		batch, payloads := l.take()
		if len(payloads) == 0 {
			return nil
		}
		first, err := l.opt.Journal.Append(payloads)
		if err != nil {
			l.putBack(batch)
			l.failed.Store(true)
			return fmt.Errorf("writing the access log: %w", err)
		}
		l.failed.Store(false)
		if err := l.tree.Follow(first, payloads, nil); err != nil {
			l.opt.Log.Error("the tree of the access log lags behind", "reason", err.Error())
		}
	}
}

// waiting is an access on its way to the disk.
type waiting struct {
	access Access
	span   span
}

func (l *AccessLog) take() (batch []waiting, payloads [][]byte) {
	l.mu.Lock()
	n := min(len(l.order), maxFlush)
	for _, a := range l.order[:n] {
		batch = append(batch, waiting{a, *l.gathered[a]})
		delete(l.gathered, a)
	}
	l.order = append([]Access(nil), l.order[n:]...)
	l.mu.Unlock()
	for _, w := range batch {
		e := l.event(w)
		payloads = append(payloads, e.Encode())
	}
	return batch, payloads
}

func (l *AccessLog) event(w waiting) Event {
	a := w.access
	e := Event{Type: a.Type, AtMS: w.span.first, User: a.By.User, Device: a.By.Device, Session: a.By.Session, Code: a.Code, Word: a.Word}
	if !a.Record.IsZero() || !a.Family.IsZero() {
		e.Record = l.opt.Mark(a.Family, a.Record)
	}
	if w.span.count > 1 {
		e.Count, e.UntilMS = w.span.count, w.span.last
	}
	return e
}

// putBack gathers again what could not be written.
func (l *AccessLog) putBack(batch []waiting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range batch {
		if s := l.gathered[w.access]; s != nil {
			s.first, s.count = w.span.first, s.count+w.span.count
			continue
		}
		s := w.span
		l.gathered[w.access] = &s
		l.order = append(l.order, w.access)
	}
}

// Tree is the log's tree.
func (l *AccessLog) Tree() *Tree { return l.tree }

// Read returns the event at a position.
func (l *AccessLog) Read(position uint64) (Event, error) {
	payload, err := l.opt.Journal.Read(position)
	if err != nil {
		return Event{}, err
	}
	return DecodeEvent(payload)
}

// Settle makes the tree durable and returns its head, to be anchored.
func (l *AccessLog) Settle() (syncproto.TreeHead, error) {
	if err := l.tree.Sync(); err != nil {
		return syncproto.TreeHead{}, err
	}
	return l.tree.Head()
}

// Close writes what waits and closes the tree.
func (l *AccessLog) Close() error { return errors.Join(l.Flush(), l.tree.Close()) }
