package api

import (
	"doorstep/server/internal/audit"
	"doorstep/syncproto"
)

// Accesses is told who looks at what: an *audit.AccessLog.
type Accesses interface {
	// Note fails with CodeUnavailable if nothing more may be shown.
	Note(audit.Access) error
}

// acting is who a request acts for.
func (c *call) acting() audit.Acting {
	return audit.Acting{User: c.caller.User, Device: c.caller.Device, Session: c.caller.Session}
}

// note tells the audit log what a request was answered, before its caller hears
// of it: what was shown, and what was refused. It stands in one place, so that no
// route can forget it; what a sync hands out, package exchange tells.
func (a *API) note(r route, k *call, answer error) error {
	kind, code := shows(r.id), syncproto.CodeOK
	if answer != nil {
		code = refusalOf(answer).code
	}
	switch {
	case answer == nil && kind == 0:
		return nil // a change, or nobody's: the journal has it
	case answer != nil && (r.id == "signIn" || provesNothing(code)):
		kind = audit.TypeSignIn
	case answer != nil && !denies(code):
		return nil
	case answer != nil:
		kind = audit.TypeDenied
	}
	seen := audit.Access{Type: kind, By: k.acting(), Code: code, Word: r.id}
	if id, err := syncproto.ParseID(k.param); err == nil && (r.id == "familyRecords" || r.id == "familyDue") {
		seen.Family, seen.Record = syncproto.FamilyID(id), syncproto.RecordID(id)
	} else if err == nil {
		seen.Record = syncproto.RecordID(id)
	}
	return a.cfg.Accesses.Note(seen)
}

// shows says what a route shows of people's records; 0: nothing.
func shows(id string) audit.Type {
	switch id {
	case "record", "recordAt", "checklist", "attribution", "attributionAt":
		return audit.TypeRead
	case "history":
		return audit.TypeHistory
	case "families", "familyRecords", "familyDue", "due", "queue", "late", "quarantine":
		return audit.TypeList
	case "search":
		return audit.TypeSearch
	case "export":
		return audit.TypeExport
	case "audit":
		return audit.TypeAuditor
	}
	return 0
}

// provesNothing reports whether a code says that somebody did not prove who they
// are: at a sign-in, and as much at a step-up, an enrolment or a new passkey.
func provesNothing(code syncproto.Code) bool {
	switch code {
	case syncproto.CodeBadCredentials, syncproto.CodeBadPasskey, syncproto.CodeSignInFailed, syncproto.CodeUnlinked,
		syncproto.CodeNoRole, syncproto.CodeUnconfirmed:
		return true
	}
	return false
}

// denies reports whether a code says that somebody may not have what they asked
// for, rather than that it cannot be had now.
func denies(code syncproto.Code) bool {
	switch code {
	case syncproto.CodeUnauthenticated, syncproto.CodeForbidden, syncproto.CodeNotFound, syncproto.CodeNotEntitled,
		syncproto.CodeDeniedField, syncproto.CodeRevokedDevice, syncproto.CodeAccessEnded, syncproto.CodeWrongDevice, syncproto.CodeBadSignature, syncproto.CodeStepUp:
		return true
	}
	return false
}
