package server

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestIndexThatEndedTheProcessIsBuiltAnew starts on what a process left that died in
// badger, by a panic or by log.Fatal, and on what one left that died elsewhere.
func TestIndexThatEndedTheProcessIsBuiltAnew(t *testing.T) {
	for _, c := range []struct {
		name, words string
		rebuilt     bool
	}{
		{"a panic in badger", "panic: runtime error: slice bounds\n\ngoroutine 71 [running]:\ngithub.com/dgraph-io/badger/v4/table.(*blockIterator).setIdx(0xc0)\n", true},
		{"log.Fatal in badger", "2026/11/22 04:00:00 EOF\ngithub.com/dgraph-io/badger/v4/y.Check\n\t/y/error.go:38\n", true},
		{"a panic elsewhere", "panic: bug: x\n\ngoroutine 1 [running]:\ndoorstep/server.f()\n\ngoroutine 9 [select]:\ngithub.com/dgraph-io/badger/v4.(*DB).doWrites()\n", false},
		{"a line of another library", "2026/11/22 04:00:00 http: TLS handshake error\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := begin(t)
			path := filepath.Join(cfg.Data.Dir, crashFile)
			if err := os.WriteFile(path, []byte(c.words), 0o600); err != nil {
				t.Fatal(err)
			}
			r := start(t, cfg)
			r.stop()
			if said := strings.Contains(r.log.String(), "index_crashed"); said != c.rebuilt {
				t.Errorf("the log says that the index is built anew: got %v, want %v", said, c.rebuilt)
			}
			if _, err := os.Stat(filepath.Join(cfg.Data.Dir, indexFolder+".damaged")); (err == nil) != c.rebuilt {
				t.Errorf("the index that was: %v, want it kept: %v", err, c.rebuilt)
			}
			kept, err := os.ReadFile(filepath.Join(cfg.Data.Dir, crashedFile))
			if err != nil || string(kept) != c.words {
				t.Errorf("the last words: got %q, %v", kept, err)
			}
			if left, err := os.ReadFile(path); err != nil || len(left) > 0 {
				t.Errorf("the last words would be heeded again: %q, %v", left, err)
			}
		})
	}
}

func TestIndexThatWasBeingOpenedIsBuiltAnew(t *testing.T) {
	cfg := begin(t)
	if err := os.WriteFile(filepath.Join(cfg.Data.Dir, indexFolder, "OPENING"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, cfg)
	r.stop()
	if !strings.Contains(r.log.String(), "index_rebuilt") {
		t.Error("nothing was said of it")
	}
}

func TestFault79DamagedCheckpointIsNamed(t *testing.T) {
	cfg := begin(t)
	start(t, cfg).stop()
	path := filepath.Join(cfg.Data.Dir, auditFolder, "checkpoint")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 4
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(cfg, &logBuffer{})
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "audit/checkpoint") || !strings.Contains(err.Error(), "move the file away") {
		t.Fatalf("starting on a damaged checkpoint: got %v", err)
	}
	if err := os.Rename(path, path+".damaged"); err != nil {
		t.Fatal(err)
	}
	start(t, cfg).stop() // as the message says
}
