package api

import (
	"slices"

	"doorstep/syncproto"
	"doorstep/syncproto/frame"
)

// table is every route of the server: what it is for, who may call it, what goes
// in and out, and which reasons for a refusal are its own (each route can also
// answer with the common ones, see openapi.go). HTTP, validation and the OpenAPI
// document all follow from it.
func (a *API) table() []route {
	const get, post = "GET", "POST"
	return append([]route{
		handler(a, route{method: get, path: "/healthz", id: "health", summary: "The process is up."}, a.healthy),
		handler(a, route{method: get, path: "/readyz", id: "ready", summary: "The journal is open and the index has caught up.",
			codes: codes(syncproto.CodeUnavailable)}, a.ready),
		{method: get, path: "/v1/openapi.json", id: "openapi", summary: "This document.", produces: jsonMedia, handle: a.document},
		handler(a, route{method: get, path: "/v1/about", id: "about", summary: "Which server this is."}, a.about),

		handler(a, route{method: post, path: "/v1/sign-in", id: "signIn", summary: "Sign in with a borough account, the borough's sign-in service, or a passkey.",
			codes: personCodes(syncproto.CodeWrongDevice, syncproto.CodeBadProof)}, a.signIn),
		handler(a, route{method: post, path: "/v1/sign-in/custody", id: "signInCustody", summary: "Begin a session that only sends into custody, by the key of a device whose person's access ended.",
			codes: codes(syncproto.CodeUnauthenticated, syncproto.CodeBadProof, syncproto.CodeUnavailable)}, a.signInCustody),
		handler(a, route{method: post, path: "/v1/share", id: "share", summary: "The server's part of what opens a tablet whose lease has run out.",
			codes: personCodes(syncproto.CodeWrongDevice, syncproto.CodeRevokedDevice)}, a.share),
		handler(a, route{method: post, path: "/v1/openid/begin", id: "beginOpenID", summary: "Begin to sign in with the borough's sign-in service.",
			codes: codes(syncproto.CodeNotFound, syncproto.CodeUnavailable)}, a.beginOpenID),
		handler(a, route{method: post, path: "/v1/passkeys/begin", id: "beginPasskey", summary: "A challenge to sign in with a passkey.",
			codes: codes(syncproto.CodeNotFound)}, a.beginPasskey),
		handler(a, route{method: post, path: "/v1/token/refresh", id: "refresh", summary: "Trade a refresh token for the next.",
			codes: codes(syncproto.CodeUnauthenticated, syncproto.CodeBadProof, syncproto.CodeUnavailable)}, a.refresh),
		handler(a, route{method: post, path: "/v1/sign-out", id: "signOut", summary: "End the session.", who: evenLost}, a.signOut),
		handler(a, route{method: post, path: "/v1/step-up", id: "stepUp", summary: "Prove anew who one is, before what needs a fresh sign-in.", who: signedIn,
			codes: personCodes()}, a.stepUp),
		handler(a, route{method: post, path: "/v1/devices", id: "enrol", summary: "Enrol a person on a device.",
			codes: personCodes(syncproto.CodeBadSignature, syncproto.CodeRevokedDevice, syncproto.CodeBadProof)}, a.enrol),
		handler(a, route{method: post, path: "/v1/devices/:id/revoke", id: "revokeDevice", summary: "Withdraw a device of one's own, or any as IT.", who: signedIn,
			codes: codes(syncproto.CodeNotFound)}.fresh(), a.revokeDevice),
		handler(a, route{method: post, path: "/v1/users/:id/revoke", id: "revokeUser", summary: "End everything that a person could act by, as IT.", who: signedIn,
			codes: codes(syncproto.CodeNotFound, syncproto.CodeForbidden)}.fresh(), a.revokeUser),
		handler(a, route{method: get, path: "/v1/passkeys", id: "passkeys", summary: "The caller's passkeys.", who: signedIn}, a.passkeys),
		handler(a, route{method: post, path: "/v1/passkeys/new", id: "beginAddPasskey", summary: "A challenge to make a passkey with.", who: signedIn,
			codes: codes(syncproto.CodeNotFound)}.fresh(), a.beginAddPasskey),
		handler(a, route{method: post, path: "/v1/passkeys", id: "addPasskey", summary: "Keep a new passkey of the caller.", who: signedIn,
			codes: codes(syncproto.CodeNotFound, syncproto.CodeBadPasskey, syncproto.CodeTooMany)}.fresh(), a.addPasskey),
		handler(a, route{method: post, path: "/v1/passkeys/:id/remove", id: "removePasskey", summary: "Take a passkey of the caller out of use.", who: signedIn,
			codes: codes(syncproto.CodeNotFound)}.fresh(), a.removePasskey),

		{method: post, path: syncPath, id: "sync", summary: "Send changes and receive news, in one round trip (SPEC 7).", who: onDevice, borrows: true,
			consumes: frame.MediaType, produces: frame.MediaType, handle: a.sync,
			codes: codes(syncproto.CodeUnknownEpoch, syncproto.CodeBadCursor, syncproto.CodeTooMany, syncproto.CodeUnavailable, syncproto.CodeDiskFull)},
		{method: get, path: "/v1/events", id: "events", summary: "Server-sent events that only say when to sync.", who: signedIn,
			produces: "text/event-stream", stream: a.events, codes: codes(syncproto.CodeTooMany)},

		handler(a, route{method: get, path: "/v1/families", id: "families", summary: "The families that the caller may read.", who: signedIn}, a.families),
		handler(a, route{method: get, path: "/v1/families/:id/records", id: "familyRecords", summary: "A family's records.", who: signedIn,
			codes: codes(syncproto.CodeNotFound)}, a.familyRecords),
		handler(a, route{method: get, path: "/v1/families/:id/due", id: "familyDue", summary: "Which children of a family must be seen by when, and why.", who: signedIn,
			codes: codes(syncproto.CodeNotFound)}, a.familyDue),
		handler(a, route{method: get, path: "/v1/due", id: "due", summary: "Which children must be seen by when, and why, in all families that the caller reads.", who: signedIn}, a.due),
		handler(a, route{method: get, path: "/v1/records/:id", id: "record", summary: "A record with its disagreements and its way to final.", who: signedIn,
			codes: codes(syncproto.CodeNotFound)}, a.record),
		handler(a, route{method: get, path: "/v1/records/:id/history", id: "history", summary: "Every change of a record.", who: signedIn,
			codes: codes(syncproto.CodeNotFound)}, a.history),
		handler(a, route{method: get, path: "/v1/records/:id/versions/:heads", id: "recordAt", summary: "A record as it was at a version.", who: signedIn,
			codes: codes(syncproto.CodeNotFound)}, a.recordAt),
		handler(a, route{method: get, path: "/v1/records/:id/attribution", id: "attribution", summary: "Who wrote which words of a record's texts, when, on which device and how, and who deleted what.", who: signedIn,
			codes: codes(syncproto.CodeNotFound)}, a.attribution),
		handler(a, route{method: get, path: "/v1/records/:id/versions/:heads/attribution", id: "attributionAt", summary: "Who had written which words at a version.", who: signedIn,
			codes: codes(syncproto.CodeNotFound)}, a.attribution),
		handler(a, route{method: get, path: "/v1/chase", id: "chase", summary: "What somebody has to be reminded of, in the families that the caller chases for.", who: signedIn}, a.chase),
		handler(a, route{method: post, path: "/v1/search", id: "search", summary: "Find records by their words, in what the caller may read.", who: signedIn}, a.search),
		handler(a, route{method: get, path: "/v1/queue", id: "queue", summary: "Records on their way to final, of the families that the caller reads.", who: signedIn}, a.queue),
		handler(a, route{method: get, path: "/v1/queue/:id/after", id: "queueAfter", summary: "The next page of the queue, behind a record of the page before; not found once that left the queue: begin again.", who: signedIn,
			codes: codes(syncproto.CodeNotFound)}, a.queue),
		handler(a, route{method: get, path: "/v1/late/:id/after", id: "lateAfter", summary: "The next page of them, behind a record of the page before; not found once nothing waits there: begin again.", who: signedIn,
			codes: codes(syncproto.CodeNotFound)}, a.late),
		handler(a, route{method: get, path: "/v1/late", id: "late", summary: "Final records to which changes came late.", who: signedIn}, a.late),
		handler(a, route{method: get, path: "/v1/records/:id/checklist", id: "checklist", summary: "What keeps a record from being finalised.", who: signedIn,
			codes: codes(syncproto.CodeNotFound)}, a.checklist),
		handler(a, route{method: post, path: "/v1/audit", id: "audit", summary: "Page through the audit log, as far as the caller may see it.", who: signedIn,
			codes: codes(syncproto.CodeForbidden, syncproto.CodeNotFound)}, a.audit),
		handler(a, route{method: get, path: "/v1/custody", id: "custody", summary: "What waits for a reviewer or is kept away: for managers of their families, for information governance where nobody reviews.", who: signedIn}, a.custody),
		handler(a, route{method: get, path: "/v1/custody/:id", id: "custodyWords", summary: "A change in custody with its words, for who may review it.", who: signedIn,
			codes: codes(syncproto.CodeNotFound)}, a.custodyWords),
		handler(a, route{method: get, path: "/v1/custody/:id/after", id: "custodyAfter", summary: "The next page of what waits for a reviewer or is kept away, behind a change of the page before; not found once that was decided: begin again.", who: signedIn,
			codes: codes(syncproto.CodeNotFound)}, a.custodyAfter),
		handler(a, review("admit", "admit", "Let a change out of custody into its record.", syncproto.CodeFinal), a.admit),
		handler(a, review("addendum", "admitAddendum", "Let a change out of custody as a proposed addendum to a final record.", syncproto.CodeBadOp), a.admitAddendum),
		handler(a, review("keep", "keepAway", "Keep a change in custody locked away, with a reason.", syncproto.CodeBadValue), a.keepAway),

		handler(a, step("hand-over", "handOver", "Hand a record over to a coordinator.").once(), a.handOver),
		handler(a, step("confirm", "confirm", "Confirm, as its author, that a record is right.").fresh().once(), a.confirm),
		handler(a, step("query", "query", "Ask an author about a record.").once(), a.query),
		handler(a, step("answer", "answer", "Answer a query.").once(), a.answer),
		handler(a, step("decide", "decide", "Settle a disagreement.").once(), a.decide),
		handler(a, step("lease", "lease", "Have a record to oneself while preparing it."), a.lease),
		handler(a, step("release", "release", "Give a record back."), a.release),
		handler(a, step("finalise", "finalise", "Seal named heads as the final version.").fresh().once(), a.finalise),
		handler(a, step("addendum", "addendum", "Add to a final record.").once(), a.addendum),
		handler(a, step("correct", "correct", "Put right a field of a final record; both versions are shown.").once(), a.correct),
		handler(a, step("edit", "edit", "Put an administrative detail or prepared text right.").once(), a.edit),
		handler(a, step("propose", "propose", "Propose to an author what an attested fact should say.").once(), a.propose),
		handler(a, step("rectify", "rectify", "Add somebody's challenge of a final record, and what became of it.").once(), a.rectify),
		handler(a, route{method: post, path: "/v1/families/:id/type-up", id: "typeUp", summary: "Begin a record at the desk: minutes, or what a worker dictated or wrote by hand, for them to confirm.", who: signedIn,
			codes: codes(syncproto.CodeNotFound, syncproto.CodeForbidden)}.once(), a.typeUp),
		handler(a, step("fill", "fill", "Set fields of a record that is typed up for its author.").once(), a.fill),
		handler(a, step("enter", "enter", "Add entries to a list of a record that is typed up for its author, change some, and take some out.").once(), a.enter),
		handler(a, step("misfile", "misfile", "Move a record, with its parts, out of the wrong family's file: what was written stands in a new record of the right one, which its authors confirm.").fresh().once(), a.misfile),
		handler(a, step("accept-late", "acceptLate", "Adopt, as an addendum, a change that came late.").once(), a.acceptLate),
	}, slices.Concat(a.doorRoutes(), a.eraseRoutes(), a.exportRoutes())...)
}

// step is a route that takes a record one step on its way.
func step(path, id, summary string) route {
	return route{method: "POST", path: "/v1/records/:id/" + path, id: id, summary: summary, who: signedIn,
		codes: codes(syncproto.CodeNotFound, syncproto.CodeForbidden, syncproto.CodeFinal, syncproto.CodeOpenConflict)}
}

// review is a route that decides about a change in custody.
func review(path, id, summary string, more ...syncproto.Code) route {
	return route{method: "POST", path: "/v1/custody/:id/" + path, id: id, summary: summary, who: signedIn,
		codes: append(more, syncproto.CodeNotFound, syncproto.CodeForbidden, syncproto.CodeMissingDeps, syncproto.CodeWrongRecord, syncproto.CodeErased)}.once()
}

// fresh makes a route need a sign-in of a moment ago: what is sworn or sealed
// must not come from a tablet that somebody left open.
func (r route) fresh() route {
	r.stepUp = true
	r.codes = append(r.codes, syncproto.CodeStepUp)
	return r
}

// personCodes are what a proof of who somebody is can be refused with, and more.
func personCodes(more ...syncproto.Code) []syncproto.Code {
	return append(more, syncproto.CodeBadCredentials, syncproto.CodeTooMany, syncproto.CodeUnavailable, syncproto.CodeNotFound,
		syncproto.CodeSignInFailed, syncproto.CodeUnlinked, syncproto.CodeNoRole, syncproto.CodeUnconfirmed, syncproto.CodeBadPasskey)
}

func codes(c ...syncproto.Code) []syncproto.Code { return c }
