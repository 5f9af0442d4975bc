package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// outing is one visit of the days before, for whoever looks around afterwards.
type outing struct {
	login         string
	family, child string // as the names begin
	visitType     string
	outcome       string
	ago           time.Duration
	summary       string
	analysis      string
	handedOver    bool
	confirmed     bool
	final         bool
	question      string // of the coordinator
}

// outings give each state of the queue and of the chasing list something to show.
var outings = []outing{
	{login: amina, family: "Żółkiewska", child: "Zuzia", visitType: "CIN", outcome: "COMPLETED", ago: 26 * time.Hour, handedOver: true, confirmed: true,
		summary: "Zuzia showed me the reading corner. Aga has the cot and the bedding now; the heating works again.", analysis: "Zuzia, you have your own corner to read in, and you told me that it is warm at night now."},
	{login: tom, family: "Cali", child: "Xaawo", visitType: "CIN", outcome: "COMPLETED", ago: 50 * time.Hour, handedOver: true,
		summary:  "Sahra spoke about the letters from school. Xaawo interpreted for her twice, which we stopped.",
		analysis: "Xaawo, you should not have to interpret for Hooyo. Next time there will be somebody whose work that is.", question: "Was the interpreter booked for the next visit? The plan says so."},
	{login: tom, family: "Cali", child: "Cabdi", visitType: "CIN", outcome: "NO_REPLY", ago: 6 * 24 * time.Hour, handedOver: true,
		summary: "Nobody came to the door at four. The lights were on upstairs."},
	{login: amina, family: "Pepperdine", child: "Maya", visitType: "CP", outcome: "COMPLETED", ago: 8 * 24 * time.Hour,
		summary: "Short visit after school, to bring the copy of the plan."},
	{login: rhys, family: "রহমান", child: "Tania", visitType: "CIN", outcome: "COMPLETED", ago: 75 * time.Hour, handedOver: true, confirmed: true, final: true,
		summary: "Tania and I walked to the library together. Josephine had made the doctor's appointment.", analysis: "Tania, you go to the library every Thursday now, and your mum keeps what she promised."},
	{login: amina, family: "Żółkiewska", child: "Zuzia", visitType: "CIN", outcome: "COMPLETED", ago: 170 * time.Hour, handedOver: true, confirmed: true, final: true,
		summary: "Aga showed me the room before the bed came. The landlord had not been.", analysis: "Zuzia, you slept on the sofa that week. Your mum rang the landlord while I was there."},
	{login: rhys, family: "রহমান", child: "Tania", visitType: "CIN", outcome: "COMPLETED", ago: 30 * time.Hour, handedOver: true,
		summary: "Tania had a friend there. Josephine says that the mornings go better."},
}

// furnish adds some days' work to the borough, so that who looks around finds every
// state of a record, and things to chase.
func (d *day) furnish(ctx context.Context) error {
	for i := range outings {
		if _, err := d.goOn(ctx, &outings[i]); err != nil {
			return fmt.Errorf("playing the days before: %w", err)
		}
	}
	if err := d.minutes(ctx); err != nil {
		return fmt.Errorf("typing minutes up: %w", err)
	}
	return errors.Join(d.promise(ctx), d.letIn(ctx))
}

// letIn gives who has no families of their own something of today to do: a consultation
// goes on, a sample is open for inspection, and a file was opened in the night.
func (d *day) letIn(ctx context.Context) error {
	t := d.tablet(tom)
	cali, err := t.find("family", func(v *syncproto.View) bool { return strings.HasPrefix(textOf(v, "name"), "Cali") })
	if err != nil {
		return err
	}
	for _, g := range []struct {
		by, to, basis, reason string
		family                syncproto.FamilyID
	}{
		{dilys, ines, "CONSULT", "How do we talk with Maya about her father?", d.family},
		{martin, ruth, "SAMPLE", "Four files a team for the autumn's look at plans.", d.family},
		{martin, ruth, "SAMPLE", "Four files a team for the autumn's look at plans.", cali.Family},
	} {
		desk, err := d.desk(ctx, g.by)
		if err != nil {
			return err
		}
		to, err := d.userID(ctx, g.to)
		if err != nil {
			return err
		}
		err = desk.post(ctx, "/v1/families/"+g.family.String()+"/grants", map[string]any{
			"user": to, "basis": g.basis, "to_ms": time.Now().Add(14 * 24 * time.Hour).UnixMilli(), "reason": g.reason})
		if err != nil {
			return fmt.Errorf("letting %s in: %w", g.to, err)
		}
	}
	duty, err := d.desk(ctx, owen)
	if err != nil {
		return err
	}
	return duty.post(ctx, "/v1/break-glass", map[string]any{
		"reference": nightRef, "code": "OUT_OF_HOURS_CALL", "text": "A neighbour rang: shouting, and nobody opens."})
}

// minutes are typed up for a worker, who has not confirmed them yet.
func (d *day) minutes(ctx context.Context) error {
	t := d.tablet(amina)
	sheet, err := t.find("family", func(v *syncproto.View) bool { return strings.HasPrefix(textOf(v, "name"), "Żółkiewska") })
	if err != nil {
		return err
	}
	desk, err := d.desk(ctx, grace)
	if err != nil {
		return err
	}
	_, err = desk.typesUp(ctx, sheet.Family, t.device.Identity().User, "My notes of the meeting, and Amina's of what Aga said", map[string]any{
		"type": "CIN_MEETING", "start": time.Now().Add(-5 * time.Hour).UnixMilli(),
		"discussed": "Aga said that the heating works. The school would like Zuzia to stay for the reading club on Thursdays. Nobody has heard from the landlord about the window."})
	return err
}

// goOn plays one outing, and returns its visit.
func (d *day) goOn(ctx context.Context, o *outing) (visit syncproto.RecordID, err error) {
	t := d.tablet(o.login)
	if _, err := t.sync(ctx); err != nil {
		return visit, err
	}
	family, err := t.find("family", func(v *syncproto.View) bool { return strings.HasPrefix(textOf(v, "name"), o.family) })
	if err != nil {
		return visit, err
	}
	child, err := t.find("person", func(v *syncproto.View) bool {
		return v.Family == family.Family && strings.HasPrefix(textOf(v, "known_as"), o.child)
	})
	if err != nil {
		return visit, err
	}
	visit = syncproto.RecordID(t.chance.draw())
	if _, err := t.edit(child.Family, visit, "visit", o.ops(t)...); err != nil {
		return visit, err
	}
	part := []syncproto.Op{setRef("visit", visit), setRef("child", child.Record)}
	if o.outcome == "COMPLETED" {
		part = append(part, set("seen", "Y"), set("seen_alone", "Y"), set("bedroom_seen", "Y"))
	} else {
		part = append(part, set("seen", "N"))
	}
	if o.analysis != "" {
		part = append(part, set("analysis", o.analysis))
	}
	if _, err := t.edit(child.Family, syncproto.PartID(visit, child.Record), "visit_child", part...); err != nil {
		return visit, err
	}
	if o.handedOver {
		if _, err := t.edit(child.Family, visit, "visit", syncproto.Op{Code: syncproto.OpHandOver}); err != nil {
			return visit, err
		}
	}
	if _, err := t.sync(ctx); err != nil {
		return visit, err
	}
	return visit, d.prepareOuting(ctx, o, visit, syncproto.PartID(visit, child.Record))
}

// ops are what the worker wrote of the visit as a whole.
func (o *outing) ops(t *tablet) []syncproto.Op {
	began := time.Now().Add(-o.ago)
	return o.opsAt(t, began, began.Add(55*time.Minute))
}

func (o *outing) opsAt(t *tablet, start, end time.Time) []syncproto.Op {
	ops := []syncproto.Op{set("visit_type", o.visitType), set("contact_mode", "IN_PERSON"), set("announced", "ANNOUNCED"), set("place", "HOME"),
		set("outcome", o.outcome), setTime("start", start), setTime("end", end),
		write("household_summary", o.summary), write("purpose", "See how the plan is going."),
		t.add("workers", refPart("worker", t.device.Identity().User), textPart("role", "SW"))}
	if o.outcome != "COMPLETED" {
		ops = append(ops, set("outcome_reason", "No reply at the door or by phone."), set("outcome_action", "Left a card and rang the school."),
			t.add("manager_alert", textPart("alerted", "N")))
	}
	return ops
}

// prepareOuting is what the people at the desk did about it.
func (d *day) prepareOuting(ctx context.Context, o *outing, visit, part syncproto.RecordID) error {
	if o.question != "" {
		desk, err := d.desk(ctx, grace)
		if err != nil {
			return err
		}
		err = desk.post(ctx, "/v1/records/"+visit.String()+"/query", map[string]any{"to": d.tablet(o.login).device.Identity().User.String(), "text": o.question})
		if err != nil {
			return err
		}
	}
	if !o.confirmed {
		return nil
	}
	author, err := d.desk(ctx, o.login)
	if err != nil {
		return err
	}
	var heads namedHeads
	for _, record := range []syncproto.RecordID{visit, part} {
		p, err := author.read(ctx, record)
		if err != nil {
			return err
		}
		heads.Heads = append(heads.Heads, recordHeads{p.Record, p.Heads})
	}
	if err := author.post(ctx, "/v1/records/"+visit.String()+"/confirm", heads); err != nil || !o.final {
		return err
	}
	return d.sealOuting(ctx, o, visit, part)
}

// sealOuting has the team's coordinator make an outing final.
func (d *day) sealOuting(ctx context.Context, o *outing, visit, part syncproto.RecordID) error {
	coordinator := grace
	if o.login == rhys {
		coordinator = sian
	}
	desk, err := d.desk(ctx, coordinator)
	if err != nil {
		return err
	}
	var heads namedHeads
	for _, record := range []syncproto.RecordID{visit, part} {
		p, err := desk.read(ctx, record)
		if err != nil {
			return err
		}
		heads.Heads = append(heads.Heads, recordHeads{p.Record, p.Heads})
	}
	return desk.post(ctx, "/v1/records/"+visit.String()+"/finalise", heads)
}

// promise has Tom owe somebody something since yesterday.
func (d *day) promise(ctx context.Context) error {
	t := d.tablet(tom)
	family, err := t.find("family", func(v *syncproto.View) bool { return strings.HasPrefix(textOf(v, "name"), "Cali") })
	if err != nil {
		return err
	}
	user := t.device.Identity().User
	owner := cbor.Map(cbor.Pair{Key: "name", Value: cbor.Text(d.name(tom))}, cbor.Pair{Key: "user", Value: cbor.Bytes(user[:])})
	_, err = t.edit(family.Family, syncproto.RecordID(t.chance.draw()), "action",
		write("description", "Book an interpreter for every visit from now on."), set("status", "OPEN"),
		set("due", time.Now().Add(-24*time.Hour).Format(time.DateOnly)),
		syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: "owner"}, Value: owner})
	_, syncErr := t.sync(ctx)
	return errors.Join(err, syncErr)
}
