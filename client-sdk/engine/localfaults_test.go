package engine

import (
	"bytes"
	"strings"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// Broken words from a keyboard are mended before they are signed; what was given
// is kept beside them.
func TestFault19LoneSurrogate(t *testing.T) {
	s, d := faultWorld(t)
	broken := "Mum said \xed\xa0\xbd stop" // the first half of an emoji
	d.typing(visit, text.Splice{Ins: broken})
	d.save(visit)
	d.sync()
	wantAtServer(t, s, "Mum said \uFFFD stop")
	kept := false
	for key, value := range d.rows {
		kept = kept || key[0] == rowWords && bytes.Contains(value, []byte(broken))
	}
	if !kept {
		t.Error("the words as they were given are nowhere on the device")
	}
	d.check()
}

func TestFault24LongNarrative(t *testing.T) {
	s, d := faultWorld(t)
	words := strings.Repeat("The kitchen was warm. ", 1<<20/22)
	d.typing(visit, text.Splice{Ins: words})
	d.check()
	d.sync()
	wantAtServer(t, s, words)
	for i := range s.Entries {
		if n := len(s.Entries[i].Item.Body); n > syncproto.MaxBodyBytes {
			t.Errorf("entry %d has %d bytes", i+1, n)
		}
	}
}

func TestFault25FiftyMegabytePaste(t *testing.T) {
	_, d := faultWorld(t)
	d.typing(visit, text.Splice{Ins: "before"})
	for _, size := range []int{editBytes, 50 << 20} {
		_, err := d.engine.Type(d.now, Typing{Record: visit, Path: purpose, Splice: text.Splice{Ins: strings.Repeat("x", size)}})
		if err != syncproto.CodeTooLarge {
			t.Errorf("%d bytes: got %v, want %v", size, err, syncproto.CodeTooLarge)
		}
	}
	long := strings.Repeat("x", syncproto.MaxNarrative-1000)
	if _, err := spliced(long, []text.Splice{{Ins: strings.Repeat("y", 1001)}}); err != syncproto.CodeTooLarge {
		t.Errorf("a narrative that grows too long: %v", err)
	}
	wantPurpose(t, d, "before")
	d.check()
}

func TestFault51ClockAhead(t *testing.T) {
	typesUnder(t, Time{UnixMS: 315_360_000_000_000, OffsetMin: 60, MonotonicMS: 1000})
}

func TestFault52ClockBeforeEnrolment(t *testing.T) {
	typesUnder(t, Time{UnixMS: 0, MonotonicMS: 1000})
	typesUnder(t, Time{UnixMS: -1 << 62, MonotonicMS: 2000})
}

func TestFault53ClockJumpsBack(t *testing.T) {
	typesUnder(t,
		Time{UnixMS: 1_795_000_000_000, MonotonicMS: 1000},
		Time{UnixMS: 1_700_000_000_000, MonotonicMS: 2000}, // set back mid-visit
		Time{UnixMS: 1_700_000_000_000, MonotonicMS: 1},    // and the device begun anew
	)
}

func TestFault54OtherTimeZone(t *testing.T) {
	typesUnder(t,
		Time{UnixMS: 1_792_889_999_000, OffsetMin: 60, MonotonicMS: 1000},
		Time{UnixMS: 1_792_890_001_000, OffsetMin: 0, MonotonicMS: 3000}, // summer time ends
		Time{UnixMS: 1_792_890_002_000, OffsetMin: -300, MonotonicMS: 4000},
		Time{UnixMS: 1_792_890_003_000, OffsetMin: 1 << 40, MonotonicMS: 5000}, // no zone on earth
	)
}

func TestFault55YearTenThousand(t *testing.T) {
	typesUnder(t,
		Time{UnixMS: 2_147_483_648_000, MonotonicMS: 1000},
		Time{UnixMS: 253_402_300_800_000, MonotonicMS: 2000},
		Time{UnixMS: 1<<63 - 1, MonotonicMS: 1<<64 - 1},
	)
}

// typesUnder types and syncs a word under each time: clocks change nothing but
// what is shown of the time, and the user is told that they are wrong.
func typesUnder(t *testing.T, times ...Time) {
	t.Helper()
	s, d := faultWorld(t)
	want := ""
	for i, now := range times {
		d.now = now
		word := strings.Repeat("x", i+1) + " "
		effects, err := d.engine.Type(now, Typing{Record: visit, Path: purpose, Splice: text.Splice{Pos: len(want), Ins: word}})
		if err != nil {
			t.Fatalf("under %+v: %v", now, err)
		}
		d.carryOut(effects)
		d.save(visit)
		d.sync()
		want += word
		wantAtServer(t, s, want)
	}
	if !d.noted(NoteClock) {
		t.Error("nobody was told that the clock is wrong")
	}
	d.check()
}

// A tablet killed at any keystroke has every one that was acknowledged.
func TestFault98KilledMidKeystroke(t *testing.T) {
	_, d := faultWorld(t)
	want := ""
	for i, c := range strings.Repeat("Said she was not hungry. ", 20) {
		d.crash = i%7 == 3
		died := d.crash
		d.typing(visit, text.Splice{Pos: len(want), Ins: string(c)})
		if !died {
			want += string(c)
		}
		if i%5 == 0 {
			d.start()
		}
		wantPurpose(t, d, want)
	}
	d.check()
}

func TestMissingOwnChange(t *testing.T) {
	_, d := faultWorld(t)
	for range 4 {
		d.edit(visit, set("visit_type", cbor.Text("CP")))
	}
	tests := []struct {
		name string
		lose func(key string) bool
		want string
	}{
		{"place", func(key string) bool { return key == string(keyLink(d.engine.Actor(), 3)) }, "own change missing"},
		{"content", func(key string) bool {
			return strings.HasSuffix(key, string(d.engine.chains[d.engine.Actor()].links[2].id[:]))
		}, "content of own change missing"},
	}
	for _, test := range tests {
		e := New(d.id, Verifiers{})
		for key, value := range d.rows {
			if !test.lose(key) {
				if err := e.Load([]byte(key), value); err != nil {
					t.Fatal(err)
				}
			}
		}
		_, err := e.Start()
		missing, ok := err.(*MissingError)
		if !ok || missing.Seq != 3 || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s lost: %v", test.name, err)
		}
	}
}

func TestMissingMetaRow(t *testing.T) {
	_, d := faultWorld(t)
	e := New(d.id, Verifiers{})
	for key, value := range d.rows {
		if key[0] != rowMeta {
			if err := e.Load([]byte(key), value); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := e.Start(); err != ErrRow {
		t.Errorf("got %v, want %v", err, ErrRow)
	}
}

func TestLoadRefusesStrangeRows(t *testing.T) {
	_, d := faultWorld(t)
	other := d.id
	other.User = syncproto.UserID{2}
	if err := New(other, Verifiers{}).Load(keyMeta(), d.rows[string(keyMeta())]); err != ErrIdentity {
		t.Errorf("rows of another user: %v", err)
	}
	if err := New(d.id, Verifiers{}).Load([]byte{'?'}, nil); err != ErrRow {
		t.Errorf("a row of no known kind: %v", err)
	}
	for key, value := range d.rows {
		for i := range value {
			// No cut may pass for a row, and none may panic.
			if err := New(d.id, Verifiers{}).Load([]byte(key), value[:i]); err == nil {
				t.Errorf("row %c cut at byte %d passes", key[0], i)
			}
		}
		if err := New(d.id, Verifiers{}).Load([]byte(key+"x"), value); err == nil {
			t.Errorf("row %c passes under a longer key", key[0])
		}
	}
}
