package access

// Group is a set of record kinds that the table does not tell apart, or a set of
// entries and papers that belong to the borough. A kind is in one group: see
// GroupOf.
type Group uint8

const (
	GroupNone           Group = iota
	GroupCore                 // who the family are
	GroupHead                 // allocations and statuses, as the case management system has them
	GroupVisit                // visits and what was seen, said and drawn there
	GroupPlan                 // plans, mappings and direct work
	GroupAction               // who is to do what by when
	GroupReview               // reviews and conferences
	GroupMeeting              // calendar and minutes
	GroupConsult              // case consultations and systemic work
	GroupFIT                  // sessions with an adult of the family
	GroupSupervision          // the part of supervision that belongs on the child's file
	GroupDisclosure           // what somebody told in confidence, hidden unless one is let in
	GroupMissing              // missing episodes
	GroupMET                  // return home interviews, exploitation, referrals as a victim of trafficking
	GroupIntelligence         // intelligence
	GroupExtract              // what is shared with a partner agency
	GroupMatch                // a volunteer's match and information sheet
	GroupVolunteerLog         // a volunteer's log
	GroupConcern              // a volunteer's concern
	GroupTime                 // a worker's time
	GroupPersonal             // the personal part of supervision, on the supervisee's file
	GroupObservation          // an observed piece of practice
	GroupReport               // reports about a person's, a team's or the borough's work
	GroupAggregate            // figures in which nobody can be told
	GroupExport               // pseudonymised exports
	GroupExportLog            // who exported what
	GroupAudit                // who saw and did what
	GroupSAR                  // subject access packs
	GroupConfig               // how the server is set up
	GroupPracticeGrant        // grants for work: joint visit, cover, consultation, observation
	GroupOversightGrant       // grants for oversight: sample, request, sharing; letting somebody into a restricted file
	GroupRestriction          // restrictions of a file
	GroupBreakGlass           // emergency openings
	groupCount
)

// GroupOf returns the group of a record kind, by its id: GroupNone for a kind that
// has none, with whose records nobody may do anything. This is the one place that
// says so; kinds that are to come have theirs here already.
func GroupOf(kind string) Group {
	switch kind {
	case "family", "person":
		return GroupCore
	case "allocation", "status", "policy":
		return GroupHead
	case "visit", "visit_child", "body_map", "child_tool", "capture":
		return GroupVisit
	case "plan", "mapping", "motivational", "parenting", "feedback":
		return GroupPlan
	case "action":
		return GroupAction
	case "review":
		return GroupReview
	case "meeting", "calendar", "minutes":
		return GroupMeeting
	case "consultation", "systemic":
		return GroupConsult
	case "fit_session":
		return GroupFIT
	case "supervision", "reflective_group":
		return GroupSupervision
	case "disclosure":
		return GroupDisclosure
	case "missing_episode":
		return GroupMissing
	case "return_interview", "exploitation", "nrm_referral":
		return GroupMET
	case "intelligence":
		return GroupIntelligence
	case "partner_extract":
		return GroupExtract
	case "volunteer_match":
		return GroupMatch
	case "volunteer_log":
		return GroupVolunteerLog
	case "volunteer_concern":
		return GroupConcern
	case "time_entry":
		return GroupTime
	case "supervision_personal":
		return GroupPersonal
	case "observation":
		return GroupObservation
	case "sar_pack":
		return GroupSAR
	}
	return GroupNone
}

// groupWords names each group for people, in the singular where one can.
var groupWords = [groupCount]string{
	GroupNone: "a record of an unknown kind", GroupCore: "who the family are", GroupHead: "allocations and statuses",
	GroupVisit: "visits", GroupPlan: "plans and direct work", GroupAction: "actions", GroupReview: "reviews",
	GroupMeeting: "calendar and minutes", GroupConsult: "consultations and systemic work", GroupFIT: "sessions with an adult",
	GroupSupervision: "supervision on the child's file", GroupDisclosure: "disclosures made in confidence",
	GroupMissing: "missing episodes", GroupMET: "return interviews and exploitation", GroupIntelligence: "intelligence",
	GroupExtract: "the extract shared with an agency", GroupMatch: "a volunteer's match and information sheet",
	GroupVolunteerLog: "a volunteer's log", GroupConcern: "a volunteer's concerns", GroupTime: "time entries",
	GroupPersonal: "the personal part of supervision", GroupObservation: "observed practice", GroupReport: "reports",
	GroupAggregate: "figures without persons", GroupExport: "pseudonymised exports", GroupExportLog: "the log of exports",
	GroupAudit: "the audit log", GroupSAR: "subject access packs", GroupConfig: "the server's configuration",
	GroupPracticeGrant: "grants for work", GroupOversightGrant: "grants for oversight",
	GroupRestriction: "restrictions of a file", GroupBreakGlass: "emergency openings",
}

var groupNames = [groupCount]string{
	GroupNone: "none", GroupCore: "core", GroupHead: "head", GroupVisit: "visit", GroupPlan: "plan", GroupAction: "action",
	GroupReview: "review", GroupMeeting: "meeting", GroupConsult: "consult", GroupFIT: "fit", GroupSupervision: "supervision",
	GroupDisclosure: "disclosure", GroupMissing: "missing", GroupMET: "met", GroupIntelligence: "intelligence",
	GroupExtract: "extract", GroupMatch: "match", GroupVolunteerLog: "volunteer_log", GroupConcern: "concern",
	GroupTime: "time", GroupPersonal: "personal", GroupObservation: "observation", GroupReport: "report",
	GroupAggregate: "aggregate", GroupExport: "export", GroupExportLog: "export_log", GroupAudit: "audit", GroupSAR: "sar",
	GroupConfig: "config", GroupPracticeGrant: "practice_grant", GroupOversightGrant: "oversight_grant",
	GroupRestriction: "restriction", GroupBreakGlass: "break_glass",
}

// String returns the group's name as the table writes it.
func (g Group) String() string {
	if g < groupCount {
		return groupNames[g]
	}
	return groupNames[GroupNone]
}

// Words says what the group holds, for people.
func (g Group) Words() string {
	if g < groupCount {
		return groupWords[g]
	}
	return groupWords[GroupNone]
}
