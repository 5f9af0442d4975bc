package schema

// familyKind is the family's own sheet: what is true of the family rather than
// of one of its people, who are records of their own.
var familyKind = Kind{
	ID: "family", Version: 1, Name: "family",
	Fields: []Field{
		{ID: "name", Rule: Latest, Label: Admin, Type: TypeLine, Max: 200, Required: true,
			Hint: Hint{Label: "Family name", Help: "As it is known to the team, in lists.", Section: "Family", Order: 1}},
		{ID: "reference", Rule: Server, Label: Admin, Type: TypeLine, Max: 40,
			Hint: Hint{Label: "Family reference", Help: "The number in the case management system.", Section: "Family", Order: 2}},
		{ID: "team", Rule: Server, Label: Admin, Type: TypeLine, Max: 100,
			Hint: Hint{Label: "Team", Section: "Family", Order: 3}},
		{ID: "relationship", Rule: Union, Label: Attested, Sub: relationshipParts,
			Checks: []Check{{ID: "related_to_self", Field: "b", Plain: "A person cannot be related to themselves.",
				Then: []Condition{{Field: "a", Test: Differs, Other: "b"}}}},
			Hint: Hint{Label: "Who is who", Help: "One entry for each pair of people.", Section: "Relationships", Order: 4}},
		{ID: "relationship_quality", Rule: Own, Label: Judgement, Type: TypeStruct, SlotOf: SlotFree,
			Sub:  relationshipQualityParts,
			Hint: Hint{Label: "How each person sees a relationship", Section: "Relationships", Order: 5}},
	},
}

// relationshipParts make one edge of the genogram or ecomap. Meaning is stored,
// never the drawing.
var relationshipParts = []Field{
	{ID: "a", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "person", Required: true,
		Hint: Hint{Label: "Person", Order: 1}},
	{ID: "b", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "person", Required: true,
		Hint: Hint{Label: "Other person", Order: 2}},
	{ID: "type", Rule: Human, Label: Attested, Type: TypeCode, Required: true,
		Codes: "PARENT is parent of; STEP_PARENT is step-parent of; CARER is carer of; " +
			"SIBLING is brother or sister of; HALF_SIBLING is half-brother or half-sister of; " +
			"GRANDPARENT is grandparent of; AUNT_UNCLE is aunt or uncle of; PARTNER is partner of; " +
			"EX_PARTNER is former partner of; OTHER_RELATIVE is a relative of; FRIEND is a friend of; " +
			"PROFESSIONAL works with; OTHER other",
		Hint: Hint{Label: "Relationship", Order: 3}},
	{ID: "from", Rule: Human, Label: Attested, Type: TypeDate, Hint: Hint{Label: "From", Order: 4}},
	{ID: "to", Rule: Human, Label: Attested, Type: TypeDate, Hint: Hint{Label: "Until", Order: 5}},
	{ID: "source", Rule: Human, Label: Attested, Type: TypeLine, Max: 200,
		Hint: Hint{Label: "Who told us", Order: 6}},
}

var relationshipQualityParts = []Field{
	{ID: "relationship", Rule: Own, Label: Judgement, Type: TypeRef, RefKind: "relationship", Required: true,
		Hint: Hint{Label: "Relationship", Order: 1}},
	{ID: "seen_by", Rule: Own, Label: Judgement, Type: TypeLine, Max: 200, Required: true,
		Hint: Hint{Label: "Who sees it so", Order: 2}},
	{ID: "quality", Rule: Own, Label: Judgement, Type: TypeCode, Required: true,
		Codes: "CLOSE Close; GOOD Good; MIXED Mixed; DISTANT Distant; CONFLICT In conflict; BROKEN Broken off; " +
			"FEARED Feared",
		Hint: Hint{Label: "How they see it", Order: 3}},
	{ID: "why", Rule: Own, Label: Judgement, Type: TypeLine, Max: 2000,
		Hint: Hint{Label: "In their words", Order: 4, Long: true}},
}
