package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"doorstep/server/internal/disk"
)

// ballastFile in the folder of the data takes up room for the day on which the
// disk is full: whoever then frees it has time to make more.
const ballastFile = "ballast"

// ballastEvery is how often the server looks whether there is room for it again.
const ballastEvery = 10 * time.Minute

// startBallast keeps the ballast in the folder of the data, now and whenever
// there is room for it. A server without it serves as well, and says so.
func (b *borough) startBallast() {
	b.keepBallast()
	if b.cfg.Data.BallastMB == 0 {
		return
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(ballastEvery)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				b.keepBallast()
			}
		}
	}()
	b.onClose("ballast", func() error { close(stop); <-done; return nil })
}

func (b *borough) keepBallast() {
	made, err := makeBallast(b.cfg.Data.Dir, b.cfg.Data.BallastMB<<20, b.minFree())
	switch {
	case err != nil:
		b.log.Warn("there is no ballast in the folder of the data", "reason", err.Error())
	case made:
		b.log.Info("there is ballast in the folder of the data", "mb", b.cfg.Data.BallastMB)
	}
}

// errNoRoomForBallast says that with the ballast there would be little left.
var errNoRoomForBallast = errors.New("there is too little room for it")

// makeBallast makes the ballast, if it is not there, and takes away one of another
// size. It leaves at least twice minFree bytes on the disk: one that was freed
// because of a full disk is not made while there is little room still.
func makeBallast(dir string, size, minFree int64) (made bool, err error) {
	path := filepath.Join(dir, ballastFile)
	have, err := ballastBytes(dir)
	if err != nil || have == size {
		return false, err
	}
	if _, err := freeBallast(dir); err != nil || size == 0 {
		return false, err
	}
	free, err := disk.Local{}.FreeBytes(dir)
	if err != nil {
		return false, err
	}
	if free-size < 2*minFree {
		return false, fmt.Errorf("%d MB are free: %w", free>>20, errNoRoomForBallast)
	}
	if err := fillBallast(path, size); err != nil {
		return false, errors.Join(fmt.Errorf("making the ballast: %w", err), os.Remove(path))
	}
	return true, nil
}

// fillBallast takes room on the disk without writing to it.
func fillBallast(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
		err = syscall.Fallocate(int(f.Fd()), 0, 0, size)
	}
	return errors.Join(err, f.Close())
}

// ballastBytes is how large the ballast is; 0: there is none.
func ballastBytes(dir string) (int64, error) {
	info, err := os.Stat(filepath.Join(dir, ballastFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("looking at the ballast: %w", err)
	}
	return info.Size(), nil
}

func freeBallast(dir string) (freed int64, err error) {
	freed, err = ballastBytes(dir)
	if err != nil {
		return 0, err
	}
	err = os.Remove(filepath.Join(dir, ballastFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("freeing the ballast: %w", err)
	}
	return freed, nil
}

// FreeBallast takes the ballast away from a full disk and answers how many bytes
// that gave back; 0: there was none. It needs no server, and no room. A running
// server makes the ballast again when there is room.
func FreeBallast(cfg Config) (int64, error) {
	if err := cfg.Check(); err != nil {
		return 0, err
	}
	return freeBallast(cfg.Data.Dir)
}
