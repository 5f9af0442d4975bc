package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"time"

	"doorstep/syncproto"
)

// refreshGrace is how long a lost reply to a refresh can be asked for again by who has
// nothing but the token. A 2G signal drops replies; two minutes cover a retry and no theft
// of a day. The holder of a session's key may ask as long as the session lasts: a tablet
// that lost the reply on a doorstep is back in the signal hours later, and the token is worth
// nothing to anybody else (RFC 9700, 2.2.2).
const refreshGrace = 2 * time.Minute

// A refresh token is opaque to its holder: session ‖ generation ‖ secret ‖ mac,
// base64url. The secret is 256 bits; only its hash is kept. The mac proves that
// we issued it, so that a genuine token of an earlier generation is known as
// re-used (and ends the session), while an invented one ends nothing.
const (
	secretBytes  = 32
	refreshBytes = 16 + 8 + secretBytes + 32
)

// refreshToken is a decoded refresh token.
type refreshToken struct {
	Session    syncproto.ID
	Generation uint64
	Secret     [secretBytes]byte
}

// refresher makes and reads refresh tokens under one secret key.
type refresher struct{ key []byte }

// newRefresher derives its key from the token key, so that there is one secret
// file to guard; the label keeps the two uses apart.
func newRefresher(seed []byte) refresher {
	return refresher{key: mac(seed, []byte("doorstep-refresh-v1"))}
}

// of returns the refresher of one account. It depends on the password, so that a
// new password ends every session begun with the old one, within the life of an
// access token.
func (r refresher) of(account Account) refresher {
	hash := sha256.Sum256([]byte(account.PasswordHash))
	return refresher{key: mac(r.key, []byte("account"), account.ID[:], hash[:])}
}

// sessionOf reads which session a token claims, before anything is checked.
func sessionOf(token string) (syncproto.ID, bool) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != refreshBytes {
		return syncproto.ID{}, false
	}
	return syncproto.ID(b[:16]), true
}

// encode returns the token as its holder keeps it.
func (r refresher) encode(t refreshToken) string {
	b := make([]byte, 0, refreshBytes)
	b = append(b, t.Session[:]...)
	b = binary.BigEndian.AppendUint64(b, t.Generation)
	b = append(b, t.Secret[:]...)
	b = append(b, mac(r.key, []byte("token"), b)...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// decode reads a token that we issued; it reports false for any other string.
func (r refresher) decode(s string) (refreshToken, bool) {
	if len(s) != base64.RawURLEncoding.EncodedLen(refreshBytes) {
		return refreshToken{}, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return refreshToken{}, false
	}
	body, sum := b[:len(b)-32], b[len(b)-32:]
	if !hmac.Equal(sum, mac(r.key, []byte("token"), body)) {
		return refreshToken{}, false
	}
	var t refreshToken
	copy(t.Session[:], body)
	t.Generation = binary.BigEndian.Uint64(body[16:])
	copy(t.Secret[:], body[24:])
	return t, true
}

// next derives the token that follows t when asked for under request. The same
// question has the same answer, so a reply that was lost can be given again
// although only hashes are kept.
func (r refresher) next(t refreshToken, request syncproto.RequestID) refreshToken {
	n := refreshToken{Session: t.Session, Generation: t.Generation + 1}
	copy(n.Secret[:], mac(r.key, []byte("next"), t.Session[:], t.Secret[:], request[:]))
	return n
}

// hash is what is kept of a refresh token.
func (t refreshToken) hash() [32]byte { return sha256.Sum256(t.Secret[:]) }

func sameHash(a, b [32]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }

// mac is HMAC-SHA256 over parts, each of a fixed length or last.
func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}
