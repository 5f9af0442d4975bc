package device

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
	"doorstep/syncproto/recovery"
)

// Enrolment is what a person gives to enrol on a device.
type Enrolment struct {
	Login    string
	Password string
	// OpenID is instead of both what came back from the sign-in service; beside them for
	// an account that has a password already and is not bound to the person there yet.
	OpenID *OpenIDBack
	Code   string // the enrolment code, as IT handed it out
	Name   string // what the device is called in lists
	// Key is the device's key if somebody else is enrolled on it already, in a
	// store of their own; nil draws one.
	Key *Key
}

// Enrol enrols the device whose store this is, and signs the person in. The key
// is in the store before the server hears of it: after any failure Enrol can be
// called again, and the server knows the device by its key. It fails with a
// Refusal, such as CodeBadCredentials, or an error of the store.
func (c *Client) Enrol(ctx context.Context, store Store, in Enrolment) (Identity, error) {
	key, err := enrolKey(store, in.Key)
	if err != nil {
		return Identity{}, fmt.Errorf("enrol: %w", err)
	}
	code := normalCode(in.Code)
	proof, err := key.Sign([]byte("doorstep-enrol-v1\x00" + code))
	if err != nil {
		return Identity{}, fmt.Errorf("enrol: %w", err)
	}
	var out sessionAnswer
	request := map[string]any{
		"code":       in.Code,
		"public_key": base64.RawURLEncoding.EncodeToString(key.Public()),
		"proof":      base64.RawURLEncoding.EncodeToString(proof),
		"name":       in.Name,
	}
	if in.OpenID != nil {
		request["openid"] = *in.OpenID
	}
	if in.OpenID == nil || in.Login != "" {
		request["login"], request["password"] = in.Login, in.Password
	}
	err = c.call(ctx, "/v1/devices", request, &out)
	if err != nil {
		return Identity{}, fmt.Errorf("enrol: %w", err)
	}
	id, err := identityOf(out)
	if err != nil {
		return Identity{}, fmt.Errorf("enrol: %w", err)
	}
	if err := Install(store, id, key); err != nil {
		return Identity{}, fmt.Errorf("enrol: %w", err)
	}
	c.keys.use(key)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep, c.seat = sessionRow{store}, id
	return id, c.setSession(out.session())
}

// enrolKey returns the key to enrol with, and makes sure that the store has it.
func enrolKey(store Store, given *Key) (Key, error) {
	own, err := lookForOwnRows(store)
	if err != nil {
		return Key{}, err
	}
	if own.hasKey {
		return own.key, nil
	}
	var key Key
	if given != nil {
		key = *given
	} else if key, err = NewKey(); err != nil {
		return Key{}, err
	}
	return key, store.Apply([]engine.Row{{Key: keyKey, Value: key.Bytes()}})
}

// normalCode is the one form of an enrolment code, which is base32: capitals
// without dashes and spaces, a 0 being an O and a 1 an I.
func normalCode(typed string) string {
	return strings.NewReplacer("-", "", " ", "", "0", "O", "1", "I").Replace(strings.ToUpper(typed))
}

func identityOf(a sessionAnswer) (Identity, error) {
	user, err := syncproto.ParseID(a.User)
	if err != nil {
		return Identity{}, fmt.Errorf("user of the answer: %w", err)
	}
	device, err := syncproto.ParseID(a.Device)
	if err != nil {
		return Identity{}, fmt.Errorf("device of the answer: %w", err)
	}
	replyKey, err := hex.DecodeString(a.ReplyKey)
	if err != nil || len(replyKey) != ed25519.PublicKeySize {
		return Identity{}, errors.New("reply key of the answer is no Ed25519 key")
	}
	checkpointKey, err := hex.DecodeString(a.CheckpointKey)
	if err != nil || len(checkpointKey) != ed25519.PublicKeySize {
		return Identity{}, errors.New("checkpoint key of the answer is no Ed25519 key")
	}
	var recoveryKey []byte
	if a.RecoveryKey != "" {
		if recoveryKey, err = base64.RawURLEncoding.DecodeString(a.RecoveryKey); err != nil {
			return Identity{}, fmt.Errorf("recovery key of the answer: %w", err)
		}
		if _, err := recovery.ParseKey(recoveryKey); err != nil {
			return Identity{}, fmt.Errorf("recovery key of the answer: %w", err)
		}
	}
	if a.Borough == "" {
		return Identity{}, errors.New("the answer names no borough")
	}
	return Identity{
		Borough:       a.Borough,
		User:          syncproto.UserID(user),
		Device:        syncproto.DeviceID(device),
		ReplyKey:      replyKey,
		CheckpointKey: checkpointKey,
		RecoveryKey:   recoveryKey,
	}, nil
}
