package device

import (
	"context"
	"errors"
	"fmt"

	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
)

// custody begins a custody session (SPEC 7.8): once somebody's access has ended,
// the device's key alone sends what is unsent and fetches the purge. It fails with
// why, the refusal that led here, where the person can still sign in.
func (c *Client) custody(ctx context.Context, lapsed string, why error) (Session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session.Access != lapsed {
		return c.session, nil
	}
	if c.seat.Device.IsZero() {
		return Session{}, why
	}
	in := map[string]string{"user": c.seat.User.String(), "device": c.seat.Device.String()}
	var out sessionAnswer
	err := c.call(ctx, "/v1/sign-in/custody", in, &out)
	if _, refused := refusalOf(err); refused {
		if c.session.CustodyOnly { // access came back: they sign in
			why = errors.Join(why, c.setSession(Session{}))
		}
		return Session{}, why
	}
	if err != nil {
		return Session{}, fmt.Errorf("begin a custody session: %w", err)
	}
	s := out.session()
	return s, c.setSession(s)
}

// AccessEnded reports whether the person's access from this device has ended, as
// far as the client knows: it may only send, and learn what became of their words.
func (c *Client) AccessEnded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.CustodyOnly
}

// endedTeller is a Transport that knows when a person's access has ended.
type endedTeller interface{ AccessEnded() bool }

// noticeEnd tells, once, that the person's access has ended.
func (d *Device) noticeEnd() (ended bool) {
	if t, ok := d.transport.(endedTeller); ok {
		ended = t.AccessEnded()
	}
	d.mu.Lock()
	first := ended && !d.ended
	d.ended = ended
	d.mu.Unlock()
	if first {
		d.opts.Notify(engine.Note{Kind: engine.NoteAccessEnded, Code: syncproto.CodeAccessEnded})
	}
	return ended
}

// lapsedBy reports whether a refusal is about the session rather than the request.
func lapsedBy(err error) bool {
	r, ok := refusalOf(err)
	return ok && r.Code == syncproto.CodeUnauthenticated
}
