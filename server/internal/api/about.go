package api

import (
	"encoding/hex"

	"doorstep/syncproto"
)

// About tells a device which server it talks to, before any sign-in.
type About struct {
	Name       string `json:"name" doc:"The installation's name, for people."`
	Borough    string `json:"borough" doc:"The borough, as changes name it."`
	Protocol   int64  `json:"protocol" doc:"Newest sync protocol version spoken here."`
	ProtocolLo int64  `json:"protocol_min" doc:"Oldest sync protocol version understood here."`
	Epoch      string `json:"epoch" doc:"The server's epoch: one unbroken life of its journal."`
	TimeMS     int64  `json:"time_ms" doc:"The server's clock, Unix milliseconds."`
	Copies     int64  `json:"copies" doc:"Disks or hosts that hold a change once it is acknowledged."`
	ReplyKey   string `json:"reply_key" doc:"The Ed25519 key that signs sync replies, 32 bytes in hex."`
}

// Condition says how the server is.
type Condition struct {
	Status string `json:"status" doc:"ok."`
}

func (a *API) about(*call, *none) (*About, error) {
	return &About{
		Name:       a.cfg.Name,
		Borough:    a.cfg.Borough,
		Protocol:   syncproto.ProtocolVersion,
		ProtocolLo: syncproto.MinProtocolVersion,
		Epoch:      a.cfg.Health.Epoch().String(),
		TimeMS:     a.cfg.Now().UnixMilli(),
		Copies:     int64(a.cfg.Copies),
		ReplyKey:   hexText(a.cfg.ReplyKey),
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

func hexText(b []byte) string { return hex.EncodeToString(b) }
