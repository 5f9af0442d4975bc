package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type eraseOptions struct {
	config string
	who    userOptions
	order  server.EraseOrder
}

func newErase(s streams) *cobra.Command {
	var o eraseOptions
	cmd := &cobra.Command{
		Use:   "erase",
		Short: "Erase records for good: one person asks, another confirms",
		Long: "Erase a record, a child or a family for good. Both people are of information governance (role\n" +
			"ig_officer) and prove it by their own passwords; whoever runs the server may not erase. Legal holds,\n" +
			"retention dates and open records refuse it, with the reason. Nothing brings back what was erased.",
	}
	cmd.AddCommand(
		o.command(s, "ask ID", "ask", "Ask for an erasure; prints its id", func(c *cobra.Command) {
			c.Flags().StringVar(&o.order.Scope, "scope", "record", "record, child or family")
			c.Flags().StringVar(&o.order.Basis, "basis", "", "retention_ended, court_order or unlawful")
			c.Flags().StringVar(&o.order.Reason, "reason", "", "why, for people")
		}),
		o.command(s, "confirm ID", "confirm", "Confirm what another person asked for: the words are gone then", nil),
		o.command(s, "refuse ID", "refuse", "Refuse what another person asked for", nil),
		o.command(s, "hold FAMILY", "hold", "Keep a family, or one of its records, from being erased", func(c *cobra.Command) {
			c.Flags().StringVar(&o.order.Kind, "kind", "legal", "legal or retention")
			c.Flags().StringVar(&o.order.ID, "record", "", "one record of the family; empty: all")
			c.Flags().StringVar(&o.order.Until, "until", "", "date, such as 2041-03-31; empty: until it is lifted")
			c.Flags().StringVar(&o.order.Lift, "lift", "", "id of a hold that ends")
			c.Flags().StringVar(&o.order.Reason, "reason", "", "why, for people")
		}),
		o.command(s, "list", "list", "List what was asked for", nil),
		o.command(s, "over", "over", "List the families whose files need not be kept any more, by retention.schedule", nil),
	)
	onlyCommands(cmd)
	return cmd
}

// freshRequest draws the name of a command.
func freshRequest() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// command is one act of an erasure.
func (o *eraseOptions) command(s streams, use, act, short string, flags func(*cobra.Command)) *cobra.Command {
	looks := act == "list" || act == "over"
	cmd := &cobra.Command{Use: use, Short: short, Args: oneArg, RunE: func(cmd *cobra.Command, args []string) error {
		o.order.Act = act
		switch {
		case act == "hold":
			o.order.Family = args[0]
		case len(args) > 0:
			o.order.ID = args[0]
		}
		var err error
		if o.order.Password, err = o.who.password(s.in); err != nil {
			return err
		}
		if o.order.Request == "" {
			o.order.Request = freshRequest()
		}
		return withOperator(o.config, s.err, func(op server.Operator) error {
			list, err := op.Erase(cmd.Context(), o.order)
			if errors.Is(err, server.ErrNoAnswer) && !looks {
				return fmt.Errorf("%w; nobody knows whether it was done: give the same command again with --request %s, and it is done once", err, o.order.Request)
			}
			if err != nil {
				return err
			}
			for _, e := range list {
				if act == "over" {
					fmt.Fprintf(s.out, "%s %s (%s)\n", e.ID, e.State, e.Basis)
					continue
				}
				fmt.Fprintf(s.out, "%s %s %s %d records, %s\n", e.ID, e.Scope, e.Basis, e.Records, e.State)
			}
			if act == "confirm" {
				fmt.Fprintln(s.out, "Erased. Copies of the key store in backups still open it until they have passed their life.")
			}
			return nil
		})
	}}
	if looks {
		cmd.Args = noArgs
	}
	configFlag(cmd, &o.config)
	cmd.Flags().StringVar(&o.order.Login, "as", "", "login of who orders it")
	passwordFlags(cmd, &o.who)
	if !looks {
		cmd.Flags().StringVar(&o.order.Request, "request", "", "32 hex digits that name this command; given twice it is done once (default: drawn)")
	}
	if flags != nil {
		flags(cmd)
	}
	return cmd
}
