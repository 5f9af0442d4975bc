package intake

import (
	"strconv"

	"doorstep/server/internal/access"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// takeTeams notes what this run's teams are called.
func (r *run) takeTeams() error {
	return r.each(fileTeams, func(l resolved) error {
		id, err := r.refs.id(refTeam, l.key)
		if err != nil {
			return err
		}
		r.teamNames[store.TeamID(id)] = l.cell("name")
		return nil
	})
}

// takeWorkers brings accounts and posts in line with the workers file.
func (r *run) takeWorkers() error {
	logins := map[string]int{}
	return r.each(fileWorkers, func(l resolved) error {
		login, err := r.deps.NormalLogin(l.cell("login"))
		if err != nil || login == importLogin {
			l.refuse("login", ProblemBadValue, "This cannot be used to sign in.")
			return nil
		}
		if before, twice := logins[login]; twice {
			l.refuse("login", ProblemDuplicate, "This login is on line "+strconv.Itoa(before)+" already.")
			return nil
		}
		logins[login] = l.line.line
		if l.cell("role") == string(access.RoleSocialWorker) && l.cell("qualified_social_worker") != "Y" {
			l.refuse("qualified_social_worker", ProblemRule, "A social worker is registered: write Y, or another role.")
			return nil
		}
		if basis := teamBasis(l.cell("role")); l.cell("team_ref") == "" && basis != "" && basis != string(access.BasisTeam) {
			l.refuse("team_ref", ProblemMissing, "Coordinators, managers, business support and volunteer coordinators need a team.")
			return nil
		}
		return r.takeWorker(l, login)
	})
}

func (r *run) takeWorker(l resolved, login string) error {
	before, known, ok := r.accountOf(l, login)
	if !ok {
		return nil
	}
	id, err := r.refs.id(refWorker, l.key)
	if err != nil {
		return err
	}
	want := before
	want.ID, want.Login = syncproto.UserID(id), login
	want.Name, want.Role = l.cell("name"), l.cell("role")
	r.qualify(want.ID, l.cell("qualified_social_worker") == "Y")
	r.roles[want.ID] = want.Role
	switch {
	case !known:
		r.report.NewAccounts = append(r.report.NewAccounts, Account{Login: login, Name: want.Name, Role: want.Role})
	case want.Role != before.Role:
		r.report.ChangedRoles = append(r.report.ChangedRoles, Account{Login: login, Name: want.Name, Role: want.Role})
	}
	if want != before {
		r.control(syncproto.FamilyID{}, want)
	}
	r.takePost(l, want, before.Role)
	return nil
}

// qualify remembers whether a worker is a registered social worker.
func (r *run) qualify(user syncproto.UserID, yes bool) {
	var id syncproto.ID
	if yes {
		id = syncproto.ID(user)
	}
	if before, _ := r.state.Ref(store.RefQualified, user.String()); before != id {
		r.refs.set(store.RefQualified, user.String(), id)
	}
}

// accountOf returns the account that a line is about; known is false if there is
// none yet. An account that was made by hand is taken on if its login and role
// are the line's. It is not ok if the line contradicts what is known.
func (r *run) accountOf(l resolved, login string) (before store.UserEntry, known, ok bool) {
	other, taken := r.state.UserByLogin(login)
	if r.refs.isNew(refWorker, l.key) {
		if !taken {
			return store.UserEntry{}, false, true
		}
		if other.Role != l.cell("role") {
			l.refuse("login", ProblemTaken, "An account with another role has this login.")
			return store.UserEntry{}, false, false
		}
		r.refs.set(refWorker, l.key, syncproto.ID(other.ID))
		return other, true, true
	}
	id, _ := r.state.Ref(refWorker, l.key)
	before, known = r.state.User(syncproto.UserID(id))
	switch {
	case known && before.Login != login:
		l.refuse("login", ProblemChanged, "An earlier run gave this worker another login, which cannot be changed by a file.")
		return before, known, false
	case taken && syncproto.ID(other.ID) != id:
		l.refuse("login", ProblemTaken, "Another account has this login.")
		return before, known, false
	}
	return before, known, true
}

// takePost ends a worker's post in their former team and begins the new one.
func (r *run) takePost(l resolved, want store.UserEntry, roleBefore string) {
	team := store.TeamID(l.ids["team_ref"])
	was, _ := r.state.Ref(refWorkerTeam, l.key)
	teamBefore := store.TeamID(was)
	if team == teamBefore && want.Role == roleBefore {
		return
	}
	if basis := teamBasis(roleBefore); basis != "" && teamBefore != (store.TeamID{}) {
		r.control(syncproto.FamilyID{}, store.TeamEntry{User: want.ID, Team: teamBefore, Basis: basis})
	}
	if basis := teamBasis(want.Role); basis != "" && team != (store.TeamID{}) {
		r.control(syncproto.FamilyID{}, store.TeamEntry{User: want.ID, Team: team, Basis: basis, Grant: true})
	}
	if team != teamBefore {
		r.refs.set(refWorkerTeam, l.key, syncproto.ID(team))
	}
}

// roleOf returns what a worker of this run or an earlier one is.
func (r *run) roleOf(id syncproto.UserID) string {
	if role, ok := r.roles[id]; ok {
		return role
	}
	u, _ := r.state.User(id)
	return u.Role
}

// teamBasis is the post that a role has in a team: the relation to each of its families,
// if the role has one by it. It also says whose manager supervises the worker.
func teamBasis(role string) string {
	switch access.Role(role) {
	case access.RoleCoordinator:
		return string(access.BasisCoord)
	case access.RoleManager:
		return string(access.BasisManager)
	case access.RoleSupport:
		return string(access.BasisSupport)
	case access.RoleVolunteerCoord:
		return string(access.BasisProgramme)
	case access.RoleSocialWorker, access.RolePractitioner, access.RoleClinician, access.RoleFIT, access.RoleMET, access.RoleVolunteer:
		return string(access.BasisTeam)
	}
	return ""
}
