package keyring

import (
	"crypto/hmac"
	"crypto/sha256"
	"testing"
)

func TestMarkIsHMAC(t *testing.T) {
	key := sha256.Sum256([]byte("a family's"))
	m := newMarker(key[:])
	for n := range 3 {
		id := ID{byte(n), 7}
		mac := hmac.New(sha256.New, key[:])
		mac.Write(id[:])
		if got, want := m.mac(id), mac.Sum(nil); string(got[:]) != string(want) {
			t.Errorf("the mark of %x: got %x, want %x", id, got, want)
		}
	}
}
