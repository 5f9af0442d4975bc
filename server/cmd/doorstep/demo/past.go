package demo

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"time"

	"doorstep/syncproto"
)

// pastMonths is how far back the past of a borough goes that is kept running: as far as the
// figures of the time given back.
const pastMonths = 6

// round is a family that somebody visits again and again.
type round struct {
	login, coordinator string
	family             string // as its name begins
	children           []string
	visitType          string
	every              int // days
}

var rounds = []round{
	{amina, grace, "Pepperdine", []string{"Maya", "Jo"}, "CP", 13},
	{amina, grace, "Żółkiewska", []string{"Zuzia"}, "ASSESS", 19},
	{tom, grace, "Cali", []string{"Xaawo", "Cabdi", "Ubax"}, "CIN", 20},
	{rhys, sian, "রহমান", []string{"Tania"}, "CLA", 24},
	{rhys, sian, "রহমান", []string{"Rafi"}, "CIN", 18},
	{rhys, sian, "ap Gwilym", []string{"Gwen", "Macs"}, "CIN", 17},
}

// What the visits of the past say, in turn.
var (
	pastSummaries = []string{
		"Everybody was at home. We went through the plan line by line and ticked off what is done.",
		"A short visit before tea. The house was warm and there was food in the fridge.",
		"We met after school and walked home together. The mornings have gone better since the last visit.",
		"It was a hard week, and they said so. We agreed what happens if it gets worse, and who to ring.",
		"The school had rung about two days missed. We spoke about why, and what would help.",
	}
	pastWords = []string{
		"%s, you showed me what you made at school, and told me who helps you with your reading.",
		"%s, you said that the evenings are quieter now. I have written down what you want to change.",
		"%s, we drew your safe people together. Nan is one of them, and so is your teacher.",
		"%s, you did not want to talk for long, and that is all right. I will come again.",
	}
)

// pastVisit is one visit of the past, with what became of it.
type pastVisit struct {
	*round
	n          int // of its round
	start, end time.Time
	toFinal    time.Duration // from its end
	looks      int           // of the coordinator at it, five minutes each
	// offered is how long after a child came back from being missing, on the morning of the
	// visit, an interview was offered; 0: no child was missing.
	offered time.Duration
}

func (v *pastVisit) final() time.Time { return v.end.Add(v.toFinal) }

// playPast has the borough's people work for some months, by the clocks of those days:
// visits on tablets, confirmed by their authors, prepared and made final at the desk;
// children who went missing and were offered to talk about it. It is the same for the same
// seed. Nothing of it is written behind the server's back, which is started twice for it:
// while it runs, its clock never goes back.
func (d *day) playPast(ctx context.Context, months int) error {
	if months == 0 {
		return nil
	}
	began := time.Now()
	first := time.Date(began.Year(), began.Month()-time.Month(months-1), 2, 0, 0, 0, 0, time.UTC)
	if err := d.reopen(began.Sub(first)); err != nil {
		return err
	}
	p := &past{day: d, desks: map[string]*http.Client{}}
	visits := d.pastVisits(first, began)
	for i := range visits {
		if err := p.play(ctx, &visits[i]); err != nil {
			return fmt.Errorf("playing the past: %w", err)
		}
	}
	for _, login := range d.scene.logins() {
		d.tablet(login).clock.passUntil(began)
	}
	if err := d.reopen(0); err != nil {
		return err
	}
	d.out.say("%s of the last %d months were made final, by the clocks of those days, in %s.", some(len(visits), "visit"), months, took(time.Since(began)))
	return nil
}

// reopen starts the server and the tablets anew, the server's clock behind.
func (d *day) reopen(behind time.Duration) error {
	d.forgetDesks()
	if err := d.scene.close(); err != nil {
		return err
	}
	return d.scene.openBehind(d.opts.Listen, behind)
}

// pastVisits are the visits of the months, in the order in which they were made final:
// sooner and with less work at the desk as the months went by.
func (d *day) pastVisits(first, now time.Time) (out []pastVisit) {
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], d.opts.Seed)
	rng := rand.New(rand.NewChaCha8(seed))
	for i := range rounds {
		r := &rounds[i]
		day := first.AddDate(0, 0, rng.IntN(r.every))
		for n := 0; ; n++ {
			v := pastVisit{round: r, n: n, start: workday(day).Add(time.Duration(9*60+rng.IntN(7*60)) * time.Minute)}
			v.end = v.start.Add(time.Duration(35+rng.IntN(50)) * time.Minute)
			old := float64(now.Sub(v.end)) / float64(now.Sub(first)) // 1: the oldest
			v.toFinal = time.Duration((14 + 60*old + 20*rng.Float64()) * float64(time.Hour))
			v.looks = 3 + rng.IntN(3) + int(6*old)
			if rng.IntN(6) == 0 {
				v.offered = time.Duration(6+rng.IntN(84)) * time.Hour
			}
			if v.final().Add(24 * time.Hour).After(now) {
				break
			}
			out = append(out, v)
			day = day.AddDate(0, 0, r.every-2+rng.IntN(5))
		}
	}
	slices.SortFunc(out, func(a, b pastVisit) int { return a.final().Compare(b.final()) })
	return out
}

// workday is a day, or the Monday after.
func workday(day time.Time) time.Time {
	for day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
		day = day.AddDate(0, 0, 1)
	}
	return day
}

// past plays.
type past struct {
	*day
	desks map[string]*http.Client // who looks at pages of the desk, by login
}

// people are the family's record and its children's, as the worker's tablet has them.
func (r *round) people(t *tablet) (family syncproto.FamilyID, children []*syncproto.View, err error) {
	found, err := t.find("family", func(v *syncproto.View) bool { return strings.HasPrefix(textOf(v, "name"), r.family) })
	if err != nil {
		return family, nil, err
	}
	for _, name := range r.children {
		child, err := t.find("person", func(v *syncproto.View) bool {
			return v.Family == found.Family && strings.HasPrefix(textOf(v, "known_as"), name)
		})
		if err != nil {
			return family, nil, err
		}
		children = append(children, child)
	}
	return found.Family, children, nil
}

// play is one visit, from the doorstep to final.
func (p *past) play(ctx context.Context, v *pastVisit) error {
	t := p.tablet(v.login)
	family, children, err := v.people(t)
	if err != nil {
		return err
	}
	visit := syncproto.RecordID(t.chance.draw())
	records := []syncproto.RecordID{visit}
	t.clock.goTo(v.start)
	o := outing{visitType: v.visitType, outcome: "COMPLETED", summary: pastSummaries[v.n%len(pastSummaries)]}
	if _, err := t.edit(family, visit, "visit", o.opsAt(t, v.start, v.end)...); err != nil {
		return err
	}
	for i, child := range children {
		part := syncproto.PartID(visit, child.Record)
		records = append(records, part)
		said := fmt.Sprintf(pastWords[(v.n+i)%len(pastWords)], v.children[i])
		if _, err := t.edit(family, part, "visit_child", setRef("visit", visit), setRef("child", child.Record),
			set("seen", "Y"), set("seen_alone", "Y"), set("bedroom_seen", "Y"), set("analysis", said)); err != nil {
			return err
		}
	}
	if v.offered != 0 {
		if err := p.missing(v, family, children[0].Record); err != nil {
			return err
		}
	}
	t.clock.goTo(v.end.Add(40 * time.Minute))
	if _, err := t.edit(family, visit, "visit", syncproto.Op{Code: syncproto.OpHandOver}); err != nil {
		return err
	}
	p.scene.town.goTo(v.end.Add(time.Hour))
	if _, err := t.device.Sync(ctx); err != nil {
		return err
	}
	return p.toFinal(ctx, v, records)
}

// toFinal is what is done with a visit afterwards.
func (p *past) toFinal(ctx context.Context, v *pastVisit, records []syncproto.RecordID) error {
	town, final := p.scene.town, v.final()
	author, err := p.desk(ctx, v.login)
	if err != nil {
		return err
	}
	desk, err := p.desk(ctx, v.coordinator)
	if err != nil {
		return err
	}
	address := "/v1/records/" + records[0].String()
	town.goTo(v.end.Add(v.toFinal / 2))
	heads, err := author.headsOf(ctx, records)
	if err == nil {
		err = author.post(ctx, address+"/confirm", heads)
	}
	for look := v.looks; look > 0 && err == nil; look-- {
		town.goTo(final.Add(-time.Duration(look) * 5 * time.Minute))
		err = p.look(ctx, v.coordinator, records[0])
	}
	if err != nil {
		return err
	}
	town.goTo(final)
	if heads, err = desk.headsOf(ctx, records); err != nil {
		return err
	}
	if err := desk.post(ctx, address+"/finalise", heads); err != nil || v.n%2 != 0 {
		return err
	}
	for _, kind := range v.meetings() {
		if err := p.meet(ctx, v, kind, author, desk); err != nil {
			return err
		}
	}
	return nil
}

// meetings are those that policy asks for, by the type of the visits: a review conference
// after every eighth.
func (v *pastVisit) meetings() []string {
	switch {
	case v.visitType == "CP" && v.n%8 == 0:
		return []string{"CORE_GROUP", "CP_REVIEW"}
	case v.visitType == "CP":
		return []string{"CORE_GROUP"}
	case v.visitType == "CIN":
		return []string{"CIN_MEETING"}
	}
	return nil
}

// What the minutes of the past say, in turn.
var pastMinutes = []string{
	"Everybody said how the plan is going. The school sees a child who is less tired. The health visitor has not been let in twice.",
	"The mornings were the worry last time, and are not now. What is left is the evenings when there is nobody to ring.",
	"We went through each line of the plan. Two are done; the rest stays as it is until the next meeting.",
}

// meet has the coordinator take the minutes of a meeting, its author confirm them, and the
// coordinator make them final, all on the day on which a visit was made final.
func (p *past) meet(ctx context.Context, v *pastVisit, kind string, author, desk *browser) error {
	t := p.tablet(v.login)
	family, _, err := v.people(t)
	if err != nil {
		return err
	}
	record, err := desk.typesUp(ctx, family, t.device.Identity().User, "Notes of the meeting", map[string]any{
		"type": kind, "start": v.final().Add(-30 * time.Minute).UnixMilli(), "discussed": pastMinutes[v.n/2%len(pastMinutes)]})
	if err != nil {
		return err
	}
	for _, step := range []struct {
		by  *browser
		act string
	}{{author, "/confirm"}, {desk, "/finalise"}} {
		heads, err := step.by.headsOf(ctx, []syncproto.RecordID{record})
		if err == nil {
			err = step.by.post(ctx, "/v1/records/"+record.String()+step.act, heads)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// typesUp types up minutes for somebody, who was there.
func (b *browser) typesUp(ctx context.Context, family syncproto.FamilyID, author syncproto.UserID, source string, said map[string]any) (record syncproto.RecordID, err error) {
	var begun struct{ Record string }
	if _, err := b.call(ctx, http.MethodPost, "/v1/families/"+family.String()+"/type-up", map[string]string{
		"kind": "minutes", "for": author.String(), "source": source, "capture": "typed"}, &begun); err != nil {
		return record, err
	}
	id, err := syncproto.ParseID(begun.Record)
	if err != nil {
		return record, err
	}
	record = syncproto.RecordID(id)
	at := "/v1/records/" + begun.Record
	page, err := b.read(ctx, record)
	if err != nil {
		return record, err
	}
	var sets []map[string]any
	for _, field := range slices.Sorted(maps.Keys(said)) {
		sets = append(sets, map[string]any{"path": map[string]string{"field": field}, "value": said[field]})
	}
	if err := b.post(ctx, at+"/fill", map[string]any{"sets": sets, "seen": page.Heads}); err != nil {
		return record, err
	}
	if page, err = b.read(ctx, record); err != nil {
		return record, err
	}
	return record, b.post(ctx, at+"/enter", map[string]any{"field": "attendees", "seen": page.Heads, "entries": []any{
		map[string]any{"value": map[string]any{"worker": map[string]string{"$bytes": author.String()}, "role": "SW"}},
		map[string]any{"value": map[string]any{"name": "The school nurse", "role": "OTHER"}}}})
}

// headsOf reads the versions of records that are sealed together.
func (b *browser) headsOf(ctx context.Context, records []syncproto.RecordID) (out namedHeads, err error) {
	for _, record := range records {
		p, err := b.read(ctx, record)
		if err != nil {
			return out, err
		}
		out.Heads = append(out.Heads, recordHeads{p.Record, p.Heads})
	}
	return out, nil
}

// missing records that a child was missing overnight, and was offered to talk about it:
// mostly in time.
func (p *past) missing(v *pastVisit, family syncproto.FamilyID, child syncproto.RecordID) error {
	t, back := p.tablet(v.login), v.start.Add(-2*time.Hour)
	episode, offered := syncproto.RecordID(t.chance.draw()), back.Add(v.offered)
	_, err := t.edit(family, episode, "missing_episode", setRef("child", child), set("state", "CLOSED"),
		setTime("start", back.Add(-11*time.Hour)), setTime("end", back))
	if err != nil {
		return err
	}
	_, err = t.edit(family, syncproto.RecordID(t.chance.draw()), "return_interview", setRef("child", child), setRef("episode", episode),
		setTime("returned_at", back), set("offered", "Y"), setTime("offered_at", offered), set("accepted", "N"))
	return err
}

// look opens a record's page at the desk.
func (p *past) look(ctx context.Context, login string, record syncproto.RecordID) error {
	client := p.desks[login]
	if client == nil {
		jar, err := cookiejar.New(nil)
		if err != nil {
			return err
		}
		client = &http.Client{Jar: jar, Transport: newWire().client.Transport}
		p.desks[login] = client
		form := url.Values{"login": {login}, "password": {p.staff[login].password}}
		if err := send(ctx, client, http.MethodPost, p.scene.town.url+"/desk/sign-in", form.Encode()); err != nil {
			return err
		}
	}
	return send(ctx, client, http.MethodGet, p.scene.town.url+"/desk/records/"+record.String(), "")
}

// send asks for a page as a browser does, and wants one.
func send(ctx context.Context, client *http.Client, method, address, form string) error {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("the desk answers %d: %w", res.StatusCode, err)
	}
	return nil
}
