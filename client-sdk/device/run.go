package device

import (
	"context"
	"sync"
	"time"
)

// Run keeps the device in step with the server until ctx ends: it syncs soon
// after an edit, when the server tells of news, and now and then otherwise; after
// a failure it waits, longer each time. It returns ctx's error. Failures are not
// errors of Run: the device is made to work without a server.
func (d *Device) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	if l, ok := d.transport.(Listener); ok {
		wg.Go(func() { d.listen(ctx, l) })
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-d.kick:
		case <-timer.C:
		}
		if d.untilDue() <= 0 {
			// The engine has planned the next attempt; there is nobody to tell.
			_, _ = d.Sync(ctx)
		}
		timer.Reset(max(d.untilDue(), 0))
	}
}

// untilDue returns how long to wait for the next sync.
func (d *Device) untilDue() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.due.IsZero() {
		return time.Minute // a store that failed: try again
	}
	return time.Until(d.due)
}

// Nudge makes Run sync at once: the tablet is online again, or was opened.
func (d *Device) Nudge() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.plan(0)
}

// listenAgain is how long to wait before listening again. Syncing goes on
// meanwhile; only news come later.
const listenAgain = 15 * time.Second

func (d *Device) listen(ctx context.Context, l Listener) {
	for ctx.Err() == nil {
		// Why it ended does not matter: syncs tell whether the server is there.
		_ = l.Listen(ctx, d.Nudge)
		select {
		case <-ctx.Done():
		case <-time.After(listenAgain):
		}
	}
}
