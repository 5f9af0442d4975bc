package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// AccessTable is the whole of who may do what, as a manager can read it.
func AccessTable() string { return access.Page() }

// AccessExplained says what one person may do with one record, and why. It shows
// no content.
type AccessExplained struct {
	Person string   `json:"person"` // login and role
	Kind   string   `json:"kind"`   // of the record
	Stands []string `json:"stands"` // how the person stands with the family, now
	Lines  []string `json:"lines"`  // what they may and may not
}

var (
	errNoSuchLogin  = errors.New("nobody signs in with this login; see: doorstep user list")
	errNoSuchRecord = errors.New("there is no record with this id")
)

// ExplainAccess implements Operator.
func (o localOperator) ExplainAccess(_ context.Context, login, record string) (AccessExplained, error) {
	state := o.b.store.State()
	user, ok := state.UserByLogin(strings.ToLower(strings.TrimSpace(login)))
	if !ok {
		return AccessExplained{}, errNoSuchLogin
	}
	id, err := syncproto.ParseID(record)
	if err != nil {
		return AccessExplained{}, errNoSuchRecord
	}
	info, err := o.b.store.RecordInfo(syncproto.RecordID(id))
	if errors.Is(err, store.ErrNotFound) {
		return AccessExplained{}, errNoSuchRecord
	}
	if err != nil {
		return AccessExplained{}, fmt.Errorf("looking up a record: %w", err)
	}
	now := time.Now().UnixMilli()
	who := access.AskerOf(access.Standing(state.StandingOf(user.ID, info.Family, now)))
	if info.Gone == 0 {
		graph, _, err := o.b.store.Graph(info.Record)
		if err != nil {
			return AccessExplained{}, fmt.Errorf("looking up who wrote a record: %w", err)
		}
		who.Authorship = access.AuthorshipOf(graph.Changes(), user.ID)
	}
	out := AccessExplained{
		Person: user.Login + ", " + strings.TrimPrefix(strings.TrimPrefix(who.Role.Words(), "an "), "a "),
		Kind:   info.Kind, Stands: standsIn(who), Lines: access.ExplainAsker(who, info.Kind),
	}
	if turn, ok := state.NextTurn(user.ID, now); ok {
		out.Stands = append(out.Stands, "the clock next changes what they reach on "+time.UnixMilli(turn).UTC().Format("2 January 2006 15:04")+" UTC")
	}
	return out, nil
}

// standsIn says how a person stands with a family.
func standsIn(who access.Asker) []string {
	var out []string
	for _, b := range who.Bases {
		out = append(out, string(b)+": "+strings.TrimPrefix(b.Words(), "who "))
	}
	if len(out) == 0 {
		out = append(out, access.BasisNone.Words())
	}
	switch {
	case who.Adoption:
		out = append(out, "the file is restricted: it is the one from before an adoption")
	case who.Restricted:
		out = append(out, "the file is restricted")
	}
	if who.Named {
		out = append(out, "the person was let in by name")
	}
	return out
}
