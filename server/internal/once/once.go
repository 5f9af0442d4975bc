// Package once makes that a request which a person sends again, because its answer
// was lost on a bad line, is carried out once and answered alike (the idempotency key
// of draft-ietf-httpapi-idempotency-key-header).
//
// Whoever takes a request in gives its id to the context (With). Whoever carries it
// out looks first whether that was done already (Answered), and stages what Entry
// returns in the same proposal as what the request does: both are durable, or neither
// is. A request that was refused leaves nothing behind and may be tried again. The
// package keeps nothing itself.
package once

import (
	"context"
	"crypto/sha256"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Request is a request with an id of its own.
type Request struct {
	User syncproto.UserID
	ID   syncproto.RequestID
	What [32]byte // SHA-256 of all that it asks for
}

type requestKey struct{}

// With returns a context in which a request is carried out.
func With(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// Reused is the error of a request whose id was another one's. It unwraps to
// CodeBadValue.
type Reused struct{}

// Error implements error.
func (Reused) Error() string { return "the id of this request was used for another one" }

// Unwrap makes it its code.
func (Reused) Unwrap() error { return syncproto.CodeBadValue }

// Answered returns what the request of a context was answered, if it was carried out
// before. It fails with Reused if something else was asked under its id then.
func Answered(ctx context.Context, state *store.State) (answer []byte, done bool, err error) {
	r, ok := ctx.Value(requestKey{}).(Request)
	if !ok {
		return nil, false, nil
	}
	before, done := state.Request(r.User, r.key())
	if done && before.Digest != r.digest() {
		return nil, false, Reused{}
	}
	return before.Answer, done, nil
}

// Entry is what a proposal stages beside what the request of a context does; nil for
// a context without one.
func Entry(ctx context.Context, atMS int64, answer []byte) []store.Entry {
	r, ok := ctx.Value(requestKey{}).(Request)
	if !ok {
		return nil
	}
	return []store.Entry{store.RequestEntry{User: r.User, Key: r.key(), Digest: r.digest(), Answer: answer, AtMS: atMS}}
}

func (r Request) key() [32]byte {
	return sha256.Sum256(append([]byte("doorstep-request-v1\x00"), r.ID[:]...))
}

func (r Request) digest() [32]byte {
	return sha256.Sum256(append(append([]byte("doorstep-asked-v1\x00"), r.ID[:]...), r.What[:]...))
}
