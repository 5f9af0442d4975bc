package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type custodyOptions struct {
	config string
	asJSON bool
}

func newCustody(s streams) *cobra.Command {
	var o custodyOptions
	cmd := &cobra.Command{Use: "custody", Short: "Words that wait for a reviewer: how much, how old and why, never what they say"}
	list := &cobra.Command{
		Use: "list", Short: "List what waits for reviewers or is kept away, and where custody fills up", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runCustodyList(cmd.Context(), o, s) },
	}
	configFlag(list, &o.config)
	list.Flags().BoolVar(&o.asJSON, "json", false, "print it as JSON")
	cmd.AddCommand(list)
	onlyCommands(cmd)
	return cmd
}

func runCustodyList(ctx context.Context, o custodyOptions, s streams) error {
	return withOperator(o.config, s.err, func(op server.Operator) error {
		c, err := op.Custody(ctx)
		if err != nil {
			return err
		}
		if o.asJSON {
			return json.NewEncoder(s.out).Encode(c)
		}
		for _, a := range c.Alerts {
			fmt.Fprintf(s.out, "ALERT %s\n", custodyAlert(a, c.LimitMB))
		}
		if len(c.Changes) == 0 {
			fmt.Fprintln(s.out, "Nothing is in custody.")
			return nil
		}
		w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "RECEIVED\tBYTES\tAUTHOR\tDEVICE\tKIND\tREASON\tREVIEWER\tFAMILY\tCHANGE")
		for _, q := range c.Changes {
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", q.Received.Local().Format("2006-01-02 15:04"), q.Bytes, q.Author,
				q.Device, q.Kind, q.Reason, yesNo(q.Reviewer), q.Family, q.Change)
		}
		return w.Flush()
	})
}

func custodyAlert(a server.CustodyAlert, limitMB int64) string {
	since := a.Since.Local().Format("2006-01-02 15:04")
	if a.Percent >= 100 {
		return fmt.Sprintf("%s on %s: custody is full (%d MB) since %s; what is unsent stays on the device until a reviewer decides", a.Author, a.Device, limitMB, since)
	}
	return fmt.Sprintf("%s on %s: %d %% of %d MB are taken since %s", a.Author, a.Device, a.Percent, limitMB, since)
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "NOBODY"
}
