package intake_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"doorstep/server/internal/intake"
	"doorstep/server/internal/store"
)

// TestLargeCaseloadIsStoredInWholeFamilies: a run too large for one group of the
// journal, broken off in the middle and begun again.
func TestLargeCaseloadIsStoredInWholeFamilies(t *testing.T) {
	if testing.Short() {
		t.Skip("writes several MiB")
	}
	const families = 1800
	files := large(families)
	w := newWorld(t)
	broken := errors.New("broken")
	deps := w.deps
	deps.Ledger = &breaksAt{ledger: w.ledger, left: 1, err: broken}
	report, err := intake.Import(context.Background(), deps, files, intake.Options{Now: w.now})
	if !errors.Is(err, broken) || report.Groups < 2 || report.Stored != 1 {
		t.Fatalf("broken run: %d of %d groups, %v", report.Stored, report.Groups, err)
	}
	state := w.borough.Store.State()
	for _, ref := range state.Refs("family_record") {
		person := strings.Replace(ref, "F", "P", 1)
		if id, ok := state.Ref("person", person); !ok || id.IsZero() {
			t.Fatalf("family %s is there without its person", ref)
		}
	}
	again := w.load(files)
	if again.NewRecords+len(state.Refs("person")) < families || again.Unchanged {
		t.Errorf("second run: %+v", again)
	}
	if got := len(w.borough.Store.State().Refs("person")); got != families {
		t.Errorf("people: got %d, want %d", got, families)
	}
	if third := w.load(files); !third.Unchanged {
		t.Errorf("third run: %d new, %d changed, want unchanged", third.NewRecords, third.Changed)
	}
}

func large(families int) fstest.MapFS {
	var f, p strings.Builder
	f.WriteString("family_ref,name,team_ref\n")
	p.WriteString("person_ref,family_ref,names,known_as,pronouns,dob,expected_dob,sex,ethnicity,disabilities,la_child_id,upn,nhs_no,communication,language,interpreter,died\n")
	for i := range families {
		fmt.Fprintf(&f, "F%d,Invented %d,T\n", i, i)
		fmt.Fprintf(&p, "P%d,F%d,Child %d,,,2015-01-01,,F,NOBT,NONE,LA%d,,,SPEECH,en,NONE,\n", i, i, i, i)
	}
	return fstest.MapFS{
		"teams.csv":    {Data: []byte("team_ref,name\nT,Team\n")},
		"families.csv": {Data: []byte(f.String())},
		"people.csv":   {Data: []byte(p.String())},
	}
}

// breaksAt fails once some proposals have passed.
type breaksAt struct {
	ledger intake.Ledger
	left   int
	err    error
}

func (b *breaksAt) Propose(ctx context.Context, decide func(*store.Tx) ([]store.Entry, error)) (uint64, error) {
	if b.left == 0 {
		return 0, b.err
	}
	b.left--
	return b.ledger.Propose(ctx, decide)
}
