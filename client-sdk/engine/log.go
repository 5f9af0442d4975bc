package engine

import (
	"math/bits"
	"slices"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// Remembered is a checkpoint of the server's audit log that this device keeps, and
// the epoch in which it got it.
type Remembered struct {
	syncproto.Checkpoint
	Epoch syncproto.Epoch
}

// maxRemembered bounds the checkpoints kept: the newest, and older ones ever
// farther apart, so that a log restored from an old copy meets one it must hold.
// There is one for each power of two of entries.
const maxRemembered = 40

// memory is what the device knows of the server's audit log. It forgets no
// checkpoint that the server could not keep to.
type memory struct {
	seen   []Remembered // newest first
	left   []Remembered // left behind by restores that the server declared; evidence
	report []syncproto.Checkpoint
	alarm  *Remembered // what the server showed when it broke its word; nil: it did not
	due    bool        // ask again at once: an older checkpoint has to be proved
	row    []byte      // as stored
}

// head is what a request names as remembered.
func (m *memory) head() syncproto.TreeHead {
	if len(m.seen) == 0 {
		return syncproto.TreeHead{}
	}
	return m.seen[0].TreeHead
}

// checkLog holds what a reply says of the server's audit log against what this
// device remembers of it (SPEC 7.11). Whatever it finds, words go on being recorded
// and sent.
func (t *telling) checkLog(f *flight) {
	m := &t.engine.log
	m.due = false
	m.report = m.report[min(f.forks, len(m.report)):]
	if c := t.reply.Checkpoint; c != nil && f.log == m.head() {
		t.weigh(m, Remembered{*c, t.reply.Epoch})
	}
	if m.alarm != nil {
		t.work.note(Note{Kind: NoteRewritten, Code: syncproto.CodeLogRewritten})
	}
	m.store(t.work)
}

// weigh takes a new checkpoint in, or finds what is wrong with it.
func (t *telling) weigh(m *memory, now Remembered) {
	e := t.engine
	signed := e.verify.Checkpoint == nil ||
		e.verify.Checkpoint(syncproto.CheckpointText(e.id.Borough, &now.Checkpoint), now.Signature)
	old := m.head()
	switch {
	case signed && syncproto.CheckConsistency(t.reply.Proof, old, now.TreeHead) && !m.wentBack(&now):
		m.remember(now)
	case signed && t.declared(m):
		t.leaveBehind(m, now)
	case m.alarm == nil:
		m.alarm = &now
	}
}

// wentBack reports whether the server signed an earlier time than before. One that was
// restored, which begins an epoch, may: what it knew of time went with the rest.
func (m *memory) wentBack(now *Remembered) bool {
	return len(m.seen) > 0 && now.Epoch == m.seen[0].Epoch && now.TimeMS < m.seen[0].TimeMS
}

// remember adds the newest checkpoint and thins out those before: of all that are
// between 2^n and 2^(n+1) entries behind, the oldest stays. An alarm stays too: a
// log that was changed and changed back was changed.
func (m *memory) remember(now Remembered) {
	kept := []Remembered{now}
	behind := func(c *Remembered) int { return bits.Len64(now.Size - c.Size) }
	for i := range m.seen {
		if i+1 == len(m.seen) || behind(&m.seen[i]) != behind(&m.seen[i+1]) {
			kept = append(kept, m.seen[i])
		}
	}
	if len(kept) > 1 && kept[1].Size == now.Size {
		kept = slices.Delete(kept, 1, 2)
	}
	m.seen = kept[:min(len(kept), maxRemembered)]
}

// declared reports whether the server says of itself that it was restored, in an
// epoch after the one of what this device remembers, to fewer entries than that.
func (t *telling) declared(m *memory) bool {
	r := t.reply.Restored
	return !r.IsZero() && len(m.seen) > 0 && r.Size < m.seen[0].Size && r.Epoch != m.seen[0].Epoch
}

// leaveBehind gives up what the declared restore lost, but keeps it as evidence,
// to be reported. What is older must still be held: it is asked for next.
func (t *telling) leaveBehind(m *memory, now Remembered) {
	for len(m.seen) > 0 && m.seen[0].Size > t.reply.Restored.Size {
		m.left = append(m.left, m.seen[0])
		m.report = append(m.report, m.seen[0].Checkpoint)
		m.seen = m.seen[1:]
	}
	m.left = m.left[max(0, len(m.left)-maxRemembered):]
	m.report = m.report[max(0, len(m.report)-syncproto.MaxForks):]
	t.work.note(Note{Kind: NoteRestored, Code: syncproto.CodeUnknownEpoch})
	if len(m.seen) == 0 {
		m.remember(now)
		return
	}
	m.due = true
}

// LogMemory is what a device remembers of the server's audit log.
type LogMemory struct {
	Newest Remembered   // zero size: nothing yet
	Left   []Remembered // what a declared restore lost
	// Alarm is what the server showed when it could not prove that its log holds
	// Newest; nil while all is well.
	Alarm *Remembered
}

// Log returns what the device remembers of the server's audit log: what an auditor
// holds against the server's (doorstep verify --checkpoint).
func (e *Engine) Log() LogMemory {
	out := LogMemory{Left: slices.Clone(e.log.left), Alarm: e.log.alarm}
	if len(e.log.seen) > 0 {
		out.Newest = e.log.seen[0]
	}
	return out
}

func (m *memory) store(w *work) {
	b := cbor.AppendArray(nil, 4)
	b = appendRemembered(b, m.seen)
	b = appendRemembered(b, m.left)
	b = cbor.AppendArray(b, len(m.report))
	for i := range m.report {
		b = append(b, syncproto.EncodeCheckpoint(&m.report[i])...)
	}
	var alarm []Remembered
	if m.alarm != nil {
		alarm = []Remembered{*m.alarm}
	}
	b = appendRemembered(b, alarm)
	if string(b) != string(m.row) && (m.row != nil || len(m.seen) > 0 || m.alarm != nil) {
		m.row = b
		w.put([]byte{rowLog}, b)
	}
}

func appendRemembered(b []byte, list []Remembered) []byte {
	b = cbor.AppendArray(b, len(list))
	for i := range list {
		b = append(b, syncproto.EncodeCheckpoint(&list[i].Checkpoint)...)
		b = cbor.AppendBytes(b, list[i].Epoch[:])
	}
	return b
}

func (m *memory) load(k *keyReader, value []byte) error {
	r := cbor.NewReader(value)
	r.Array()
	m.seen, m.left = readRemembered(r), readRemembered(r)
	for range r.Array() {
		m.report = append(m.report, syncproto.ReadCheckpoint(r))
	}
	if alarm := readRemembered(r); len(alarm) > 0 {
		m.alarm = &alarm[0]
	}
	if r.Done() != nil {
		return ErrRow
	}
	m.row = value
	return k.err()
}

func readRemembered(r *cbor.Reader) (list []Remembered) {
	for range r.Array() {
		c := Remembered{Checkpoint: syncproto.ReadCheckpoint(r)}
		r.BytesInto(c.Epoch[:])
		list = append(list, c)
	}
	return list
}
