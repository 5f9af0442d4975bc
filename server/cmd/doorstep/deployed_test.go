package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every command that the pages for IT tell somebody to run is one.
func TestPagesNameCommandsThatExist(t *testing.T) {
	said := regexp.MustCompile("(?m)(?:^    (?:sudo )?(?:-u doorstep )?|`)doorstep ([a-z][a-z-]*(?: [a-z-]+)?)")
	found := 0
	err := filepath.WalkDir("../../../deploy", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range said.FindAllStringSubmatch(string(text), -1) {
			found++
			cmd, rest, err := newRoot(streams{nil, io.Discard, io.Discard}).Find(strings.Fields(m[1]))
			if err != nil || !cmd.HasParent() || cmd.HasSubCommands() && len(rest) > 0 {
				t.Errorf("%s: doorstep %s is no command: %v", path, m[1], err)
			}
		}
		return nil
	})
	if err != nil || found < 20 {
		t.Errorf("%d commands were found, %v", found, err)
	}
}
