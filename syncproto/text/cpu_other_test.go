//go:build !unix && !js

package text

import "time"

// cpu returns the time that f took, where processor time cannot be had.
func cpu(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}
