package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"doorstep/server"
)

func newReload(s streams) *cobra.Command {
	var config string
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Have the running server read its configuration again",
		Long: "Have the running server read its configuration again, from the file and the environment that it was started with.\n" +
			"It takes over log.level and visits at once, and names what else differs: that waits for a restart. A\n" +
			"configuration with faults changes nothing; all faults are named.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runReload(cmd.Context(), config, s) },
	}
	configFlag(cmd, &config)
	return cmd
}

func runReload(ctx context.Context, config string, s streams) error {
	return withOperator(config, s.err, func(op server.Operator) error {
		report, err := op.Reload(ctx)
		if err != nil {
			return err
		}
		printReload(s.out, report)
		return nil
	})
}

func printReload(out io.Writer, r server.ReloadReport) {
	if len(r.Taken)+len(r.Waiting) == 0 {
		fmt.Fprintln(out, "Nothing differs from what the server runs with.")
	}
	for _, key := range r.Taken {
		fmt.Fprintf(out, "taken over          %s\n", key)
	}
	for _, key := range r.Waiting {
		fmt.Fprintf(out, "waits for a restart %s\n", key)
	}
}
