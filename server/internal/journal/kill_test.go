package journal

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"doorstep/server/internal/disk"
)

// childDir tells the test binary to be a writer that waits to be killed.
const childDir = "JOURNAL_TEST_CHILD_DIR"

func TestMain(m *testing.M) {
	if root := os.Getenv(childDir); root != "" {
		fmt.Fprintln(os.Stderr, appendUntilKilled(root))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func onLocalDisk() Options { return Options{FS: disk.Local{}, SegmentBytes: 64 << 10} }

// appendUntilKilled writes the head to standard output after every group that was acknowledged.
func appendUntilKilled(root string) error {
	j, err := Open(root, onLocalDisk())
	if err != nil {
		return err
	}
	for size := 1; ; size = size%7 + 1 {
		head, _ := j.Head()
		if _, err := j.Append(group(int(head)+1, size)); err != nil {
			return err
		}
		fmt.Println(int(head) + size)
	}
}

func TestFault77RealProcessKilledKeepsEveryAcknowledgedEntry(t *testing.T) {
	root := t.TempDir()
	acked := Position(0)
	for seed := range uint64(8) {
		chance := rand.New(rand.NewPCG(seed, 4))
		acked = max(acked, killAfter(t, root, 1+chance.IntN(40)))
		j, err := Open(root, onLocalDisk())
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if head := checkPrefix(t, j); head < acked {
			t.Fatalf("seed %d: %d entries were acknowledged, %d are there", seed, acked, head)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killAfter lets a real process append, kills it after a number of groups and answers what it had acknowledged.
func killAfter(t *testing.T, root string, groups int) (acked Position) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+root)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 1; lines.Scan(); n++ {
		head, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		acked = Position(head)
		if n == groups {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || acked == 0 {
		t.Fatalf("the writer ended by itself after %d entries: %v", acked, err)
	}
	return acked
}
