package access

import (
	"slices"

	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// Need is one thing that a change does, for which its author must be allowed.
// Field says where, "rules" or "rules.text", for whoever reads the refusal.
type Need struct {
	Action   Action
	Label    schema.Label
	Rule     schema.Rule
	Field    string
	Imported bool
}

// ActionsOf lists what a change needs, each need once, in the order of its ops.
// A change without deps begins a record; a change without ops needs what a
// reader needs. An op or field that this build does not know needs what nobody
// is allowed: such a change must be held, or refused, before it comes here.
func ActionsOf(kind *schema.Kind, c *syncproto.Change) []Need {
	imported := c.Body.Capture == syncproto.CaptureImported
	needs := make([]Need, 0, 8) // hardly a change needs more
	add := func(n Need) {
		n.Imported = imported
		if !slices.Contains(needs, n) {
			needs = append(needs, n)
		}
	}
	if kind == nil || c.Body.NewerApp {
		add(Need{Action: ActionUnknown})
		return needs
	}
	if len(c.Body.Deps) == 0 {
		add(Need{Action: ActionCreate})
	}
	for i := range c.Body.Ops {
		add(needOf(kind, &c.Body.Ops[i], c.Body.Author))
	}
	if len(needs) == 0 {
		add(Need{Action: ActionRead})
	}
	return needs
}

func needOf(kind *schema.Kind, op *syncproto.Op, author syncproto.UserID) Need {
	switch op.Code {
	case syncproto.OpHandOver:
		return Need{Action: ActionHandOver}
	case syncproto.OpConfirm:
		if !op.To.IsZero() {
			return Need{Action: ActionStandIn}
		}
		return Need{Action: ActionConfirm}
	case syncproto.OpTypeUp:
		return Need{Action: ActionTypeUp}
	case syncproto.OpQuery:
		return Need{Action: ActionQuery}
	case syncproto.OpAnswer:
		return Need{Action: ActionAnswer}
	case syncproto.OpFinalise:
		return Need{Action: ActionFinalise}
	case syncproto.OpAddendum:
		return Need{Action: ActionAddendum}
	}
	whole, ok := kind.Field(op.Path.Field)
	if !ok {
		return Need{Action: ActionUnknown}
	}
	field, ok := kind.At(op.Path.Field, op.Path.Sub)
	if !ok {
		return Need{Action: ActionUnknown}
	}
	need := Need{Action: ActionUnknown, Label: field.Label, Rule: field.Rule, Field: op.Path.Field}
	if op.Path.Sub != "" {
		need.Field += "." + op.Path.Sub
	}
	need.Action = actionOn(whole, field, op, author)
	return need
}

// actionOn names what an op does to a field, or to a part of a whole field.
func actionOn(whole, field *schema.Field, op *syncproto.Op, author syncproto.UserID) Action {
	switch op.Code {
	case syncproto.OpSet, syncproto.OpSplice:
		return edits(whole, field, op, author)
	case syncproto.OpAdd:
		if whole.IsCollection() && op.Path.Sub == "" {
			return ActionAdd
		}
	case syncproto.OpRemove:
		if whole.IsCollection() && op.Path.Sub == "" {
			return ActionRemove
		}
	case syncproto.OpDecide:
		return decides(whole, field, op, author)
	case syncproto.OpCorrect:
		return ActionCorrect
	}
	return ActionUnknown
}

// edits names a set or a splice. An element as a whole is added or removed,
// never set.
func edits(whole, field *schema.Field, op *syncproto.Op, author syncproto.UserID) Action {
	switch {
	case whole.IsCollection() && op.Path.Sub == "":
		return ActionUnknown
	case field.Prepared:
		return ActionPrepare
	case field.SlotOf != schema.SlotAuthor:
		return ActionEdit
	case isSlotOf(op, author):
		return ActionEditOwn
	}
	return ActionEditOther
}

// decides names a decision. A person settles their own slot, which only their
// own devices can have brought into conflict, as they write in it. Deciding on
// prose takes note of an overlap and changes no word.
func decides(whole, field *schema.Field, op *syncproto.Op, author syncproto.UserID) Action {
	switch {
	case whole.IsCollection() && op.Path.Sub == "":
		if whole.KeepRemoved {
			return ActionConfirmRemoval
		}
		return ActionUnknown
	case field.Prepared:
		return ActionPrepare
	case field.IsProse():
		return ActionTakeNote
	case field.ManagerApproves:
		return ActionApprove
	case field.SlotOf == schema.SlotAuthor && isSlotOf(op, author):
		return ActionEditOwn
	}
	return ActionDecide
}

func isSlotOf(op *syncproto.Op, author syncproto.UserID) bool {
	return !author.IsZero() && op.Path.Element == syncproto.ElementID(author)
}
