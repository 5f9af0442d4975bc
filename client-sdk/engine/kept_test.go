package engine

import (
	"bytes"
	"slices"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// garble replaces the body of every change in the store: whoever reads one is found
// out. It returns how many there are.
func (d *tablet) garble() int {
	n := 0
	for key := range d.rows {
		if key[0] == rowChange {
			d.rows[key] = encodeStored(syncproto.ChangeID{}, []byte("not a change"), nil)
			n++
		}
	}
	return n
}

// TestOpeningReadsNoChange: a record opens from its kept view. What is shown, and
// what its user is told of their words, is the same as if it had been folded; not
// one change is read for it.
func TestOpeningReadsNoChange(t *testing.T) {
	a, b := twoTablets(t, "Calm. ")
	for range 20 {
		a.say(visitRecord, "More. ")
	}
	a.sync()
	b.sync()
	b.say(visitRecord, "Read by a colleague.")
	b.sync()
	a.sync()
	want, err := a.engine.View(visitRecord)
	if err != nil {
		t.Fatal(err)
	}
	status := a.engine.Status(visitRecord)
	a.carryOut(a.engine.Rest())
	if n := a.garble(); n < 20 {
		t.Fatalf("%d changes", n)
	}
	a.start()
	got, err := a.engine.View(visitRecord)
	if err != nil || !bytes.Equal(got.Encode(), want.Encode()) {
		t.Errorf("opened from its row the record is another: %v", err)
	}
	if again := a.engine.Status(visitRecord); again.State != status.State || status.State != StateSeen {
		t.Errorf("status: got %v, want %v", again.State, status.State)
	}
	if heads := a.engine.Heads(visitRecord); !slices.Equal(heads, want.Heads) {
		t.Errorf("heads: %v", heads)
	}
	a.typing(visitRecord, text.Splice{Ins: "Typed. "})
	if got := a.purpose(visitRecord); got[:7] != "Typed. " {
		t.Errorf("typing on top of it: %q", got)
	}
	if a.engine.records[visitRecord].graph != nil {
		t.Error("the record's history was read")
	}
}

// TestKeptViewThatDoesNotFitIsDropped: each case makes the row one of something else
// than what is here. The record is then folded from its changes.
func TestKeptViewThatDoesNotFitIsDropped(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(d *tablet)
	}{
		{"a change came after it", func(d *tablet) { d.say(visitRecord, "News.") }},
		{"the row was cut", func(d *tablet) { d.alterView(func(row []byte) []byte { return row[:len(row)-1] }) }},
		{"the row is no row", func(d *tablet) { d.alterView(func([]byte) []byte { return []byte{0xff} }) }},
		{"the view is another record's", func(d *tablet) {
			d.alterKept(func(k *keptView) {
				v, _ := syncproto.DecodeView(k.view)
				v.Record = testRecords[1]
				k.view = v.Encode()
			})
		}},
		{"it is of another history", func(d *tablet) { d.alterKept(func(k *keptView) { k.of[0] ^= 1 }) }},
		{"it is of another schema", func(d *tablet) { d.alterKept(func(k *keptView) { k.version++ }) }},
		{"the view was cut", func(d *tablet) { d.alterKept(func(k *keptView) { k.view = k.view[:len(k.view)-1] }) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, _ := twoTablets(t, "Calm. ")
			a.purpose(visitRecord)
			a.carryOut(a.engine.Rest())
			c.spoil(a)
			want := a.purpose(visitRecord)
			a.start()
			if got := a.purpose(visitRecord); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if a.engine.records[visitRecord].graph == nil {
				t.Error("the kept view was used")
			}
			a.check()
		})
	}
}

func (d *tablet) alterView(fn func([]byte) []byte) {
	key := string(keyView(testFamily(visitRecord), visitRecord))
	if d.rows[key] == nil {
		d.t.Fatal("no view is kept")
	}
	d.rows[key] = fn(d.rows[key])
}

func (d *tablet) alterKept(fn func(*keptView)) {
	d.alterView(func(row []byte) []byte {
		k, err := decodeKeptView(row)
		if err != nil {
			d.t.Fatal(err)
		}
		fn(&k)
		return k.encode()
	})
}

// TestViewIsKeptOnceItRests: a record that is being written in is not stored whole
// with every sync; one that rests is stored once, and an idle sync writes nothing.
func TestViewIsKeptOnceItRests(t *testing.T) {
	a, _ := twoTablets(t, "Calm. ")
	kept := func() []byte { return a.rows[string(keyView(testFamily(visitRecord), visitRecord))] }
	for range 5 {
		a.say(visitRecord, "More. ")
		a.begin()
		if kept() != nil {
			t.Fatal("stored while it is written in")
		}
	}
	a.sync()
	a.purpose(visitRecord)
	a.sync()
	a.sync()
	first := kept()
	if first == nil {
		t.Fatal("not stored at rest")
	}
	effects, err := a.engine.Sync(a.now, syncproto.RequestID(a.chance()))
	if err != nil {
		t.Fatal(err)
	}
	for _, eff := range effects {
		if _, store := eff.(Store); store {
			t.Error("an idle sync writes")
		}
	}
}

// TestPurgeTakesTheKeptView: nothing of a family stays behind.
func TestPurgeTakesTheKeptView(t *testing.T) {
	a, _ := twoTablets(t, "Calm. ")
	a.edit(visitRecord, set("visit_type", cbor.Text("CP")))
	a.sync()
	a.purpose(visitRecord)
	a.carryOut(a.engine.Rest())
	a.server.Revoke(a.id.User, testFamily(visitRecord))
	a.sync()
	for key := range a.rows {
		if key[0] == rowView || key[0] == rowChange {
			t.Errorf("a row of kind %c stays", key[0])
		}
	}
}
