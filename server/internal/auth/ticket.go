package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"doorstep/syncproto"
)

const (
	// ticketLife is how long a sign-in that was begun can be finished: somebody
	// looks for their phone, and types a code.
	ticketLife = 10 * time.Minute
	// maxTicketBytes bounds a ticket before anything reads it; ours stay below 2 KB.
	maxTicketBytes = 4096
)

// What a ticket is for.
const (
	ticketOpenID     = "openid"
	ticketPasskey    = "passkey"
	ticketNewPasskey = "new passkey"
)

// tickets are what the server has to know again when a sign-in that was begun is
// finished. The caller carries them, sealed, so that strangers who begin sign-ins
// take no memory here. Their key lives as long as the process: one from before a
// restart is worth nothing, as what was used then is forgotten.
type tickets struct {
	aead  cipher.AEAD
	spent *seen
}

// ticket is what is sealed.
type ticket struct {
	ID        string          `json:"id"` // random, so that each is spent once
	ExpiresMS int64           `json:"expires"`
	Body      json.RawMessage `json:"body"`
}

func newTickets(random io.Reader) (*tickets, error) {
	key := make([]byte, 32)
	if _, err := io.ReadFull(random, key); err != nil {
		return nil, fmt.Errorf("drawing the key of tickets: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("making the key of tickets: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("making the key of tickets: %w", err)
	}
	return &tickets{aead: aead, spent: newSeen(ticketLife)}, nil
}

// issue seals a body for a purpose.
func (t *tickets) issue(purpose, id string, body any, now time.Time) (string, error) {
	inner, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("writing a ticket: %w", err)
	}
	plain, err := json.Marshal(ticket{ID: id, ExpiresMS: now.Add(ticketLife).UnixMilli(), Body: inner})
	if err != nil {
		return "", fmt.Errorf("writing a ticket: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(t.aead.Seal(nil, nil, plain, []byte(purpose))), nil
}

var errTicket = errors.New("the ticket is not ours, has lapsed, or was used")

// redeem opens a ticket, once, into body.
func (t *tickets) redeem(purpose, sealed string, body any, now time.Time) error {
	if len(sealed) > maxTicketBytes {
		return errTicket
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil {
		return errTicket
	}
	plain, err := t.aead.Open(nil, nil, raw, []byte(purpose))
	if err != nil {
		return errTicket
	}
	var in ticket
	if err := json.Unmarshal(plain, &in); err != nil {
		return errTicket
	}
	if now.UnixMilli() >= in.ExpiresMS {
		return errTicket
	}
	switch t.spent.use(Thumbprint{}, in.ID, false, now) {
	case noRoom:
		return syncproto.CodeUnavailable
	case usedBefore:
		return errTicket
	}
	if err := json.Unmarshal(in.Body, body); err != nil {
		return errTicket
	}
	return nil
}
