package store

import (
	"encoding/binary"
	"testing"

	"doorstep/syncproto"
)

// What is remembered of a person's requests has bounds in number and time, and one
// person's do not push out another's.
func TestRequestsAreForgotten(t *testing.T) {
	s := newState(func(string, string) (bool, bool) { return false, false })
	ada, bea := syncproto.UserID{1}, syncproto.UserID{2}
	key := func(n int) (k [32]byte) {
		binary.BigEndian.PutUint64(k[:], uint64(n))
		return k
	}
	s.apply(1, RequestEntry{User: bea, Key: key(0), AtMS: 5})
	for n := range maxRequests + 10 {
		s.apply(uint64(n), RequestEntry{User: ada, Key: key(n), AtMS: int64(n)})
	}
	known := func(user syncproto.UserID, from, to int) (out int) {
		for n := from; n < to; n++ {
			if _, ok := s.Request(user, key(n)); ok {
				out++
			}
		}
		return out
	}
	if got := known(ada, 0, 10); got != 0 {
		t.Errorf("%d of the oldest are remembered, want none", got)
	}
	if got := known(ada, 10, maxRequests+10); got != maxRequests {
		t.Errorf("%d of the newest are remembered, want all %d", got, maxRequests)
	}
	if got := known(bea, 0, 1); got != 1 {
		t.Error("one person's requests pushed out another's")
	}
	s.apply(999, RequestEntry{User: ada, Key: key(9999), AtMS: requestsLastMS + 50})
	if got := known(ada, 10, 50); got != 0 {
		t.Errorf("%d are remembered for longer than seven days", got)
	}
	if got := known(ada, 50, maxRequests+10); got != maxRequests+10-50 {
		t.Errorf("%d of those that are not so old are remembered, want %d", got, maxRequests+10-50)
	}
}
