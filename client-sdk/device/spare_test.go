package device_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"doorstep/client-sdk/device"
	"doorstep/client-sdk/device/storetest"
	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
)

func openFile(t *testing.T, path string) *device.File {
	t.Helper()
	f, err := device.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func fileStore(t *testing.T) storetest.Opener {
	path := filepath.Join(t.TempDir(), "rows")
	return func(t *testing.T) device.Store { return openFile(t, path) }
}

func sparedStore(t *testing.T) storetest.Opener {
	first, spare := memoryStore(t), fileStore(t)
	return func(t *testing.T) device.Store { return withSpare(t, first(t), spare(t)) }
}

func withSpare(t *testing.T, first, spare device.Store) *device.Spared {
	t.Helper()
	s, err := device.WithSpare(first, spare)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// written is a file with three batches and where each of them ends.
func written(t *testing.T) (content []byte, ends []int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rows")
	f := openFile(t, path)
	for i := range 3 {
		if err := f.Apply([]engine.Row{{Key: []byte{'k', byte(i)}, Value: make([]byte, 300*i+1)}, {Key: []byte("last"), Value: []byte{byte(i), 1}}}); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		content, ends = b, append(ends, len(b))
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return content, ends
}

// reopened opens a file of these bytes and counts its rows.
func reopened(t *testing.T, path string, content []byte) (rows int, err error) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := device.OpenFile(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	err = f.Load(func(_, _ []byte) error { rows++; return nil })
	return rows, err
}

// A crash cuts the file anywhere: every answered write is there, and the next
// one finds its place.
func TestFault98FileCutAnywhereKeepsWholeWrites(t *testing.T) {
	content, ends := written(t)
	path := filepath.Join(t.TempDir(), "rows")
	for cut := range len(content) {
		want := 0
		for i, end := range ends {
			if cut >= end {
				want = i + 2
			}
		}
		if got, err := reopened(t, path, content[:cut]); err != nil || got != want {
			t.Fatalf("cut at %d of %d: %d rows, %v; want %d", cut, len(content), got, err, want)
		}
	}
	for _, end := range ends[1:] { // blocks that were never written read as zeros
		zeros := append([]byte{}, content[:end]...)
		clear(zeros[ends[0]:end])
		if got, err := reopened(t, path, zeros); err != nil || got != 2 {
			t.Errorf("zeros up to %d: %d rows, %v; want 2", end, got, err)
		}
	}
}

// A flipped bit is found, never taken for a write that was cut short.
func TestFault96EveryFlippedBitOfAFileIsFound(t *testing.T) {
	content, _ := written(t)
	path := filepath.Join(t.TempDir(), "rows")
	for bit := range 8 * len(content) {
		content[bit/8] ^= 1 << (bit % 8)
		got, err := reopened(t, path, content)
		var damage *device.DamageError
		if !errors.As(err, &damage) {
			t.Fatalf("bit %d: %d rows, %v; want a DamageError", bit, got, err)
		}
		content[bit/8] ^= 1 << (bit % 8)
	}
}

func TestFileOfOldRowsIsWrittenAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows")
	f := openFile(t, path)
	for i := range 40 {
		if err := f.Apply([]engine.Row{{Key: []byte("draft"), Value: append(make([]byte, 100_000), byte(i))}}); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 2<<20 {
		t.Errorf("4 MB of writes of one row: %v, %v; want it tidied up", info.Size(), err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	last := byte(0)
	err := openFile(t, path).Load(func(_, value []byte) error { last = value[len(value)-1]; return nil })
	if err != nil || last != 39 {
		t.Errorf("the row after tidying up ends with %d, %v; want 39", last, err)
	}
}

// TestFault96UnsentWorkComesBackFromItsSecondCopy loses the first store with
// changes that were never sent and an open draft in it.
func TestFault96UnsentWorkComesBackFromItsSecondCopy(t *testing.T) {
	b := newBorough()
	dir := t.TempDir()
	rows := openBadger(t, filepath.Join(dir, "first"))
	b.install(t, rows, 1)
	s := withSpare(t, rows, openFile(t, filepath.Join(dir, "spare")))
	d := mustOpen(t, s, &line{borough: b, device: syncproto.DeviceID{1}}, device.Options{})
	if _, err := d.Edit(beginVisit()); err != nil {
		t.Fatal(err)
	}
	typeWords(t, d, "She met us at the door. ")
	mustSave(t, d)
	mustSync(t, d)
	typeWords(t, d, "Never sent. ")
	mustSave(t, d)
	typeWords(t, d, "Still a draft.")
	want := shown(t, d)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}

	fresh := openBadger(t, filepath.Join(dir, "fresh"))
	spare := openFile(t, filepath.Join(dir, "spare"))
	got, err := device.Recover(spare, fresh)
	if err != nil {
		t.Fatal(err)
	}
	if got.Changes != 1 || got.Drafts != 1 {
		t.Errorf("recovered %+v, want one unsent change and one draft", got)
	}
	again := mustOpen(t, withSpare(t, fresh, spare), &line{borough: b, device: syncproto.DeviceID{1}}, device.Options{})
	defer again.Close()
	mustSync(t, again)
	if now := shown(t, again); now != want {
		t.Errorf("after the recovery: %q, want %q", now, want)
	}
	if o, err := again.Outbox(); err != nil || o.Changes+o.Drafts > 0 {
		t.Errorf("outbox %+v, %v; want nothing left", o, err)
	}
	other, _, _ := worker(t, b, 2)
	mustSync(t, other)
	if now := shown(t, other); now != want {
		t.Errorf("a colleague sees %q, want %q", now, want)
	}
}

// A second copy that fails holds nobody up, and is whole again once it can be.
func TestSpareThatFailsCatchesUp(t *testing.T) {
	b := newBorough()
	first, spare := device.NewMemory(), &faulty{Store: device.NewMemory()}
	b.install(t, first, 1)
	s := withSpare(t, first, spare)
	d := mustOpen(t, s, &line{borough: b, device: syncproto.DeviceID{1}}, device.Options{})
	defer d.Close()
	if _, err := d.Edit(beginVisit()); err != nil {
		t.Fatal(err)
	}
	spare.fail = device.ErrFull
	typeWords(t, d, "x")
	if s.Spare() == nil {
		t.Error("nobody is told that the second copy fails")
	}
	spare.fail = nil
	for range 300 {
		typeWords(t, d, "x")
	}
	if err := s.Spare(); err != nil {
		t.Errorf("the second copy is still behind: %v", err)
	}
	into := device.NewMemory()
	if _, err := device.Recover(spare, into); err != nil {
		t.Fatal(err)
	}
	again := mustOpen(t, into, &line{borough: b, device: syncproto.DeviceID{1}}, device.Options{})
	defer again.Close()
	mustSync(t, again)
	if got, want := shown(t, again), shown(t, d); got != want {
		t.Errorf("recovered %d letters, want %d", len(got), len(want))
	}
}

// The session is written beside what is typed: both copies end the same, whoever
// came first.
func TestSpareTakesWritesFromSeveralAtOnce(t *testing.T) {
	first, spare := device.NewMemory(), device.NewMemory()
	s := withSpare(t, first, spare)
	key := []byte{'d', 1} // a row that belongs into both
	var all sync.WaitGroup
	for who := range byte(4) {
		all.Go(func() {
			for n := range byte(50) {
				if err := s.Apply([]engine.Row{{Key: key, Value: []byte{who, n}}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	rows := func(s device.Store) (got string) {
		if err := s.Load(func(_, value []byte) error { got += string(value); return nil }); err != nil {
			t.Fatal(err)
		}
		return got
	}
	if a, b := rows(first), rows(spare); a != b || s.Spare() != nil {
		t.Errorf("first has %q, its second copy %q, %v", a, b, s.Spare())
	}
}
