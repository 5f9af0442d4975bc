package main

import (
	"context"
	"encoding/json"
	"fmt"

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
	for _, f := range r.Files {
		fmt.Fprintf(s.out, "read %s: %d lines\n", f.Name, f.Lines)
	}
	if len(r.Problems) > 0 {
		for _, p := range r.Problems {
			fmt.Fprintf(s.out, "%s%s (%s)\n", placeOf(p), p.Plain, p.Code)
		}
		fmt.Fprintf(s.out, "%d problems; nothing was imported.\n", len(r.Problems))
		return
	}
	for _, a := range r.Absent {
		fmt.Fprintf(s.out, "note: %d lines of earlier imports are not in %s now; they stay as they are\n", a.Count, a.File)
	}
	if r.Unchanged {
		fmt.Fprintln(s.out, "Everything is there already; nothing was stored.")
		return
	}
	done := "Imported"
	if o.dryRun {
		done = "Would import"
	}
	fmt.Fprintf(s.out, "%s: %d new accounts, %d new records, %d changed records, %d relations granted, %d ended.\n",
		done, len(r.NewAccounts), r.NewRecords, r.Changed, r.Granted, r.Ended)
	if len(r.NewAccounts) > 0 && !o.dryRun {
		fmt.Fprintln(s.out, "Next, a code for each new account: doorstep device code LOGIN")
	}
}

// placeOf says where a problem is, as far as it is in one place.
func placeOf(p server.ImportProblem) string {
	switch {
	case p.File == "":
		return ""
	case p.Line == 0:
		return p.File + ": "
	case p.Column == "":
		return fmt.Sprintf("%s:%d: ", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d: %s: ", p.File, p.Line, p.Column)
}
