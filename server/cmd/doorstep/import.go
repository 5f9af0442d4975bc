package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type importOptions struct {
	config string
	dir    string
	dryRun bool
	asJSON bool
}

func newImport(s streams) *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import FOLDER",
		Short: "Bring the caseload in from a folder of CSV files",
		Long: "Bring the caseload in from a folder of CSV files. Importing the same files again stores nothing;\n" +
			"a changed value becomes one change. If any line has a problem, every problem is listed and nothing\n" +
			"is imported (exit code 3).",
		Args: oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.dir = args[0]
			return runImport(cmd.Context(), o, s)
		},
	}
	configFlag(cmd, &o.config)
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "check and report, store nothing")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print the whole report as JSON")
	return cmd
}

func runImport(ctx context.Context, o importOptions, s streams) error {
	files, err := server.ZipFolder(o.dir)
	if err != nil {
		return err
	}
	ctx, s, done := s.working(ctx, "importing")
	defer done()
	return withOperator(o.config, s.err, func(op server.Operator) error {
		report, err := op.Import(ctx, server.ImportFiles{Zip: files, DryRun: o.dryRun})
		if err != nil {
			return err
		}
		if o.asJSON {
			enc := json.NewEncoder(s.out)
			enc.SetIndent("", "  ")
			err = enc.Encode(report)
		} else {
			printReport(s, o, report)
		}
		if err == nil && len(report.Problems) > 0 {
			return errProblems
		}
		return err
	})
}

func printReport(s streams, o importOptions, r server.ImportReport) {
	lines := server.ReportLines(&r)
	if o.dryRun {
		lines[len(lines)-1] = strings.Replace(lines[len(lines)-1], "Imported:", "Would import:", 1)
	}
	for _, line := range lines {
		fmt.Fprintln(s.out, line)
	}
	if len(r.Problems) == 0 && len(r.NewAccounts) > 0 && !o.dryRun {
		fmt.Fprintln(s.out, "Next, a code for each new account: doorstep device code LOGIN")
	}
}
