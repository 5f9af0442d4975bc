package server

import (
	"fmt"
	"path/filepath"
	"time"

	"doorstep/server/internal/disk"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/keyring"
)

// UpgradeReport says what starting this build on a borough's data would do. The data was
// not changed.
type UpgradeReport struct {
	Build    string         `json:"build"`  // this one's version
	Writer   string         `json:"writer"` // the version that last worked on the data; empty: nobody said
	Entries  uint64         `json:"entries"`
	Formats  []FormatReport `json:"formats"`
	Faults   []string       `json:"faults"`    // why this build cannot take the data over; empty: it can
	GoBack   string         `json:"go_back"`   // why the build that wrote the data could not take it back; empty: it could
	NotKnown bool           `json:"not_known"` // whether it could is not known: the data does not say who wrote it
	Backup   time.Time      `json:"backup"`    // the newest; zero: there is none, or none is made
}

// FormatReport is one format of the data and of this build.
type FormatReport struct {
	Name string `json:"name"`
	Has  int    `json:"has"` // what the data has; 0: it does not say
	Ours int    `json:"ours"`
	Then string `json:"then"` // what a start does about it
}

// CheckUpgrade says what this build would do with the data of cfg, which it reads and does
// not change; a server may run on it meanwhile. An error is for what cannot be read.
func CheckUpgrade(cfg Config) (UpgradeReport, error) {
	dir := cfg.Data.Dir
	out := UpgradeReport{Build: thisBuild().Version, Formats: []FormatReport{}, Faults: []string{}}
	w, known, err := readWriter(dir)
	if err != nil {
		return out, err
	}
	if !exists(filepath.Join(dir, journalFolder)) {
		return out, fmt.Errorf("%w: %s holds none", ErrNotBegun, dir)
	}
	if err := fromFiles(dir, &w.Formats); err != nil {
		return out, err
	}
	out.Writer, out.NotKnown = w.Version, !known
	out.compare(w.Formats, ourFormats())
	if known {
		if beyond := ourFormats().beyond(w.Formats); len(beyond) > 0 {
			out.GoBack = "doorstep " + w.Version + " does not read what this one writes: " + beyond[0]
		}
	}
	if len(out.Faults) > 0 {
		return out, nil
	}
	if out.Entries, err = countEntries(dir); err != nil {
		return out, err
	}
	if cfg.Backup.Dir != "" {
		out.Backup, err = (&backups{cfg: cfg}).newest()
	}
	return out, err
}

// fromFiles reads the formats that the files themselves name.
func fromFiles(dir string, f *Formats) error {
	for _, part := range []struct {
		folder string
		of     func(disk.FS, string) (int, error)
		to     *Format
	}{{journalFolder, journal.FormatOf, &f.Journal}, {keysFolder, keyring.FormatOf, &f.Keys}} {
		n, err := part.of(disk.Local{}, filepath.Join(dir, part.folder))
		if err != nil {
			return named(err)
		}
		part.to.Writes = n
	}
	return nil
}

// countEntries counts what the journal holds.
func countEntries(dir string) (uint64, error) {
	r, err := journal.OpenReader(nil, filepath.Join(dir, journalFolder))
	if err != nil {
		return 0, named(err)
	}
	head, _ := r.Head()
	return uint64(head), r.Close()
}

// compare tells what a start does about each format.
func (u *UpgradeReport) compare(has, ours Formats) {
	u.Faults = append(u.Faults, has.beyond(ours)...)
	kept := func(name string, has, ours Format) {
		then := "read as it is"
		switch {
		case has.Writes > ours.Reads:
			then = "refused: this build does not know it, and changes nothing"
		case has.Writes == 0:
			then = "looked at by the start, which refuses what it does not know"
		case has.Writes < ours.Writes:
			then = "read as it is; what is new is written in the newer format"
		}
		u.Formats = append(u.Formats, FormatReport{Name: name, Has: has.Writes, Ours: ours.Writes, Then: then})
	}
	built := func(name, anew string, has, ours Format) {
		then := "used as it is"
		switch {
		case has.Writes == 0:
			then = "used if it is of this format, else " + anew
		case has.Writes != ours.Writes:
			then = anew
		}
		u.Formats = append(u.Formats, FormatReport{Name: name, Has: has.Writes, Ours: ours.Writes, Then: then})
	}
	kept("journal", has.Journal, ours.Journal)
	kept("entries", has.Entries, ours.Entries)
	kept("keys", has.Keys, ours.Keys)
	built("index", "built anew from the journal before the start answers anybody", has.Index, ours.Index)
	built("views", "each folded anew when it is first looked at", has.Views, ours.Views)
	u.Formats = append(u.Formats, FormatReport{Name: "sync", Has: has.Sync.Writes, Ours: ours.Sync.Writes, Then: tabletsThen(has.Sync, ours.Sync)})
}

// tabletsThen says which tablets can go on.
func tabletsThen(has, ours Format) string {
	switch {
	case has.Writes > ours.Writes:
		return fmt.Sprintf("tablets with an app that speaks %d alone keep their words until the server speaks it again", has.Writes)
	case has.Writes != 0 && has.Reads < ours.Reads:
		return fmt.Sprintf("tablets that speak less than %d keep their words until their app is updated", ours.Reads)
	}
	return "every tablet goes on"
}
