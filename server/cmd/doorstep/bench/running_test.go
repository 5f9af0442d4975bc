package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorstep/server"
)

// serve founds a borough for two writers and a reader, serves it in this process
// and returns its address and the file of its people.
func serve(t *testing.T) (url, people string) {
	t.Helper()
	return serveConfigured(t, func(cfg server.Config) server.Config { return cfg })
}

// serveConfigured is serve with a changed configuration.
func serveConfigured(t *testing.T, changed func(server.Config) server.Config) (url, people string) {
	t.Helper()
	cfg := changed(configOf(t.TempDir()))
	cfg.Data.MinFreeMB = 1
	if _, err := server.Init(t.Context(), cfg, server.FirstUser{Login: "operator", Name: "The Operator", Password: password}); err != nil {
		t.Fatal(err)
	}
	running, err := server.Open(cfg, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- running.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := running.Close(); err != nil {
			t.Error(err)
		}
	})
	operator, err := server.OpenOperator(cfg, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer operator.Close()
	s := &site{}
	if err := s.bringIn(t.Context(), operator, 2); err != nil {
		t.Fatal(err)
	}
	return "http://" + running.Addr().String(), peopleFile(t, s.people)
}

func peopleFile(t *testing.T, people []person) string {
	t.Helper()
	lines := []string{"# login, password, code"}
	for _, who := range people {
		code, err := who.codes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%s\t%s\t%s", who.login, who.password, code))
	}
	file := filepath.Join(t.TempDir(), "people")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestRunMeasuresARunningServer(t *testing.T) {
	url, people := serve(t)
	r, err := Run(t.Context(), Options{URL: url, People: people, Folder: t.TempDir(),
		Batch: 3, Batches: 2, Rounds: 1, Pull: 20, Pulls: 2}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	// Two rounds of 2 writers x 2 requests x 3 visits, warming up among them; the
	// rest of the 20; one-record pulls, one to warm up.
	if want := 24 + 0 + 3; r.Acknowledged != want || r.ReadBack != want {
		t.Errorf("%d visits acknowledged, %d read back, want %d", r.Acknowledged, r.ReadBack, want)
	}
	if r.Setup.Devices != 2 || r.Setup.Server != url {
		t.Errorf("setup %+v, want two devices and the server's address", r.Setup)
	}
	if r.Push.Server.PerSecond <= 0 || r.Push.Server.PerCPUSecond != 0 {
		t.Errorf("server %+v, want a rate, and no CPU seconds, which nobody could tell", r.Push.Server)
	}
	if len(r.OnePull) != 1 || r.OnePull[0].MedianMS <= 0 {
		t.Errorf("one-record pulls: %+v, want those of one borough", r.OnePull)
	}
}

// TestRunFailsIfTheReaderDoesNotGetAll holds that a figure is not given for what
// did not happen.
func TestRunFailsIfTheReaderDoesNotGetAll(t *testing.T) {
	url, people := serve(t)
	text, err := os.ReadFile(people)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	lines[1], lines[3] = lines[3], lines[1] // the reader is one who has a part of the families
	if err := os.WriteFile(people, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Run(t.Context(), Options{URL: url, People: people, Folder: t.TempDir(), Only: PartPush,
		Batch: 8, Batches: 1, Rounds: 1}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "acknowledged") {
		t.Errorf("error %v, want one that says how many were acknowledged", err)
	}
}

// TestAnUnguardedServerTakesTheSame holds that the server which the guarded one is
// compared with stores what is pushed and hands it out.
func TestAnUnguardedServerTakesTheSame(t *testing.T) {
	url, people := serveConfigured(t, server.Config.Unguarded)
	r, err := Run(t.Context(), Options{URL: url, People: people, Folder: t.TempDir(), Only: PartPush,
		Batch: 3, Batches: 2, Rounds: 1}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if want := 24; r.Acknowledged != want || r.ReadBack != want {
		t.Errorf("%d visits acknowledged, %d read back, want %d", r.Acknowledged, r.ReadBack, want)
	}
}

// TestPackedFrameIsWhatADeviceSends holds that putting a request together from a
// part that was compressed before gives the same message.
func TestPackedFrameIsWhatADeviceSends(t *testing.T) {
	url, people := serve(t)
	b := &bench{o: Options{URL: url, People: people}, report: newReport(Options{})}
	s, err := b.runningSite(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := s.pushers[0]
	with, err := p.prepare(3, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(with.tail) >= with.size {
		t.Errorf("the tail takes %d of %d bytes, want it compressed", len(with.tail), with.size)
	}
	if err := p.push(t.Context(), with, true); err != nil {
		t.Errorf("the server does not take it: %v", err)
	}
}
