package auth_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"doorstep/server/internal/auth"
	"doorstep/syncproto"
)

// from signs in with a password from an address, on a device if it is not zero.
func (w *world) from(address, word string, device syncproto.DeviceID) error {
	_, err := w.SignIn(context.Background(), auth.SignIn{
		Credential: auth.Credential{Login: "jo", Password: word, Address: address}, Device: device, Key: w.keyOf(device)})
	return err
}

// TestFault93ManyAddressesThatShareTheGuessing: one account is guessed at from a new
// address each time. It is slowed down there, and its owner is not: where they signed
// in before, and on their own tablet wherever it is.
func TestFault93ManyAddressesThatShareTheGuessing(t *testing.T) {
	w := newWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	home, tablet := "10.0.0.1", w.enrol(newTablet(t), "jo").Caller.Device
	if err := w.from(home, password, syncproto.DeviceID{}); err != nil {
		t.Fatal(err)
	}
	var slowed *auth.TooMany
	guessed := 0
	for ; guessed < 1000 && slowed == nil; guessed++ {
		errors.As(w.from(fmt.Sprintf("2001:db8:%x::/64", guessed), "guess number one", syncproto.DeviceID{}), &slowed)
	}
	if slowed == nil || guessed > 101 || slowed.RetryAfter < time.Minute {
		t.Fatalf("after %d guesses from as many addresses: %+v", guessed, slowed)
	}
	if err := w.from(home, password, syncproto.DeviceID{}); err != nil {
		t.Errorf("the owner is locked out where they signed in before: %v", err)
	}
	if err := w.from("198.51.100.7", password, tablet); err != nil {
		t.Errorf("the owner is locked out on their own tablet, somewhere new: %v", err)
	}
	if err := w.from("203.0.113.9", password, syncproto.DeviceID{}); !errors.As(err, &slowed) {
		t.Errorf("a stranger who guesses right is not slowed down: %v", err)
	}
	if err := w.from("203.0.113.10", "guess number two", tablet); err == nil || errors.As(err, &slowed) {
		t.Errorf("a guess on the tablet itself: %v", err)
	}
	w.pass(slowed.RetryAfter)
	if err := w.from("203.0.113.9", password, syncproto.DeviceID{}); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	guess := w.enrolment(newTablet(t), "jo", w.code("jo"))
	w.pass(24 * time.Hour)
	if _, err := w.Enrol(context.Background(), guess); err != nil {
		t.Errorf("a day later: %v", err)
	}
}

// TestUnknownLoginsAreSlowedAlike: how long somebody has to wait says nothing about
// whether there is such an account.
func TestUnknownLoginsAreSlowedAlike(t *testing.T) {
	w := newWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	waits := map[string]int{}
	for _, login := range []string{"jo", "nobody"} {
		for i := range 150 {
			_, err := w.SignIn(context.Background(), auth.SignIn{
				Credential: auth.Credential{Login: login, Password: "guess number one", Address: fmt.Sprintf("10.%d.0.1", i)}})
			if errors.Is(err, syncproto.CodeTooMany) {
				waits[login]++
			}
		}
	}
	if waits["jo"] != 50 || waits["nobody"] != 50 {
		t.Errorf("slowed down so often: %v", waits)
	}
}
