package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type recoverOptions struct {
	config   string
	key      string
	officers []string
	file     string
	notes    string
}

// people reads the officers of the command line, LOGIN=HALF each.
func (o *recoverOptions) people() (out []server.Officer, err error) {
	for _, s := range o.officers {
		login, half, ok := strings.Cut(s, "=")
		if !ok || login == "" || half == "" {
			return nil, fmt.Errorf("--officer %q: want LOGIN=%s", s, "...")
		}
		out = append(out, server.Officer{Login: login, Half: half})
	}
	return out, nil
}

func newRecoveryKey(s streams) *cobra.Command {
	var o recoverOptions
	cmd := &cobra.Command{
		Use:   "recovery-key FILE --officer LOGIN=RECIPIENT --officer LOGIN=RECIPIENT ...",
		Short: "Draw the key by which two officers together recover a lost tablet's unsent words",
		Long: "Draw the recovery key. Tablets that enrol from now on keep what they have not sent sealed to it as well. Its\n" +
			"secret half goes into FILE, sealed to each two of the officers (recipients of age, as doorstep backup-key or\n" +
			"age-keygen prints them), so that no officer, no IT and no server opens it alone. Keep FILE in two places.",
		Args: oneArg,
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, err := server.LoadConfig(o.config, os.Environ())
			if err != nil {
				return err
			}
			officers, err := o.people()
			if err != nil {
				return err
			}
			if err := server.NewRecoveryKey(cfg, officers, args[0]); err != nil {
				return err
			}
			fmt.Fprintf(s.out, "The recovery key is in %s; any two of %d officers open it. Restart the server, so that tablets are told.\n", args[0], len(officers))
			return nil
		},
	}
	configFlag(cmd, &o.config)
	cmd.Flags().StringArrayVar(&o.officers, "officer", nil, "LOGIN=RECIPIENT of an officer; give two or more")
	return cmd
}

func newRecover(s streams) *cobra.Command {
	var o recoverOptions
	cmd := &cobra.Command{
		Use:   "recover OUTBOX --key FILE --officer LOGIN=IDENTITY-FILE --officer LOGIN=IDENTITY-FILE",
		Short: "Put the unsent words of a lost or locked tablet into custody; two officers together",
		Long: "Open the sealed outbox that was taken from a tablet, hold every change against the tablet's own signature, and\n" +
			"put the words into custody under their author's name, for a reviewer. Both officers are named in the audit log.\n" +
			"What was written while the tablet was locked belongs to no record, and is signed by nobody: it goes into --notes.",
		Args: oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			return runRecover(cmd.Context(), o, s)
		},
	}
	configFlag(cmd, &o.config)
	cmd.Flags().StringVar(&o.key, "key", "", "file of the recovery key")
	cmd.Flags().StringArrayVar(&o.officers, "officer", nil, "LOGIN=IDENTITY-FILE of an officer; give two")
	cmd.Flags().StringVar(&o.notes, "notes", "", "folder for notes that were written while the tablet was locked, a text file each")
	return cmd
}

func runRecover(ctx context.Context, o recoverOptions, s streams) error {
	cfg, err := server.LoadConfig(o.config, os.Environ())
	if err != nil {
		return err
	}
	officers, err := o.people()
	if err != nil {
		return err
	}
	opened, err := server.OpenSealedOutbox(cfg, o.file, o.key, officers)
	if err != nil {
		return err
	}
	if len(opened.Notes) > 0 && o.notes == "" {
		return fmt.Errorf("%d notes in it were written while the tablet was locked, and belong to no record yet: name a folder for them with --notes", len(opened.Notes))
	}
	ctx, s, stop := s.working(ctx, "recovering")
	defer stop()
	return withOperator(o.config, s.err, func(op server.Operator) error {
		done, err := op.Recover(ctx, opened.Order)
		if err != nil {
			return err
		}
		damaged := opened.Damaged
		if len(opened.Notes) > 0 {
			if err := opened.WriteNotes(o.notes); err != nil {
				return err
			}
			fmt.Fprintf(s.out, "%d notes are in %s: hand them to whoever keeps the record, and then destroy them.\n", len(opened.Notes), o.notes)
		}
		fmt.Fprintf(s.out, "%d changes went into custody, %d were on the server already.\n", done.Custody, done.Known)
		if damaged+done.Refused > 0 {
			return fmt.Errorf("%w: %d items do not open, %d are not what the tablet signed; keep the file", errNotWhole, damaged, done.Refused)
		}
		return nil
	})
}

// errNotWhole says that not everything in a sealed outbox came back.
var errNotWhole = errors.New("not everything came back")
