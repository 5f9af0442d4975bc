package server

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/keyring"
	"doorstep/syncproto"
)

// Names of the secret files, each 32 bytes. borough.key opens every record;
// without it the data is lost, so it is backed up apart from the data.
const (
	boroughKeyFile    = "borough.key"    // AES-256, wraps the families' keys
	tokenKeyFile      = "token.key"      // Ed25519 seed, signs access tokens
	replyKeyFile      = "reply.key"      // Ed25519 seed, signs sync replies; devices pin it
	deskKeyFile       = "desk.key"       // P-256 scalar, signs what is written at the server
	checkpointKeyFile = "checkpoint.key" // Ed25519 seed, signs checkpoints of the audit log; devices pin it
	shareKeyFile      = "share.key"      // the shares of tablets' locks are drawn from it; without it every lapsed tablet is shut for good
)

// secretBytes is the length of every secret.
const secretBytes = 32

// secrets are the server's keys.
type secrets struct {
	borough    keyring.Key
	token      ed25519.PrivateKey
	reply      ed25519.PrivateKey
	desk       *ecdsa.PrivateKey
	checkpoint ed25519.PrivateKey
	recovery   []byte // public half of the recovery key; nil: none
	share      []byte
}

// loadSecrets reads every key of a folder.
func loadSecrets(dir string) (secrets, error) {
	var s secrets
	var err error
	load := keyring.LoadBoroughKey
	if passed(dir) {
		load = keyring.LoadPassedKey
	}
	if s.borough, err = load(filepath.Join(dir, boroughKeyFile)); err != nil {
		return s, err
	}
	token, err := readSecret(filepath.Join(dir, tokenKeyFile))
	if err != nil {
		return s, err
	}
	reply, err := readSecret(filepath.Join(dir, replyKeyFile))
	if err != nil {
		return s, err
	}
	desk, err := readSecret(filepath.Join(dir, deskKeyFile))
	if err != nil {
		return s, err
	}
	checkpoint, err := readSecret(filepath.Join(dir, checkpointKeyFile))
	if err != nil {
		return s, err
	}
	if s.share, err = readSecret(filepath.Join(dir, shareKeyFile)); err != nil {
		return s, err
	}
	s.token, s.reply, s.checkpoint = ed25519.NewKeyFromSeed(token), ed25519.NewKeyFromSeed(reply), ed25519.NewKeyFromSeed(checkpoint)
	if s.recovery, err = loadRecoveryKey(dir); err != nil {
		return s, err
	}
	if s.desk, err = ecdsa.ParseRawPrivateKey(elliptic.P256(), desk); err != nil {
		return s, fmt.Errorf("%s is not a P-256 key: %w", deskKeyFile, err)
	}
	return s, nil
}

// credentialsVariable names systemd's folder of credentials (systemd.exec(5)).
const credentialsVariable = "CREDENTIALS_DIRECTORY"

// passed reports whether a folder is that of systemd's credentials. Nobody else can
// look into it, and the group's bits of its files are the mask of an access list that
// names the service alone.
func passed(dir string) bool {
	credentials := os.Getenv(credentialsVariable)
	return credentials != "" && filepath.Clean(dir) == filepath.Clean(credentials)
}

// readSecret reads a file that its owner alone may read.
func readSecret(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading a secret: %w", err)
	}
	forbidden := fs.FileMode(0o077)
	if passed(filepath.Dir(path)) {
		forbidden = 0o037
	}
	if info.Mode().Perm()&forbidden != 0 {
		return nil, fmt.Errorf("secret %s can be read by others: chmod 600 it", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading a secret: %w", err)
	}
	if len(b) != secretBytes {
		return nil, fmt.Errorf("secret %s has %d bytes, want %d", path, len(b), secretBytes)
	}
	return b, nil
}

// newSecrets makes every key that the folder lacks and replaces none.
func newSecrets(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the folder of secrets: %w", err)
	}
	err := keyring.NewBoroughKeyFile(filepath.Join(dir, boroughKeyFile))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making the borough key: %w", err)
	}
	desk, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("making the desk key: %w", err)
	}
	deskKey, err := desk.Bytes()
	if err != nil {
		return fmt.Errorf("making the desk key: %w", err)
	}
	keys := map[string][]byte{deskKeyFile: deskKey}
	for _, name := range []string{tokenKeyFile, replyKeyFile, checkpointKeyFile, shareKeyFile} {
		keys[name] = randomBytes(secretBytes)
	}
	for name, key := range keys {
		if err := writeSecret(filepath.Join(dir, name), key); err != nil {
			return err
		}
	}
	return nil
}

// writeSecret writes a new file durably; one that exists stays as it is.
func writeSecret(path string, key []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("writing a secret: %w", err)
	}
	_, err = f.Write(key)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing a secret: %w", err)
	}
	return nil
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return b
}

// cursorKey keys the MAC of cursors. It is derived, so that there is one secret
// fewer to guard.
func (s secrets) cursorKey() ([32]byte, error) {
	b, err := hkdf.Key(sha256.New, s.token.Seed(), nil, "doorstep cursor", secretBytes)
	if err != nil {
		return [32]byte{}, fmt.Errorf("deriving the cursor key: %w", err)
	}
	return [32]byte(b), nil
}

// deskPublic is the desk's public key, as devices' keys are written.
func (s secrets) deskPublic() ([]byte, error) { return s.desk.PublicKey.Bytes() }

// deskDevice is the id under which the desk is enrolled.
func (s secrets) deskDevice() (syncproto.DeviceID, error) {
	public, err := s.deskPublic()
	if err != nil {
		return syncproto.DeviceID{}, fmt.Errorf("reading the desk key: %w", err)
	}
	return auth.DeviceIDOf(public), nil
}

// signDesk is ES256 by the desk's key.
func (s secrets) signDesk(message []byte) ([]byte, error) {
	sum := sha256.Sum256(message)
	r, t, err := ecdsa.Sign(rand.Reader, s.desk, sum[:])
	if err != nil {
		return nil, fmt.Errorf("signing at the desk: %w", err)
	}
	return append(r.FillBytes(make([]byte, 32)), t.FillBytes(make([]byte, 32))...), nil
}

// signReply is Ed25519 by the reply key.
func (s secrets) signReply(message []byte) []byte { return ed25519.Sign(s.reply, message) }
