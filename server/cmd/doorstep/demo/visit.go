package demo

import (
	"context"
	"errors"
	"strings"
	"time"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// The disagreements and the words of the visit.
const (
	purpose     = "See that the rules about Des hold, and ask Maya how the weekends are."
	purposeNow  = "See that the rules about Des hold, and ask Maya and Jo how the nights are."
	ruleNow     = "Every weekend, and on Wednesdays when Kat works late"
	removeWhy   = "Nan is having her hip done and cannot sleep over until the spring."
	mayasWords  = "When Nan is here the chain goes on the door and I can sleep."
	lenasNote   = "Kat rang the office while I was out: Des was in the street again at seven."
	lateWords   = "On the way out Nan said that she will keep her phone on all night."
	decideWhy   = "Kat stood in the doorway for most of it. Tom came in for the last five minutes only."
	josAnalysis = "Jo, you showed us your lorries and did not want to talk. That is all right. We will come again."
)

// joinVisit is the visit itself: two workers at one kitchen table, each typing
// on a tablet of their own, and no signal.
func (d *day) joinVisit(ctx context.Context) error {
	before := map[string]usage{}
	for _, login := range []string{amina, tom, lena} {
		t := d.tablet(login)
		t.wire.offline.Store(true)
		t.clock.pass(40 * time.Minute)
		before[login] = t.wire.used()
	}
	_, err := d.tablet(amina).device.Sync(ctx)
	d.out.claim(errors.Is(err, errNoSignal), "a sync without a signal fails, and takes nothing from the tablet")
	for _, step := range []func() error{d.bothArrive, d.aminaTypes, d.tomTypes, d.seenAlone, d.planRule, d.lenaWrites} {
		if err := step(); err != nil {
			return err
		}
	}
	for _, login := range []string{amina, tom, lena} {
		t := d.tablet(login)
		waiting, err := t.device.Outbox()
		if err != nil {
			return err
		}
		d.out.say("%s's tablet holds %s, %s, for the server.", t.who.name, some(waiting.Changes, "change"), amount(int64(waiting.Bytes)))
		d.out.claim(t.wire.used() == before[login] && waiting.Changes > 0, "not a byte left %s's tablet", t.who.name)
	}
	return nil
}

// bothArrive has each worker write down the plain facts.
func (d *day) bothArrive() error {
	a, t := d.tablet(amina), d.tablet(tom)
	_, err := a.edit(d.family, d.visit, "visit",
		setTime("start", time.UnixMilli(a.clock.read().UnixMS)), set("outcome", "COMPLETED"),
		a.add("present", textPart("described", "Katrin Pepperdine"), textPart("role", "Mother")),
		rewrite("purpose", purpose, "weekends", "nights"))
	if err != nil {
		return err
	}
	_, err = t.edit(d.family, d.visit, "visit",
		t.add("workers", refPart("worker", t.device.Identity().User), textPart("role", "SW")),
		t.add("present", textPart("described", "Marjorie Pepperdine"), textPart("role", "Grandmother")),
		rewrite("purpose", purpose, "Maya", "Maya and Jo"))
	if err != nil {
		return err
	}
	_, err = a.edit(d.family, d.maya.part, "visit_child",
		a.add("child_words", textPart("quote", mayasWords), textPart("to_whom", d.name(amina)), textPart("language", "en")),
		set("analysis", "Maya, you told us when you feel safe. The rules about Nan and the chain are doing what they should."))
	return err
}

// aminaTypes types the first writer's keystrokes behind the summary's opening.
func (d *day) aminaTypes() error {
	t := d.tablet(amina)
	got, err := t.typeIn(d.visit, "household_summary", len([]rune(d.opening)), d.scripts[0].strokes)
	if err != nil {
		return err
	}
	d.typedReport(t, got)
	if err := t.device.Save(d.visit); err != nil {
		return err
	}
	return d.claimSummary(t, d.opening+d.scripts[0].end, "every keystroke of hers is on %s's tablet")
}

// tomTypes does the same with the second writer's, and his battery dies.
func (d *day) tomTypes() error {
	t := d.tablet(tom)
	strokes := d.scripts[1].strokes
	offset, half := len([]rune(d.opening)), 2*len(strokes)/3+7
	first, err := t.typeIn(d.visit, "household_summary", offset, strokes[:half])
	if err != nil {
		return err
	}
	v, err := t.view(d.visit)
	if err != nil {
		return err
	}
	typedSoFar := textOf(v, "household_summary")
	d.out.say("%s's tablet loses power in the middle of a word, after %d keystrokes; nothing was closed or saved.", t.who.name, half)
	began := time.Now()
	if err := t.crash(d.scene.town.url); err != nil {
		return err
	}
	d.out.say("Switched on again, it is ready in %s.", took(time.Since(began)))
	if err := d.claimSummary(t, typedSoFar, "the last keystroke before the crash is on %s's tablet, and all before it"); err != nil {
		return err
	}
	second, err := t.typeIn(d.visit, "household_summary", offset, strokes[half:])
	if err != nil {
		return err
	}
	d.typedReport(t, typed{strokes: len(strokes), took: first.took + second.took, slowest: max(first.slowest, second.slowest)})
	if err := t.device.Save(d.visit); err != nil {
		return err
	}
	return d.claimSummary(t, d.opening+d.scripts[1].end, "every keystroke of his is on %s's tablet")
}

func (d *day) typedReport(t *tablet, got typed) {
	each := got.took / time.Duration(max(got.strokes, 1))
	d.out.say("%s types %d keystrokes into the summary. Each is on the tablet's disk before the next: %s a keystroke, %s at most.",
		t.who.name, got.strokes, took(each), took(got.slowest))
}

func (d *day) claimSummary(t *tablet, want, claim string) error {
	v, err := t.view(d.visit)
	if err != nil {
		return err
	}
	d.out.claim(textOf(v, "household_summary") == want, claim, t.who.name)
	return nil
}

// seenAlone is the first disagreement.
func (d *day) seenAlone() error {
	if _, err := d.tablet(amina).edit(d.family, d.maya.part, "visit_child", set("seen", "Y"), set("seen_alone", "N")); err != nil {
		return err
	}
	if _, err := d.tablet(tom).edit(d.family, d.maya.part, "visit_child", set("seen", "Y"), set("seen_alone", "Y")); err != nil {
		return err
	}
	for _, login := range []string{amina, tom} {
		if _, err := d.tablet(login).edit(d.family, d.jo.part, "visit_child", set("seen", "Y"), set("bedroom_seen", "Y")); err != nil {
			return err
		}
	}
	d.out.say("Was %s seen alone? %s writes No. %s writes Yes. Both write that %s was seen.", d.maya.name, d.name(amina), d.name(tom), d.jo.name)
	return nil
}

// planRule is the second: one takes out the rule that the other makes stronger.
func (d *day) planRule() error {
	path := syncproto.Path{Field: "rules", Element: d.rule}
	_, err := d.tablet(tom).edit(d.family, d.plan, "plan", syncproto.Op{Code: syncproto.OpRemove, Path: path, Reason: removeWhy})
	if err != nil {
		return err
	}
	path.Sub = "when"
	_, err = d.tablet(amina).edit(d.family, d.plan, "plan", syncproto.Op{Code: syncproto.OpSet, Path: path, Value: cbor.Text(ruleNow)})
	if err != nil {
		return err
	}
	d.out.say("The plan's rule %q: %s takes it out (%q), %s widens it (%q).",
		"Nan sleeps over", d.name(tom), strings.TrimSuffix(removeWhy, "."), d.name(amina), ruleNow)
	return nil
}

// lenaWrites has the third worker of the case take a note, far from the others.
func (d *day) lenaWrites() error {
	t := d.tablet(lena)
	_, err := t.edit(d.family, d.visit, "visit", t.add("worker_raw_note", textPart("kind", "TEXT"), textPart("text", lenasNote)))
	if err != nil {
		return err
	}
	d.out.say("%s, in the car elsewhere, adds a note to the same visit.", d.name(lena))
	return nil
}

// takeOffCase ends Lena's allocation at the office. Her tablet cannot know.
func (d *day) takeOffCase(ctx context.Context) error {
	changed := d.folder + "/caseload-of-the-afternoon"
	today := time.Now().Format(time.DateOnly)
	err := changedCaseload(d.opts.Caseload, changed,
		swap{file: "allocations.csv", old: "A-3,F-1001,W-103,CO,2025-05-12,,MANAGE", new: "A-3,F-1001,W-103,CO,2025-05-12," + today + ",MANAGE"})
	if err != nil {
		return err
	}
	report, err := d.scene.town.bringIn(ctx, changed)
	if err != nil {
		return err
	}
	d.out.say("The afternoon's import ends her allocation to %s: %s changed, %s ended.", d.familyName,
		some(report.Changed, "record"), some(report.Ended, "relation"))
	d.out.claim(len(report.Problems) == 0 && report.Ended == 1, "exactly one worker lost access to exactly one family")
	families, err := d.tablet(lena).families()
	if err != nil {
		return err
	}
	held := false
	for _, f := range families {
		held = held || f == d.family
	}
	d.out.claim(held, "%s's tablet, without a signal, does not know yet and still shows the family", d.name(lena))
	return nil
}
