package authtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"doorstep/server/internal/auth"
)

// Key is a P-256 key whose holder signs proofs (RFC 9449).
type Key struct{ Private *ecdsa.PrivateKey }

// NewKey draws a key.
func NewKey(t testing.TB) Key {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return Key{k}
}

// Public is the uncompressed point, 65 bytes.
func (k Key) Public() []byte {
	b, err := k.Private.PublicKey.Bytes()
	if err != nil {
		panic("bug: a P-256 key without a point")
	}
	return b
}

// Thumbprint names the key.
func (k Key) Thumbprint() auth.Thumbprint { return auth.ThumbprintOf(k.Public()) }

// Sign is ES256 over a message: r ‖ s.
func (k Key) Sign(message []byte) []byte {
	sum := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(rand.Reader, k.Private, sum[:])
	if err != nil {
		panic("bug: a P-256 key that does not sign")
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}

// Request is what a proof is for.
type Request struct {
	Method, URL string
	Token       string // access token that goes with it; empty: none
	Nonce       string // that the server gave; empty: none
	At          time.Time
}

// Claims are a proof's claims for a request, under a fresh jti.
func Claims(r Request) map[string]any {
	c := map[string]any{"jti": base64.RawURLEncoding.EncodeToString(random(12)), "htm": r.Method, "htu": r.URL, "iat": r.At.Unix()}
	if r.Token != "" {
		sum := sha256.Sum256([]byte(r.Token))
		c["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	if r.Nonce != "" {
		c["nonce"] = r.Nonce
	}
	return c
}

// Header is the header of the key's proofs.
func (k Key) Header() map[string]any {
	b64, point := base64.RawURLEncoding.EncodeToString, k.Public()
	return map[string]any{"typ": "dpop+jwt", "alg": "ES256",
		"jwk": map[string]any{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}}
}

// Proof signs a proof for a request.
func (k Key) Proof(r Request) string { return k.JWT(k.Header(), Claims(r)) }

// JWT signs any header and claims.
func (k Key) JWT(header, claims map[string]any) string {
	signed := part(header) + "." + part(claims)
	return signed + "." + base64.RawURLEncoding.EncodeToString(k.Sign([]byte(signed)))
}

func part(v map[string]any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("bug: a part of a JWT that does not encode: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}
