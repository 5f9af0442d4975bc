package demo

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
)

// lateEdit brings the one tablet back that was still away.
func (d *day) lateEdit(ctx context.Context) error {
	desk, err := d.desk(ctx, grace)
	if err != nil {
		return err
	}
	before, err := desk.read(ctx, d.visit)
	if err != nil {
		return err
	}
	t := d.tablet(tom)
	t.wire.offline.Store(false)
	got, err := t.sync(ctx)
	if err != nil {
		return err
	}
	d.out.say("%s's tablet finds a signal: %s.", t.who.name, got)
	var marks []engine.Mark
	if err := t.device.Read(func(e *engine.Engine) { marks = e.Marks() }); err != nil {
		return err
	}
	d.out.claim(len(marks) == 1 && marks[0].Status == syncproto.StatusLate, "his note was taken in, as late")
	if len(marks) == 1 {
		d.out.quote("his tablet tells him: %s", marks[0].Plain())
	}
	after, err := desk.read(ctx, d.visit)
	if err != nil {
		return err
	}
	d.out.claim(len(after.Addenda) == 1 && after.Addenda[0].Late && after.People[after.Addenda[0].By.Author] == t.who.name,
		"it stands beside the final visit as an addendum, under %s's name", t.who.name)
	d.out.claim(before.Seal != nil && after.Seal != nil && before.Seal.Hash == after.Seal.Hash && after.field("household_summary").Text == d.finalText,
		"the final version has not changed")
	return d.addendum(ctx)
}

// addendum adds what came to light later, as people do on purpose.
func (d *day) addendum(ctx context.Context) error {
	author, err := d.desk(ctx, amina)
	if err != nil {
		return err
	}
	err = author.post(ctx, "/v1/records/"+d.visit.String()+"/addendum", map[string]any{
		"text": "Nan rang at 18:40: she can still do Sundays.", "happened_ms": time.Now().UnixMilli(), "reason": "She rang after the visit was final."})
	if err != nil {
		return fmt.Errorf("%s adds to the visit: %w", amina, err)
	}
	for _, login := range []string{amina, tom, dilys} {
		if _, err := d.tablet(login).sync(ctx); err != nil {
			return err
		}
	}
	folds := map[string]map[syncproto.RecordID]string{}
	for _, login := range []string{amina, tom, dilys} {
		if folds[login], err = d.tablet(login).folds(d.family); err != nil {
			return err
		}
	}
	v, err := d.tablet(tom).view(d.visit)
	if err != nil {
		return err
	}
	d.out.say("%s adds what she heard since, as an addendum.", d.name(amina))
	d.out.claim(len(v.Addenda) == 2, "both addenda are on %s's tablet", d.name(tom))
	d.out.claim(maps.Equal(folds[amina], folds[tom]) && maps.Equal(folds[amina], folds[dilys]),
		"at the end of the day three tablets have the same bytes for all %s of the family", some(len(folds[amina]), "record"))
	return nil
}

// rebuild throws the index away: all that it knew is in the journal.
func (d *day) rebuild(ctx context.Context) error {
	desk, err := d.desk(ctx, dilys)
	if err != nil {
		return err
	}
	before, err := d.pages(ctx, desk)
	if err != nil {
		return err
	}
	d.forgetDesks()
	data := d.scene.town.data
	if err := d.scene.close(); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(data, "index")); err != nil {
		return err
	}
	began := time.Now()
	if err := d.scene.open(d.opts.Listen); err != nil {
		return err
	}
	d.out.say("Started again in %s, the index built anew from the journal.", took(time.Since(began)))
	if desk, err = d.desk(ctx, dilys); err != nil {
		return err
	}
	after, err := d.pages(ctx, desk)
	if err != nil {
		return err
	}
	d.out.claim(maps.Equal(before, after) && len(after) > 0, "the server's answer for each of the family's %s is the same, byte for byte", some(len(after), "record"))
	got, err := d.tablet(amina).sync(ctx)
	if err != nil {
		return err
	}
	d.out.claim(got.Report.Requests == 1, "%s's tablet carries on where it was: %s", d.name(amina), got)
	return nil
}
