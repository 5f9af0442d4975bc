package access

// MayErase reports whether somebody in a role may ask for an erasure, agree to one
// that another asked for, and set holds: information governance and the Caldicott
// guardian, and nobody else.
func MayErase(role Role) bool { return role == RoleGovernance }

// MayStandIn reports whether somebody in a role looks after what waits for a reviewer
// where no reviewer is: how much, how old and why, not what it says.
func MayStandIn(role Role) bool { return role == RoleGovernance }

// Oversight says how much of the audit log a role may look at.
type Oversight uint8

const (
	OversightNone          Oversight = 0
	OversightConfiguration Oversight = 1 // people, devices, teams and the server itself
	OversightTeam          Oversight = 2 // what was done with the families of one's own teams
	OversightAll           Oversight = 3
)

// MayAudit says what of the audit log a role may look at, after the matrix of roles:
// full for information governance, all to read for auditors and inspectors, their
// own team's for managers, configuration for system administrators.
func MayAudit(role Role) Oversight {
	switch role {
	case RoleGovernance, RoleAuditor:
		return OversightAll
	case RoleManager:
		return OversightTeam
	case RoleIT:
		return OversightConfiguration
	}
	return OversightNone
}
