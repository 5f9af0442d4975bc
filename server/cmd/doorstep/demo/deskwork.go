package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
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
	err = desk.post(ctx, decidePath(d.maya.part), decision{Path: pagePath{Field: "seen_alone"}, Value: "Y", Reason: "Tom says so."})
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
	return nil
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

// settle has the people decide who may.
func (d *day) settle(ctx context.Context) error {
	for _, step := range []func(context.Context) error{d.admitNote, d.leadDecides, d.tomStaysAway, d.coordinatorSees, d.removeRule} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// admitNote has the manager read the note in quarantine and let it in.
func (d *day) admitNote(ctx context.Context) error {
	manager, err := d.desk(ctx, dilys)
	if err != nil {
		return err
	}
	var list quarantine
	if _, err := manager.get(ctx, "/v1/quarantine", &list); err != nil {
		return err
	}
	if len(list.Changes) != 1 {
		return fmt.Errorf("%d changes are in quarantine, not one", len(list.Changes))
	}
	admit := "/v1/quarantine/" + list.Changes[0].Change + "/admit"
	worker, err := d.desk(ctx, amina)
	if err != nil {
		return err
	}
	err = worker.post(ctx, admit, nil)
	d.out.claim(isProblem(err, syncproto.CodeForbidden) || isProblem(err, syncproto.CodeNotFound),
		"%s may not let a note out of quarantine", worker.who.name)
	if err := manager.post(ctx, admit, nil); err != nil {
		return fmt.Errorf("%s admits a note: %w", dilys, err)
	}
	d.out.say("%s has read %s's note and lets it out of quarantine.", manager.who.name, d.name(lena))
	t := d.tablet(amina)
	if _, err := t.sync(ctx); err != nil {
		return err
	}
	v, err := t.view(d.visit)
	if err != nil {
		return err
	}
	notes, _ := v.Field("worker_raw_note")
	ok := len(notes.Items) == 1
	if ok {
		words, _ := notes.Items[0].Field("text")
		ok = wordsOf(words.Value) == lenasNote && notes.Items[0].By.Author == d.tablet(lena).device.Identity().User
	}
	d.out.claim(ok, "it stands in the visit on %s's tablet, word for word, under %s's name", t.who.name, d.name(lena))
	return nil
}

// leadDecides has the lead worker answer and decide on her tablet.
func (d *day) leadDecides(ctx context.Context) error {
	t := d.tablet(amina)
	if _, err := t.sync(ctx); err != nil {
		return err
	}
	part, err := t.view(d.maya.part)
	if err != nil {
		return err
	}
	queries := part.Workflow.Queries
	if len(queries) != 1 {
		d.out.claim(false, "the question is on %s's tablet", t.who.name)
		return nil
	}
	d.out.say("%s reads on her tablet: %q", t.who.name, queries[0].Question)
	_, err = t.edit(d.family, d.maya.part, "visit_child",
		syncproto.Op{Code: syncproto.OpAnswer, Target: queries[0].ID, Text: "No is right: " + decideWhy},
		syncproto.Op{Code: syncproto.OpDecide, Path: syncproto.Path{Field: "seen_alone"}, Value: cbor.Text("N"), Reason: decideWhy})
	if err != nil {
		return err
	}
	visit, err := t.view(d.visit)
	if err != nil {
		return err
	}
	start, _ := visit.Field("start")
	ms, _ := start.Value.AsInt()
	if _, err = t.edit(d.family, d.visit, "visit", setTime("end", time.UnixMilli(ms).Add(75*time.Minute))); err != nil {
		return err
	}
	if _, err = t.edit(d.family, d.jo.part, "visit_child", set("analysis", josAnalysis)); err != nil {
		return err
	}
	got, err := t.sync(ctx)
	if err != nil {
		return err
	}
	d.out.say("She answers, decides, and fills in what was missing: %s.", got)
	return nil
}

// coordinatorSees looks at the coordinator's screen.
func (d *day) coordinatorSees(ctx context.Context) error {
	desk, err := d.desk(ctx, grace)
	if err != nil {
		return err
	}
	page, err := desk.read(ctx, d.maya.part)
	if err != nil {
		return err
	}
	d.out.claim(len(page.Conflicts) == 0 && page.field("seen_alone").Value == "N" && page.Workflow.Queries[0].AnsweredBy != nil,
		"%s sees the answer, and that the lead worker decided: not seen alone", d.name(grace))
	return nil
}

// tomStaysAway lets Tom see all that was decided, and then takes him out of
// signal with one more sentence to write.
func (d *day) tomStaysAway(ctx context.Context) error {
	t := d.tablet(tom)
	if _, err := t.sync(ctx); err != nil {
		return err
	}
	t.wire.offline.Store(true)
	_, err := t.edit(d.family, d.visit, "visit", t.add("worker_raw_note", textPart("kind", "TEXT"), textPart("text", lateWords)))
	if err != nil {
		return err
	}
	d.out.say("%s is on the road again, without a signal, and adds one more note to the visit.", t.who.name)
	return nil
}

// removeRule has the manager decide on the plan's rule.
func (d *day) removeRule(ctx context.Context) error {
	gone := decision{Path: pagePath{Field: "rules", Element: d.rule.String()}, Value: true, Reason: "Agreed: Kat's sister takes the weekends."}
	worker, err := d.desk(ctx, tom)
	if err != nil {
		return err
	}
	err = worker.post(ctx, decidePath(d.plan), gone)
	d.out.claim(isProblem(err, syncproto.CodeForbidden) || isProblem(err, syncproto.CodeDeniedField),
		"%s, who took the rule out, may not confirm that himself", d.name(tom))
	manager, err := d.desk(ctx, dilys)
	if err != nil {
		return err
	}
	before, err := manager.read(ctx, d.plan)
	if err != nil {
		return err
	}
	if err := manager.post(ctx, decidePath(d.plan), gone); err != nil {
		return fmt.Errorf("%s confirms the removal: %w", dilys, err)
	}
	after, err := manager.read(ctx, d.plan)
	if err != nil {
		return err
	}
	if _, err := d.tablet(amina).sync(ctx); err != nil {
		return err
	}
	plan, err := d.tablet(amina).view(d.plan)
	if err != nil {
		return err
	}
	rule, _ := d.ruleIn(plan)
	d.out.say("%s, the manager, confirms that the rule is taken out.", d.name(dilys))
	d.out.claim(before.inForce("rules", d.rule.String()) && !after.inForce("rules", d.rule.String()) && len(after.Conflicts) == 0,
		"the rule stood until then, and is out now")
	d.out.claim(!rule.InForce && rule.Removed != nil && rule.Removed.Confirmed && rule.Removed.Reason == removeWhy,
		"%s's tablet shows it as taken out, with the reason", d.name(amina))
	return nil
}

// makeFinal is the author's word, and then the coordinator's seal.
func (d *day) makeFinal(ctx context.Context) error {
	desk, err := d.desk(ctx, grace)
	if err != nil {
		return err
	}
	refused, err := d.tryToFinalise(ctx, desk)
	if err != nil {
		return err
	}
	d.out.claim(len(refused.Details) == 3 && refused.Code == syncproto.CodeNotConfirmed, "all that is missing now is the author's word, on each record")
	author, err := d.desk(ctx, amina)
	if err != nil {
		return err
	}
	heads, err := d.heads(ctx, author)
	if err != nil {
		return err
	}
	if err := author.post(ctx, "/v1/records/"+d.visit.String()+"/confirm", heads); err != nil {
		return fmt.Errorf("%s confirms: %w", amina, err)
	}
	d.out.say("%s confirms the visit and both children's parts.", d.name(amina))
	err = desk.post(ctx, "/v1/records/"+d.visit.String()+"/finalise", heads)
	d.out.claim(isProblem(err, syncproto.CodeStaleHeads), "a seal on the version before her confirmation is refused: it is not all there is")
	if err := d.finalise(ctx, desk); err != nil {
		return fmt.Errorf("%s finalises: %w", grace, err)
	}
	d.out.say("%s makes the visit final.", d.name(grace))
	return d.checkSeal(ctx, desk)
}

// checkSeal looks at the seal on the server and on a tablet.
func (d *day) checkSeal(ctx context.Context, desk *browser) error {
	t := d.tablet(amina)
	got, err := t.sync(ctx)
	if err != nil {
		return err
	}
	d.out.say("%s's tablet hears of it: %s.", t.who.name, got)
	together, same, derived := true, true, true
	for _, record := range d.group() {
		p, err := desk.read(ctx, record)
		if err != nil {
			return err
		}
		v, err := t.view(record)
		if err != nil {
			return err
		}
		if p.Seal == nil || v.Seal == nil {
			together = false
			continue
		}
		d.out.quote("%s: sealed as %s", d.whose(p.Record), p.Seal.Hash[:16])
		together = together && len(p.Seal.Group) == 3
		same = same && p.Seal.Hash == fmt.Sprintf("%x", v.Seal.Hash) && fingerprint(v) == v.Seal.Hash
		if counts, ok := v.Field("counts_as_statutory"); ok {
			yes, _ := counts.Value.AsBool()
			derived = derived && yes
		}
	}
	d.out.claim(together, "one seal holds the visit and both children's parts")
	d.out.claim(same, "the tablet works out the same fingerprints from the changes it holds")
	d.out.claim(derived, "for both children it counts as a statutory visit: worked out, not ticked")
	return nil
}

// fingerprint works out what a tablet's final record should be sealed as. The
// view's heads are past the seal: the change that finalised comes after it.
func fingerprint(v *syncproto.View) [32]byte {
	sealed := *v
	sealed.Heads = v.Seal.Heads
	return syncproto.VersionHash(&sealed)
}
