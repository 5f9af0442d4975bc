package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorstep/server/cmd/doorstep/bench"
)

// measure runs a part of the benchmark once and returns its figures.
func measure(b *testing.B, o bench.Options) *bench.Report {
	b.Helper()
	o.Folder = b.TempDir()
	b.ResetTimer()
	r, err := bench.Run(b.Context(), o, io.Discard)
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// BenchmarkPush is durable pushes over HTTP to a server process, beside the
// limits of the disk.
func BenchmarkPush(b *testing.B) {
	for range b.N {
		p := measure(b, bench.Options{Only: bench.PartPush, Rounds: 3}).Push
		b.ReportMetric(p.Server.PerSecond, "visits/s")
		b.ReportMetric(p.Server.PerCPUSecond, "visits/cpu-s")
		b.ReportMetric(p.Journal.PerSecond, "journal/s")
		b.ReportMetric(p.Badger.PerSecond, "badger/s")
		b.ReportMetric(p.OfLimit, "of-limit")
		b.ReportMetric(p.Up, "B-up/visit")
	}
}

// BenchmarkFreshPull is a new device that pulls 4,000 visits.
func BenchmarkFreshPull(b *testing.B) {
	for range b.N {
		f := measure(b, bench.Options{Only: bench.PartFreshPull}).FreshPull
		b.ReportMetric(f.MS, "ms")
		b.ReportMetric(f.TabletMS, "tablet-ms")
		b.ReportMetric(f.Down, "B-down/change")
	}
}

// BenchmarkDesk is the queue and searches of a coordinator.
func BenchmarkDesk(b *testing.B) {
	for range b.N {
		d := measure(b, bench.Options{Only: bench.PartDesk, DeskVisits: 20_000, DeskPages: 50}).Desk
		b.ReportMetric(d.Queue.P95MS, "queue-p95-ms")
		b.ReportMetric(d.Search.P95MS, "search-p95-ms")
	}
}

// BenchmarkOnePull pulls one record from small boroughs; `doorstep bench` fills
// larger ones.
func BenchmarkOnePull(b *testing.B) {
	for range b.N {
		r := measure(b, bench.Options{Only: bench.PartOnePull, Sizes: []int{1_000, 10_000}})
		for _, one := range r.OnePull {
			b.ReportMetric(one.MedianMS, fmt.Sprintf("ms-of-%d", one.Visits/1_000*1_000))
		}
		b.ReportMetric(r.Flat(), "slowest/fastest")
	}
}

// small are figures that say nothing about speed and take a moment.
func small(more ...string) []string {
	return append([]string{"bench", "--devices", "2", "--batch", "4", "--batches", "2", "--rounds", "2",
		"--pull", "20", "--pulls", "3", "--sizes", "5,10", "--desk-visits", "30", "--desk-pages", "10"}, more...)
}

// TestBenchCountsWhatItPushes holds that every visit is acknowledged as stored and
// comes back, and that the JSON says so.
func TestBenchCountsWhatItPushes(t *testing.T) {
	var out, progress bytes.Buffer
	folder := t.TempDir()
	if code := execute(t.Context(), small("--json", "--folder", folder), nil, &out, &progress); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, progress.String())
	}
	var r bench.Report
	dec := json.NewDecoder(&out)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		t.Fatal(err)
	}
	// A round to warm up and two rounds of 2 devices x 2 requests x 4 visits; the
	// fresh pull's; both sizes, each with its one-record pulls, one to warm up. What the
	// desk looks through is pulled by nobody.
	want := 3*16 + 20 + 5 + 10 + 2*(1+3)
	if r.Acknowledged != want+30 || r.ReadBack != want {
		t.Errorf("%d visits acknowledged, %d read back, want %d and %d", r.Acknowledged, r.ReadBack, want+30, want)
	}
	if r.Desk.Visits != 30 || r.Desk.Queue.P95MS <= 0 || r.Desk.Search.P95MS <= 0 {
		t.Errorf("desk: %+v, want 30 visits and what a coordinator waited", r.Desk)
	}
	if len(r.Push.Rounds) != 2 || r.Push.Server.PerSecond <= 0 || r.Push.Journal.PerSecond <= 0 || r.Push.Badger.PerSecond <= 0 {
		t.Errorf("push: %+v, want two rounds with rates", r.Push)
	}
	if r.FreshPull.Visits != 20 || len(r.FreshPull.Rounds) == 0 || r.FreshPull.Rounds[0].Wire.Down == 0 {
		t.Errorf("fresh pull: %+v, want 20 visits and what travelled", r.FreshPull)
	}
	if len(r.OnePull) != 2 || r.OnePull[0].Visits != 5 || r.OnePull[1].Visits != 10 || r.OnePull[1].MedianMS <= 0 {
		t.Errorf("one-record pulls: %+v, want those from 5 and from 10 visits", r.OnePull)
	}
	var plain strings.Builder
	if err := r.Text(&plain); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"the server, full path", "bare journal", "bare badger", "20 visits to a fresh device", "of      10 visits"} {
		if !strings.Contains(plain.String(), want) {
			t.Errorf("the text does not say %q:\n%s", want, plain.String())
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "push", "data", "journal")); err != nil {
		t.Errorf("the folder that was named is to be kept: %v", err)
	}
}

// Each profile loses nothing, and says in words and in JSON what people waited for.
func TestBenchPlaysProfiles(t *testing.T) {
	for name, visits := range map[string]int{"borough": 24, "storm": 12} {
		var out, progress bytes.Buffer
		args := []string{"bench", "--profile", name, "--tablets", "2", "--practitioners", "6", "--pressed-into", "0.2", "--json", "--folder", t.TempDir()}
		if code := execute(t.Context(), args, nil, &out, &progress); code != exitDone {
			t.Fatalf("%s: exit code %d\n%s", name, code, progress.String())
		}
		var r bench.Report
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if p := r.Profile; p == nil || p.Visits != visits || r.Acknowledged != visits || r.ReadBack != visits || p.MedianMS <= 0 || p.LongMS < p.MedianMS || p.DiskKBEach <= 0 || p.Practitioners != 6 {
			t.Errorf("%s: %+v, with %d acknowledged and %d read back; want %d", name, p, r.Acknowledged, r.ReadBack, visits)
		}
		var plain strings.Builder
		if err := r.Text(&plain); err != nil || !strings.Contains(plain.String(), "a practitioner's visits cost") || !strings.Contains(plain.String(), "Profile "+name) {
			t.Errorf("%s: %v\n%s", name, err, plain.String())
		}
	}
}

func TestBenchRefusesWhatItCannotMeasure(t *testing.T) {
	for name, args := range map[string][]string{
		"negative":         {"--rounds", "-1"},
		"a size of none":   {"--sizes", "0"},
		"too large":        {"--batch", "1000"},
		"no such part":     {"--only", "everything"},
		"no such profile":  {"--profile", "christmas"},
		"a part of one":    {"--profile", "storm", "--only", "push"},
		"a server, nobody": {"--url", "http://127.0.0.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			if code := execute(t.Context(), append([]string{"bench"}, args...), nil, &out, &errOut); code == exitDone {
				t.Error("it went ahead")
			}
		})
	}
}
