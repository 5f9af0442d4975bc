package schema

// actionKind is one thing that somebody is to do by a day (domain rules R19). It is
// shown as open until nobody disputes that it is done.
var actionKind = Kind{
	ID: "action", Version: 1, Name: "action",
	Fields: []Field{
		{ID: "description", Rule: Text, Label: Judgement, Type: TypeProse, Required: true,
			Hint: Hint{Label: "What is to be done", Section: "Action", Order: 1}},
		{ID: "owner", Rule: Human, Label: Attested, Type: TypeStruct, Required: true, Sub: []Field{
			{ID: "name", Rule: Human, Label: Attested, Type: TypeLine, Max: 200, Required: true, Hint: Hint{Label: "Name", Order: 1}},
			{ID: "user", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "user", Hint: Hint{Label: "Worker", Order: 2}},
			{ID: "person", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "person", Hint: Hint{Label: "Person on file", Order: 3}},
		}, Hint: Hint{Label: "Who", Section: "Action", Order: 2}},
		{ID: "due", Rule: Human, Label: Attested, Type: TypeDate, Required: true,
			Hint: Hint{Label: "By", Section: "Action", Order: 3}},
		{ID: "plan_link", Rule: Human, Label: Admin, Type: TypeRef, RefKind: "plan",
			Hint: Hint{Label: "Plan", Section: "Action", Order: 4}},
		{ID: "status", Rule: Protect, Label: Attested, Type: TypeCode, Codes: actionStatuses, Protective: openFirst, Required: true,
			Hint: Hint{Label: "Status", Section: "Action", Order: 5}},
		{ID: "status_reason", Rule: Human, Label: Attested, Type: TypeLine, Max: 2000,
			RequiredIf: []Condition{when("status", "CANCELLED")},
			Hint:       Hint{Label: "Why cancelled", Section: "Action", Order: 6, Long: true}},
	},
}
