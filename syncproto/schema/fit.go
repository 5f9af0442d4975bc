package schema

// fitSessionKind is a Family Intervention Team's session with an adult, linked to
// the children for whom it is held (domain rules R12). What the adult tells in
// confidence is a record of its own, a disclosure.
var fitSessionKind = Kind{
	ID: "fit_session", Version: 1, Name: "family intervention session",
	NeedsConfirmation: true, Finalises: true,
	Fields: []Field{
		{ID: "adult", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "person", Required: true,
			Hint: Hint{Label: "Adult", Section: "Session", Order: 1}},
		{ID: "children", Rule: Union, Label: Attested, Sub: childParts, Required: true,
			Hint: Hint{Label: "Children", Section: "Session", Order: 2}},
		{ID: "held_on", Rule: Human, Label: Attested, Type: TypeDate, Required: true,
			Hint: Hint{Label: "Date", Section: "Session", Order: 3}},
		{ID: "strand", Rule: Human, Label: Attested, Type: TypeCode, Required: true,
			Codes: "DA Domestic abuse; SUBSTANCE Drugs and alcohol; MENTAL_HEALTH Mental health",
			Hint:  Hint{Label: "Strand", Section: "Session", Order: 4}},
		{ID: "module", Rule: Human, Label: Attested, Type: TypeLine, Max: 200,
			Hint: Hint{Label: "Module", Section: "Session", Order: 5}},
		{ID: "work_done", Rule: Own, Label: Attested, Type: TypeProse, SlotOf: SlotAuthor,
			Hint: Hint{Label: "What you did", Help: "What was told in confidence is recorded apart, as a disclosure.", Section: "Session", Order: 6}},
		{ID: "scores", Rule: Log, Label: Attested, Sub: []Field{
			{ID: "instrument", Rule: Log, Label: Attested, Type: TypeCode, Required: true,
				Codes: "DASH Domestic abuse risk checklist; AUDIT Alcohol use; DUDIT Drug use; PHQ9 Depression; GAD7 Anxiety; OTHER Other",
				Hint:  Hint{Label: "Instrument", Order: 1}},
			{ID: "name", Rule: Log, Label: Attested, Type: TypeLine, Max: 200, RequiredIf: other("instrument"), Hint: Hint{Label: "Which one", Order: 2}},
			{ID: "date", Rule: Log, Label: Attested, Type: TypeDate, Required: true, Hint: Hint{Label: "Date", Order: 3}},
			{ID: "score", Rule: Log, Label: Attested, Type: TypeInt, Max: 1000, Required: true, Hint: Hint{Label: "Score", Order: 4}},
		}, Hint: Hint{Label: "Scores", Section: "Scores", Order: 7}},
		{ID: "child_impact", Rule: Text, Label: Judgement, Type: TypeProse, Required: true,
			Hint: Hint{Label: "So what for the child", Section: "So what for the child", Order: 8}},
		{ID: "goals", Rule: Union, Label: Judgement, Sub: []Field{
			{ID: "text", Rule: Human, Label: Judgement, Type: TypeLine, Max: 2000, Required: true, Hint: Hint{Label: "Goal", Order: 1, Long: true}},
			{ID: "status", Rule: Human, Label: Judgement, Type: TypeCode, Codes: "OPEN Working on it; MET Reached; DROPPED Dropped", Hint: Hint{Label: "State", Order: 2}},
		}, Hint: Hint{Label: "Goals", Section: "What comes next", Order: 9}},
	},
}

// disclosureKind is what somebody told in confidence. It is a record of its own
// because few may read it (domain rules R12 and 7): whoever was told, and who was
// let in by name.
var disclosureKind = Kind{
	ID: "disclosure", Version: 1, Name: "disclosure in confidence",
	Fields: []Field{
		{ID: "person", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "person", Required: true,
			Hint: Hint{Label: "Who told you", Section: "Told in confidence", Order: 1}},
		{ID: "session", Rule: Human, Label: Admin, Type: TypeRef, RefKind: "fit_session",
			Hint: Hint{Label: "In which session", Section: "Told in confidence", Order: 2}},
		{ID: "told_at", Rule: Human, Label: Attested, Type: TypeTime, Required: true,
			Hint: Hint{Label: "When", Section: "Told in confidence", Order: 3}},
		{ID: "alone", Rule: Protect, Label: Attested, Type: TypeCode, Codes: yesNo, Protective: noFirst,
			Hint: Hint{Label: "You were alone with them", Section: "Told in confidence", Order: 4}},
		{ID: "words", Rule: Log, Label: Verbatim, Sub: childWordsParts,
			Hint: Hint{Label: "Their words", Help: "Exactly as said. They cannot be changed.", Section: "Told in confidence", Order: 5}},
		{ID: "note", Rule: Own, Label: Attested, Type: TypeProse, SlotOf: SlotAuthor,
			Hint: Hint{Label: "Your note", Section: "Told in confidence", Order: 6}},
		{ID: "restricted", Rule: Protect, Label: Attested, Type: TypeCode, Codes: yesNo, Protective: yesFirst,
			Hint: Hint{Label: "Must stay hidden", Help: "Yes stands until it is decided otherwise.", Section: "Who may know", Order: 7}},
		{ID: "hide_from", Rule: Human, Label: Attested, Type: TypeLine, Max: 1000,
			Hint: Hint{Label: "Who must never learn of it", Section: "Who may know", Order: 8}},
		{ID: "safe_contact", Rule: Human, Label: Attested, Type: TypeLine, Max: 1000,
			Hint: Hint{Label: "How to reach them safely", Section: "Who may know", Order: 9}},
		{ID: "done", Rule: Text, Label: Judgement, Type: TypeProse,
			Hint: Hint{Label: "What you did to keep them safe", Section: "What you did", Order: 10}},
	},
}
