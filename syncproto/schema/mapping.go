package schema

// mappingKind is the map of a family: what people worry about, what works well,
// what needs to happen, and where each of them stands on the scale (domain rules
// R7). A danger and its safety goal are one element, so that neither is without
// the other.
var mappingKind = Kind{
	ID: "mapping", Version: 1, Name: "mapping",
	NeedsConfirmation: true, Finalises: true,
	Fields: []Field{
		{ID: "children", Rule: Union, Label: Attested, Sub: childParts, Required: true,
			Hint: Hint{Label: "Children", Section: "Mapping", Order: 1}},
		{ID: "held_on", Rule: Human, Label: Attested, Type: TypeDate, Required: true,
			Hint: Hint{Label: "Date", Section: "Mapping", Order: 2}},

		{ID: "harm", Rule: Union, Label: Judgement, Sub: mapItemParts,
			Hint: Hint{Label: "Past harm", Help: "What happened, to whom, when.", Section: "What are we worried about?", Order: 3}},
		{ID: "dangers", Rule: Union, Label: Judgement, KeepRemoved: true, Sub: dangerParts,
			Hint: Hint{Label: "Danger statements and safety goals", Help: "At most three, each with its goal. Family language.",
				Section: "What are we worried about?", Order: 4}},
		{ID: "disputes", Rule: Own, Label: Attested, Type: TypeStruct, SlotOf: SlotFree, Sub: []Field{
			{ID: "danger", Rule: Own, Label: Attested, Type: TypeRef, RefKind: "dangers", Required: true, Hint: Hint{Label: "Danger statement", Order: 1}},
			{ID: "name", Rule: Own, Label: Attested, Type: TypeLine, Max: 200, Required: true, Hint: Hint{Label: "Who disagrees", Order: 2}},
			{ID: "text", Rule: Own, Label: Attested, Type: TypeLine, Max: 8000, Required: true, Hint: Hint{Label: "What they say", Order: 3, Long: true}},
		}, Hint: Hint{Label: "Who sees it differently", Help: "One for each person. It stands beside the statement.",
			Section: "What are we worried about?", Order: 5}},
		{ID: "complicating", Rule: Union, Label: Judgement, Sub: mapItemParts,
			Hint: Hint{Label: "Complicating factors", Section: "What are we worried about?", Order: 6}},

		{ID: "strengths", Rule: Union, Label: Judgement, Sub: mapItemParts,
			Hint: Hint{Label: "Existing strengths", Section: "What is working well?", Order: 7}},
		{ID: "existing_safety", Rule: Union, Label: Judgement, Sub: existingSafetyParts,
			Hint: Hint{Label: "Existing safety", Help: "What people did to protect the child when the danger was there.",
				Section: "What is working well?", Order: 8}},

		{ID: "next_steps", Rule: Union, Label: Judgement, Sub: stepParts,
			Hint: Hint{Label: "Next steps", Section: "What needs to happen?", Order: 9}},
		{ID: "scores", Rule: Own, Label: Attested, Type: TypeStruct, SlotOf: SlotFree, Sub: scoreParts,
			Hint: Hint{Label: "Safety scale", Help: "One for each person and day. 10: safe enough to close. 0: so bad that the children cannot live at home.",
				Section: "Where is everyone on the scale?", Order: 10}},
	},
	Checks: []Check{
		{ID: "more_than_three_dangers", Field: "dangers", Warn: true, Plain: "More than three danger statements. Can some be one?",
			Then: []Condition{{Field: "dangers", Test: AtMost, Limit: 3}}},
	},
}

// childParts name one child of several.
var childParts = []Field{
	{ID: "child", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "person", Required: true, Hint: Hint{Label: "Child", Order: 1}},
}

var mapItemParts = []Field{
	{ID: "text", Rule: Human, Label: Judgement, Type: TypeLine, Max: 4000, Required: true, Hint: Hint{Label: "What", Order: 1, Long: true}},
	{ID: "source", Rule: Human, Label: Judgement, Type: TypeLine, Max: 200, Hint: Hint{Label: "Who says so", Order: 2}},
	{ID: "date", Rule: Human, Label: Judgement, Type: TypeDate, Hint: Hint{Label: "When", Order: 3}},
	{ID: "evidence", Rule: Human, Label: Judgement, Type: TypeLine, Max: 4000, Hint: Hint{Label: "How we know", Order: 4, Long: true}},
}

var existingSafetyParts = []Field{
	mapItemParts[0], mapItemParts[1], mapItemParts[2], mapItemParts[3],
	{ID: "danger", Rule: Human, Label: Judgement, Type: TypeRef, RefKind: "dangers", Required: true,
		Hint: Hint{Label: "Against which danger", Order: 5}},
}

// dangerParts pair a danger statement with its safety goal.
var dangerParts = []Field{
	{ID: "who", Rule: Human, Label: Judgement, Type: TypeLine, Max: 400, Required: true, Hint: Hint{Label: "Who is worried", Order: 1}},
	{ID: "what", Rule: Human, Label: Judgement, Type: TypeLine, Max: 4000, Required: true, Hint: Hint{Label: "What about", Order: 2, Long: true}},
	{ID: "impact", Rule: Human, Label: Judgement, Type: TypeLine, Max: 4000, Required: true,
		Hint: Hint{Label: "What it may do to the child", Order: 3, Long: true}},
	{ID: "goal_parents", Rule: Human, Label: Judgement, Type: TypeLine, Max: 4000, Required: true,
		Hint: Hint{Label: "Goal: what parents will do", Order: 4, Long: true}},
	{ID: "goal_child", Rule: Human, Label: Judgement, Type: TypeLine, Max: 4000, Required: true,
		Hint: Hint{Label: "Goal: what the child will notice", Order: 5, Long: true}},
	{ID: "goal_seen", Rule: Human, Label: Judgement, Type: TypeLine, Max: 4000, Required: true,
		Hint: Hint{Label: "Goal: what professionals will see", Order: 6, Long: true}},
	{ID: "goal_how_long", Rule: Human, Label: Judgement, Type: TypeLine, Max: 200, Required: true,
		Hint: Hint{Label: "Goal: how long it must hold", Order: 7}},
}

// stepParts are one agreed step, and the action that it became.
var stepParts = []Field{
	{ID: "what", Rule: Human, Label: Judgement, Type: TypeLine, Max: 2000, Required: true, Hint: Hint{Label: "What", Order: 1, Long: true}},
	{ID: "who", Rule: Human, Label: Judgement, Type: TypeLine, Max: 200, Required: true, Hint: Hint{Label: "Who", Order: 2}},
	{ID: "by", Rule: Human, Label: Judgement, Type: TypeDate, Required: true, Hint: Hint{Label: "By", Order: 3}},
	{ID: "action", Rule: Human, Label: Judgement, Type: TypeRef, RefKind: "action", Hint: Hint{Label: "Action", Order: 4}},
}

var scoreParts = []Field{
	{ID: "rater", Rule: Own, Label: Attested, Type: TypeLine, Max: 200, Required: true, Hint: Hint{Label: "Name", Order: 1}},
	{ID: "role", Rule: Own, Label: Attested, Type: TypeCode, Codes: capacities, Required: true, Hint: Hint{Label: "Who", Order: 2}},
	{ID: "question", Rule: Own, Label: Attested, Type: TypeLine, Max: 400, Hint: Hint{Label: "Question, or which danger", Order: 3}},
	{ID: "date", Rule: Own, Label: Attested, Type: TypeDate, Required: true, Hint: Hint{Label: "Date", Order: 4}},
	{ID: "score", Rule: Own, Label: Attested, Type: TypeInt, Max: 10, Required: true, Hint: Hint{Label: "Score, 0 to 10", Order: 5}},
	{ID: "why", Rule: Own, Label: Attested, Type: TypeLine, Max: 4000, Hint: Hint{Label: "Why this number", Order: 6, Long: true}},
	{ID: "plus_one", Rule: Own, Label: Attested, Type: TypeLine, Max: 4000, Hint: Hint{Label: "What would make it one more", Order: 7, Long: true}},
}
