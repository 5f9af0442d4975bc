package endtoend

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// slice is for how long a slowed process runs at a time.
const slice = time.Millisecond

// slowed makes all threads of a browser's pages slower, workers among them, which the
// browser's own throttle does not reach: their processes are stopped and let run in
// turns. It ends with the function that is returned.
func slowed(t *testing.T, browser int, rate float64) (end func()) {
	t.Helper()
	pids := renderersOf(t, browser)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			signalAll(pids, syscall.SIGSTOP)
			<-time.After(time.Duration((rate - 1) * float64(slice)))
			signalAll(pids, syscall.SIGCONT)
			select {
			case <-done:
				return
			case <-time.After(slice):
			}
		}
	})
	return sync.OnceFunc(func() {
		close(done)
		wg.Wait()
	})
}

func signalAll(pids []int, s syscall.Signal) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, s) // it may have ended
	}
}

// renderersOf finds the processes that carry out a browser's pages.
func renderersOf(t *testing.T, browser int) (pids []int) {
	t.Helper()
	parents := map[int]int{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		said, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		var state string
		var parent int
		_, after, _ := strings.Cut(string(said), ") ")
		if _, err := fmt.Sscan(after, &state, &parent); err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			t.Fatal(err)
		}
		parents[pid] = parent
	}
	for pid := range parents {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && bytes.Contains(line, []byte("--type=renderer")) && descends(parents, pid, browser) {
			pids = append(pids, pid)
		}
	}
	if len(pids) == 0 {
		t.Fatal("the browser has no pages")
	}
	return pids
}

func descends(parents map[int]int, pid, from int) bool {
	for ; pid > 1; pid = parents[pid] {
		if pid == from {
			return true
		}
	}
	return false
}
