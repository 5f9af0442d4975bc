package frame

import (
	"bytes"
	"compress/flate"
	"math/rand"
	"runtime"
	"strings"
	"sync"
	"testing"

	"doorstep/syncproto"
)

func TestWrapUnwrap(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	noise := make([]byte, 5000)
	rng.Read(noise)
	tests := []struct {
		name     string
		payload  []byte
		compress bool
		format   byte
	}{
		{"short", []byte("hello"), true, formatRaw},
		{"prose", []byte(strings.Repeat("The kitchen was clean. ", 200)), true, formatDeflate},
		{"prose, not compressed", []byte(strings.Repeat("The kitchen was clean. ", 200)), false, formatRaw},
		{"noise does not shrink", noise, true, formatRaw},
		{"nothing", nil, true, formatRaw},
	}
	for _, tt := range tests {
		wire := Wrap(tt.payload, tt.compress)
		if wire[0] != tt.format {
			t.Errorf("%s: got format %d, want %d", tt.name, wire[0], tt.format)
		}
		got, err := Unwrap(wire)
		if err != nil || !bytes.Equal(got, tt.payload) {
			t.Errorf("%s: got %d bytes, error %v", tt.name, len(got), err)
		}
		if again := Wrap(tt.payload, tt.compress); !bytes.Equal(again, wire) {
			t.Errorf("%s: wrapped twice, it differs", tt.name)
		}
	}
}

// packed returns a DEFLATE stream as another implementation would write it.
func packed(t testing.TB, payload []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(payload); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestUnwrapOtherWriters(t *testing.T) {
	payload := []byte(strings.Repeat("words ", 100))
	got, err := Unwrap(join(formatDeflate, len(payload), packed(t, payload)))
	if err != nil || !bytes.Equal(got, payload) {
		t.Errorf("got %d bytes, error %v", len(got), err)
	}
}

func TestUnwrapRefuses(t *testing.T) {
	payload := []byte(strings.Repeat("words ", 100))
	data := packed(t, payload)
	tests := []struct {
		name string
		wire []byte
		want error
	}{
		{"nothing", nil, syncproto.CodeEmpty},
		{"format alone", []byte{0}, syncproto.CodeMalformed},
		{"unknown format", join(2, len(payload), payload), syncproto.CodeMalformed},
		{"gzip magic", []byte{0x1f, 0x8b, 8, 0}, syncproto.CodeMalformed},
		{"raw, declared longer", join(formatRaw, len(payload)+1, payload), syncproto.CodeMalformed},
		{"raw, declared shorter", join(formatRaw, len(payload)-1, payload), syncproto.CodeMalformed},
		{"declared longer", join(formatDeflate, len(payload)+1, data), syncproto.CodeMalformed},
		{"declared shorter", join(formatDeflate, len(payload)-1, data), syncproto.CodeMalformed},
		{"declared above the limit", join(formatDeflate, syncproto.MaxMessageBytes+1, data), syncproto.CodeTooLarge},
		{"bytes after the stream", append(join(formatDeflate, len(payload), data), 0), syncproto.CodeMalformed},
		{"size not in its shortest form", append([]byte{formatRaw, 0x81, 0x00}, 'x'), syncproto.CodeMalformed},
		{"size without end", []byte{formatRaw, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, syncproto.CodeMalformed},
		{"frame above the limit", make([]byte, syncproto.MaxWireBytes+1), syncproto.CodeTooLarge},
	}
	for _, tt := range tests {
		if _, err := Unwrap(tt.wire); err != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
	whole := Wrap(payload, true)
	for n := range whole {
		if _, err := Unwrap(whole[:n]); err == nil {
			t.Errorf("cut at %d of %d: accepted", n, len(whole))
		}
	}
}

func TestFault14Bomb(t *testing.T) {
	bomb := packed(t, make([]byte, 512<<20/16)) // 32 MiB of zeros in a few KB
	for _, declared := range []int{100, 1 << 20, syncproto.MaxMessageBytes} {
		wire := join(formatDeflate, declared, bomb)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Unwrap(wire)
		runtime.ReadMemStats(&after)
		if err != syncproto.CodeMalformed {
			t.Errorf("declared %d: got %v, want %v", declared, err, syncproto.CodeMalformed)
		}
		if grown, most := after.TotalAlloc-before.TotalAlloc, uint64(4*declared+1<<20); grown > most {
			t.Errorf("declared %d: %d bytes allocated, want at most %d", declared, grown, most)
		}
	}
}

// TestWrapperRemembersNothing holds that a frame does not depend on the messages
// that were wrapped before it: nothing of another's words is in it.
func TestWrapperRemembersNothing(t *testing.T) {
	var w Wrapper
	rng := rand.New(rand.NewSource(3))
	words := strings.Fields("nobody hits anybody in front of the children and gran sleeps over on friday nights")
	messages := make([][]byte, 200)
	for n := range messages {
		var b bytes.Buffer
		for b.Len() < 100+rng.Intn(200<<(n%10)) {
			b.WriteString(words[rng.Intn(len(words))])
		}
		messages[n] = b.Bytes()
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for n, m := range messages {
				got := w.Wrap(m, true)
				if !bytes.Equal(got, Wrap(m, true)) {
					t.Errorf("message %d of %d bytes: another frame than alone", n, len(m))
				}
				if back, err := Unwrap(got); err != nil || !bytes.Equal(back, m) {
					t.Errorf("message %d of %d bytes does not come back: %v", n, len(m), err)
				}
			}
		})
	}
	all.Wait()
}

func FuzzUnwrap(f *testing.F) {
	f.Add(Wrap([]byte(strings.Repeat("words ", 100)), true))
	f.Add(Wrap([]byte("x"), false))
	f.Fuzz(func(t *testing.T, wire []byte) {
		payload, err := Unwrap(wire)
		if err != nil {
			return
		}
		if len(payload) > syncproto.MaxMessageBytes {
			t.Fatalf("%d bytes let through", len(payload))
		}
		again, err := Unwrap(Wrap(payload, true))
		if err != nil || !bytes.Equal(again, payload) {
			t.Fatalf("wrapped again, it differs: error %v", err)
		}
	})
}

func TestUnwrapCopyIsItsOwn(t *testing.T) {
	payload := []byte(strings.Repeat("He was at school. ", 20))
	for _, packed := range []bool{false, true} {
		wire := Wrap(payload, packed)
		got, err := UnwrapCopy(wire)
		clear(wire)
		if err != nil || !bytes.Equal(got, payload) {
			t.Errorf("packed %v: %q, %v after the frame was cleared", packed, got, err)
		}
	}
}
