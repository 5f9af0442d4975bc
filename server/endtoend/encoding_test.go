package endtoend

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/frame"
)

// badEncodings are bytes that no encoder of ours would write, by fault.
func badEncodings() map[string][]byte {
	return map[string][]byte{
		"05 nested seventeen deep":       append(bytes.Repeat([]byte{0x81}, 17), 0x01),
		"05 nested ten thousand deep":    append(bytes.Repeat([]byte{0x81}, 10_000), 0x01),
		"06 array of 2^40":               {0x9b, 0, 0, 1, 0, 0, 0, 0, 0},
		"06 map with an array of 2^40":   {0xa1, 0x05, 0x9b, 0, 0, 1, 0, 0, 0, 0, 0},
		"06 map with a string of 2^40":   {0xa1, 0x04, 0x5b, 0, 0, 1, 0, 0, 0, 0, 0},
		"07 duplicate keys":              {0xa2, 0x01, 0x01, 0x01, 0x01},
		"08 indefinite map":              {0xbf, 0x01, 0x01, 0xff},
		"08 indefinite array":            {0xa1, 0x05, 0x9f, 0xff},
		"09 number not in shortest form": {0xa1, 0x01, 0x18, 0x01},
		"09 keys out of order":           {0xa2, 0x02, 0x01, 0x01, 0x01},
		"11 NaN":                         {0xa1, 0x01, 0xf9, 0x7e, 0x00},
		"11 infinity":                    {0xa1, 0x01, 0xf9, 0x7c, 0x00},
		"11 minus zero":                  {0xa1, 0x01, 0xf9, 0x80, 0x00},
		"11 2^53+1":                      {0xa1, 0x01, 0x1b, 0, 0x20, 0, 0, 0, 0, 0, 1},
	}
}

// TestFault05And06And07And08And09And11OverHTTP sends such bytes as a request,
// which is refused whole with 400 or 413, and as a signed change, which is refused by
// name while the changes around it are taken in.
func TestFault05And06And07And08And09And11OverHTTP(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1})
	owner := newTablet(t, b, 0, 1)
	owner.syncs()
	w := newWire(b, owner)
	before, err := w.feed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range badEncodings() {
		want := http.StatusBadRequest
		if strings.HasPrefix(name, "06 map") { // a field with a limit of its own (SPEC 7.7)
			want = http.StatusRequestEntityTooLarge
		}
		if status := w.send(frame.Wrap(bad, false)); status != want {
			t.Errorf("%s: got status %d, want %d", name, status, want)
		}
	}
	after, err := w.feed(t.Context())
	if err != nil || len(after) != len(before) {
		t.Errorf("refused requests left %d items in the feed, %v", len(after)-len(before), err)
	}

	c := &chain{w: w, actor: syncproto.ActorID{5}}
	family := owner.families()[0]
	var bodies [][]byte
	var good []syncproto.ChangeID
	want := map[syncproto.ChangeID]string{}
	visit := func(n int) {
		raw, id := c.next(syncproto.Body{Family: family, Record: syncproto.RecordID{5, byte(n)}, Kind: "visit", Ops: []syncproto.Op{setText("visit_type", "CIN")}})
		bodies, good = append(bodies, raw), append(good, id)
	}
	visit(0)
	for name, bad := range badEncodings() {
		c.seq++
		bodies = append(bodies, bad)
		want[c.append(bad)] = name
		visit(len(bodies))
	}
	q := w.request(1)
	q.Batches = []syncproto.Batch{c.batch(syncproto.ChangeID{}, bodies...)}
	reply, err := w.post(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for _, rc := range reply.Receipts {
		name, isBad := want[rc.Change]
		delete(want, rc.Change)
		if isBad != (rc.Status == syncproto.StatusRefused) || isBad == (rc.Code == syncproto.CodeOK) {
			t.Errorf("change %s %q: status %d, %v", rc.Change, name, rc.Status, rc.Code)
		}
	}
	if len(want) > 0 || len(reply.Receipts) != len(bodies) {
		t.Errorf("%d receipts for %d changes, none for %v", len(reply.Receipts), len(bodies), want)
	}
	w.wantOnce(good...)
}

// send posts bytes as a sync request and returns the status of the answer.
func (w *wire) send(body []byte) int {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, base+"/v1/sync", bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", frame.MediaType)
	resp, err := w.prove(req)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode
}
