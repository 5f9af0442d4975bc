package schema

// visitChildKind is one child's part of a visit, on that child's own file
// (domain rules R4).
var visitChildKind = Kind{
	ID: "visit_child", Version: 1, Name: "child's part of a visit", Part: "visit",
	NeedsConfirmation: true, Finalises: true,
	Fields: []Field{
		{ID: "visit", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "visit", Required: true,
			Hint: Hint{Label: "Visit", Section: "Child", Order: 1}},
		{ID: "child", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "person", Required: true,
			Hint: Hint{Label: "Child", Section: "Child", Order: 2}},
		{ID: "seen", Rule: Protect, Label: Attested, Type: TypeCode, Codes: yesNo, Protective: noFirst, Required: true,
			Hint: Hint{Label: "Seen", Help: "You saw this child yourself.", Section: "Seen", Order: 3}},
		{ID: "spoken_to", Rule: Protect, Label: Attested, Type: TypeCode, Codes: yesNoInfant, Protective: noInfantFirst,
			Hint: Hint{Label: "Spoken to", Section: "Seen", Order: 4}},
		{ID: "seen_alone", Rule: Protect, Label: Attested, Type: TypeCode, Codes: yesNoInfant, Protective: noInfantFirst,
			Hint: Hint{Label: "Seen alone", Section: "Seen", Order: 5}},
		{ID: "not_alone_reason", Rule: Human, Label: Attested, Type: TypeCode, Codes: notAloneReasons,
			RequiredIf: []Condition{lookedAfter, when("seen_alone", "N")},
			Hint:       Hint{Label: "Why not alone", Section: "Seen", Order: 6}},
		{ID: "not_alone_note", Rule: Human, Label: Attested, Type: TypeLine, Max: 4000,
			Hint: Hint{Label: "More on why not alone", Section: "Seen", Order: 7, Long: true}},
		{ID: "awake", Rule: Protect, Label: Attested, Type: TypeCode, Codes: yesNo, Protective: noFirst,
			Hint: Hint{Label: "Awake (infant)", Section: "Seen", Order: 8}},
		{ID: "bedroom_seen", Rule: Protect, Label: Attested, Type: TypeCode, Codes: yesNo, Protective: noFirst,
			Hint: Hint{Label: "Bedroom seen", Section: "Seen", Order: 9}},
		{ID: "sleeping_place", Rule: Human, Label: Attested, Type: TypeLine, Max: 2000,
			Hint: Hint{Label: "Where the child sleeps", Help: "If not in a bed of their own.", Section: "Seen", Order: 10, Long: true}},

		{ID: "presentation", Rule: Text, Label: Attested, Type: TypeProse,
			Hint: Hint{Label: "How the child looked and seemed", Section: "What you saw", Order: 11}},
		{ID: "interaction", Rule: Text, Label: Attested, Type: TypeProse,
			Hint: Hint{Label: "With parents and others", Section: "What you saw", Order: 12}},
		{ID: "health", Rule: Text, Label: Attested, Type: TypeProse,
			Hint: Hint{Label: "Health", Section: "What you saw", Order: 13}},
		{ID: "education", Rule: Text, Label: Attested, Type: TypeProse,
			Hint: Hint{Label: "Nursery, school or work", Section: "What you saw", Order: 14}},
		{ID: "child_words", Rule: Log, Label: Verbatim, Sub: childWordsParts,
			Hint: Hint{Label: "The child's words", Help: "Exactly as said. They cannot be changed.", Section: "The child's voice", Order: 15}},
		{ID: "tools_used", Rule: Union, Label: Attested, Sub: []Field{
			{ID: "tool", Rule: Human, Label: Attested, Type: TypeCode, Codes: childTools, Required: true,
				Hint: Hint{Label: "Tool", Order: 1}},
			{ID: "note", Rule: Human, Label: Attested, Type: TypeLine, Max: 2000,
				Hint: Hint{Label: "How it went", Order: 2, Long: true}},
			{ID: "sheet", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "child_tool",
				Hint: Hint{Label: "Sheet", Order: 3}},
		}, Hint: Hint{Label: "Tools used with the child", Section: "The child's voice", Order: 16}},
		{ID: "injury_seen", Rule: Protect, Label: Attested, Type: TypeCode, Codes: yesNo, Protective: yesFirst,
			Hint: Hint{Label: "Mark or injury seen", Section: "Injury", Order: 17}},
		{ID: "body_map", Rule: Log, Label: Attested, Sub: bodyMarkParts,
			Hint: Hint{Label: "Body map", Help: "Do not photograph. A mark is replaced by a new one with a reason, never changed.",
				Section: "Injury", Order: 18}},

		{ID: "analysis", Rule: Human, Label: Judgement, Type: TypeLine, Max: 32 << 10,
			RequiredIf: []Condition{when("visit.visit_type", "CP CLA")},
			Hint: Hint{Label: "What it means for this child", Help: "Written to the child, as they may read it one day.",
				Section: "What you think", Order: 19, Long: true}},
		{ID: "worry_level_change", Rule: Own, Label: Judgement, Type: TypeStruct, SlotOf: SlotAuthor, Sub: []Field{
			{ID: "change", Rule: Own, Label: Judgement, Type: TypeCode, Required: true,
				Codes: "BETTER Better; SAME Same; WORSE Worse",
				Hint:  Hint{Label: "Since last time", Order: 1}},
			{ID: "why", Rule: Own, Label: Judgement, Type: TypeLine, Max: 4000, Required: true,
				Hint: Hint{Label: "Why", Order: 2, Long: true}},
		}, Hint: Hint{Label: "Worry since last time", Help: "Each worker gives their own.", Section: "What you think", Order: 20}},
		{ID: "counts_as_statutory", Rule: Derived, Label: Attested, Type: TypeBool,
			Hint: Hint{Label: "Counts as a statutory visit", Section: "What you think", Order: 21}},
	},
	Checks: []Check{
		{ID: "alone_but_not_seen", Field: "seen_alone", Plain: "A child who was not seen cannot have been seen alone.",
			If:   []Condition{when("seen_alone", "Y")},
			Then: []Condition{when("seen", "Y")}},
		{ID: "injury_without_body_map", Field: "body_map", Plain: "A mark or injury needs a body map.",
			If:   []Condition{when("injury_seen", "Y")},
			Then: []Condition{{Field: "body_map", Test: AtLeast, Limit: 1}}},
		{ID: "injury_not_told", Field: "injury_seen", Plain: "A mark or injury must be told to a manager: say so in the visit.",
			If:   []Condition{when("injury_seen", "Y")},
			Then: []Condition{managerTold("visit.manager_alert")}},
		statusCheck("CIN"), statusCheck("CP"), statusCheck("CLA"),
	},
}

// lookedAfter holds for a visit to a looked-after child, by its type or by the
// child's status on the day.
var lookedAfter = Condition{Test: AnyOf, Where: []Condition{
	when("visit.visit_type", "CLA"), when(FactChildStatuses, "CLA"),
}}

// statusCheck warns when the type of visit is not the child's status on the day.
func statusCheck(code string) Check {
	return Check{
		ID: "visit_type_not_status_" + code, Field: "child", Warn: true,
		Plain: "The type of visit does not match this child's status on the day.",
		If:    []Condition{when("visit.visit_type", code), {Field: FactChildStatuses, Test: Answered}},
		Then:  []Condition{when(FactChildStatuses, code)},
	}
}

var childWordsParts = []Field{
	{ID: "quote", Rule: Log, Label: Verbatim, Type: TypeLine, Max: 16 << 10, Required: true,
		Hint: Hint{Label: "The child's words", Order: 1, Long: true}},
	{ID: "to_whom", Rule: Log, Label: Verbatim, Type: TypeLine, Max: 200,
		Hint: Hint{Label: "Said to", Order: 2}},
	{ID: "prompt", Rule: Log, Label: Verbatim, Type: TypeLine, Max: 2000,
		Hint: Hint{Label: "What was asked or going on", Order: 3, Long: true}},
	{ID: "language", Rule: Log, Label: Verbatim, Type: TypeLine, Max: 35, Format: FormatLanguage,
		Hint: Hint{Label: "Language", Order: 4}},
	{ID: "interpreter", Rule: Log, Label: Verbatim, Type: TypeLine, Max: 200,
		Hint: Hint{Label: "Interpreter", Order: 5}},
}

// bodyMarkParts follow domain rules R5: forensic, so nothing is ever taken away.
var bodyMarkParts = []Field{
	{ID: "region", Rule: Log, Label: Attested, Type: TypeLine, Max: 200, Required: true,
		Hint: Hint{Label: "Where on the body", Order: 1}},
	{ID: "size_mm", Rule: Log, Label: Attested, Type: TypeInt, Min: 1, Max: 3000,
		Hint: Hint{Label: "Size in millimetres", Order: 2}},
	{ID: "shape", Rule: Log, Label: Attested, Type: TypeLine, Max: 200, Hint: Hint{Label: "Shape", Order: 3}},
	{ID: "colour", Rule: Log, Label: Attested, Type: TypeLine, Max: 200, Hint: Hint{Label: "Colour", Order: 4}},
	{ID: "broken", Rule: Log, Label: Attested, Type: TypeCode, Codes: yesNoUnsure, Hint: Hint{Label: "Skin broken", Order: 5}},
	{ID: "swelling", Rule: Log, Label: Attested, Type: TypeCode, Codes: yesNoUnsure, Hint: Hint{Label: "Swelling", Order: 6}},
	{ID: "mobility", Rule: Log, Label: Attested, Type: TypeCode, Codes: yesNoUnsure, Hint: Hint{Label: "Moves less freely", Order: 13}},
	{ID: "explanation_by", Rule: Log, Label: Attested, Type: TypeLine, Max: 200, Hint: Hint{Label: "Explained by", Order: 7}},
	{ID: "explanation", Rule: Log, Label: Attested, Type: TypeLine, Max: 4000,
		Hint: Hint{Label: "Explanation given", Order: 8, Long: true}},
	{ID: "observed_at", Rule: Log, Label: Attested, Type: TypeTime, Required: true, Hint: Hint{Label: "Seen at", Order: 9}},
	{ID: "observer", Rule: Log, Label: Attested, Type: TypeLine, Max: 200, Required: true,
		Hint: Hint{Label: "Seen by, name and role", Order: 10}},
	{ID: "supersedes", Rule: Log, Label: Attested, Type: TypeRef, RefKind: "body_map", Hint: Hint{Label: "Replaces an earlier mark", Order: 11}},
	{ID: "supersede_reason", Rule: Log, Label: Attested, Type: TypeLine, Max: 1000,
		RequiredIf: []Condition{{Field: "supersedes", Test: Answered}},
		Hint:       Hint{Label: "Why it is replaced", Order: 12, Long: true}},
}
