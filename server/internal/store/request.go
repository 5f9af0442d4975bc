package store

import (
	"slices"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// RequestEntry says that somebody's request was carried out, in the same proposal as
// what it did, so that the request does nothing when it is sent again because its
// answer was lost. The request's id itself is not kept: without it Digest, which is of
// what people typed as well, cannot be guessed at after an erasure.
type RequestEntry struct {
	User   syncproto.UserID
	Key    [32]byte // stands for the request's id
	Digest [32]byte // of what was asked, under its id
	Answer []byte   // what it was answered: an id, or nothing
	AtMS   int64
}

const kindRequest entryKind = 97

func (RequestEntry) entryKind() entryKind { return kindRequest }

// How long requests are remembered. Whoever lost an answer asks again within minutes,
// and a tablet that was without signal within days.
const (
	maxRequests    = 128 // of one person; the oldest goes first
	requestsLastMS = 7 * 24 * 60 * 60 * 1000
)

func encodeRequest(e RequestEntry) []byte {
	b := appendHeader(nil, 6, kindRequest)
	b = cbor.AppendBytes(b, e.User[:])
	b = cbor.AppendBytes(b, e.Key[:])
	b = cbor.AppendBytes(b, e.Digest[:])
	b = cbor.AppendBytes(b, e.Answer)
	return cbor.AppendInt(b, e.AtMS)
}

func decodeRequest(d *decoder, count int) Entry {
	d.expect(count == 6)
	var e RequestEntry
	d.BytesInto(e.User[:])
	d.BytesInto(e.Key[:])
	d.BytesInto(e.Digest[:])
	e.Answer = slices.Clone(d.Bytes())
	e.AtMS = d.Int()
	return e
}

// requests are those of each person that are remembered, the oldest first.
type requests map[syncproto.UserID][]RequestEntry

// add remembers a request and forgets what is too old or too much beside it: of the
// journal alone, so that every start forgets the same.
func (r requests) add(e RequestEntry) {
	kept := slices.DeleteFunc(r[e.User], func(old RequestEntry) bool { return e.AtMS-old.AtMS > requestsLastMS })
	if n := len(kept) + 1 - maxRequests; n > 0 {
		kept = slices.Delete(kept, 0, n)
	}
	r[e.User] = append(kept, e)
}

// Request returns a request of a person that was carried out and is remembered.
func (s *State) Request(user syncproto.UserID, key [32]byte) (RequestEntry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := s.requests[user]
	i := slices.IndexFunc(list, func(e RequestEntry) bool { return e.Key == key })
	if i < 0 {
		return RequestEntry{}, false
	}
	return list[i], true
}
