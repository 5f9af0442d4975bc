package demo

import (
	"context"
	"errors"
	"slices"

	"doorstep/syncproto"
)

// prepare is the coordinator's first look at the visit.
func (d *day) prepare(ctx context.Context) error {
	t := d.tablet(amina)
	if _, err := t.edit(d.family, d.visit, "visit", syncproto.Op{Code: syncproto.OpHandOver}); err != nil {
		return err
	}
	got, err := t.sync(ctx)
	if err != nil {
		return err
	}
	d.out.say("%s hands the visit over on her tablet: %s.", t.who.name, got)
	desk, err := d.desk(ctx, grace)
	if err != nil {
		return err
	}
	if err := d.lookAtQueue(ctx, desk); err != nil {
		return err
	}
	if err := d.lookAtConflicts(ctx, desk); err != nil {
		return err
	}
	part, err := desk.read(ctx, d.maya.part)
	if err != nil {
		return err
	}
	err = desk.post(ctx, decidePath(d.maya.part), decision{Path: pagePath{Field: "seen_alone"}, Value: "Y", Reason: "Tom says so.", Seen: part.Heads})
	d.out.claim(isProblem(err, syncproto.CodeForbidden) || isProblem(err, syncproto.CodeDeniedField),
		"%s, a coordinator, may not decide whether a child was seen alone", d.name(grace))
	refused, err := d.tryToFinalise(ctx, desk)
	if err != nil {
		return err
	}
	d.out.claim(refused.has(syncproto.CodeOpenConflict) && refused.has(syncproto.CodeMissingField) && refused.has(syncproto.CodeNotConfirmed),
		"the disagreement, what is not filled in and the missing confirmation are all named at once")
	err = desk.post(ctx, "/v1/records/"+d.maya.part.String()+"/query", map[string]any{
		"path": pagePath{Field: "seen_alone"}, "to": t.device.Identity().User.String(),
		"text": "You write No, Tom writes Yes. Which is right, and for how long were you alone with her?"})
	if err != nil {
		return err
	}
	d.out.say("%s asks %s about it.", d.name(grace), d.name(amina))
	refused, err = d.tryToFinalise(ctx, desk)
	if err != nil {
		return err
	}
	d.out.claim(refused.has(syncproto.CodeOpenQuery), "an open question holds the visit back too")
	return nil
}

func (d *day) lookAtQueue(ctx context.Context, desk *browser) error {
	var queue struct {
		Records []struct {
			Record       string `json:"record"`
			HandedOverBy string `json:"handed_over_by"`
			Conflicts    int    `json:"conflicts"`
		} `json:"records"`
		People map[string]string `json:"people"`
	}
	if _, err := desk.get(ctx, "/v1/queue", &queue); err != nil {
		return err
	}
	d.out.claim(len(queue.Records) == 1 && queue.Records[0].Record == d.visit.String() && queue.Records[0].Conflicts == 1 &&
		queue.People[queue.Records[0].HandedOverBy] == d.name(amina),
		"%s's queue has one visit, from %s, with one open disagreement", d.name(grace), d.name(amina))
	return d.stillDue(ctx, desk)
}

func (d *day) lookAtConflicts(ctx context.Context, desk *browser) error {
	part, err := desk.read(ctx, d.maya.part)
	if err != nil {
		return err
	}
	said := map[string]any{}
	for _, c := range part.Conflicts {
		for _, side := range c.Sides {
			said[part.People[side.By.Author]] = side.Value
			d.out.quote("%s: %s says %v", c.Path.Field, part.People[side.By.Author], side.Value)
		}
		d.out.quote("in force until somebody decides: %v", c.InForce)
	}
	d.out.claim(len(part.Conflicts) == 1 && said[d.name(amina)] == "N" && said[d.name(tom)] == "Y" && part.Conflicts[0].InForce == "N",
		"she sees both answers, who gave them, and that No counts meanwhile")
	plan, err := desk.read(ctx, d.plan)
	if err != nil {
		return err
	}
	open := slices.ContainsFunc(plan.Conflicts, func(c pageConflict) bool {
		return c.Path.Field == "rules" && c.Path.Element == d.rule.String()
	})
	d.out.claim(open && plan.inForce("rules", d.rule.String()), "the plan's rule is disputed, and stands")
	other, err := desk.read(ctx, d.jo.part)
	if err != nil {
		return err
	}
	d.out.claim(len(other.Conflicts) == 0 && other.field("seen").Value == "Y", "where both wrote the same of %s there is nothing to decide", d.jo.name)
	return nil
}

// decision is the body of a decision.
type decision struct {
	Path   pagePath `json:"path"`
	Value  any      `json:"value"`
	Reason string   `json:"reason"`
	Seen   []string `json:"seen"`
}

func decidePath(record syncproto.RecordID) string {
	return "/v1/records/" + record.String() + "/decide"
}

// has reports whether one of the reasons is this code.
func (p *problem) has(code syncproto.Code) bool {
	for _, r := range p.Details {
		if r.Code == code {
			return true
		}
	}
	return p.Code == code
}

// tryToFinalise asks for the seal where it must be refused, and shows why it was.
func (d *day) tryToFinalise(ctx context.Context, desk *browser) (*problem, error) {
	err := d.finalise(ctx, desk)
	var refused *problem
	if !errors.As(err, &refused) {
		if err == nil {
			err = errors.New("the visit was made final, which should have been refused")
		}
		return &problem{}, err
	}
	d.out.say("%s tries to make the visit final. Refused, because:", desk.who.name)
	for _, r := range refused.Details {
		d.out.quote("%s: %s", d.whose(r.Record), r.Plain)
	}
	return refused, nil
}

// whose says which of the records of the visit this is.
func (d *day) whose(record string) string {
	switch record {
	case d.visit.String():
		return "the visit"
	case d.maya.part.String():
		return d.maya.name + "'s part"
	case d.jo.part.String():
		return d.jo.name + "'s part"
	}
	return "the request"
}

// finalise names the heads that a person has on the screen, and asks for the seal.
func (d *day) finalise(ctx context.Context, desk *browser) error {
	heads, err := d.heads(ctx, desk)
	if err != nil {
		return err
	}
	return desk.post(ctx, "/v1/records/"+d.visit.String()+"/finalise", heads)
}

// namedHeads are versions of records, as confirm and finalise name them.
type namedHeads struct {
	Heads []recordHeads `json:"heads"`
}

type recordHeads struct {
	Record string   `json:"record"`
	Heads  []string `json:"heads"`
}

func (d *day) heads(ctx context.Context, desk *browser) (namedHeads, error) {
	var out namedHeads
	for _, record := range d.group() {
		p, err := desk.read(ctx, record)
		if err != nil {
			return out, err
		}
		out.Heads = append(out.Heads, recordHeads{p.Record, p.Heads})
	}
	return out, nil
}
