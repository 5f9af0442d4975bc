package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"
)

// What the process holds is Go's memory, which Go keeps below a limit that it is told, and
// the pages of files that are mapped: the index's tables and its newest rows, and the
// program itself. The system counts both, and so does a container's limit, but Go knows
// nothing of the second. So Go is told what is left of limits.memory_mb.
const (
	memoryEvery = 5 * time.Second
	memoryStep  = 16 << 20 // Go is told of no smaller difference: telling it stops everything for a moment
)

// shareOfGo is what Go may hold of a limit when so much is mapped: at least half, because
// the system takes mapped pages back itself when it needs them, and Go cannot do without.
func shareOfGo(limit, mapped int64) int64 { return max(limit-mapped, limit/2) }

// mappedBytes is how much of a process is pages of files, by the text of its status file
// (proc(5)): RssFile and RssShmem. 0: the system does not say.
func mappedBytes(status string) (sum int64) {
	for _, name := range []string{"RssFile", "RssShmem"} {
		_, after, _ := strings.Cut(status, "\n"+name+":")
		var kb int64
		if _, err := fmt.Sscanf(after, "%d kB", &kb); err == nil {
			sum += kb << 10
		}
	}
	return sum
}

// keepWithin tells Go what is left for it, whenever that has changed. The environment's
// GOMEMLIMIT takes precedence, and then nothing is done.
func keepWithin(ctx context.Context, limitMB int) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if os.Getenv("GOMEMLIMIT") != "" {
			return
		}
		tick := time.NewTicker(memoryEvery)
		defer tick.Stop()
		limit := int64(limitMB) << 20
		for told := limit; ; {
			if status, err := os.ReadFile("/proc/self/status"); err == nil {
				told = tellGo(told, shareOfGo(limit, mappedBytes(string(status))))
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// tellGo sets Go's limit if it differs enough from what it was told, and returns what holds.
func tellGo(told, share int64) int64 {
	if share-told < memoryStep && told-share < memoryStep {
		return told
	}
	debug.SetMemoryLimit(share)
	return share
}
