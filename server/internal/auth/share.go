package auth

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"time"

	"doorstep/syncproto"
)

// ShareBytes is the length of a Share.
const ShareBytes = 32

// Share is the server's part of what opens a person's store on a tablet (SPEC 7.15):
// with it alone nothing opens, without it a PIN that was guessed opens nothing. A
// tablet keeps it for Lease after the server was last there, and then asks again.
type Share struct {
	Share [ShareBytes]byte
	Lease time.Duration
}

// ShareRequest asks for a share. The tablet cannot sign: its key is locked in.
type ShareRequest struct {
	Credential Credential
	Device     syncproto.DeviceID
}

// Share gives the share of the person who proves who they are, on a device that they
// are enrolled on. It fails as signing in does; and with CodeWrongDevice for a device
// that is not theirs, CodeRevokedDevice for one that was withdrawn.
func (a *Auth) Share(ctx context.Context, in ShareRequest) (Share, error) {
	who, err := a.identify(ctx, in.Credential)
	if err != nil {
		return Share{}, err
	}
	d, ok := a.cfg.Ledger.Device(in.Device)
	switch {
	case who.account.Disabled:
		return Share{}, syncproto.CodeBadCredentials
	case !ok || !d.UsedBy(who.account.ID):
		return Share{}, syncproto.CodeWrongDevice
	case d.RevokedMS != 0:
		return Share{}, syncproto.CodeRevokedDevice
	}
	a.cfg.Log.InfoContext(ctx, "a tablet's lock was opened", "user", who.account.ID.String(), "device", in.Device.String())
	return a.ShareOf(who.account.ID, in.Device)
}

// ShareOf is the share of whoever has just enrolled. It is drawn from one secret and
// kept nowhere, so that nothing is lost with the index.
func (a *Auth) ShareOf(user syncproto.UserID, device syncproto.DeviceID) (Share, error) {
	info := "doorstep-share-v1\x00" + string(device[:]) + string(user[:])
	b, err := hkdf.Key(sha256.New, a.cfg.ShareKey, nil, info, ShareBytes)
	if err != nil {
		return Share{}, err
	}
	return Share{Share: [ShareBytes]byte(b), Lease: a.cfg.SessionIdle}, nil
}
