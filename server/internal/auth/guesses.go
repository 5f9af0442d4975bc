package auth

import (
	"time"

	"doorstep/server/internal/pace"
)

// guesses slow down guessing of passwords. What is asked for is bounded per login
// and address; per address, against one that sprays many logins; and per login
// alone, against many addresses that share the work. The last could be used to lock
// somebody out, so it does not count where the person is known to be: at an address
// where they signed in before, and on a device of theirs, which shows its key. Who
// signs in with a passkey or the sign-in service is not touched by it.
type guesses struct {
	byLogin   *pace.Limiter // per login and address
	byPlace   *pace.Limiter // per address
	byAccount *pace.Limiter // per login, from places where its owner was never seen
	seen      *pace.Limiter // logins and addresses of good sign-ins
}

const (
	// accountGuesses from strange places in a row, and then one every five minutes:
	// 105,000 a year, against passwords of twelve characters or more.
	accountGuesses = 100
	accountRefill  = 5 * time.Minute
	// maxPlaces bounds each of the four: about a megabyte.
	maxPlaces = 8192
	// seenFor is how long an address counts as one of somebody's own.
	seenFor = 30 * 24 * time.Hour
)

func newGuesses() guesses {
	return guesses{
		byLogin:   pace.New(10, 30*time.Second, maxPlaces),
		byPlace:   pace.New(200, 3*time.Second, maxPlaces), // a whole office may share one address
		byAccount: pace.New(accountGuesses, accountRefill, maxPlaces),
		seen:      pace.New(1, seenFor, maxPlaces),
	}
}

// guess is one try of a login at an address. own: on a device of the login's owner.
type guess struct {
	login, address string
	own            bool
	counted        bool // by account
}

// begin counts a try; it returns how long to wait if there were too many.
func (g *guesses) begin(t *guess, now time.Time) time.Duration {
	wait := max(g.byPlace.Take(t.address, now), g.byLogin.Take(t.pair(), now))
	if wait > 0 || t.own || g.seen.Spent(t.pair(), now) {
		return wait
	}
	t.counted = true
	return g.byAccount.Take(t.login, now)
}

// good forgets a try that was no guess.
func (g *guesses) good(t *guess, now time.Time) {
	g.byLogin.Forget(t.pair())
	g.byPlace.GiveBack(t.address, now)
	if t.counted {
		g.byAccount.GiveBack(t.login, now)
	}
	g.seen.Take(t.pair(), now)
}

func (t *guess) pair() string { return t.login + "\x00" + t.address }
