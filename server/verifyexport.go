package server

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"doorstep/server/internal/export"
)

// Exported is what a signed export says of itself.
type Exported struct {
	Borough    string
	Family     string
	Purpose    string
	Name       string // of who took it
	At         time.Time
	Records    int
	Changes    int
	Checkpoint string // signed note of the audit log as it stood then
}

// ErrExportKey says that a key is none.
var ErrExportKey = errors.New("a checkpoint key is what /v1/about of the borough's server says it is, or 64 hexadecimal digits")

// maxExport bounds a signed export that is checked.
const maxExport = 1 << 30

// VerifyExport checks that the holder of a checkpoint key gave out exactly these bytes
// (SPEC 7.14). key is as /v1/about says it, or in hex; empty: that of cfg's own secrets. It fails with
// ErrExportKey, and with an error that is ErrDamaged if a byte was changed, or another
// borough signed it.
func VerifyExport(cfg Config, key string, in io.Reader) (Exported, error) {
	public, err := exportKey(cfg, key)
	if err != nil {
		return Exported{}, err
	}
	signed, err := io.ReadAll(io.LimitReader(in, maxExport+1))
	if err != nil {
		return Exported{}, fmt.Errorf("reading the export: %w", err)
	}
	if len(signed) > maxExport {
		return Exported{}, errors.New("the file is larger than any export")
	}
	bundle, err := export.Verify(signed, public)
	if err != nil {
		return Exported{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return readBundle(bundle)
}

func exportKey(cfg Config, key string) (ed25519.PublicKey, error) {
	if key != "" {
		return parseExportKey(key)
	}
	seed, err := readSecret(filepath.Join(cfg.Secrets.Dir, checkpointKeyFile))
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey), nil
}

// parseExportKey reads a checkpoint key as devices get it, in hex, or as /v1/about says
// it: the name, a hash, and in base64 a byte for Ed25519 before the key.
func parseExportKey(key string) (ed25519.PublicKey, error) {
	if parts := strings.SplitN(key, "+", 3); len(parts) == 3 {
		raw, err := base64.StdEncoding.DecodeString(parts[2])
		if err != nil || len(raw) != 1+ed25519.PublicKeySize {
			return nil, ErrExportKey
		}
		return raw[1:], nil
	}
	raw, err := hex.DecodeString(key)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return nil, ErrExportKey
	}
	return raw, nil
}

// readBundle reads what a bundle says of itself.
func readBundle(bundle []byte) (Exported, error) {
	var b struct {
		Borough, Family, Purpose, Name, Checkpoint string
		AtMS                                       int64 `json:"at_ms"`
		Records                                    []struct{ History []json.RawMessage }
	}
	if err := json.Unmarshal(bundle, &b); err != nil {
		return Exported{}, fmt.Errorf("the export is signed, and not of a form that this program knows: %w", err)
	}
	out := Exported{Borough: b.Borough, Family: b.Family, Purpose: b.Purpose, Name: b.Name, At: time.UnixMilli(b.AtMS).UTC(),
		Records: len(b.Records), Checkpoint: b.Checkpoint}
	for _, r := range b.Records {
		out.Changes += len(r.History)
	}
	return out, nil
}
