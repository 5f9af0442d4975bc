package delivery

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Signer signs bundles: an audit.Signer.
type Signer interface {
	// SignBundle is Ed25519 over the signing input of a JWS.
	SignBundle(input []byte) []byte
	Public() ed25519.PublicKey
}

// bundleType is the "typ" of a bundle's signature (RFC 8725 section 3.11).
const bundleType = "doorstep-record+jws"

// header is the protected header of a signature, in the order in which it is written.
type header struct {
	Algorithm string `json:"alg"`
	Type      string `json:"typ"`
	Key       string `json:"kid"`
}

var coding = base64.RawURLEncoding.Strict()

// sign makes a detached JWS over the exact bytes of a bundle (RFC 7515 appendix F, RFC
// 8037): the header, nothing, the signature.
func sign(bundle []byte, by Signer) (string, error) {
	h, err := json.Marshal(header{"EdDSA", bundleType, Thumbprint(by.Public())})
	if err != nil {
		return "", fmt.Errorf("signing a bundle: %w", err)
	}
	protected := coding.EncodeToString(h)
	return protected + ".." + coding.EncodeToString(by.SignBundle(signingInput(protected, bundle))), nil
}

func signingInput(protected string, bundle []byte) []byte {
	return []byte(protected + "." + coding.EncodeToString(bundle))
}

// ErrSignature says that a bundle is not as the holder of the key signed it.
var ErrSignature = errors.New("the bundle is not as it was signed")

// Verify checks that the holder of a key signed exactly these bytes.
func Verify(bundle []byte, signature string, key ed25519.PublicKey) error {
	parts := strings.Split(strings.TrimSpace(signature), ".")
	if len(parts) != 3 || parts[1] != "" || len(parts[0]) > 1024 {
		return fmt.Errorf("%w: the signature is no detached JWS", ErrSignature)
	}
	raw, err := coding.DecodeString(parts[0])
	if err != nil {
		return fmt.Errorf("%w: its header cannot be read", ErrSignature)
	}
	var h header
	if err := json.Unmarshal(raw, &h); err != nil || h.Algorithm != "EdDSA" || h.Type != bundleType {
		return fmt.Errorf("%w: its header is not that of a bundle", ErrSignature)
	}
	sum, err := coding.DecodeString(parts[2])
	if err != nil || !ed25519.Verify(key, signingInput(parts[0], bundle), sum) {
		return ErrSignature
	}
	return nil
}

// JWK is a key as other programs' libraries read it (RFC 8037 section 2).
func JWK(key ed25519.PublicKey) string {
	return fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","x":%q,"kid":%q,"alg":"EdDSA","use":"sig"}`, coding.EncodeToString(key), Thumbprint(key))
}

// Thumbprint names a key (RFC 7638).
func Thumbprint(key ed25519.PublicKey) string {
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":"Ed25519","kty":"OKP","x":%q}`, coding.EncodeToString(key)))
	return coding.EncodeToString(sum[:])
}

func digestOf(bundle []byte) string {
	sum := sha256.Sum256(bundle)
	return hex.EncodeToString(sum[:])
}

// Open verifies a bundle and reads it.
func Open(bundle []byte, signature string, key ed25519.PublicKey) (Bundle, error) {
	if err := Verify(bundle, signature, key); err != nil {
		return Bundle{}, err
	}
	var out Bundle
	if err := json.Unmarshal(bundle, &out); err != nil || out.Format != Format {
		return out, errors.New("the bundle is signed, and not of a form that this program knows")
	}
	return out, nil
}
