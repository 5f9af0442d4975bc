package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"doorstep/syncproto"
)

const (
	// proofLife is how old a proof without a nonce may be when its header arrives:
	// a queue of a slow link, and a clock a little behind.
	proofLife = 2 * time.Minute
	// proofAhead forgives a clock that is a little ahead.
	proofAhead = 10 * time.Second
	// nonceLife is how long a nonce can be used.
	nonceLife = 2*time.Minute + 30*time.Second
	// maxProofBytes bounds a proof before anything reads it; ours have about 500.
	maxProofBytes = 2048
	// maxProofID bounds a jti.
	maxProofID = 128
	// proofType is the header's typ (RFC 9449, 4.2).
	proofType = "dpop+jwt"
)

// Thumbprint names a key: the JWK SHA-256 thumbprint of RFC 7638.
type Thumbprint [32]byte

// IsZero reports whether t names no key.
func (t Thumbprint) IsZero() bool { return t == Thumbprint{} }

// String is the thumbprint as the claim cnf.jkt has it.
func (t Thumbprint) String() string { return base64.RawURLEncoding.EncodeToString(t[:]) }

// parseThumbprint reads what String wrote.
func parseThumbprint(s string) (t Thumbprint, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(t) {
		return t, false
	}
	return Thumbprint(b), true
}

// ThumbprintOf returns the thumbprint of a P-256 key, given as an uncompressed
// point of KeyBytes.
func ThumbprintOf(point []byte) Thumbprint {
	b64 := base64.RawURLEncoding.EncodeToString
	return sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + b64(point[1:33]) + `","y":"` + b64(point[33:65]) + `"}`))
}

// Proof is what came with a request to show that its sender holds a key: the
// DPoP header of RFC 9449, and what it has to match.
type Proof struct {
	JWT    string
	Method string
	URL    string // of the request, without query; "//host/path" where the scheme is not known
	Token  string // the access token that came with it; empty: none
	// Holder is the key that a good Token is bound to: its proofs have room of their
	// own among those that are remembered. Zero: none.
	Holder Thumbprint
}

// Proven is what a good proof shows.
type Proven struct {
	Key Thumbprint // whose holder sent the request
	// Nonce is for the sender's next proof; empty: it needs none, its clock is right.
	Nonce string
}

// ProofError says that a proof was not taken; it unwraps to CodeBadProof. The
// sender may try again with Nonce, under a fresh jti.
type ProofError struct {
	Reason string // for the log
	Nonce  string
}

func (e *ProofError) Error() string { return "proof refused: " + e.Reason }

// Unwrap returns CodeBadProof.
func (e *ProofError) Unwrap() error { return syncproto.CodeBadProof }

// prover checks proofs.
type prover struct {
	parser  *jwt.Parser
	started time.Time
	nonces  []byte // key of this process's nonces
	seen    *seen
}

// newProver draws the key of nonces. A nonce is worth nothing after a restart, and
// neither is a proof from before it: what was seen then is forgotten.
func newProver(random io.Reader, started time.Time) (*prover, error) {
	p := &prover{
		parser: jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodES256.Alg()}),
			jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation()), // of times, which check weighs
		started: started, nonces: make([]byte, 32), seen: newSeen(max(proofLife+proofAhead, nonceLife)),
	}
	if _, err := io.ReadFull(random, p.nonces); err != nil {
		return nil, fmt.Errorf("drawing the key of nonces: %w", err)
	}
	return p, nil
}

// Prove checks a proof and returns whose it is. It fails with a *ProofError, or
// with CodeUnavailable when more proofs came than can be remembered: of this key, if
// it is a device's or its token's, else of all that nobody knows.
func (a *Auth) Prove(ctx context.Context, in Proof) (Proven, error) {
	now := a.cfg.Now()
	key, byNonce, err := a.prover.check(in, a.enrolled, now)
	if errors.Is(err, errNoRoom) {
		return Proven{}, syncproto.CodeUnavailable
	}
	if err == nil {
		out := Proven{Key: key}
		if byNonce {
			out.Nonce = a.Nonce()
		}
		return out, nil
	}
	a.cfg.Log.InfoContext(ctx, "proof refused", "reason", err.Error())
	return Proven{}, &ProofError{Reason: err.Error(), Nonce: a.Nonce()}
}

// enrolled reports whether a key, an uncompressed point, is a device's.
func (a *Auth) enrolled(point []byte) bool {
	_, known := a.cfg.Ledger.Device(DeviceIDOf(point))
	return known
}

// errNoRoom says that a proof cannot be remembered, and so not be taken.
var errNoRoom = errors.New("more proofs than can be remembered")

// proofClaims is what a proof says (RFC 9449, 4.2).
type proofClaims struct {
	ID     string `json:"jti"`
	Method string `json:"htm"`
	URL    string `json:"htu"`
	At     int64  `json:"iat"`
	Token  string `json:"ath"`
	Nonce  string `json:"nonce"`
	jwt.RegisteredClaims
}

// check weighs everything in a proof. The jti comes last: only what is good
// otherwise is remembered.
func (p *prover) check(in Proof, enrolled func(point []byte) bool, now time.Time) (key Thumbprint, byNonce bool, err error) {
	if in.JWT == "" || len(in.JWT) > maxProofBytes {
		return key, false, errors.New("none, or too long")
	}
	var c proofClaims
	var point []byte
	_, err = p.parser.ParseWithClaims(in.JWT, &c, func(t *jwt.Token) (any, error) {
		var public *ecdsa.PublicKey
		public, point, err = keyOfProof(t.Header)
		return public, err
	})
	if err != nil {
		return Thumbprint{}, false, fmt.Errorf("it does not verify: %w", err)
	}
	key = ThumbprintOf(point)
	if c.ID == "" || len(c.ID) > maxProofID || c.Method != in.Method || !sameURL(in.URL, c.URL) {
		return Thumbprint{}, false, errors.New("it is for another request")
	}
	if !c.forToken(in.Token) {
		return Thumbprint{}, false, errors.New("it is for another token")
	}
	if byNonce, err = p.fresh(&c, now); err != nil {
		return Thumbprint{}, false, err
	}
	known := key == in.Holder || enrolled(point)
	switch p.seen.use(key, c.ID, known, now) {
	case usedBefore:
		return Thumbprint{}, false, errors.New("it was used before")
	case noRoom:
		return Thumbprint{}, false, errNoRoom
	}
	return key, byNonce, nil
}

// forToken reports whether a proof is for the token that came with it.
func (c *proofClaims) forToken(token string) bool {
	if token == "" {
		return true
	}
	sum := sha256.Sum256([]byte(token))
	want := base64.RawURLEncoding.EncodeToString(sum[:])
	return subtle.ConstantTimeCompare([]byte(c.Token), []byte(want)) == 1
}

// fresh reports whether a proof was made just now: by its nonce if it has one,
// else by its time. What was made before this process, whose proofs it never saw,
// needs a nonce.
func (p *prover) fresh(c *proofClaims, now time.Time) (byNonce bool, err error) {
	if c.Nonce != "" {
		if !p.goodNonce(c.Nonce, now) {
			return true, errors.New("its nonce has lapsed")
		}
		return true, nil
	}
	at := time.Unix(c.At, 0)
	switch {
	case at.After(now.Add(proofAhead)) || at.Before(now.Add(-proofLife)):
		return false, errors.New("it is not of this moment")
	case !at.After(p.started.Add(proofAhead)):
		return false, errors.New("it may be from before this server began")
	}
	return false, nil
}

// keyOfProof reads the public key that a proof names in its header, and its point.
func keyOfProof(header map[string]any) (*ecdsa.PublicKey, []byte, error) {
	if typ, _ := header["typ"].(string); typ != proofType {
		return nil, nil, errors.New("typ is not " + proofType)
	}
	jwk, _ := header["jwk"].(map[string]any)
	text := func(name string) string { s, _ := jwk[name].(string); return s }
	if _, private := jwk["d"]; private || text("kty") != "EC" || text("crv") != "P-256" {
		return nil, nil, errors.New("jwk is no public P-256 key")
	}
	x, errX := base64.RawURLEncoding.Strict().DecodeString(text("x"))
	y, errY := base64.RawURLEncoding.Strict().DecodeString(text("y"))
	if errX != nil || errY != nil || len(x) != 32 || len(y) != 32 {
		return nil, nil, errors.New("jwk has no point")
	}
	point := append(append([]byte{4}, x...), y...)
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return nil, nil, fmt.Errorf("jwk: %w", err)
	}
	return public, point, nil
}

// sameURL reports whether a proof's htu names the request: path letter for
// letter, host without regard to case or a port that the scheme implies, the
// scheme where it is known. A query does not count (RFC 9449, 4.3).
func sameURL(want, htu string) bool {
	w, err := url.Parse(want)
	if err != nil {
		return false
	}
	got, err := url.Parse(htu)
	if err != nil || got.User != nil || got.Scheme != "https" && got.Scheme != "http" {
		return false
	}
	scheme := w.Scheme
	if scheme == "" {
		scheme = got.Scheme
	}
	return got.Scheme == scheme && got.EscapedPath() == w.EscapedPath() && hostOf(got.Host, scheme) == hostOf(w.Host, scheme)
}

// hostOf writes a host the one way.
func hostOf(host, scheme string) string {
	host = strings.ToLower(host)
	if scheme == "https" {
		return strings.TrimSuffix(host, ":443")
	}
	return strings.TrimSuffix(host, ":80")
}
