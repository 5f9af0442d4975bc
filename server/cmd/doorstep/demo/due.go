package demo

import (
	"context"
	"strings"
)

// visitDue is one line of GET /v1/due.
type visitDue struct {
	Type, State, Why, Last string
}

// dueFor is when a child on a protection plan must be visited next, as the server tells it.
func (d *day) dueFor(ctx context.Context, desk *browser, c child) (visitDue, error) {
	var due struct {
		Children []struct {
			Child  string     `json:"child"`
			Visits []visitDue `json:"visits"`
		} `json:"children"`
	}
	if _, err := desk.get(ctx, "/v1/families/"+d.family.String()+"/due", &due); err != nil {
		return visitDue{}, err
	}
	for _, child := range due.Children {
		for _, v := range child.Visits {
			if child.Child == c.id.String() && v.Type == "CP" {
				return v, nil
			}
		}
	}
	return visitDue{}, nil
}

// stillDue holds that a visit in dispute satisfies no clock.
func (d *day) stillDue(ctx context.Context, desk *browser) error {
	due, err := d.dueFor(ctx, desk, d.maya)
	if err != nil {
		return err
	}
	d.out.claim(due.State == "overdue" && due.Last == "", "while anything in it is disputed, today's visit to %s counts for nothing: one is still overdue", d.maya.name)
	return nil
}

// nextDue holds that the sealed visit is what the next one is counted from.
func (d *day) nextDue(ctx context.Context, desk *browser) error {
	due, err := d.dueFor(ctx, desk, d.maya)
	if err != nil {
		return err
	}
	d.out.quote("next visit to %s: %s", d.maya.name, due.Why)
	d.out.claim(due.State == "on_time" && due.Last != "" && strings.HasPrefix(due.Why, "Child protection conference: 10 working days from "),
		"the next visit is counted from this one, as the conference decided")
	return nil
}
