package api

import (
	"time"

	"doorstep/server/internal/exchange"
	"doorstep/syncproto"
	"doorstep/syncproto/frame"
)

const syncPath = "/v1/sync"

// sync takes one frame with a SyncRequest and answers with one that holds the
// signed SyncReply (SPEC 7).
func (a *API) sync(c *call) error {
	if len(c.body) == 0 {
		return syncproto.CodeEmpty
	}
	release, err := a.place(c)
	if err != nil {
		return err
	}
	defer release()
	payload, err := frame.UnwrapCopy(c.body)
	if err != nil {
		return err
	}
	req, err := syncproto.DecodeRequest(payload)
	if err != nil {
		return err
	}
	reply, err := a.cfg.Exchange.Sync(c.ctx, c.device(), req)
	if err != nil {
		return err
	}
	out := syncproto.EncodeReply(reply)
	sig := a.cfg.SignReply(syncproto.ReplyMessage(c.caller.Device, out))
	signed := syncproto.EncodeSignedReply(out, sig)
	// Receipts are ids, which do not become shorter; only news is worth the time.
	c.reply(frame.MediaType, a.frames.Wrap(signed, len(reply.Items) > 0))
	return nil
}

// place waits for one of the places for syncs being worked on. When a whole
// borough reconnects at once, those who wait too long are told to come back
// rather than to pile up.
func (a *API) place(c *call) (release func(), err error) {
	wait := time.NewTimer(a.cfg.Limits.SyncWait)
	defer wait.Stop()
	select {
	case a.syncs <- struct{}{}:
		return func() { <-a.syncs }, nil
	case <-wait.C:
	case <-c.ctx.Done():
	}
	return nil, &refusal{code: syncproto.CodeUnavailable, retryAfter: retryAfter(c.caller.User)}
}

// retryAfter spreads returning devices over half a minute, each by who uses it,
// so that they do not all come back in the same second.
func retryAfter(user syncproto.UserID) time.Duration {
	return time.Duration(5+int(user[15])%30) * time.Second
}

// device is the caller as exchange knows them.
func (c *call) device() exchange.Caller {
	return exchange.Caller{User: c.caller.User, Device: c.caller.Device, Session: c.caller.Session, CustodyOnly: c.caller.CustodyOnly}
}
