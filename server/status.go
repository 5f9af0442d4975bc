package server

import (
	"context"
	"path/filepath"
	"time"

	"doorstep/server/internal/disk"
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

	Backups       bool      `json:"backups"`        // that the server makes some
	Backup        time.Time `json:"backup"`         // when the newest was taken; zero: never
	BackupTrouble string    `json:"backup_trouble"` // why the last try failed; empty: it did not
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
	if b.scrub != nil {
		s.Scrub = b.scrub.Status()
	}
	if b.copy != nil {
		c := b.copy.Status()
		s.Copy = &c
	}
	if s.Backups = b.backups != nil; s.Backups {
		s.Backup, s.BackupTrouble = b.backups.status()
	}
	return s, nil
}
