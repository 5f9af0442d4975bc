package auth

// Valid reports whether r is one of the borough's roles, as package access knows
// them (a test of the server holds the two lists together).
func (r Role) Valid() bool {
	switch r {
	case RolePractitioner, RoleCoordinator, RoleManager, RoleIT,
		"social_worker", "clinician", "fit_specialist", "business_support", "volunteer", "volunteer_coordinator",
		"met_worker", "met_partner", "chair", "head_of_practice", "coach", "edt", "analyst", "ig_officer", "auditor":
		return true
	}
	return false
}
