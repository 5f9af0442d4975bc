package device

import (
	"context"
	"errors"
	"time"

	"doorstep/syncproto"
)

// Transport carries sync requests.
type Transport interface {
	// Sync sends one frame and returns the frame that answers it. An error that
	// holds a Refusal is the server's word on the envelope; any other means that
	// no usable answer came, and that it is not known whether the server got the
	// request.
	Sync(ctx context.Context, wire []byte) ([]byte, error)
}

// Listener is a Transport that can tell of news as they happen.
type Listener interface {
	// Listen calls wake whenever there may be news, until ctx ends or the
	// connection does; it then returns an error.
	Listen(ctx context.Context, wake func()) error
}

// Refusal is the server's answer to an envelope that it did not take in.
type Refusal struct {
	Code       syncproto.Code
	RetryAfter time.Duration // 0: the server did not say
}

func (r *Refusal) Error() string { return "server refused: " + r.Code.Error() }

// Unwrap returns the code.
func (r *Refusal) Unwrap() error { return r.Code }

// refusalOf finds the server's word in an error.
func refusalOf(err error) (*Refusal, bool) {
	var r *Refusal
	if errors.As(err, &r) {
		return r, true
	}
	return nil, false
}
