package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type verifyOptions struct {
	config      string
	checkpoints []string
}

func newVerify(s streams) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check every byte of the data; exit code 3 if any is damaged",
		Long: "Check the journal's chain from the first byte to the last. If no server has the data open, also\n" +
			"unseal every change, check its id, and compare the index and every record's view with the journal.\n\n" +
			"The audit log is derived anew and held to the last checkpoint that the server kept and to each that is\n" +
			"given by --checkpoint: a file with the signed note that a tablet, an auditor or the minutes of a\n" +
			"committee remember, or - to paste it. Whatever was removed, altered, reordered or rewound since is found.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runVerify(cmd.Context(), o, s) },
	}
	configFlag(cmd, &o.config)
	cmd.Flags().StringArrayVar(&o.checkpoints, "checkpoint", nil, "file with a remembered checkpoint, - for standard input; may be repeated")
	return cmd
}

func runVerify(ctx context.Context, o verifyOptions, s streams) error {
	cfg, err := server.LoadConfig(o.config, os.Environ())
	if err != nil {
		return err
	}
	cfg.Log.Level = "warn"
	notes, err := readNotes(o.checkpoints, s)
	if err != nil {
		return err
	}
	ctx, s, done := s.working(ctx, "verifying")
	defer done()
	v, err := server.Verify(ctx, cfg, notes, func(line string) { fmt.Fprintln(s.out, line) }, s.err)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "The journal is whole: %d entries, %d bytes in %d segments, %d epochs.\n", v.Entries, v.Bytes, v.Segments, v.Epochs)
	fmt.Fprintf(s.out, "The audit log holds what %d remembered checkpoints cover.\n", v.Checkpoints)
	if v.Indexed {
		fmt.Fprintf(s.out, "The index agrees: %d changes, %d records.\n", v.Changes, v.Records)
	}
	return nil
}

// maxNote bounds a checkpoint: its text and some witnesses' signatures.
const maxNote = 64 << 10

// readNotes reads remembered checkpoints.
func readNotes(files []string, s streams) ([][]byte, error) {
	var notes [][]byte
	for _, name := range files {
		in := s.in
		if name != "-" {
			f, err := os.Open(name)
			if err != nil {
				return nil, fmt.Errorf("reading a checkpoint: %w", err)
			}
			defer f.Close()
			in = f
		}
		note, err := io.ReadAll(io.LimitReader(in, maxNote))
		if err != nil {
			return nil, fmt.Errorf("reading a checkpoint: %w", err)
		}
		// As pasted: without the spaces around it, and with plain ends of lines.
		note = bytes.ReplaceAll(bytes.TrimSpace(note), []byte("\r\n"), []byte("\n"))
		notes = append(notes, append(note, '\n'))
	}
	return notes, nil
}
