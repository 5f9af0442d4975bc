package schema

// allocationKind says who works with the family, as what and when (domain rules
// R2). The case management system is the source: the server's order decides.
var allocationKind = Kind{
	ID: "allocation", Version: 1, Name: "allocation",
	Fields: []Field{
		{ID: "worker", Rule: Server, Label: Admin, Type: TypeRef, RefKind: "user", Required: true,
			Hint: Hint{Label: "Worker", Section: "Allocation", Order: 1}},
		{ID: "team", Rule: Server, Label: Admin, Type: TypeLine, Max: 100,
			Hint: Hint{Label: "Team", Section: "Allocation", Order: 2}},
		{ID: "role", Rule: Server, Label: Admin, Type: TypeCode, Codes: involvementRoles, Required: true,
			Hint: Hint{Label: "Role", Section: "Allocation", Order: 3}},
		{ID: "from", Rule: Server, Label: Admin, Type: TypeDate, Required: true,
			Hint: Hint{Label: "From", Section: "Allocation", Order: 4}},
		{ID: "to", Rule: Server, Label: Admin, Type: TypeDate,
			Hint: Hint{Label: "Until", Section: "Allocation", Order: 5}},
		{ID: "sw_reason", Rule: Server, Label: Admin, Type: TypeCode, Codes: workerChangeReasons,
			Hint: Hint{Label: "Reason for the change", Section: "Allocation", Order: 6}},
	},
	Checks: datedChecks,
}

// statusKind is one period of one child in need, on a plan, looked after and so
// on, with what the returns want to know of it (domain rules R2).
var statusKind = Kind{
	ID: "status", Version: 1, Name: "status",
	Fields: []Field{
		{ID: "child", Rule: Server, Label: Admin, Type: TypeRef, RefKind: "person", Required: true,
			Hint: Hint{Label: "Child", Section: "Status", Order: 1}},
		{ID: "kind", Rule: Server, Label: Admin, Type: TypeCode, Codes: statusKinds, Required: true,
			Hint: Hint{Label: "Status", Section: "Status", Order: 2}},
		{ID: "from", Rule: Server, Label: Admin, Type: TypeDate, Required: true,
			Hint: Hint{Label: "From", Section: "Status", Order: 3}},
		{ID: "to", Rule: Server, Label: Admin, Type: TypeDate,
			Hint: Hint{Label: "Until", Section: "Status", Order: 4}},
		{ID: "category_initial", Rule: Server, Label: Admin, Type: TypeCode, Codes: abuseCategories,
			RequiredIf: []Condition{when("kind", "CP")},
			Hint:       Hint{Label: "First category of abuse", Section: "Child protection", Order: 5}},
		{ID: "category_latest", Rule: Server, Label: Admin, Type: TypeCode, Codes: abuseCategories,
			Hint: Hint{Label: "Latest category of abuse", Section: "Child protection", Order: 6}},
		{ID: "primary_need", Rule: Server, Label: Admin, Type: TypeCode, Codes: primaryNeeds,
			Hint: Hint{Label: "Primary need", Section: "Status", Order: 7}},
		{ID: "legal_status", Rule: Server, Label: Admin, Type: TypeCode, Codes: legalStatuses,
			RequiredIf: []Condition{when("kind", "CLA")},
			Hint:       Hint{Label: "Legal status", Section: "Looked after", Order: 8}},
		{ID: "placement_type", Rule: Server, Label: Admin, Type: TypeCode, Codes: placementTypes,
			Hint: Hint{Label: "Placement type", Section: "Looked after", Order: 9}},
		{ID: "provider", Rule: Server, Label: Admin, Type: TypeCode, Codes: providers,
			Hint: Hint{Label: "Placement provider", Section: "Looked after", Order: 10}},
		{ID: "long_term_to_18", Rule: Server, Label: Admin, Type: TypeCode, Codes: yesNo,
			Hint: Hint{Label: "Meant to last to 18", Section: "Looked after", Order: 11}},
		{ID: "reg_basis", Rule: Server, Label: Admin, Type: TypeLine, Max: 100,
			Hint: Hint{Label: "Regulation that sets the visits", Section: "Visits", Order: 12}},
		{ID: "plan_id", Rule: Server, Label: Admin, Type: TypeLine, Max: 60,
			Hint: Hint{Label: "Plan number", Section: "Status", Order: 13}},
		{ID: "review_due", Rule: Server, Label: Admin, Type: TypeDate,
			Hint: Hint{Label: "Review due", Section: "Status", Order: 14}},
		{ID: "visit_frequency", Rule: Server, Label: Admin, Type: TypeStruct, Sub: visitFrequencyParts,
			Hint: Hint{Label: "How often to visit", Help: "As the conference decided.", Section: "Visits", Order: 15}},
	},
	Checks: []Check{
		datedChecks[0],
		{ID: "protection_plan_of_no_days", Field: "to", Plain: "A child protection plan cannot start and end on one day.",
			If:   []Condition{when("kind", "CP")},
			Then: []Condition{{Field: "to", Test: Differs, Other: "from"}}},
	},
}

var visitFrequencyParts = []Field{
	{ID: "n", Rule: Server, Label: Admin, Type: TypeInt, Min: 1, Max: 366, Required: true,
		Hint: Hint{Label: "Every", Order: 1}},
	{ID: "unit", Rule: Server, Label: Admin, Type: TypeCode, Required: true,
		Codes: codes("WD", "working days", "CD", "days", "WEEK", "weeks", "MONTH", "months"),
		Hint:  Hint{Label: "Unit", Order: 2}},
	{ID: "origin", Rule: Server, Label: Admin, Type: TypeCode,
		Codes: codes("DAY0", "The day after the visit is day 1", "DAY1", "The day of the visit is day 1"),
		Hint:  Hint{Label: "Counted from", Order: 3}},
	{ID: "alone_every", Rule: Server, Label: Admin, Type: TypeInt, Min: 1, Max: 100,
		Hint: Hint{Label: "Seen alone every so many visits", Order: 4}},
	{ID: "bedroom_every", Rule: Server, Label: Admin, Type: TypeInt, Min: 1, Max: 100,
		Hint: Hint{Label: "Bedroom seen every so many visits", Order: 5}},
	{ID: "set_by", Rule: Server, Label: Admin, Type: TypeLine, Max: 200,
		Hint: Hint{Label: "Set by", Order: 6}},
	{ID: "date", Rule: Server, Label: Admin, Type: TypeDate,
		Hint: Hint{Label: "Decided on", Order: 7}},
}
