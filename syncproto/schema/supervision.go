package schema

// The records of talking about a case (domain rules R18). What belongs on the
// child's file and what belongs to the supervisee are records of their own. Ideas
// and people add up; a decision needs one accountable manager.
var (
	supervisionKind  = Kind{ID: "supervision", Version: 1, Name: "supervision of a case", Fields: talkFields, Checks: talkChecks}
	consultationKind = Kind{ID: "consultation", Version: 1, Name: "case consultation", NeedsConfirmation: true, Finalises: true,
		Fields: talkFields, Checks: talkChecks}
	reflectiveGroupKind = Kind{ID: "reflective_group", Version: 1, Name: "reflective group", Fields: talkFields, Checks: talkChecks}
)

var talkFields = []Field{
	{ID: "held_on", Rule: Human, Label: Attested, Type: TypeDate, Required: true, Hint: Hint{Label: "Date", Section: "Who and what about", Order: 1}},
	{ID: "attendees", Rule: Union, Label: Attested, Required: true, Sub: attendingParts, Hint: Hint{Label: "Attending", Section: "Who and what about", Order: 2}},
	{ID: "children", Rule: Union, Label: Attested, Sub: childParts, Hint: Hint{Label: "Children", Section: "Who and what about", Order: 3}},
	{ID: "question", Rule: Human, Label: Judgement, Type: TypeLine, Max: 4000, Hint: Hint{Label: "Question", Section: "Who and what about", Order: 4, Long: true}},
	{ID: "hypotheses", Rule: Union, Label: Judgement, Sub: hypothesisParts, Hint: Hint{Label: "Hypotheses", Section: "Thinking", Order: 5}},
	{ID: "ideas", Rule: Union, Label: Judgement, Sub: []Field{
		{ID: "text", Rule: Human, Label: Judgement, Type: TypeLine, Max: 4000, Required: true, Hint: Hint{Label: "Idea", Order: 1, Long: true}},
		{ID: "from", Rule: Human, Label: Judgement, Type: TypeLine, Max: 200, Hint: Hint{Label: "Whose", Order: 2}},
	}, Hint: Hint{Label: "Ideas", Help: "Ideas are not decisions.", Section: "Thinking", Order: 6}},
	{ID: "summary", Rule: Text, Label: Judgement, Type: TypeProse,
		Hint: Hint{Label: "Brief summary", Help: "Personal reflection belongs in the supervisee's own part.", Section: "Thinking", Order: 7}},
	{ID: "decision", Rule: Human, Label: Judgement, Type: TypeLine, Max: 8000, Hint: Hint{Label: "Decision", Section: "Decision", Order: 8, Long: true}},
	{ID: "rationale", Rule: Human, Label: Judgement, Type: TypeLine, Max: 8000, RequiredIf: decided, Hint: Hint{Label: "Why", Section: "Decision", Order: 9, Long: true}},
	{ID: "manager", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "user", RequiredIf: decided,
		Hint: Hint{Label: "Accountable manager", Section: "Decision", Order: 10}},
	{ID: "actions", Rule: Union, Label: Judgement, Sub: stepParts, Hint: Hint{Label: "Actions", Section: "Decision", Order: 11}},
}

var attendingParts = []Field{
	{ID: "worker", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "user", Hint: Hint{Label: "Worker", Order: 1}},
	{ID: "name", Rule: Human, Label: Attested, Type: TypeLine, Max: 200, RequiredIf: []Condition{{Field: "worker", Test: Unanswered}},
		Hint: Hint{Label: "Name, if not a user here", Order: 2}},
	{ID: "role", Rule: Human, Label: Attested, Type: TypeCode, Codes: workerRoles, Hint: Hint{Label: "Profession", Order: 3}},
}

var decided = []Condition{{Field: "decision", Test: Answered}}

var talkChecks = []Check{
	{ID: "decision_without_manager", Field: "decision", Plain: "A decision needs an accountable manager. Without one there are ideas only.",
		If: decided, Then: []Condition{{Field: "manager", Test: Answered}}},
}

// supervisionPersonalKind is the personal part of supervision, on the supervisee's
// file and never on a child's.
var supervisionPersonalKind = Kind{
	ID: "supervision_personal", Version: 1, Name: "personal part of supervision",
	Fields: []Field{
		{ID: "supervisee", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "user", Required: true,
			Hint: Hint{Label: "Supervisee", Section: "Supervision", Order: 1}},
		{ID: "held_on", Rule: Human, Label: Attested, Type: TypeDate, Required: true, Hint: Hint{Label: "Date", Section: "Supervision", Order: 2}},
		{ID: "wellbeing", Rule: Own, Label: Attested, Type: TypeProse, SlotOf: SlotAuthor,
			Hint: Hint{Label: "Wellbeing and workload", Section: "Supervision", Order: 3}},
		{ID: "reflection", Rule: Own, Label: Judgement, Type: TypeProse, SlotOf: SlotAuthor,
			Hint: Hint{Label: "Reflection", Section: "Supervision", Order: 4}},
		{ID: "development", Rule: Own, Label: Judgement, Type: TypeProse, SlotOf: SlotAuthor,
			Hint: Hint{Label: "Learning and development", Section: "Supervision", Order: 5}},
	},
}

// observationKind is an observed piece of practice. The family consents first, and
// their No stands.
var observationKind = Kind{
	ID: "observation", Version: 1, Name: "observed practice",
	Fields: []Field{
		{ID: "worker", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "user", Required: true,
			Hint: Hint{Label: "Worker observed", Section: "Observation", Order: 1}},
		{ID: "held_on", Rule: Human, Label: Attested, Type: TypeDate, Required: true, Hint: Hint{Label: "Date", Section: "Observation", Order: 2}},
		{ID: "consent", Rule: Protect, Label: Attested, Type: TypeCode, Codes: yesNo, Protective: noFirst, Required: true,
			Hint: Hint{Label: "The family consented", Section: "Observation", Order: 3}},
		{ID: "seen", Rule: Own, Label: Judgement, Type: TypeProse, SlotOf: SlotAuthor,
			Hint: Hint{Label: "What you saw", Help: "Nothing by which the family can be told.", Section: "Observation", Order: 4}},
		{ID: "strengths", Rule: Own, Label: Judgement, Type: TypeProse, SlotOf: SlotAuthor,
			Hint: Hint{Label: "What went well", Section: "Observation", Order: 5}},
		{ID: "ideas", Rule: Own, Label: Judgement, Type: TypeProse, SlotOf: SlotAuthor,
			Hint: Hint{Label: "What to try", Section: "Observation", Order: 6}},
	},
	Checks: []Check{
		{ID: "observed_without_consent", Field: "consent", Plain: "Without the family's consent there is no observation.",
			Then: []Condition{when("consent", "Y")}},
	},
}
