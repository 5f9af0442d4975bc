package access

// Role is what a person is in the borough, whatever the family. A job that the
// borough knows by another name is one of these: an On Track key worker is a
// social worker or a practitioner, a transitional social worker a social worker
// with a dated allocation, a Caldicott guardian an information governance
// officer. Families and their networks have no account: they are given copies.
type Role string

const (
	RoleSocialWorker   Role = "social_worker" // registered
	RolePractitioner   Role = "practitioner"  // early help, youth justice, leaving care, disability, family support
	RoleClinician      Role = "clinician"
	RoleFIT            Role = "fit_specialist"
	RoleCoordinator    Role = "coordinator"
	RoleSupport        Role = "business_support"
	RoleVolunteer      Role = "volunteer"
	RoleVolunteerCoord Role = "volunteer_coordinator"
	RoleManager        Role = "manager"
	RoleMET            Role = "met_worker"
	RolePartner        Role = "met_partner" // police, health
	RoleChair          Role = "chair"       // of conferences, and independent reviewing officers
	RoleHeadOfPractice Role = "head_of_practice"
	RoleCoach          Role = "coach" // of the Centre for Social Work, and learners of other authorities
	RoleEDT            Role = "edt"   // emergency duty
	RoleAnalyst        Role = "analyst"
	RoleGovernance     Role = "ig_officer" // and the Caldicott guardian
	RoleAuditor        Role = "auditor"    // and Ofsted's inspectors
	RoleIT             Role = "it"
	RoleImport         Role = "import" // the borough's import, not a person
)

// Roles lists every role of a person, in the order of the table.
func Roles() []Role { return append([]Role(nil), people...) }

// Valid reports whether a person can have the role.
func (r Role) Valid() bool { return r != RoleImport && r.bit() != unknownBit }

// Basis is the footing on which a person meets a family. Nobody has one by role
// alone.
type Basis string

const (
	BasisNone Basis = "" // nothing to do with the family

	// By allocation, from the case management system.
	BasisLead  Basis = "LEAD"
	BasisCo    Basis = "CO"
	BasisPA    Basis = "PA" // personal adviser
	BasisClin  Basis = "CLIN"
	BasisFIT   Basis = "FIT"
	BasisVol   Basis = "VOL" // matched volunteer
	BasisMET   Basis = "MET"
	BasisChair Basis = "CHAIR"
	BasisIRO   Basis = "IRO"
	BasisEDT   Basis = "EDT"

	// By a post in the family's team, or in a programme that the family is in.
	BasisTeam      Basis = "TEAM"      // works in the team, not with the family
	BasisCoord     Basis = "COORD"     // coordinates for the team
	BasisManager   Basis = "MANAGER"   // manages the team
	BasisSupport   Basis = "SUPPORT"   // business support of the team
	BasisProgramme Basis = "PROGRAMME" // coordinates the volunteers of the family
	BasisMissing   Basis = "MISSING"   // the family is on the authority's missing list

	// By a grant, from a day until a day.
	BasisJoint   Basis = "JOINT"   // a joint visit
	BasisCover   Basis = "COVER"   // cover for somebody absent
	BasisConsult Basis = "CONSULT" // a case consultation
	BasisSample  Basis = "SAMPLE"  // a sample for quality or inspection
	BasisRequest Basis = "REQUEST" // a subject access request
	BasisShared  Basis = "SHARED"  // an agency that something is shared with
	BasisObserve Basis = "OBSERVE" // an observed visit, with the family's consent

	BasisBreakGlass Basis = "BREAK_GLASS" // opened in an emergency

	// Not with a family.
	BasisSelf       Basis = "SELF"       // what is about the person themselves, as a worker
	BasisSupervisor Basis = "SUPERVISOR" // what is about a worker whom the person supervises
	BasisOffice     Basis = "OFFICE"     // what belongs to the borough and to no family

	BasisDenied   Basis = "DENIED"   // kept out of this family: conflict of interest
	BasisRelative Basis = "RELATIVE" // kept out of this family: one's own, or a relative's
)

// Named is not a footing: it lets a person into a restricted file, on the footing
// that they have besides.
const Named = "NAMED"

// unknownBit stands for a role or basis that there is not: it matches what names
// none.
const unknownBit = uint32(1) << 31

func (r Role) bit() uint32 {
	switch r {
	case RoleSocialWorker:
		return 1 << 0
	case RolePractitioner:
		return 1 << 1
	case RoleClinician:
		return 1 << 2
	case RoleFIT:
		return 1 << 3
	case RoleCoordinator:
		return 1 << 4
	case RoleSupport:
		return 1 << 5
	case RoleVolunteer:
		return 1 << 6
	case RoleVolunteerCoord:
		return 1 << 7
	case RoleManager:
		return 1 << 8
	case RoleMET:
		return 1 << 9
	case RolePartner:
		return 1 << 10
	case RoleChair:
		return 1 << 11
	case RoleHeadOfPractice:
		return 1 << 12
	case RoleCoach:
		return 1 << 13
	case RoleEDT:
		return 1 << 14
	case RoleAnalyst:
		return 1 << 15
	case RoleGovernance:
		return 1 << 16
	case RoleAuditor:
		return 1 << 17
	case RoleIT:
		return 1 << 18
	case RoleImport:
		return 1 << 19
	}
	return unknownBit
}

func (b Basis) bit() uint32 {
	switch b {
	case BasisNone:
		return 1 << 0
	case BasisLead:
		return 1 << 1
	case BasisCo:
		return 1 << 2
	case BasisPA:
		return 1 << 3
	case BasisClin:
		return 1 << 4
	case BasisFIT:
		return 1 << 5
	case BasisVol:
		return 1 << 6
	case BasisMET:
		return 1 << 7
	case BasisChair:
		return 1 << 8
	case BasisIRO:
		return 1 << 9
	case BasisEDT:
		return 1 << 10
	case BasisTeam:
		return 1 << 11
	case BasisCoord:
		return 1 << 12
	case BasisManager:
		return 1 << 13
	case BasisSupport:
		return 1 << 14
	case BasisProgramme:
		return 1 << 15
	case BasisMissing:
		return 1 << 16
	case BasisJoint:
		return 1 << 17
	case BasisCover:
		return 1 << 18
	case BasisConsult:
		return 1 << 19
	case BasisSample:
		return 1 << 20
	case BasisRequest:
		return 1 << 21
	case BasisShared:
		return 1 << 22
	case BasisObserve:
		return 1 << 23
	case BasisBreakGlass:
		return 1 << 24
	case BasisSelf:
		return 1 << 25
	case BasisSupervisor:
		return 1 << 26
	case BasisOffice:
		return 1 << 27
	case BasisDenied:
		return 1 << 28
	case BasisRelative:
		return 1 << 29
	}
	return unknownBit
}
