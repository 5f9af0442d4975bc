package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"runtime/debug"

	"doorstep/server/internal/disk"
)

// crashFile, in the folder of the data, takes what a process says when it dies of a
// panic, a fault or log.Fatal, which nothing in it can catch in time. crashedFile is
// the one before that said something, for whoever looks into it. They hold stacks
// and no content.
const (
	crashFile     = "crash"
	crashedFile   = "crash.last"
	maxCrashBytes = 64 << 20
)

// indexEngine names, in a stack, whose damage a process died of.
const indexEngine = "dgraph-io/badger"

// KeepCrashes writes what the runtime and the standard logger say when this process
// dies into the folder of the data, so that the next Open knows of it. It is for the
// one server of a process. The file stays open until the process ends.
func KeepCrashes(cfg Config) error {
	f, err := os.OpenFile(filepath.Join(cfg.Data.Dir, crashFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // there is no borough; Open says so
	}
	if err == nil {
		err = debug.SetCrashOutput(f, debug.CrashOptions{})
	}
	if err != nil {
		return fmt.Errorf("keeping the last words of this process: %w", err)
	}
	log.SetOutput(io.MultiWriter(os.Stderr, f))
	return nil
}

// heedCrash has the index built anew if the process before died in its engine: over
// damage that it met while it ran, and would meet again.
func (b *borough) heedCrash() error {
	path := filepath.Join(b.cfg.Data.Dir, crashFile)
	text, err := disk.ReadFile(disk.Local{}, path, maxCrashBytes)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(text) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the last words of the process before: %w", err)
	}
	if inIndex := diedInIndex(text); inIndex {
		b.rebuild = true
		b.log.Error("the process before died in the engine of the index, which is built anew", "code", "index_crashed", "kept", crashedFile)
	}
	if err := disk.Replace(disk.Local{}, filepath.Join(b.cfg.Data.Dir, crashedFile), text); err != nil {
		return fmt.Errorf("keeping the last words of the process before: %w", err)
	}
	return os.Truncate(path, 0)
}

// diedInIndex looks at the goroutine that died, which comes first.
func diedInIndex(text []byte) bool {
	header := []byte("\ngoroutine ")
	if first := bytes.Index(text, header); first >= 0 {
		if second := bytes.Index(text[first+1:], header); second >= 0 {
			text = text[:first+1+second]
		}
	}
	return bytes.Contains(text, []byte(indexEngine))
}
