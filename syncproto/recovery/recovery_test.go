package recovery_test

import (
	"bytes"
	"errors"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/recovery"
)

func key(t testing.TB, b byte) recovery.PrivateKey {
	t.Helper()
	k, err := recovery.ParsePrivateKey(bytes.Repeat([]byte{b}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func item(n byte) recovery.Item {
	return recovery.Item{Prev: syncproto.ChangeID{n}, Signature: bytes.Repeat([]byte{n}, 64), Body: []byte("words that were never sent " + string('a'+n))}
}

func file(t testing.TB, k recovery.PrivateKey, items ...recovery.Item) []byte {
	t.Helper()
	out := recovery.Header{Borough: "testshire", Device: syncproto.DeviceID{1}, User: syncproto.UserID{2}}.Encode(k.Public())
	header := bytes.Clone(out)
	for _, it := range items {
		sealed, err := recovery.Seal(k.Public(), header, it)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, sealed...)
	}
	return out
}

func TestSealedWordsComeBack(t *testing.T) {
	k := key(t, 0x45)
	b := file(t, k, item(1), item(2))
	if bytes.Contains(b, []byte("never sent")) {
		t.Error("the file shows its words")
	}
	got, err := recovery.Open(k, b)
	if err != nil || len(got.Items) != 2 || got.Damaged != 0 || got.Torn || got.Borough != "testshire" || got.Device != (syncproto.DeviceID{1}) || got.User != (syncproto.UserID{2}) {
		t.Fatalf("got %+v, %v", got, err)
	}
	for i, it := range got.Items {
		if want := item(byte(i + 1)); it.Prev != want.Prev || !bytes.Equal(it.Body, want.Body) || !bytes.Equal(it.Signature, want.Signature) {
			t.Errorf("item %d: got %+v", i, it)
		}
	}
	if _, err := recovery.Open(key(t, 0x46), b); !errors.Is(err, recovery.ErrFile) {
		t.Errorf("with another key: got %v", err)
	}
}

// Every cut and every flipped bit: what is whole comes back, nothing that is not is
// taken for words, and nothing panics.
func TestDamagedFilesGiveBackWhatIsWhole(t *testing.T) {
	k := key(t, 0x45)
	b := file(t, k, item(1), item(2))
	for n := range b {
		got, err := recovery.Open(k, b[:n])
		if err == nil && len(got.Items) == 2 {
			t.Errorf("cut at %d: everything came back", n)
		}
	}
	want := map[string]bool{string(item(1).Body): true, string(item(2).Body): true}
	for i := range b {
		flipped := bytes.Clone(b)
		flipped[i] ^= 1 << (i % 8)
		got, err := recovery.Open(k, flipped)
		if err != nil {
			continue
		}
		if len(got.Items) == 2 && got.Damaged == 0 && !got.Torn {
			t.Errorf("flipped byte %d: nothing was noticed", i)
		}
		for _, it := range got.Items {
			if !want[string(it.Body)] {
				t.Errorf("flipped byte %d: made up %q", i, it.Body)
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	k := key(f, 0x45)
	f.Add(file(f, k, item(1), item(2)))
	f.Add([]byte("doorstep-outbox-v1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := recovery.Open(k, b)
		if err != nil && len(got.Items) > 0 {
			t.Error("items beside an error")
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	k := key(b, 0x45)
	header := recovery.Header{Borough: "testshire"}.Encode(k.Public())
	it := item(1)
	for b.Loop() {
		if _, err := recovery.Seal(k.Public(), header, it); err != nil {
			b.Fatal(err)
		}
	}
}
