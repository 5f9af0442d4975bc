package audit_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/disk/disktest"
	"doorstep/syncproto"
)

// accessJournal is a journal in memory that may refuse to write.
type accessJournal struct {
	source
	fails error
}

func (j *accessJournal) Append(payloads [][]byte) (uint64, error) {
	if j.fails != nil {
		return 0, j.fails
	}
	j.payloads = append(j.payloads, payloads...)
	return uint64(len(j.payloads) - len(payloads) + 1), nil
}

func accessLog(t *testing.T, anchor syncproto.TreeHead, j *accessJournal) (*audit.AccessLog, *time.Time, error) {
	t.Helper()
	now := at(0)
	fs := disktest.New(1)
	if err := fs.MkdirAll("audit"); err != nil {
		t.Fatal(err)
	}
	l, err := audit.OpenAccessLog(audit.AccessOptions{Journal: j, Tree: audit.TreeOptions{FS: fs, Path: "audit/hashes"}, Anchor: anchor,
		Mark: func(_ syncproto.FamilyID, r syncproto.RecordID) audit.Mark { return audit.Mark(r) },
		Now:  func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)})
	return l, &now, err
}

// TestEmergencyReadsAreOnRecordFirst: what somebody sees while they have a file
// open in an emergency, and every export, is refused while the log cannot be
// written, and durable when it is shown. Ordinary reads are gathered.
func TestEmergencyReadsAreOnRecordFirst(t *testing.T) {
	duty := audit.Acting{User: syncproto.UserID{9}, Session: syncproto.ID{3}}
	for _, c := range []struct {
		name  string
		seen  audit.Access
		first bool
	}{
		{"a record, in an emergency", audit.Access{Type: audit.TypeRead, By: duty, Record: syncproto.RecordID{7}}, true},
		{"its history", audit.Access{Type: audit.TypeHistory, By: duty, Record: syncproto.RecordID{7}}, true},
		{"the list of records", audit.Access{Type: audit.TypeList, By: duty, Family: syncproto.FamilyID{7}}, true},
		{"a search", audit.Access{Type: audit.TypeSearch, By: duty}, true},
		{"an export", audit.Access{Type: audit.TypeExport, By: ada}, true},
		{"a refusal", audit.Access{Type: audit.TypeDenied, By: duty, Code: syncproto.CodeNotFound}, false},
		{"an ordinary read", audit.Access{Type: audit.TypeRead, By: ada, Record: syncproto.RecordID{7}}, false},
	} {
		j := &accessJournal{fails: errors.New("disk full")}
		fs := disktest.New(1)
		if err := fs.MkdirAll("audit"); err != nil {
			t.Fatal(err)
		}
		l := must(audit.OpenAccessLog(audit.AccessOptions{Journal: j, Tree: audit.TreeOptions{FS: fs, Path: "audit/hashes"},
			Mark:      func(_ syncproto.FamilyID, r syncproto.RecordID) audit.Mark { return audit.Mark(r) },
			Emergency: func(u syncproto.UserID) bool { return u == duty.User },
			Now:       func() time.Time { return at(0) }, Log: slog.New(slog.DiscardHandler)}))
		if err := l.Note(c.seen); errors.Is(err, syncproto.CodeUnavailable) != c.first {
			t.Errorf("%s, while nothing can be written: got %v", c.name, err)
		}
		j.fails = nil
		err := l.Note(c.seen)
		if durable := len(j.payloads) == 1; err != nil || durable != c.first {
			t.Errorf("%s: got %v, durable %v, want %v", c.name, err, durable, c.first)
		}
	}
}

var ada = audit.Acting{User: syncproto.UserID{1}, Session: syncproto.ID{2}}

func TestReadsAreGatheredBySessionAndRecord(t *testing.T) {
	j := &accessJournal{}
	l, now, _ := accessLog(t, syncproto.TreeHead{}, j)
	read := audit.Access{Type: audit.TypeRead, By: ada, Record: syncproto.RecordID{7}}
	for range 3 {
		if err := l.Note(read); err != nil {
			t.Fatal(err)
		}
		*now = now.Add(time.Second)
	}
	other := read
	other.By.Session = syncproto.ID{3}
	if err := errors.Join(l.Note(other), l.Flush()); err != nil {
		t.Fatal(err)
	}
	if len(j.payloads) != 2 {
		t.Fatalf("got %d entries, want one a session", len(j.payloads))
	}
	got := must(l.Read(1))
	want := audit.Event{Type: audit.TypeRead, AtMS: at(0).UnixMilli(), User: ada.User, Session: ada.Session, Record: audit.Mark{7}, Count: 3, UntilMS: at(2).UnixMilli()}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := l.NoteNow(read); err != nil || len(j.payloads) != 3 {
		t.Errorf("what must be durable first: got %v and %d entries", err, len(j.payloads))
	}
	anchor := must(l.Settle())
	if _, _, err := accessLog(t, anchor, j); err != nil {
		t.Errorf("opened again: got %v", err)
	}
	j.payloads = j.payloads[:2]
	if l, _, err := accessLog(t, anchor, j); !errors.Is(err, audit.ErrOtherHistory) || l == nil {
		t.Errorf("an access log that lost an entry: got %v", err)
	}
}

// What cannot be audited is not shown: at once where it must be durable first, and
// everywhere once too much waits. Nothing that waits is lost.
func TestNothingIsShownThatCannotBeAudited(t *testing.T) {
	j := &accessJournal{fails: errors.New("disk full")}
	l, _, _ := accessLog(t, syncproto.TreeHead{}, j)
	if err := l.NoteNow(audit.Access{Type: audit.TypeExport, By: ada}); err == nil {
		t.Error("an export goes ahead without a trace")
	}
	shown := 1
	for i := range 20_000 {
		r := syncproto.RecordID{1: byte(i), 2: byte(i >> 8), 3: 1}
		err := l.Note(audit.Access{Type: audit.TypeRead, By: ada, Record: r})
		if err != nil && !errors.Is(err, syncproto.CodeUnavailable) {
			t.Fatal(err)
		}
		if err == nil {
			shown++
		}
	}
	if shown >= 20_000 {
		t.Error("reading goes on for ever without a trace")
	}
	j.fails = nil
	if err := l.Flush(); err != nil || len(j.payloads) != shown {
		t.Errorf("once there is room: got %d entries and %v, want %d", len(j.payloads), err, shown)
	}
}

func TestGuessingIDsDoesNotStopOthersReading(t *testing.T) {
	l, _, _ := accessLog(t, syncproto.TreeHead{}, &accessJournal{})
	for i := range 50_000 {
		r := syncproto.RecordID{1: byte(i), 2: byte(i >> 8), 3: byte(i >> 16), 4: 1}
		if err := l.Note(audit.Access{Type: audit.TypeDenied, By: ada, Record: r, Code: syncproto.CodeNotFound}); err != nil {
			t.Fatalf("guess %d: %v", i, err)
		}
	}
	if err := l.Note(audit.Access{Type: audit.TypeRead, By: ada, Record: syncproto.RecordID{9}}); err != nil {
		t.Errorf("somebody else's read: got %v", err)
	}
}

// A fresh tablet of somebody with many families reads more than is gathered between
// two writes. Nothing is refused while the log can be written.
func TestManyReadsAtOnceWaitForTheDisk(t *testing.T) {
	j := &accessJournal{}
	l, _, _ := accessLog(t, syncproto.TreeHead{}, j)
	for n := range 25_000 {
		a := audit.Access{Type: audit.TypeRead, Record: syncproto.RecordID{byte(n), byte(n >> 8), 1}}
		if err := l.Note(a); err != nil {
			t.Fatalf("read %d: %v", n, err)
		}
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	if len(j.payloads) != 25_000 {
		t.Errorf("%d reads were written, want all 25000", len(j.payloads))
	}
}
