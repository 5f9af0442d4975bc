package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type serveOptions struct{ config string }

func newServe(s streams) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the borough until interrupted",
		Long: "Serve the borough until SIGINT or SIGTERM, then let what is under way finish (at most 20 s).\n" +
			"Log lines go to standard error. The data must have been begun with doorstep init.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runServe(cmd.Context(), o, s) },
	}
	configFlag(cmd, &o.config)
	return cmd
}

func runServe(ctx context.Context, o serveOptions, s streams) error {
	cfg, err := server.LoadConfig(o.config, os.Environ())
	if err != nil {
		return err
	}
	srv, err := server.Open(cfg, s.err)
	if err != nil {
		return err
	}
	return errors.Join(srv.Serve(ctx), srv.Close())
}
