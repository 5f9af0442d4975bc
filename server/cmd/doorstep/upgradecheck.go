package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type upgradeCheckOptions struct {
	config string
	asJSON bool
}

func newUpgradeCheck(s streams) *cobra.Command {
	var o upgradeCheckOptions
	cmd := &cobra.Command{
		Use:   "upgrade-check",
		Short: "Say what starting this version on the data would do, and whether one can go back",
		Long: "Say what starting this version on the data would do, and whether the version that runs now could take it back.\n" +
			"Run it with the new version before an upgrade, and with the old one before going back. It reads the data and the\n" +
			"configuration and changes nothing; the server may run meanwhile. Exit code 1: this version cannot take the data over.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runUpgradeCheck(cmd.Context(), o, s) },
	}
	configFlag(cmd, &o.config)
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print it as JSON")
	return cmd
}

func runUpgradeCheck(ctx context.Context, o upgradeCheckOptions, s streams) error {
	cfg, err := server.LoadConfig(o.config, os.Environ())
	if err != nil {
		return err
	}
	_, s, done := s.working(ctx, "checking")
	defer done()
	u, err := server.CheckUpgrade(cfg)
	if err != nil {
		return err
	}
	if o.asJSON {
		err = json.NewEncoder(s.out).Encode(u)
	} else {
		printUpgrade(s.out, u)
	}
	if err == nil && len(u.Faults) > 0 {
		err = server.ErrNewer
	}
	return err
}

func printUpgrade(out io.Writer, u server.UpgradeReport) {
	writer := u.Writer
	if u.NotKnown {
		writer = "a version that did not say which"
	}
	fmt.Fprintf(out, "data      %d entries, last worked on by doorstep %s; this is %s\n", u.Entries, writer, u.Build)
	fmt.Fprintln(out, "config    good")
	for _, f := range u.Formats {
		has := fmt.Sprint("format ", f.Has)
		if f.Has == 0 {
			has = "not known"
		}
		fmt.Fprintf(out, "%-9s %s, this version's is %d: %s\n", f.Name, has, f.Ours, f.Then)
	}
	fmt.Fprintf(out, "backup    newest %s; make one before you go on\n", when(u.Backup))
	switch {
	case len(u.Faults) > 0:
		fmt.Fprintf(out, "upgrade   NO: %s\n", u.Faults[0])
	case u.GoBack != "":
		fmt.Fprintf(out, "upgrade   can be done; after it THERE IS NO WAY BACK but a restore: %s\n", u.GoBack)
	case u.NotKnown:
		fmt.Fprintln(out, "upgrade   can be done; whether one can go back is not known")
	default:
		fmt.Fprintln(out, "upgrade   can be done, and undone by starting the other version again")
	}
}
