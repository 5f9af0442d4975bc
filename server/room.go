package server

import (
	"context"
	"errors"
	"time"

	"doorstep/syncproto"
)

// roomEvery is how often a start that found no room to write looks for some.
const roomEvery = 2 * time.Second

// awaitRoom serves without having written that a server begins, since the disk is too
// full for it: people read, nothing is accepted, and cursors count with the run before,
// after which nothing was written. As soon as there is room, the start is completed.
func (b *borough) awaitRoom() {
	b.ledger.Shut()
	b.log.Error("the disk is too full to write anything: what is there can be read, and nothing new is accepted until there is room "+
		"(doorstep free-ballast gives some)", "min_free_mb", b.cfg.Data.MinFreeMB)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(roomEvery)
		defer tick.Stop()
		for b.ledger.IsShut() {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				b.beginLate(ctx)
			}
		}
	}()
	b.onClose("wait for room", func() error { stop(); <-done; return nil })
}

// beginLate completes the start, if there is room now.
func (b *borough) beginLate(ctx context.Context) {
	switch err := b.begin(ctx); {
	case err == nil:
		b.log.Info("there is room on the disk: changes are accepted again")
	case errors.Is(err, syncproto.CodeDiskFull):
		b.ledger.Shut() // there was room for the first words only
	case ctx.Err() == nil:
		b.fail(err)
	}
}
