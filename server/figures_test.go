package server

import (
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// withFigures is a borough that shows figures on an address of its own.
func withFigures(t *testing.T) Config {
	cfg := begin(t)
	cfg.Metrics.Address = "127.0.0.1:0"
	return cfg
}

// scrape returns the series that a server shows, by name and labels.
func scrape(t *testing.T, r *running) map[string]float64 {
	t.Helper()
	res, err := http.Get("http://" + r.MetricsAddr().String() + metricsPath)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v: %s", res.StatusCode, err, b)
	}
	out := map[string]float64{}
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndex(line, " ")
		if out[line[:at]], err = strconv.ParseFloat(strings.TrimSpace(line[at:]), 64); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
	}
	return out
}

// Figures are on their own address alone, count what happens, and say how things stand.
func TestFiguresAreShownApart(t *testing.T) {
	cfg := withFigures(t)
	cfg.Data.CopyDir = filepath.Join(filepath.Dir(cfg.Data.Dir), "not there")
	r := start(t, cfg)
	if status := signIn(t, r, "it", "a wrong password, this"); status != http.StatusUnauthorized {
		t.Fatalf("a wrong password: status %d", status)
	}
	if status := signIn(t, r, "it", itPassword); status != http.StatusOK {
		t.Fatalf("signing in: status %d", status)
	}
	got := scrape(t, r)
	for series, want := range map[string]float64{
		"doorstep_ready": 1, "doorstep_users": 1, "doorstep_history_lost": 0, `doorstep_receipts_total{verdict="accepted"}`: 0,
		`doorstep_sign_in_refusals_total{code="bad_credentials"}`: 1,
		`doorstep_requests_total{route="signIn",status="200"}`:    1,
		`doorstep_requests_total{route="signIn",status="401"}`:    1,
		`doorstep_waiting_changes{state="quarantined"}`:           0,
		`doorstep_journal_write_seconds_count{result="failed"}`:   0,
	} {
		if v, shown := got[series]; !shown || v != want {
			t.Errorf("%s: got %v (shown: %v), want %v", series, v, shown, want)
		}
	}
	for _, series := range []string{"doorstep_journal_entries", "doorstep_disk_free_bytes", "doorstep_journal_appended_entries_total",
		"doorstep_copy_behind_entries", `doorstep_journal_write_seconds_count{result="done"}`, "process_resident_memory_bytes"} {
		if got[series] <= 0 {
			t.Errorf("%s: got %v, want more than nothing", series, got[series])
		}
	}
	res, err := http.Get(r.url() + metricsPath)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("figures on the public address: status %d, want 404", res.StatusCode)
	}
}

func TestNoFiguresWithoutAnAddress(t *testing.T) {
	if r := start(t, begin(t)); r.MetricsAddr() != nil {
		t.Errorf("figures are shown on %s, and nobody asked for it", r.MetricsAddr())
	}
}
