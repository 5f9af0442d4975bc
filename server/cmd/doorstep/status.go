package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
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
	for _, line := range st.Lines(time.Local) {
		fmt.Fprintf(out, "%-9s %s\n", line.What, line.How)
	}
}

// when is a moment for people.
func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2 January 2006 15:04")
}
