package demo

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"doorstep/server"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// setUp makes a borough and brings the caseload in.
func (d *day) setUp(ctx context.Context) error {
	d.scene = &scene{folder: filepath.Join(d.folder, "day"), tablets: map[string]*tablet{}}
	began := time.Now()
	town, err := foundBorough(ctx, d.scene.townDir(), d.opts.Listen)
	if err != nil {
		return err
	}
	d.scene.town = town
	d.out.say("A borough is founded: keys drawn, journal, index and key store made, server listening at %s, in %s.", town.url, took(time.Since(began)))
	if err := d.refuseBadCaseload(ctx); err != nil {
		return err
	}
	began = time.Now()
	report, err := town.bringIn(ctx, d.opts.Caseload)
	if err != nil {
		return err
	}
	if len(report.Problems) > 0 {
		return caseloadError(d.opts.Caseload, report)
	}
	lines := 0
	for _, f := range report.Files {
		lines += f.Lines
	}
	d.out.say("The example caseload is imported from %s: %s, %s, %s, %s, in %s.",
		d.opts.Caseload, some(len(report.Files), "file"), some(lines, "line"), some(report.NewRecords, "record"),
		some(len(report.NewAccounts), "worker"), took(time.Since(began)))
	for _, a := range report.NewAccounts {
		d.staff[a.Login] = worker{login: a.Login, name: a.Name, role: a.Role, password: pass}
	}
	again, err := town.bringIn(ctx, d.opts.Caseload)
	if err != nil {
		return err
	}
	d.out.claim(again.Unchanged && again.Position == 0, "importing the same files once more stores nothing")
	for _, login := range []string{amina, tom, lena, rhys, grace, dilys, sam} {
		if d.staff[login].login == "" {
			return fmt.Errorf("the caseload has no %s: the day is written for the example caseload", login)
		}
	}
	return nil
}

func caseloadError(folder string, report server.ImportReport) error {
	var b strings.Builder
	for _, p := range report.Problems {
		fmt.Fprintf(&b, "\n  %s line %d, %s: %s", p.File, p.Line, p.Column, p.Plain)
	}
	return fmt.Errorf("the caseload in %s has problems:%s", folder, b.String())
}

// refuseBadCaseload brings in files with two bad lines before the good ones.
func (d *day) refuseBadCaseload(ctx context.Context) error {
	bad := filepath.Join(d.folder, "caseload-with-bad-lines")
	err := changedCaseload(d.opts.Caseload, bad,
		swap{file: "people.csv", old: "9990100071", new: "9990100072"},
		swap{file: "allocations.csv", old: "A-4,F-1002,W-102", new: "A-4,F-1002,W-999"})
	if err != nil {
		return err
	}
	report, err := d.scene.town.bringIn(ctx, bad)
	if err != nil {
		return err
	}
	accounts, err := d.scene.town.operator.Users(ctx)
	if err != nil {
		return err
	}
	d.out.say("A caseload with two bad lines is tried first. The import says:")
	for _, p := range report.Problems {
		d.out.quote("%s line %d, %s: %s", p.File, p.Line, p.Column, p.Plain)
	}
	hit := map[string]bool{}
	for _, p := range report.Problems {
		hit[p.File] = true
	}
	d.out.claim(len(report.Problems) == 2 && hit["people.csv"] && hit["allocations.csv"], "both bad lines are reported at once, and no other")
	d.out.claim(report.Position == 0 && len(accounts) == 1, "nothing of those files was stored, not even the good lines")
	return nil
}

// handOutTablets gives everybody a password, and three workers of the case and
// one of another team a tablet.
func (d *day) handOutTablets(ctx context.Context) error {
	for _, w := range d.staff {
		if err := d.scene.town.operator.SetPassword(ctx, w.login, w.password); err != nil {
			return err
		}
	}
	for _, login := range []string{amina, tom, lena, rhys} {
		code, err := d.scene.town.issueCode(ctx, login)
		if err != nil {
			return err
		}
		// The tablets' clocks begin in the morning, so that the day is past by
		// the time they come back.
		t := newTablet(d.staff[login], d.scene.tabletsDir(), d.opts.Seed, time.Now().Add(-7*time.Hour))
		if err := t.enrol(ctx, d.scene.town.url, code); err != nil {
			return err
		}
		d.scene.tablets[login] = t
		got, err := t.firstSync(ctx)
		if err != nil {
			return err
		}
		names, err := t.familyNames()
		if err != nil {
			return err
		}
		d.out.say("%s enrols a tablet and syncs for the first time: %s. Families: %s.", t.who.name, got, strings.Join(names, "; "))
	}
	if err := d.meetFamily(); err != nil {
		return err
	}
	return d.checkDoors(ctx)
}

// firstSync fetches the day's caseload. The clock is not moved: it is morning.
func (t *tablet) firstSync(ctx context.Context) (synced, error) {
	began, before := time.Now(), t.wire.used()
	report, err := t.device.Sync(ctx)
	if err != nil {
		return synced{}, fmt.Errorf("%s's tablet: %w", t.who.login, err)
	}
	return synced{Report: report, wire: t.wire.used().since(before), took: time.Since(began)}, nil
}

// meetFamily finds the family of the day on Amina's tablet, as she would.
func (d *day) meetFamily() error {
	t := d.tablet(amina)
	family, err := t.find("family", func(v *syncproto.View) bool { return strings.HasPrefix(textOf(v, "name"), "Pepperdine") })
	if err != nil {
		return err
	}
	d.family, d.familyName = family.Family, textOf(family, "name")
	for known, c := range map[string]*child{"Maya": &d.maya, "Jo": &d.jo} {
		person, err := t.find("person", func(v *syncproto.View) bool {
			return v.Family == d.family && textOf(v, "known_as") == known
		})
		if err != nil {
			return err
		}
		c.name, c.id = known, person.Record
	}
	plan, err := t.find("plan", func(v *syncproto.View) bool { return v.Family == d.family })
	if err != nil {
		return err
	}
	d.plan = plan.Record
	rules, _ := plan.Field("rules")
	for i := range rules.Items {
		if words, _ := rules.Items[i].Field("text"); strings.HasPrefix(wordsOf(words.Value), "Nan sleeps over") {
			d.rule = rules.Items[i].Element
		}
	}
	if d.rule.IsZero() {
		return errors.New("the plan has no rule about Nan: is this the example caseload?")
	}
	d.out.say("The family of the day is %s: the children are %s and %s, and a safety plan of %s is in force.",
		d.familyName, d.maya.name, d.jo.name, some(len(rules.Items), "rule"))
	return nil
}

// checkDoors tries what must not work.
func (d *day) checkDoors(ctx context.Context) error {
	outsider, err := d.tablet(rhys).families()
	if err != nil {
		return err
	}
	d.out.claim(len(outsider) > 0 && !slices.Contains(outsider, d.family),
		"%s of the other team got his own families and nothing of %s", d.name(rhys), d.familyName)
	helper, err := d.desk(ctx, sam)
	if err != nil {
		return err
	}
	var list struct {
		Families []any `json:"families"`
	}
	if _, err := helper.get(ctx, "/v1/families", &list); err != nil {
		return err
	}
	_, err = helper.read(ctx, d.plan)
	d.out.claim(len(list.Families) == 0 && isProblem(err, syncproto.CodeNotFound),
		"%s of IT sees no family, and the plan's address leads nowhere for him", d.name(sam))
	liar := d.staff[grace]
	liar.password = "knock-once-please"
	_, err = signIn(ctx, d.scene.town.url, liar)
	d.out.claim(isProblem(err, syncproto.CodeBadCredentials), "a wrong password does not open %s's account", d.name(grace))
	return nil
}

// planVisit has Amina begin the visit, with both children's parts, and hand it to
// her colleagues by way of the server.
func (d *day) planVisit(ctx context.Context) error {
	t := d.tablet(amina)
	d.visit = syncproto.RecordID(t.chance.draw())
	d.opening = "Joint visit by " + d.name(amina) + " and " + d.name(tom) + ".\n\n"
	user := t.device.Identity().User
	_, err := t.edit(d.family, d.visit, "visit",
		set("visit_type", "CP"), set("contact_mode", "IN_PERSON"), set("announced", "UNANNOUNCED"), set("place", "HOME"),
		write("purpose", purpose),
		write("household_summary", d.opening),
		t.add("workers", refPart("worker", user), textPart("role", "SW")))
	if err != nil {
		return err
	}
	for _, c := range []*child{&d.maya, &d.jo} {
		c.part = syncproto.PartID(d.visit, c.id)
		if _, err := t.edit(d.family, c.part, "visit_child", setRef("visit", d.visit), setRef("child", c.id)); err != nil {
			return err
		}
	}
	for _, login := range []string{amina, tom, lena} {
		got, err := d.tablet(login).firstSync(ctx)
		if err != nil {
			return err
		}
		d.out.say("%s's tablet syncs: %s.", d.name(login), got)
	}
	for _, login := range []string{tom, lena} {
		v, err := d.tablet(login).view(d.visit)
		if err != nil {
			return err
		}
		d.out.claim(textOf(v, "household_summary") == d.opening, "%s has the planned visit on the tablet", d.name(login))
	}
	return nil
}

func wordsOf(v cbor.Value) string {
	s, _ := v.AsText()
	return s
}

// isProblem reports whether an error is the server's word with this code.
func isProblem(err error, code syncproto.Code) bool {
	var p *problem
	return errors.As(err, &p) && p.Code == code
}
