package main

import (
	"context"

	"github.com/spf13/cobra"

	"doorstep/server/cmd/doorstep/demo"
)

func newDemo(s streams) *cobra.Command {
	var o demo.Options
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Play a working day with a borough, an example caseload and real tablets",
		Long: "Found a borough in a temporary folder, import the example caseload, and play a working day through it:\n" +
			"tablets without a signal, two workers who differ, a worker taken off the case, a visit made final.\n" +
			"Every claim that is printed is checked; the first that does not hold ends the run with exit code 1.\n\n" +
			"The caseload is read from --caseload, by default where it lies in the source tree. The folder is removed\n" +
			"afterwards unless --keep or --folder is given.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDemo(cmd.Context(), o, s) },
	}
	f := cmd.Flags()
	f.StringVar(&o.Caseload, "caseload", "deploy/example-caseload", "folder with the example caseload's CSV files")
	f.StringVar(&o.Folder, "folder", "", "empty folder to keep everything in (default: a temporary one)")
	f.BoolVar(&o.Keep, "keep", false, "do not remove the temporary folder")
	f.BoolVar(&o.Serve, "serve", false, "keep the borough running afterwards, with a past of six months and the sign-ins printed, until interrupted")
	f.StringVar(&o.Listen, "listen", "", "address to listen on (default: a free port of this machine)")
	f.Uint64Var(&o.Seed, "seed", 0, "draw the tablets' random names the same again (default: drawn and printed)")
	return cmd
}

func runDemo(ctx context.Context, o demo.Options, s streams) error { return demo.Run(ctx, o, s.out) }
