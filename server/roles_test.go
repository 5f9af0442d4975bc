package server

import (
	"testing"

	"doorstep/server/internal/access"
	"doorstep/server/internal/auth"
)

// TestRolesAreTheSameEverywhere: whoever the table speaks of can have an account.
func TestRolesAreTheSameEverywhere(t *testing.T) {
	if len(access.Roles()) < 19 {
		t.Fatalf("only %d roles", len(access.Roles()))
	}
	for _, r := range access.Roles() {
		if !r.Valid() || !auth.Role(r).Valid() {
			t.Errorf("nobody can have the role %s", r)
		}
	}
	for _, r := range []string{"", "root", "import"} {
		if access.Role(r).Valid() || auth.Role(r).Valid() {
			t.Errorf("somebody can have the role %q", r)
		}
	}
}
