package device

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// nonceUse is how long a nonce of the server's is used: a little less than it
// lasts (SPEC 7.9).
const nonceUse = 2 * time.Minute

// prover signs proofs that requests come from this device (RFC 9449, SPEC 7.9), so
// that a stolen token is worth nothing without the key.
type prover struct {
	mu    sync.Mutex
	key   Key       // guarded by mu; its private half is nil until there is one
	nonce string    // guarded by mu; the server's last
	at    time.Time // guarded by mu; when it came
}

// use sets the key that signs.
func (p *prover) use(key Key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.key = key
}

// prove adds a proof to a request, if there is a key to sign it with. Each call
// makes another proof: none may be sent twice.
func (p *prover) prove(req *http.Request) error {
	p.mu.Lock()
	key, nonce := p.key, p.nonce
	if time.Since(p.at) > nonceUse {
		nonce = ""
	}
	p.mu.Unlock()
	authorization := req.Header.Get("Authorization")
	token, bound := strings.CutPrefix(authorization, "DPoP ")
	if key.private == nil || authorization != "" && !bound {
		return nil
	}
	proof, err := key.proof(req.Method, req.URL.Scheme+"://"+req.URL.Host+req.URL.Path, token, nonce)
	if err != nil {
		return fmt.Errorf("prove a request: %w", err)
	}
	req.Header.Set("DPoP", proof)
	return nil
}

// heard keeps a nonce that the server gave, and reports whether there was one.
func (p *prover) heard(h http.Header) bool {
	nonce := h.Get("DPoP-Nonce")
	if nonce == "" {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nonce, p.at = nonce, time.Now()
	return true
}

// proof is the JWT that shows who sends a request.
func (k Key) proof(method, url, token, nonce string) (string, error) {
	b64, point := base64.RawURLEncoding.EncodeToString, k.Public()
	var id [12]byte
	_, _ = rand.Read(id[:]) // never fails
	header := map[string]any{"typ": "dpop+jwt", "alg": "ES256",
		"jwk": map[string]string{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}}
	claims := map[string]any{"jti": b64(id[:]), "htm": method, "htu": url, "iat": time.Now().Unix()}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = b64(sum[:])
	}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	var parts [2]string
	for i, v := range []map[string]any{header, claims} {
		b, err := json.Marshal(v)
		if err != nil {
			return "", err
		}
		parts[i] = b64(b)
	}
	signed := parts[0] + "." + parts[1]
	signature, err := k.Sign([]byte(signed))
	if err != nil {
		return "", err
	}
	return signed + "." + b64(signature), nil
}
