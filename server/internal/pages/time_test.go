package pages

import (
	"slices"
	"strings"
	"testing"

	"doorstep/server/internal/measure"
)

// Figures of few are left out for who does not work with the team, and in no plot either.
func TestFiguresOfFewAreLeftOut(t *testing.T) {
	row := measure.Row{Month: "2026-11", Visits: 9, Final: 3, HoursToFinal: 20, FamilyMinutes: 90, DeskMinutes: 30, Fields: 40, Due: 8, Met: 6, Returns: 2, InTime: 1}
	team := measure.Team{Name: "=East", Rows: []measure.Row{row}}
	want := []string{"2026-11", "9", "3", "20", "1.5", "0.5", "40", "0", "8", "6", "2", "1"}
	if got := cells(&team, &row); !slices.Equal(got, want) {
		t.Errorf("for the team: got %q, want %q", got, want)
	}
	if own := timeOf(&team); len(own.Plots[0].Bars) != 1 || len(own.Plots[1].Bars) != 2 || own.Plots[3].Bars[0].Text != "50" {
		t.Errorf("the team's plots: %+v", own.Plots)
	}
	team.Few = true
	want = []string{"2026-11", "9", "1 to 5", "", "1.5", "0.5", "40", "0", "8", "6", "1 to 5", "1 to 5"}
	if got := cells(&team, &row); !slices.Equal(got, want) {
		t.Errorf("for others: got %q, want %q", got, want)
	}
	if others := timeOf(&team); len(others.Plots[0].Bars) != 0 || len(others.Plots[2].Bars) != 1 || len(others.Plots[3].Bars) != 0 {
		t.Errorf("others' plots: %+v", others.Plots)
	}
	if got := harmless(team.Name); !strings.HasPrefix(got, "'") {
		t.Errorf("a spreadsheet takes %q for a formula", got)
	}
	for _, b := range timeOf(&team).Plots[1].Bars {
		if b.X < 0 || b.X+b.Width > plotWidth || b.Y < plotHead-1 || b.Y+b.Height != plotHeight-plotFoot {
			t.Errorf("a bar leaves its plot: %+v", b)
		}
	}
}
