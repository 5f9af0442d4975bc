package schema

// visitKind is the household's part of a visit: what is true of the visit as a
// whole. Each child's part is a record of its own (domain rules R3).
var visitKind = Kind{
	ID: "visit", Version: 1, Name: "visit",
	NeedsConfirmation: true, Finalises: true,
	Fields: []Field{
		{ID: "visit_type", Rule: Human, Label: Attested, Type: TypeCode, Codes: visitTypes, Required: true,
			Hint: Hint{Label: "Type of visit", Section: "The visit", Order: 1}},
		{ID: "planned", Rule: Latest, Label: Admin, Type: TypeTime,
			Hint: Hint{Label: "Planned for", Section: "The visit", Order: 2}},
		{ID: "start", Rule: Human, Label: Attested, Type: TypeTime, Required: true,
			Hint: Hint{Label: "Started", Section: "The visit", Order: 3}},
		{ID: "end", Rule: Human, Label: Attested, Type: TypeTime, RequiredIf: []Condition{when("outcome", "COMPLETED")},
			Hint: Hint{Label: "Ended", Section: "The visit", Order: 4}},
		{ID: "duration_min", Rule: Derived, Label: Admin, Type: TypeInt,
			Hint: Hint{Label: "Minutes", Section: "The visit", Order: 5}},
		{ID: "contact_mode", Rule: Human, Label: Attested, Type: TypeCode, Codes: contactModes, Required: true,
			Hint: Hint{Label: "How", Help: "Only a visit in person counts as a visit.", Section: "The visit", Order: 6}},
		{ID: "announced", Rule: Human, Label: Attested, Type: TypeCode,
			Codes:      "ANNOUNCED Announced; UNANNOUNCED Unannounced",
			RequiredIf: []Condition{when("visit_type", "CP")},
			Hint:       Hint{Label: "Announced or not", Section: "The visit", Order: 7}},
		{ID: "place", Rule: Human, Label: Attested, Type: TypeCode, Codes: places,
			RequiredIf: []Condition{when("outcome", "COMPLETED")},
			Hint:       Hint{Label: "Place", Section: "The visit", Order: 8}},
		{ID: "outcome", Rule: Human, Label: Attested, Type: TypeCode, Codes: outcomes, Required: true,
			Hint: Hint{Label: "What happened", Section: "The visit", Order: 9}},
		{ID: "outcome_reason", Rule: Human, Label: Attested, Type: TypeLine, Max: 4000, RequiredIf: notCompleted,
			Hint: Hint{Label: "Why it did not take place", Section: "The visit", Order: 10, Long: true}},
		{ID: "outcome_action", Rule: Human, Label: Attested, Type: TypeLine, Max: 4000, RequiredIf: notCompleted,
			Hint: Hint{Label: "What you did about it", Section: "The visit", Order: 11, Long: true}},

		{ID: "workers", Rule: Union, Label: Attested, Required: true, Sub: []Field{
			{ID: "worker", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "user", Required: true,
				Hint: Hint{Label: "Worker", Order: 1}},
			{ID: "role", Rule: Human, Label: Attested, Type: TypeCode, Codes: workerRoles, Required: true,
				Hint: Hint{Label: "Profession", Order: 2}},
		}, Hint: Hint{Label: "Workers on the visit", Section: "Who was there", Order: 12}},
		{ID: "present", Rule: Union, Label: Attested, Sub: attendeeParts,
			Hint: Hint{Label: "Present", Help: "Everyone you saw, adults you do not know too.", Section: "Who was there", Order: 13}},
		{ID: "absent_expected", Rule: Union, Label: Attested, Sub: attendeeParts,
			Hint: Hint{Label: "Expected but not there", Section: "Who was there", Order: 14}},

		{ID: "purpose", Rule: Text, Label: Judgement, Type: TypeProse,
			RequiredIf: []Condition{{Field: FactPlanOpen, Is: "true"}},
			Hint:       Hint{Label: "Purpose", Help: "What this visit is for, in terms of the plan.", Section: "Purpose", Order: 15}},
		{ID: "plan_lines", Rule: Union, Label: Admin, Sub: []Field{
			{ID: "plan", Rule: Human, Label: Admin, Type: TypeRef, RefKind: "plan", Required: true,
				Hint: Hint{Label: "Plan", Order: 1}},
			{ID: "line", Rule: Human, Label: Admin, Type: TypeRef, RefKind: "rules",
				Hint: Hint{Label: "Rule of the plan", Order: 2}},
		}, Hint: Hint{Label: "Lines of the plan", Section: "Purpose", Order: 16}},

		{ID: "setting", Rule: Own, Label: Attested, Type: TypeProse, SlotOf: SlotAuthor,
			Hint: Hint{Label: "Home conditions", Help: "Say what you see, hear and smell. Each worker writes their own.",
				Section: "What you saw", Order: 17}},
		{ID: "household_summary", Rule: Text, Label: Attested, Type: TypeProse, Prepared: true,
			Hint: Hint{Label: "Summary of the visit", Section: "What you saw", Order: 18}},
		{ID: "worker_raw_note", Rule: Log, Label: Verbatim, Sub: []Field{
			{ID: "kind", Rule: Log, Label: Verbatim, Type: TypeCode, Required: true,
				Codes: "TEXT Typed; INK Handwritten; AUDIO Recorded",
				Hint:  Hint{Label: "How it was taken", Order: 1}},
			{ID: "text", Rule: Log, Label: Verbatim, Type: TypeLine, Max: MaxValueBytes,
				RequiredIf: []Condition{when("kind", "TEXT")},
				Hint:       Hint{Label: "Note", Order: 2, Long: true}},
			{ID: "blob", Rule: Log, Label: Verbatim, Type: TypeHash,
				RequiredIf: []Condition{when("kind", "INK AUDIO")},
				Hint:       Hint{Label: "Drawing or recording", Order: 3}},
		}, Hint: Hint{Label: "Notes taken on the visit", Help: "Kept as they were taken. They cannot be changed.", Section: "What you saw", Order: 19}},

		{ID: "next_visit", Rule: Human, Label: Attested, Type: TypeDate,
			Hint: Hint{Label: "Next visit", Section: "What comes next", Order: 20}},
		{ID: "manager_alert", Rule: Log, Label: Attested, RequiredIf: notCompleted, Sub: []Field{
			{ID: "alerted", Rule: Log, Label: Attested, Type: TypeCode, Codes: yesNo, Required: true,
				Hint: Hint{Label: "Manager told", Order: 1}},
			{ID: "who", Rule: Log, Label: Attested, Type: TypeLine, Max: 200, RequiredIf: []Condition{when("alerted", "Y")},
				Hint: Hint{Label: "Name of the manager", Order: 2}},
			{ID: "when", Rule: Log, Label: Attested, Type: TypeTime, RequiredIf: []Condition{when("alerted", "Y")},
				Hint: Hint{Label: "When", Order: 3}},
			{ID: "about", Rule: Log, Label: Attested, Type: TypeLine, Max: 2000,
				Hint: Hint{Label: "What about", Order: 4, Long: true}},
		}, Hint: Hint{Label: "Manager told", Section: "What comes next", Order: 21}},
	},
	Checks: []Check{
		{ID: "end_before_start", Field: "end", Plain: "The visit ended before it started.",
			Then: []Condition{{Field: "end", Test: NotBefore, Other: "start"}}},
		{ID: "start_in_future", Field: "start", Plain: "The visit has not started yet.",
			Then: []Condition{{Field: FactNow, Test: NotBefore, Other: "start"}}},
		{ID: "longer_than_12_hours", Field: "end", Plain: "The visit lasted more than 12 hours. Is that right?", Warn: true,
			Then: []Condition{{Field: "end", Test: Within, Other: "start", Limit: 12 * 60 * 60 * 1000}}},
		{ID: "manager_not_told", Field: "manager_alert", Plain: "A visit that did not take place must be told to a manager.",
			If:   notCompleted,
			Then: []Condition{managerTold("manager_alert")}},
	},
}

// notCompleted holds for a visit that did not take place.
var notCompleted = []Condition{when("outcome", "NO_ACCESS NO_REPLY REFUSED CANCELLED_FAMILY CANCELLED_SERVICE ABANDONED_SAFETY")}

func managerTold(field string) Condition {
	return Condition{Field: field, Test: AtLeast, Limit: 1, Where: []Condition{when("alerted", "Y")}}
}

// attendeeParts describe a person of the family, or one nobody knows yet.
var attendeeParts = []Field{
	{ID: "person", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "person",
		Hint: Hint{Label: "Person", Order: 1}},
	{ID: "described", Rule: Human, Label: Attested, Type: TypeLine, Max: 1000,
		RequiredIf: []Condition{{Field: "person", Test: Unanswered}},
		Hint: Hint{Label: "Who, if not on file", Help: "Name, date of birth and address, or what they look like.",
			Order: 2, Long: true}},
	{ID: "role", Rule: Human, Label: Attested, Type: TypeLine, Max: 200,
		Hint: Hint{Label: "Who they are to the children", Order: 3}},
	{ID: "alone_with_child", Rule: Protect, Label: Attested, Type: TypeCode, Codes: yesNo, Protective: yesFirst,
		Hint: Hint{Label: "Was alone with a child", Order: 4}},
}
