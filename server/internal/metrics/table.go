package metrics

import (
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metric describes one metric for whoever makes alerts, dashboards and documents.
type Metric struct {
	Name  string
	Kind  string // counter, gauge or histogram
	Label []string
	Help  string
}

// Names of what is counted, without the prefix.
const (
	requestsName = "requests_total"
	tookName     = "request_seconds"
	refusalsName = "sign_in_refusals_total"
	receiptsName = "receipts_total"
	clocksName   = "clock_warnings_total"
	entriesName  = "journal_appended_entries_total"
	writesName   = "journal_write_seconds"
	buildName    = "build_info"
)

// counted are the metrics of what happens.
func counted() []Metric {
	return []Metric{
		{requestsName, "counter", []string{"route", "status"}, "Requests answered, by route and HTTP status."},
		{tookName, "histogram", []string{"route"}, "Seconds until the answer to a request began, by route."},
		{refusalsName, "counter", []string{"code"}, "Sign-ins, renewals and enrolments that were refused, by code."},
		{receiptsName, "counter", []string{"verdict"}, "Changes that were answered, by verdict; a change that is sent again is answered again."},
		{clocksName, "counter", nil, "Changes that were written on a device whose clock is more than a day off."},
		{entriesName, "counter", nil, "Entries that went into the journal since the start."},
		{writesName, "histogram", []string{"result"}, "Seconds that a write of the journal with its sync took, by result."},
		{buildName, "gauge", []string{"version", "revision", "go", "protocol"}, "Always 1; its labels say which build this is."},
	}
}

// List is every metric of ours, under its full name.
func List() []Metric {
	out := counted()
	for _, g := range gauges() {
		out = append(out, Metric{Name: g.name, Kind: "gauge", Label: g.labels(), Help: g.help})
	}
	for i := range out {
		out[i].Name = prefix + out[i].Name
	}
	return out
}

func helpOf(name string) string {
	i := slices.IndexFunc(counted(), func(m Metric) bool { return m.Name == name })
	return counted()[i].Help
}

// gauge is a metric that is read off Figures.
type gauge struct {
	name, help string
	label      string // empty: none
	read       func(Figures) []sample
}

type sample struct {
	label string
	value float64
}

func (g gauge) labels() []string {
	if g.label == "" {
		return nil
	}
	return []string{g.label}
}

// gauges are the metrics of how things stand.
func gauges() []gauge {
	return []gauge{
		one("ready", "1: the server takes in and hands out; 0: it does not.", func(f Figures) float64 { return truth(f.Ready) }),
		one("journal_entries", "Entries in the journal.", func(f Figures) float64 { return float64(f.Journal.Entries) }),
		one("disk_free_bytes", "Free space on the disk of the data.", func(f Figures) float64 { return float64(f.Disk.Free) }),
		one("disk_min_free_bytes", "Free space below which nothing new is accepted.", func(f Figures) float64 { return float64(f.Disk.MinFree) }),
		one("disk_ballast_bytes", "Space that doorstep free-ballast would give back.", func(f Figures) float64 { return float64(f.Disk.Ballast) }),

		some("copy_behind_entries", "Entries that are not in the second copy yet.", func(f Figures) (float64, bool) { return copyBehind(f.Copy) }),
		some("copy_stands_still", "1: the second copy cannot be written; tablets keep their words.", func(f Figures) (float64, bool) {
			return truth(f.Copy != nil && f.Copy.Stands), f.Copy != nil
		}),
		some("backup_timestamp_seconds", "When the newest backup was taken; 0: never.", func(f Figures) (float64, bool) { return backupTaken(f.Backup) }),
		some("backup_every_seconds", "How often the server is to make a backup.", func(f Figures) (float64, bool) {
			return backupEvery(f.Backup), f.Backup != nil
		}),
		some("backup_failing", "1: the last try to make a backup failed.", func(f Figures) (float64, bool) {
			return truth(f.Backup != nil && f.Backup.Failed), f.Backup != nil
		}),
		one("scrub_finished_timestamp_seconds", "When everything was last read through and found whole; 0: never.", func(f Figures) float64 { return unix(f.Scrub.Finished) }),
		one("scrub_parts", "Parts that were read in this pass.", func(f Figures) float64 { return float64(f.Scrub.Parts) }),
		one("scrub_repaired_parts", "Parts that were found damaged and repaired, ever.", func(f Figures) float64 { return float64(f.Scrub.Repaired) }),
		one("scrub_failing", "1: the reading could not go on, for another reason than damage.", func(f Figures) float64 { return truth(f.Scrub.Failed) }),

		by("waiting_changes", "Changes that came in and do not count yet, by why: held, quarantined, kept_away.", "state", func(f Figures) []sample {
			return []sample{{"held", float64(f.Waiting.Held)}, {"quarantined", float64(f.Waiting.Quarantined)}, {"kept_away", float64(f.Waiting.KeptAway)}}
		}),
		some("quarantine_oldest_timestamp_seconds", "When the change came in that has waited longest for a reviewer; absent: none waits.", func(f Figures) (float64, bool) {
			return unix(f.Waiting.Oldest), !f.Waiting.Oldest.IsZero()
		}),
		one("quarantine_unreviewed_changes", "Changes in quarantine that nobody may review.", func(f Figures) float64 { return float64(f.Waiting.Unreviewed) }),
		one("custody_alerts", "People's devices for whose words custody is nearly full, or full.", func(f Figures) float64 { return float64(f.Waiting.CustodyAlerts) }),

		by("devices", "Devices that were enrolled, by state: enrolled, revoked.", "state", func(f Figures) []sample {
			return []sample{{"enrolled", float64(f.Devices.Enrolled)}, {"revoked", float64(f.Devices.Revoked)}}
		}),
		one("devices_seen", "Devices that were heard of in the last day.", func(f Figures) float64 { return float64(f.Devices.Seen) }),
		one("devices_silent", "Devices in use that were not heard of for two weeks.", func(f Figures) float64 { return float64(f.Devices.Silent) }),
		one("devices_unsent", "Devices that held work which is not here when they were last heard of, since the start.", func(f Figures) float64 { return float64(f.Devices.Unsent) }),
		one("unsent_changes", "Changes that those devices hold.", func(f Figures) float64 { return float64(f.Devices.Changes) }),
		some("unsent_oldest_contact_timestamp_seconds", "When the one of them that has been away longest was last heard of; absent: none holds any.", func(f Figures) (float64, bool) {
			return unix(f.Devices.Longest), !f.Devices.Longest.IsZero()
		}),
		by("queue_records", "Records that were handed over and are not final, by state.", "state", func(f Figures) []sample { return queueStates(f.Queue) }),
		some("queue_oldest_timestamp_seconds", "When the record was handed over that has waited longest; absent: none waits.", func(f Figures) (float64, bool) {
			return queueOldest(f.Queue)
		}),
		some("import_refused", "1: the newest set of files of the case-management system was refused.", func(f Figures) (float64, bool) {
			return truth(f.Import != nil && f.Import.Refused), f.Import != nil
		}),
		some("import_stuck", "1: the folder that is watched for files, or a set in it, cannot be dealt with.", func(f Figures) (float64, bool) {
			return truth(f.Import != nil && f.Import.Stuck), f.Import != nil
		}),
		some("import_taken_timestamp_seconds", "When the newest set of files was taken; absent: none lately.", func(f Figures) (float64, bool) {
			return importTaken(f.Import)
		}),
		by("delivery_records", "Final records on their way to the case-management system, by state: waiting, refused (of those waiting), ready (not fetched yet), held (of restricted files).", "state", deliveryStates),
		some("delivery_oldest_timestamp_seconds", "Since when the oldest final record waits that has not arrived; absent: none does.", func(f Figures) (float64, bool) {
			return deliveryOldest(f.Delivery)
		}),
		some("delivery_failing", "1: nothing can be delivered to the case-management system now.", func(f Figures) (float64, bool) {
			return truth(f.Delivery != nil && f.Delivery.Failing), f.Delivery != nil
		}),
		one("event_streams", "Event streams that are open.", func(f Figures) float64 { return float64(f.Streams) }),
		one("users", "Accounts that are not disabled.", func(f Figures) float64 { return float64(f.Users) }),
		one("erased", "Records, children and families that were erased for good.", func(f Figures) float64 { return float64(f.Erased) }),

		one("checkpoint_timestamp_seconds", "When the newest checkpoint of the audit log was made; 0: never.", func(f Figures) float64 { return unix(f.Audit.Checkpoint) }),
		one("checkpoint_behind_entries", "Entries that the newest checkpoint does not cover.", func(f Figures) float64 { return float64(f.Audit.Behind) }),
		one("history_lost", "1: the journal does not hold what the last checkpoint was signed over.", func(f Figures) float64 { return truth(f.Audit.Lost) }),
		one("history_forks", "Times that a device remembered another history than the server's, undeclared.", func(f Figures) float64 { return float64(f.Audit.Forks) }),
		some("clock_synchronised", "1: the machine's clock follows a time server; absent: the kernel does not say.", func(f Figures) (float64, bool) {
			return truth(f.Clock.Synchronised), f.Clock.Known
		}),
	}
}

func one(name, help string, read func(Figures) float64) gauge {
	return gauge{name: name, help: help, read: func(f Figures) []sample { return []sample{{"", read(f)}} }}
}

// some is a metric that is absent while read says no.
func some(name, help string, read func(Figures) (float64, bool)) gauge {
	return gauge{name: name, help: help, read: func(f Figures) []sample {
		if v, ok := read(f); ok {
			return []sample{{"", v}}
		}
		return nil
	}}
}

func by(name, help, label string, read func(Figures) []sample) gauge {
	return gauge{name: name, help: help, label: label, read: read}
}

func copyBehind(c *Copy) (float64, bool) {
	if c == nil {
		return 0, false
	}
	return float64(c.Behind), true
}

func backupTaken(b *Backup) (float64, bool) {
	if b == nil {
		return 0, false
	}
	return unix(b.Taken), true
}

func backupEvery(b *Backup) float64 {
	if b == nil {
		return 0
	}
	return b.Every.Seconds()
}

func queueStates(q *Queue) (out []sample) {
	if q == nil {
		return nil
	}
	for _, state := range slices.Sorted(maps.Keys(q.ByState)) {
		out = append(out, sample{state, float64(q.ByState[state])})
	}
	return out
}

func queueOldest(q *Queue) (float64, bool) {
	if q == nil || q.Oldest.IsZero() {
		return 0, false
	}
	return unix(q.Oldest), true
}

func deliveryStates(f Figures) []sample {
	d := f.Delivery
	if d == nil {
		return nil
	}
	return []sample{{"waiting", float64(d.Waiting)}, {"refused", float64(d.Refused)}, {"ready", float64(d.Ready)}, {"held", float64(d.Held)}}
}

func deliveryOldest(d *Delivery) (float64, bool) {
	if d == nil || d.Oldest.IsZero() {
		return 0, false
	}
	return unix(d.Oldest), true
}

func importTaken(i *Import) (float64, bool) {
	if i == nil || i.Taken.IsZero() {
		return 0, false
	}
	return unix(i.Taken), true
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// unix is a time in seconds, to the millisecond; 0: never.
func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

// standing turns Figures into metrics, once for each scrape.
type standing struct{ cfg Config }

// Describe implements prometheus.Collector.
func (s standing) Describe(out chan<- *prometheus.Desc) {
	for _, g := range gauges() {
		out <- g.desc()
	}
	out <- buildDesc()
}

// Collect implements prometheus.Collector.
func (s standing) Collect(out chan<- prometheus.Metric) {
	f := s.cfg.Figures()
	for _, g := range gauges() {
		for _, v := range g.read(f) {
			var labels []string
			if g.label != "" {
				labels = []string{v.label}
			}
			out <- prometheus.MustNewConstMetric(g.desc(), prometheus.GaugeValue, v.value, labels...)
		}
	}
	b := s.cfg.Build
	out <- prometheus.MustNewConstMetric(buildDesc(), prometheus.GaugeValue, 1, b.Version, b.Revision, b.Go, b.Protocol)
}

func (g gauge) desc() *prometheus.Desc {
	return prometheus.NewDesc(prefix+g.name, g.help, g.labels(), nil)
}

func buildDesc() *prometheus.Desc {
	return prometheus.NewDesc(prefix+buildName, helpOf(buildName), []string{"version", "revision", "go", "protocol"}, nil)
}
