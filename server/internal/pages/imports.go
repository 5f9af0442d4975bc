package pages

import (
	"context"
	"strconv"
	"time"

	"doorstep/syncproto"
)

// Imports says what came from the case-management system lately.
type Imports interface {
	// Imported lists what was taken from the folder that is watched, the newest first; false: none is.
	Imported(syncproto.UserID) ([]Imported, bool)
}

// Imported is one set of files that was taken.
type Imported struct {
	Name     string
	At       time.Time
	Outcome  string   // in words
	Problems []string // why nothing of it was taken
	More     int      // problems that are not listed
	Failed   bool
}

// importsPage is what came from the case-management system.
type importsPage struct {
	None bool
	Rows []importRow
}

type importRow struct {
	Name, When, Outcome string
	State               tag
	Problems            []string
	More                string
}

func (p *Pages) imports(_ context.Context, c *Call) (Answer, error) {
	in := importsPage{None: true}
	if p.cfg.Imports != nil {
		list, watched := p.cfg.Imports.Imported(c.User)
		in.None = !watched
		for _, one := range list {
			row := importRow{Name: one.Name, When: one.At.In(p.cfg.Zone).Format("2 January 2006, 15:04"), Outcome: one.Outcome, State: tag{"Taken", "green"}, Problems: one.Problems}
			if one.Failed {
				row.State = tag{"Nothing taken", "red"}
			}
			if one.More > 0 {
				row.More = "and " + strconv.Itoa(one.More) + " more, in the report beside the files"
			}
			in.Rows = append(in.Rows, row)
		}
	}
	body, err := p.show(c, "imports.html", shell{Title: "From the case-management system", Here: oversightRoot, Content: in})
	return Answer{Body: body}, err
}
