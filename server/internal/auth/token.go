package auth

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"doorstep/syncproto"
)

const (
	// accessLife is how long an access token lasts. Ten minutes bounds what a
	// stolen one is worth; access itself is looked up on every call.
	accessLife = 10 * time.Minute
	// tokenLeeway forgives clocks between two servers of one borough.
	tokenLeeway = 30 * time.Second
	// maxTokenBytes bounds a token before anything reads it; ours have about 500.
	maxTokenBytes = 1024
	// tokenType is the header's typ (RFC 9068), so that no other token of ours
	// can ever pass for an access token.
	tokenType = "at+jwt"
)

// errToken is what every bad token comes down to; the reason goes to the log.
var errToken = errors.New("access token refused")

// tokens signs and reads access tokens. The signing key is keys[current]; older
// keys stay readable until their last token has lapsed.
type tokens struct {
	issuer, audience string
	current          string
	private          ed25519.PrivateKey
	keys             map[string]ed25519.PublicKey // by kid; fixed at start
	parser           *jwt.Parser
}

// claims is all that a token says: who, on which device, in which session. It
// holds no role: what a person may see is looked up on every call.
type claims struct {
	Device  string        `json:"did,omitempty"`
	Session string        `json:"sid"`
	Confirm *confirmation `json:"cnf,omitempty"`
	jwt.RegisteredClaims
}

// confirmation names the key that a token's sender must hold (RFC 9449, 6.1).
type confirmation struct {
	Key string `json:"jkt"`
}

// Subject is who a token speaks for, once it has been checked.
type subject struct {
	User    syncproto.UserID
	Device  syncproto.DeviceID
	Session syncproto.ID
	Key     Thumbprint // whose holder may send it; zero: whoever has it
	Expires time.Time
}

func newTokens(borough string, key ed25519.PrivateKey, older []ed25519.PublicKey, now func() time.Time) *tokens {
	t := &tokens{
		issuer:   "doorstep:" + borough,
		audience: borough,
		private:  key,
		keys:     map[string]ed25519.PublicKey{},
	}
	public := key.Public().(ed25519.PublicKey)
	t.current = keyID(public)
	for _, k := range append(older, public) {
		t.keys[keyID(k)] = k
	}
	t.parser = jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
		jwt.WithExpirationRequired(),
		jwt.WithAudience(t.audience),
		jwt.WithIssuer(t.issuer),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(tokenLeeway),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(now),
	)
	return t
}

// keyID names a public key in a token's header.
func keyID(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:8])
}

// issue signs a token for s that lasts accessLife from now.
func (t *tokens) issue(s subject, now time.Time) (string, error) {
	c := claims{
		Session: s.Session.String(),
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    t.issuer,
			Subject:   s.User.String(),
			Audience:  jwt.ClaimStrings{t.audience},
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(accessLife)),
		},
	}
	if !s.Device.IsZero() {
		c.Device = s.Device.String()
	}
	if !s.Key.IsZero() {
		c.Confirm = &confirmation{Key: s.Key.String()}
	}
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c)
	token.Header["typ"] = tokenType
	token.Header["kid"] = t.current
	signed, err := token.SignedString(t.private)
	if err != nil {
		return "", fmt.Errorf("signing an access token: %w", err)
	}
	return signed, nil
}

// read checks every part of a token and returns whom it speaks for. The error
// wraps errToken and says why, for the log.
func (t *tokens) read(signed string) (subject, error) {
	if len(signed) > maxTokenBytes {
		return subject{}, fmt.Errorf("%w: over %d bytes", errToken, maxTokenBytes)
	}
	var c claims
	if _, err := t.parser.ParseWithClaims(signed, &c, t.keyFor); err != nil {
		return subject{}, fmt.Errorf("%w: %w", errToken, err)
	}
	s, err := c.subject()
	if err != nil {
		return subject{}, fmt.Errorf("%w: %w", errToken, err)
	}
	return s, nil
}

// keyFor picks the key that a token's header names, out of the fixed set.
func (t *tokens) keyFor(token *jwt.Token) (any, error) {
	if typ, _ := token.Header["typ"].(string); typ != tokenType {
		return nil, errors.New("typ is not " + tokenType)
	}
	kid, _ := token.Header["kid"].(string)
	key, ok := t.keys[kid]
	if !ok {
		return nil, errors.New("kid names no key of ours")
	}
	return key, nil
}

func (c *claims) subject() (subject, error) {
	var s subject
	user, err := syncproto.ParseID(c.Subject)
	if err != nil {
		return s, errors.New("sub is not an id")
	}
	session, err := syncproto.ParseID(c.Session)
	if err != nil {
		return s, errors.New("sid is not an id")
	}
	s.User, s.Session, s.Expires = syncproto.UserID(user), session, c.ExpiresAt.Time
	if c.Confirm != nil {
		key, ok := parseThumbprint(c.Confirm.Key)
		if !ok {
			return s, errors.New("cnf.jkt is no thumbprint")
		}
		s.Key = key
	}
	if c.Device == "" {
		return s, nil
	}
	device, err := syncproto.ParseID(c.Device)
	if err != nil {
		return s, errors.New("did is not an id")
	}
	s.Device = syncproto.DeviceID(device)
	return s, nil
}
