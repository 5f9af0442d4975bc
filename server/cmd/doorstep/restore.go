package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type restoreOptions struct {
	config  string
	scratch string
	server.RestoreOptions
}

func newRestore(s streams) *cobra.Command {
	var o restoreOptions
	cmd := &cobra.Command{
		Use:   "restore",
		Short: "Bring the data back from a backup, into a folder that has none",
		Long: "Write journal and key store from the newest backup (or the one named by --backup) into data.dir, under a new\n" +
			"epoch, build the index and verify every byte. Move what is in data.dir away first; the secret keys must be in\n" +
			"secrets.dir. Afterwards start the server: each tablet compares at its next sync and sends again what the\n" +
			"backup does not have, and doorstep reconciliation tells what came back.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRestore(cmd.Context(), o, s) },
	}
	configFlag(cmd, &o.config)
	cmd.Flags().StringVar(&o.Identity, "identity", "", "file of the identity that opens the backup")
	cmd.Flags().StringVar(&o.Backup, "backup", "", "name of the backup (default: the newest)")
	_ = cmd.MarkFlagRequired("identity") // the flag is there
	return cmd
}

func runRestore(ctx context.Context, o restoreOptions, s streams) error {
	cfg, err := server.LoadConfig(o.config, os.Environ())
	if err != nil {
		return err
	}
	cfg.Log.Format = "text"
	ctx, s, done := s.working(ctx, "restoring")
	defer done()
	r, err := server.Restore(ctx, cfg, o.RestoreOptions, s.line, s.err)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s is restored, with the keys of %s: %d entries, %d changes, %d records, all of them verified.\n",
		r.Backup, r.Keys, r.Verified.Entries, r.Verified.Changes, r.Verified.Records)
	fmt.Fprintf(s.out, "The journal is in the new epoch %s. Start the server; tablets will bring what it lacks.\n", r.Epoch)
	return nil
}

func newRestoreDrill(s streams) *cobra.Command {
	var o restoreOptions
	cmd := &cobra.Command{
		Use:   "restore-drill",
		Short: "Prove the newest backup by restoring it aside and comparing",
		Long: "Restore the newest backup into a temporary folder, unseal every word, build the index, compare everything with\n" +
			"the live journal, and remove the folder. The running server is not disturbed. Exit code 3 if the backup is not\n" +
			"what it should be. Do this every month, with the identity from where it is kept.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRestoreDrill(cmd.Context(), o, s) },
	}
	configFlag(cmd, &o.config)
	cmd.Flags().StringVar(&o.Identity, "identity", "", "file of the identity that opens the backup")
	cmd.Flags().StringVar(&o.scratch, "scratch", "", "folder with room for all the data (default: the system's temporary one)")
	_ = cmd.MarkFlagRequired("identity") // the flag is there
	return cmd
}

func runRestoreDrill(ctx context.Context, o restoreOptions, s streams) error {
	cfg, err := server.LoadConfig(o.config, os.Environ())
	if err != nil {
		return err
	}
	cfg.Log.Format, cfg.Log.Level = "text", "warn"
	ctx, s, done := s.working(ctx, "restoring aside")
	defer done()
	d, err := server.RestoreDrill(ctx, cfg, o.Identity, o.scratch, s.line, s.err)
	if err != nil {
		return err
	}
	v := d.Restored.Verified
	fmt.Fprintf(s.out, "The drill succeeded: %s of %s restores to %d entries, %d changes and %d records, equal to the live journal.\n",
		d.Restored.Backup, d.Taken.Local().Format("2 January 2006 15:04"), v.Entries, v.Changes, v.Records)
	fmt.Fprintf(s.out, "It took %s. The live journal has %d entries more.\n", d.Took.Round(time.Second/10), d.Behind)
	return nil
}

func newRebuild(s streams) *cobra.Command {
	var o restoreOptions
	cmd := &cobra.Command{
		Use:   "rebuild",
		Short: "Build the index anew from the journal, with the server stopped",
		Long: "Move the index aside (index.damaged, until the next time) and build it anew from the journal. The server does\n" +
			"this by itself where it notices that the index is damaged.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := server.LoadConfig(o.config, os.Environ())
			if err != nil {
				return err
			}
			cfg.Log.Format = "text"
			ctx, s, done := s.working(cmd.Context(), "building the index")
			defer done()
			entries, err := server.Rebuild(ctx, cfg, s.err)
			if err != nil {
				return err
			}
			fmt.Fprintf(s.out, "The index was built anew from %d entries.\n", entries)
			return nil
		},
	}
	configFlag(cmd, &o.config)
	return cmd
}
