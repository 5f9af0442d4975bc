// Package metrics says how a borough's server is, in the text that Prometheus reads.
//
// Metrics counts what happens (requests, receipts, writes of the journal) and, at
// each scrape, asks once for Figures: how things stand. Every metric is one line of a
// table, with the question that it answers for borough IT; List is that table, from
// which alerts, dashboard and documentation are made and held to.
//
// No metric names anybody. Labels come from closed lists in the code: verdicts, route
// names, codes, states. What is none of them is counted as "other", so the number of
// series has a bound whatever callers send. The package knows nothing of the rest of
// the server, and hides the library that it is made with.
package metrics

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// prefix begins the name of every metric of ours.
const prefix = "doorstep_"

// other stands for a label's value that is in none of our lists.
const other = "other"

// Config is what New needs. All fields are required.
type Config struct {
	// Figures says how things stand now. It is asked at each scrape, and must answer
	// within a second or so: whoever scrapes waits.
	Figures func() Figures
	Build   Build
	// Routes, Verdicts and Codes are the closed lists that labels come from.
	Routes, Verdicts, Codes []string
}

// Build says which build of the server this is.
type Build struct{ Version, Revision, Go, Protocol string }

// Metrics counts, and answers scrapes. It is safe for concurrent use.
type Metrics struct {
	cfg      Config
	registry *prometheus.Registry

	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	refusals *prometheus.CounterVec
	receipts *prometheus.CounterVec
	clocks   prometheus.Counter
	entries  prometheus.Counter
	writes   *prometheus.HistogramVec
}

// Buckets of what callers wait for, in seconds: from what a tablet does not notice to
// what a slow link takes.
func requestBuckets() []float64 {
	return []float64{0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5, 30}
}

// Buckets of one write of the journal with its sync: from a good NVMe disk to one
// that is about to die.
func writeBuckets() []float64 {
	return []float64{0.0005, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2, 10}
}

// New returns Metrics with a registry of its own: nothing that a library registers
// by itself is shown.
func New(cfg Config) *Metrics {
	m := &Metrics{cfg: cfg, registry: prometheus.NewRegistry()}
	m.requests = prometheus.NewCounterVec(counter(requestsName), []string{"route", "status"})
	m.took = prometheus.NewHistogramVec(histogram(tookName, requestBuckets()), []string{"route"})
	m.refusals = prometheus.NewCounterVec(counter(refusalsName), []string{"code"})
	m.receipts = prometheus.NewCounterVec(counter(receiptsName), []string{"verdict"})
	m.clocks = prometheus.NewCounter(counter(clocksName))
	m.entries = prometheus.NewCounter(counter(entriesName))
	m.writes = prometheus.NewHistogramVec(histogram(writesName, writeBuckets()), []string{"result"})
	m.registry.MustRegister(m.requests, m.took, m.refusals, m.receipts, m.clocks, m.entries, m.writes, standing{m.cfg},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, v := range cfg.Verdicts {
		m.receipts.WithLabelValues(v) // from zero on, so that the first increase is seen
	}
	for _, result := range []string{resultDone, resultFailed} {
		m.writes.WithLabelValues(result)
	}
	return m
}

func counter(name string) prometheus.CounterOpts {
	return prometheus.CounterOpts{Name: prefix + name, Help: helpOf(name)}
}

func histogram(name string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{Name: prefix + name, Help: helpOf(name), Buckets: buckets}
}

// Handler answers scrapes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Request counts an answered request: its route, the HTTP status and how long it took
// until the answer began.
func (m *Metrics) Request(route string, status int, took time.Duration) {
	route = known(m.cfg.Routes, route)
	m.requests.WithLabelValues(route, strconv.Itoa(knownStatus(status))).Inc()
	m.took.WithLabelValues(route).Observe(took.Seconds())
}

// SignInRefused counts a sign-in, or what stands for one, that was refused.
func (m *Metrics) SignInRefused(code string) {
	m.refusals.WithLabelValues(known(m.cfg.Codes, code)).Inc()
}

// Receipt counts a change that was answered. clockOff: it was written on a device
// whose clock is more than a day off.
func (m *Metrics) Receipt(verdict string, clockOff bool) {
	m.receipts.WithLabelValues(known(m.cfg.Verdicts, verdict)).Inc()
	if clockOff {
		m.clocks.Inc()
	}
}

const (
	resultDone   = "done"
	resultFailed = "failed"
)

// Written counts a group of entries that went to the journal with one sync, or did not.
func (m *Metrics) Written(entries int, took time.Duration, err error) {
	result := resultDone
	if err != nil {
		result, entries = resultFailed, 0
	}
	m.writes.WithLabelValues(result).Observe(took.Seconds())
	m.entries.Add(float64(entries))
}

func known(list []string, value string) string {
	if slices.Contains(list, value) {
		return value
	}
	return other
}

// knownStatus is a status of HTTP, or 0.
func knownStatus(status int) int {
	if http.StatusText(status) == "" {
		return 0
	}
	return status
}
