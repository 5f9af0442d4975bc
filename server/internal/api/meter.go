package api

import "slices"

// Names, in logs and figures, of what the table of routes has no line for.
const (
	noRoute  = "none" // refused before any route was looked up, or there is no such route
	appRoute = "app"  // pages and their files
)

// signInRoutes are those that prove who somebody is, by their names.
func signInRoutes() []string {
	return []string{"signIn", "signInCustody", "share", "refresh", "stepUp", "enrol", "deskSignInSend", "deskBackOn", "deskStepUpSend"}
}

// RouteNames lists the names that Meter is told of: every route's, and those of what
// is none.
func RouteNames() []string {
	out := []string{noRoute, appRoute}
	for _, r := range (&API{}).table() {
		out = append(out, r.id)
	}
	return out
}

// meter counts an answer.
func (a *API) meter(s *state, status int) {
	if a.cfg.Meter == nil || s.started.IsZero() {
		return
	}
	a.cfg.Meter.Request(s.route, status, a.cfg.Now().Sub(s.started))
	if s.cause != nil && slices.Contains(signInRoutes(), s.route) {
		a.cfg.Meter.SignInRefused(refusalOf(s.cause).code.Error())
	}
}
