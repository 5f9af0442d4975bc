package schema

import "doorstep/syncproto/cbor"

// missingKind is one episode of a child missing, or away without authorisation
// (domain rules R13). It stays open until nobody disputes that it is over: closing
// a live episode by a merge would stop people looking. Whether two episodes of a
// child overlap is asked where all of them are known, not here.
var missingKind = Kind{
	ID: "missing_episode", Version: 1, Name: "missing episode",
	NeedsConfirmation: true, Finalises: true,
	Fields: []Field{
		{ID: "child", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "person", Required: true,
			Hint: Hint{Label: "Child", Section: "Missing", Order: 1}},
		{ID: "state", Rule: Protect, Label: Attested, Type: TypeCode, Codes: "OPEN Still missing; CLOSED Found or returned",
			Protective: []cbor.Value{cbor.Text("OPEN"), cbor.Null(), cbor.Text("CLOSED")}, Required: true,
			Hint: Hint{Label: "State", Section: "Missing", Order: 2}},
		{ID: "type", Rule: Human, Label: Attested, Type: TypeCode, Codes: "M Missing; A Away without authorisation", Required: true,
			Hint: Hint{Label: "Missing or away", Section: "Missing", Order: 3}},
		{ID: "start", Rule: Human, Label: Attested, Type: TypeTime, Required: true,
			Hint: Hint{Label: "Missing since", Section: "Missing", Order: 4}},
		{ID: "start_basis", Rule: Human, Label: Attested, Type: TypeCode,
			Codes: "LEFT Left the placement or home; LAST_SEEN Last seen by a responsible adult",
			Hint:  Hint{Label: "Counted from", Help: "Whichever is later.", Section: "Missing", Order: 5}},
		{ID: "last_seen", Rule: Log, Label: Attested, Sub: []Field{
			{ID: "at", Rule: Log, Label: Attested, Type: TypeTime, Required: true, Hint: Hint{Label: "When", Order: 1}},
			{ID: "where", Rule: Log, Label: Attested, Type: TypeLine, Max: 400, Required: true, Hint: Hint{Label: "Where", Order: 2}},
			{ID: "by", Rule: Log, Label: Attested, Type: TypeLine, Max: 200, Required: true, Hint: Hint{Label: "Seen by", Order: 3}},
			{ID: "note", Rule: Log, Label: Attested, Type: TypeLine, Max: 2000, Hint: Hint{Label: "Clothing, mood, what was said", Order: 4, Long: true}},
		}, Hint: Hint{Label: "Last seen", Section: "Missing", Order: 6}},
		{ID: "companions", Rule: Union, Label: Attested, Sub: []Field{
			{ID: "person", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "person", Hint: Hint{Label: "Person on file", Order: 1}},
			{ID: "name", Rule: Human, Label: Attested, Type: TypeLine, Max: 400,
				RequiredIf: []Condition{{Field: "person", Test: Unanswered}}, Hint: Hint{Label: "Name or description", Order: 2}},
		}, Hint: Hint{Label: "Who may be with them", Section: "Missing", Order: 7}},
		{ID: "police_told", Rule: Protect, Label: Attested, Type: TypeCode, Codes: yesNo, Protective: noFirst,
			Hint: Hint{Label: "Reported to the police", Section: "Police", Order: 8}},
		{ID: "police_ref", Rule: Human, Label: Admin, Type: TypeLine, Max: 60,
			Hint: Hint{Label: "Police reference", Section: "Police", Order: 9}},
		{ID: "grade", Rule: Protect, Label: Attested, Type: TypeCode, Codes: riskGrades, Protective: highFirst,
			Hint: Hint{Label: "Grade of risk", Section: "Police", Order: 10}},
		{ID: "end", Rule: Human, Label: Attested, Type: TypeTime, RequiredIf: missingOver,
			Hint: Hint{Label: "Found or returned at", Section: "Return", Order: 11}},
		{ID: "found_place", Rule: Human, Label: Attested, Type: TypeLine, Max: 400,
			Hint: Hint{Label: "Where they were found", Section: "Return", Order: 12}},
		{ID: "harmed", Rule: Protect, Label: Attested, Type: TypeCode, Codes: yesNo, Protective: yesFirst,
			Hint: Hint{Label: "Came to harm", Section: "Return", Order: 13}},
		{ID: "harm", Rule: Human, Label: Attested, Type: TypeLine, Max: 4000, RequiredIf: []Condition{when("harmed", "Y")},
			Hint: Hint{Label: "What harm", Section: "Return", Order: 14, Long: true}},
		{ID: "prevention_check", Rule: Log, Label: Attested, Sub: doneParts, Hint: Hint{Label: "Prevention check", Section: "Return", Order: 15}},
	},
	Checks: []Check{
		{ID: "end_before_start", Field: "end", Plain: "The child returned before they went missing.",
			Then: []Condition{{Field: "end", Test: NotBefore, Other: "start"}}},
		{ID: "start_in_future", Field: "start", Plain: "This has not happened yet.",
			Then: []Condition{{Field: FactNow, Test: NotBefore, Other: "start"}}},
		{ID: "ended_and_open", Field: "state", Plain: "There is a time of return, and the episode is still open.", Warn: true,
			If:   []Condition{{Field: "end", Test: Answered}},
			Then: missingOver},
	},
}

// doneParts say what somebody did, and what came of it.
var doneParts = []Field{
	{ID: "at", Rule: Log, Label: Attested, Type: TypeTime, Required: true, Hint: Hint{Label: "When", Order: 1}},
	{ID: "what", Rule: Log, Label: Attested, Type: TypeLine, Max: 4000, Required: true,
		Hint: Hint{Label: "What was done, and what came of it", Order: 2, Long: true}},
	{ID: "by", Rule: Log, Label: Attested, Type: TypeLine, Max: 200, Required: true, Hint: Hint{Label: "By", Order: 3}},
}

var missingOver = []Condition{when("state", "CLOSED")}

// riskGrades are the police's; under-grading is the dangerous error.
const riskGrades = "NO_APPARENT No apparent risk; LOW Low; MEDIUM Medium; HIGH High"

var highFirst = []cbor.Value{cbor.Text("HIGH"), cbor.Text("MEDIUM"), cbor.Text("LOW"), cbor.Null(), cbor.Text("NO_APPARENT")}

// returnInterviewKind is the interview offered on every return, within 72 hours,
// by somebody independent of the child's care (domain rules R14). What must not be
// widely read is recorded apart, as intelligence.
var returnInterviewKind = Kind{
	ID: "return_interview", Version: 1, Name: "return home interview",
	NeedsConfirmation: true, Finalises: true,
	Fields: []Field{
		{ID: "child", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "person", Required: true,
			Hint: Hint{Label: "Child", Section: "Offer", Order: 1}},
		{ID: "episode", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "missing_episode", Required: true,
			Hint: Hint{Label: "Missing episode", Section: "Offer", Order: 2}},
		{ID: "returned_at", Rule: Human, Label: Attested, Type: TypeTime, Required: true,
			Hint: Hint{Label: "Returned at", Section: "Offer", Order: 3}},
		{ID: "due", Rule: Derived, Label: Admin, Type: TypeTime,
			Hint: Hint{Label: "Due by", Section: "Offer", Order: 4}},
		{ID: "offered", Rule: Protect, Label: Attested, Type: TypeCode, Codes: yesNo, Protective: noFirst, Required: true,
			Hint: Hint{Label: "Offered", Section: "Offer", Order: 5}},
		{ID: "offered_at", Rule: Human, Label: Attested, Type: TypeTime, RequiredIf: []Condition{when("offered", "Y")},
			Hint: Hint{Label: "Offered at", Section: "Offer", Order: 6}},
		{ID: "not_offered_why", Rule: Human, Label: Attested, Type: TypeLine, Max: 2000, RequiredIf: []Condition{when("offered", "N")},
			Hint: Hint{Label: "Why not offered", Section: "Offer", Order: 7, Long: true}},
		{ID: "accepted", Rule: Human, Label: Attested, Type: TypeCode, Codes: "Y Yes; N No; NA Not applicable",
			RequiredIf: []Condition{when("offered", "Y")}, Hint: Hint{Label: "Accepted", Section: "Offer", Order: 8}},
		{ID: "not_held_why", Rule: Human, Label: Attested, Type: TypeLine, Max: 2000, RequiredIf: []Condition{when("accepted", "N")},
			Hint: Hint{Label: "Why it was not held", Help: "Ask the carers instead.", Section: "Offer", Order: 9, Long: true}},
		{ID: "held_at", Rule: Human, Label: Attested, Type: TypeTime, RequiredIf: accepted,
			Hint: Hint{Label: "Held at", Section: "Interview", Order: 10}},
		{ID: "place", Rule: Human, Label: Attested, Type: TypeLine, Max: 200,
			Hint: Hint{Label: "Place", Help: "Neutral ground.", Section: "Interview", Order: 11}},
		{ID: "interviewer", Rule: Human, Label: Attested, Type: TypeLine, Max: 200, RequiredIf: accepted,
			Hint: Hint{Label: "Interviewer", Section: "Interview", Order: 12}},
		{ID: "independent", Rule: Protect, Label: Attested, Type: TypeCode, Codes: yesNo, Protective: noFirst, RequiredIf: accepted,
			Hint: Hint{Label: "Independent of the child's care", Section: "Interview", Order: 13}},
		{ID: "child_words", Rule: Log, Label: Verbatim, Sub: childWordsParts,
			Hint: Hint{Label: "The child's words", Help: "Exactly as said. They cannot be changed.", Section: "What happened", Order: 14}},
		{ID: "push", Rule: Union, Label: Attested, Sub: pushPullParts,
			Hint: Hint{Label: "What pushed them away", Section: "What happened", Order: 15}},
		{ID: "pull", Rule: Union, Label: Attested, Sub: pushPullParts,
			Hint: Hint{Label: "What drew them", Section: "What happened", Order: 16}},
		{ID: "where", Rule: Human, Label: Attested, Type: TypeLine, Max: 4000, Hint: Hint{Label: "Where they were", Section: "What happened", Order: 17, Long: true}},
		{ID: "with_whom", Rule: Human, Label: Attested, Type: TypeLine, Max: 4000, Hint: Hint{Label: "With whom", Section: "What happened", Order: 18, Long: true}},
		{ID: "travel", Rule: Human, Label: Attested, Type: TypeLine, Max: 4000, Hint: Hint{Label: "How they travelled and returned", Section: "What happened", Order: 19, Long: true}},
		{ID: "harm", Rule: Human, Label: Attested, Type: TypeLine, Max: 4000, Hint: Hint{Label: "What harm they came to", Section: "What happened", Order: 20, Long: true}},
		{ID: "carer_account", Rule: Own, Label: Attested, Type: TypeStruct, SlotOf: SlotPerson, Sub: []Field{
			{ID: "name", Rule: Own, Label: Attested, Type: TypeLine, Max: 200, Required: true, Hint: Hint{Label: "Name", Order: 1}},
			{ID: "account", Rule: Own, Label: Attested, Type: TypeLine, Max: 16 << 10, Required: true, Hint: Hint{Label: "What they say", Order: 2, Long: true}},
		}, Hint: Hint{Label: "What carers say", Help: "One for each person. It need not agree with the child.", Section: "What happened", Order: 21}},
		{ID: "prevent", Rule: Text, Label: Judgement, Type: TypeProse, RequiredIf: accepted,
			Hint: Hint{Label: "Plan to prevent another episode", Section: "What comes next", Order: 22}},
	},
	Checks: []Check{
		{ID: "not_independent", Field: "independent", Plain: "The interviewer must be independent of the child's care.",
			If:   []Condition{when("independent", "N")},
			Then: []Condition{when("accepted", "N NA")}},
		{ID: "later_than_72_hours", Field: "held_at", Warn: true, Plain: "The interview was later than 72 hours after the return.",
			Then: []Condition{{Field: "held_at", Test: Within, Other: "returned_at", Limit: ReturnInterviewMS}}},
		{ID: "held_before_return", Field: "held_at", Plain: "The interview was before the return.",
			Then: []Condition{{Field: "held_at", Test: NotBefore, Other: "returned_at"}}},
	},
}

// ReturnInterviewMS is how long after a return its interview is due: 72 hours,
// in milliseconds (statutory guidance on children who run away or go missing).
const ReturnInterviewMS = 72 * 60 * 60 * 1000

var accepted = []Condition{when("accepted", "Y")}

// pushPullParts: the list of factors is a proposal, kept short.
var pushPullParts = []Field{
	{ID: "factor", Rule: Human, Label: Attested, Type: TypeCode, Required: true,
		Codes: "CONFLICT Conflict at home; ABUSE Abuse; SCHOOL School; PEERS Friends; PARTNER Boyfriend or girlfriend; EXPLOITATION Exploitation; " +
			"CONTACT Contact with family; PLACEMENT Placement; BOREDOM Boredom; DRUGS Drugs; MENTAL_HEALTH Mental health; OTHER Other",
		Hint: Hint{Label: "Factor", Order: 1}},
	{ID: "note", Rule: Human, Label: Attested, Type: TypeLine, Max: 1000, Hint: Hint{Label: "More on it", Order: 2, Long: true}},
}

// intelligenceKind is one piece of intelligence about missing or exploited
// children. Few may read it, so it is a record of its own (domain rules R14);
// until it is decided otherwise no partner agency is given it.
var intelligenceKind = Kind{
	ID: "intelligence", Version: 1, Name: "intelligence",
	Fields: []Field{
		{ID: "about", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "person", Required: true,
			Hint: Hint{Label: "Child", Section: "Intelligence", Order: 1}},
		{ID: "episode", Rule: Human, Label: Admin, Type: TypeRef, RefKind: "missing_episode",
			Hint: Hint{Label: "Missing episode", Section: "Intelligence", Order: 2}},
		{ID: "text", Rule: Human, Label: Attested, Type: TypeLine, Max: 16 << 10, Required: true,
			Hint: Hint{Label: "What is known", Section: "Intelligence", Order: 3, Long: true}},
		{ID: "source", Rule: Human, Label: Attested, Type: TypeLine, Max: 400, Required: true,
			Hint: Hint{Label: "Source", Section: "Intelligence", Order: 4}},
		{ID: "share_with_partner", Rule: Protect, Label: Judgement, Type: TypeCode, Codes: yesNo, Protective: noFirst,
			Hint: Hint{Label: "May be shared with partner agencies", Section: "Intelligence", Order: 5}},
	},
}
