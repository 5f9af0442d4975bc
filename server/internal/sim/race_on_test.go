//go:build race

package sim

// defaultSeeds is fewer under the race detector, which takes eight times as long over code
// that is one goroutine at a time: a run without it goes through all.
const defaultSeeds = 60
