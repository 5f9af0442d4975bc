package api

import (
	"encoding/hex"
	"fmt"

	"doorstep/syncproto"
)

// About tells a device which server it talks to, before any sign-in.
type About struct {
	Name       string            `json:"name" doc:"The installation's name, for people."`
	Borough    string            `json:"borough" doc:"The borough, as changes name it."`
	Protocol   int64             `json:"protocol" doc:"Newest sync protocol version spoken here."`
	ProtocolLo int64             `json:"protocol_min" doc:"Oldest sync protocol version understood here."`
	Epoch      string            `json:"epoch" doc:"The server's epoch: one unbroken life of its journal."`
	TimeMS     int64             `json:"time_ms" doc:"The server's clock, Unix milliseconds."`
	Copies     int64             `json:"copies" doc:"Disks or hosts that come to hold a change: 1, it is stored once; 2, it is stored, and then copied."`
	SignIn     []string          `json:"sign_in" doc:"How people can sign in: password, openid, passkey."`
	ReplyKey   string            `json:"reply_key" doc:"The Ed25519 key that signs sync replies, 32 bytes in hex."`
	Kinds      map[string]string `json:"kinds" doc:"What the borough calls kinds of records where it does not use the product's words: names in the singular, by kind."`
	Roles      map[string]string `json:"roles" doc:"What it calls roles, likewise."`
	// The newest checkpoint, and the key that everybody may check it with.
	CheckpointKey string `json:"checkpoint_key" doc:"The Ed25519 key that signs checkpoints, as signed notes write it (name+hash+base64)."`
	Checkpoint    string `json:"checkpoint" doc:"The newest checkpoint of the audit log: a signed note with its origin, size, root and time."`
}

// Condition says how the server is.
type Condition struct {
	Status string `json:"status" doc:"ok."`
}

func (a *API) about(*call, *none) (*About, error) {
	checkpoint, err := a.cfg.Checkpoints.Checkpoint(a.cfg.Now())
	if err != nil {
		return nil, fmt.Errorf("asking for a checkpoint: %w", err)
	}
	signer, names := a.cfg.Checkpoints.Signer(), a.cfg.Records.Names()
	return &About{
		Name:          a.cfg.Name,
		Borough:       a.cfg.Borough,
		Protocol:      syncproto.ProtocolVersion,
		ProtocolLo:    syncproto.MinProtocolVersion,
		Epoch:         a.cfg.Health.Epoch().String(),
		TimeMS:        a.cfg.Now().UnixMilli(),
		Copies:        int64(a.cfg.Copies),
		SignIn:        a.cfg.Auth.Ways(),
		Kinds:         filled(names.Kinds),
		Roles:         filled(names.Roles),
		ReplyKey:      hexText(a.cfg.ReplyKey),
		CheckpointKey: signer.VerifierKey(),
		Checkpoint:    string(signer.Note(&checkpoint)),
	}, nil
}

// healthy answers as long as the process does.
func (a *API) healthy(*call, *none) (*Condition, error) { return &Condition{Status: "ok"}, nil }

// ready answers 503 until the journal is open and the index has caught up.
func (a *API) ready(c *call, _ *none) (*Condition, error) {
	if err := a.cfg.Health.Ready(); err != nil {
		c.log.Warn("not ready", "error", err.Error())
		return nil, syncproto.CodeUnavailable
	}
	return &Condition{Status: "ok"}, nil
}

func (a *API) document(c *call) error {
	c.reply(jsonMedia, a.openapi)
	return nil
}

// filled is a map that JSON writes as an object also when there is none.
func filled(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func hexText(b []byte) string { return hex.EncodeToString(b) }
