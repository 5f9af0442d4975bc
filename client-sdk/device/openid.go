package device

import (
	"context"
	"fmt"

	"doorstep/syncproto"
)

// OpenIDFlow is a sign-in with the borough's own sign-in service that was begun.
type OpenIDFlow struct {
	URL    string `json:"url"`    // to open in the system's browser
	Ticket string `json:"ticket"` // to keep until the person is back
}

// OpenIDBack is what the service sent the person back with, to the redirect that
// the flow was begun with.
type OpenIDBack struct {
	Ticket string `json:"ticket"`
	Code   string `json:"code"`
	State  string `json:"state"`
	Issuer string `json:"issuer,omitempty"` // the parameter iss, if one came
}

// BeginOpenID begins a sign-in with the borough's sign-in service. redirect is
// where the app is called back, such as "http://127.0.0.1:51234/signed-in" with a
// port of its own. fresh has the person prove anew who they are, for StepUp. It
// fails with a Refusal: CodeNotFound where there is no such service.
func (c *Client) BeginOpenID(ctx context.Context, redirect string, fresh bool) (OpenIDFlow, error) {
	in := map[string]any{"redirect": redirect, "fresh": fresh}
	var out OpenIDFlow
	if err := c.call(ctx, "/v1/openid/begin", in, &out); err != nil {
		return OpenIDFlow{}, fmt.Errorf("begin to sign in: %w", err)
	}
	return out, nil
}

// SignInOpenID begins a session of whom the sign-in service vouches for, on an
// enrolled device. It fails with a Refusal: CodeSignInFailed, CodeUnlinked,
// CodeNoRole, CodeUnconfirmed, CodeWrongDevice, CodeUnavailable.
func (c *Client) SignInOpenID(ctx context.Context, back OpenIDBack, device syncproto.DeviceID) error {
	return c.signIn(ctx, map[string]any{"openid": back}, device)
}
