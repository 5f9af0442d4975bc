package main

import (
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"doorstep/server"
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

// The unit passes on every secret that init makes, and systemd finds it sound.
func TestUnitIsSound(t *testing.T) {
	const unit = "../../../deploy/systemd/doorstep.service"
	text, err := os.ReadFile(unit)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if code := runCommand(t, "init", "--config", filepath.Join(dir, "c.toml"), "--borough", "wight", "--data", filepath.Join(dir, "data"), "--secrets", filepath.Join(dir, "keys")); code != exitDone {
		t.Fatalf("init: exit code %d", code)
	}
	keys, err := filepath.Glob(filepath.Join(dir, "keys", "*"))
	if err != nil || len(keys) == 0 {
		t.Fatalf("found %d secrets, %v", len(keys), err)
	}
	for _, key := range keys {
		name := filepath.Base(key)
		if !strings.Contains(string(text), "\nLoadCredential="+name+":/etc/doorstep/secrets/"+name+"\n") {
			t.Errorf("the unit does not pass on %s", name)
		}
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed (Debian's package systemd)")
	}
	here := filepath.Join(dir, "doorstep.service")
	if err := os.WriteFile(here, []byte(strings.ReplaceAll(string(text), "/usr/bin/doorstep", "/bin/true")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"verify", "--man=no", here}, {"security", "--offline=yes", "--threshold=20", here}} {
		if out, err := exec.Command(analyze, args...).CombinedOutput(); err != nil {
			t.Errorf("systemd-analyze %v: %v\n%s", args, err, out)
		}
	}
}

// runCommand runs a command as the shell would, with nothing to read.
func runCommand(t *testing.T, args ...string) int {
	t.Helper()
	return execute(t.Context(), args, strings.NewReader(""), io.Discard, io.Discard)
}

// The chart is sound and renders for every authority, where helm is installed.
func TestChartRenders(t *testing.T) {
	helm, err := exec.LookPath("helm")
	if err != nil {
		t.Skip("helm is not installed")
	}
	boroughs, err := filepath.Glob("../../../deploy/boroughs/*.toml")
	if err != nil || len(boroughs) == 0 {
		t.Fatalf("found %d configurations, %v", len(boroughs), err)
	}
	const chart = "../../../deploy/helm/doorstep"
	for _, borough := range boroughs {
		set := []string{"--set-file", "config=" + borough, "--set", "begin=true", "--set", "ingress.enabled=true", "--kube-version", "1.30.0"}
		if out, err := exec.Command(helm, append([]string{"lint", "--strict", chart}, set...)...).CombinedOutput(); err != nil {
			t.Errorf("helm lint for %s: %v\n%s", borough, err, out)
		}
		set = append(set, "--set", "networkPolicy.tracesNamespace=tracing")
		out, err := exec.Command(helm, append([]string{"template", "release", chart}, set...)...).Output()
		if err != nil {
			t.Errorf("helm template for %s: %v\n%s", borough, err, out)
		}
		wantManifests(t, string(out))
	}
}

// What the chart sets from outside are keys that there are.
func TestChartSetsKeysThatExist(t *testing.T) {
	text, err := os.ReadFile("../../../deploy/helm/doorstep/templates/_names.tpl")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`name: (DOORSTEP_[A-Z_]+)`).FindAllStringSubmatch(string(text), -1)
	var environ []string
	for _, name := range names {
		environ = append(environ, name[1]+"=")
	}
	_, err = server.LoadConfig("../../../deploy/boroughs/westminster.toml", environ)
	if err == nil || strings.Contains(err.Error(), "unknown") || len(names) < 8 {
		t.Errorf("with %d keys from outside, each empty: %v, want faults, and none of unknown keys", len(names), err)
	}
}
