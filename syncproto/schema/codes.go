package schema

import (
	"strings"

	"doorstep/syncproto/cbor"
)

// Codes is a code set, written "CODE words; CODE words": what a tablet downloads
// holds it as it stands here, and nothing of it is built before it is asked for.
type Codes string

// All returns the members of the set, in their order.
func (c Codes) All() []Code {
	var out []Code
	for rest := c; rest != ""; {
		var next Code
		next, rest = rest.first()
		out = append(out, next)
	}
	return out
}

// Has reports whether the set has this code.
func (c Codes) Has(code string) bool {
	for rest := c; rest != ""; {
		var next Code
		if next, rest = rest.first(); next.Code == code {
			return true
		}
	}
	return false
}

// first returns the first member of a set that has one, and the others.
func (c Codes) first() (Code, Codes) {
	member, rest := cut(string(c), ';')
	code, label := cut(member, ' ')
	if rest != "" {
		rest = rest[1:] // the space after the sign
	}
	return Code{Code: code, Label: label}, Codes(rest)
}

// cut returns what stands before a sign and what stands after it: all and nothing if
// it is not there.
func cut(s string, sign byte) (before, after string) {
	if i := strings.IndexByte(s, sign); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// when is the commonest condition: a field has one of these codes, written
// "CODE CODE".
func when(field, codes string) Condition {
	return Condition{Field: field, Is: codes}
}

// other asks what is meant, where the list of a code has no name for it.
func other(field string) []Condition { return []Condition{when(field, "OTHER")} }

// Protective orders, the most protective first. A value that was cleared claims
// nothing: that is safer than the reassuring answer and less safe than the alarm.
var (
	noFirst       = []cbor.Value{cbor.Text("N"), cbor.Null(), cbor.Text("Y")}
	noInfantFirst = []cbor.Value{cbor.Text("N"), cbor.Null(), cbor.Text("NA_INFANT"), cbor.Text("Y")}
	yesFirst      = []cbor.Value{cbor.Text("Y"), cbor.Null(), cbor.Text("N")}
	openFirst     = []cbor.Value{
		cbor.Text("OPEN"), cbor.Text("OVERDUE"), cbor.Null(), cbor.Text("CANCELLED"), cbor.Text("DONE"),
	}
)

const (
	yesNo       = "Y Yes; N No"
	yesNoInfant = "Y Yes; N No; NA_INFANT Not applicable: infant"
	yesNoUnsure = "Y Yes; N No; UNSURE Not sure"
)

// Code sets of the statutory returns (domain rules 6).
const (
	sexes = "F Female; M Male; U Not known, or not yet born"

	ethnicities = "WBRI White British; WIRI White Irish; WOTH Any other White background; " +
		"WIRT Traveller of Irish heritage; WROM Gypsy or Roma; MWBC White and Black Caribbean; " +
		"MWBA White and Black African; MWAS White and Asian; MOTH Any other mixed background; AIND Indian; " +
		"APKN Pakistani; ABAN Bangladeshi; AOTH Any other Asian background; BCRB Black Caribbean; " +
		"BAFR Black African; BOTH Any other Black background; CHNE Chinese; " +
		"OOTH Any other ethnic background; REFU Preferred not to say; NOBT Not yet known"

	disabilities = "NONE No disability; MOB Mobility; HAND Hand function; PC Personal care; INC Incontinence; " +
		"COMM Communication; LD Learning; HEAR Hearing; VIS Vision; BEH Behaviour; CON Consciousness; " +
		"AUT Autism or Asperger syndrome; DDA Other disability under the Equality Act"

	primaryNeeds = "N1 Abuse or neglect; N2 Child's disability; N3 Parent's disability or illness; " +
		"N4 Family in acute stress; N5 Family dysfunction; N6 Socially unacceptable behaviour; " +
		"N7 Low income; N8 Absent parenting; N9 Cases other than children in need; N0 Not stated"

	abuseCategories = "NEG Neglect; PHY Physical abuse; SAB Sexual abuse; EMO Emotional abuse; MUL Several categories"

	legalStatuses = "C1 Interim care order; C2 Full care order; D1 Freeing order; E1 Placement order; " +
		"V2 Single period of accommodation (section 20); V3 Short breaks, one agreement; " +
		"V4 Short breaks, several agreements; J1 Remanded; " +
		"J2 Placed in police and criminal evidence accommodation; J3 Supervision order with residence; " +
		"L1 Police protection; L2 Emergency protection order; L3 Child assessment order"

	placementTypes = "A3 Adoption, with former foster carer, consent; A4 Adoption, not with former foster carer, consent; " +
		"A5 Adoption, with former foster carer, order; A6 Adoption, not with former foster carer, order; " +
		"H5 Semi-independent living; K1 Secure children's home; K2 Children's home; P1 With parents; " +
		"P2 Independent living; P3 Residential employment; R1 Residential care home; " +
		"R2 Hospital or health setting; R3 Family centre or mother and baby unit; " +
		"R5 Young offender institution; S1 Residential school; T0 Temporary placement, all types; " +
		"T1 Temporary, hospital; T2 Temporary, holiday; T3 Temporary, carer away; T4 Temporary, other; " +
		"U1 Foster, relative or friend, long term; U2 Foster, relative or friend, adopting; " +
		"U3 Foster, relative or friend, other; U4 Foster, long term; U5 Foster, adopting; U6 Foster, other; " +
		"Z1 Other placement"

	providers = "PR0 Parent or person with responsibility; PR1 Own provision; PR2 Other local authority; " +
		"PR3 Other public provision; PR4 Private provision; PR5 Voluntary provision"

	workerChangeReasons = "MANAGE Manager's decision; FCONTA First contact; LEFTRL Worker left; ORGRST Reorganisation; " +
		"TSPROC Transfer between teams; ABSENC Worker absent; CHCHAN Child asked for a change; " +
		"PCCHAN Parent or carer asked for a change; SWDIED Worker died; OTHERS Other"
)

// Code sets of our own records (domain rules R1-R4, R8, R19).
const (
	involvementRoles = "LEAD Lead worker; CO Co-worker; COORD Co-ordinator; CLIN Clinical practitioner; " +
		"FIT Family intervention specialist; VOL Volunteer; MET Missing and exploitation worker; " +
		"CHAIR Conference chair; IRO Independent reviewing officer; PA Personal adviser; EDT Emergency duty"

	statusKinds = "CIN Child in need; CP Child protection plan; CLA Looked after; CL Care leaver; EH Early help; " +
		"S47 Section 47 enquiry; ASSESS Assessment; YJ Youth justice; DISAB Disability service"

	// visitGrounds name paragraphs of regulation 28 that no code of a return tells.
	visitGrounds = "REG19 With a parent, before the assessment is complete (regulation 19); " +
		"REG24 With a connected person approved for the time being (regulation 24); " +
		"REG28_3A Long-term foster placement, the child agreed to fewer visits (regulation 28(3A))"

	visitTypes = "CIN Child in need; CP Child protection; CLA Looked after; S47 Section 47 enquiry; " +
		"ASSESS Assessment; PRIVFOST Private fostering; ADOPT Adoption; CARELEAVER Care leaver; " +
		"EARLYHELP Early help; DISAB_SB Disability short break; YJ Youth justice; FIT Family intervention; " +
		"RHI Return home interview; VOLUNTEER Volunteer; JOINT Joint visit with another agency; OTHER Other"

	contactModes = "IN_PERSON In person; VIDEO Video call; PHONE Phone call"

	places = "HOME Family home; PLACEMENT Placement; SCHOOL School or nursery; " +
		"FAMILY_MEMBER Home of a relative or friend; OFFICE Office; COMMUNITY Community venue; " +
		"CUSTODY Custody; OTHER Somewhere else"

	outcomes = "COMPLETED Visit took place; NO_ACCESS Not let in; NO_REPLY No reply; REFUSED Visit refused; " +
		"CANCELLED_FAMILY Cancelled by the family; CANCELLED_SERVICE Cancelled by us; " +
		"ABANDONED_SAFETY Left for safety"

	// workerRoles say what a worker is, which decides whether a visit can count
	// as statutory; lead and co-worker say nothing about being qualified.
	workerRoles = "SW Social worker (registered); SENIOR_SW Senior practitioner (registered social worker); " +
		"TRANSITIONAL_SW Transitional social worker (registered); " +
		"EDT_SW Emergency duty social worker (registered); STUDENT_SW Student social worker; " +
		"FAMILY_SUPPORT Family support worker; EARLY_HELP Early help worker; YJ Youth justice worker; " +
		"PA Personal adviser; DISAB Disability worker; CLIN Clinical practitioner; " +
		"FIT Family intervention specialist; MET Missing and exploitation worker; COORD Co-ordinator; " +
		"VOL Volunteer; MANAGER Manager; OTHER Other"

	// Regulation 29: these three and no others.
	notAloneReasons = "REFUSED The child refused; INAPPROPRIATE Not appropriate, given age and understanding; " +
		"UNABLE Not possible to see the child alone"

	childTools = "THREE_HOUSES Three houses; FAIRY Fairy; WIZARD Wizard; SAFETY_HOUSE Safety house; " +
		"WORDS_PICTURES Words and pictures; OTHER Other"

	planStatuses = "DRAFT Draft; AGREED Agreed; ACTIVE In force; UNDER_REVIEW Under review; ENDED Ended; " +
		"SUPERSEDED Replaced by a newer plan"

	actionStatuses = "OPEN To do; DONE Done; OVERDUE Overdue; CANCELLED Cancelled"
)

// CorrectionReasons are what a correction of a final record may give as its
// reason (domain rules R21).
func CorrectionReasons() []Code {
	return Codes("TYPO Typing mistake; WRONG_PERSON Wrong person; WRONG_DATE Wrong date; FACT_ERROR Wrong fact; " +
		"OTHER Other").All()
}
