// Package export gives a person a copy of a family's records to take away: whole, as
// they may see it, and signed, so that anybody can tell later that this server gave it
// out so.
//
// Service.Take finds what may leave, asking access for each record, and has the audit
// log know of it durably before anybody sees a byte. Sign and Verify put a signature
// round the finished bundle. What a bundle looks like is package api's, as for
// everything that goes out as JSON. The package changes nothing.
package export

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/audit"
	"doorstep/server/internal/reading"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Records are read as their reader may see them: a *reading.Room, which asks access.
type Records interface {
	FamilyRecords(ctx context.Context, user syncproto.UserID, family syncproto.FamilyID) ([]reading.Record, error)
	Record(ctx context.Context, user syncproto.UserID, record syncproto.RecordID) (*syncproto.View, error)
	History(ctx context.Context, user syncproto.UserID, record syncproto.RecordID) ([]reading.HistoryItem, error)
}

// Accesses is told what leaves: an *audit.AccessLog.
type Accesses interface {
	// Note returns once an export is durable.
	Note(audit.Access) error
}

// Config is what New needs. All fields are required.
type Config struct {
	Store    *store.Store
	Records  Records
	Accesses Accesses
	Now      func() time.Time
}

// Service makes exports. It is safe for concurrent use.
type Service struct{ cfg Config }

// New returns a Service.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

// Purposes of taking a copy, a closed list so that they can be counted.
func Purposes() []string {
	return []string{"SUBJECT_ACCESS", "COURT", "TRANSFER", "REVIEW", "OTHER"}
}

// MaxChanges bounds what one export holds: ten years of a family that is seen every
// week. It is made in memory.
const MaxChanges = 50_000

// Record is one record as it leaves.
type Record struct {
	View    *syncproto.View // with its disagreements, its way to final and what came after
	History []reading.HistoryItem
}

// Take returns the records of a family that a person may take away: what they may
// have on a tablet, since that leaves the server as well, and for a subject's request
// all that information governance may read of it. It fails with CodeNotFound for a
// family that they may not read, CodeForbidden if nothing of it may leave,
// CodeTooLarge, and CodeUnavailable if the audit log cannot be written.
func (s *Service) Take(ctx context.Context, by audit.Acting, family syncproto.FamilyID, purpose string) ([]Record, error) {
	list, err := s.cfg.Records.FamilyRecords(ctx, by.User, family)
	if err != nil {
		return nil, err
	}
	var out []Record
	changes := 0
	for _, r := range list {
		record, err := s.take(ctx, by.User, family, r)
		if errors.Is(err, syncproto.CodeNotFound) || errors.Is(err, syncproto.CodeMisfiled) || errors.Is(err, syncproto.CodeForbidden) {
			continue // access to it ended meanwhile, nothing of it counts yet, or it must stay here
		}
		if err != nil {
			return nil, err
		}
		if changes += len(record.History); changes > MaxChanges {
			return nil, syncproto.CodeTooLarge
		}
		out = append(out, record)
	}
	if len(out) == 0 {
		return nil, syncproto.CodeForbidden
	}
	return out, s.note(by, family, purpose, out)
}

// take reads one record, if it may leave at this moment.
func (s *Service) take(ctx context.Context, user syncproto.UserID, family syncproto.FamilyID, r reading.Record) (Record, error) {
	v, err := s.cfg.Records.Record(ctx, user, r.ID)
	if err != nil {
		return Record{}, err
	}
	history, err := s.cfg.Records.History(ctx, user, r.ID)
	if err != nil {
		return Record{}, err
	}
	if !s.mayLeave(user, family, r.Kind) {
		return Record{}, syncproto.CodeForbidden
	}
	return Record{v, history}, nil
}

func (s *Service) mayLeave(user syncproto.UserID, family syncproto.FamilyID, kind string) bool {
	who := access.AskerOf(access.Standing(s.cfg.Store.State().StandingOf(user, family, s.cfg.Now().UnixMilli())))
	pack := who.MayIn(access.GroupSAR, access.Need{Action: access.ActionCreate})
	return who.MayRead(kind).Allow && (who.MayCarry(kind).Allow || pack.Allow)
}

// note writes down each record that leaves, and then that they leave: the last waits
// for the disk, and takes with it what was gathered before.
func (s *Service) note(by audit.Acting, family syncproto.FamilyID, purpose string, out []Record) error {
	for _, r := range out {
		if err := s.cfg.Accesses.Note(audit.Access{Type: audit.TypeRead, By: by, Family: family, Record: r.View.Record, Word: "export"}); err != nil {
			return err
		}
	}
	return s.cfg.Accesses.Note(audit.Access{Type: audit.TypeExport, By: by, Family: family, Record: syncproto.RecordID(family), Word: purpose})
}

// A signed export is prefix, the bundle, infix, the signature in hex, and suffix: one
// JSON document, whose bundle can be cut out again as it was signed.
const (
	prefix = `{"bundle":`
	infix  = `,"signature":"`
	suffix = "\"}\n"
)

// Sign puts a signature round a bundle.
func Sign(bundle []byte, sign func(message []byte) []byte) []byte {
	out := append([]byte(prefix), bundle...)
	out = append(out, infix...)
	out = hex.AppendEncode(out, sign(message(bundle)))
	return append(out, suffix...)
}

// ErrSignature says that an export is not as this borough signed it.
var ErrSignature = errors.New("the export is not as it was signed")

// Verify returns the bundle of a signed export, if it is by the holder of a key.
func Verify(signed []byte, key ed25519.PublicKey) ([]byte, error) {
	tail := len(infix) + 2*ed25519.SignatureSize + len(suffix)
	if len(signed) < len(prefix)+tail || string(signed[:len(prefix)]) != prefix {
		return nil, ErrSignature
	}
	bundle, end := signed[len(prefix):len(signed)-tail], signed[len(signed)-tail:]
	signature, err := hex.DecodeString(string(end[len(infix) : len(end)-len(suffix)]))
	if err != nil || string(end[:len(infix)]) != infix || string(end[len(end)-len(suffix):]) != suffix {
		return nil, fmt.Errorf("%w: it has no signature", ErrSignature)
	}
	if !ed25519.Verify(key, message(bundle), signature) {
		return nil, ErrSignature
	}
	return bundle, nil
}

// message is what is signed of a bundle (SPEC 7.14).
func message(bundle []byte) []byte {
	sum := sha256.Sum256(bundle)
	return append([]byte("doorstep-export-v1\x00"), sum[:]...)
}
