package api

import (
	"encoding/base64"
	"time"

	"doorstep/server/internal/auth"
	"doorstep/syncproto"
)

// SignInRequest begins a session.
type SignInRequest struct {
	Login    string       `json:"login,omitempty" validate:"maxbytes=128" doc:"The borough account's login; case does not matter."`
	Password string       `json:"password,omitempty" validate:"maxbytes=512" doc:"The password, with the login."`
	OpenID   *OpenIDBack  `json:"openid,omitempty" doc:"Instead: what came back from the borough's sign-in service."`
	Passkey  *PasskeyBack `json:"passkey,omitempty" doc:"Instead: what a passkey answered."`
	Device   string       `json:"device,omitempty" validate:"omitempty,len=32,hexadecimal,lowercase" doc:"The enrolled device that this is; left out in a browser that is none."`
}

// CustodyRequest begins a custody session. Its proof is the request's DPoP header,
// by the device's key.
type CustodyRequest struct {
	User   string `json:"user" validate:"required,len=32,hexadecimal,lowercase" doc:"Whose unsent words they are."`
	Device string `json:"device" validate:"required,len=32,hexadecimal,lowercase" doc:"The enrolled device that they are on."`
}

// RefreshRequest trades a refresh token for the next.
type RefreshRequest struct {
	RefreshToken string `json:"refresh_token" validate:"required,maxbytes=256" doc:"The refresh token, which works once."`
	RequestID    string `json:"request_id" validate:"required,len=32,hexadecimal,lowercase" doc:"Drawn by the caller for this refresh. Asking again with the same token and request id gives the same answer, because replies get lost: within two minutes, and in a session with a key until the next token is used."`
}

// EnrolRequest enrols a person on a device.
type EnrolRequest struct {
	Login     string       `json:"login,omitempty" validate:"maxbytes=128" doc:"The borough account's login."`
	Password  string       `json:"password,omitempty" validate:"maxbytes=512" doc:"The password; a first one is set."`
	OpenID    *OpenIDBack  `json:"openid,omitempty" doc:"Instead: what came back from the borough's sign-in service; the code links the account to the person. An account that has a password is only linked if login and password are given as well."`
	Passkey   *PasskeyBack `json:"passkey,omitempty" doc:"Instead: what a passkey answered."`
	Code      string       `json:"code" validate:"required,maxbytes=64" doc:"The enrolment code, as IT handed it out; dashes, spaces and case do not matter."`
	PublicKey string       `json:"public_key" validate:"required,len=87,base64rawurl" doc:"The device's P-256 key: the uncompressed point of 65 bytes, base64url without padding."`
	Proof     string       `json:"proof" validate:"required,len=86,base64rawurl" doc:"ES256 (r, s: 64 bytes) by that key over 'doorstep-enrol-v1', a zero byte and the code in capitals without dashes; base64url without padding."`
	Name      string       `json:"name" validate:"maxbytes=64" doc:"What the device is called, for lists."`
}

// Session is what a person gets who proved who they are.
type Session struct {
	AccessToken  string `json:"access_token" doc:"Goes into the Authorization header, after the token_type and a space."`
	TokenType    string `json:"token_type" doc:"DPoP: each request needs a proof by the session's key (RFC 9449). Bearer: a session without a key."`
	ExpiresIn    int64  `json:"expires_in" doc:"Seconds until the access token lapses."`
	RefreshToken string `json:"refresh_token,omitempty" doc:"For one use at /v1/token/refresh; kept encrypted by the device. Absent in a custody session: begin another."`
	User         string `json:"user" doc:"Who signed in."`
	Name         string `json:"name" doc:"Their name as colleagues see it."`
	Role         string `json:"role" doc:"Such as social_worker, coordinator or manager. What they may see follows from their cases, not from this alone."`
	Device       string `json:"device,omitempty" doc:"The device of the session."`
	SignedInMS   int64  `json:"signed_in_ms" doc:"When the person last proved who they are, Unix milliseconds."`
	CustodyOnly  bool   `json:"custody_only" doc:"The person's access ended, or the device's: unsent words may come up, nothing goes down. Name and role are then empty in a session that was begun by the device's key alone."`
}

// Enrolment is a Session on a device that was just enrolled, with what the
// device must know of the borough and pin.
type Enrolment struct {
	Session
	Borough       string `json:"borough" doc:"The borough, as changes name it."`
	ReplyKey      string `json:"reply_key" doc:"The Ed25519 key that signs sync replies, 32 bytes in hex; pin it."`
	CheckpointKey string `json:"checkpoint_key" doc:"The Ed25519 key that signs checkpoints of the audit log, 32 bytes in hex; pin it."`
	Epoch         string `json:"epoch" doc:"The server's epoch."`
	RecoveryKey   string `json:"recovery_key,omitempty" doc:"The borough's recovery key, to which the device seals what is unsent: an uncompressed P-256 point, base64url without padding. Absent where the borough has none."`
	Share
}

// ShareRequest asks for the server's part of what opens a tablet.
type ShareRequest struct {
	Login    string       `json:"login,omitempty" validate:"maxbytes=128" doc:"The borough account's login; case does not matter."`
	Password string       `json:"password,omitempty" validate:"maxbytes=512" doc:"The password, with the login."`
	OpenID   *OpenIDBack  `json:"openid,omitempty" doc:"Instead: what came back from the borough's sign-in service."`
	Passkey  *PasskeyBack `json:"passkey,omitempty" doc:"Instead: what a passkey answered."`
	Device   string       `json:"device" validate:"required,len=32,hexadecimal,lowercase" doc:"The device, on which the person must be enrolled."`
}

// Share is the server's part of what opens a person's store on a tablet (SPEC 7.15).
type Share struct {
	Share   string `json:"share" doc:"32 bytes in hex; kept apart from everything else, and deleted when the lease runs out."`
	LeaseMS int64  `json:"lease_ms" doc:"How long after the server was last there the share may be kept, milliseconds."`
}

// share needs no proof: the tablet's key is locked in. What it gives opens nothing
// without the tablet and its person's PIN or passkey.
func (a *API) share(c *call, in *ShareRequest) (*Share, error) {
	device, err := syncproto.ParseID(in.Device)
	if err != nil {
		return nil, err
	}
	who, err := c.credential(in.Login, in.Password, in.OpenID, in.Passkey)
	if err != nil {
		return nil, err
	}
	s, err := a.cfg.Auth.Share(c.ctx, auth.ShareRequest{Credential: who, Device: syncproto.DeviceID(device)})
	if err != nil {
		return nil, err
	}
	return shareText(s), nil
}

func shareText(s auth.Share) *Share {
	return &Share{Share: hexText(s.Share[:]), LeaseMS: s.Lease.Milliseconds()}
}

func (a *API) signIn(c *call, in *SignInRequest) (*Session, error) {
	var device syncproto.DeviceID
	if in.Device != "" {
		id, err := syncproto.ParseID(in.Device)
		if err != nil {
			return nil, err
		}
		device = syncproto.DeviceID(id)
	}
	if c.proof.err != nil {
		return nil, c.proof.err
	}
	who, err := c.credential(in.Login, in.Password, in.OpenID, in.Passkey)
	if err != nil {
		return nil, err
	}
	g, err := a.cfg.Auth.SignIn(c.ctx, auth.SignIn{Credential: who, Device: device, Key: c.proof.proven.Key})
	if err != nil {
		return nil, err
	}
	return a.session(c, g), nil
}

// signInCustody needs nothing but the proof by the device's key.
func (a *API) signInCustody(c *call, in *CustodyRequest) (*Session, error) {
	user, err := syncproto.ParseID(in.User)
	if err != nil {
		return nil, err
	}
	device, err := syncproto.ParseID(in.Device)
	if err != nil {
		return nil, err
	}
	if c.proof.err != nil {
		return nil, c.proof.err
	}
	g, err := a.cfg.Auth.BeginCustody(c.ctx, syncproto.UserID(user), syncproto.DeviceID(device), c.proof.proven.Key)
	if err != nil {
		return nil, err
	}
	return a.session(c, g), nil
}

func (a *API) refresh(c *call, in *RefreshRequest) (*Session, error) {
	id, err := syncproto.ParseID(in.RequestID)
	if err != nil {
		return nil, err
	}
	if c.proof.err != nil {
		return nil, c.proof.err
	}
	g, err := a.cfg.Auth.Refresh(c.ctx, auth.Renewal{Token: in.RefreshToken, Request: syncproto.RequestID(id), Key: c.proof.proven.Key})
	if err != nil {
		return nil, err
	}
	return a.session(c, g), nil
}

func (a *API) signOut(c *call, _ *none) (*none, error) {
	return nil, a.cfg.Auth.SignOut(c.ctx, c.caller)
}

func (a *API) enrol(c *call, in *EnrolRequest) (*Enrolment, error) {
	key, err := base64.RawURLEncoding.Strict().DecodeString(in.PublicKey)
	if err != nil {
		return nil, syncproto.CodeBadValue
	}
	proof, err := base64.RawURLEncoding.Strict().DecodeString(in.Proof)
	if err != nil {
		return nil, syncproto.CodeBadValue
	}
	login, word := in.Login, in.Password
	if in.OpenID != nil && login != "" && word != "" {
		login, word = "", "" // beside the sign-in service, for an account that has a password
	}
	who, err := c.credential(login, word, in.OpenID, in.Passkey)
	if err != nil {
		return nil, err
	}
	who.Login, who.Password = in.Login, in.Password
	g, err := a.cfg.Auth.Enrol(c.ctx, auth.Enrol{Credential: who, Code: in.Code, Key: key, Proof: proof, Name: in.Name})
	if err != nil {
		return nil, err
	}
	share, err := a.cfg.Auth.ShareOf(g.Caller.User, g.Caller.Device)
	if err != nil {
		return nil, err
	}
	return &Enrolment{Session: *a.session(c, g), Borough: a.cfg.Borough,
		ReplyKey: hexText(a.cfg.ReplyKey), CheckpointKey: hexText(a.cfg.Checkpoints.Signer().Public()), Epoch: a.cfg.Health.Epoch().String(),
		RecoveryKey: base64.RawURLEncoding.EncodeToString(a.cfg.RecoveryKey),
		Share:       *shareText(share)}, nil
}

// session is what the caller is told of a session that was begun or renewed.
func (a *API) session(c *call, g auth.Grant) *Session {
	s := &Session{
		AccessToken:  g.Access,
		TokenType:    "Bearer",
		ExpiresIn:    int64(g.AccessLife / time.Second),
		RefreshToken: g.Refresh,
		User:         g.Caller.User.String(),
		Name:         g.Account.Name,
		Role:         string(g.Account.Role),
		SignedInMS:   g.Caller.SignedInAt.UnixMilli(),
		CustodyOnly:  g.CustodyOnly,
	}
	if !g.Caller.Device.IsZero() {
		s.Device = g.Caller.Device.String()
	}
	if !g.Key.IsZero() {
		s.TokenType = "DPoP"
		c.nonce = a.cfg.Auth.Nonce()
	}
	return s
}
