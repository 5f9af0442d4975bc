package server

import (
	"context"
	"path/filepath"
	"time"

	"doorstep/server/internal/disk"
	"doorstep/server/internal/metrics"
	"doorstep/server/internal/scrub"
)

// Status is how a running server's data is, for IT. It holds nothing of anybody.
type Status struct {
	Epoch     string `json:"epoch"`
	Entries   uint64 `json:"entries"`     // in the journal
	FreeMB    int64  `json:"free_mb"`     // on the disk of the data
	MinFreeMB int64  `json:"min_free_mb"` // below which nothing new is accepted
	BallastMB int64  `json:"ballast_mb"`  // that doorstep free-ballast would give back

	Scrub ScrubStatus `json:"scrub"`
	Copy  *CopyStatus `json:"copy"` // the second copy; null: none is kept

	Ready            bool      `json:"ready"`             // false: it does not take in what comes
	Clock            string    `json:"clock"`             // synchronised, wrong (nothing keeps it right) or unknown
	Checkpoint       time.Time `json:"checkpoint"`        // of the audit log, the newest; zero: none
	CheckpointBehind uint64    `json:"checkpoint_behind"` // entries that it does not cover
	HistoryForked    bool      `json:"history_forked"`    // the journal is not the one that was signed, or that a device remembers

	Devices DevicesStatus  `json:"devices"`
	Waiting WaitingStatus  `json:"waiting"`
	Queue   map[string]int `json:"queue"` // records that were handed over and are not final, by state

	Delivery *DeliveryStatus `json:"delivery"` // to the case-management system; null: none

	Backups       bool      `json:"backups"`        // that the server makes some
	Backup        time.Time `json:"backup"`         // when the newest was taken; zero: never
	BackupTrouble string    `json:"backup_trouble"` // why the last try failed; empty: it did not
}

// DevicesStatus says when the borough's devices were heard of. What they hold they say
// at each sync; a server that was restarted has to hear of each again.
type DevicesStatus struct {
	Enrolled      int       `json:"enrolled"` // and in use
	Seen          int       `json:"seen"`     // in the last day
	Silent        int       `json:"silent"`   // in use, and not heard of for two weeks
	Unsent        int       `json:"unsent"`   // that hold work which is not here
	UnsentChanges uint64    `json:"unsent_changes"`
	UnsentSince   time.Time `json:"unsent_since"` // when the one of them that has been away longest was last heard of
}

// WaitingStatus counts changes that came in and do not count yet.
type WaitingStatus struct {
	Held        int       `json:"held"`
	Quarantined int       `json:"quarantined"`
	Unreviewed  int       `json:"unreviewed"` // in quarantine without anybody to review them
	Oldest      time.Time `json:"oldest"`     // in quarantine
}

// DeliveryStatus counts final records that the case-management system has not got.
type DeliveryStatus struct {
	Waiting int       `json:"waiting"` // versions that were not delivered
	Refused int       `json:"refused"` // records of those that it refused
	Ready   int       `json:"ready"`   // versions that lie ready and were not fetched
	Held    int       `json:"held"`    // of restricted files, which stay here
	Oldest  time.Time `json:"oldest"`  // since when the oldest waits; zero: none does
	Trouble string    `json:"trouble"` // why nothing can be delivered now; empty: it can
}

// ScrubStatus says how far the reading of everything has got.
type ScrubStatus = scrub.Status

// Status implements Operator. Without a running server there is no scrub.
func (o localOperator) Status(context.Context) (Status, error) {
	b := o.b
	head, _ := b.journal.Head()
	free, err := disk.Local{}.FreeBytes(filepath.Join(b.cfg.Data.Dir, journalFolder))
	if err != nil {
		return Status{}, err
	}
	ballast, err := ballastBytes(b.cfg.Data.Dir)
	if err != nil {
		return Status{}, err
	}
	s := Status{Epoch: b.journal.Epoch().String(), Entries: head, FreeMB: free >> 20, MinFreeMB: b.cfg.Data.MinFreeMB, BallastMB: ballast >> 20}
	s.gather(b.figures())
	if q := b.queueFigures(allFamilies); q != nil {
		s.Queue = q.ByState
	}
	if b.scrub != nil {
		s.Scrub = b.scrub.Status()
	}
	if b.copy != nil {
		c := b.copy.Status()
		s.Copy = &c
	}
	if b.delivery != nil {
		d := b.delivery.Depth()
		s.Delivery = &DeliveryStatus{Waiting: d.Waiting, Refused: d.Refused, Ready: d.Ready, Held: d.Held, Oldest: d.Oldest, Trouble: d.Trouble}
	}
	if s.Backups = b.backups != nil; s.Backups {
		s.Backup, s.BackupTrouble = b.backups.status()
	}
	return s, nil
}

// allFamilies is more than any borough has.
const allFamilies = 1 << 30

// gather takes over what figures say too.
func (s *Status) gather(f metrics.Figures) {
	s.Ready, s.Clock = f.Ready, "unknown"
	if f.Clock.Known {
		s.Clock = "wrong"
	}
	if f.Clock.Synchronised {
		s.Clock = "synchronised"
	}
	s.Checkpoint, s.CheckpointBehind, s.HistoryForked = f.Audit.Checkpoint, f.Audit.Behind, f.Audit.Lost || f.Audit.Forks > 0
	d, w := f.Devices, f.Waiting
	s.Devices = DevicesStatus{Enrolled: d.Enrolled, Seen: d.Seen, Silent: d.Silent, Unsent: d.Unsent, UnsentChanges: d.Changes, UnsentSince: d.Longest}
	s.Waiting = WaitingStatus{Held: w.Held, Quarantined: w.Quarantined, Unreviewed: w.Unreviewed, Oldest: w.Oldest}
}
