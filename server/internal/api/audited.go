package api

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/pages"
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

// rule says how what a route does comes into the logs, when it is not refused. What
// is refused is noted for every route alike.
type rule struct {
	shows audit.Type // a good answer is noted as this in the access log
	or    elsewhere  // if it is not
}

// elsewhere says why a good answer is not noted in the access log.
type elsewhere uint8

const (
	unruled    elsewhere = iota
	anEntry              // what it does is an entry of the journal, which has its leaf
	byExport             // package export notes each record that leaves, before it does
	byExchange           // package exchange notes each record that it hands out
	ofNobody             // it shows nothing of anybody but the caller
)

// rules says it for every route, with the desk's pages if there are any. New refuses a
// route that is missing.
func rules(desk bool) map[string]rule {
	const (
		read, history, list = audit.TypeRead, audit.TypeHistory, audit.TypeList
	)
	out := map[string]rule{
		"record": {shows: read}, "recordAt": {shows: read}, "checklist": {shows: read}, "custodyWords": {shows: read},
		"attribution": {shows: read}, "attributionAt": {shows: read}, "history": {shows: history},
		"families": {shows: list}, "familyRecords": {shows: list}, "familyDue": {shows: list}, "due": {shows: list}, "queue": {shows: list}, "queueAfter": {shows: list}, "late": {shows: list}, "lateAfter": {shows: list},
		"custody": {shows: list}, "custodyAfter": {shows: list}, "grants": {shows: list}, "restrictions": {shows: list}, "breakGlasses": {shows: list},
		"search": {shows: audit.TypeSearch}, "chase": {shows: list}, "breakGlassCounts": {shows: list}, "erasures": {shows: list}, "holds": {shows: list}, "retention": {shows: list}, "audit": {shows: audit.TypeAuditor}, "sync": {or: byExchange}, "export": {or: byExport},
	}
	if desk {
		maps.Copy(out, deskRules())
	}
	for or, ids := range map[elsewhere][]string{
		anEntry: {"signIn", "signInCustody", "refresh", "signOut", "stepUp", "enrol", "revokeDevice", "revokeUser", "addPasskey", "removePasskey",
			"admit", "admitAddendum", "keepAway", "handOver", "confirm", "query", "answer", "decide", "finalise", "addendum", "correct", "acceptLate", "edit", "propose", "rectify", "typeUp", "fill", "enter", "misfile",
			"grant", "withdraw", "restrict", "lift", "breakGlass", "reviewBreakGlass",
			"askErasure", "confirmErasure", "refuseErasure", "setHold", "liftHold"},
		ofNobody: {"health", "ready", "openapi", "about", "beginOpenID", "beginPasskey", "beginAddPasskey", "passkeys", "share", "events",
			"lease", "release"},
	} {
		for _, id := range ids {
			out[id] = rule{or: or}
		}
	}
	return out
}

// deskRules is rules for the desk's pages.
func deskRules() map[string]rule {
	out := map[string]rule{
		"deskQueue": {shows: audit.TypeList}, "deskLate": {shows: audit.TypeList}, "deskChasing": {shows: audit.TypeList}, "deskFamilies": {shows: audit.TypeList}, "deskFamily": {shows: audit.TypeList},
		"deskSearch": {or: ofNobody}, "deskSearchSend": {shows: audit.TypeSearch},
		"deskCustody": {shows: audit.TypeList}, "deskOversight": {shows: audit.TypeList}, "deskTypeUp": {shows: audit.TypeList}, "deskLift": {shows: audit.TypeList}, "deskRestrict": {shows: audit.TypeList}, "deskDelivery": {shows: audit.TypeList}, "deskTime": {shows: audit.TypeList}, "deskTimeCSV": {shows: audit.TypeList}, "deskImports": {shows: audit.TypeList}, "deskSite": {shows: audit.TypeList}, "deskSiteDevices": {shows: audit.TypeList}, "deskSiteDevice": {shows: audit.TypeList},
		"deskSitePeople": {shows: audit.TypeList}, "deskSitePerson": {shows: audit.TypeList}, "deskRecord": {shows: audit.TypeRead}, "deskCustodyWords": {shows: audit.TypeRead}, "deskHistory": {shows: audit.TypeHistory}, "deskOriginal": {shows: audit.TypeHistory},
	}
	for _, act := range []string{"Confirm", "Finalise", "HandOver", "Query", "Answer", "Decide", "Read", "Edit", "Propose", "Addendum", "Correct", "AcceptLate", "Rectify", "Fill", "Entries", "StandIn", "Misfile"} {
		out["desk"+act], out["desk"+act+"Send"] = rule{shows: audit.TypeRead}, rule{or: anEntry}
	}
	for or, ids := range map[elsewhere][]string{
		anEntry:  {"deskSignInSend", "deskBackOn", "deskNewPasskeySend", "deskRemovePasskeySend", "deskSignOut", "deskStepUpSend", "deskAdmit", "deskAdmitAddendum", "deskKeepAway", "deskReviewOpening", "deskTypeUpSend", "deskLiftSend", "deskRestrictSend", "deskOpenFile", "deskSiteDeviceSend", "deskSitePersonSend"},
		ofNobody: {"deskPasskey", "deskService", "deskServiceAgain", "deskBack", "deskAccount", "deskNewPasskey", "deskRemovePasskey", "deskEmergency", "deskSignIn", "deskStepUp", "deskEvents", "deskLive", "deskQueueVersion", "deskRecordVersion", "deskLease", "deskRelease"},
	} {
		for _, id := range ids {
			out[id] = rule{or: or}
		}
	}
	return out
}

// checkRules fails for a route that has no rule, and for a rule of no route.
func checkRules(routes []route, rules map[string]rule) error {
	left := maps.Clone(rules)
	for _, r := range routes {
		if left[r.id] == (rule{}) {
			return fmt.Errorf("the route %s has no rule for the audit log", r.id)
		}
		delete(left, r.id)
	}
	for id := range left {
		return fmt.Errorf("the audit log has a rule for %s, which is no route", id)
	}
	return nil
}

// note tells the audit log what a request was answered, before its caller hears
// of it: what was shown, and what was refused. It stands in one place, so that no
// route can forget it; what a sync hands out, package exchange tells.
func (a *API) note(r route, k *call, answer error) error {
	kind, code := a.rules[r.id].shows, syncproto.CodeOK
	if answer != nil {
		code = refusalOf(answer).code
	}
	switch {
	case answer == nil && kind == 0:
		return nil // the journal has it, or it is nobody's
	case answer != nil && (r.id == "signIn" || r.id == "deskSignInSend" || provesNothing(code) || r.asksWho() && code == syncproto.CodeTooMany):
		kind = audit.TypeSignIn
	case answer != nil && !denies(code):
		return nil
	case answer != nil:
		kind = audit.TypeDenied
	}
	seen := audit.Access{Type: kind, By: k.acting(), Code: code, Word: r.id}
	seen.Family, seen.Record = k.about(r)
	return a.cfg.Accesses.Note(seen)
}

// about is the family or record that a request is about, by its path or, where the
// handler found it there, its body. For a family it is both the family and the
// record of that id, which stands for it in the logs.
func (c *call) about(r route) (syncproto.FamilyID, syncproto.RecordID) {
	family, record := c.family, c.record
	if id, err := syncproto.ParseID(c.param); err == nil {
		switch {
		case strings.HasPrefix(r.path, "/v1/families/"), strings.HasPrefix(r.path, pages.Root+"families/"):
			family = syncproto.FamilyID(id)
		case strings.HasPrefix(r.path, "/v1/records/"), strings.HasPrefix(r.path, pages.Root+"records/"):
			record = syncproto.RecordID(id)
		}
	}
	if !family.IsZero() {
		record = syncproto.RecordID(family)
	}
	return family, record
}

// asksWho reports whether a route takes a proof of who somebody is.
func (r route) asksWho() bool { return slices.Contains(r.codes, syncproto.CodeBadCredentials) }

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
		syncproto.CodeDeniedField, syncproto.CodeRevokedDevice, syncproto.CodeAccessEnded, syncproto.CodeWrongDevice, syncproto.CodeBadSignature,
		syncproto.CodeBadProof, syncproto.CodeStepUp:
		return true
	}
	return false
}
