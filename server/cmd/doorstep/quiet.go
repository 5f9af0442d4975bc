package main

import (
	"context"
	"runtime/debug"
	"syscall"
	"time"
)

// quietEvery is how often the server looks whether it has little to do, and quietShare
// how much of one CPU it may use meanwhile to count as quiet: five thousand idle event
// streams take about one hundredth.
const (
	quietEvery = 30 * time.Second
	quietShare = 0.05
)

// giveBackWhenQuiet gives memory back to the machine whenever the server has become quiet
// after it was not. Garbage is left lying on purpose while there is work, to save time
// (see spendMemory); at night, others on the machine can use the room.
func giveBackWhenQuiet(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(quietEvery)
		defer tick.Stop()
		q := quiet{used: usedCPU()}
		for {
			select {
			case <-tick.C:
				if q.look(usedCPU(), quietEvery) {
					debug.FreeOSMemory()
				}
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

// quiet knows how much CPU was used when it last looked, and whether that was little.
type quiet struct {
	used time.Duration
	is   bool
}

// look reports whether the time since it last looked is the first that was quiet.
func (q *quiet) look(used, since time.Duration) (began bool) {
	is := float64(used-q.used) < quietShare*float64(since)
	began = is && !q.is
	q.used, q.is = used, is
	return began
}

// usedCPU is the CPU time of this process so far.
func usedCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
