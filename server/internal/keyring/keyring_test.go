package keyring

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"doorstep/server/internal/disk/disktest"
)

const dir = "/keys"

func borough(n byte) (k Key) {
	for i := range k {
		k[i] = n
	}
	return k
}

func id(n int) (out ID) {
	copy(out[:], fmt.Sprintf("%016d", n))
	return out
}

// aad is what the words of record n are bound to.
func aad(n int) []byte {
	record := id(n)
	return record[:]
}

// pair puts record n into a family with three others.
func pair(n int) Pair { return Pair{Family: id(1_000_000 + n/4), Record: id(n)} }

func pairs(first, count int) []Pair {
	out := make([]Pair, count)
	for i := range out {
		out[i] = pair(first + i)
	}
	return out
}

func onDisk(d *disktest.Disk) Options {
	return Options{FS: d, Create: true, Rand: rand.NewChaCha8([32]byte{1})}
}

func mustLoad(t testing.TB, d *disktest.Disk) *Ring {
	t.Helper()
	r, err := Load(dir, borough(1), onDisk(d))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustEnsure(t testing.TB, r *Ring, pairs []Pair) {
	t.Helper()
	if err := r.Ensure(pairs); err != nil {
		t.Fatal(err)
	}
}

func mustSeal(t testing.TB, r *Ring, record Pair, text string) []byte {
	t.Helper()
	sealed, err := r.Seal(record, record.Record[:], []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealedWordsComeBackAlsoAfterLoadingAgain(t *testing.T) {
	d := disktest.New(1)
	r := mustLoad(t, d)
	mustEnsure(t, r, pairs(0, 10))
	sealed := map[int][]byte{}
	for n := range 10 {
		sealed[n] = mustSeal(t, r, pair(n), fmt.Sprint("note ", n))
	}
	for round := range 3 {
		for n := range 10 {
			got, err := r.Unseal(pair(n), aad(n), sealed[n])
			if err != nil || string(got) != fmt.Sprint("note ", n) {
				t.Fatalf("round %d, record %d: got %q, %v", round, n, got, err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		r = mustLoad(t, d)
	}
}

func TestUnsealRefusesWhatWasNotSealedSo(t *testing.T) {
	r := mustLoad(t, disktest.New(1))
	mustEnsure(t, r, pairs(0, 2))
	sealed := mustSeal(t, r, pair(0), "seen alone")
	for bit := range len(sealed) * 8 {
		changed := bytes.Clone(sealed)
		changed[bit/8] ^= 1 << (bit % 8)
		if _, err := r.Unseal(pair(0), aad(0), changed); !errors.Is(err, ErrTampered) {
			t.Fatalf("bit %d flipped: %v", bit, err)
		}
	}
	for n := range len(sealed) {
		if _, err := r.Unseal(pair(0), aad(0), sealed[:n]); !errors.Is(err, ErrTampered) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	if _, err := r.Unseal(pair(0), nil, sealed); !errors.Is(err, ErrTampered) {
		t.Errorf("bound to something else: %v", err)
	}
	if _, err := r.Unseal(pair(1), aad(0), sealed); !errors.Is(err, ErrTampered) {
		t.Errorf("under another record's key: %v", err)
	}
}

func TestTheSameWordsNeverSealAlike(t *testing.T) {
	r := mustLoad(t, disktest.New(1))
	mustEnsure(t, r, pairs(0, 2))
	seen := map[string]bool{}
	for range 1000 {
		for n := range 2 {
			seen[string(mustSeal(t, r, pair(n), "no"))] = true
		}
	}
	if len(seen) != 2000 {
		t.Errorf("2000 sealings gave %d different results", len(seen))
	}
}

func TestUnknownRecordHasNoKey(t *testing.T) {
	r := mustLoad(t, disktest.New(1))
	if _, err := r.Seal(pair(1), nil, nil); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("sealing: %v", err)
	}
	if _, err := r.Unseal(pair(1), nil, make([]byte, 40)); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("unsealing: %v", err)
	}
	if err := r.Destroy(pair(1)); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("destroying: %v", err)
	}
}

// Whoever names a record first, under a family of their own, takes nothing from those whose record it is.
func TestTwoFamiliesMayNameOneRecord(t *testing.T) {
	d := disktest.New(1)
	r := mustLoad(t, d)
	ours, theirs := Pair{Family: id(1), Record: id(10)}, Pair{Family: id(2), Record: id(10)}
	mustEnsure(t, r, []Pair{theirs})
	mustEnsure(t, r, []Pair{ours, theirs})
	sealed := mustSeal(t, r, ours, "ours")
	if _, err := r.Unseal(theirs, ours.Record[:], sealed); !errors.Is(err, ErrTampered) {
		t.Errorf("the other family's key opens it: %v", err)
	}
	if err := errors.Join(r.Destroy(theirs), r.Close()); err != nil {
		t.Fatal(err)
	}
	r = mustLoad(t, d)
	if got, err := r.Unseal(ours, ours.Record[:], sealed); err != nil || string(got) != "ours" {
		t.Errorf("after the other was erased: got %q, %v", got, err)
	}
	if err := r.Ensure([]Pair{theirs}); !errors.Is(err, ErrErased) {
		t.Errorf("the erased one: got %v, want ErrErased", err)
	}
}

func TestEnsureMakesOneWriteForAllAndNoneForNothing(t *testing.T) {
	d := disktest.New(1)
	r := mustLoad(t, d)
	steps := func(f func()) int { before := d.Steps(); f(); return d.Steps() - before }
	// The group, its sync, and the mark.
	if got := steps(func() { mustEnsure(t, r, pairs(0, 500)) }); got != 3 {
		t.Errorf("500 new records took %d steps of the disk, want 3", got)
	}
	if got := steps(func() { mustEnsure(t, r, pairs(0, 500)) }); got != 0 {
		t.Errorf("500 known records took %d steps of the disk, want 0", got)
	}
}

func TestDestroyedKeysAreGoneForGood(t *testing.T) {
	d := disktest.New(1)
	r := mustLoad(t, d)
	mustEnsure(t, r, pairs(0, 8))
	sealed := mustSeal(t, r, pair(3), "to be erased")
	kept := mustSeal(t, r, pair(2), "to be kept")
	secret := r.table.records[r.table.recordAt[pair(3)]].key
	if !d.Holds(secret[:]) {
		t.Fatal("the test looks for the wrong bytes")
	}
	if err := errors.Join(r.Destroy(pair(3)), r.Destroy(pair(3))); err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		if _, err := r.Unseal(pair(3), aad(3), sealed); !errors.Is(err, ErrErased) {
			t.Errorf("round %d: unsealing: %v", round, err)
		}
		if _, err := r.Seal(pair(3), nil, nil); !errors.Is(err, ErrErased) {
			t.Errorf("round %d: sealing: %v", round, err)
		}
		if err := r.Ensure(pairs(3, 1)); !errors.Is(err, ErrErased) {
			t.Errorf("round %d: a new key: %v", round, err)
		}
		if got, err := r.Unseal(pair(2), aad(2), kept); err != nil || string(got) != "to be kept" {
			t.Errorf("round %d: another record: %q, %v", round, got, err)
		}
		mustEnsure(t, r, pairs(20+round, 1))
		if d.Holds(secret[:]) {
			t.Errorf("round %d: the wrapped key is still on the disk", round)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		r = mustLoad(t, d)
	}
}

// A key that was being unwrapped while its record was erased must not stay in memory.
func TestErasedKeyIsNotKept(t *testing.T) {
	r := mustLoad(t, disktest.New(1))
	mustEnsure(t, r, pairs(0, 1))
	key, err := r.recordKey(pair(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Destroy(pair(0)); err != nil {
		t.Fatal(err)
	}
	if err := r.keep(pair(0), key); !errors.Is(err, ErrErased) {
		t.Errorf("got %v, want ErrErased", err)
	}
	if _, kept := r.records.get(pair(0)); kept {
		t.Error("the key is in the cache")
	}
}

// Whoever writes the store's bytes cannot give one record the key of another.
func TestWrappedKeysAreBoundToTheirIDs(t *testing.T) {
	swap := map[string]func(*table){
		"records of one family": func(t *table) {
			t.records[0].key, t.records[1].key = t.records[1].key, t.records[0].key
		},
		"families":                         func(t *table) { t.families[0].key, t.families[1].key = t.families[1].key, t.families[0].key },
		"a record moved to another family": func(t *table) { t.recordAt[pair(0)] = t.recordAt[pair(4)] },
	}
	for name, change := range swap {
		d := disktest.New(1)
		r := mustLoad(t, d)
		mustEnsure(t, r, pairs(0, 8))
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		r = mustLoad(t, d)
		change(&r.table)
		if _, err := r.Seal(pair(0), nil, nil); !errors.Is(err, ErrTampered) {
			t.Errorf("%s: got %v, want ErrTampered", name, err)
		}
	}
}

func TestMissingStoreIsMadeOnlyWhenAskedAndNeverTwice(t *testing.T) {
	d := disktest.New(1)
	without := onDisk(d)
	without.Create = false
	if _, err := Load(dir, borough(1), without); !errors.Is(err, ErrMissing) {
		t.Errorf("got %v, want ErrMissing", err)
	}
	r := mustLoad(t, d)
	mustEnsure(t, r, pairs(0, 3))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Remove(dir + "/" + storeName); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir, borough(1), onDisk(d)); !errors.Is(err, ErrMissing) {
		t.Errorf("a store that is gone: got %v, want ErrMissing", err)
	}
}

func TestSecondLoaderIsRefused(t *testing.T) {
	root := t.TempDir()
	r, err := Load(root, borough(1), Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(root, borough(1), Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v, want ErrLocked", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Ensure(pairs(0, 1)); !errors.Is(err, ErrClosed) {
		t.Errorf("using a closed ring: %v", err)
	}
}

func TestBoroughKeyFile(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "borough.key")
	if err := NewBoroughKeyFile(path); err != nil {
		t.Fatal(err)
	}
	key, err := LoadBoroughKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if key == (Key{}) {
		t.Error("the new key is all zeros")
	}
	if err := NewBoroughKeyFile(path); !errors.Is(err, os.ErrExist) {
		t.Errorf("making it again: %v", err)
	}
	if again, err := LoadBoroughKey(path); err != nil || again != key {
		t.Errorf("the key changed: %v", err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadBoroughKey(path); err == nil || !strings.Contains(err.Error(), "open to others") {
		t.Errorf("open to the group: %v", err)
	}
	for name, content := range map[string][]byte{"short": make([]byte, 31), "long": append(key[:], '\n'), "zero": make([]byte, 32)} {
		bad := filepath.Join(root, name)
		if err := os.WriteFile(bad, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadBoroughKey(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := LoadBoroughKey(root); err == nil {
		t.Error("accepted a directory")
	}
}

func TestBoroughKeyNeverShowsItself(t *testing.T) {
	key := borough('K')
	shown := fmt.Sprintf("%v %+v %#v %s %x %d %q", key, key, key, key, key, key, key)
	asJSON, err := json.Marshal(map[string]any{"key": key})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{shown, string(asJSON), fmt.Sprint(struct{ K Key }{key}), fmt.Sprint(&key)} {
		if strings.Contains(text, "KK") || strings.Contains(text, "4b4b") || strings.Contains(text, "75") {
			t.Errorf("the key shows in %q", text)
		}
	}
}

func TestCacheForgetsTheLeastUsed(t *testing.T) {
	c := newCache[ID](2)
	c.put(id(1), nil)
	c.put(id(2), nil)
	c.get(id(1))
	c.put(id(3), nil)
	for n, want := range map[int]bool{1: true, 2: false, 3: true} {
		if _, got := c.get(id(n)); got != want {
			t.Errorf("key %d cached: %v, want %v", n, got, want)
		}
	}
	c.drop(id(1))
	if _, got := c.get(id(1)); got || c.order.Len() != 1 {
		t.Error("a dropped key is still cached")
	}
}

func TestRottenStoreIsFoundAndWrittenAnewFromMemory(t *testing.T) {
	d := disktest.New(1)
	opt := Options{Create: true, FS: d}
	r, err := Load("keys", Key{1}, opt)
	if err != nil {
		t.Fatal(err)
	}
	pairs := []Pair{{}, {Family: ID{1}, Record: ID{2}}, {Family: ID{1}, Record: ID{3}}}
	if err := r.Ensure(pairs); err != nil {
		t.Fatal(err)
	}
	sealed, err := r.Seal(pairs[2], nil, []byte("words"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Destroy(pairs[1]), r.Check()); err != nil {
		t.Fatal(err)
	}
	whole := d.Content("keys/keys")
	d.SetContent("keys/keys", append(slices.Clone(whole[:700]), append([]byte{whole[700] ^ 1}, whole[701:]...)...))
	if err := r.Check(); !errors.Is(err, ErrDamaged) {
		t.Errorf("checking a store with a flipped bit: %v", err)
	}
	if _, err := r.Snapshot(); !errors.Is(err, ErrDamaged) {
		t.Errorf("copying a store with a flipped bit: %v", err)
	}
	if err := errors.Join(r.Rewrite("keys.damaged"), r.Check(), r.Close()); err != nil {
		t.Fatal(err)
	}
	if len(d.Content("keys/keys.damaged")) != len(whole) {
		t.Error("the damaged store was not kept")
	}
	if r, err = Load("keys", Key{1}, opt); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Unseal(pairs[2], nil, sealed); err != nil || string(got) != "words" {
		t.Errorf("after writing anew: %q, %v", got, err)
	}
	if _, err := r.Seal(pairs[1], nil, nil); !errors.Is(err, ErrErased) {
		t.Errorf("an erased record after writing anew: %v", err)
	}
}
