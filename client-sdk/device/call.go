package device

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"doorstep/syncproto"
)

// postTries is how often Post sends one request whose answer does not come.
const postTries = 3

// NewRequestID draws a name for a request (SPEC 8.4).
func NewRequestID() syncproto.RequestID {
	id, err := syncproto.ParseID(freshID())
	if err != nil {
		panic("bug: a fresh id does not parse")
	}
	return syncproto.RequestID(id)
}

// Get asks the server's JSON API, as the person signed in, for what is at path (see
// GET /v1/openapi.json), and reads the answer into out. It fails with a Refusal, or
// with what the network answered.
func (c *Client) Get(ctx context.Context, path string, out any) error {
	return c.signedIn(ctx, func(authorization string) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
		if err != nil {
			return err
		}
		return c.answer(req, authorization, out)
	})
}

// Post has the server's JSON API do something as the person signed in. in is what goes
// with it, or nil; the answer is read into out unless that is nil. The request is
// sent under a name, id or a fresh one if that is zero, and again when its answer is
// lost on the way: the server carries it out once. Whoever wants to try again later,
// or after a restart, keeps the id and gives it again, with the same in. It fails with
// a Refusal, or with what the network answered: then nobody knows whether it was done.
func (c *Client) Post(ctx context.Context, id syncproto.RequestID, path string, in, out any) error {
	if syncproto.ID(id).IsZero() {
		id = NewRequestID()
	}
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	send := func(authorization string) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Idempotency-Key", `"`+syncproto.ID(id).String()+`"`)
		if in != nil {
			req.Header.Set("Content-Type", "application/json")
		}
		return c.answer(req, authorization, out)
	}
	var err error
	for range postTries {
		err = c.signedIn(ctx, send)
		var refused *Refusal
		if err == nil || errors.As(err, &refused) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// answer sends a request and reads its JSON answer.
func (c *Client) answer(req *http.Request, authorization string, out any) error {
	req.Header.Set("Authorization", authorization)
	body, err := c.do(req, syncproto.MaxWireBytes)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(body, out)
}
