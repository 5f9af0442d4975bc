package audit

import (
	"context"

	"doorstep/syncproto"
)

// Acting is who a request acts for, as far as it is known.
type Acting struct {
	User    syncproto.UserID
	Device  syncproto.DeviceID
	Session syncproto.ID
	// Operator: somebody who may command the server's own account, as IT does.
	Operator bool
}

type actingKey struct{}

// WithActing returns a context in which what is written counts as done by somebody.
func WithActing(ctx context.Context, by Acting) context.Context {
	return context.WithValue(ctx, actingKey{}, by)
}

// ActingIn returns who a context acts for; zero: the server by itself.
func ActingIn(ctx context.Context) Acting {
	by, _ := ctx.Value(actingKey{}).(Acting)
	return by
}
