package demo

import (
	"context"
	"fmt"

	"doorstep/syncproto"
)

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
	d.out.claim(refused.onlyFor(syncproto.CodeUnreadOverlap, syncproto.CodeNotConfirmed),
		"all that is missing now is that the author reads what two people wrote at once, and her word on each record")
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
	if refused, err = d.tryToFinalise(ctx, desk); err != nil {
		return err
	}
	d.out.claim(refused.onlyFor(syncproto.CodeNotConfirmed), "it was a joint visit: one of its workers is not enough")
	if err := d.confirms(ctx, tom); err != nil {
		return err
	}
	visit, err := desk.read(ctx, d.visit)
	if err != nil {
		return err
	}
	d.out.claim(len(visit.Overlaps) == 0, "who stands by the words has read them: no sentence is marked any more")
	err = desk.post(ctx, "/v1/records/"+d.visit.String()+"/finalise", heads)
	d.out.claim(isProblem(err, syncproto.CodeStaleHeads), "a seal on the version before her confirmation is refused: it is not all there is")
	if err := d.finalise(ctx, desk); err != nil {
		return fmt.Errorf("%s finalises: %w", grace, err)
	}
	d.out.say("%s makes the visit final.", d.name(grace))
	return d.checkSeal(ctx, desk)
}

// confirms has the other worker of the visit stand by it too.
func (d *day) confirms(ctx context.Context, login string) error {
	other, err := d.desk(ctx, login)
	if err != nil {
		return err
	}
	heads, err := d.heads(ctx, other)
	if err != nil {
		return err
	}
	if err := other.post(ctx, "/v1/records/"+d.visit.String()+"/confirm", heads); err != nil {
		return fmt.Errorf("%s confirms: %w", login, err)
	}
	d.out.say("%s, who was there too, confirms it.", d.name(login))
	return nil
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
	return d.nextDue(ctx, desk)
}

// fingerprint works out what a tablet's final record should be sealed as. The
// view's heads are past the seal: the change that finalised comes after it.
func fingerprint(v *syncproto.View) [32]byte {
	sealed := *v
	sealed.Heads = v.Seal.Heads
	return syncproto.VersionHash(&sealed)
}
