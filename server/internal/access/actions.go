package access

// Action is one thing that a person may do with a record.
type Action uint8

const (
	ActionUnknown        Action = iota // an op that this build does not know: denied to all
	ActionRead                         // see it, online
	ActionCarry                        // have it on a tablet
	ActionCreate                       // begin a record; give a grant, restrict a file, open one in an emergency
	ActionEdit                         // set or splice a field, or a part of an element
	ActionEditOwn                      // write in one's own slot
	ActionEditOther                    // write in another person's slot
	ActionPrepare                      // work on text that the schema leaves to preparation
	ActionAdd                          // add to a list or a log
	ActionRemove                       // take out of a list, with a reason; take a grant back, lift a restriction
	ActionTakeNote                     // acknowledge text that two people wrote at once
	ActionDecide                       // settle a disagreement
	ActionApprove                      // settle what needs a second person's approval
	ActionConfirmRemoval               // agree that a protected element is gone, or stays
	ActionHandOver
	ActionConfirm // stand by the record as its author
	ActionStandIn // stand by it in the place of an author who cannot
	ActionTypeUp  // type up an author's words for them, at the desk
	ActionQuery
	ActionAnswer
	ActionFinalise
	ActionAddendum
	ActionCorrect
	ActionMisfile // move it out of the wrong family's file
	ActionQueue   // see it among what waits to be made final
	ActionChase   // see what is due and remind people
	actionCount
)

var actionNames = [actionCount]string{
	ActionUnknown: "unknown", ActionRead: "read", ActionCarry: "carry", ActionCreate: "create", ActionEdit: "edit",
	ActionEditOwn: "edit_own", ActionEditOther: "edit_other", ActionPrepare: "prepare", ActionAdd: "add",
	ActionRemove: "remove", ActionTakeNote: "take_note", ActionDecide: "decide", ActionApprove: "approve",
	ActionConfirmRemoval: "confirm_removal", ActionHandOver: "hand_over", ActionConfirm: "confirm", ActionStandIn: "stand_in", ActionTypeUp: "type_up", ActionQuery: "query",
	ActionAnswer: "answer", ActionFinalise: "finalise", ActionAddendum: "addendum", ActionCorrect: "correct", ActionMisfile: "misfile",
	ActionQueue: "queue", ActionChase: "chase",
}

// String returns the action's name as the table writes it.
func (a Action) String() string {
	if a < actionCount {
		return actionNames[a]
	}
	return actionNames[ActionUnknown]
}
