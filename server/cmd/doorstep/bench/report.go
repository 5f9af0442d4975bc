package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Report is the figures of one run. Medians are over rounds.
type Report struct {
	Machine Machine `json:"machine"`
	Setup   Setup   `json:"setup"`
	// Acknowledged is how many visits were pushed; each was answered as accepted
	// and stored. ReadBack is how many of them another device then pulled. What was
	// not measured is left out.
	Acknowledged int       `json:"acknowledged"`
	ReadBack     int       `json:"read_back"`
	Push         Push      `json:"push,omitzero"`
	FreshPull    FreshPull `json:"fresh_pull,omitzero"`
	OnePull      []OnePull `json:"one_record_pull,omitempty"`
	Desk         Desk      `json:"desk,omitzero"`
	StartUp      StartUp   `json:"start_up,omitzero"`
	Proofs       Beside    `json:"proofs,omitzero"`
	Guards       Beside    `json:"guards,omitzero"`
	Safe         Safe      `json:"safe,omitzero"`
	Memory       Memory    `json:"memory,omitzero"`
	Profile      *Profile  `json:"profile,omitempty"`
}

// Machine is where it ran. Tablets, server and limits share it, unless the server
// was given by its address.
type Machine struct {
	CPUs     int    `json:"cpus"`
	CPUModel string `json:"cpu_model"`
	System   string `json:"system"`
	Go       string `json:"go"`
}

// Setup is what was measured.
type Setup struct {
	Server        string `json:"server"` // its address; empty: processes of our own
	Devices       int    `json:"devices"`
	BatchVisits   int    `json:"batch_visits"`
	VisitBytes    int    `json:"visit_bytes"`
	BatchesARound int    `json:"batches_a_round"` // of each device
}

// Rate is how many visits were stored, in a second and in a second of the CPU.
type Rate struct {
	PerSecond    float64 `json:"per_second"`
	PerCPUSecond float64 `json:"per_cpu_second"` // 0: not measured
}

// Traffic is bytes of TCP connections, HTTP included.
type Traffic struct {
	Up   int64 `json:"up_bytes"`
	Down int64 `json:"down_bytes"`
}

// Push is pushing, beside the limits. Journal and Badger count the CPU of writing
// alone; Server that of the server's process.
type Push struct {
	// GroupVisits is how many visits the server synced at once, in the median; the
	// limits write in groups of the same size. Where the server's journal cannot be
	// read they take LargestGroup, which is as many as all tablets can have under way.
	GroupVisits  int         `json:"group_visits"`
	LargestGroup int         `json:"largest_group_visits"`
	Rounds       []PushRound `json:"rounds"`
	Server       Rate        `json:"server"`
	Journal      Rate        `json:"bare_journal"`
	Badger       Rate        `json:"bare_badger"`
	JournalMost  Rate        `json:"bare_journal_largest_groups"`
	BadgerMost   Rate        `json:"bare_badger_largest_groups"`
	// OfLimit is the median over rounds of the server's rate as a part of the
	// lower limit's in the same round; OfMost is of the limits in largest groups.
	OfLimit float64 `json:"of_lower_limit"`
	OfMost  float64 `json:"of_lower_limit_largest_groups"`
	// OfLimitLeast and OfLimitMost are the range of OfLimit over the rounds: a machine
	// that does other work too takes more from the server, which needs all CPUs, than
	// from the limits, which need one.
	OfLimitLeast float64 `json:"of_lower_limit_least"`
	OfLimitMost  float64 `json:"of_lower_limit_most"`
	// What a visit takes of the CPUs, in the median: of the server's process and of the
	// tablets', in microseconds.
	ServerMicros  float64 `json:"server_cpu_micros_a_visit"`
	TabletsMicros float64 `json:"tablets_cpu_micros_a_visit"`
	// Shares of the CPUs' time while they pushed, in the median: Unused is what neither
	// of the two used, and Idle the part of it in which there was nothing to do but to
	// wait, for the disk most of all; the rest of it went to the system's own threads
	// and to whatever else ran. Both are 0 where the server runs elsewhere.
	Unused float64 `json:"cpus_unused"`
	Idle   float64 `json:"cpus_idle"`
	// Up and Down are wire bytes a visit; Content is the bytes of a visit's change.
	Up      float64 `json:"up_bytes_a_visit"`
	Down    float64 `json:"down_bytes_a_visit"`
	Content float64 `json:"content_bytes_a_visit"`
}

// PushRound is one round.
type PushRound struct {
	Server      Rate    `json:"server"`
	Journal     Rate    `json:"bare_journal"`
	Badger      Rate    `json:"bare_badger"`
	JournalMost Rate    `json:"bare_journal_largest_groups"`
	BadgerMost  Rate    `json:"bare_badger_largest_groups"`
	Group       int     `json:"group_visits"`
	ServerCPU   float64 `json:"server_cpu_seconds"`
	Seconds     float64 `json:"seconds"`
	ClientCPU   float64 `json:"client_cpu_seconds"`
	Idle        float64 `json:"idle_cpu_seconds"`
	Wire        Traffic `json:"wire"`
	Content     int64   `json:"content_bytes"`
}

// FreshPull is a device without anything that pulls all there is.
type FreshPull struct {
	Visits   int              `json:"visits"`
	Rounds   []FreshPullRound `json:"rounds"`
	MS       float64          `json:"ms"`
	TabletMS float64          `json:"tablet_ms"`
	Down     float64          `json:"down_bytes_a_change"`
}

// FreshPullRound is one round. MS is until the last reply was read; TabletMS is
// until a tablet had it all in its store, verified.
type FreshPullRound struct {
	Changes   int     `json:"changes"`
	MS        float64 `json:"ms"`
	TabletMS  float64 `json:"tablet_ms"`
	ServerCPU float64 `json:"server_cpu_seconds"`
	Wire      Traffic `json:"wire"`
}

// OnePull is pulling one new record from a borough of Visits.
type OnePull struct {
	Visits   int     `json:"visits"`
	MedianMS float64 `json:"median_ms"`
	P90MS    float64 `json:"p90_ms"`
	Wire     Traffic `json:"wire"` // of the last
	took     []time.Duration
}

func newReport(o Options) *Report {
	return &Report{
		Machine: Machine{CPUs: runtime.NumCPU(), CPUModel: cpuModel(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()},
		Setup: Setup{Server: o.URL, Devices: o.Devices, BatchVisits: o.Batch, VisitBytes: visitBytes,
			BatchesARound: o.Batches},
	}
}

// cpuModel is what Linux calls the processor; "" elsewhere.
func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func rateOf(visits int, took, cpu time.Duration) Rate {
	r := Rate{PerSecond: float64(visits) / took.Seconds()}
	if cpu > 0 {
		r.PerCPUSecond = float64(visits) / cpu.Seconds()
	}
	return r
}

func (r Rate) String() string { return fmt.Sprintf("%.0f/s", r.PerSecond) }

func (t Traffic) since(earlier Traffic) Traffic {
	return Traffic{t.Up - earlier.Up, t.Down - earlier.Down}
}

func (t Traffic) plus(u Traffic) Traffic { return Traffic{t.Up + u.Up, t.Down + u.Down} }

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

// median is the middle of some figures; 0 of none.
func median[T any](of []T, figure func(T) float64) float64 {
	return quantile(of, 0.5, figure)
}

func quantile[T any](of []T, q float64, figure func(T) float64) float64 {
	if len(of) == 0 {
		return 0
	}
	figures := make([]float64, len(of))
	for i, v := range of {
		figures[i] = figure(v)
	}
	slices.Sort(figures)
	return figures[min(int(q*float64(len(figures))), len(figures)-1)]
}

func medianRate[T any](of []T, pick func(T) Rate) Rate {
	return Rate{
		PerSecond:    median(of, func(r T) float64 { return pick(r).PerSecond }),
		PerCPUSecond: median(of, func(r T) float64 { return pick(r).PerCPUSecond }),
	}
}

func (p *Push) finish(o Options) {
	p.Server = medianRate(p.Rounds, func(r PushRound) Rate { return r.Server })
	p.Journal = medianRate(p.Rounds, func(r PushRound) Rate { return r.Journal })
	p.Badger = medianRate(p.Rounds, func(r PushRound) Rate { return r.Badger })
	p.JournalMost = medianRate(p.Rounds, func(r PushRound) Rate { return r.JournalMost })
	p.BadgerMost = medianRate(p.Rounds, func(r PushRound) Rate { return r.BadgerMost })
	p.GroupVisits = int(median(p.Rounds, func(r PushRound) float64 { return float64(r.Group) }))
	p.OfLimit = median(p.Rounds, PushRound.ofLimit)
	p.OfLimitLeast, p.OfLimitMost = quantile(p.Rounds, 0, PushRound.ofLimit), quantile(p.Rounds, 1, PushRound.ofLimit)
	p.OfMost = median(p.Rounds, func(r PushRound) float64 {
		return r.Server.PerSecond / min(r.JournalMost.PerSecond, r.BadgerMost.PerSecond)
	})
	visits := float64(o.Devices * o.Batches * o.Batch)
	p.ServerMicros = median(p.Rounds, func(r PushRound) float64 { return 1e6 * r.ServerCPU / visits })
	p.TabletsMicros = median(p.Rounds, func(r PushRound) float64 { return 1e6 * r.ClientCPU / visits })
	if o.URL == "" {
		p.Unused = median(p.Rounds, func(r PushRound) float64 {
			return max(0, 1-(r.ServerCPU+r.ClientCPU)/(r.Seconds*float64(runtime.NumCPU())))
		})
		p.Idle = median(p.Rounds, func(r PushRound) float64 { return r.Idle / (r.Seconds * float64(runtime.NumCPU())) })
	}
	p.Up = median(p.Rounds, func(r PushRound) float64 { return float64(r.Wire.Up) / visits })
	p.Down = median(p.Rounds, func(r PushRound) float64 { return float64(r.Wire.Down) / visits })
	p.Content = median(p.Rounds, func(r PushRound) float64 { return float64(r.Content) / visits })
}

// ofLimit is the server's rate as a part of the lower limit's.
func (r PushRound) ofLimit() float64 {
	return r.Server.PerSecond / min(r.Journal.PerSecond, r.Badger.PerSecond)
}

func (f *FreshPull) finish() {
	f.MS = median(f.Rounds, func(r FreshPullRound) float64 { return r.MS })
	f.TabletMS = median(f.Rounds, func(r FreshPullRound) float64 { return r.TabletMS })
	f.Down = median(f.Rounds, func(r FreshPullRound) float64 { return float64(r.Wire.Down) / float64(max(r.Changes, 1)) })
}

func (p *OnePull) finish() {
	p.MedianMS = median(p.took, ms)
	p.P90MS = quantile(p.took, 0.9, ms)
}

// Flat is the greatest median of the one-record pulls as a part of the smallest.
func (r *Report) Flat() float64 {
	if len(r.OnePull) == 0 {
		return 0
	}
	by := func(a, b OnePull) int { return int(1e6 * (a.MedianMS - b.MedianMS)) }
	return slices.MaxFunc(r.OnePull, by).MedianMS / slices.MinFunc(r.OnePull, by).MedianMS
}

// JSON writes the report as JSON.
func (r *Report) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// Text writes the report for people, as far as it was measured.
func (r *Report) Text(w io.Writer) error {
	l := &lines{}
	l.say("Doorstep, measured on %d CPUs (%s), %s, %s; tablets and limits share them with a server of our own.",
		r.Machine.CPUs, r.Machine.CPUModel, r.Machine.System, r.Machine.Go)
	if len(r.Push.Rounds) > 0 {
		r.pushText(l)
	}
	if len(r.FreshPull.Rounds) > 0 {
		f := r.FreshPull
		l.say("\nPull of %d visits to a fresh device (medians of %d)", f.Visits, len(f.Rounds))
		l.say("  %.0f ms until the last reply is read, %.0f ms until a tablet has it all in its store", f.MS, f.TabletMS)
		l.say("  on the wire: %.0f bytes down a change", f.Down)
	}
	if len(r.OnePull) > 0 {
		r.onePullText(l)
	}
	if d := r.Desk; d.Visits > 0 {
		l.say("\nPages of the desk for a coordinator with %d families among %d visits (%d of each)", d.Families, d.Visits, len(d.Queue.took))
		l.say("  the queue of %d: median %.1f ms, 95 of 100 within %.1f ms (goal: 100); the first after a start %.0f ms", d.Queue.Records, d.Queue.MedianMS, d.Queue.P95MS, d.ColdMS)
		l.say("  a search that finds %d: median %.1f ms, 95 of 100 within %.1f ms (goal: 150)", d.Search.Records, d.Search.MedianMS, d.Search.P95MS)
	}
	if r.StartUp.Changes > 0 {
		u := r.StartUp
		l.say("\nStart of a server with %d changes (%d MB on the disk), from the start of the process until it serves", u.Changes, u.DataMB)
		l.say("  after a shutdown %.0f ms (goal: 3000), after SIGKILL %.0f ms, with the index deleted %.0f ms", u.CleanMS, u.KillMS, u.BareMS)
	}
	if n := len(r.Proofs.Rounds); n > 0 {
		l.say("\nPush with proofs of the devices' keys, beside a server that asks for none (%d rounds of both)", n)
		r.Proofs.text(l, 80)
	}
	if n := len(r.Guards.Rounds); n > 0 {
		l.say("\nPush with proofs, access decisions, audit log and access log, beside the same program without them (%d rounds of both)", n)
		r.Guards.text(l, 80)
	}
	if n := len(r.Safe.Rounds); n > 0 {
		l.say("\nPush with second copy (on the same disk) and scrub without a pause, beside a server without (%d rounds of both)", n)
		r.Safe.text(l, 70)
		l.say("  at the end the second copy was %d of %d entries behind, and the scrub had read everything at %s",
			r.Safe.Behind, r.Safe.Entries, time.UnixMilli(r.Safe.ReadMS).UTC().Format("15:04:05"))
	}
	if r.Memory.EmptyMB > 0 {
		r.Memory.text(l)
	}
	if r.Profile != nil {
		r.Profile.text(l)
	}
	l.say("\n%d visits were pushed and acknowledged as accepted and stored; %d of them were pulled again.", r.Acknowledged, r.ReadBack)
	_, err := io.WriteString(w, l.String())
	return err
}

// lines are a text in the making.
type lines struct{ strings.Builder }

func (l *lines) say(format string, args ...any) { fmt.Fprintf(l, format+"\n", args...) }

func (r *Report) pushText(l *lines) {
	p := r.Push
	l.say("\nDurable push of %.0f-byte visits by %d devices, %d a request (medians of %d rounds of %d visits)",
		p.Content, r.Setup.Devices, r.Setup.BatchVisits, len(p.Rounds), r.Setup.Devices*r.Setup.BatchesARound*r.Setup.BatchVisits)
	l.say("  %-34s %10s %18s", "", "a second", "a CPU second")
	l.say("  %-34s %10.0f %18.0f", "the server, full path", p.Server.PerSecond, p.Server.PerCPUSecond)
	l.say("  %-34s %10.0f %18.0f", "limit: bare journal, encrypted", p.Journal.PerSecond, p.Journal.PerCPUSecond)
	l.say("  %-34s %10.0f %18.0f", "limit: bare badger, SyncWrites", p.Badger.PerSecond, p.Badger.PerCPUSecond)
	l.say("  %-34s %10.0f %18.0f", "the same, largest groups: journal", p.JournalMost.PerSecond, p.JournalMost.PerCPUSecond)
	l.say("  %-34s %10.0f %18.0f", "the same, largest groups: badger", p.BadgerMost.PerSecond, p.BadgerMost.PerCPUSecond)
	l.say("  groups as the server made them, %d visits: it reaches %.2f of the lower limit (goal: 0.50), %.2f to %.2f in single rounds",
		p.GroupVisits, p.OfLimit, p.OfLimitLeast, p.OfLimitMost)
	l.say("  groups of %d visits: it reaches %.2f of the lower limit", p.LargestGroup, p.OfMost)
	if p.ServerMicros > 0 {
		l.say("  CPU a visit: %.1f µs the server, %.1f µs the tablets", p.ServerMicros, p.TabletsMicros)
	}
	if r.Setup.Server == "" {
		l.say("  of the %d CPUs' time while they pushed, %.0f %% was idle, and %.0f %% went to what else the machine did",
			r.Machine.CPUs, 100*p.Idle, 100*max(0, p.Unused-p.Idle))
	}
	l.say("  on the wire: %.0f bytes up and %.0f down a visit", p.Up, p.Down)
}

func (r *Report) onePullText(l *lines) {
	l.say("\nPull of one new record (in turn from all boroughs)")
	for _, one := range r.OnePull {
		l.say("  of %7d visits: median %.2f ms, 9 of 10 within %.2f ms; %d bytes up, %d down",
			one.Visits, one.MedianMS, one.P90MS, one.Wire.Up, one.Wire.Down)
	}
	if len(r.OnePull) > 1 {
		l.say("  the slowest median is %.2f times the fastest (goal: 1.20 at most)", r.Flat())
	}
}
