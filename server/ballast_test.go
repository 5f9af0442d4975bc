package server

import (
	"errors"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// The ballast takes room that is real, is given back while the server serves, and
// comes back when there is room for it.
func TestFault81BallastIsFreedAndMadeAgain(t *testing.T) {
	const size = 4 << 20
	cfg := begin(t)
	cfg.Data.BallastMB = size >> 20
	r := start(t, cfg)
	path := filepath.Join(cfg.Data.Dir, ballastFile)
	wantBallast := func(want int64) {
		t.Helper()
		st, err := localOperator{r.borough}.Status(t.Context())
		if err != nil || st.BallastMB != want>>20 {
			t.Fatalf("status: got %d MB of ballast, %v; want %d", st.BallastMB, err, want>>20)
		}
		info, err := os.Stat(path)
		if want == 0 {
			if !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("the ballast is still there: %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if taken := info.Sys().(*syscall.Stat_t).Blocks * 512; info.Size() != want || taken < want {
			t.Errorf("the ballast has %d bytes and takes %d, want %d", info.Size(), taken, want)
		}
	}
	wantBallast(size)
	for _, want := range []int64{size, 0} { // freeing it again is no error
		if freed, err := FreeBallast(cfg); err != nil || freed != want {
			t.Fatalf("freeing: got %d, %v; want %d", freed, err, want)
		}
	}
	wantBallast(0)
	if status := signIn(t, r, "it", itPassword); status != http.StatusOK {
		t.Errorf("signing in without ballast: got status %d", status)
	}
	if made, err := makeBallast(cfg.Data.Dir, size, math.MaxInt64/4); made || !errors.Is(err, errNoRoomForBallast) {
		t.Errorf("with little room: got %v, %v", made, err)
	}
	wantBallast(0)
	r.borough.keepBallast()
	wantBallast(size)
}

// Another size in the configuration makes another ballast, none takes it away.
func TestFault81BallastFollowsTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		size int64
		made bool
	}{{1 << 20, true}, {1 << 20, false}, {2 << 20, true}, {0, false}, {0, false}} {
		made, err := makeBallast(dir, c.size, 0)
		if err != nil || made != c.made {
			t.Errorf("%d bytes: got %v, %v; want %v", c.size, made, err, c.made)
		}
		if got, err := ballastBytes(dir); err != nil || got != c.size {
			t.Errorf("got %d bytes, %v; want %d", got, err, c.size)
		}
	}
}
