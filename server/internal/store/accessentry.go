package store

import "doorstep/syncproto"

// Categories of restriction (domain rules R22).
const (
	RestrictStaff       = "STAFF"        // of or about a member of staff
	RestrictHighProfile = "HIGH_PROFILE" // in the public eye
	RestrictHighRisk    = "HIGH_RISK"    // whoever finds them may harm them
	RestrictAdoption    = "ADOPTION"     // from before an adoption: apart from the file after it
	RestrictReview      = "REVIEW"       // under a serious case review
)

// Restrictions lists every category.
func Restrictions() []string {
	return []string{RestrictStaff, RestrictHighProfile, RestrictHighRisk, RestrictAdoption, RestrictReview}
}

// RestrictionEntry restricts a family's file, or lifts that. The newest of a
// family and category counts. A review that is overdue lifts nothing.
type RestrictionEntry struct {
	Family   syncproto.FamilyID
	Category string
	On       bool
	Reason   string
	By       syncproto.UserID
	AtMS     int64
	ReviewMS int64 // by when it is looked at again, at most 90 days after AtMS
}

// BreakGlassEntry opens a family's file to one person in an emergency, from one
// time to another, or is the same again with the review that closed it.
type BreakGlassEntry struct {
	ID       syncproto.ID
	User     syncproto.UserID
	Family   syncproto.FamilyID
	Code     string // reason, of the closed list of package doors
	Text     string // reason in words
	FromMS   int64
	ToMS     int64
	ClosedBy syncproto.UserID // zero: not reviewed yet
	ClosedMS int64
	Finding  string // what the review found: JUSTIFIED, NOT_JUSTIFIED or UNCLEAR
	Note     string
}

func (RestrictionEntry) entryKind() entryKind { return kindRestriction }
func (BreakGlassEntry) entryKind() entryKind  { return kindBreakGlass }

// Numbers of these entries; see entryKind.
const (
	kindRestriction entryKind = 40
	kindBreakGlass  entryKind = 41
)
