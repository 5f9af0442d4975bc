package store

import (
	"slices"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// Judge stages what the order decides about the server fields that an accepted
// change writes: the first valid value wins; a later one wins only if its author
// knew of the one in force, and loses otherwise (SPEC 6). Of a value that a change
// writes twice, the last is judged, for that is what counts. The change must be
// staged. By is who acts; zero for the server.
func (tx *Tx) Judge(c *syncproto.Change) error {
	kind, ok := schema.Newest(c.Body.Kind)
	if !ok {
		return nil
	}
	judged := map[syncproto.Path]bool{}
	for i := range slices.Backward(c.Body.Ops) {
		op := &c.Body.Ops[i]
		if op.Code != syncproto.OpSet && op.Code != syncproto.OpDecide || judged[op.Path] {
			continue
		}
		field, ok := kind.At(op.Path.Field, op.Path.Sub)
		if !ok || field.Rule != schema.Server {
			continue
		}
		judged[op.Path] = true
		if err := tx.judgeValue(c, kind, op); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) judgeValue(c *syncproto.Change, kind *schema.Kind, op *syncproto.Op) error {
	code, err := tx.lossOf(c, kind, op)
	if err != nil {
		return err
	}
	v := syncproto.Verdict{
		Kind: syncproto.VerdictWin, Family: c.Body.Family, Record: c.Body.Record, Change: c.ID,
		Code: code, AtMS: tx.atMS, Path: op.Path,
	}
	if code != syncproto.CodeOK {
		v.Kind = syncproto.VerdictLose
	}
	_, err = tx.Stage(VerdictEntry{Verdict: v})
	return err
}

// lossOf says why a value of a server field does not come into force; CodeOK if
// it does.
func (tx *Tx) lossOf(c *syncproto.Change, kind *schema.Kind, op *syncproto.Op) (syncproto.Code, error) {
	inForce, some, err := tx.InForce(c.Body.Record, op.Path)
	if err != nil {
		return 0, err
	}
	if some && inForce != c.ID {
		knew, err := tx.IsAncestor(inForce, c.Body.Deps)
		if err != nil {
			return 0, err
		}
		if !knew {
			return syncproto.CodeLostToEarlier, nil
		}
	}
	if kind.ID == "plan" && op.Path.Field == "status" && (op.Value.Equal(planActive) || op.Value.Equal(planUnderReview)) {
		return tx.activation(c.Body.Record, kind, op.Value)
	}
	return syncproto.CodeOK, nil
}

// The values of a plan's status under which it is in force.
var (
	planActive      = cbor.Text("ACTIVE")
	planUnderReview = cbor.Text("UNDER_REVIEW")
)

// activation asks whether a plan is complete enough to come into force. One that
// is in force may come under review whatever it lacks.
func (tx *Tx) activation(record syncproto.RecordID, kind *schema.Kind, status cbor.Value) (syncproto.Code, error) {
	view, err := tx.Fold(record)
	if err != nil {
		return 0, err
	}
	now, _ := view.Field("status")
	if status.Equal(planUnderReview) && (now.Value.Equal(planActive) || now.Value.Equal(planUnderReview)) {
		return syncproto.CodeOK, nil
	}
	facts := map[string]cbor.Value{
		"status":            status,
		schema.FactNow:      cbor.Int(tx.atMS),
		schema.FactApproved: tx.approved(kind, view),
	}
	for _, p := range kind.Complete(view.Source(nil, facts)) {
		if !p.Warn {
			return syncproto.CodeMissingField, nil
		}
	}
	return syncproto.CodeOK, nil
}

// approved lists the fields that need a manager's word and have it, or that came
// with an import from where it was given.
func (tx *Tx) approved(kind *schema.Kind, view *syncproto.View) cbor.Value {
	var ids []cbor.Value
	for i := range kind.Fields {
		f, ok := view.Field(kind.Fields[i].ID)
		if !ok || !kind.Fields[i].ManagerApproves || f.Value.IsNull() {
			continue
		}
		author, _ := tx.State().User(f.By.Author)
		if author.Role == "manager" || f.By.Capture == syncproto.CaptureImported {
			ids = append(ids, cbor.Text(f.Field))
		}
	}
	return cbor.List(ids...)
}
