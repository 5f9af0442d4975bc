package keyring

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"doorstep/server/internal/disk"
	"doorstep/server/internal/disk/disktest"
)

// gate holds every sync of a file until it is let through.
type gate struct {
	disk.FS
	arrived chan struct{}
	pass    chan struct{}
	shut    bool
}

type gatedFile struct {
	disk.File
	gate *gate
}

func (g *gate) Open(path string, mode disk.Mode) (disk.File, error) {
	f, err := g.FS.Open(path, mode)
	return gatedFile{f, g}, err
}

func (f gatedFile) Sync() error {
	if f.gate.shut {
		f.gate.arrived <- struct{}{}
		<-f.gate.pass
	}
	return f.File.Sync()
}

func gated(t *testing.T) (*Ring, *gate) {
	t.Helper()
	d := disktest.New(1)
	g := &gate{FS: d, arrived: make(chan struct{}), pass: make(chan struct{})}
	opt := onDisk(d)
	opt.FS = g
	r, err := Load(dir, borough(1), opt)
	if err != nil {
		t.Fatal(err)
	}
	g.shut = true
	return r, g
}

func TestCallersWhoArriveDuringASyncShareTheNext(t *testing.T) {
	r, g := gated(t)
	const callers = 20
	errs := make(chan error, callers+1)
	go func() { errs <- r.Ensure(pairs(0, 1)) }()
	<-g.arrived
	for n := range callers {
		go func() { errs <- r.Ensure(pairs(4+n, 1)) }()
	}
	waitUntilJoined(r, callers)
	g.pass <- struct{}{}
	<-g.arrived
	g.pass <- struct{}{}
	for range callers + 1 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if head, _ := r.file.Head(); head != 21+6 {
		t.Errorf("the store has %d entries, want 21 records and 6 families", head)
	}
}

// waitUntilJoined returns when a number of pairs wait for the next write.
func waitUntilJoined(r *Ring, want int) {
	for joined := 0; joined < want; {
		r.joining.Lock()
		joined = 0
		if r.next != nil {
			joined = len(r.next.pairs)
		}
		r.joining.Unlock()
	}
}

func TestConcurrentUse(t *testing.T) {
	d := disktest.New(1)
	opt := onDisk(d)
	opt.CachedKeys = 8
	r, err := Load(dir, borough(1), opt)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			if err := useRing(r, worker); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = mustLoad(t, d)
	mustSeal(t, r, pair(0), "still there")
}

func useRing(r *Ring, worker int) error {
	for n := range 60 {
		if err := r.Ensure(pairs(n, 6)); err != nil {
			return err
		}
		record := pair(n + worker%6)
		sealed, err := r.Seal(record, nil, []byte("words"))
		if err != nil {
			return err
		}
		if got, err := r.Unseal(record, nil, sealed); err != nil || string(got) != "words" {
			return fmt.Errorf("got %q, %v", got, err)
		}
		own := 1000 + worker*100 + n
		if err := errors.Join(r.Ensure(pairs(own, 1)), r.Destroy(pair(own))); err != nil {
			return err
		}
	}
	return nil
}
