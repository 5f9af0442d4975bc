package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type accessOptions struct {
	config string
	login  string
	record string
}

func newAccess(s streams) *cobra.Command {
	var o accessOptions
	cmd := &cobra.Command{Use: "access", Short: "Who may do what: the whole table, or one person and one record"}
	table := &cobra.Command{
		Use: "table", Short: "Print the table by which every access is decided, in plain words", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(s.out, server.AccessTable())
			return err
		},
	}
	explain := &cobra.Command{
		Use: "explain LOGIN RECORD", Short: "Say what a person may do with a record now, and why", Args: twoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.login, o.record = args[0], args[1]
			return runAccessExplain(cmd.Context(), o, s)
		},
	}
	configFlag(explain, &o.config)
	cmd.AddCommand(table, explain)
	onlyCommands(cmd)
	return cmd
}

func runAccessExplain(ctx context.Context, o accessOptions, s streams) error {
	return withOperator(o.config, s.err, func(op server.Operator) error {
		e, err := op.ExplainAccess(ctx, o.login, o.record)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s, before a record of kind %s:\n", e.Person, e.Kind)
		for _, line := range e.Stands {
			fmt.Fprintf(s.out, "  %s\n", line)
		}
		for _, line := range e.Lines {
			fmt.Fprintf(s.out, "- %s\n", line)
		}
		return nil
	})
}
