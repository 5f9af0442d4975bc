package endtoend

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"doorstep/server"
	"doorstep/server/internal/delivery"
	"doorstep/server/internal/tracing/tracingtest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// records is a case-management system that answers as it is told, and keeps what it took.
type records struct {
	t      *testing.T
	answer atomic.Int64
	b      atomic.Pointer[borough] // whose key it knows
	taken  chan delivery.Bundle
}

func (r *records) ServeHTTP(res http.ResponseWriter, req *http.Request) {
	status := int(r.answer.Load())
	body, err := io.ReadAll(req.Body)
	if err != nil {
		status = http.StatusBadRequest
	}
	if status == http.StatusOK {
		got, err := server.VerifyBundle(r.b.Load().cfg, "", strings.NewReader(string(body)), strings.NewReader(req.Header.Get(delivery.HeaderSignature)))
		if err != nil {
			r.t.Errorf("a bundle that does not verify: %v", err)
		}
		r.taken <- got
	}
	res.WriteHeader(status)
}

// final takes a record to its seal.
func (w *watched) final(lead *tablet, author, coord *lossy) syncproto.RecordID {
	w.t.Helper()
	family, record := lead.families()[0], lead.newRecord()
	whom := lead.someone(family)
	lead.edit(family, record, "motivational", syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: "person"}, Value: cbor.Bytes(whom[:])},
		setText("held_on", "2026-11-02"), setText("focus", "Bedtimes"))
	lead.syncs()
	path := "/v1/records/" + record.String()
	author.posts(path+"/hand-over", map[string]string{}, nil)
	author.posts(path+"/confirm", author.heads(record), nil)
	coord.posts(path+"/finalise", coord.heads(record), nil)
	return record
}

// leftBadly leaves a set of files that cannot be imported, and then a good one.
func (w *watched) leftBadly() {
	w.t.Helper()
	leave := func(name, teams string) {
		set := filepath.Join(w.cfg.Import.Folder, name)
		if err := errors.Join(os.Mkdir(set, 0o700), os.WriteFile(filepath.Join(set, "teams.csv"), []byte(teams), 0o600), os.WriteFile(filepath.Join(set, "done"), nil, 0o600)); err != nil {
			w.t.Fatal(err)
		}
	}
	leave("bad", "no such column\n1\n")
	w.until("a set that is refused", func(firing map[string]bool) bool { return firing["DoorstepImportRefused"] })
	w.wantFiring(0, "DoorstepImportRefused")
	leave("good", "team_ref,name\nT9,Another team\n")
	w.until("a set that is taken", none)
}

// undelivered has a final record meet a case-management system that is away, that refuses
// it, and that takes it.
func undelivered(t *testing.T, watch func(*borough) *watched) {
	cms := &records{t: t, taken: make(chan delivery.Bundle, 10)}
	cms.answer.Store(http.StatusServiceUnavailable)
	srv := httptest.NewServer(cms)
	defer srv.Close()
	collector := tracingtest.New(t)
	b := newWatched(t, caseload{workers: 1, families: 1, coord: true, plans: true}, func(b *borough) {
		b.cfg.Delivery.URL, b.cfg.Import.Folder, b.cfg.Traces.Endpoint = srv.URL, t.TempDir(), collector.URL
	})
	w := watch(b)
	cms.b.Store(b)
	lead := newTablet(t, w, 0, 1)
	lead.syncs()
	did := map[string]bool{}
	author, coord := b.at(t, login(0), did), b.at(t, "coordinator", did)
	w.until("a borough that delivers", none)
	w.leftBadly()
	record := w.final(lead, author, coord)
	w.until("a case-management system that is away", func(firing map[string]bool) bool { return firing["DoorstepDeliveryFails"] })
	w.wantFiring(25*time.Hour, "DoorstepDeliveryFails", "DoorstepDeliveryLate")
	cms.answer.Store(http.StatusUnprocessableEntity)
	w.until("one that refuses", func(firing map[string]bool) bool { return firing["DoorstepDeliveryRefused"] })
	w.wantFiring(0, "DoorstepDeliveryRefused")
	cms.answer.Store(http.StatusOK)
	w.stop() // a restart need not wait as long as who was refused
	w.start(t)
	got := <-cms.taken
	if got.Record != record.String() || got.Content.Title != "Motivational conversation" {
		t.Errorf("it took %s, %s", got.ID, got.Content.Title)
	}
	w.until("one that takes it", none)
	w.stop()
	wantDeliveries(t, collector.Spans(t))
	w.start(t)
}
