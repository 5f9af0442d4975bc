package access

import "doorstep/syncproto/schema"

// Groups of roles, footings, kinds and actions that the table speaks of.
var (
	people = []Role{
		RoleSocialWorker, RolePractitioner, RoleClinician, RoleFIT, RoleCoordinator, RoleSupport, RoleVolunteer,
		RoleVolunteerCoord, RoleManager, RoleMET, RolePartner, RoleChair, RoleHeadOfPractice, RoleCoach, RoleEDT,
		RoleAnalyst, RoleGovernance, RoleAuditor, RoleIT,
	}
	// neverLetIn cannot be let into a restricted file; for emergency duty the
	// emergency is the key (the column "Restricted").
	neverLetIn = []Role{
		RoleSupport, RoleVolunteer, RoleVolunteerCoord, RolePartner, RoleHeadOfPractice, RoleCoach, RoleAnalyst,
	}
	// letIn can be let in, and are shut out until then.
	letIn = []Role{
		RoleSocialWorker, RolePractitioner, RoleClinician, RoleFIT, RoleCoordinator, RoleManager, RoleMET, RoleChair,
		RoleGovernance, RoleAuditor, RoleIT,
	}
	practitioners = []Role{RoleSocialWorker, RolePractitioner}
	// supervised are those whose supervision has a personal part of their own.
	supervised = []Role{
		RoleSocialWorker, RolePractitioner, RoleClinician, RoleFIT, RoleVolunteer, RoleMET, RoleCoach,
	}
	supervisors = []Role{RoleManager, RoleVolunteerCoord, RoleHeadOfPractice}

	onCase    = []Basis{BasisLead, BasisCo, BasisPA, BasisJoint, BasisCover}
	coOnCase  = []Basis{BasisCo, BasisPA, BasisJoint, BasisCover}
	lead      = []Basis{BasisLead}
	consulted = []Basis{BasisClin, BasisConsult, BasisJoint}
	chairs    = []Basis{BasisChair, BasisIRO}
	desk      = []Basis{BasisCoord}
	team      = []Basis{BasisManager}
	office    = []Basis{BasisOffice}
	self      = []Basis{BasisSelf}

	// linked is as much of the child's file as somebody sees who works beside it.
	linked = []Group{GroupCore, GroupHead, GroupVisit, GroupPlan, GroupAction, GroupReview}
	// file is the child's whole file.
	file = []Group{
		GroupCore, GroupHead, GroupVisit, GroupPlan, GroupAction, GroupReview, GroupMeeting, GroupConsult, GroupFIT, GroupSupervision,
	}
	// missing is who is missing or exploited, metGroups all that MET workers know of it.
	missing   = []Group{GroupMissing, GroupMET}
	metGroups = []Group{GroupMissing, GroupMET, GroupIntelligence}
	// volunteering is what comes of a volunteer's match, and what theirs workers read.
	volunteering = []Group{GroupMatch, GroupVolunteerLog, GroupConcern}
	// caseGroups are the family, the visits and the plans; the head comes from the case
	// management system, where one authoritative source keeps returns right. Written is
	// all that workers on the case write.
	caseGroups = []Group{GroupCore, GroupVisit, GroupPlan, GroupAction}
	written    = []Group{GroupCore, GroupVisit, GroupPlan, GroupAction, GroupConsult, GroupMissing, GroupMET}
	// Forms go through hand-over, confirmation and finalising; confirmed are those that
	// workers on the case write, and sealed those that a co-ordinator prepares.
	sealed    = []Group{GroupVisit, GroupPlan}
	confirmed = []Group{GroupVisit, GroupPlan, GroupConsult, GroupMissing, GroupMET, GroupMeeting}
	forms     = []Group{GroupVisit, GroupPlan, GroupConsult, GroupFIT, GroupReview, GroupMissing, GroupMET, GroupMeeting}
	// content is everything that is written about people.
	content = []Group{
		GroupCore, GroupHead, GroupVisit, GroupPlan, GroupAction, GroupReview, GroupMeeting, GroupConsult, GroupFIT,
		GroupSupervision, GroupDisclosure, GroupMissing, GroupMET, GroupIntelligence, GroupExtract, GroupMatch,
		GroupVolunteerLog, GroupConcern, GroupTime, GroupPersonal, GroupObservation, GroupReport, GroupAggregate,
		GroupExport, GroupExportLog, GroupAudit, GroupSAR, GroupPracticeGrant, GroupOversightGrant, GroupRestriction,
		GroupBreakGlass, GroupNone,
	}

	adminOnly   = []schema.Label{schema.Admin}
	facts       = []schema.Label{schema.Admin, schema.Attested}
	notVerbatim = []schema.Label{schema.Admin, schema.Attested, schema.Judgement}
	everyLabel  = []schema.Label{schema.Admin, schema.Attested, schema.Verbatim, schema.Judgement}

	reading = []Action{ActionRead}
	// having is reading, on a tablet as well.
	having = []Action{ActionRead, ActionCarry}
	begin  = []Action{ActionCreate}
	// writing is all that an author does to words, but for other people's slots.
	writing = []Action{ActionEdit, ActionEditOwn, ActionPrepare, ActionAdd, ActionRemove, ActionTakeNote}
	// changing is what is never done to words as spoken and to entries of a log.
	changing = []Action{ActionEdit, ActionEditOwn, ActionEditOther, ActionPrepare, ActionRemove, ActionDecide, ActionApprove}
)
