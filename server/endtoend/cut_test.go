package endtoend

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"doorstep/client-sdk/device"
	"doorstep/syncproto"
)

// stride is how many byte offsets lie between two cuts.
func stride() int {
	if testing.Short() {
		return 37
	}
	return everyByte
}

// day is what a worker brings home: two visits with a page of prose between
// them, and a plan begun. n makes it unlike any other.
func (b *tablet) day(family syncproto.FamilyID, n int, prose string) []syncproto.ChangeID {
	b.t.Helper()
	first, second := b.newRecord(), b.newRecord()
	return []syncproto.ChangeID{
		b.edit(family, first, "visit", setText("visit_type", "CIN"), setText("outcome", "COMPLETED")),
		b.edit(family, first, "visit", write("household_summary", 0, fmt.Sprintf("Visit %d. ", n)+take(&prose, 900))),
		b.edit(family, second, "visit", setText("visit_type", "CP"), write("purpose", 0, take(&prose, 700))),
		b.edit(family, b.newRecord(), "plan", setText("contingency", take(&prose, 300))),
	}
}

// cutFixture is a borough with a worker whose sync is cut and a colleague whose
// news are on the way down meanwhile.
func cutFixture(t *testing.T) (b *borough, worker, colleague *tablet, family syncproto.FamilyID) {
	b = newBorough(t, caseload{workers: 2, families: 1, plans: true})
	worker, colleague = newTablet(t, b, 0, 1), newTablet(t, b, 1, 2)
	worker.syncs()
	colleague.syncs()
	return b, worker, colleague, worker.families()[0]
}

// syncsCut syncs over a line that is cut after so many bytes up or down, -1 never.
func (b *tablet) syncsCut(up, down int) error {
	b.line.cut(up, down)
	_, err := b.Sync(b.t.Context())
	return err
}

// sessionCuts is how many cuts one session makes: it may ask for a thousand things at
// once, and then for a hundred a second.
const sessionCuts = 300

// newSession signs the tablet in anew.
func (b *tablet) newSession() {
	b.t.Helper()
	b.line.cut(-1, -1)
	client, left := b.client(), b.store.Reopen()
	closing(b.t, b.Close)
	b.store = left
	b.open(client)
	if err := client.SignIn(b.t.Context(), b.login, password, b.id.Device); err != nil {
		b.t.Fatal(err)
	}
}

// wantNoAnswer checks that a sync failed for want of an answer.
func wantNoAnswer(t *testing.T, at int, err error) {
	t.Helper()
	var refused *device.Refusal
	if errors.As(err, &refused) {
		t.Fatalf("cut after byte %d: the server answered %v", at, err)
	}
}

// TestFault62RequestCutAtEveryByte cuts the request that carries a day's work
// after every byte of it, HTTP header included. Each time it is another day, so
// that each time the server could have taken in half of one.
func TestFault62RequestCutAtEveryByte(t *testing.T) {
	t.Parallel()
	b, worker, colleague, family := cutFixture(t)
	words := prose(t)
	var wrote []syncproto.ChangeID
	wrote = append(wrote, worker.day(family, -1, words)...)
	before := worker.line.up.Load()
	worker.syncs()
	length := int(worker.line.up.Load() - before)
	cuts := 0
	for at := 0; at < length; at += stride() {
		if at/stride()%sessionCuts == sessionCuts-1 {
			worker.newSession()
		}
		wrote = append(wrote, worker.day(family, at, words)...)
		err := worker.syncsCut(at, -1)
		if err != nil {
			cuts++
			wantNoAnswer(t, at, err)
		}
		if err := worker.syncsCut(-1, -1); err != nil {
			t.Fatal(err)
		}
		worker.wantEmptyOutbox()
	}
	t.Logf("one day's request of %d bytes, cut %d times", length, cuts)
	if cuts < length/stride()-16 { // the requests differ by a few bytes in length
		t.Errorf("only %d of %d requests were cut", cuts, length/stride())
	}
	colleague.syncs()
	worker.wantAccepted()
	newWire(b, colleague).wantOnce(wrote...)
	b.stop()
	wantSame(t, openData(t, b.cfg), worker, colleague)
}

// TestFault62ReplyCutAtEveryByte cuts the reply that brings the receipts of a
// day's work and a colleague's day after every byte of it. Each time the tablet
// is as it was before it sent anything, and the server has had the day before.
func TestFault62ReplyCutAtEveryByte(t *testing.T) {
	t.Parallel()
	b, worker, colleague, family := cutFixture(t)
	words := prose(t)
	theirs := colleague.day(family, 1000, words[2000:])
	colleague.syncs()
	ours := worker.day(family, 1, words)
	settled := worker.copied(7)
	before, asked := worker.line.down.Load(), 0
	worker.line.between(func(r *http.Request, network http.RoundTripper) (*http.Response, error) {
		resp, err := network.RoundTrip(r)
		if err == nil && resp.StatusCode == http.StatusUnauthorized { // it wants a nonce; cutting that off loses nothing
			asked = int(worker.line.down.Load() - before)
		}
		return resp, err
	})
	settled.syncs()
	worker.line.between(nil)
	length := int(worker.line.down.Load() - before)
	want := settled.folds()
	closing(t, settled.Close)
	cuts := 0
	for at := 0; at < length; at += stride() {
		if at/stride()%sessionCuts == sessionCuts-1 {
			worker.newSession()
		}
		cut := worker.copied(uint64(at))
		if err := cut.syncsCut(-1, at); err != nil {
			cuts++
			wantNoAnswer(t, at, err)
		}
		if err := cut.syncsCut(-1, -1); err != nil {
			t.Fatal(err)
		}
		cut.wantEmptyOutbox()
		cut.wantAccepted()
		wantSameFolds(t, fmt.Sprintf("the tablet cut after byte %d", at), want, cut.folds())
		closing(t, cut.Close)
	}
	t.Logf("one day's reply of %d bytes, cut %d times", length, cuts)
	if cuts < (length-asked)/stride()-16 {
		t.Errorf("only %d of %d replies were cut", cuts, length/stride())
	}
	if err := worker.syncsCut(-1, -1); err != nil {
		t.Fatal(err)
	}
	newWire(b, worker).wantOnce(append(ours, theirs...)...)
	colleague.syncs()
	b.stop()
	wantSame(t, openData(t, b.cfg), worker, colleague)
}
