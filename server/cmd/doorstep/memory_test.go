package main

import (
	"math"
	"runtime/debug"
	"testing"
)

// What is mapped goes off what Go may hold, down to half of the limit.
func TestGoGetsWhatIsLeftOfTheMemory(t *testing.T) {
	const mb = 1 << 20
	status := "Name:\tdoorstep\nVmRSS:\t 1200000 kB\nRssAnon:\t 900000 kB\nRssFile:\t 204800 kB\nRssShmem:\t 1024 kB\nVmData:\t 1 kB\n"
	for _, c := range []struct {
		name, status string
		limit, want  int64
	}{
		{"tables and the program", status, 1024 * mb, (1024 - 201) * mb},
		{"more than half is mapped", status, 300 * mb, 150 * mb},
		{"a system that does not say", "Name:\tdoorstep\n", 1024 * mb, 1024 * mb},
	} {
		if got := shareOfGo(c.limit, mappedBytes(c.status)); got != c.want {
			t.Errorf("%s: Go may hold %d MB, want %d", c.name, got/mb, c.want/mb)
		}
	}
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	told := tellGo(math.MaxInt64, 900*mb)
	if again := tellGo(told, 895*mb); told != 900*mb || again != told || debug.SetMemoryLimit(-1) != told {
		t.Errorf("Go was told %d and %d, and holds to %d", told, again, debug.SetMemoryLimit(-1))
	}
	if now := tellGo(told, 800*mb); now != 800*mb || debug.SetMemoryLimit(-1) != now {
		t.Errorf("Go was told %d, and holds to %d", now, debug.SetMemoryLimit(-1))
	}
}
