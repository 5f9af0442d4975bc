package demo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// checkCaseload fails if there is no caseload in a folder.
func checkCaseload(folder string) error {
	if _, err := os.Stat(filepath.Join(folder, "workers.csv")); err != nil {
		return fmt.Errorf("there is no example caseload in %q: run this where Doorstep's source is, or name the folder with --caseload: %w", folder, err)
	}
	return nil
}

// swap replaces the one place in a file of the caseload where old stands.
type swap struct{ file, old, new string }

// changedCaseload copies a caseload's files into another folder, with swaps.
func changedCaseload(from, to string, swaps ...swap) error {
	names, err := filepath.Glob(filepath.Join(from, "*.csv"))
	if err != nil {
		return fmt.Errorf("reading the caseload: %w", err)
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("reading the caseload: %w", err)
		}
		text := string(data)
		for _, s := range swaps {
			if s.file != filepath.Base(name) {
				continue
			}
			if strings.Count(text, s.old) != 1 {
				return fmt.Errorf("%s does not say %q once: is this the example caseload?", name, s.old)
			}
			text = strings.Replace(text, s.old, s.new, 1)
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(name)), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}
