package intake_test

import "testing"

// TestOneBadLineIsOneProblem: what else in the files speaks of a person or a plan
// whose line is refused is not reported with it.
func TestOneBadLineIsOneProblem(t *testing.T) {
	for _, c := range []struct{ name, file, old, text string }{
		{"a person whom contacts, relations and plans speak of", "people.csv", "9990100071", "9990100072"},
		{"a plan that has lines", "plans.csv", "P-1101 P-1102", "P-1101 P-1201"},
		{"a family with everything that it has", "families.csv", "Pepperdine-Vale,T-EAST", "Pepperdine-Vale,T-NORTH"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := newWorld(t).refused(edited(t, c.file, c.old, c.text))
			if len(got) != 1 || got[0].File != c.file {
				t.Errorf("got %+v, want the one bad line of %s", got, c.file)
			}
		})
	}
}
