package exchange_test

import (
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// TestFault56ServerClockWrongByADay sets the server's clock a day ahead, then
// back, with a restart between: the journal alone decides the order, every change
// is there once, and the replies tell the devices the time, so that they see that
// it is wrong.
func TestFault56ServerClockWrongByADay(t *testing.T) {
	w, family, ada := case1(t)
	visit := newID[syncproto.RecordID](w)
	const day = 24 * 3_600_000
	var before []*syncproto.Change
	var last uint64
	for n, jump := range []int64{0, day + 1000, -day - 1000, -day, day} {
		w.nowMS += jump
		if n == 2 {
			w.restart()
		}
		// The tablet's own clock is right throughout.
		c := ada.write(edit{family: family, record: visit, deps: before, ops: place([]string{"HOME", "SCHOOL"}[n%2]),
			alter: func(b *syncproto.Body) { b.TimeMS = startMS }})
		reply := ada.sync()
		if reply.TimeMS != w.nowMS {
			t.Errorf("step %d: the reply says %d, the server's clock %d", n, reply.TimeMS, w.nowMS)
		}
		r := ada.receipts[c.ID]
		if r.Status != accepted || r.Durability < syncproto.DurabilityStored || r.Position <= last {
			t.Errorf("step %d: got receipt %+v after position %d", n, r, last)
		}
		last, before = r.Position, []*syncproto.Change{c}
	}
	bea := w.coworker(family)
	bea.sync()
	for who, d := range map[string]*tablet{"author": ada, "colleague": bea} {
		v := d.view(visit)
		if f, _ := v.Field("place"); len(v.Conflicts) != 0 || !f.Value.Equal(cbor.Text("HOME")) {
			t.Errorf("%s: the clock changed what is in force", who)
		}
		d.sameAsServer(visit)
	}
}
