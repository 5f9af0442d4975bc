package endtoend

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"doorstep/client-sdk/device"
	"doorstep/server/internal/auth/authtest"
	"doorstep/syncproto"
	"doorstep/syncproto/frame"
)

// wire speaks the protocol by hand, with the key and identity of an enrolled
// device and a session of its own.
type wire struct {
	t     *testing.T
	line  *line
	key   device.Key
	id    device.Identity
	login string
	token string
	nonce string // for proofs; empty: the server asked for none
}

// newWire signs the tablet's person in once more, on a line of its own.
func newWire(s site, b *tablet) *wire {
	b.t.Helper()
	w := &wire{t: b.t, line: newLine(s), key: b.key, id: b.id, login: b.login}
	b.t.Cleanup(w.line.http.CloseIdleConnections)
	w.signIn()
	return w
}

func (w *wire) signIn() {
	w.t.Helper()
	in, err := json.Marshal(map[string]string{"login": w.login, "password": password, "device": w.id.Device.String()})
	if err != nil {
		w.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, base+"/v1/sign-in", bytes.NewReader(in))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	w.token = ""
	resp, err := w.prove(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var out struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || out.AccessToken == "" {
		w.t.Fatalf("signing in: status %d, %v", resp.StatusCode, err)
	}
	w.token = out.AccessToken
}

// prove sends a request with the token and a proof of the device's key, once more
// if the server wants a nonce in it.
func (w *wire) prove(req *http.Request) (*http.Response, error) {
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), w.key.Bytes())
	if err != nil {
		return nil, err
	}
	if w.token != "" {
		req.Header.Set("Authorization", "DPoP "+w.token)
	}
	for first := true; ; first = false {
		req.Header.Set("DPoP", authtest.Key{Private: private}.Proof(authtest.Request{
			Method: req.Method, URL: req.URL.String(), Token: w.token, Nonce: w.nonce, At: time.Now()}))
		resp, err := w.line.http.Do(req)
		if err != nil {
			return nil, err
		}
		if nonce := resp.Header.Get("DPoP-Nonce"); nonce != "" {
			w.nonce = nonce
		}
		if !first || resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("DPoP-Nonce") == "" {
			return resp, nil
		}
		if err := resp.Body.Close(); err != nil {
			return nil, err
		}
		if req.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
}

// post sends one request and returns the reply, its signature checked.
func (w *wire) post(ctx context.Context, q *syncproto.SyncRequest) (*syncproto.SyncReply, error) {
	body := frame.Wrap(syncproto.EncodeRequest(q), true)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/sync", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", frame.MediaType)
	resp, err := w.prove(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		if p, err := syncproto.DecodeProblem(answer); err == nil {
			return nil, fmt.Errorf("status %d: %w", resp.StatusCode, p.Code)
		}
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	return w.reply(answer)
}

// reply reads a framed, signed reply.
func (w *wire) reply(framed []byte) (*syncproto.SyncReply, error) {
	signed, err := frame.Unwrap(framed)
	if err != nil {
		return nil, err
	}
	payload, signature, err := syncproto.DecodeSignedReply(signed)
	if err != nil {
		return nil, err
	}
	if !ed25519.Verify(w.id.ReplyKey, syncproto.ReplyMessage(w.id.Device, payload), signature) {
		return nil, syncproto.CodeBadSignature
	}
	return syncproto.DecodeReply(payload)
}

// request is a request of a device that knows nothing yet.
func (w *wire) request(n byte) *syncproto.SyncRequest {
	return &syncproto.SyncRequest{Version: syncproto.ProtocolVersion, Request: syncproto.RequestID{1, n}}
}

// feed reads everything that the server hands out to the person, page by page
// from the beginning.
func (w *wire) feed(ctx context.Context) ([]syncproto.Item, error) {
	var items []syncproto.Item
	q := w.request(0)
	for {
		reply, err := w.post(ctx, q)
		if err != nil {
			return nil, err
		}
		items = append(items, reply.Items...)
		if !reply.More {
			return items, nil
		}
		q.Epoch, q.Cursor = reply.Epoch, reply.Cursor
	}
}

// changesOf counts how often each change is in a feed.
func changesOf(items []syncproto.Item) map[syncproto.ChangeID]int {
	times := map[syncproto.ChangeID]int{}
	for _, it := range items {
		if it.Type == syncproto.ItemChange {
			times[syncproto.ChainID(it.Prev, sha256.Sum256(it.Body))]++
		}
	}
	return times
}

// wantOnce checks that the whole feed holds each of these changes, and none twice.
func (w *wire) wantOnce(changes ...syncproto.ChangeID) {
	w.t.Helper()
	items, err := w.feed(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	times := changesOf(items)
	for id, n := range times {
		if n != 1 {
			w.t.Errorf("change %s is in the feed %d times", id, n)
		}
	}
	for _, id := range changes {
		if times[id] == 0 {
			w.t.Errorf("change %s is lost", id)
		}
	}
}

// chain writes changes of one actor by hand.
type chain struct {
	w     *wire
	actor syncproto.ActorID
	seq   uint64
	prev  syncproto.ChangeID
}

// next encodes the actor's next change and returns it and its id.
func (c *chain) next(b syncproto.Body) ([]byte, syncproto.ChangeID) {
	c.w.t.Helper()
	c.seq++
	b.Version, b.Borough, b.SchemaVersion = syncproto.BodyVersion, c.w.id.Borough, 1
	b.Actor, b.Seq, b.Author = c.actor, c.seq, c.w.id.User
	b.TimeMS = time.Now().UnixMilli()
	b.Salt = [16]byte{byte(c.seq), byte(c.seq >> 8), 0x5a}
	raw, err := syncproto.EncodeBody(&b)
	if err != nil {
		c.w.t.Fatal(err)
	}
	return raw, c.append(raw)
}

// append makes bytes, whatever they are, the next of the chain.
func (c *chain) append(raw []byte) syncproto.ChangeID {
	c.prev = syncproto.ChainID(c.prev, sha256.Sum256(raw))
	return c.prev
}

// batch signs a run of the chain that ends with its tip.
func (c *chain) batch(after syncproto.ChangeID, bodies ...[]byte) syncproto.Batch {
	c.w.t.Helper()
	signature, err := c.w.key.Sign(syncproto.TipMessage(c.actor, c.prev))
	if err != nil {
		c.w.t.Fatal(err)
	}
	return syncproto.Batch{Device: c.w.id.Device, Actor: c.actor, Prev: after, Bodies: bodies, Signature: signature}
}
