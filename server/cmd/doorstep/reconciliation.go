package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"doorstep/server"
)

func newReconciliation(s streams) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "reconciliation",
		Short: "After a restore: what came back, from whom, and what is missing",
		Long: "Show which tablets have compared since the newest epoch of the journal began, how much they brought back (words\n" +
			"of their own users and of others), which have not been seen yet, and what is referred to and nobody has brought.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runReconciliation(cmd.Context(), o, s) },
	}
	configFlag(cmd, &o.config)
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print it as JSON")
	return cmd
}

func runReconciliation(ctx context.Context, o statusOptions, s streams) error {
	return withOperator(o.config, s.err, func(op server.Operator) error {
		r, err := op.Reconciliation(ctx)
		if err != nil {
			return err
		}
		if o.asJSON {
			return json.NewEncoder(s.out).Encode(r)
		}
		printReconciliation(s.out, r)
		return nil
	})
}

func printReconciliation(out io.Writer, r server.Reconciliation) {
	fmt.Fprintf(out, "epoch %s, after entry %d: %s\n", r.Epoch, r.From, r.Reason)
	if r.Devices == 0 {
		fmt.Fprintln(out, "nothing was restored, or no tablet is in use")
		return
	}
	own, others := uint64(0), uint64(0)
	for _, d := range r.Compared {
		own, others = own+d.Own, others+d.Others
		fmt.Fprintf(out, "  %s: %d changes of its own, %d of others, last %s\n", d.Name, d.Own, d.Others, when(d.Last))
		if d.Refused > 0 {
			fmt.Fprintf(out, "    and %d that this borough never had: have the tablet looked at\n", d.Refused)
		}
	}
	fmt.Fprintf(out, "%d of %d tablets have compared: %d changes of their own came back, %d of others\n", len(r.Compared), r.Devices, own, others)
	if len(r.Waiting) > 0 {
		fmt.Fprintf(out, "not seen since: %s\n", strings.Join(r.Waiting, ", "))
	}
	for _, m := range r.Missing {
		fmt.Fprintf(out, "MISSING: %d changes by %s (device %s) wait for earlier ones that nobody has brought\n", m.Held, m.Author, m.Device)
	}
}
