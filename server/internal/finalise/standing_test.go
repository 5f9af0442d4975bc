package finalise_test

import (
	"errors"
	"testing"

	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
)

// TestStanding: each sees what they may do, by the rules that the acts themselves keep.
func TestStanding(t *testing.T) {
	w := newWorld(t)
	w.ready()
	seen, bedroom := syncproto.Path{Field: "seen"}, syncproto.Path{Field: "planned"}
	for _, one := range []struct {
		name        string
		who         syncproto.UserID
		acts        finalise.Acts
		edits, fact bool // an administrative field, an attested fact
	}{
		{"the lead worker", lead, finalise.Acts{HandOver: true, Confirm: true, Answer: true}, true, true},
		{"a coordinator", coordA, finalise.Acts{Query: true, Finalise: true}, true, false},
		{"the manager", manager, finalise.Acts{Query: true, Misfile: true}, false, false},
	} {
		got, err := w.service.Standing(ctx, as(one.who), partMaya)
		if err != nil || len(got.Parts) != 3 || got.Record != visit {
			t.Fatalf("%s: %d parts of %s, %v", one.name, len(got.Parts), got.Record, err)
		}
		if got.Acts != one.acts {
			t.Errorf("%s may %+v, want %+v", one.name, got.Acts, one.acts)
		}
		if got.Parts[0].Edits[bedroom] != one.edits || got.Parts[1].Edits[seen] != one.fact {
			t.Errorf("%s edits planned: %v, seen: %v", one.name, got.Parts[0].Edits[bedroom], got.Parts[1].Edits[seen])
		}
	}
	for _, who := range []syncproto.UserID{stranger, it} {
		if _, err := w.service.Standing(ctx, as(who), visit); !errors.Is(err, syncproto.CodeNotFound) {
			t.Errorf("who may not read it is told %v", err)
		}
	}
	w.seal()
	got, err := w.service.Standing(ctx, as(coordA), visit)
	if err != nil || got.State != finalise.StateFinal || got.Acts != (finalise.Acts{Addendum: true}) {
		t.Errorf("when it is final a coordinator may %+v in state %s, %v", got.Acts, got.State, err)
	}
	if p := got.Parts[0]; p.Edits[bedroom] || !p.Corrects[bedroom] || p.Corrects[syncproto.Path{Field: "start"}] {
		t.Errorf("and corrects %v, edits %v", p.Corrects, p.Edits)
	}
}
