package demo

import (
	"context"
	"fmt"
	"time"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// settle has the people decide who may.
func (d *day) settle(ctx context.Context) error {
	for _, step := range []func(context.Context) error{d.admitNote, d.leadDecides, d.tomStaysAway, d.coordinatorSees, d.removeRule} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// admitNote has the manager read the note in custody and let it in.
func (d *day) admitNote(ctx context.Context) error {
	manager, err := d.desk(ctx, dilys)
	if err != nil {
		return err
	}
	var list custody
	if _, err := manager.get(ctx, "/v1/custody", &list); err != nil {
		return err
	}
	if len(list.Changes) != 1 {
		return fmt.Errorf("%d changes are in custody, not one", len(list.Changes))
	}
	admit := "/v1/custody/" + list.Changes[0].Change + "/admit"
	worker, err := d.desk(ctx, amina)
	if err != nil {
		return err
	}
	err = worker.post(ctx, admit, nil)
	d.out.claim(isProblem(err, syncproto.CodeForbidden) || isProblem(err, syncproto.CodeNotFound),
		"%s may not let a note out of custody", worker.who.name)
	if err := manager.post(ctx, admit, nil); err != nil {
		return fmt.Errorf("%s admits a note: %w", dilys, err)
	}
	d.out.say("%s has read %s's note and lets it out of custody.", manager.who.name, d.name(lena))
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
	seen, err := worker.read(ctx, d.plan)
	if err != nil {
		return err
	}
	gone.Seen = seen.Heads
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
