package audit

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"doorstep/syncproto"
)

// Signer signs checkpoints of one borough as notes (C2SP signed-note).
type Signer struct {
	borough string
	key     ed25519.PrivateKey
}

// NewSigner returns a signer with the borough's checkpoint key.
func NewSigner(borough string, key ed25519.PrivateKey) Signer { return Signer{borough, key} }

// SignExport signs what package export makes of a bundle, which no checkpoint's text
// begins like.
func (s Signer) SignExport(message []byte) []byte { return ed25519.Sign(s.key, message) }

// SignBundle signs what package delivery makes of a bundle: the input of a JWS, which has
// neither the line ends of a checkpoint's text nor the zero byte of an export.
func (s Signer) SignBundle(input []byte) []byte { return ed25519.Sign(s.key, input) }

// Sign signs a head at a time.
func (s Signer) Sign(head syncproto.TreeHead, atMS int64) syncproto.Checkpoint {
	c := syncproto.Checkpoint{TreeHead: head, TimeMS: atMS}
	c.Signature = ed25519.Sign(s.key, syncproto.CheckpointText(s.borough, &c))
	return c
}

// Public is the key that checks what was signed.
func (s Signer) Public() ed25519.PublicKey { return s.key.Public().(ed25519.PublicKey) }

// VerifierKey is the public key as signed notes write it:
// name+hash+base64, for anybody's tools.
func (s Signer) VerifierKey() string {
	key, err := note.NewEd25519VerifierKey(syncproto.CheckpointOrigin(s.borough), s.Public())
	if err != nil {
		panic("bug: a public key of another length: " + err.Error())
	}
	return key
}

// Note returns a checkpoint as a signed note.
func (s Signer) Note(c *syncproto.Checkpoint) []byte {
	return syncproto.CheckpointNote(s.borough, c, syncproto.CheckpointKeyHash(s.borough, s.Public()))
}

// ErrNote says that a note is not a checkpoint of this borough, or not signed by
// its key.
var ErrNote = errors.New("this is not a checkpoint that this borough's server signed")

// ParseNote reads a checkpoint out of a signed note and checks its signature.
// Other signatures on it, as witnesses add them, are passed over.
func (s Signer) ParseNote(text []byte) (syncproto.Checkpoint, error) {
	var c syncproto.Checkpoint
	verifier, err := note.NewVerifier(s.VerifierKey())
	if err != nil {
		return c, fmt.Errorf("reading our own key: %w", err)
	}
	n, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrNote, err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 5 || lines[0] != syncproto.CheckpointOrigin(s.borough) {
		return c, ErrNote
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	at, timed := strings.CutPrefix(lines[3], "time ")
	size, err2 := strconv.ParseUint(lines[1], 10, 63)
	ms, err3 := strconv.ParseInt(at, 10, 64)
	signature, err4 := base64.StdEncoding.DecodeString(n.Sigs[0].Base64)
	if errors.Join(err, err2, err3, err4) != nil || !timed || len(root) != len(c.Root) || len(signature) != 4+ed25519.SignatureSize {
		return c, ErrNote
	}
	c = syncproto.Checkpoint{TreeHead: syncproto.TreeHead{Size: size, Root: [32]byte(root)}, TimeMS: ms, Signature: signature[4:]}
	if binary.BigEndian.Uint32(signature) != verifier.KeyHash() || !bytes.Equal(syncproto.CheckpointText(s.borough, &c), []byte(n.Text)) {
		return c, ErrNote
	}
	return c, nil
}
