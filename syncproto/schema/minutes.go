package schema

// meetingTypes are the meetings about a child. Those that policy has rows for are held at
// least so often (domain rules 3.1, local policy): by their minutes it is known that they were.
const meetingTypes = "CORE_GROUP Core group; CIN_MEETING Child in need meeting; CP_REVIEW Child protection review conference; " +
	"NETWORK Family network meeting; STRATEGY Strategy discussion; OTHER Another meeting"

// minutesKind is what was said and decided at a meeting about a family. It begins at the
// desk: whoever takes the minutes is not who answers for them (domain rules 0.7 and (c)).
var minutesKind = Kind{
	ID: "minutes", Version: 1, Name: "minutes of a meeting", NeedsConfirmation: true, Finalises: true,
	Fields: []Field{
		{ID: "type", Rule: Human, Label: Attested, Type: TypeCode, Codes: meetingTypes, Required: true, Hint: Hint{Label: "Sort of meeting", Section: "The meeting", Order: 1}},
		{ID: "meeting", Rule: Human, Label: Attested, Type: TypeLine, Max: 200, RequiredIf: other("type"), Hint: Hint{Label: "Which meeting", Section: "The meeting", Order: 2}},
		{ID: "start", Rule: Human, Label: Attested, Type: TypeTime, Required: true, Hint: Hint{Label: "Started", Section: "The meeting", Order: 3}},
		{ID: "attendees", Rule: Union, Label: Attested, Required: true, Sub: attendingParts, Hint: Hint{Label: "Attending", Section: "The meeting", Order: 4}},
		{ID: "discussed", Rule: Text, Label: Attested, Type: TypeProse, Required: true, Hint: Hint{Label: "What was said", Section: "What was said", Order: 5}},
		{ID: "actions", Rule: Union, Label: Attested, Sub: stepParts, Hint: Hint{Label: "Actions", Section: "What comes next", Order: 6}},
	},
}
