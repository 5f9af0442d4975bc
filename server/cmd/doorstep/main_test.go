package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"doorstep": main})
}

// TestScripts runs every script of testdata against the real command.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exit":    wantExit,
			"damage":  damage,
			"backups": backupsHere,
		},
	})
}

// wantExit runs a command that must end with an exit code: exit 2 doorstep serve.
func wantExit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit code command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("running %s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// backupsHere has backups go to folders of the script, for the identity in a file.
func backupsHere(ts *testscript.TestScript, _ bool, args []string) {
	for _, line := range strings.Split(ts.ReadFile(args[0]), "\n") {
		if recipient, ok := strings.CutPrefix(line, "# public key: "); ok {
			ts.Setenv("DOORSTEP_BACKUP_RECIPIENTS", recipient)
		}
	}
	ts.Setenv("DOORSTEP_BACKUP_DIR", ts.MkAbs("backups"))
	ts.Setenv("DOORSTEP_BACKUP_KEYS_DIR", ts.MkAbs("backup-keys"))
}

// damage flips one bit in the middle of the first file that fits a pattern.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	paths, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	path := paths[0]
	b, err := os.ReadFile(path)
	ts.Check(err)
	b[len(b)/2] ^= 1
	ts.Check(os.WriteFile(path, b, 0o600))
}

// TestServe serves over HTTP, takes an operator's command meanwhile, and stops.
func TestServe(t *testing.T) {
	dir, err := os.MkdirTemp("", "doorstep") // short enough for a unix socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	t.Setenv("DOORSTEP_LISTEN_ADDRESS", "127.0.0.1:0")
	config := filepath.Join(dir, "c.toml")
	run := func(args ...string) string {
		t.Helper()
		var out, errOut bytes.Buffer
		args = append(args, "--config", config)
		if code := execute(context.Background(), args, strings.NewReader(""), &out, &errOut); code != exitDone {
			t.Fatalf("%v: exit code %d: %s", args, code, errOut.String())
		}
		return out.String()
	}
	run("init", "--borough", "wight", "--data", filepath.Join(dir, "data"), "--secrets", filepath.Join(dir, "keys"))

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	logs, logIn := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- execute(ctx, []string{"serve", "--config", config}, nil, io.Discard, logIn)
		logIn.Close()
	}()
	address := awaitAddress(t, logs)
	go func() { _, _ = io.Copy(io.Discard, logs) }()
	res, err := http.Get("http://" + address + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("ready: got status %d", res.StatusCode)
	}
	if out := run("user", "add", "jo", "--name", "Jo", "--role", "practitioner"); !strings.Contains(out, "Added jo") {
		t.Errorf("got %q", out)
	}
	if out := run("verify"); !strings.Contains(out, "a server has the data open") {
		t.Errorf("got %q", out)
	}
	stop()
	if got := <-code; got != exitDone {
		t.Errorf("serve ended with %d", got)
	}
}

// awaitAddress reads log lines until the one that says where the server listens.
func awaitAddress(t *testing.T, logs io.Reader) string {
	t.Helper()
	var seen strings.Builder
	pattern := regexp.MustCompile(`"msg":"serving","address":"([^"]+)"`)
	buf := make([]byte, 4096)
	for {
		n, err := logs.Read(buf)
		seen.Write(buf[:n])
		if m := pattern.FindStringSubmatch(seen.String()); m != nil {
			return m[1]
		}
		if err != nil {
			t.Fatal(fmt.Errorf("the server never served: %w in:\n%s", err, seen.String()))
		}
	}
}
