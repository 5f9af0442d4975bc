package auth

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// nonceBytes is a nonce: the second it was made in, and half a MAC.
const nonceBytes = 8 + 16

// Nonce returns a fresh nonce for somebody's next proof (RFC 9449, 8). It spares
// tablets with a wrong clock, and proves that a proof was made for this process.
func (a *Auth) Nonce() string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, nonceBytes), uint64(a.cfg.Now().Unix()))
	return base64.RawURLEncoding.EncodeToString(append(b, a.prover.nonceMAC(b)...))
}

func (p *prover) nonceMAC(b []byte) []byte { return mac(p.nonces, []byte("nonce"), b)[:16] }

// goodNonce reports whether this process gave a nonce out less than nonceLife ago.
func (p *prover) goodNonce(s string, now time.Time) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != nonceBytes || !hmac.Equal(b[8:], p.nonceMAC(b[:8])) {
		return false
	}
	age := now.Sub(time.Unix(int64(binary.BigEndian.Uint64(b)), 0))
	return age < nonceLife && age > -nonceLife // the server's own clock may be set back
}
