package metrics

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func everything() Figures {
	now := time.UnixMilli(1_780_000_000_000)
	return Figures{Copy: &Copy{}, Backup: &Backup{Taken: now}, Waiting: Waiting{Oldest: now}, Devices: Devices{Longest: now},
		Clock: Clock{Known: true}, Import: &Import{Taken: now}, Delivery: &Delivery{Waiting: 1, Oldest: now}, Queue: &Queue{ByState: map[string]int{"query": 1}, Oldest: now}}
}

func newMetrics(f Figures) *Metrics {
	return New(Config{Figures: func() Figures { return f }, Routes: []string{"sync", "none"}, Verdicts: []string{"accepted", "held"},
		Codes: []string{"bad_credentials"}, Build: Build{Version: "v1", Revision: "r", Go: "go", Protocol: "1 to 1"}})
}

// scrape returns the lines of a scrape that are ours.
func scrape(t *testing.T, m *Metrics) []string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if rec.Code != http.StatusOK {
		t.Fatalf("status %d: %s", rec.Code, rec.Body.String())
	}
	var out []string
	for line := range strings.Lines(rec.Body.String()) {
		if strings.HasPrefix(line, prefix) {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}

// Whatever callers do, the number of series stays what the lists allow.
func TestLabelsAreBounded(t *testing.T) {
	m := newMetrics(everything())
	feed := func(n int) {
		for i := range n {
			odd := fmt.Sprintf("Amina Warsame %d", i)
			m.Request(odd, 10_000+i, time.Second)
			m.SignInRefused(odd)
			m.Receipt(odd, true)
		}
	}
	feed(1)
	before := scrape(t, m)
	feed(500)
	after := scrape(t, m)
	if len(before) != len(after) {
		t.Errorf("500 odd callers made %d series of %d", len(after), len(before))
	}
	for _, line := range after {
		if strings.Contains(line, "Amina") {
			t.Errorf("a label repeats what came in: %s", line)
		}
	}
	if !slices.Contains(after, `doorstep_requests_total{route="other",status="0"} 501`) {
		t.Errorf("odd requests were not counted as other:\n%s", strings.Join(after, "\n"))
	}
}

// Every metric that is shown is in the list, with the labels that it says, and every
// one of the list is shown.
func TestTheListIsWhatIsShown(t *testing.T) {
	m := newMetrics(everything())
	m.Request("sync", 200, time.Millisecond)
	m.SignInRefused("bad_credentials")
	m.Receipt("held", false)
	m.Written(3, time.Millisecond, nil)
	seen := map[string]bool{}
	series := regexp.MustCompile(`^([a-z_]+?)(_bucket|_sum|_count)?(?:\{(.*)\})? `)
	label := regexp.MustCompile(`([a-z]+)="`)
	for _, line := range scrape(t, m) {
		p := series.FindStringSubmatch(line)
		i := slices.IndexFunc(List(), func(d Metric) bool { return d.Name == p[1] && (p[2] == "" || d.Kind == "histogram") })
		if i < 0 {
			t.Errorf("not in the list: %s", line)
			continue
		}
		seen[p[1]] = true
		for _, l := range label.FindAllStringSubmatch(p[3], -1) {
			if l[1] != "le" && !slices.Contains(List()[i].Label, l[1]) {
				t.Errorf("label %s is not in the list: %s", l[1], line)
			}
		}
	}
	for _, d := range List() {
		if !seen[d.Name] {
			t.Errorf("%s is in the list and is not shown", d.Name)
		}
		if !strings.HasSuffix(d.Help, ".") || len(d.Help) < 20 {
			t.Errorf("%s does not say what it is: %q", d.Name, d.Help)
		}
	}
}

// What is not kept is absent, so that no alert takes it for a zero.
func TestWhatIsNotKeptIsAbsent(t *testing.T) {
	for _, line := range scrape(t, newMetrics(Figures{})) {
		for _, name := range []string{"copy_", "backup_", "quarantine_oldest", "unsent_oldest", "queue_"} {
			if strings.HasPrefix(line, prefix+name) {
				t.Errorf("nothing is kept, and yet: %s", line)
			}
		}
	}
}

func TestWritesAreCounted(t *testing.T) {
	m := newMetrics(Figures{})
	m.Written(3, time.Millisecond, nil)
	m.Written(5, time.Second, fmt.Errorf("the disk is full"))
	lines := scrape(t, m)
	for _, want := range []string{"doorstep_journal_appended_entries_total 3", `doorstep_journal_write_seconds_count{result="done"} 1`,
		`doorstep_journal_write_seconds_count{result="failed"} 1`} {
		if !slices.Contains(lines, want) {
			t.Errorf("%q is missing:\n%s", want, strings.Join(lines, "\n"))
		}
	}
}
