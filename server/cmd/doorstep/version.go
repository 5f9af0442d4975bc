package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"doorstep/syncproto"
)

func newVersion(s streams) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print what this build is", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			version, revision := "unknown", "unknown"
			goVersion := "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				version, goVersion = info.Main.Version, info.GoVersion
				for _, setting := range info.Settings {
					if setting.Key == "vcs.revision" {
						revision = setting.Value
					}
				}
			}
			fmt.Fprintf(s.out, "doorstep %s (revision %s, %s), sync protocol %d to %d\n",
				version, revision, goVersion, syncproto.MinProtocolVersion, syncproto.ProtocolVersion)
			return nil
		},
	}
}
