package server

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// StatusLine is one thing about a server, and how it is, in words.
type StatusLine struct{ What, How string }

// Troubles says in a few words each what IT has to do something about at once.
func (s *Status) Troubles() (troubles []string) {
	tell := func(is bool, what string) {
		if is {
			troubles = append(troubles, what)
		}
	}
	tell(!s.Ready, "NOT READY")
	tell(s.FreeMB <= s.MinFreeMB, "THE DISK IS FULL")
	tell(s.Clock == "wrong", "nothing keeps the clock right")
	tell(s.HistoryForked, "THE JOURNAL IS NOT THE ONE THAT WAS SIGNED")
	tell(s.Copy != nil && s.Copy.Trouble != "", "the second copy stands still")
	tell(s.BackupTrouble != "", "backups fail")
	tell(s.Delivery != nil && s.Delivery.Trouble != "", "final records do not reach the case-management system")
	tell(s.Scrub.Trouble != "", "the scrub fails")
	return troubles
}

// Lines says how the server is, a line for each thing. Times are written as in zone.
func (s *Status) Lines(zone *time.Location) []StatusLine {
	say := statusWords{s, zone}
	out := []StatusLine{
		{"health", say.health()},
		{"journal", fmt.Sprintf("%d entries, epoch %s", s.Entries, s.Epoch)},
		{"disk", fmt.Sprintf("%d MB free; below %d MB nothing new is accepted", s.FreeMB, s.MinFreeMB)},
	}
	if s.BallastMB > 0 {
		out = append(out, StatusLine{"ballast", fmt.Sprintf("%d MB, for doorstep free-ballast to give back", s.BallastMB)})
	}
	d, w := s.Devices, s.Waiting
	out = append(out, StatusLine{"scrub", say.scrub()}, StatusLine{"copy", say.copy()},
		StatusLine{"devices", fmt.Sprintf("%d in use, %d heard of in the last day, %d silent for two weeks", d.Enrolled, d.Seen, d.Silent)})
	if d.Unsent > 0 {
		out = append(out, StatusLine{"unsent", fmt.Sprintf("%d devices hold %d changes that are nowhere else, one of them not heard of since %s", d.Unsent, d.UnsentChanges, say.when(d.UnsentSince))})
	}
	return append(out,
		StatusLine{"waiting", fmt.Sprintf("%d changes held, %d in quarantine (the oldest since %s), %d of them without a reviewer", w.Held, w.Quarantined, say.when(w.Oldest), w.Unreviewed)},
		StatusLine{"queue", say.queue()},
		StatusLine{"delivery", say.delivery()},
		StatusLine{"clock", s.Clock},
		StatusLine{"proof", fmt.Sprintf("newest checkpoint %s, %d entries since", say.when(s.Checkpoint), s.CheckpointBehind)},
		StatusLine{"backups", say.backups()})
}

// statusWords puts a status into words.
type statusWords struct {
	*Status
	zone *time.Location
}

func (s statusWords) health() string {
	if troubles := s.Troubles(); len(troubles) > 0 {
		return strings.Join(troubles, "; ")
	}
	return "good"
}

func (s statusWords) queue() string {
	total, parts := 0, []string{}
	for _, state := range slices.Sorted(maps.Keys(s.Queue)) {
		total += s.Queue[state]
		parts = append(parts, fmt.Sprintf("%d %s", s.Queue[state], strings.ReplaceAll(state, "_", " ")))
	}
	return fmt.Sprintf("%d records: %s", total, strings.Join(parts, ", "))
}

func (s statusWords) delivery() string {
	d := s.Delivery
	if d == nil {
		return "final records go nowhere from here"
	}
	line := fmt.Sprintf("%d final records wait, %d of them refused, %d lie ready (the oldest since %s), %d stay as restricted", d.Waiting, d.Refused, d.Ready, s.when(d.Oldest), d.Held)
	if d.Trouble != "" {
		line += "; FAILING: " + d.Trouble
	}
	return line
}

func (s statusWords) backups() string {
	switch {
	case !s.Backups:
		return "none are made by this server"
	case s.BackupTrouble != "":
		return fmt.Sprintf("newest %s; FAILING: %s", s.when(s.Backup), s.BackupTrouble)
	}
	return "newest " + s.when(s.Backup)
}

func (s statusWords) copy() string {
	c := s.Copy
	switch {
	case c == nil:
		return "no second copy is kept"
	case c.Trouble != "":
		return fmt.Sprintf("STANDS STILL at entry %d, %d behind, in %s: %s", c.Copied, c.Behind, c.Dir, c.Trouble)
	}
	return fmt.Sprintf("up to entry %d, %d behind, in %s", c.Copied, c.Behind, c.Dir)
}

func (s statusWords) scrub() string {
	sc := s.Scrub
	line := "everything was last read through " + s.when(timeOf(sc.FinishedMS))
	if sc.Next != "" {
		line += fmt.Sprintf("; reading %s now", sc.Next)
		if sc.Of > 0 {
			line += fmt.Sprintf(", %d %% of this round: %d of %d parts", sc.Parts*100/sc.Of, sc.Parts, sc.Of)
		}
	}
	if sc.Repaired > 0 {
		line += fmt.Sprintf("; %d parts were repaired so far", sc.Repaired)
	}
	if sc.Trouble != "" {
		line += "; FAILING: " + sc.Trouble
	}
	return line
}

// when is a moment for people.
func (s statusWords) when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.In(s.zone).Format("2 January 2006 15:04")
}
