package endtoend

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/server"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// TestFault60TwoConnectionsOverHTTP sends the same change over two connections at
// once: one entry, two equal receipts.
func TestFault60TwoConnectionsOverHTTP(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1})
	owner := newTablet(t, b, 0, 1)
	owner.syncs()
	family := owner.families()[0]
	first, second := newWire(b, owner), newWire(b, owner)
	for round := range 20 {
		c := &chain{w: first, actor: syncproto.ActorID{0x60, byte(round)}}
		raw, id := c.next(syncproto.Body{Family: family, Record: syncproto.RecordID{0x60, byte(round)}, Kind: "visit",
			Ops: []syncproto.Op{setText("visit_type", "CIN")}})
		q := first.request(byte(round))
		q.Batches = []syncproto.Batch{c.batch(syncproto.ChangeID{}, raw)}
		var replies [2]*syncproto.SyncReply
		var errs [2]error
		var both sync.WaitGroup
		for n, w := range []*wire{first, second} {
			both.Go(func() { replies[n], errs[n] = w.post(t.Context(), q) })
		}
		both.Wait()
		if err := errors.Join(errs[:]...); err != nil {
			t.Fatal(err)
		}
		one, two := replies[0].Receipts, replies[1].Receipts
		if len(one) != 1 || len(two) != 1 || !sameReceipt(one[0], two[0]) || one[0].Change != id || one[0].Status != syncproto.StatusAccepted {
			t.Errorf("round %d: got receipts %+v and %+v", round, one, two)
		}
		first.wantOnce(id)
	}
}

func sameReceipt(a, b syncproto.Receipt) bool {
	return a.Change == b.Change && a.Status == b.Status && a.Code == b.Code && a.Durability == b.Durability && a.Position == b.Position
}

// TestFault61FiftyDevicesOnOneRecordOverHTTP has fifty tablets write the same
// visit offline and then sync all at once.
func TestFault61FiftyDevicesOnOneRecordOverHTTP(t *testing.T) {
	t.Parallel()
	const devices, workers = 50, 5
	b := newBorough(t, caseload{workers: workers, families: 1})
	tablets := make([]*tablet, devices)
	for n := range tablets {
		tablets[n] = newTablet(t, b, n%workers, uint64(n))
	}
	lead := tablets[0]
	lead.syncs()
	family, visit := lead.families()[0], syncproto.RecordID{0x61}
	lead.edit(family, visit, "visit", setText("visit_type", "CIN"), write("household_summary", 0, "All of us were there."))
	lead.syncs()
	for _, x := range tablets {
		x.syncs()
	}
	for n, x := range tablets { // offline, each on its own
		x.edit(family, visit, "visit", write("household_summary", 0, fmt.Sprintf("[tablet %02d] ", n)))
		x.edit(family, visit, "visit", setText("place", []string{"HOME", "SCHOOL"}[n%2]))
		x.edit(family, visit, "visit", syncproto.Op{Code: syncproto.OpAdd,
			Path:  syncproto.Path{Field: "present", Element: syncproto.ElementID(x.chance())},
			Value: cbor.Map(cbor.Pair{Key: "described", Value: cbor.Text(fmt.Sprintf("A neighbour, as seen by %02d", n))})})
	}
	for range 2 { // in the second round everybody hears of the last
		syncAll(t, tablets)
	}
	view, err := lead.View(visit)
	if err != nil {
		t.Fatal(err)
	}
	summary, _ := view.Field("household_summary")
	for n := range devices {
		if strings.Count(summary.Text, fmt.Sprintf("[tablet %02d] ", n)) != 1 {
			t.Errorf("the words of tablet %d are not there once", n)
		}
	}
	if present, _ := view.Field("present"); len(present.Items) != devices {
		t.Errorf("got %d people present, want %d", len(present.Items), devices)
	}
	for _, x := range tablets {
		x.wantEmptyOutbox()
		x.wantAccepted()
	}
	b.stop()
	wantSame(t, openData(t, b.cfg), tablets...)
}

// syncAll lets every tablet sync at the same time.
func syncAll(t *testing.T, tablets []*tablet) {
	t.Helper()
	var all sync.WaitGroup
	errs := make([]error, len(tablets))
	for n, x := range tablets {
		all.Go(func() { _, errs[n] = x.Sync(t.Context()) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

var errLost = errors.New("the reply was lost")

// TestFault63ReplyLostAfterCommitOverHTTP loses the reply to a request that the
// server has committed, restarts the tablet, and asks again.
func TestFault63ReplyLostAfterCommitOverHTTP(t *testing.T) {
	t.Parallel()
	b, worker, colleague, family := cutFixture(t)
	var wrote []syncproto.ChangeID
	for n := range 10 {
		wrote = append(wrote, worker.day(family, n, prose(t))...)
		committed := 0
		worker.line.between(func(r *http.Request, network http.RoundTripper) (*http.Response, error) {
			resp, err := network.RoundTrip(r)
			if err != nil {
				return nil, err
			}
			committed = resp.StatusCode
			return nil, errors.Join(errLost, resp.Body.Close())
		})
		if _, err := worker.Sync(t.Context()); !errors.Is(err, errLost) || committed != http.StatusOK {
			t.Fatalf("got %v, status %d", err, committed)
		}
		colleague.syncs() // and may have read it by then
		worker.line.between(nil)
		worker.restart()
		worker.syncs()
		worker.wantEmptyOutbox()
	}
	worker.wantAccepted()
	colleague.syncs()
	newWire(b, colleague).wantOnce(wrote...)
	b.stop()
	wantSame(t, openData(t, b.cfg), worker, colleague)
}

// TestFault64RepliesDelayedAndDoubledOverHTTP answers requests with replies to
// earlier ones, the latest first, each twice, as a line that delays and doubles
// would: the tablet takes in none of them and loses nothing.
func TestFault64RepliesDelayedAndDoubledOverHTTP(t *testing.T) {
	t.Parallel()
	b, worker, colleague, family := cutFixture(t)
	words := prose(t)
	var wrote []syncproto.ChangeID
	var kept [][]byte // every reply so far
	worker.line.between(func(r *http.Request, network http.RoundTripper) (*http.Response, error) {
		answer, resp, err := readWhole(network, r)
		kept = append(kept, answer)
		return resp, err
	})
	for n := range 6 {
		wrote = append(wrote, colleague.day(family, 100+n, words)...)
		wrote = append(wrote, worker.day(family, n, words)...)
		colleague.syncs()
		worker.syncs()
	}
	old := kept
	for n := range old {
		wrote = append(wrote, worker.day(family, 50+n, words)...)
		want := worker.folds()
		worker.line.between(func(r *http.Request, network http.RoundTripper) (*http.Response, error) {
			_, resp, err := readWhole(network, r) // the server does its part
			if err != nil {
				return nil, err
			}
			resp.Body = io.NopCloser(bytes.NewReader(old[len(old)-1-n]))
			return resp, nil
		})
		for range 2 { // the same old reply, twice
			if _, err := worker.Sync(t.Context()); err != nil {
				t.Fatalf("a reply to another request is no error, got %v", err)
			}
		}
		wantSameFolds(t, "the tablet that got an old reply", want, worker.folds())
		if o, err := worker.Outbox(); err != nil || o.Changes == 0 {
			t.Errorf("an old reply emptied the outbox: %+v, %v", o, err)
		}
		worker.line.between(nil)
		worker.syncs()
		worker.wantEmptyOutbox()
	}
	worker.wantAccepted()
	colleague.syncs()
	newWire(b, colleague).wantOnce(wrote...)
	b.stop()
	wantSame(t, openData(t, b.cfg), worker, colleague)
}

// readWhole sends a request and reads the whole answer, which can be read again.
func readWhole(network http.RoundTripper, r *http.Request) ([]byte, *http.Response, error) {
	resp, err := network.RoundTrip(r)
	if err != nil {
		return nil, nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	return answer, resp, nil
}

// TestFault65OneBadOfFiveHundredOverHTTP pushes 500 changes of which one breaks
// the schema: 499 are accepted, one is named, in one round trip.
func TestFault65OneBadOfFiveHundredOverHTTP(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1})
	owner := newTablet(t, b, 0, 1)
	owner.syncs()
	family := owner.families()[0]
	w := newWire(b, owner)
	c := &chain{w: w, actor: syncproto.ActorID{0x65}}
	var bodies [][]byte
	var good []syncproto.ChangeID
	var bad syncproto.ChangeID
	for n := range 500 {
		op := setText("visit_type", "CIN")
		if n == 250 {
			op = setText("visit_type", "TEA")
		}
		raw, id := c.next(syncproto.Body{Family: family, Record: syncproto.RecordID{0x65, byte(n >> 8), byte(n)}, Kind: "visit", Ops: []syncproto.Op{op}})
		bodies = append(bodies, raw)
		if n == 250 {
			bad = id
		} else {
			good = append(good, id)
		}
	}
	q := w.request(1)
	q.Batches = []syncproto.Batch{c.batch(syncproto.ChangeID{}, bodies...)}
	before := w.line.trips.Load()
	reply, err := w.post(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if trips := w.line.trips.Load() - before; trips != 1 || len(reply.Receipts) != 500 {
		t.Fatalf("got %d round trips, %d receipts", trips, len(reply.Receipts))
	}
	for _, rc := range reply.Receipts {
		want := syncproto.StatusAccepted
		if rc.Change == bad {
			want = syncproto.StatusRefused
		}
		if rc.Status != want || (rc.Code == syncproto.CodeOK) != (want == syncproto.StatusAccepted) {
			t.Errorf("change %s: status %d, %v; want %d", rc.Change, rc.Status, rc.Code, want)
		}
	}
	w.wantOnce(good...)
	items, err := w.feed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if changesOf(items)[bad] > 0 {
		t.Error("the bad change is in the feed")
	}
}

// TestFault72TokenLapsesBetweenSyncs lets the access token lapse while the tablet
// has a day to send: it trades in the refresh token by itself and goes on. A lost
// answer to that does no harm.
func TestFault72TokenLapsesBetweenSyncs(t *testing.T) {
	t.Parallel()
	b, worker, _, family := cutFixture(t)
	wrote := worker.day(family, 1, prose(t))
	var asked []string
	lapse := func(r *http.Request, network http.RoundTripper) (*http.Response, error) {
		asked = append(asked, r.URL.Path)
		if len(asked) == 1 { // as if ten minutes had passed since it was issued
			r.Header.Set("Authorization", "DPoP "+lapsed(t, b.cfg, strings.TrimPrefix(r.Header.Get("Authorization"), "DPoP ")))
		}
		return network.RoundTrip(r)
	}
	worker.line.between(func(r *http.Request, network http.RoundTripper) (*http.Response, error) {
		resp, err := lapse(r, network)
		if err == nil && len(asked) == 2 { // the server has traded it in, and nobody hears of it
			return nil, errors.Join(errLost, resp.Body.Close())
		}
		return resp, err
	})
	if _, err := worker.Sync(t.Context()); !errors.Is(err, errLost) {
		t.Fatalf("got %v, want the answer to the refresh to have been lost", err)
	}
	asked = nil
	worker.line.between(lapse)
	worker.syncs()
	if got, want := strings.Join(asked, " "), "/v1/sync /v1/token/refresh /v1/sync"; got != want {
		t.Errorf("the tablet asked for %s, want %s", got, want)
	}
	worker.wantEmptyOutbox()
	worker.wantAccepted()
	newWire(b, worker).wantOnce(wrote...)
}

// lapsed is the same access token as the server would have issued it eleven
// minutes ago.
func lapsed(t *testing.T, cfg server.Config, token string) string {
	t.Helper()
	return reissued(t, cfg, token, func(claims map[string]any) {
		for _, name := range []string{"iat", "nbf", "exp"} {
			if n, ok := claims[name].(json.Number); ok {
				at, err := n.Int64()
				if err != nil {
					t.Fatal(err)
				}
				claims[name] = at - int64((11 * time.Minute).Seconds())
			}
		}
	})
}

// reissued is an access token with other claims, signed by the server's own key.
func reissued(t *testing.T, cfg server.Config, token string, change func(claims map[string]any)) string {
	t.Helper()
	seed, err := os.ReadFile(filepath.Join(cfg.Secrets.Dir, "token.key"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	if err := d.Decode(&claims); err != nil {
		t.Fatal(err)
	}
	change(claims)
	if payload, err = json.Marshal(claims); err != nil {
		t.Fatal(err)
	}
	signed := parts[0] + "." + base64.RawURLEncoding.EncodeToString(payload)
	return signed + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(ed25519.NewKeyFromSeed(seed), []byte(signed)))
}

// TestFault44TokenWithoutExpiryOrAudience signs tokens with the server's own key
// that leave something out: each is refused, and the whole one is taken.
func TestFault44TokenWithoutExpiryOrAudience(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1})
	owner := newTablet(t, b, 0, 1)
	w := newWire(b, owner)
	whole := w.token
	for _, claim := range []string{"", "exp", "aud", "iss", "sub", "sid"} {
		w.token = reissued(t, b.cfg, whole, func(claims map[string]any) {
			if _, there := claims[claim]; !there && claim != "" {
				t.Errorf("tokens have no claim %q: the test says nothing", claim)
			}
			delete(claims, claim)
		})
		reply, err := w.post(t.Context(), w.request(1))
		if claim == "" && err != nil {
			t.Errorf("a whole token: %v", err)
		}
		if claim != "" && (!errors.Is(err, syncproto.CodeUnauthenticated) || reply != nil) {
			t.Errorf("without %s: got %v, want it to be refused", claim, err)
		}
	}
}
