package schema

// personKind is one person of a family: a child, a parent, anybody who matters
// to the children (domain rules R1). A child's file is their own person record and
// the parts of visits that are about them.
var personKind = Kind{
	ID: "person", Version: 1, Name: "person",
	Fields: []Field{
		{ID: "names", Rule: Human, Label: Attested, Type: TypeLine, Max: 400, Required: true,
			Hint: Hint{Label: "Full name", Help: "All names, in the order the person uses.", Section: "Who", Order: 1}},
		{ID: "known_as", Rule: Latest, Label: Attested, Type: TypeLine, Max: 200,
			Hint: Hint{Label: "Known as", Section: "Who", Order: 2}},
		{ID: "pronouns", Rule: Human, Label: Attested, Type: TypeLine, Max: 60,
			Hint: Hint{Label: "Pronouns", Section: "Who", Order: 3}},
		{ID: "dob", Rule: Human, Label: Attested, Type: TypeDate,
			Hint: Hint{Label: "Date of birth", Section: "Who", Order: 4}},
		{ID: "expected_dob", Rule: Human, Label: Attested, Type: TypeDate,
			Hint: Hint{Label: "Expected date of birth", Help: "Only for a child not yet born.", Section: "Who", Order: 5}},
		{ID: "died", Rule: Human, Label: Attested, Type: TypeDate,
			Hint: Hint{Label: "Date of death", Section: "Who", Order: 6}},
		{ID: "sex", Rule: Human, Label: Attested, Type: TypeCode, Codes: sexes,
			Hint: Hint{Label: "Sex", Section: "Who", Order: 7}},
		{ID: "ethnicity", Rule: Human, Label: Attested, Type: TypeCode, Codes: ethnicities,
			Hint: Hint{Label: "Ethnicity", Help: "As the person or the family describes it.", Section: "Who", Order: 8}},
		{ID: "disability", Rule: Union, Label: Attested, Sub: []Field{
			{ID: "code", Rule: Human, Label: Attested, Type: TypeCode, Codes: disabilities, Required: true,
				Hint: Hint{Label: "Disability", Order: 1}},
		}, Hint: Hint{Label: "Disability", Section: "Who", Order: 9}},

		{ID: "la_child_id", Rule: Server, Label: Admin, Type: TypeLine, Max: 20, Format: FormatLAChildID,
			Hint: Hint{Label: "Council's child number", Section: "Numbers", Order: 10}},
		{ID: "upn", Rule: Server, Label: Admin, Type: TypeLine, Max: 13, Format: FormatUPN,
			Hint: Hint{Label: "Unique pupil number", Section: "Numbers", Order: 11}},
		{ID: "nhs_no", Rule: Server, Label: Admin, Type: TypeLine, Max: 10, Format: FormatNHS,
			Hint: Hint{Label: "NHS number", Help: "Ten digits, without spaces.", Section: "Numbers", Order: 12}},

		{ID: "address", Rule: Union, Label: Admin, Sub: datedParts("Address", 400), Checks: datedChecks,
			Hint: Hint{Label: "Addresses", Help: "Two can be true at once.", Section: "Where", Order: 13}},
		{ID: "placement", Rule: Union, Label: Admin, Sub: datedParts("Placement", 400), Checks: datedChecks,
			Hint: Hint{Label: "Placements", Section: "Where", Order: 14}},
		{ID: "phone", Rule: Union, Label: Admin, Sub: datedParts("Phone number", 40), Checks: datedChecks,
			Hint: Hint{Label: "Phone numbers", Section: "Where", Order: 15}},

		{ID: "hazard", Rule: Union, Label: Attested, KeepRemoved: true, Sub: hazardParts,
			Hint: Hint{Label: "Risks to know before a visit", Help: "A risk stands until a manager has agreed that it is gone.",
				Section: "Safety", Order: 16}},

		{ID: "communication", Rule: Latest, Label: Admin, Type: TypeCode,
			Codes: "SPEECH Speech; BSL British Sign Language; MAKATON Makaton; PICTURES Pictures or symbols; " +
				"DEVICE Communication aid; WRITING Writing; OTHER Other",
			Hint: Hint{Label: "Communicates by", Section: "Language", Order: 17}},
		{ID: "language", Rule: Latest, Label: Admin, Type: TypeLine, Max: 35, Format: FormatLanguage,
			Hint: Hint{Label: "First language", Section: "Language", Order: 18}},
		{ID: "interpreter", Rule: Latest, Label: Admin, Type: TypeCode,
			Codes: "NONE Not needed; SPOKEN Spoken language; SIGN Sign language",
			Hint:  Hint{Label: "Interpreter", Section: "Language", Order: 19}},
	},
	Checks: []Check{
		{ID: "born_and_expected", Field: "expected_dob", Plain: "Give a date of birth or an expected date, not both.",
			If:   []Condition{{Field: "dob", Test: Answered}},
			Then: []Condition{{Field: "expected_dob", Test: Unanswered}}},
		{ID: "died_before_birth", Field: "died", Plain: "The date of death is before the date of birth.",
			Then: []Condition{{Field: "died", Test: NotBefore, Other: "dob"}}},
		{ID: "child_without_birth_date", Field: "dob", Plain: "A child known to the council needs a date of birth, or an expected date.",
			If: []Condition{{Field: "la_child_id", Test: Answered}},
			Then: []Condition{{Test: AnyOf, Where: []Condition{
				{Field: "dob", Test: Answered}, {Field: "expected_dob", Test: Answered},
			}}}},
		{ID: "unborn_with_sex", Field: "sex", Plain: "A child not yet born has sex \"not known, or not yet born\".",
			If:   []Condition{{Field: "expected_dob", Test: Answered}, {Field: "sex", Test: Answered}},
			Then: []Condition{when("sex", "U")}},
		{ID: "none_beside_disability", Field: "disability", Plain: "\"No disability\" cannot stand beside a disability.",
			If:   []Condition{{Field: "disability", Test: AtLeast, Limit: 1, Where: []Condition{when("code", "NONE")}}},
			Then: []Condition{{Field: "disability", Test: AtMost, Limit: 1}}},
	},
}

// datedParts make one address, placement or phone number with its dates. While
// two people disagree on whether it is confidential, it is.
func datedParts(label string, max int64) []Field {
	return []Field{
		{ID: "text", Rule: Human, Label: Admin, Type: TypeLine, Max: max, Required: true,
			Hint: Hint{Label: label, Order: 1, Long: max > 100}},
		{ID: "from", Rule: Human, Label: Admin, Type: TypeDate, Hint: Hint{Label: "From", Order: 2}},
		{ID: "to", Rule: Human, Label: Admin, Type: TypeDate, Hint: Hint{Label: "Until", Order: 3}},
		{ID: "confidential", Rule: Protect, Label: Attested, Type: TypeCode, Codes: yesNo, Protective: yesFirst,
			Hint: Hint{Label: "Confidential", Help: "Yes: never shown or sent to the person who poses a risk.", Order: 4}},
	}
}

var datedChecks = []Check{{ID: "ends_before_start", Field: "to", Plain: "The last day is before the first.",
	Then: []Condition{{Field: "to", Test: NotBefore, Other: "from"}}}}

var hazardParts = []Field{
	{ID: "code", Rule: Human, Label: Attested, Type: TypeCode, Required: true,
		Codes: "VIOLENCE Violence or threats; WEAPON Weapon in the home; ANIMAL Dangerous animal; " +
			"RISK_PERSON Person who poses a risk; INFECTION Infection; PREMISES Unsafe premises; " +
			"TWO_WORKERS Visit in pairs; OTHER Other",
		Hint: Hint{Label: "Risk", Order: 1}},
	{ID: "text", Rule: Human, Label: Attested, Type: TypeLine, Max: 2000, Required: true,
		Hint: Hint{Label: "What to know", Order: 2, Long: true}},
	{ID: "review_date", Rule: Human, Label: Attested, Type: TypeDate, Required: true,
		Hint: Hint{Label: "Review by", Order: 3}},
}
