package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type checkConfigOptions struct{ config string }

func newCheckConfig(s streams) *cobra.Command {
	var o checkConfigOptions
	cmd := &cobra.Command{
		Use:   "check-config",
		Short: "Check the configuration as serve would, and name every fault at once",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return runCheckConfig(o, s) },
	}
	configFlag(cmd, &o.config)
	return cmd
}

func runCheckConfig(o checkConfigOptions, s streams) error {
	cfg, err := server.LoadConfig(o.config, os.Environ())
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s is good: borough %q on %s\n", o.config, cfg.Borough, cfg.Listen.Address)
	return nil
}
