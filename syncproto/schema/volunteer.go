package schema

// volunteerMatchKind matches a volunteer with a family, and holds the little that
// a volunteer is told (domain rules R17).
var volunteerMatchKind = Kind{
	ID: "volunteer_match", Version: 1, Name: "volunteer match",
	Fields: []Field{
		{ID: "volunteer", Rule: Server, Label: Admin, Type: TypeRef, RefKind: "user", Required: true,
			Hint: Hint{Label: "Volunteer", Section: "Match", Order: 1}},
		{ID: "supervisor", Rule: Server, Label: Admin, Type: TypeRef, RefKind: "user", Required: true,
			Hint: Hint{Label: "Supervisor", Section: "Match", Order: 2}},
		{ID: "from", Rule: Server, Label: Admin, Type: TypeDate, Required: true, Hint: Hint{Label: "From", Section: "Match", Order: 3}},
		{ID: "to", Rule: Server, Label: Admin, Type: TypeDate, Hint: Hint{Label: "Until", Section: "Match", Order: 4}},
		{ID: "dbs_expiry", Rule: Server, Label: Admin, Type: TypeDate, Required: true,
			Hint: Hint{Label: "DBS check runs out on", Section: "Match", Order: 5}},
		{ID: "tasks", Rule: Server, Label: Admin, Type: TypeLine, Max: 2000, Required: true,
			Hint: Hint{Label: "Tasks allowed", Section: "Information sheet", Order: 6, Long: true}},
		{ID: "info_sheet", Rule: Server, Label: Admin, Type: TypeLine, Max: 4000, Required: true,
			Hint: Hint{Label: "What the volunteer needs to know", Help: "As little as will do.", Section: "Information sheet", Order: 7, Long: true}},
	},
	Checks: datedChecks,
}

// volunteerLogKind is one contact of a volunteer with a family: only what they
// saw, and nobody rewrites it (domain rules R17).
var volunteerLogKind = Kind{
	ID: "volunteer_log", Version: 1, Name: "volunteer's log",
	Fields: []Field{
		{ID: "contact", Rule: Own, Label: Attested, Type: TypeStruct, SlotOf: SlotAuthor, Sub: []Field{
			{ID: "match", Rule: Own, Label: Attested, Type: TypeRef, RefKind: "volunteer_match", Hint: Hint{Label: "Match", Order: 1}},
			{ID: "date", Rule: Own, Label: Attested, Type: TypeDate, Required: true, Hint: Hint{Label: "Date", Order: 2}},
			{ID: "start", Rule: Own, Label: Attested, Type: TypeTime, Required: true, Hint: Hint{Label: "From", Order: 3}},
			{ID: "end", Rule: Own, Label: Attested, Type: TypeTime, Required: true, Hint: Hint{Label: "Until", Order: 4}},
			{ID: "activity", Rule: Own, Label: Attested, Type: TypeCode, Required: true,
				Codes: "HOME_HELP Help at home; PLAY Play and outings; SCHOOL School run; APPOINTMENT Going along to an appointment; TALK Talking; OTHER Other",
				Hint:  Hint{Label: "What you did", Order: 5}},
			{ID: "note", Rule: Own, Label: Attested, Type: TypeLine, Max: 1000,
				Hint: Hint{Label: "What you saw", Help: "A few lines. A worry goes into a concern, at once.", Order: 6, Long: true}},
		}, Checks: []Check{{ID: "end_before_start", Field: "end", Plain: "It ended before it started.",
			Then: []Condition{{Field: "end", Test: NotBefore, Other: "start"}}}},
			Hint: Hint{Label: "Contact", Section: "Contact", Order: 1}},
	},
}

// volunteerConcernKind is a volunteer's worry. It goes to their supervisor and to
// the social worker at once, and waits for no coordinator (domain rules R17).
var volunteerConcernKind = Kind{
	ID: "volunteer_concern", Version: 1, Name: "volunteer's concern",
	Fields: []Field{
		{ID: "concern", Rule: Log, Label: Attested, Sub: []Field{
			{ID: "about", Rule: Log, Label: Attested, Type: TypeLine, Max: 200, Required: true, Hint: Hint{Label: "About whom", Order: 1}},
			{ID: "at", Rule: Log, Label: Attested, Type: TypeTime, Required: true, Hint: Hint{Label: "When", Order: 2}},
			{ID: "what", Rule: Log, Label: Attested, Type: TypeLine, Max: 8000, Required: true, Hint: Hint{Label: "What worries you", Order: 3, Long: true}},
			{ID: "danger_now", Rule: Log, Label: Attested, Type: TypeCode, Codes: yesNoUnsure, Required: true,
				Hint: Hint{Label: "Somebody is in danger now", Help: "Then ring 999 first.", Order: 4}},
			{ID: "told", Rule: Log, Label: Attested, Type: TypeLine, Max: 200, Hint: Hint{Label: "Whom you rang", Order: 5}},
		}, Hint: Hint{Label: "Concern", Section: "Concern", Order: 1}},
		{ID: "response", Rule: Log, Label: Attested, Sub: doneParts, Hint: Hint{Label: "What was done about it", Section: "Concern", Order: 2}},
	},
}
