package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type verifyExportOptions struct {
	config string
	key    string
}

func newVerifyExport(s streams) *cobra.Command {
	var o verifyExportOptions
	cmd := &cobra.Command{
		Use:   "verify-export FILE",
		Short: "Check that a copy of a family's records is as the server gave it out; exit code 3 if not",
		Long: "Check the signature of a file that somebody took away (POST /v1/families/{id}/export), - for standard\n" +
			"input. Whoever has no server gives its checkpoint key, which the server itself says at /v1/about, and which\n" +
			"a court gets from the borough. Without --key the borough's own is read from its secrets.\n\n" +
			"It proves that this borough's server gave out these bytes, and when. It does not prove that the words\n" +
			"are true, nor that there was nothing else: whoever took the copy may not have been allowed to see more.",
		Args: oneArg,
		RunE: func(_ *cobra.Command, args []string) error { return runVerifyExport(o, args[0], s) },
	}
	configFlag(cmd, &o.config)
	cmd.Flags().StringVar(&o.key, "key", "", "checkpoint key of the borough (default: of the configuration's secrets)")
	return cmd
}

func runVerifyExport(o verifyExportOptions, name string, s streams) error {
	var cfg server.Config
	if o.key == "" {
		var err error
		if cfg, err = server.LoadConfig(o.config, os.Environ()); err != nil {
			return err
		}
	}
	var in io.Reader = s.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("reading the export: %w", err)
		}
		defer f.Close()
		in = f
	}
	e, err := server.VerifyExport(cfg, o.key, in)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "The file is as the server of %s gave it out, on %s.\n", e.Borough, e.At.Format(time.RFC1123))
	fmt.Fprintf(s.out, "Taken by %s for %s: %d records of family %s, %d changes.\n", e.Name, e.Purpose, e.Records, e.Family, e.Changes)
	fmt.Fprintf(s.out, "The audit log stood then at this checkpoint; give it to doorstep verify --checkpoint:\n\n%s", e.Checkpoint)
	return nil
}
