package auth_test

import (
	"testing"
	"time"

	"doorstep/server/internal/auth"
	"doorstep/syncproto"
)

// TestFault56TokensUnderAWrongServerClock sets the server's clock a day ahead and
// back again. A little skew is forgiven; under more, tokens lapse or are not yet
// good, and the refresh token sees everybody through without a password.
func TestFault56TokensUnderAWrongServerClock(t *testing.T) {
	const day = 24 * time.Hour
	w := newWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	g := w.signIn("jo", syncproto.DeviceID{})
	w.pass(-20 * time.Second) // two servers of one borough, or a clock set right
	w.wantVerified(g.Access, true)
	w.pass(20*time.Second + day)
	w.wantVerified(g.Access, false)
	ahead := w.refreshed(g, 1)
	w.pass(-day)
	back := w.refreshed(ahead, 2)
	w.wantVerified(back.Access, true)
	w.pass(9 * time.Minute)
	w.wantVerified(back.Access, true)
	w.pass(2 * time.Minute) // a wrong clock made no token last longer
	w.wantVerified(back.Access, false)
	if !back.Caller.SignedInAt.Equal(g.Caller.SignedInAt) {
		t.Error("a wrong clock counts as a fresh sign-in")
	}
}

// refreshed trades a grant in and wants that to work.
func (w *world) refreshed(g auth.Grant, n byte) auth.Grant {
	w.t.Helper()
	next, err := w.renew(g.Refresh, syncproto.RequestID{n})
	if err != nil {
		w.t.Fatal(err)
	}
	w.wantVerified(next.Access, true)
	return next
}

// A refresh token can be shown at a sync as long as trading it in would give something: when
// it was traded in, until its answer, which may have been lost, is used.
func TestRefreshTokenIsShownAtASync(t *testing.T) {
	w := newWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	first := w.enrol(newTablet(t), "jo")
	want := func(what, token string, sync, good bool) {
		t.Helper()
		caller, key, err := w.Known(t.Context(), auth.Sender{Token: token, Sync: sync})
		if got := err == nil; got != good || good && (caller.Session != first.Caller.Session || key.IsZero()) {
			t.Errorf("%s: got %+v, %v", what, caller, err)
		}
	}
	w.pass(5 * time.Hour) // the access token has lapsed long ago
	want("the access token", first.Access, true, false)
	want("at a sync", first.Refresh, true, true)
	want("elsewhere", first.Refresh, false, false)
	next := w.refreshed(first, 1)
	want("just traded in", first.Refresh, true, true)
	want("the next", next.Refresh, true, true)
	w.pass(2*time.Minute + time.Second)
	want("traded in a while ago", first.Refresh, true, true)
	want("the next, later", next.Refresh, true, true)
	next = w.refreshed(next, 2)
	want("two generations back", first.Refresh, true, false)
	if err := w.SetPassword(t.Context(), "jo", "another long password"); err != nil {
		t.Fatal(err)
	}
	want("after a new password", next.Refresh, true, false)
	want("an invented one", next.Refresh[1:]+"A", true, false)
}
