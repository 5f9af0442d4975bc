package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type verifyOptions struct{ config string }

func newVerify(s streams) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check every byte of the data; exit code 3 if any is damaged",
		Long: "Check the journal's chain from the first byte to the last. If no server has the data open, also\n" +
			"unseal every change, check its id, and compare the index and every record's view with the journal.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runVerify(cmd.Context(), o, s) },
	}
	configFlag(cmd, &o.config)
	return cmd
}

func runVerify(ctx context.Context, o verifyOptions, s streams) error {
	cfg, err := server.LoadConfig(o.config, os.Environ())
	if err != nil {
		return err
	}
	cfg.Log.Level = "warn"
	v, err := server.Verify(ctx, cfg, func(line string) { fmt.Fprintln(s.out, line) }, s.err)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "The journal is whole: %d entries, %d bytes in %d segments, %d epochs.\n", v.Entries, v.Bytes, v.Segments, v.Epochs)
	if v.Indexed {
		fmt.Fprintf(s.out, "The index agrees: %d changes, %d records.\n", v.Changes, v.Records)
	}
	return nil
}
