package schema

import "doorstep/syncproto/cbor"

// planKind is a safety plan: rules that keep children safe, and the people who
// see that they are kept (domain rules R8). Signatures bind to a version's hash;
// making a plan active asks Complete with the new status.
var planKind = Kind{
	ID: "plan", Version: 1, Name: "safety plan",
	NeedsConfirmation: true, Finalises: true,
	Fields: []Field{
		{ID: "status", Rule: Server, Label: Judgement, Type: TypeCode, Codes: planStatuses, Required: true,
			Hint: Hint{Label: "Status", Section: "Plan", Order: 1}},
		{ID: "children", Rule: Union, Label: Attested, Sub: []Field{
			{ID: "child", Rule: Human, Label: Attested, Type: TypeRef, RefKind: "person", Required: true,
				Hint: Hint{Label: "Child", Order: 1}},
		}, Hint: Hint{Label: "Children the plan protects", Section: "Plan", Order: 2}},
		{ID: "review_date", Rule: Human, Label: Judgement, Type: TypeDate, RequiredIf: inForce,
			Hint: Hint{Label: "Review on", Section: "Plan", Order: 3}},
		{ID: "bottom_lines", Rule: Human, Label: Judgement, Type: TypeLine, Max: 8000, ManagerApproves: true,
			Hint: Hint{Label: "What is not up for discussion", Help: "A manager approves these.", Section: "Plan", Order: 4, Long: true}},
		{ID: "rules", Rule: Union, Label: Judgement, KeepRemoved: true, RequiredIf: inForce, Sub: planRuleParts,
			Hint: Hint{Label: "Rules", Help: "A rule that is taken out stands until a manager has agreed.", Section: "Rules", Order: 5}},
		{ID: "network", Rule: Union, Label: Judgement, KeepRemoved: true, RequiredIf: inForce, Sub: networkParts,
			Hint: Hint{Label: "People who help", Help: "A person who is taken out stays until a manager has agreed.", Section: "People", Order: 6}},
		{ID: "triggers", Rule: Union, Label: Judgement, RequiredIf: inForce, Sub: []Field{
			{ID: "text", Rule: Human, Label: Judgement, Type: TypeLine, Max: 2000, Required: true,
				Hint: Hint{Label: "Warning sign", Order: 1, Long: true}},
		}, Hint: Hint{Label: "Warning signs", Section: "If it does not work", Order: 7}},
		{ID: "contingency", Rule: Human, Label: Judgement, Type: TypeLine, Max: 8000, RequiredIf: inForce,
			Hint: Hint{Label: "If the plan is not followed", Help: "If this happens, who does what.", Section: "If it does not work", Order: 8, Long: true}},
		{ID: "trajectory", Rule: Union, Label: Judgement, Sub: []Field{
			{ID: "date", Rule: Human, Label: Judgement, Type: TypeDate, Required: true, Hint: Hint{Label: "By", Order: 1}},
			{ID: "expected", Rule: Text, Label: Judgement, Type: TypeProse, Required: true, Hint: Hint{Label: "What we expect to see", Order: 2}},
			{ID: "evidence", Rule: Text, Label: Judgement, Type: TypeProse, Hint: Hint{Label: "What we saw", Order: 3}},
		}, Hint: Hint{Label: "Steps to closing", Section: "Over time", Order: 9}},
		{ID: "monitoring", Rule: Log, Label: Attested, Sub: monitoringParts,
			Hint: Hint{Label: "How the plan is working", Section: "Over time", Order: 10}},
		{ID: "views", Rule: Own, Label: Attested, Type: TypeStruct, SlotOf: SlotPerson, Sub: []Field{
			{ID: "capacity", Rule: Own, Label: Attested, Type: TypeCode, Codes: capacities, Required: true, Hint: Hint{Label: "Who", Order: 1}},
			{ID: "name", Rule: Own, Label: Attested, Type: TypeLine, Max: 200, Required: true, Hint: Hint{Label: "Name", Order: 2}},
			{ID: "view", Rule: Own, Label: Attested, Type: TypeLine, Max: 16 << 10, Required: true,
				Hint: Hint{Label: "What they think of the plan", Order: 3, Long: true}},
		}, Hint: Hint{Label: "Views", Help: "One for each person. They need not agree.", Section: "Views", Order: 11}},
		{ID: "signatures", Rule: Log, Label: Attested, Sub: signatureParts,
			Hint: Hint{Label: "Signatures", Help: "Signing is a choice. A change makes a new, unsigned version.", Section: "Copies", Order: 12}},
		{ID: "shares", Rule: Log, Label: Attested, Sub: shareParts,
			Hint: Hint{Label: "Copies given", Section: "Copies", Order: 13}},
	},
	Checks: []Check{
		{ID: "nobody_safe_in_network", Field: "network", Plain: "A plan needs at least one person who helps and poses no risk.",
			If: inForce,
			Then: []Condition{{Field: "network", Test: AtLeast, Limit: 1, Where: []Condition{
				{Field: "poses_risk", Test: NoneOf, Is: "Y"},
			}}}},
		{ID: "bottom_lines_not_approved", Field: "bottom_lines", Plain: "A manager has not approved what is not up for discussion.",
			If:   []Condition{inForce[0], {Field: "bottom_lines", Test: Answered}},
			Then: []Condition{when(FactApproved, "bottom_lines")}},
	},
}

// inForce holds for a plan that counts, or is about to.
var inForce = []Condition{when("status", "ACTIVE UNDER_REVIEW")}

const capacities = "CHILD Child; PARENT Parent; CARER Carer; NETWORK Relative or friend; WORKER Worker; OTHER Other"

// planRuleParts make one rule. While two people disagree on whether it is in
// force, it is.
var planRuleParts = []Field{
	{ID: "text", Rule: Human, Label: Judgement, Type: TypeLine, Max: 4000, Required: true,
		Hint: Hint{Label: "Rule", Order: 1, Long: true}},
	{ID: "who", Rule: Human, Label: Judgement, Type: TypeLine, Max: 400, Required: true, Hint: Hint{Label: "Who does it", Order: 2}},
	{ID: "when", Rule: Human, Label: Judgement, Type: TypeLine, Max: 400, Required: true, Hint: Hint{Label: "When, or on what sign", Order: 3}},
	{ID: "family_knows", Rule: Human, Label: Judgement, Type: TypeLine, Max: 2000, Hint: Hint{Label: "How the family will know", Order: 4, Long: true}},
	{ID: "how_checked", Rule: Human, Label: Judgement, Type: TypeLine, Max: 2000, Hint: Hint{Label: "How it is checked", Order: 5, Long: true}},
	{ID: "checked_by", Rule: Human, Label: Judgement, Type: TypeLine, Max: 400, Hint: Hint{Label: "Who checks", Order: 6}},
	{ID: "start", Rule: Human, Label: Judgement, Type: TypeDate, Hint: Hint{Label: "From", Order: 7}},
	{ID: "status", Rule: Protect, Label: Judgement, Type: TypeCode,
		Codes: "IN_FORCE In force; NOT_STARTED Not started; PAUSED Paused; ENDED Ended",
		Protective: []cbor.Value{
			cbor.Text("IN_FORCE"), cbor.Null(), cbor.Text("NOT_STARTED"), cbor.Text("PAUSED"), cbor.Text("ENDED"),
		},
		Hint: Hint{Label: "State of the rule", Order: 8}},
}

var networkParts = []Field{
	{ID: "person", Rule: Human, Label: Judgement, Type: TypeRef, RefKind: "person", Hint: Hint{Label: "Person on file", Order: 1}},
	{ID: "name", Rule: Human, Label: Judgement, Type: TypeLine, Max: 200, Required: true, Hint: Hint{Label: "Name", Order: 2}},
	{ID: "contact", Rule: Human, Label: Judgement, Type: TypeLine, Max: 200, Required: true, Hint: Hint{Label: "Phone or other contact", Order: 3}},
	{ID: "role", Rule: Human, Label: Judgement, Type: TypeLine, Max: 200, Hint: Hint{Label: "What they do in the plan", Order: 4}},
	{ID: "agreed_on", Rule: Human, Label: Judgement, Type: TypeDate, Required: true, Hint: Hint{Label: "Agreed on", Order: 5}},
	{ID: "knows_why", Rule: Human, Label: Judgement, Type: TypeCode, Codes: yesNo, Hint: Hint{Label: "Knows why", Order: 6}},
	{ID: "poses_risk", Rule: Protect, Label: Judgement, Type: TypeCode, Codes: yesNo, Protective: yesFirst,
		Hint: Hint{Label: "Poses a risk to a child", Order: 7}},
}

var monitoringParts = []Field{
	{ID: "date", Rule: Log, Label: Attested, Type: TypeDate, Required: true, Hint: Hint{Label: "Date", Order: 1}},
	{ID: "rule", Rule: Log, Label: Attested, Type: TypeRef, RefKind: "rules", Hint: Hint{Label: "Rule", Order: 2}},
	{ID: "kept", Rule: Log, Label: Attested, Type: TypeCode, Required: true,
		Codes: "KEPT Kept; BROKEN Broken; PARTLY Partly kept", Hint: Hint{Label: "Kept or broken", Order: 3}},
	{ID: "seen_by", Rule: Log, Label: Attested, Type: TypeLine, Max: 200, Required: true, Hint: Hint{Label: "Seen by", Order: 4}},
	{ID: "what_happened", Rule: Log, Label: Attested, Type: TypeLine, Max: 4000, Hint: Hint{Label: "What happened", Order: 5, Long: true}},
}

var signatureParts = []Field{
	{ID: "version_hash", Rule: Log, Label: Attested, Type: TypeHash, Required: true, Hint: Hint{Label: "Version", Order: 1}},
	{ID: "signer", Rule: Log, Label: Attested, Type: TypeLine, Max: 200, Required: true, Hint: Hint{Label: "Name", Order: 2}},
	{ID: "capacity", Rule: Log, Label: Attested, Type: TypeCode, Codes: capacities, Required: true, Hint: Hint{Label: "Signs as", Order: 3}},
	{ID: "mode", Rule: Log, Label: Attested, Type: TypeCode, Required: true,
		Codes: "PEN Signed on paper; SPOKEN Agreed aloud; DECLINED Declined; NOT_ASKED Not asked",
		Hint:  Hint{Label: "Agreed or not", Help: "Nobody has to sign. That somebody declined is written down too.", Order: 4}},
	{ID: "declined_reason", Rule: Log, Label: Attested, Type: TypeLine, Max: 2000, RequiredIf: []Condition{when("mode", "DECLINED NOT_ASKED")},
		Hint: Hint{Label: "Why declined or not asked", Order: 5, Long: true}},
	{ID: "witness", Rule: Log, Label: Attested, Type: TypeLine, Max: 200, Hint: Hint{Label: "Who saw or heard it", Order: 6}},
	{ID: "interpreter", Rule: Log, Label: Attested, Type: TypeLine, Max: 200, Hint: Hint{Label: "Interpreter", Order: 7}},
	{ID: "at", Rule: Log, Label: Attested, Type: TypeTime, Hint: Hint{Label: "When", Order: 8}},
}

var shareParts = []Field{
	{ID: "recipient", Rule: Log, Label: Attested, Type: TypeLine, Max: 200, Required: true, Hint: Hint{Label: "Given to", Order: 1}},
	{ID: "version_hash", Rule: Log, Label: Attested, Type: TypeHash,
		RequiredIf: []Condition{{Field: "withheld_reason", Test: Unanswered}}, Hint: Hint{Label: "Version", Order: 2}},
	{ID: "view", Rule: Log, Label: Attested, Type: TypeCode, Required: true,
		Codes: "FULL Whole plan; FAMILY Family's copy; CHILD Child's copy; " +
			"NETWORK Rules, phone list and warning signs",
		Hint: Hint{Label: "Which copy", Order: 3}},
	{ID: "language", Rule: Log, Label: Attested, Type: TypeLine, Max: 35, Format: FormatLanguage, Hint: Hint{Label: "Language", Order: 4}},
	{ID: "format", Rule: Log, Label: Attested, Type: TypeCode,
		Codes: "PAPER Paper; EMAIL Email; SCREEN Shown on screen; READ_ALOUD Read aloud", Hint: Hint{Label: "Form", Order: 5}},
	{ID: "route", Rule: Log, Label: Attested, Type: TypeLine, Max: 200, Hint: Hint{Label: "How it was handed over", Order: 6}},
	{ID: "date", Rule: Log, Label: Attested, Type: TypeDate, Required: true, Hint: Hint{Label: "Date", Order: 7}},
	{ID: "receipt", Rule: Log, Label: Attested, Type: TypeCode, Codes: yesNo, Hint: Hint{Label: "Receipt confirmed", Order: 8}},
	{ID: "withheld_reason", Rule: Log, Label: Attested, Type: TypeLine, Max: 2000, Hint: Hint{Label: "If withheld, why", Order: 9, Long: true}},
}
