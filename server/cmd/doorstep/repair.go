package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type repairOptions struct {
	config string
	server.RepairOptions
}

func newRepair(s streams) *cobra.Command {
	var o repairOptions
	cmd := &cobra.Command{
		Use:   "repair",
		Short: "Repair damaged data from the second copy, or begin it from there if it is lost",
		Long: "Write every damaged segment of the journal, and a damaged key store, anew from data.copy_dir; what was damaged is\n" +
			"kept beside it. If data.dir holds no data at all, because its disk was lost, begin it from the copy, under a new\n" +
			"epoch: each tablet compares at its next sync and sends again what the copy does not have. Everything is verified\n" +
			"at the end. Stop the server first; the secret keys must be in secrets.dir.\n\n" +
			"Where the copy may lack entries that a damaged file had, nothing is changed. Then --from-copy moves what is in\n" +
			"data.dir aside and begins the data from the copy.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRepair(cmd.Context(), o, s) },
	}
	configFlag(cmd, &o.config)
	cmd.Flags().BoolVar(&o.FromCopy, "from-copy", false, "move the data aside and begin it from the second copy")
	return cmd
}

func runRepair(ctx context.Context, o repairOptions, s streams) error {
	cfg, err := server.LoadConfig(o.config, os.Environ())
	if err != nil {
		return err
	}
	cfg.Log.Format = "text"
	ctx, s, done := s.working(ctx, "repairing")
	defer done()
	r, err := server.Repair(ctx, cfg, o.RepairOptions, s.line, s.err)
	if err != nil {
		return err
	}
	for _, name := range r.Kept {
		fmt.Fprintf(s.out, "What was in data.dir is kept as %s.\n", name)
	}
	switch {
	case r.Restored:
		fmt.Fprintf(s.out, "The data was begun from the second copy: %d entries, all verified. Start the server; tablets will bring what it lacks.\n", r.Entries)
	case len(r.Files) == 0:
		fmt.Fprintln(s.out, "Nothing was damaged.")
	default:
		fmt.Fprintf(s.out, "%d damaged files were written anew from the second copy, and everything was verified. Replace the disk.\n", len(r.Files))
	}
	return nil
}
