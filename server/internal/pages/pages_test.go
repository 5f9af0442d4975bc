package pages

import (
	"context"
	"testing"
	"time"

	"doorstep/server/internal/doors"
	"doorstep/server/internal/finalise"
	"doorstep/server/internal/measure"
	"doorstep/server/internal/reading"
	"doorstep/syncproto"
)

// testPages is a desk over a borough in which nobody wrote anything.
func testPages(t *testing.T) *Pages {
	t.Helper()
	p, err := New(Config{Name: "Testshire", Records: &reading.Room{}, Workflow: &finalise.Service{}, Custody: noCustody{}, Doors: &doors.Service{}, Measure: &measure.Service{}, Now: time.Now, Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

type noCustody struct{}

func (noCustody) Admit(context.Context, syncproto.UserID, syncproto.ChangeID) error { return nil }
func (noCustody) AdmitAddendum(context.Context, syncproto.UserID, syncproto.ChangeID) error {
	return nil
}
func (noCustody) KeepAway(context.Context, syncproto.UserID, syncproto.ChangeID, string) error {
	return nil
}
