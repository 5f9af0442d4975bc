package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// entryBytes is the size of a visit note in the benchmarks.
const entryBytes = 4 << 10

func benchGroup(count int) [][]byte {
	payloads := make([][]byte, count)
	for i := range payloads {
		payloads[i] = make([]byte, entryBytes)
		for k := range payloads[i] {
			payloads[i][k] = byte(i*k + k>>3)
		}
	}
	return payloads
}

// The journal, and beside it the same bytes by bare write and fdatasync, which nothing that is durable can beat.
func BenchmarkAppend(b *testing.B) {
	for _, count := range []int{1, 16, 64, 256} {
		payloads := benchGroup(count)
		b.Run(fmt.Sprintf("journal/group=%d", count), func(b *testing.B) {
			j, err := Open(b.TempDir(), Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer j.Close()
			report(b, count, func() error {
				_, err := j.Append(payloads)
				return err
			})
		})
		b.Run(fmt.Sprintf("bare/group=%d", count), func(b *testing.B) {
			f, err := os.Create(filepath.Join(b.TempDir(), "bare"))
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			data := make([]byte, count*entryBytes)
			report(b, count, func() error {
				if _, err := f.Write(data); err != nil {
					return err
				}
				return unix.Fdatasync(int(f.Fd()))
			})
		})
	}
}

func report(b *testing.B, count int, write func() error) {
	b.Helper()
	b.SetBytes(int64(count * entryBytes))
	b.ResetTimer()
	for range b.N {
		if err := write(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*count)/b.Elapsed().Seconds(), "entries/s")
}

func benchJournal(b *testing.B, entries int) (string, *Journal) {
	b.Helper()
	root := b.TempDir()
	j, err := Open(root, Options{SegmentBytes: 16 << 20})
	if err != nil {
		b.Fatal(err)
	}
	payloads := benchGroup(64)
	for range entries / 64 {
		if _, err := j.Append(payloads); err != nil {
			b.Fatal(err)
		}
	}
	return root, j
}

func BenchmarkOpen(b *testing.B) {
	const entries = 16_000
	root, j := benchJournal(b, entries)
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(entries * entryBytes)
	b.ReportAllocs()
	for b.Loop() {
		j, err := Open(root, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScan(b *testing.B) {
	_, j := benchJournal(b, 16_000)
	defer j.Close()
	b.SetBytes(16_000 * entryBytes)
	for b.Loop() {
		if err := j.Scan(1, func(Position, []byte) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	_, j := benchJournal(b, 1600)
	defer j.Close()
	b.SetBytes(entryBytes)
	p := Position(0)
	for b.Loop() {
		p = p%1600 + 1
		if _, err := j.Read(p); err != nil {
			b.Fatal(err)
		}
	}
}
