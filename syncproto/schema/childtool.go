package schema

// childToolKind is one sheet of direct work with a child: three houses, fairy or
// wizard, safety house, words and pictures (domain rules R6). What the child said
// and drew is kept as it was; the wording of a story is agreed with the parents.
var childToolKind = Kind{
	ID: "child_tool", Version: 1, Name: "work with a child",
	NeedsConfirmation: true, Finalises: true,
	Fields: []Field{
		{ID: "child", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "person", Required: true,
			Hint: Hint{Label: "Child", Section: "Sheet", Order: 1}},
		{ID: "tool", Rule: Human, Label: Attested, Type: TypeCode, Codes: childTools, Required: true,
			Hint: Hint{Label: "Tool", Section: "Sheet", Order: 2}},
		{ID: "done_on", Rule: Human, Label: Attested, Type: TypeDate, Required: true,
			Hint: Hint{Label: "Done on", Section: "Sheet", Order: 3}},
		{ID: "visit", Rule: Human, Label: Admin, Type: TypeRef, RefKind: "visit",
			Hint: Hint{Label: "On which visit", Section: "Sheet", Order: 4}},
		{ID: "panels", Rule: Log, Label: Verbatim, Sub: panelParts,
			Hint: Hint{Label: "What the child said and drew", Help: "Exactly as said. It cannot be changed.", Section: "The child's part", Order: 5}},
		{ID: "may_share", Rule: Protect, Label: Attested, Type: TypeCode, Codes: yesNo, Protective: noFirst,
			Hint: Hint{Label: "The child agrees to share it", Section: "Sharing", Order: 6}},
		{ID: "share_with", Rule: Union, Label: Attested, Sub: []Field{
			{ID: "name", Rule: Human, Label: Attested, Type: TypeLine, Max: 200, Required: true, Hint: Hint{Label: "Name", Order: 1}},
		}, Hint: Hint{Label: "With whom", Section: "Sharing", Order: 7}},
		{ID: "storyboard", Rule: Human, Label: Judgement, Type: TypeLine, Max: 16 << 10,
			RequiredIf: []Condition{when("tool", "WORDS_PICTURES")},
			Hint: Hint{Label: "The story", Help: "Who is worried, what about, what happened, what is happening now. Parents agree the wording.",
				Section: "Words and pictures", Order: 8, Long: true}},
		{ID: "agreed_by", Rule: Union, Label: Attested, Sub: []Field{
			{ID: "name", Rule: Human, Label: Attested, Type: TypeLine, Max: 200, Required: true, Hint: Hint{Label: "Name", Order: 1}},
			{ID: "capacity", Rule: Human, Label: Attested, Type: TypeCode, Codes: capacities, Hint: Hint{Label: "Agrees as", Order: 2}},
			{ID: "on", Rule: Human, Label: Attested, Type: TypeDate, Required: true, Hint: Hint{Label: "On", Order: 3}},
		}, Hint: Hint{Label: "Who agreed the wording", Section: "Words and pictures", Order: 9}},
		{ID: "explained", Rule: Log, Label: Attested, Sub: []Field{
			{ID: "on", Rule: Log, Label: Attested, Type: TypeDate, Required: true, Hint: Hint{Label: "On", Order: 1}},
			{ID: "how", Rule: Log, Label: Attested, Type: TypeLine, Max: 2000, Required: true, Hint: Hint{Label: "How", Order: 2, Long: true}},
			{ID: "by", Rule: Log, Label: Attested, Type: TypeLine, Max: 200, Required: true, Hint: Hint{Label: "By", Order: 3}},
		}, Hint: Hint{Label: "Explained to the child", Section: "Words and pictures", Order: 10}},
	},
	Checks: []Check{
		{ID: "shared_without_leave", Field: "share_with", Plain: "The child has not agreed to share this.",
			If:   []Condition{{Field: "share_with", Test: AtLeast, Limit: 1}},
			Then: []Condition{when("may_share", "Y")}},
	},
}

var panelParts = []Field{
	{ID: "panel", Rule: Log, Label: Verbatim, Type: TypeCode,
		Codes: "WORRIES House of worries; GOOD_THINGS House of good things; DREAMS House of dreams; " +
			"CLOTHES Clothes: what needs to change; WINGS Wings or cape: good things; WAND Wand: wishes; " +
			"SAFETY_HOUSE Safety house; STORY Words and pictures; OTHER Other",
		Hint: Hint{Label: "Which part", Order: 1}},
	{ID: "prompt", Rule: Log, Label: Verbatim, Type: TypeLine, Max: 2000, Hint: Hint{Label: "What was asked", Order: 2, Long: true}},
	{ID: "words", Rule: Log, Label: Verbatim, Type: TypeLine, Max: 16 << 10,
		RequiredIf: []Condition{{Field: "drawing", Test: Unanswered}},
		Hint:       Hint{Label: "The child's words", Order: 3, Long: true}},
	{ID: "drawing", Rule: Log, Label: Verbatim, Type: TypeHash, Hint: Hint{Label: "Drawing", Order: 4}},
	{ID: "drawn_by", Rule: Log, Label: Verbatim, Type: TypeLine, Max: 200, Hint: Hint{Label: "Written or drawn by", Order: 5}},
	{ID: "language", Rule: Log, Label: Verbatim, Type: TypeLine, Max: 35, Format: FormatLanguage, Hint: Hint{Label: "Language", Order: 6}},
}
