package store_test

import (
	"slices"
	"testing"

	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
)

// holding is one person's relation to a family after each step of a story.
func TestHoldingsOverTime(t *testing.T) {
	b := storetest.Open(t)
	team, other := store.TeamID{1}, store.TeamID{2}
	direct := func(basis string, grant bool) store.Entry {
		return store.RelationEntry{User: ada, Family: smith, Basis: basis, Grant: grant}
	}
	role := func(role string, disabled bool) store.Entry {
		return store.UserEntry{ID: ada, Login: "ada", Role: role, Disabled: disabled}
	}
	steps := []struct {
		entry store.Entry
		bases []string
		heldA uint64 // a position at which it was held, 0: none to check
		notAt uint64
	}{
		{direct("LEAD", true), nil, 0, 1}, // a person without a role holds nothing
		{role("practitioner", false), []string{"LEAD"}, 2, 1},
		{direct("CO", true), []string{"CO", "LEAD"}, 2, 1},
		{direct("LEAD", false), []string{"CO"}, 4, 1},
		{direct("CO", false), nil, 4, 5},
		{direct("CO", true), []string{"CO"}, 6, 5},
		{direct("DENIED", true), nil, 6, 7},
		{direct("DENIED", false), []string{"CO"}, 8, 7},
		{role("it", false), nil, 8, 9},
		{role("practitioner", false), []string{"CO"}, 10, 9},
		{role("practitioner", true), nil, 10, 11},
		{role("manager", false), nil, 0, 12}, // managers hold by their team
		{store.FamilyTeamEntry{Family: smith, Team: team}, nil, 0, 13},
		{store.TeamEntry{User: ada, Team: team, Basis: "MANAGER", Grant: true}, []string{"MANAGER"}, 14, 13},
		{store.TeamEntry{User: ada, Team: team, Basis: "MANAGER", Grant: true}, []string{"MANAGER"}, 15, 13},
		{store.FamilyTeamEntry{Family: smith, Team: other}, nil, 15, 16},
		{store.FamilyTeamEntry{Family: smith, Team: team}, []string{"MANAGER"}, 17, 16},
		{store.TeamEntry{User: ada, Team: team, Basis: "MANAGER"}, nil, 17, 18},
		{store.FamilyTeamEntry{Family: smith}, nil, 0, 19},
	}
	for i, step := range steps {
		at := b.Commit(1, step.entry)
		if at != uint64(i+1) {
			t.Fatalf("step %d is at position %d", i+1, at)
		}
		acc := b.Store.State().Access(ada, 1)
		h, _ := acc.Holding(smith)
		if !slices.Equal(h.Bases, step.bases) {
			t.Errorf("step %d: bases %v, want %v", at, h.Bases, step.bases)
		}
		if acc.Head != at {
			t.Errorf("step %d: head %d", at, acc.Head)
		}
		if step.heldA > 0 && !h.HeldAt(step.heldA, 1) {
			t.Errorf("step %d: not held at %d", at, step.heldA)
		}
		if h.HeldAt(step.notAt, 1) {
			t.Errorf("step %d: held at %d", at, step.notAt)
		}
		member := slices.Contains(b.Store.State().MembersOf(smith), ada)
		if kept := at == 7; member != (len(step.bases) > 0 || kept) {
			t.Errorf("step %d: member %v", at, member)
		}
	}
	before := b.Store.State().Access(ada, 1)
	b.Reopen()
	after := b.Store.State().Access(ada, 1)
	for at := range uint64(len(steps) + 1) {
		h, _ := before.Holding(smith)
		again, _ := after.Holding(smith)
		if h.HeldAt(at, 1) != again.HeldAt(at, 1) || h.ChangedAt != again.ChangedAt {
			t.Errorf("the restart changed what was held at %d", at)
		}
	}
}

func TestStateIsFoldedAtEveryStart(t *testing.T) {
	b := storetest.Open(t)
	keepsWords(t, b, smith)
	for _, e := range samples() {
		if store.IsControl(e) {
			b.Commit(1, e)
		}
	}
	b.Commit(1, store.UserEntry{ID: ada, Login: "ada.obi", Role: "manager"})
	for _, round := range []string{"live", "after a restart"} {
		s := b.Store.State()
		if _, ok := s.UserByLogin("ada"); ok {
			t.Errorf("%s: an old login still works", round)
		}
		if u, ok := s.UserByLogin("ada.obi"); !ok || u.ID != ada {
			t.Errorf("%s: the new login does not work", round)
		}
		d, ok := s.Device(tablet)
		if !ok || !d.UsedBy(bea) || len(s.Devices()) != 1 || len(s.Users()) != 1 {
			t.Errorf("%s: devices %v, users %v", round, s.Devices(), s.Users())
		}
		if id, ok := s.Ref("person", "P-1"); !ok || id[0] != 5 {
			t.Errorf("%s: reference %v", round, id)
		}
		if r := s.PurgeReceipt(tablet, ada, smith); r != (store.PurgeReceipt{Epoch: syncproto.Epoch{1}, Position: 6, AtMS: 7}) {
			t.Errorf("%s: purge receipt %+v", round, r)
		}
		if !slices.Contains(s.FamiliesOfTeam(store.TeamID{7}), smith) || s.TeamOf(smith) != (store.TeamID{7}) {
			t.Errorf("%s: teams are not known", round)
		}
		b.Reopen()
	}
}
