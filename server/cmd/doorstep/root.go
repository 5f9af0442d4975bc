package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"doorstep/server"
	"doorstep/server/cmd/doorstep/bench"
)

// Exit codes, as the package comment lists them.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitDamaged = 3
)

// defaultConfigPath is where the configuration is if nobody says otherwise.
const defaultConfigPath = "/etc/doorstep/doorstep.toml"

// usageError marks errors that are the command line's fault.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// errProblems says that files have problems, which were printed.
var errProblems = errors.New("the files have problems; nothing was imported")

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// execute runs one command line and returns the exit code.
func execute(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	root := newRoot(streams{in, out, errOut})
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(errOut, "doorstep: %v\n", err)
	if hint := nextStep(err); hint != "" {
		fmt.Fprintf(errOut, "%s\n", hint)
	}
	return exitCode(err)
}

// newRoot wires up every subcommand; each is in a file of its own.
func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "doorstep",
		Short: "Visit notes and safety plans, offline first: one borough's server",
		Long: "Visit notes and safety plans, offline first: one borough's server.\n\n" +
			"Exit codes: 0 done; 1 it did not work, and the message says why; 2 the command or the configuration is\n" +
			"wrong; 3 damaged data was found, or an import's files have problems.",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(
		newServe(s),
		newServeWithout(bench.ServeUnproven, server.Config.Unproven, s),
		newServeWithout(bench.ServeUnguarded, server.Config.Unguarded, s),
		newDemo(s),
		newBench(s),
		newInit(s),
		newCheckConfig(s),
		newImport(s),
		newUser(s),
		newDevice(s),
		newCustody(s),
		newRecover(s),
		newRecoveryKey(s),
		newErase(s),
		newAccess(s),
		newVerify(s),
		newVerifyBundle(s),
		newVerifyExport(s),
		newStatus(s),
		newReload(s),
		newFreeBallast(s),
		newReconciliation(s),
		newBackup(s),
		newBackupKey(s),
		newVerifyBackup(s),
		newRepair(s),
		newRestore(s),
		newRestoreDrill(s),
		newRebuild(s),
		newUpgradeCheck(s),
		newVersion(s),
	)
	onlyCommands(root)
	return root
}

// onlyCommands makes a word that is no subcommand an error: a script that says
// "user remove" must not go on as if somebody had been removed.
func onlyCommands(group *cobra.Command) {
	group.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return usageError{fmt.Errorf("unknown command %q; see: %s --help", args[0], cmd.CommandPath())}
	}
	group.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
}

func exitCode(err error) int {
	var usage usageError
	var config *server.ConfigError
	switch {
	case errors.As(err, &usage), errors.As(err, &config), errors.Is(err, server.ErrNoConfig):
		return exitUsage
	case errors.Is(err, server.ErrDamaged), errors.Is(err, errProblems):
		return exitDamaged
	}
	return exitFailed
}

// nextStep suggests what to do about an error.
func nextStep(err error) string {
	var config *server.ConfigError
	switch {
	case errors.As(err, &config):
		return "Correct the file and run: doorstep check-config"
	case errors.Is(err, server.ErrNoConfig):
		return "Name the file with --config, or begin a borough with: doorstep init"
	case errors.Is(err, server.ErrNotBegun):
		return "If there was one, bring it back: doorstep repair, from the second copy, or doorstep restore, from a backup. Otherwise begin with: doorstep init"
	case errors.Is(err, server.ErrNewer):
		return "Start the version that wrote it, or restore the backup that was made before it was first started."
	case errors.Is(err, server.ErrInUse):
		return "Another process has the data open: a server that is still starting, or a command. Wait for it (systemctl status doorstep says how far a start is), or stop it."
	case errors.Is(err, server.ErrBehind):
		return "Copy the whole data folder. Then take what the second copy has, and let tablets give back the rest: doorstep repair --from-copy"
	case errors.Is(err, server.ErrDamaged):
		return "Do not change anything. Copy the whole data folder, then run doorstep repair if there is a second copy, or restore the last backup elsewhere and compare."
	case errors.Is(err, server.ErrPort):
		return "Choose one above 1023, or allow lower ones (net.ipv4.ip_unprivileged_port_start): see the install guide."
	case errors.Is(err, os.ErrPermission):
		return "Run this as the account that the server runs as."
	}
	return ""
}

// configFlag adds --config to a command.
func configFlag(cmd *cobra.Command, path *string) {
	initial := os.Getenv(server.ConfigPathVariable)
	if initial == "" {
		initial = defaultConfigPath
	}
	cmd.Flags().StringVar(path, "config", initial, "configuration file")
}

// noArgs and oneArg check the number of arguments as usage errors.
func noArgs(cmd *cobra.Command, args []string) error {
	if err := cobra.NoArgs(cmd, args); err != nil {
		return usageError{err}
	}
	return nil
}

func oneArg(cmd *cobra.Command, args []string) error {
	if err := cobra.ExactArgs(1)(cmd, args); err != nil {
		return usageError{fmt.Errorf("%w; see: %s --help", err, cmd.CommandPath())}
	}
	return nil
}

func twoArgs(cmd *cobra.Command, args []string) error {
	if err := cobra.ExactArgs(2)(cmd, args); err != nil {
		return usageError{fmt.Errorf("%w; see: %s --help", err, cmd.CommandPath())}
	}
	return nil
}

// withOperator runs fn with an operator for the borough of a configuration.
func withOperator(configPath string, errOut io.Writer, fn func(server.Operator) error) error {
	cfg, err := server.LoadConfig(configPath, os.Environ())
	if err != nil {
		return err
	}
	cfg.Log.Level = "warn" // a command's own words are enough
	op, err := server.OpenOperator(cfg, errOut)
	if err != nil {
		return err
	}
	return errors.Join(fn(op), op.Close())
}
