package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// comeBack brings everybody back into signal, twice: on the borough itself, and
// on a copy of it and of every tablet with the order of arrival turned round.
func (d *day) comeBack(ctx context.Context) error {
	twin, err := d.restartAndCopy()
	if err != nil {
		return err
	}
	first, err := d.evening(ctx, d.scene, tom, amina, lena)
	if err != nil {
		return err
	}
	d.out.say("The same evening on the copy, the other way round:")
	second, err := d.eveningOnCopy(ctx, twin, lena, amina, tom)
	if err != nil {
		return err
	}
	d.out.claim(maps.Equal(first.folds[amina], first.folds[tom]) && maps.Equal(second.folds[amina], second.folds[tom]),
		"%s's tablet and %s's have the same bytes for all %s of the family", d.name(amina), d.name(tom), some(len(first.folds[amina]), "record"))
	d.out.claim(maps.Equal(first.folds[amina], second.folds[amina]), "in either order of arrival the tablets end with the same bytes")
	d.out.claim(maps.Equal(first.pages, second.pages) && len(first.pages) == len(first.folds[amina]),
		"in either order the server's answer for each record is the same, byte for byte")
	d.out.claim(first.guarded && second.guarded, "at no moment, in either order, was Yes in force on anybody's screen while No stood beside it")
	if err := d.mergedWords(); err != nil {
		return err
	}
	if err := d.whoWroteWhat(ctx); err != nil {
		return err
	}
	if err := d.lenaGone(ctx); err != nil {
		return err
	}
	return d.freshTablet(ctx, first.folds[amina])
}

// eveningOnCopy plays an evening on a copy of the world, which is gone afterwards.
func (d *day) eveningOnCopy(ctx context.Context, twin *scene, order ...string) (out outcome, err error) {
	defer func() {
		for _, t := range twin.tablets {
			d.spent = d.spent.plus(t.wire.used())
		}
		err = errors.Join(err, twin.close(), os.RemoveAll(twin.folder))
	}()
	if err := twin.open(""); err != nil {
		return out, err
	}
	return d.evening(ctx, twin, order...)
}

// restartAndCopy stops the server in the middle of the day, looks at its files,
// copies the whole world and starts it again.
func (d *day) restartAndCopy() (*scene, error) {
	waiting, err := d.tablet(amina).device.Outbox()
	if err != nil {
		return nil, err
	}
	d.forgetDesks()
	if err := d.scene.close(); err != nil {
		return nil, err
	}
	size, leaks, err := search(d.folder, d.maya.name+" Rose", mayasWords, removeWhy, lenasNote)
	if err != nil {
		return nil, err
	}
	d.out.say("The server is stopped and the tablets are off: %s on disk, all in all.", amount(size))
	d.out.claim(leaks == 0, "no name, rule, note or child's words can be read in any file of the server or of a tablet")
	twin, err := d.scene.copyTo(filepath.Join(d.folder, "twin"), d.opts.Seed)
	if err != nil {
		return nil, err
	}
	if err := d.scene.open(d.opts.Listen); err != nil {
		return nil, err
	}
	after, err := d.tablet(amina).device.Outbox()
	if err != nil {
		return nil, err
	}
	d.out.claim(after == waiting, "switched on again, %s's tablet still holds its %s for the server", d.name(amina), some(waiting.Changes, "change"))
	return twin, nil
}

// forgetDesks closes the browsers: the server's address may change.
func (d *day) forgetDesks() {
	for login, b := range d.desks {
		d.spent = d.spent.plus(b.wire.used())
		b.wire.hangUp()
		delete(d.desks, login)
	}
}

// search looks for words in the files below a folder, and for the length of it all.
func search(folder string, words ...string) (size int64, found int, err error) {
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || strings.HasSuffix(path, ".csv") {
			return err
		}
		data, err := os.ReadFile(path)
		size += int64(len(data))
		for _, w := range words {
			if bytes.Contains(data, []byte(w)) {
				found++
			}
		}
		return err
	})
	return size, found, err
}

// outcome is what an evening comes to.
type outcome struct {
	folds   map[string]map[syncproto.RecordID]string // by whose tablet
	pages   map[string]string                        // the server's answers, by record
	guarded bool                                     // the less safe answer was never in force
}

// evening has the tablets sync in an order, and once more for the news.
func (d *day) evening(ctx context.Context, s *scene, order ...string) (outcome, error) {
	out := outcome{folds: map[string]map[syncproto.RecordID]string{}, guarded: true}
	manager, err := signIn(ctx, s.town.url, d.staff[dilys])
	if err != nil {
		return out, err
	}
	defer func() {
		d.spent = d.spent.plus(manager.wire.used())
		manager.wire.hangUp()
	}()
	for round := range 2 {
		for _, login := range order {
			t := s.tablets[login]
			t.wire.offline.Store(false)
			got, err := t.sync(ctx)
			if err != nil {
				return out, err
			}
			if round == 0 {
				d.out.say("%s's tablet syncs: %s.", t.who.name, got)
				if login != lena { // she is told to purge, and answers
					d.out.claim(got.Requests == 1, "one round trip brought %s's day up and the news down", t.who.name)
				}
			}
			guarded, err := d.guarded(ctx, s, manager)
			if err != nil {
				return out, err
			}
			out.guarded = out.guarded && guarded
		}
	}
	for _, login := range []string{amina, tom} {
		if out.folds[login], err = s.tablets[login].folds(d.family); err != nil {
			return out, err
		}
	}
	out.pages, err = d.pages(ctx, manager)
	return out, err
}

// guarded looks at every screen: where there is a disagreement on seen alone, No
// must be in force, and the plan's rule must be.
func (d *day) guarded(ctx context.Context, s *scene, desk *browser) (bool, error) {
	for _, login := range []string{amina, tom} {
		part, err := s.tablets[login].view(d.maya.part)
		if err != nil {
			return false, err
		}
		plan, err := s.tablets[login].view(d.plan)
		if err != nil {
			return false, err
		}
		for _, c := range part.Conflicts {
			if c.Path.Field == "seen_alone" && !c.InForce.Equal(cbor.Text("N")) {
				return false, nil
			}
		}
		if rule, ok := d.ruleIn(plan); !ok || !rule.InForce {
			return false, nil
		}
	}
	page, err := desk.read(ctx, d.maya.part)
	if err != nil {
		return false, err
	}
	for _, c := range page.Conflicts {
		if c.Path.Field == "seen_alone" && c.InForce != "N" {
			return false, nil
		}
	}
	plan, err := desk.read(ctx, d.plan)
	if err != nil {
		return false, err
	}
	return plan.inForce("rules", d.rule.String()), nil
}

// ruleIn finds the rule of the day in a plan.
func (d *day) ruleIn(plan *syncproto.View) (syncproto.Element, bool) {
	rules, _ := plan.Field("rules")
	i := slices.IndexFunc(rules.Items, func(e syncproto.Element) bool { return e.Element == d.rule })
	if i < 0 {
		return syncproto.Element{}, false
	}
	return rules.Items[i], true
}

// pages are the server's answers for every record of the family.
func (d *day) pages(ctx context.Context, desk *browser) (map[string]string, error) {
	var list struct {
		Records []struct {
			Record string `json:"record"`
		} `json:"records"`
	}
	if _, err := desk.get(ctx, "/v1/families/"+d.family.String()+"/records", &list); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, r := range list.Records {
		body, err := desk.get(ctx, "/v1/records/"+r.Record, nil)
		if err != nil {
			return nil, err
		}
		out[r.Record] = string(body)
	}
	return out, nil
}

// mergedWords looks at what became of the two workers' words.
func (d *day) mergedWords() error {
	v, err := d.tablet(amina).view(d.visit)
	if err != nil {
		return err
	}
	hers, his := d.scripts[0].end, d.scripts[1].end
	words := textOf(v, "household_summary")
	d.finalText = words
	d.out.say("The summary now has %d characters: the opening, %d by %s and %d by %s.",
		len([]rune(words)), len([]rune(hers)), d.name(amina), len([]rune(his)), d.name(tom))
	d.out.claim(words == d.opening+hers+his || words == d.opening+his+hers,
		"every character that either typed is there, each one's passage in one piece")
	d.out.claim(textOf(v, "purpose") == purposeNow, "two corrections of one sentence are both there: %q", textOf(v, "purpose"))
	flagged := slices.ContainsFunc(v.Overlaps, func(o syncproto.Overlap) bool {
		return o.Path.Field == "purpose" && len(o.Spans) == 1 && len(o.Spans[0].Authors) == 2
	})
	d.out.claim(flagged, "that sentence is flagged, so that a person reads it")
	present, _ := v.Field("present")
	workers, _ := v.Field("workers")
	d.out.claim(len(present.Items) == 2 && len(workers.Items) == 2, "both people seen and both workers are on the visit")
	part, err := d.tablet(tom).view(d.maya.part)
	if err != nil {
		return err
	}
	quotes, _ := part.Field("child_words")
	d.out.claim(len(quotes.Items) == 1, "%s's own words reached %s's tablet as %s took them down", d.maya.name, d.name(tom), d.name(amina))
	return nil
}

// lenaGone looks at what became of the worker who was taken off.
func (d *day) lenaGone(ctx context.Context) error {
	t := d.tablet(lena)
	var marks []engine.Mark
	if err := t.device.Read(func(e *engine.Engine) { marks = e.Marks() }); err != nil {
		return err
	}
	waiting, err := t.device.Outbox()
	if err != nil {
		return err
	}
	d.out.claim(len(marks) == 1 && marks[0].Status == syncproto.StatusQuarantined && waiting.Changes == 0,
		"the server took %s's note into quarantine", t.who.name)
	if len(marks) == 1 {
		d.out.quote("her tablet tells her: %s", marks[0].Plain())
	}
	_, err = t.device.View(d.visit)
	d.out.claim(err != nil, "the family is gone from %s's screen", t.who.name)
	if err := t.switchOff(); err != nil {
		return err
	}
	left, err := t.rowsOf(d.family)
	if err != nil {
		return err
	}
	if err := t.switchOn(d.scene.town.url); err != nil {
		return err
	}
	d.out.claim(left == 0, "not one word of the family is left in her tablet's store")
	families, err := t.families()
	if err != nil {
		return err
	}
	d.out.claim(len(families) == 1, "her other family is still there")
	return d.noteInCustody(ctx)
}

// custody is the list of what awaits a reviewer.
type custody struct {
	Changes []struct {
		Change string `json:"change"`
		Author string `json:"author"`
	} `json:"changes"`
	People map[string]string `json:"people"`
}

// noteInCustody looks for the note of the worker who was taken off.
func (d *day) noteInCustody(ctx context.Context) error {
	manager, err := d.desk(ctx, dilys)
	if err != nil {
		return err
	}
	var list custody
	listed, err := manager.get(ctx, "/v1/custody", &list)
	if err != nil {
		return err
	}
	if len(list.Changes) != 1 {
		return fmt.Errorf("%d changes are in custody, not one", len(list.Changes))
	}
	words, err := manager.get(ctx, "/v1/custody/"+list.Changes[0].Change, nil)
	if err != nil {
		return err
	}
	d.out.claim(list.People[list.Changes[0].Author] == d.name(lena) && !bytes.Contains(listed, []byte(lenasNote)) && bytes.Contains(words, []byte(lenasNote)),
		"%s, the manager, finds the note in custody, and with it every word", d.name(dilys))
	page, err := manager.get(ctx, "/v1/records/"+d.visit.String(), nil)
	if err != nil {
		return err
	}
	v, err := d.tablet(amina).view(d.visit)
	if err != nil {
		return err
	}
	_, there := v.Field("worker_raw_note")
	d.out.claim(!there && !bytes.Contains(page, []byte(lenasNote)), "it is not part of the visit, on the server or on a tablet")
	return nil
}

// freshTablet enrols a tablet that was never there.
func (d *day) freshTablet(ctx context.Context, want map[syncproto.RecordID]string) error {
	code, err := d.scene.town.issueCode(ctx, dilys)
	if err != nil {
		return err
	}
	t := newTablet(d.staff[dilys], d.scene.tabletsDir(), d.opts.Seed, time.Now())
	if err := t.enrol(ctx, d.scene.town.url, code); err != nil {
		return err
	}
	d.scene.tablets[dilys] = t
	got, err := t.sync(ctx)
	if err != nil {
		return err
	}
	d.out.say("%s enrols a new tablet: %s.", t.who.name, got)
	have, err := t.folds(d.family)
	if err != nil {
		return err
	}
	d.out.claim(maps.Equal(have, want), "from the server's feed alone it works out the same bytes for all %s", some(len(want), "record"))
	return nil
}
