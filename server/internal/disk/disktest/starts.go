package disktest

import (
	"os/exec"
	"sync"
	"testing"
)

// StartPrograms starts one program after the other until the test ends. Each has, until it
// runs, every file open that this process has, and the locks on them.
func StartPrograms(t testing.TB) {
	t.Helper()
	var starts sync.WaitGroup
	done := make(chan struct{})
	t.Cleanup(func() { close(done); starts.Wait() })
	starts.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				if err := exec.Command("true").Run(); err != nil {
					t.Errorf("starting a program: %v", err)
					return
				}
			}
		}
	})
}
