package text

import (
	"path/filepath"
	"testing"
)

// eachTrace runs a benchmark on every trace of many events.
func eachTrace(b *testing.B, f func(b *testing.B, tr trace)) {
	dir := tracesFolder()
	if dir == "" {
		dir = "testdata"
	}
	for _, path := range traceFiles(b, dir) {
		name := filepath.Base(path)
		b.Run(name[:len(name)-len(".json.gz")], func(b *testing.B) {
			if traces := readTraces(b, path); len(traces) == 1 {
				f(b, traces[0])
			}
		})
	}
}

// BenchmarkApply makes every transaction a local edit, merged at once.
func BenchmarkApply(b *testing.B) {
	eachTrace(b, func(b *testing.B, tr trace) {
		if !isChain(tr) {
			b.Skip("concurrent")
		}
		for b.Loop() {
			stream(b, tr)
		}
	})
}

// BenchmarkReplay merges a whole decoded log.
func BenchmarkReplay(b *testing.B) {
	eachTrace(b, func(b *testing.B, tr trace) {
		l := logOf(b, tr)
		for b.Loop() {
			l.merger = newMerger(usual())
			l.Len()
		}
	})
}

// BenchmarkLoad decodes a log and merges it.
func BenchmarkLoad(b *testing.B) {
	eachTrace(b, func(b *testing.B, tr trace) {
		bytes := logOf(b, tr).Encode()
		b.SetBytes(int64(len(bytes)))
		for b.Loop() {
			if _, err := Decode(bytes); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkStream decodes and merges the transactions one by one, as TestMeasure does.
func BenchmarkStream(b *testing.B) {
	eachTrace(b, func(b *testing.B, tr trace) {
		updates := updatesOf(tr)
		for b.Loop() {
			streamOf(b, updates)
		}
	})
}
