package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type deviceOptions struct {
	config string
	login  string
	id     string
}

func newDevice(s streams) *cobra.Command {
	var o deviceOptions
	cmd := &cobra.Command{Use: "device", Short: "Tablets: codes to enrol with, the list, revocation"}
	cmd.AddCommand(newDeviceCode(s, &o), newDeviceList(s, &o), newDeviceRevoke(s, &o))
	for _, sub := range cmd.Commands() {
		configFlag(sub, &o.config)
	}
	onlyCommands(cmd)
	return cmd
}

func newDeviceCode(s streams, o *deviceOptions) *cobra.Command {
	return &cobra.Command{
		Use: "code LOGIN", Short: "Issue a code with which one person enrols on one device, within seven days", Args: oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.login = args[0]
			return runDeviceCode(cmd.Context(), *o, s)
		},
	}
}

func runDeviceCode(ctx context.Context, o deviceOptions, s streams) error {
	return withOperator(o.config, s.err, func(op server.Operator) error {
		code, err := op.IssueCode(ctx, o.login)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s\nfor %s, until %s; shown once.\n", code.Code, o.login, code.Expires.Local().Format("2 January 2006 15:04"))
		return nil
	})
}

func newDeviceList(s streams, o *deviceOptions) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List enrolled devices, and what each still has to remove", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDeviceList(cmd.Context(), *o, s) },
	}
}

func runDeviceList(ctx context.Context, o deviceOptions, s streams) error {
	return withOperator(o.config, s.err, func(op server.Operator) error {
		devices, err := op.Devices(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tNAME\tPEOPLE\tENROLLED\tHEARD OF\tUNSENT\tSTATE")
		for _, d := range devices {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", d.ID, d.Name, strings.Join(d.Users, ", "), d.Enrolled.Local().Format("2006-01-02"), when(d.Heard), d.Unsent, deviceState(d))
		}
		return w.Flush()
	})
}

// deviceState says whether a device is in use, and whether what it was to remove
// is gone from it.
func deviceState(d server.Device) string {
	const at = "2006-01-02 15:04"
	switch {
	case d.Revoked.IsZero() && d.PurgesOwed == 0:
		return "in use"
	case d.Revoked.IsZero():
		return fmt.Sprintf("in use, %d to be removed, not yet confirmed", d.PurgesOwed)
	case d.Purged.IsZero():
		return "revoked " + d.Revoked.Local().Format(at) + ", not yet confirmed"
	}
	return "revoked " + d.Revoked.Local().Format(at) + ", purged at " + d.Purged.Local().Format(at)
}

func newDeviceRevoke(s streams, o *deviceOptions) *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID", Short: "Revoke a lost or stolen device: nothing more goes down to it", Args: oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.id = args[0]
			return runDeviceRevoke(cmd.Context(), *o, s)
		},
	}
}

func runDeviceRevoke(ctx context.Context, o deviceOptions, s streams) error {
	return withOperator(o.config, s.err, func(op server.Operator) error {
		if err := op.RevokeDevice(ctx, o.id); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "Device %s is revoked. Words that it still holds can be sent after a new sign-in there, into custody.\n", o.id)
		return nil
	})
}
