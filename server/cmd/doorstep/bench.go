package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"doorstep/server/cmd/doorstep/bench"
)

type benchOptions struct {
	bench.Options
	asJSON   bool
	jsonFile string
}

func newBench(s streams) *cobra.Command {
	var o benchOptions
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure pushes, pulls and the desk, beside what the disk can do at most",
		Long: "Start boroughs in a temporary folder, each a server process of its own, and measure over real HTTP: durable\n" +
			"pushes of 4 KB visits beside the bare journal and bare badger on the same disk, the pull of all to a fresh\n" +
			"device, the pull of one record from boroughs of several sizes, and what a coordinator waits for at the desk. With the default sizes it takes some minutes\n" +
			"and about 8 GB of disk; everything is removed afterwards. Tablets, servers and limits share one machine: measure\n" +
			"on a quiet one. The figures say how much of its CPUs went elsewhere.\n\n" +
			"Five parts are measured only when --only names them: start-up; memory; and pushing to a server with and to one without\n" +
			"something, in turn: proofs (of the devices' keys), guards (proofs, access decisions, audit log and access log)\n" +
			"and safe (second copy and scrub).\n\n" +
			"With --profile the load of a borough is played instead, by real tablets that each stand for several practitioners:\n" +
			"borough and county (a day, pressed into a minute), monday (9 am) and storm (the signal comes back to all at once).\n" +
			"The figures are what people wait for until their words are safe, and what a practitioner costs.\n\n" +
			"With --url a running server is measured instead. Its --people are a file with one sign-in a line: login,\n" +
			"password and enrolment code, with tabs between. All but the last push into the families that they have; the\n" +
			"last reads, and must have all of these families. What is pushed stays there: use a borough made for it.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBench(cmd.Context(), o, s) },
	}
	f := cmd.Flags()
	f.BoolVar(&o.asJSON, "json", false, "print the figures as JSON")
	f.StringVar(&o.jsonFile, "json-file", "", "write the figures as JSON into this file as well")
	f.StringVar(&o.Folder, "folder", "", "folder on the disk to measure, kept afterwards (default: a temporary one)")
	f.StringVar(&o.Only, "only", "", "measure one part: push, fresh-pull, one-pull, desk; or one that is not among the rest: start-up, memory, proofs, guards or safe")
	f.IntVar(&o.Devices, "devices", 8, "tablets that push at once")
	f.IntVar(&o.Batch, "batch", 64, "visits in one request")
	f.IntVar(&o.Batches, "batches", 32, "requests of each tablet in one round")
	f.IntVar(&o.Rounds, "rounds", 7, "rounds of pushing")
	f.IntVar(&o.Pull, "pull", 4_000, "visits that a fresh device pulls")
	f.IntVar(&o.Pulls, "pulls", 200, "one-record pulls from each borough")
	f.IntSliceVar(&o.Sizes, "sizes", bench.DefaultSizes(), "visits in the boroughs that one record is pulled from")
	f.IntVar(&o.DeskVisits, "desk-visits", 100_000, "visits in the borough that a coordinator of a tenth of its families looks through")
	f.IntVar(&o.DeskPages, "desk-pages", 200, "pages of the queue, and searches, of that coordinator")
	f.IntVar(&o.StartUp, "start-up", 1_000_000, "small changes in the borough whose start or memory is measured")
	f.IntVar(&o.Streams, "streams", 5_000, "idle event streams whose memory is measured")
	f.StringVar(&o.Profile, "profile", "", "play the load of a borough instead: borough, county, monday or storm")
	f.IntVar(&o.Tablets, "tablets", 120, "tablets that play a profile")
	f.IntVar(&o.Practitioners, "practitioners", 0, "practitioners whom they stand for (default: the profile's, 600 or 2,500)")
	f.Float64Var(&o.PressedInto, "pressed-into", 60, "seconds into which a profile is pressed")
	f.StringVar(&o.URL, "url", "", "address of a running server to measure instead")
	f.StringVar(&o.People, "people", "", "file with the sign-ins for it")
	f.IntVar(&o.PID, "pid", 0, "its process, if it runs on this machine, to count its CPU seconds")
	return cmd
}

// runBench tells on standard error what it is doing, so that the output is the
// figures alone.
func runBench(ctx context.Context, o benchOptions, s streams) error {
	ctx, s, stop := s.working(ctx, "measuring")
	defer stop()
	report, err := bench.Run(ctx, o.Options, s.err)
	if err != nil {
		return err
	}
	if o.jsonFile != "" {
		var text bytes.Buffer
		if err := report.JSON(&text); err != nil {
			return err
		}
		if err := os.WriteFile(o.jsonFile, text.Bytes(), 0o644); err != nil {
			return fmt.Errorf("writing the figures: %w", err)
		}
	}
	if o.asJSON {
		return report.JSON(s.out)
	}
	return report.Text(s.out)
}
