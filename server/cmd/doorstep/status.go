package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type statusOptions struct {
	config string
	asJSON bool
}

func newStatus(s streams) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how the server is: disk, copies, backups, clock, devices with unsent work, what waits",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runStatus(cmd.Context(), o, s) },
	}
	configFlag(cmd, &o.config)
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print it as JSON")
	return cmd
}

func runStatus(ctx context.Context, o statusOptions, s streams) error {
	return withOperator(o.config, s.err, func(op server.Operator) error {
		st, err := op.Status(ctx)
		if err != nil {
			return err
		}
		if o.asJSON {
			return json.NewEncoder(s.out).Encode(st)
		}
		printStatus(s.out, st)
		return nil
	})
}

func printStatus(out io.Writer, st server.Status) {
	fmt.Fprintf(out, "health    %s\n", healthLine(st))
	fmt.Fprintf(out, "journal   %d entries, epoch %s\n", st.Entries, st.Epoch)
	fmt.Fprintf(out, "disk      %d MB free; below %d MB nothing new is accepted\n", st.FreeMB, st.MinFreeMB)
	if st.BallastMB > 0 {
		fmt.Fprintf(out, "ballast   %d MB, for doorstep free-ballast to give back\n", st.BallastMB)
	}
	fmt.Fprintf(out, "scrub     %s\n", scrubLine(st.Scrub))
	fmt.Fprintf(out, "copy      %s\n", copyLine(st.Copy))
	printWork(out, st)
	switch {
	case !st.Backups:
		fmt.Fprintf(out, "backups   none are made by this server\n")
	case st.BackupTrouble != "":
		fmt.Fprintf(out, "backups   newest %s; FAILING: %s\n", when(st.Backup), st.BackupTrouble)
	default:
		fmt.Fprintf(out, "backups   newest %s\n", when(st.Backup))
	}
}

// healthLine says in a few words whether IT has to do anything at once.
func healthLine(st server.Status) string {
	var troubles []string
	tell := func(is bool, what string) {
		if is {
			troubles = append(troubles, what)
		}
	}
	tell(!st.Ready, "NOT READY")
	tell(st.FreeMB <= st.MinFreeMB, "THE DISK IS FULL")
	tell(st.Clock == "wrong", "nothing keeps the clock right")
	tell(st.HistoryForked, "THE JOURNAL IS NOT THE ONE THAT WAS SIGNED")
	tell(st.Copy != nil && st.Copy.Trouble != "", "the second copy stands still")
	tell(st.BackupTrouble != "", "backups fail")
	tell(st.Scrub.Trouble != "", "the scrub fails")
	if len(troubles) == 0 {
		return "good"
	}
	return strings.Join(troubles, "; ")
}

func printWork(out io.Writer, st server.Status) {
	d, w := st.Devices, st.Waiting
	fmt.Fprintf(out, "devices   %d in use, %d heard of in the last day, %d silent for two weeks\n", d.Enrolled, d.Seen, d.Silent)
	if d.Unsent > 0 {
		fmt.Fprintf(out, "unsent    %d devices hold %d changes that are nowhere else, one of them not heard of since %s\n", d.Unsent, d.UnsentChanges, when(d.UnsentSince))
	}
	fmt.Fprintf(out, "waiting   %d changes held, %d in quarantine (the oldest since %s), %d of them without a reviewer\n", w.Held, w.Quarantined, when(w.Oldest), w.Unreviewed)
	total, parts := 0, []string{}
	for _, state := range slices.Sorted(maps.Keys(st.Queue)) {
		total += st.Queue[state]
		parts = append(parts, fmt.Sprintf("%d %s", st.Queue[state], strings.ReplaceAll(state, "_", " ")))
	}
	fmt.Fprintf(out, "queue     %d records: %s\n", total, strings.Join(parts, ", "))
	fmt.Fprintf(out, "clock     %s\n", st.Clock)
	fmt.Fprintf(out, "proof     newest checkpoint %s, %d entries since\n", when(st.Checkpoint), st.CheckpointBehind)
}

func copyLine(c *server.CopyStatus) string {
	switch {
	case c == nil:
		return "no second copy is kept"
	case c.Trouble != "":
		return fmt.Sprintf("STANDS STILL at entry %d, %d behind, in %s: %s", c.Copied, c.Behind, c.Dir, c.Trouble)
	}
	return fmt.Sprintf("up to entry %d, %d behind, in %s", c.Copied, c.Behind, c.Dir)
}

func scrubLine(sc server.ScrubStatus) string {
	line := "everything was last read through " + when(millis(sc.FinishedMS))
	if sc.Next != "" {
		line += fmt.Sprintf("; reading %s now, %d parts of this round are read", sc.Next, sc.Parts)
	}
	if sc.Repaired > 0 {
		line += fmt.Sprintf("; %d parts were repaired so far", sc.Repaired)
	}
	if sc.Trouble != "" {
		line += "; FAILING: " + sc.Trouble
	}
	return line
}

func millis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// when is a moment for people.
func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2 January 2006 15:04")
}
