package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type userOptions struct {
	config       string
	login        string
	name         string
	role         string
	passwordFile string
	passwordIn   bool
	subject      string
}

func newUser(s streams) *cobra.Command {
	var o userOptions
	cmd := &cobra.Command{Use: "user", Short: "People who can sign in"}
	cmd.AddCommand(newUserAdd(s, &o), newUserList(s, &o), newUserPassword(s, &o),
		newUserDisable(s, &o, true), newUserDisable(s, &o, false), newUserLink(s, &o), newUserRevoke(s, &o))
	for _, sub := range cmd.Commands() {
		configFlag(sub, &o.config)
	}
	onlyCommands(cmd)
	return cmd
}

func newUserAdd(s streams, o *userOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add LOGIN",
		Short: "Add a person; without a password they choose one when they first enrol with a code",
		Args:  oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.login = args[0]
			return runUserAdd(cmd.Context(), *o, s)
		},
	}
	cmd.Flags().StringVar(&o.name, "name", "", "the person's name, as colleagues see it")
	cmd.Flags().StringVar(&o.role, "role", "", "such as social_worker, practitioner, coordinator, manager, it; doorstep access table lists them all")
	passwordFlags(cmd, o)
	return cmd
}

func passwordFlags(cmd *cobra.Command, o *userOptions) {
	cmd.Flags().StringVar(&o.passwordFile, "password-file", "", "file with the password on its first line")
	cmd.Flags().BoolVar(&o.passwordIn, "password-stdin", false, "read the password from standard input")
}

func runUserAdd(ctx context.Context, o userOptions, s streams) error {
	if o.name == "" || o.role == "" {
		return usageError{errors.New("user add needs --name and --role")}
	}
	password, err := o.password(s.in)
	if err != nil {
		return err
	}
	return withOperator(o.config, s.err, func(op server.Operator) error {
		u, err := op.AddUser(ctx, server.NewUser{Login: o.login, Name: o.name, Role: o.role, Password: password})
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "Added %s (%s).\n", u.Login, u.Role)
		if !u.CanLogIn {
			fmt.Fprintf(s.out, "Next, a code to enrol with: doorstep device code %s\n", u.Login)
		}
		return nil
	})
}

func newUserList(s streams, o *userOptions) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List everybody who has an account", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runUserList(cmd.Context(), *o, s) },
	}
}

func runUserList(ctx context.Context, o userOptions, s streams) error {
	return withOperator(o.config, s.err, func(op server.Operator) error {
		users, err := op.Users(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "LOGIN\tNAME\tROLE\tSTATE")
		for _, u := range users {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", u.Login, u.Name, u.Role, stateOf(u))
		}
		return w.Flush()
	})
}

func stateOf(u server.User) string {
	switch {
	case u.Disabled:
		return "disabled"
	case !u.CanLogIn:
		return "no password yet"
	}
	return "active"
}

func newUserPassword(s streams, o *userOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use: "password LOGIN", Short: "Give a person a new password", Args: oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.login = args[0]
			return runUserPassword(cmd.Context(), *o, s)
		},
	}
	passwordFlags(cmd, o)
	return cmd
}

func runUserPassword(ctx context.Context, o userOptions, s streams) error {
	password, err := o.password(s.in)
	if err != nil {
		return err
	}
	if password == "" {
		return usageError{errors.New("user password needs --password-file or --password-stdin")}
	}
	return withOperator(o.config, s.err, func(op server.Operator) error {
		if err := op.SetPassword(ctx, o.login, password); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "The password of %s is changed.\n", o.login)
		return nil
	})
}

func newUserDisable(s streams, o *userOptions, disabled bool) *cobra.Command {
	use, short := "disable LOGIN", "Keep a person out from now on; their words stay"
	if !disabled {
		use, short = "enable LOGIN", "Let a disabled person in again"
	}
	return &cobra.Command{
		Use: use, Short: short, Args: oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.login = args[0]
			return runUserDisable(cmd.Context(), *o, disabled, s)
		},
	}
}

func runUserDisable(ctx context.Context, o userOptions, disabled bool, s streams) error {
	return withOperator(o.config, s.err, func(op server.Operator) error {
		if err := op.SetDisabled(ctx, o.login, disabled); err != nil {
			return err
		}
		done := "can sign in again"
		if disabled {
			done = "is kept out from now on"
		}
		fmt.Fprintf(s.out, "%s %s.\n", o.login, done)
		return nil
	})
}

func newUserLink(s streams, o *userOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use: "link LOGIN", Short: "Bind an account to a person of the borough's sign-in service", Args: oneArg,
		Long: "Bind an account to the person whom the sign-in service names by --subject: the value of the claim\n" +
			"openid.subject_claim. Without --subject the account is bound to nobody.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withOperator(o.config, s.err, func(op server.Operator) error {
				if err := op.LinkUser(cmd.Context(), args[0], o.subject); err != nil {
					return err
				}
				fmt.Fprintf(s.out, "%s is linked.\n", args[0])
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&o.subject, "subject", "", "whom the sign-in service knows them as")
	return cmd
}

func newUserRevoke(s streams, o *userOptions) *cobra.Command {
	return &cobra.Command{
		Use: "revoke LOGIN", Short: "End everything that a person could act by; their words stay", Args: oneArg,
		Long: "Disable the account, end its sessions, void its passkeys and revoke devices that nobody else uses, in\n" +
			"force from the next change that is sent. On a shared tablet the others go on.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withOperator(o.config, s.err, func(op server.Operator) error {
				if err := op.RevokeUser(cmd.Context(), args[0]); err != nil {
					return err
				}
				fmt.Fprintf(s.out, "%s can do nothing from now on.\n", args[0])
				return nil
			})
		},
	}
}

// password reads the password from where the flags say; "" if they do not.
func (o userOptions) password(in io.Reader) (string, error) {
	if o.passwordFile != "" && o.passwordIn {
		return "", usageError{errors.New("give the password by --password-file or by --password-stdin, not both")}
	}
	if !o.passwordIn {
		return readPasswordFile(o.passwordFile)
	}
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", usageError{errors.New("standard input has no password")}
	}
	return line, nil
}
