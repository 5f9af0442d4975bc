package reading_test

import (
	"slices"
	"testing"

	"doorstep/server/internal/reading"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Who supervises is told whose own file they may begin a record in, who coordinates
// volunteers which families they match; nobody else is told of a file.
func TestElsewhereIsWhatNoTabletCarries(t *testing.T) {
	b := newBorough(t)
	betty, programme := syncproto.UserID{11}, syncproto.UserID{12}
	b.commit(
		store.UserEntry{ID: betty, Login: "betty", Name: "Betty Volunteer", Role: "volunteer"},
		store.UserEntry{ID: programme, Login: "programme", Name: "Pru Programme", Role: "volunteer_coordinator"},
		store.TeamEntry{User: lead, Team: team, Basis: "TEAM", Grant: true},
		store.RelationEntry{User: betty, Family: family, Basis: "VOL", Grant: true},
		store.RelationEntry{User: programme, Family: family, Basis: "PROGRAMME", Grant: true},
	)
	for name, c := range map[string]struct {
		user syncproto.UserID
		want []reading.Elsewhere
	}{
		"the manager, of who works in the team": {manager, []reading.Elsewhere{
			{ID: store.OwnFile(lead), Name: "Lena Lead", Kinds: []string{"supervision_personal"}}}},
		"who coordinates volunteers": {programme, []reading.Elsewhere{
			{ID: family, Name: "Betty Volunteer", Kinds: []string{"volunteer_match", "volunteer_concern"}},
			{ID: store.OwnFile(betty), Name: "Betty Volunteer", Kinds: []string{"supervision_personal"}}}},
		"a worker":    {lead, nil},
		"a volunteer": {betty, []reading.Elsewhere{{ID: family, Kinds: []string{"volunteer_log", "volunteer_concern"}}}},
		"IT":          {it, nil},
	} {
		got := b.room.Elsewhere(c.user)
		if !slices.EqualFunc(got, c.want, func(a, b reading.Elsewhere) bool {
			return a.ID == b.ID && a.Name == b.Name && slices.Equal(a.Kinds, b.Kinds)
		}) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
	if got := b.room.Colleagues(programme); !slices.Contains(got, betty) || slices.Contains(got, lead) {
		t.Errorf("who coordinates volunteers is told the names of %v, want the volunteers' alone", got)
	}
}
