package keyring

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"doorstep/server/internal/disk/disktest"
)

// whole asks for every bit instead of a sample: go test ./server/internal/keyring -whole
var whole = flag.Bool("whole", false, "try every bit flip of the sample store")

// stride is the distance between the bits that are tried: 1 with -whole, else a prime.
func stride(sampled int) int {
	if *whole {
		return 1
	}
	return sampled
}

// life drives a ring on a disk that fails and remembers what it promised.
type life struct {
	t      *testing.T
	disk   *disktest.Disk
	chance *rand.Rand
	seed   uint64
	next   int
	sealed map[int][]byte // records whose key was acknowledged
	erased map[int]bool   // records whose erasure was asked for; true: acknowledged
	cuts   int
}

func newLife(t *testing.T, seed uint64) *life {
	return &life{
		t: t, disk: disktest.New(seed), chance: rand.New(rand.NewPCG(seed, 2)), seed: seed,
		sealed: map[int][]byte{}, erased: map[int]bool{},
	}
}

func (l *life) run(steps int) {
	opt := onDisk(l.disk)
	opt.Rand = rand.NewChaCha8([32]byte{byte(l.seed), byte(l.seed >> 8), byte(l.disk.Steps()), byte(l.disk.Steps() >> 8)})
	r, err := Load(dir, borough(1), opt)
	if err != nil {
		l.interrupted(err)
		return
	}
	if _, cut := r.Torn(); cut {
		l.cuts++
	}
	l.check(r)
	l.adopt(r)
	for range steps {
		if err := l.step(r); err != nil {
			l.interrupted(err)
			return
		}
	}
}

func (l *life) step(r *Ring) error {
	if len(l.sealed) > 4 && l.chance.IntN(5) == 0 {
		n := l.chance.IntN(l.next)
		if l.sealed[n] == nil || l.erased[n] {
			return nil
		}
		l.erased[n] = false
		if err := r.Destroy(pair(n)); err != nil {
			return err
		}
		l.erased[n] = true
		return nil
	}
	first, count := l.next, 1+l.chance.IntN(8)
	l.next += count
	if err := r.Ensure(pairs(first, count)); err != nil {
		return err
	}
	for n := first; n < first+count; n++ {
		l.sealed[n] = mustSeal(l.t, r, pair(n), fmt.Sprint("note ", n))
	}
	return nil
}

func (l *life) interrupted(err error) {
	l.t.Helper()
	if !errors.Is(err, disktest.ErrPower) {
		l.t.Fatalf("seed %d: %v", l.seed, err)
	}
}

func (l *life) check(r *Ring) {
	l.t.Helper()
	for n, sealed := range l.sealed {
		got, err := r.Unseal(pair(n), aad(n), sealed)
		done, asked := l.erased[n]
		switch {
		case errors.Is(err, ErrErased) && asked:
		case done:
			l.t.Fatalf("seed %d: record %d was erased and can be read: %v", l.seed, n, err)
		case err != nil || string(got) != fmt.Sprint("note ", n):
			l.t.Fatalf("seed %d: record %d: got %q, %v", l.seed, n, got, err)
		}
	}
}

// adopt holds the ring to keys that it shows although they were never acknowledged: words may be sealed under them.
func (l *life) adopt(r *Ring) {
	for n := range l.next {
		if l.sealed[n] != nil {
			continue
		}
		if sealed, err := r.Seal(pair(n), aad(n), []byte(fmt.Sprint("note ", n))); err == nil {
			l.sealed[n] = sealed
		}
	}
}

func TestFault77KilledAtEveryCallKeepsEveryKey(t *testing.T) {
	everyStep(t, func(l *life) { l.disk.Kill() })
}

func TestFault78PowerCutAtEveryCallKeepsEveryKey(t *testing.T) {
	if cuts := everyStep(t, func(l *life) { l.disk.Crash() }); cuts == 0 {
		t.Error("no torn tail was ever cut: the test saw nothing")
	}
}

func everyStep(t *testing.T, stop func(*life)) (cuts int) {
	t.Helper()
	steps := func() int { l := newLife(t, 3); l.run(15); return l.disk.Steps() }()
	for seed := range uint64(2) {
		for step := 1; step <= steps; step++ {
			l := newLife(t, seed*1000+3)
			l.disk.CutPowerAt(step)
			l.run(15)
			stop(l)
			l.run(3)
			stop(l)
			l.run(1)
			cuts += l.cuts
		}
	}
	return cuts
}

func TestFault78PowerCutsOverManyLives(t *testing.T) {
	for seed := range uint64(100) {
		l := newLife(t, seed)
		for range 10 {
			l.disk.CutPowerAt(l.disk.Steps() + 1 + l.chance.IntN(30))
			l.run(10)
			if l.chance.IntN(3) == 0 {
				l.disk.Kill()
			} else {
				l.disk.Crash()
			}
		}
		l.run(1)
	}
}

// sample is a closed store with 24 records, one of them erased.
func sample(t *testing.T) (*disktest.Disk, map[int][]byte) {
	t.Helper()
	d := disktest.New(1)
	r := mustLoad(t, d)
	sealed := map[int][]byte{}
	for n := 0; n < 24; n += 6 {
		mustEnsure(t, r, pairs(n, 6))
	}
	for n := range 24 {
		sealed[n] = mustSeal(t, r, pair(n), fmt.Sprint("note ", n))
	}
	if err := errors.Join(r.Destroy(pair(5)), r.Ensure(pairs(24, 3)), r.Close()); err != nil {
		t.Fatal(err)
	}
	delete(sealed, 5)
	return d, sealed
}

// loadsRightOrStops loads a store whose bytes were changed: all keys work, or the damage is named. It answers whether it
// loaded.
func loadsRightOrStops(t *testing.T, d *disktest.Disk, sealed map[int][]byte, what string) bool {
	t.Helper()
	r, err := Load(dir, borough(1), onDisk(d))
	if err != nil {
		if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), dir) {
			t.Fatalf("%s: %v, want a named stop", what, err)
		}
		return false
	}
	for n, words := range sealed {
		if got, err := r.Unseal(pair(n), aad(n), words); err != nil || string(got) != fmt.Sprint("note ", n) {
			t.Fatalf("%s: record %d: got %q, %v", what, n, got, err)
		}
	}
	return true
}

func changed(from *disktest.Disk, path string, content []byte) *disktest.Disk {
	d := disktest.New(1)
	for _, name := range from.Paths() {
		if name != path {
			d.SetContent(name, from.Content(name))
		} else if content != nil {
			d.SetContent(name, content)
		}
	}
	return d
}

func TestFault79EveryBitFlipOfTheStoreIsNoticed(t *testing.T) {
	d, sealed := sample(t)
	for _, file := range []string{storeName, markName} {
		path := dir + "/" + file
		content := d.Content(path)
		for bit := 0; bit < len(content)*8; bit += stride(7) {
			content[bit/8] ^= 1 << (bit % 8)
			what := fmt.Sprintf("bit %d of %s", bit, file)
			// The mark is a second witness: it may fall silent, the store may not.
			if loadsRightOrStops(t, changed(d, path, content), sealed, what) && file == storeName {
				t.Fatalf("%s: damage that nobody noticed", what)
			}
			content[bit/8] ^= 1 << (bit % 8)
		}
	}
}

func TestFault79EveryTruncationOfTheStoreIsNoticed(t *testing.T) {
	d, sealed := sample(t)
	path := dir + "/" + storeName
	content := d.Content(path)
	for n := range len(content) {
		if loadsRightOrStops(t, changed(d, path, content[:n]), sealed, fmt.Sprintf("cut to %d bytes", n)) {
			t.Fatalf("cut to %d bytes: damage that nobody noticed", n)
		}
	}
	if loadsRightOrStops(t, changed(d, path, nil), sealed, "gone") {
		t.Error("a store that is gone was made anew")
	}
}

func TestTornTailIsKeptAsideAndCut(t *testing.T) {
	d, sealed := sample(t)
	path := dir + "/" + storeName
	content := d.Content(path)
	for round := 1; round <= 2; round++ {
		torn := append(bytes.Clone(content), "DsG1 and no more"...)
		d = changed(d, path, torn)
		if !loadsRightOrStops(t, d, sealed, "torn") {
			t.Fatal("refused a torn tail")
		}
		if got := d.Content(fmt.Sprintf("%s/%s%d", dir, tornPrefix, round)); string(got) != "DsG1 and no more" {
			t.Errorf("round %d: kept %q", round, got)
		}
		if !bytes.Equal(d.Content(path), content) {
			t.Errorf("round %d: the store is not what it was before the torn write", round)
		}
	}
}

func TestFault80FailedSyncStopsTheRing(t *testing.T) {
	d := disktest.New(1)
	r := mustLoad(t, d)
	mustEnsure(t, r, pairs(0, 3))
	d.FailSync(0)
	if err := r.Ensure(pairs(3, 3)); !errors.Is(err, ErrFailed) {
		t.Errorf("got %v, want ErrFailed", err)
	}
	if _, err := r.Seal(pair(3), nil, nil); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("a key that is not durable was used: %v", err)
	}
	if err := r.Ensure(pairs(6, 1)); !errors.Is(err, ErrFailed) {
		t.Errorf("a later call: %v", err)
	}
	if err := r.Destroy(pair(1)); !errors.Is(err, ErrFailed) {
		t.Errorf("destroying: %v", err)
	}
	mustSeal(t, r, pair(0), "reads go on")
}

func TestFault81FullDiskRefusesAndRecovers(t *testing.T) {
	d := disktest.New(1)
	opt := onDisk(d)
	opt.MinFreeBytes = 2000
	r, err := Load(dir, borough(1), opt)
	if err != nil {
		t.Fatal(err)
	}
	mustEnsure(t, r, pairs(0, 3))
	d.SetCapacity(int64(len(d.Content(dir+"/"+storeName))) + 2100)
	if err := r.Ensure(pairs(3, 3)); !errors.Is(err, ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
	if err := r.Destroy(pair(1)); !errors.Is(err, ErrFull) {
		t.Errorf("destroying: got %v, want ErrFull", err)
	}
	mustSeal(t, r, pair(1), "still there")
	d.SetCapacity(1 << 20)
	mustEnsure(t, r, pairs(3, 3))
	if err := errors.Join(r.Destroy(pair(1)), r.Close()); err != nil {
		t.Fatal(err)
	}
	mustSeal(t, mustLoad(t, d), pair(3), "made after room was found")
}

func TestFault86WrongBoroughKeyRefusesAndChangesNothing(t *testing.T) {
	d, sealed := sample(t)
	before := changed(d, "", nil)
	for bit := range 256 {
		wrong := borough(1)
		wrong[bit/8] ^= 1 << (bit % 8)
		_, err := Load(dir, wrong, onDisk(d))
		if !errors.Is(err, ErrWrongKey) || !strings.Contains(err.Error(), "nothing was changed") {
			t.Fatalf("bit %d: got %v, want ErrWrongKey", bit, err)
		}
	}
	if !disktest.Same(before, d) {
		t.Error("a wrong key changed the store")
	}
	if !loadsRightOrStops(t, d, sealed, "the right key afterwards") {
		t.Error("the right key does not open the store any more")
	}
}
