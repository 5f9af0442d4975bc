package authtest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"

	"doorstep/syncproto/cbor"
)

// Authenticator is a virtual one: it has one passkey, which it uses once it has
// verified its person. Tests spoil a field to see the answer refused.
type Authenticator struct {
	Key      Key
	ID       []byte // of the passkey
	Handle   []byte // of the person, as Make was given it
	Counter  uint32 // of uses
	Verified bool   // the person was verified
	Origin   string // of the page that asks
	Domain   string // the relying party's id
}

// NewAuthenticator returns one that serves pages of an origin of a domain.
func NewAuthenticator(t testing.TB, domain, origin string) *Authenticator {
	key := NewKey(t)
	id := sha256.Sum256(key.Public())
	return &Authenticator{Key: key, ID: id[:], Verified: true, Origin: origin, Domain: domain}
}

func text(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// data is the authenticator data; attested adds the key.
func (a *Authenticator) data(attested bool) []byte {
	domain := sha256.Sum256([]byte(a.Domain))
	flags := byte(0x01) // present
	if a.Verified {
		flags |= 0x04
	}
	if attested {
		flags |= 0x40
	}
	out := binary.BigEndian.AppendUint32(append(domain[:], flags), a.Counter)
	if !attested {
		return out
	}
	out = append(out, make([]byte, 16)...) // of no maker
	out = binary.BigEndian.AppendUint16(out, uint16(len(a.ID)))
	return append(append(out, a.ID...), a.cose()...)
}

// cose is the public key as a COSE_Key (RFC 9053, 7.1.1).
func (a *Authenticator) cose() []byte {
	point := a.Key.Public()
	b := cbor.AppendMap(nil, 5)
	for _, pair := range [][2]int64{{1, 2}, {3, -7}, {-1, 1}} { // EC2, ES256, P-256
		b = cbor.AppendInt(cbor.AppendInt(b, pair[0]), pair[1])
	}
	b = cbor.AppendBytes(cbor.AppendInt(b, -2), point[1:33])
	return cbor.AppendBytes(cbor.AppendInt(b, -3), point[33:])
}

func (a *Authenticator) client(what, challenge string) []byte {
	out, _ := json.Marshal(map[string]any{"type": what, "challenge": challenge, "origin": a.Origin, "crossOrigin": false})
	return out
}

// Make answers navigator.credentials.create.
func (a *Authenticator) Make(options json.RawMessage) json.RawMessage {
	var in struct {
		Challenge string
		User      struct{ ID string }
	}
	_ = json.Unmarshal(options, &in)
	a.Handle, _ = base64.RawURLEncoding.DecodeString(in.User.ID)
	object := cbor.AppendMap(nil, 3)
	object = cbor.AppendText(cbor.AppendText(object, "fmt"), "none")
	object = cbor.AppendMap(cbor.AppendText(object, "attStmt"), 0)
	object = cbor.AppendBytes(cbor.AppendText(object, "authData"), a.data(true))
	return a.answer(map[string]any{"clientDataJSON": text(a.client("webauthn.create", in.Challenge)), "attestationObject": text(object)})
}

// Get answers navigator.credentials.get.
func (a *Authenticator) Get(options json.RawMessage) json.RawMessage {
	var in struct{ Challenge string }
	_ = json.Unmarshal(options, &in)
	a.Counter++
	data, client := a.data(false), a.client("webauthn.get", in.Challenge)
	sum := sha256.Sum256(client)
	return a.answer(map[string]any{"clientDataJSON": text(client), "authenticatorData": text(data), "userHandle": text(a.Handle),
		"signature": text(asn1Signature(a.Key.Sign(append(data, sum[:]...))))})
}

func (a *Authenticator) answer(response map[string]any) json.RawMessage {
	out, _ := json.Marshal(map[string]any{"id": text(a.ID), "rawId": text(a.ID), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}})
	return out
}

// asn1Signature writes r ‖ s as DER, as authenticators do.
func asn1Signature(raw []byte) []byte {
	var body []byte
	for _, n := range [][]byte{raw[:32], raw[32:]} {
		for len(n) > 1 && n[0] == 0 {
			n = n[1:]
		}
		if n[0] >= 0x80 {
			n = append([]byte{0}, n...)
		}
		body = append(append(body, 2, byte(len(n))), n...)
	}
	return append([]byte{0x30, byte(len(body))}, body...)
}
