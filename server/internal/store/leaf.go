package store

import (
	"crypto/sha256"
	"fmt"

	"doorstep/server/internal/audit"
	"doorstep/syncproto"
)

// EventEpoch is the type of a leaf that declares an epoch, whose Count says after
// how many entries it began.
const EventEpoch = audit.Type(kindEpoch)

// EventAnchor is the type of a leaf that binds the access log in.
const EventAnchor = audit.Type(kindAnchor)

// IsConfiguration reports whether a leaf is about people, devices, teams or the
// server itself, and no family.
func IsConfiguration(t audit.Type) bool {
	switch entryKind(t) {
	case kindUser, kindDevice, kindCode, kindTeam, kindEpoch, kindTable, kindAnchor:
		return true
	}
	return false
}

// Leaf makes the audit log's leaf of an entry: what happened, without a word or a
// name, and the digest of the entry's bytes. It needs no key, so that the log can
// be checked by who may not read records, and after keys were destroyed.
func Leaf(payload []byte) ([]byte, error) {
	return LeafOf(payload, sha256.Sum256(payload))
}

// LeafOf is Leaf for whoever knows the SHA-256 of the payload.
func LeafOf(payload []byte, sum [32]byte) ([]byte, error) {
	e, err := eventIn(payload)
	if err != nil {
		return nil, err
	}
	e.Entry = sum
	return e.Encode(), nil
}

// eventIn reads the event that a payload's plain bytes say.
func eventIn(payload []byte) (audit.Event, error) {
	d := newDecoder(payload)
	d.Array()
	if kind := entryKind(d.Uint()); d.Err() == nil && kind == kindControl {
		return audit.DecodeEvent(d.Bytes())
	}
	e, err := decodeEntry(0, payload, nil)
	if err != nil {
		return audit.Event{}, fmt.Errorf("making a leaf: %w", err)
	}
	return eventOf(e, nil), nil
}

// eventOf says what happened by an entry. Of a control entry, whose id and basis
// are enough; who did it and when Tx.Stage adds.
func eventOf(e Entry, s Sealer) audit.Event {
	ev := audit.Event{Type: audit.Type(e.entryKind())}
	switch e := e.(type) {
	case ChangeEntry:
		ev.AtMS, ev.User, ev.Device, ev.Actor, ev.Change = e.AtMS, e.Author, e.Device, e.Actor, e.ID
		ev.Record, ev.Status, ev.Code, ev.Table, ev.Count = e.Mark, uint64(e.Status), e.Code, e.Table, e.Run
	case TipEntry:
		ev.Device, ev.Actor, ev.Change, ev.Count = e.Device, e.Actor, e.Tip, e.Count
	case RefusedEntry:
		ev.AtMS, ev.Device, ev.Actor, ev.Change = e.AtMS, e.Device, e.Actor, e.ID
		ev.Status, ev.Code, ev.Table = uint64(syncproto.StatusRefused), e.Code, e.Table
	case VerdictEntry:
		ev.AtMS, ev.User, ev.Actor, ev.Change = e.AtMS, e.By, e.Actor, e.Change
		ev.Record, ev.Status, ev.Code, ev.Table, ev.Root = e.Mark, uint64(e.Kind), e.Code, e.Table, e.Hash
	default:
		controlEvent(&ev, e, s)
	}
	return ev
}

// controlEvent fills in what control entries are about.
func controlEvent(ev *audit.Event, e Entry, s Sealer) {
	family := func(id syncproto.FamilyID) audit.Mark {
		if s == nil || id.IsZero() {
			return audit.Mark{}
		}
		return s.Mark(KeyPair{Family: id, Record: syncproto.RecordID(id)})
	}
	switch e := e.(type) {
	case UserEntry:
		ev.Subject, ev.Word = syncproto.ID(e.ID), wordIf(e.Disabled, "disabled")
	case DeviceEntry:
		ev.Subject, ev.Word = syncproto.ID(e.ID), wordIf(e.RevokedMS != 0, "revoked")
	case SessionEntry:
		ev.Subject, ev.User, ev.Device, ev.Count = e.ID, e.User, e.Device, e.Generation
		ev.Word = wordIf(e.EndedMS != 0, "ended")
		if ev.Word == "" {
			ev.Word = wordIf(e.Custody, "custody")
		}
	case CodeEntry:
		ev.Subject, ev.Device, ev.Word = syncproto.ID(e.User), e.UsedBy, wordIf(e.UsedMS != 0, "used")
	case RelationEntry:
		ev.Subject, ev.Record, ev.Word, ev.User = syncproto.ID(e.User), family(e.Family), given(e.Grant, e.Basis), e.By
	case RestrictionEntry:
		ev.AtMS, ev.User, ev.Record, ev.Word = e.AtMS, e.By, family(e.Family), given(e.On, "RESTRICTED_"+e.Category)
	case BreakGlassEntry:
		ev.Subject, ev.User, ev.Record, ev.Word = e.ID, e.User, family(e.Family), "+BREAK_GLASS"
		if e.ClosedMS != 0 {
			ev.User, ev.Word = e.ClosedBy, "-BREAK_GLASS"
		}
	case TeamEntry:
		ev.Subject, ev.Word = syncproto.ID(e.User), given(e.Grant, e.Basis)
	case FamilyTeamEntry:
		ev.Subject, ev.Record = syncproto.ID(e.Team), family(e.Family)
	case EpochEntry:
		ev.Size, ev.Root, ev.Count, ev.Subject = e.Known.Size, e.Known.Root, e.From, syncproto.ID(e.Epoch)
		ev.Word = string(e.Why)
	case RunEntry:
		ev.Subject = e.ID
	case RequestEntry:
		ev.AtMS, ev.User, ev.Word = e.AtMS, e.User, "request"
	case TableEntry:
		ev.Root = e.Hash
	case AnchorEntry:
		ev.Size, ev.Root = e.Size, e.Root
	case ForkEntry:
		ev.Device, ev.User, ev.Size, ev.Root = e.Device, e.User, e.Size, e.Root
		ev.Word = wordIf(!e.Declared, "undeclared")
	case HoldEntry:
		ev.AtMS, ev.User, ev.Subject, ev.UntilMS, ev.Word = e.AtMS, e.By, e.ID, e.UntilMS, given(!e.Lifted, string(e.Kind))
		if s != nil {
			ev.Record = s.Mark(KeyPair{e.Family, scopeOf(e.Family, e.Record)})
		}
	case EraseAskEntry:
		ev.AtMS, ev.User, ev.Subject, ev.Count, ev.Word = e.AtMS, e.By, e.ID, uint64(len(e.Records)), e.Basis+" "+e.Scope
		if e.Refused {
			ev.Word = "refused"
		}
		if s != nil {
			ev.Record = s.Mark(KeyPair{e.Family, scopeOf(e.Family, e.Record)})
		}
	case EraseEntry:
		ev.AtMS, ev.User, ev.Second, ev.Subject, ev.Record = e.AtMS, e.By, e.Second, e.Ask, e.Mark
		ev.Word = e.Basis + " " + e.Scope
	case MisfileEntry:
		ev.AtMS, ev.User, ev.Subject, ev.Word = e.AtMS, e.By, syncproto.ID(e.ToRecord), "misfiled"
		if s != nil {
			ev.Record = s.Mark(KeyPair{e.Family, e.Record})
		}
	case ReviewEntry:
		ev.AtMS, ev.User, ev.Change, ev.Code, ev.Word = e.AtMS, e.By, e.Change, syncproto.CodeKeptAway, "kept_away"
		if s != nil {
			ev.Record = s.Mark(KeyPair{e.Family, e.Record})
		}
	case CustodyAlertEntry:
		ev.AtMS, ev.Device, ev.Subject, ev.Count, ev.Word = e.AtMS, e.Device, syncproto.ID(e.User), e.Percent, "custody"
	case RecoveryEntry:
		ev.AtMS, ev.User, ev.Second, ev.Device, ev.Subject, ev.Count = e.AtMS, e.By, e.Second, e.Device, syncproto.ID(e.User), e.Count
		ev.Word = "recovered"
	case PurgeEntry:
		ev.AtMS, ev.User, ev.Device, ev.Count = e.AtMS, e.User, e.Device, uint64(len(e.Purged))
		ev.Root = sha256.Sum256(syncproto.PurgeMessage(e.Device, e.User, e.Epoch, e.Purged))
		if len(e.Purged) == 1 {
			ev.Record = family(e.Purged[0].Family)
		}
	}
}

func wordIf(is bool, word string) string {
	if is {
		return word
	}
	return ""
}

// given says whether a basis begins or ends.
func given(grant bool, basis string) string {
	if grant {
		return "+" + basis
	}
	return "-" + basis
}

// audited fills in what an entry says for the audit log.
func (tx *Tx) audited(e Entry) (Entry, audit.Event) {
	s, table := tx.store.opt.Sealer, tx.store.opt.Table
	switch c := e.(type) {
	case ChangeEntry:
		c.Mark, c.Table = s.Mark(KeyPair{Family: c.Family, Record: c.Record}), table
		return c, audit.Event{}
	case RefusedEntry:
		c.Table = table
		return c, audit.Event{}
	case VerdictEntry:
		c.Mark, c.Table = s.Mark(KeyPair{Family: c.Family, Record: c.Record}), table
		return c, audit.Event{}
	case TipEntry:
		return c, audit.Event{}
	}
	ev := eventOf(e, s)
	if ev.AtMS == 0 {
		ev.AtMS = tx.atMS
	}
	if ev.User.IsZero() {
		ev.User = tx.by.User
	}
	if ev.Device.IsZero() {
		ev.Device = tx.by.Device
	}
	ev.Session = tx.by.Session
	if tx.by.Operator && ev.Word == "" {
		ev.Word = "operator"
	}
	return e, ev
}
