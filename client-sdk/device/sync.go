package device

import (
	"context"
	"fmt"
	"time"

	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
	"doorstep/syncproto/frame"
)

// Report says what a Sync did.
type Report struct {
	Requests  int
	BytesUp   int // as sent, frames included
	BytesDown int
	// AccessEnded: the person's access from this device has ended. What was unsent
	// went into custody, and nothing came down.
	AccessEnded bool
}

// Sync exchanges with the server until neither side has more to say. It fails at
// the first request without a usable answer; everything is still here then, and
// is offered again. An error may hold a Refusal. Two calls at once take turns.
func (d *Device) Sync(ctx context.Context) (Report, error) {
	var report Report
	select {
	case d.syncing <- struct{}{}:
		defer func() { <-d.syncing }()
	case <-ctx.Done():
		return report, ctx.Err()
	}
	for {
		again, err := d.round(ctx, &report)
		report.AccessEnded = d.noticeEnd()
		if err != nil || !again {
			return report, err
		}
	}
}

// round does one request, and reports whether the next is wanted at once.
func (d *Device) round(ctx context.Context, report *Report) (again bool, err error) {
	request := syncproto.RequestID(d.opts.Chance())
	begun, err := d.step(func(e *engine.Engine) ([]engine.Effect, error) {
		d.due = time.Time{}
		return e.Sync(d.opts.Now(), request)
	})
	if err != nil {
		return false, err
	}
	if begun.send == nil {
		return false, fmt.Errorf("sync: the engine sends nothing")
	}
	reply, err := d.exchange(ctx, begun.send.Payload, report)
	if err != nil {
		return d.failed(request, err)
	}
	done, err := d.step(func(e *engine.Engine) ([]engine.Effect, error) {
		return e.Reply(d.opts.Now(), reply, d.opts.Chance())
	})
	if err != nil {
		return d.failed(request, err)
	}
	return done.after != nil && *done.after == 0, nil
}

// exchange sends a payload and returns the signed reply.
func (d *Device) exchange(ctx context.Context, payload []byte, report *Report) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, d.opts.RequestTimeout)
	defer cancel()
	wire := frame.Wrap(payload, true)
	report.Requests++
	report.BytesUp += len(wire)
	answer, err := d.transport.Sync(ctx, wire)
	if err != nil {
		return nil, fmt.Errorf("sync: %w", err)
	}
	report.BytesDown += len(answer)
	reply, err := frame.Unwrap(answer)
	if err != nil {
		return nil, fmt.Errorf("sync: unwrap reply: %w", err)
	}
	return reply, nil
}

// failed ends a request without a usable answer. It returns why, unless the
// engine knows what to do about it at once.
func (d *Device) failed(request syncproto.RequestID, why error) (again bool, err error) {
	var f engine.Failure
	if r, ok := refusalOf(why); ok {
		f = engine.Failure{Code: r.Code, RetryAfterMS: r.RetryAfter.Milliseconds()}
	}
	out, err := d.step(func(e *engine.Engine) ([]engine.Effect, error) {
		return e.Failed(request, f, d.opts.Chance()), nil
	})
	if err != nil {
		return false, err
	}
	if out.after != nil && *out.after == 0 {
		return true, nil
	}
	return false, why
}

// step runs one call of the engine that is part of a sync.
func (d *Device) step(call func(e *engine.Engine) ([]engine.Effect, error)) (outcome, error) {
	var out outcome
	err := func() error {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.engine == nil {
			if _, err := d.reload(); err != nil {
				return err
			}
		}
		effects, err := call(d.engine)
		if err != nil {
			return err
		}
		out, err = d.carryOut(effects)
		if err == nil {
			d.sealed.tidy(d.engine.Unsent)
		}
		return err
	}()
	d.tell(out.notes)
	return out, err
}
