package pages

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"

	"doorstep/server/internal/measure"
	"doorstep/syncproto"
)

// Measure adds up what time is given back: a *measure.Service.
type Measure interface {
	Report(context.Context, syncproto.UserID) (measure.Report, error)
}

// timePage is the time given back, team by team.
type timePage struct {
	None  bool // the caller may see no figures
	Slow  bool // not everything is counted yet
	Teams []timeTeam
	CSV   string
}

type timeTeam struct {
	Name   string
	Plots  []plot
	Head   []string
	Rows   [][]string
	Few    bool
	Twice  string // what is known of fields that were typed twice
	Months string
}

// columns of the table and of the CSV, in their order.
var timeColumns = [...]string{"Month", "Visits", "Final", "Hours from visit to final (median)", "Hours with families", "Hours at the desk", "Fields in final records", "Fields typed twice",
	"Visits due", "Seen in time", "Returns of missing children", "Interview offered within 72 hours"}

func (p *Pages) timeGiven(ctx context.Context, c *Call) (Answer, error) {
	report, err := p.cfg.Measure.Report(ctx, c.User)
	if err != nil {
		return Answer{}, err
	}
	in := timePage{None: len(report.Teams) == 0, Slow: !report.Complete, CSV: Root + "time.csv"}
	for i := range report.Teams {
		in.Teams = append(in.Teams, timeOf(&report.Teams[i]))
	}
	body, err := p.show(c, "time.html", shell{Title: "Time given back", Here: oversightRoot, Content: in})
	return Answer{Body: body}, err
}

// timeCSV is the same as a table for a spreadsheet.
func (p *Pages) timeCSV(ctx context.Context, c *Call) (Answer, error) {
	report, err := p.cfg.Measure.Report(ctx, c.User)
	if err != nil {
		return Answer{}, err
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	if err := w.Write(append([]string{"Team"}, timeColumns[:]...)); err != nil {
		return Answer{}, err
	}
	for i := range report.Teams {
		t := &report.Teams[i]
		for j := range t.Rows {
			if err := w.Write(append([]string{harmless(t.Name)}, cells(t, &t.Rows[j])...)); err != nil {
				return Answer{}, err
			}
		}
	}
	w.Flush()
	return Answer{Body: out.Bytes(), Media: "text/csv; charset=utf-8"}, w.Error()
}

// harmless is a cell that no spreadsheet takes for a formula (OWASP, CSV injection).
func harmless(cell string) string {
	if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@\t\r") {
		return "'" + cell
	}
	return cell
}

// cells are a row's figures; those that could tell of one person are left out.
func cells(t *measure.Team, r *measure.Row) []string {
	few := func(n, base int) string {
		if !t.Shown(n) || !t.Shown(base) {
			return "1 to " + strconv.Itoa(measure.FewerThan-1)
		}
		return strconv.Itoa(n)
	}
	hours := func(minutes, base int) string {
		if !t.Shown(base) {
			return ""
		}
		return strconv.FormatFloat(float64(minutes)/60, 'f', 1, 64)
	}
	toFinal := strconv.Itoa(r.HoursToFinal)
	if r.Final == 0 || !t.Shown(r.Final) {
		toFinal = ""
	}
	return []string{r.Month, few(r.Visits, r.Visits), few(r.Final, r.Visits), toFinal, hours(r.FamilyMinutes, r.Visits), hours(r.DeskMinutes, r.Visits),
		strconv.Itoa(r.Fields), strconv.Itoa(r.Twice), few(r.Due, r.Due), few(r.Met, r.Due), few(r.Returns, r.Returns), few(r.InTime, r.Returns)}
}

func timeOf(t *measure.Team) timeTeam {
	out := timeTeam{Name: t.Name, Head: timeColumns[:], Few: t.Few}
	fields, twice := 0, 0
	for i := range t.Rows {
		out.Rows = append(out.Rows, cells(t, &t.Rows[i]))
		fields, twice = fields+t.Rows[i].Fields, twice+t.Rows[i].Twice
	}
	out.Twice = fmt.Sprintf("%d of %d fields were typed twice.", twice, fields)
	of := func(title string, values func(*measure.Row) []figure, names ...string) {
		out.Plots = append(out.Plots, plotOf(t, title, names, values))
	}
	of("Hours from the end of a visit to final, the median", func(r *measure.Row) []figure {
		return []figure{{float64(r.HoursToFinal), r.Final > 0 && t.Shown(r.Final)}}
	})
	of("Hours with families, and at the desk", func(r *measure.Row) []figure {
		ok := t.Shown(r.Visits)
		return []figure{{float64(r.FamilyMinutes) / 60, ok}, {float64(r.DeskMinutes) / 60, ok}}
	}, "With families", "At the desk")
	of("Children seen by the day they were due, in 100", func(r *measure.Row) []figure { return []figure{share(t, r.Met, r.Due)} })
	of("Interviews offered within 72 hours of a return, in 100", func(r *measure.Row) []figure { return []figure{share(t, r.InTime, r.Returns)} })
	return out
}

func share(t *measure.Team, part, whole int) figure {
	if whole == 0 || !t.Shown(whole) || !t.Shown(part) {
		return figure{}
	}
	return figure{float64(part) * 100 / float64(whole), true}
}

// figure is one value, or none.
type figure struct {
	value float64
	ok    bool
}

// plot is a bar chart. The table beside it says the same.
type plot struct {
	Title         string
	Width, Height int
	Bars          []bar
	Ticks         []tick
	Names         []legend
}

type bar struct {
	X, Y, Width, Height, Middle, Above int
	Text, Colour                       string
}
type tick struct {
	X, Y int
	Text string
}
type legend struct {
	X, TextX int
	Text     string
	Colour   string
}

// Sizes of a plot, and colours with a contrast of 3 to 1 and more on white and to each
// other's neighbours (WCAG 2.2, 1.4.11).
const (
	plotWidth, plotHeight, plotFoot, plotHead = 480, 200, 24, 40
)

var plotColours = [...]string{"#1d70b8", "#d4351c"}

func plotOf(t *measure.Team, title string, names []string, values func(*measure.Row) []figure) plot {
	out := plot{Title: title, Width: plotWidth, Height: plotHeight}
	most := 1.0
	for i := range t.Rows {
		for _, f := range values(&t.Rows[i]) {
			most = max(most, f.value)
		}
	}
	for i, name := range names {
		out.Names = append(out.Names, legend{X: 4 + i*160, TextX: 22 + i*160, Text: name, Colour: plotColours[i]})
	}
	room := plotWidth / max(1, len(t.Rows))
	for i := range t.Rows {
		list := values(&t.Rows[i])
		wide := (room - 16) / len(list)
		for j, f := range list {
			if !f.ok {
				continue
			}
			high := int(f.value / most * (plotHeight - plotFoot - plotHead))
			b := bar{X: i*room + 8 + j*wide, Width: wide - 4, Height: high, Y: plotHeight - plotFoot - high, Colour: plotColours[j], Text: strconv.FormatFloat(f.value, 'f', 0, 64)}
			b.Middle, b.Above = b.X+b.Width/2, b.Y-4
			out.Bars = append(out.Bars, b)
		}
		out.Ticks = append(out.Ticks, tick{X: i*room + room/2, Y: plotHeight - 6, Text: monthWords(t.Rows[i].Month)})
	}
	return out
}

func monthWords(month string) string {
	t, err := time.Parse("2006-01", month)
	if err != nil {
		return month
	}
	return t.Format("Jan")
}
