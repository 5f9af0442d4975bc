package demo

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"doorstep/syncproto"
)

// The people who meet the family's file beside the case.
const (
	ines   = "inês.carvalho"   // clinical practitioner
	betty  = "betty.lowe"      // volunteer
	owen   = "owen.pryce"      // emergency duty
	freya  = "freya.lindqvist" // analyst
	martin = "martin.osei"     // information governance
	ruth   = "ruth.adler"      // auditor
	famRef = "F-1001"          // the family, in the case management system
	pause  = 1200 * time.Millisecond

	nightRef = "F-1004" // the family that the emergency duty looks at in the nights before
)

// doors has people come to the family's file by other ways than an allocation.
func (d *day) doors(ctx context.Context) error {
	for _, step := range []func(context.Context) error{d.whoSeesNothing, d.consultation, d.emergency, d.restriction} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// sees reports whether somebody may read the visit at their desk, and lists the
// family.
func (d *day) sees(ctx context.Context, login string) (visit, family bool, err error) {
	desk, err := d.desk(ctx, login)
	if err != nil {
		return false, false, err
	}
	var list struct {
		Families []struct {
			Family string `json:"family"`
		} `json:"families"`
	}
	if _, err := desk.get(ctx, "/v1/families", &list); err != nil {
		return false, false, err
	}
	for _, f := range list.Families {
		family = family || f.Family == d.family.String()
	}
	_, err = desk.read(ctx, d.visit)
	if isProblem(err, syncproto.CodeNotFound) {
		return false, family, nil
	}
	return err == nil, family, err
}

func (d *day) whoSeesNothing(ctx context.Context) error {
	for _, c := range []struct{ login, why string }{
		{freya, "an analyst, sees no family and no name"},
		{ines, "a clinician whom nobody asked, sees nothing"},
		{owen, "emergency duty, sees nothing as long as there is no emergency"},
	} {
		visit, family, err := d.sees(ctx, c.login)
		if err != nil {
			return err
		}
		d.out.claim(!visit && !family, "%s, %s", d.name(c.login), c.why)
	}
	return d.volunteerSeesNoFile(ctx)
}

// volunteerSeesNoFile: who is matched knows that they are, and has no record of the
// family's but what was written for them.
func (d *day) volunteerSeesNoFile(ctx context.Context) error {
	desk, err := d.desk(ctx, betty)
	if err != nil {
		return err
	}
	var list struct {
		Records []struct{} `json:"records"`
	}
	if _, err := desk.get(ctx, "/v1/families/"+d.family.String()+"/records", &list); err != nil {
		return err
	}
	visit, _, err := d.sees(ctx, betty)
	d.out.claim(!visit && len(list.Records) == 0, "%s, a volunteer who is matched with the family, sees nothing of its file", d.name(betty))
	return err
}

// consultation is a grant that ends by the clock.
func (d *day) consultation(ctx context.Context) error {
	manager, err := d.desk(ctx, dilys)
	if err != nil {
		return err
	}
	asked, err := d.userID(ctx, ines)
	if err != nil {
		return err
	}
	ends := time.Now().Add(pause)
	err = manager.post(ctx, "/v1/families/"+d.family.String()+"/grants", map[string]any{
		"user": asked, "basis": "CONSULT", "to_ms": ends.UnixMilli(), "reason": "How do we talk with Maya about her father?"})
	if err != nil {
		return err
	}
	visit, family, err := d.sees(ctx, ines)
	if err != nil {
		return err
	}
	d.out.claim(visit && family, "%s gives %s a consultation, and she reads the case while it lasts", d.name(dilys), d.name(ines))
	select {
	case <-time.After(time.Until(ends)):
	case <-ctx.Done():
		return ctx.Err()
	}
	visit, family, err = d.sees(ctx, ines)
	if err != nil {
		return err
	}
	d.out.claim(!visit && !family, "when it has ended she reads nothing, though nobody did anything")
	return nil
}

// emergency is an opening by emergency duty, told to those concerned and closed by
// somebody else.
func (d *day) emergency(ctx context.Context) error {
	duty, err := d.desk(ctx, owen)
	if err != nil {
		return err
	}
	var opened struct {
		Opening string `json:"opening"`
	}
	in := map[string]any{"reference": famRef, "code": "OUT_OF_HOURS_CALL", "text": "The police are with the children."}
	if _, err := duty.call(ctx, "POST", "/v1/break-glass", in, &opened); err != nil {
		return err
	}
	visit, _, err := d.sees(ctx, owen)
	if err != nil {
		return err
	}
	write := duty.post(ctx, "/v1/records/"+d.visit.String()+"/addendum", map[string]any{"text": "A word of mine.", "reason": "It is night."})
	d.out.claim(visit && isProblem(write, syncproto.CodeForbidden), "%s opens the file in an emergency: he reads it, and writes nothing in it", d.name(owen))
	var seen struct {
		Openings []struct {
			Opening string `json:"opening"`
			Text    string `json:"text"`
		} `json:"openings"`
	}
	worker, err := d.desk(ctx, amina)
	if err != nil {
		return err
	}
	if _, err := worker.get(ctx, "/v1/break-glass", &seen); err != nil {
		return err
	}
	d.out.claim(len(seen.Openings) == 1 && seen.Openings[0].Opening == opened.Opening && seen.Openings[0].Text == "",
		"%s, who leads the case, sees at once that it was opened and by whom", d.name(amina))
	review := "/v1/break-glass/" + opened.Opening + "/review"
	body := map[string]any{"finding": "JUSTIFIED", "note": "The call is in the log."}
	own := duty.post(ctx, review, body)
	manager, err := d.desk(ctx, dilys)
	if err != nil {
		return err
	}
	if err := manager.post(ctx, review, body); err != nil {
		return err
	}
	visit, _, err = d.sees(ctx, owen)
	if err != nil {
		return err
	}
	d.out.claim(isProblem(own, syncproto.CodeForbidden) && !visit, "he may not close it himself; %s reviews it, and the file is shut again", d.name(dilys))
	return nil
}

// restriction shuts the file, and takes it off the tablets.
func (d *day) restriction(ctx context.Context) error {
	officer, err := d.desk(ctx, martin)
	if err != nil {
		return err
	}
	t := d.tablet(amina)
	if _, err := t.sync(ctx); err != nil {
		return err
	}
	before, err := t.folds(d.family)
	if err != nil {
		return err
	}
	base := "/v1/families/" + d.family.String()
	shut := map[string]any{"category": "HIGH_RISK", "reason": "Somebody looks for them.", "review_ms": time.Now().Add(30 * 24 * time.Hour).UnixMilli()}
	if err := officer.post(ctx, base+"/restrict", shut); err != nil {
		return err
	}
	if _, err := t.sync(ctx); err != nil {
		return err
	}
	families, err := t.families()
	if err != nil {
		return err
	}
	gone := !slices.Contains(families, d.family)
	visit, _, err := d.sees(ctx, amina)
	if err != nil {
		return err
	}
	d.out.claim(len(before) > 0 && gone && !visit, "%s restricts the file: it leaves %s's tablet, and she cannot read it at her desk either", d.name(martin), d.name(amina))
	if err := officer.post(ctx, base+"/lift", map[string]any{"category": "HIGH_RISK", "reason": "It was somebody else."}); err != nil {
		return err
	}
	if _, err := t.sync(ctx); err != nil {
		return err
	}
	after, err := t.folds(d.family)
	if err != nil {
		return err
	}
	d.out.claim(maps.Equal(before, after), "the restriction is lifted, and all of it is back on her tablet")
	return nil
}

// userID is somebody's id, which the operator knows.
func (d *day) userID(ctx context.Context, login string) (string, error) {
	users, err := d.scene.town.operator.Users(ctx)
	if err != nil {
		return "", err
	}
	for _, u := range users {
		if u.Login == login {
			return u.ID, nil
		}
	}
	return "", errors.New("nobody signs in as " + login)
}
