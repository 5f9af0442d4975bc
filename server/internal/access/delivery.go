package access

// MayDeliver reports whether final records of a kind go to the borough's case-management
// system: what belongs on a child's or family's file. What some readers of a family must
// not see has no place there, since nobody here knows who reads it there: disclosures made
// in confidence, sessions with an adult, intelligence, volunteers' logs and concerns,
// personal supervision and observed practice stay.
func MayDeliver(kind string) bool {
	switch GroupOf(kind) {
	case GroupVisit, GroupPlan, GroupConsult, GroupSupervision, GroupReview, GroupMissing, GroupMET, GroupMeeting:
		return true
	}
	return false
}
