package schema

// motivationalKind is one motivational conversation: the person's own numbers and
// own words, on that day (domain rules R9).
var motivationalKind = Kind{
	ID: "motivational", Version: 1, Name: "motivational conversation",
	NeedsConfirmation: true, Finalises: true,
	Fields: []Field{
		{ID: "person", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "person", Required: true,
			Hint: Hint{Label: "With whom", Section: "Conversation", Order: 1}},
		{ID: "held_on", Rule: Human, Label: Attested, Type: TypeDate, Required: true,
			Hint: Hint{Label: "Date", Section: "Conversation", Order: 2}},
		{ID: "process", Rule: Human, Label: Judgement, Type: TypeCode, Codes: "ENGAGE Engaging; FOCUS Focusing; EVOKE Evoking; PLAN Planning",
			Hint: Hint{Label: "Where the conversation was", Section: "Conversation", Order: 3}},
		{ID: "focus", Rule: Human, Label: Judgement, Type: TypeLine, Max: 2000, Required: true,
			Hint: Hint{Label: "What the person may change", Section: "Conversation", Order: 4, Long: true}},
		{ID: "rulers", Rule: Own, Label: Attested, Type: TypeStruct, SlotOf: SlotFree, Sub: rulerParts,
			Checks: []Check{{ID: "off_the_ruler", Field: "score", Plain: "The number is not on the ruler.",
				Then: []Condition{{Field: "score", Test: NotBefore, Other: "min"}, {Field: "max", Test: NotBefore, Other: "score"}}}},
			Hint: Hint{Label: "Rulers", Help: "The person's own number. Ask why it is not lower.", Section: "Rulers", Order: 5}},
		{ID: "quotes", Rule: Log, Label: Verbatim, Sub: []Field{
			{ID: "speaker", Rule: Log, Label: Verbatim, Type: TypeLine, Max: 200, Required: true, Hint: Hint{Label: "Who said it", Order: 1}},
			{ID: "quote", Rule: Log, Label: Verbatim, Type: TypeLine, Max: 8000, Required: true, Hint: Hint{Label: "Their words", Order: 2, Long: true}},
			{ID: "talk", Rule: Log, Label: Verbatim, Type: TypeCode, Required: true, Codes: "CHANGE For change; SUSTAIN For staying as it is",
				Hint: Hint{Label: "Which way it points", Order: 3}},
			{ID: "kind", Rule: Log, Label: Verbatim, Type: TypeCode,
				Codes: "DESIRE Wants to; ABILITY Can; REASON Has a reason; NEED Needs to; COMMITMENT Will; ACTIVATION Is ready to; TAKING_STEPS Has begun",
				Hint:  Hint{Label: "What it speaks of", Order: 4}},
		}, Hint: Hint{Label: "In their own words", Help: "Exactly as said. They cannot be changed.", Section: "Their words", Order: 6}},
		{ID: "agreed_steps", Rule: Union, Label: Judgement, Sub: stepParts,
			Hint: Hint{Label: "Agreed steps", Section: "What comes next", Order: 7}},
	},
}

var rulerParts = []Field{
	{ID: "ruler", Rule: Own, Label: Attested, Type: TypeCode, Required: true,
		Codes: "IMPORTANCE How important; CONFIDENCE How confident; READINESS How ready", Hint: Hint{Label: "Ruler", Order: 1}},
	{ID: "min", Rule: Own, Label: Attested, Type: TypeInt, Max: 1, Required: true, Hint: Hint{Label: "Lowest number", Order: 2}},
	{ID: "max", Rule: Own, Label: Attested, Type: TypeInt, Min: 10, Max: 10, Required: true, Hint: Hint{Label: "Highest number", Order: 3}},
	{ID: "score", Rule: Own, Label: Attested, Type: TypeInt, Max: 10, Required: true, Hint: Hint{Label: "Their number", Order: 4}},
	{ID: "why_not_lower", Rule: Own, Label: Attested, Type: TypeLine, Max: 4000, Hint: Hint{Label: "Why not lower", Order: 5, Long: true}},
	{ID: "what_next", Rule: Own, Label: Attested, Type: TypeLine, Max: 4000, Hint: Hint{Label: "What would take it up", Order: 6, Long: true}},
}

// systemicKind is systemic work with a family. Several hypotheses are held at once
// by design, so nothing here chooses one (domain rules R10). Personal reflection
// belongs in supervision, not here.
var systemicKind = Kind{
	ID: "systemic", Version: 1, Name: "systemic session",
	NeedsConfirmation: true, Finalises: true,
	Fields: []Field{
		{ID: "held_on", Rule: Human, Label: Attested, Type: TypeDate, Required: true,
			Hint: Hint{Label: "Date", Section: "Session", Order: 1}},
		{ID: "present", Rule: Union, Label: Attested, Sub: attendeeParts,
			Hint: Hint{Label: "Present", Section: "Session", Order: 2}},
		{ID: "hypotheses", Rule: Union, Label: Judgement, Sub: hypothesisParts,
			Hint: Hint{Label: "Hypotheses", Help: "Tentative, and several at once.", Section: "Hypotheses", Order: 3}},
		{ID: "interventions", Rule: Own, Label: Attested, Type: TypeProse, SlotOf: SlotAuthor,
			Hint: Hint{Label: "What you asked and tried", Help: "Circular questions, tasks, what you noticed of difference and power.", Section: "Session", Order: 4}},
		{ID: "response", Rule: Own, Label: Attested, Type: TypeProse, SlotOf: SlotAuthor,
			Hint: Hint{Label: "How the family responded", Section: "Session", Order: 5}},
		{ID: "reflections", Rule: Own, Label: Judgement, Type: TypeProse, SlotOf: SlotAuthor,
			Hint: Hint{Label: "Reflections for the file", Help: "Personal reflection belongs in your supervision, not here.", Section: "Session", Order: 6}},
	},
}

var hypothesisParts = []Field{
	{ID: "text", Rule: Human, Label: Judgement, Type: TypeLine, Max: 4000, Required: true, Hint: Hint{Label: "Hypothesis", Order: 1, Long: true}},
	{ID: "raised_by", Rule: Human, Label: Judgement, Type: TypeLine, Max: 200, Required: true, Hint: Hint{Label: "Raised by", Order: 2}},
	{ID: "status", Rule: Latest, Label: Judgement, Type: TypeCode, Codes: "OPEN Open; TRIED Tried; DROPPED Dropped", Hint: Hint{Label: "State", Order: 3}},
	{ID: "evidence_for", Rule: Human, Label: Judgement, Type: TypeLine, Max: 4000, Hint: Hint{Label: "What speaks for it", Order: 4, Long: true}},
	{ID: "evidence_against", Rule: Human, Label: Judgement, Type: TypeLine, Max: 4000, Hint: Hint{Label: "What speaks against it", Order: 5, Long: true}},
}

// parentingKind is one parent's way through a parenting programme (domain rules
// R11). Every reading of a measure is kept, so that before and after compare.
var parentingKind = Kind{
	ID: "parenting", Version: 1, Name: "parenting programme",
	NeedsConfirmation: true, Finalises: true,
	Fields: []Field{
		{ID: "parent", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "person", Required: true,
			Hint: Hint{Label: "Parent", Section: "Enrolment", Order: 1}},
		{ID: "children", Rule: Union, Label: Attested, Sub: childParts,
			Hint: Hint{Label: "Children", Section: "Enrolment", Order: 2}},
		{ID: "programme", Rule: Human, Label: Attested, Type: TypeCode, Required: true,
			Codes: "INCREDIBLE_YEARS Incredible Years; TRIPLE_P Triple P; SFSC Strengthening Families, Strengthening Communities; " +
				"SFP_10_14 Strengthening Families 10-14; OTHER Other",
			Hint: Hint{Label: "Programme", Section: "Enrolment", Order: 3}},
		{ID: "programme_other", Rule: Human, Label: Attested, Type: TypeLine, Max: 200, RequiredIf: other("programme"),
			Hint: Hint{Label: "Which programme", Section: "Enrolment", Order: 4}},
		{ID: "from", Rule: Human, Label: Attested, Type: TypeDate, Required: true,
			Hint: Hint{Label: "Enrolled on", Section: "Enrolment", Order: 5}},
		{ID: "to", Rule: Human, Label: Attested, Type: TypeDate,
			Hint: Hint{Label: "Ended on", Section: "Enrolment", Order: 6}},
		{ID: "end_reason", Rule: Human, Label: Attested, Type: TypeLine, Max: 2000,
			Hint: Hint{Label: "How it ended", Section: "Enrolment", Order: 7, Long: true}},
		{ID: "sessions", Rule: Union, Label: Attested, Sub: []Field{
			{ID: "no", Rule: Human, Label: Attested, Type: TypeInt, Min: 1, Max: 100, Required: true, Hint: Hint{Label: "Session number", Order: 1}},
			{ID: "date", Rule: Human, Label: Attested, Type: TypeDate, Hint: Hint{Label: "Date", Order: 2}},
			{ID: "module", Rule: Human, Label: Attested, Type: TypeLine, Max: 200, Hint: Hint{Label: "Topic or module", Order: 3}},
			{ID: "attendance", Rule: Human, Label: Attested, Type: TypeCode, Required: true,
				Codes: "ATTENDED Attended; PART Came for part; MISSED Missed", Hint: Hint{Label: "Attendance", Order: 4}},
			{ID: "reason", Rule: Human, Label: Attested, Type: TypeLine, Max: 1000, RequiredIf: []Condition{when("attendance", "PART MISSED")},
				Hint: Hint{Label: "Why not all of it", Order: 5, Long: true}},
			{ID: "home_practice", Rule: Human, Label: Attested, Type: TypeLine, Max: 2000, Hint: Hint{Label: "Practice at home", Order: 6, Long: true}},
			{ID: "fidelity", Rule: Human, Label: Attested, Type: TypeLine, Max: 1000, Hint: Hint{Label: "What was left out or added", Order: 7, Long: true}},
			{ID: "parent_rating", Rule: Human, Label: Attested, Type: TypeInt, Max: 10, Hint: Hint{Label: "Parent's rating, 0 to 10", Order: 8}},
		}, Hint: Hint{Label: "Sessions", Section: "Sessions", Order: 8}},
		{ID: "measures", Rule: Log, Label: Attested, Sub: measureParts,
			Hint: Hint{Label: "Measures", Help: "Before, after and later. Every reading is kept.", Section: "Measures", Order: 9}},
	},
	Checks: []Check{
		datedChecks[0],
		{ID: "no_measure_after", Field: "measures", Warn: true, Plain: "There is a measure from before and none from after.",
			If:   []Condition{{Field: "to", Test: Answered}, {Field: "measures", Test: AtLeast, Limit: 1, Where: []Condition{when("point", "PRE")}}},
			Then: []Condition{{Field: "measures", Test: AtLeast, Limit: 1, Where: []Condition{when("point", "POST")}}}},
	},
}

// measureParts keep the strengths and difficulties questionnaire apart: its total
// is 0 to 40, and anything else is refused.
var measureParts = []Field{
	{ID: "instrument", Rule: Log, Label: Attested, Type: TypeCode, Required: true,
		Codes: "SDQ Strengths and difficulties questionnaire; STYLE Parenting style; EFFICACY Satisfaction and self-efficacy; " +
			"WELLBEING Parent's wellbeing; OTHER Other",
		Hint: Hint{Label: "Instrument", Order: 1}},
	{ID: "name", Rule: Log, Label: Attested, Type: TypeLine, Max: 200, RequiredIf: other("instrument"), Hint: Hint{Label: "Which one", Order: 2}},
	{ID: "point", Rule: Log, Label: Attested, Type: TypeCode, Required: true, Codes: "PRE Before; POST After; FOLLOWUP Follow-up",
		Hint: Hint{Label: "When in the programme", Order: 3}},
	{ID: "about", Rule: Log, Label: Attested, Type: TypeRef, RefKind: "person", Hint: Hint{Label: "About", Order: 4}},
	{ID: "date", Rule: Log, Label: Attested, Type: TypeDate, Required: true, Hint: Hint{Label: "Date", Order: 5}},
	{ID: "sdq", Rule: Log, Label: Attested, Type: TypeInt, Max: 40, RequiredIf: []Condition{when("instrument", "SDQ")},
		Hint: Hint{Label: "Total difficulties, 0 to 40", Order: 6}},
	{ID: "score", Rule: Log, Label: Attested, Type: TypeInt, Max: 1000,
		RequiredIf: []Condition{{Field: "instrument", Test: NoneOf, Is: "SDQ"}}, Hint: Hint{Label: "Score of another instrument", Order: 7}},
}
