package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type backupOptions struct {
	config   string
	identity string
}

func newBackup(s streams) *cobra.Command {
	var o backupOptions
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Make an encrypted backup now, beside the running server or without one",
		Long: "Write what is new in the journal since the last backup to backup.dir, and the key store to backup.keys_dir,\n" +
			"encrypted to backup.recipients. The server makes one by itself every backup.every; this is for one in between.\n" +
			"The secret keys of secrets.dir are never in a backup: keep a copy of them somewhere else.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBackup(cmd.Context(), o, s) },
	}
	configFlag(cmd, &o.config)
	return cmd
}

func runBackup(ctx context.Context, o backupOptions, s streams) error {
	cfg, err := server.LoadConfig(o.config, os.Environ())
	if err != nil {
		return err
	}
	cfg.Log.Format, cfg.Log.Level = "text", "warn"
	ctx, s, stop := s.working(ctx, "backing up")
	defer stop()
	done, err := server.Backup(ctx, cfg, s.line, s.err)
	if err != nil {
		return err
	}
	kind := "what is new"
	if done.Full {
		kind = "everything"
	}
	fmt.Fprintf(s.out, "%s holds %s up to entry %d, %d bytes.\n", done.Name, kind, done.Head, done.Bytes)
	for _, path := range done.Removed {
		fmt.Fprintf(s.out, "removed %s\n", path)
	}
	return nil
}

// line prints one line of progress.
func (s streams) line(line string) { fmt.Fprintln(s.out, line) }

func newBackupKey(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "backup-key FILE",
		Short: "Draw the secret that opens backups, into a new file",
		Long: "Draw an identity of age (age-encryption.org) into a new file and print the recipient that belongs to it, for\n" +
			"backup.recipients. Whoever has the file, the backups and the borough key can read everything; without the file\n" +
			"no backup can be opened. Keep it in two places, neither of them this server. A file of age-keygen does as well.",
		Args: oneArg,
		RunE: func(_ *cobra.Command, args []string) error {
			recipient, err := server.NewBackupIdentity(args[0])
			if err != nil {
				return err
			}
			fmt.Fprintln(s.out, recipient)
			return nil
		},
	}
}

func newVerifyBackup(s streams) *cobra.Command {
	var o backupOptions
	cmd := &cobra.Command{
		Use:   "verify-backup",
		Short: "Read every file of every backup; exit code 3 if any is damaged",
		Long: "Compare every file of every backup with what was written. With --identity also decrypt the newest and follow\n" +
			"its chain from the first entry to the last. What interrupted backups left is named; the next backup removes it.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runVerifyBackup(cmd.Context(), o, s) },
	}
	configFlag(cmd, &o.config)
	cmd.Flags().StringVar(&o.identity, "identity", "", "file of an identity that opens the backups")
	return cmd
}

func runVerifyBackup(ctx context.Context, o backupOptions, s streams) error {
	cfg, err := server.LoadConfig(o.config, os.Environ())
	if err != nil {
		return err
	}
	ctx, s, done := s.working(ctx, "verifying backups")
	defer done()
	v, err := server.VerifyBackup(ctx, cfg, o.identity, s.line)
	for _, path := range v.Left {
		fmt.Fprintf(s.out, "%s: left by an interrupted backup\n", path)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%d backups are whole: %d files, %d bytes.\n", v.Backups, v.Files, v.Bytes)
	if v.Opened {
		fmt.Fprintf(s.out, "The newest opens, and its chain is whole up to entry %d.\n", v.Head)
	}
	return nil
}
