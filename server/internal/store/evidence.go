package store

import (
	"slices"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// EpochEntry declares an epoch of the journal: after how many entries it began.
// Where it may lack what was handed out before, Known is the last checkpoint that the
// server remembers from before and cannot keep to; zero if it remembers none.
type EpochEntry struct {
	Epoch syncproto.Epoch
	From  uint64
	Known syncproto.TreeHead
	Why   EpochWhy
}

// EpochWhy is why an epoch began, in the journal's words (its Why).
type EpochWhy string

// Why epochs begin. EpochOlder: the journal had gone on without a word from wherever
// one of its runs ended.
const (
	EpochFirst    EpochWhy = "first"
	EpochTorn     EpochWhy = "torn"
	EpochRestored EpochWhy = "restored"
	EpochRepaired EpochWhy = "repaired"
	EpochOlder    EpochWhy = "older"
)

// MayLack reports whether an epoch that began so may lack what was handed out in
// those before it.
func (w EpochWhy) MayLack() bool {
	return w == EpochRestored || w == EpochRepaired || w == EpochOlder
}

func (w EpochWhy) known() bool { return w == EpochFirst || w == EpochTorn || w.MayLack() }

// TableEntry names the access table that decides from here on.
type TableEntry struct{ Hash [32]byte }

// AnchorEntry binds the access log, which is a journal of its own, into the
// borough's audit log: how many entries it has, and the root over them.
type AnchorEntry struct{ syncproto.TreeHead }

// ForkEntry is a state of the audit log that a device remembers and this journal
// does not hold. Declared: a restore explains it. TimeMS and Signature are those of
// the checkpoint, where the device gave it whole.
type ForkEntry struct {
	Device    syncproto.DeviceID
	User      syncproto.UserID
	Size      uint64
	Root      [32]byte
	TimeMS    int64
	Signature []byte
	Declared  bool
}

const (
	kindEpoch  entryKind = 64
	kindTable  entryKind = 65
	kindAnchor entryKind = 66
	kindFork   entryKind = 67

	kindHold     entryKind = 68
	kindEraseAsk entryKind = 69
	kindErase    entryKind = 70
)

func (EpochEntry) entryKind() entryKind  { return kindEpoch }
func (TableEntry) entryKind() entryKind  { return kindTable }
func (AnchorEntry) entryKind() entryKind { return kindAnchor }
func (ForkEntry) entryKind() entryKind   { return kindFork }

// encodeEvidence writes the control entries of this file; nil for any other.
func encodeEvidence(e Entry) []byte {
	switch e := e.(type) {
	case EpochEntry:
		b := appendHeader(nil, 6, kindEpoch)
		b = cbor.AppendBytes(b, e.Epoch[:])
		b = cbor.AppendUint(b, e.From)
		b = cbor.AppendUint(b, e.Known.Size)
		b = cbor.AppendBytes(b, e.Known.Root[:])
		return cbor.AppendText(b, string(e.Why))
	case TableEntry:
		return cbor.AppendBytes(appendHeader(nil, 2, kindTable), e.Hash[:])
	case AnchorEntry:
		b := cbor.AppendUint(appendHeader(nil, 3, kindAnchor), e.Size)
		return cbor.AppendBytes(b, e.Root[:])
	case ForkEntry:
		b := appendHeader(nil, 8, kindFork)
		b = cbor.AppendBytes(b, e.Device[:])
		b = cbor.AppendBytes(b, e.User[:])
		b = cbor.AppendUint(b, e.Size)
		b = cbor.AppendBytes(b, e.Root[:])
		b = cbor.AppendInt(b, e.TimeMS)
		b = cbor.AppendBytes(b, e.Signature)
		return cbor.AppendBool(b, e.Declared)
	}
	if m, is := e.(MisfileEntry); is {
		return encodeMisfile(m)
	}
	return encodeErasing(e)
}

// decodeEvidence reads what encodeEvidence wrote; nil for any other kind.
func decodeEvidence(d *decoder, kind entryKind, count int) Entry {
	switch kind {
	case kindEpoch:
		d.expect(count == 6)
		var e EpochEntry
		d.BytesInto(e.Epoch[:])
		e.From, e.Known.Size = d.Uint(), d.Uint()
		d.BytesInto(e.Known.Root[:])
		e.Why = EpochWhy(d.Text())
		d.expect(e.Why.known())
		return e
	case kindTable:
		d.expect(count == 2)
		var e TableEntry
		d.BytesInto(e.Hash[:])
		return e
	case kindAnchor:
		d.expect(count == 3)
		e := AnchorEntry{syncproto.TreeHead{Size: d.Uint()}}
		d.BytesInto(e.Root[:])
		return e
	case kindFork:
		d.expect(count == 8)
		var e ForkEntry
		d.BytesInto(e.Device[:])
		d.BytesInto(e.User[:])
		e.Size = d.Uint()
		d.BytesInto(e.Root[:])
		e.TimeMS = d.Int()
		e.Signature = slices.Clone(d.Bytes())
		e.Declared = d.Bool()
		return e
	}
	if kind == kindMisfile {
		return decodeMisfile(d, count)
	}
	return decodeErasing(d, kind, count)
}

// evidence is what the entries of this file add up to.
type evidence struct {
	epochs []EpochEntry // in their order
	table  [32]byte
	anchor syncproto.TreeHead
	forks  []ForkEntry
	holds  map[syncproto.ID]HoldEntry
	asks   map[syncproto.ID]EraseAskEntry
	erased []EraseEntry

	misfiled misfiled
}

func (v *evidence) apply(e Entry) {
	switch e := e.(type) {
	case EpochEntry:
		v.epochs = append(v.epochs, e)
	case TableEntry:
		v.table = e.Hash
	case AnchorEntry:
		v.anchor = e.TreeHead
	case ForkEntry:
		v.forks = append(v.forks, e)
	case MisfileEntry:
		v.misfiled.apply(e)
	default:
		v.applyErasing(e)
	}
}

// Epochs lists the epochs that were declared, oldest first.
func (s *State) Epochs() []EpochEntry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.evidence.epochs)
}

// RestoredBelow returns the newest declared epoch that began with fewer entries
// than a size: what of them came after was lost. An older copy that was put back
// without a word may have gone on before its epoch began, but only where a server was
// started on it: for one that fits no epoch, the last such place below it is named.
// Zero if there is none.
func (s *State) RestoredBelow(size uint64) syncproto.Restored {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, e := range slices.Backward(s.evidence.epochs) {
		if e.From < size && e.From > 0 {
			return syncproto.Restored{Epoch: e.Epoch, Size: e.From}
		}
		if at := s.runs.endBelow(size); e.Why == EpochOlder && at > 0 {
			return syncproto.Restored{Epoch: e.Epoch, Size: at}
		}
	}
	return syncproto.Restored{}
}

// TableHash returns the hash of the access table that was named last.
func (s *State) TableHash() [32]byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.evidence.table
}

// Anchor returns how far the access log was bound in last.
func (s *State) Anchor() syncproto.TreeHead {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.evidence.anchor
}

// Forks lists what devices remember that this journal does not hold.
func (s *State) Forks() []ForkEntry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.evidence.forks)
}

// KnowsFork reports whether a device's fork was written down, and with a signature
// if this one has one.
func (s *State) KnowsFork(f ForkEntry) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.ContainsFunc(s.evidence.forks, func(k ForkEntry) bool {
		return k.Device == f.Device && k.Size == f.Size && k.Root == f.Root && (len(k.Signature) > 0 || len(f.Signature) == 0)
	})
}
