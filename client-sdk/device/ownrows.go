package device

import (
	"crypto/ed25519"
	"fmt"

	"doorstep/client-sdk/engine"
	"doorstep/syncproto/cbor"
)

// The driver's own rows begin with this letter, which no row of the engine does.
const prefixOwn = 'D'

var (
	keyIdentity = []byte{prefixOwn, 'i'}
	keyKey      = []byte{prefixOwn, 'k'}
	keySession  = []byte{prefixOwn, 's'}
)

func isOwnRow(key []byte) bool { return len(key) > 0 && key[0] == prefixOwn }

// ownRows is what the driver itself keeps in a store.
type ownRows struct {
	identity Identity
	enrolled bool
	key      Key
	hasKey   bool
	session  Session
}

// readOwnRows fails with ErrNotEnrolled when there is no identity.
func readOwnRows(s Store) (ownRows, error) {
	own, err := lookForOwnRows(s)
	if err == nil && (!own.enrolled || !own.hasKey) {
		err = ErrNotEnrolled
	}
	return own, err
}

func lookForOwnRows(s Store) (ownRows, error) {
	var own ownRows
	err := s.Load(func(key, value []byte) (err error) {
		switch string(key) {
		case string(keyIdentity):
			own.enrolled = true
			own.identity, err = decodeIdentity(value)
		case string(keyKey):
			own.hasKey = true
			own.key, err = ParseKey(value)
		case string(keySession):
			own.session, err = decodeSession(value)
		}
		return err
	})
	return own, err
}

// Install writes a key and an identity into a store, as Enrol does after asking
// the server. It is for devices that are enrolled by other means.
func Install(s Store, id Identity, key Key) error {
	err := s.Apply([]engine.Row{
		{Key: keyKey, Value: key.Bytes()},
		{Key: keyIdentity, Value: encodeIdentity(id)},
	})
	if err != nil {
		return fmt.Errorf("install identity: %w", err)
	}
	return nil
}

func encodeIdentity(id Identity) []byte {
	b := cbor.AppendArray(nil, 6)
	b = cbor.AppendText(b, id.Borough)
	b = cbor.AppendBytes(b, id.User[:])
	b = cbor.AppendBytes(b, id.Device[:])
	b = cbor.AppendBytes(b, id.ReplyKey)
	b = cbor.AppendBytes(b, id.CheckpointKey)
	return cbor.AppendBytes(b, id.RecoveryKey)
}

func decodeIdentity(value []byte) (Identity, error) {
	r := cbor.NewReader(value)
	r.Array()
	id := Identity{Borough: r.Text()}
	r.BytesInto(id.User[:])
	r.BytesInto(id.Device[:])
	id.ReplyKey = ed25519.PublicKey(r.Bytes())
	id.CheckpointKey = ed25519.PublicKey(r.Bytes())
	if key := r.Bytes(); len(key) > 0 {
		id.RecoveryKey = key
	}
	if r.Done() != nil || len(id.ReplyKey) != ed25519.PublicKeySize || len(id.CheckpointKey) != ed25519.PublicKeySize {
		return Identity{}, &DamageError{Kind: prefixOwn}
	}
	return id, nil
}

// sessionRow keeps the session of a Client.
type sessionRow struct{ store Store }

func (s sessionRow) save(session Session) error {
	return s.store.Apply([]engine.Row{{Key: keySession, Value: session.encode()}})
}

func (s *Session) encode() []byte {
	b := cbor.AppendArray(nil, 6)
	b = cbor.AppendText(b, s.Access)
	b = cbor.AppendText(b, s.Refresh)
	b = cbor.AppendText(b, s.RefreshID)
	b = cbor.AppendBool(b, s.Bearer)
	b = cbor.AppendBool(b, s.CustodyOnly)
	return cbor.AppendInt(b, s.UntilMS)
}

func decodeSession(value []byte) (Session, error) {
	r := cbor.NewReader(value)
	r.Array()
	s := Session{Access: r.Text(), Refresh: r.Text(), RefreshID: r.Text(), Bearer: r.Bool(), CustodyOnly: r.Bool(), UntilMS: r.Int()}
	if r.Done() != nil {
		return Session{}, &DamageError{Kind: prefixOwn}
	}
	return s, nil
}
