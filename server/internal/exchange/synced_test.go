package exchange_test

import (
	"testing"

	"doorstep/server/internal/exchange"
	"doorstep/syncproto"
)

// What a device still holds is read off how far its chains reach, at each sync.
func TestWhatDevicesHoldIsCounted(t *testing.T) {
	w := newTown(t)
	var told []exchange.Synced
	w.onSynced = func(s exchange.Synced) { told = append(told, s) }
	w.ledger.Close()
	w.start()
	family := newID[syncproto.FamilyID](w)
	worker := w.person("practitioner")
	w.relate(worker, family, "allocated")
	d := w.tablet(worker)
	record := newID[syncproto.RecordID](w)
	first := d.write(edit{family: family, record: record, ops: place("home")})
	second := d.write(edit{family: family, record: record, deps: []*syncproto.Change{first}, ops: place("school")})
	d.mustAsk(d.request())               // it only asks for news
	d.mustAsk(d.request(d.batch(first))) // a part of the way
	d.mustAsk(d.request(d.batch(second)))
	want := []struct {
		unsent   uint64
		receipts int
	}{{2, 0}, {1, 1}, {0, 1}}
	if len(told) != len(want) {
		t.Fatalf("told of %d syncs, want %d", len(told), len(want))
	}
	for i, s := range told {
		if s.Device != d.device || s.Unsent != want[i].unsent || len(s.Receipts) != want[i].receipts {
			t.Errorf("sync %d: got %d unsent and %d receipts, want %+v", i, s.Unsent, len(s.Receipts), want[i])
		}
	}
}
