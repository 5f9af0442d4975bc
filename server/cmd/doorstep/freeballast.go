package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"doorstep/server"
)

func newFreeBallast(s streams) *cobra.Command {
	var o checkConfigOptions
	cmd := &cobra.Command{
		Use:   "free-ballast",
		Short: "Give back the room that data.ballast_mb holds, when the disk is full",
		Long: "Remove the ballast file from data.dir, so that the server accepts changes again while you make room. The server\n" +
			"may run meanwhile. It makes the ballast again as soon as that leaves twice data.min_free_mb.",
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return runFreeBallast(o, s) },
	}
	configFlag(cmd, &o.config)
	return cmd
}

func runFreeBallast(o checkConfigOptions, s streams) error {
	cfg, err := server.LoadConfig(o.config, os.Environ())
	if err != nil {
		return err
	}
	freed, err := server.FreeBallast(cfg)
	if err != nil {
		return err
	}
	if freed == 0 {
		fmt.Fprintln(s.out, "There is no ballast to free.")
		return nil
	}
	fmt.Fprintf(s.out, "%d MB are free again. Now make room: this was the reserve.\n", freed>>20)
	return nil
}
