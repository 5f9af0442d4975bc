package engine

import (
	"bytes"

	"doorstep/syncproto"
	"doorstep/syncproto/sorting"
)

// Effect is something the driver must do: a Store, Sign, Send, Schedule or Notify.
type Effect interface{ effect() }

// Store asks for rows to be written, all or none, durably, before any effect
// after it and before the caller is told of success. No key comes twice.
type Store struct{ Rows []Row }

// Row is one row to write; a nil Value deletes the key.
type Row struct{ Key, Value []byte }

// Sign asks for each message to be signed by the device's key (ES256, 64 bytes
// r ‖ s); the driver answers with Signed.
type Sign struct {
	Request  syncproto.RequestID
	Messages [][]byte
}

// Send asks for a sync request to go to the server; the driver answers with
// Reply or Failed. Payload is an encoded SyncRequest, not yet framed.
type Send struct {
	Request syncproto.RequestID
	Payload []byte
}

// Schedule asks for Sync to be called after a delay. Of two the one that is due
// sooner counts; a call of Sync settles both. Delays, not times of day: clocks jump.
type Schedule struct{ AfterMS int64 }

// Notify tells the user interface that something is worth looking at.
type Notify struct{ Note Note }

func (Store) effect()    {}
func (Sign) effect()     {}
func (Send) effect()     {}
func (Schedule) effect() {}
func (Notify) effect()   {}

// NoteKind says what a Note is about.
type NoteKind uint8

const (
	NoteRecord      NoteKind = 1  // the view or status of Record changed
	NoteConflict    NoteKind = 2  // Record, which this user worked on, has news and a disagreement, or words that met; Code says which
	NoteReceived    NoteKind = 3  // the server has Change
	NoteHeld        NoteKind = 4  // Change waits on the server; Code says for what
	NoteQuarantined NoteKind = 5  // Change is locked away until a reviewer decides
	NoteLate        NoteKind = 6  // Change came after the record was final
	NoteRefused     NoteKind = 7  // the server will not take Change; it is kept here
	NoteGranted     NoteKind = 8  // Family may be read now
	NoteLeaving     NoteKind = 9  // Family is closed; it is purged once unsent words are safe; zero: everything is
	NotePurged      NoteKind = 10 // Family is gone from this device; zero: everything is
	NoteForked      NoteKind = 11 // the actor exists twice (a cloned device): a new one was begun
	NoteEpoch       NoteKind = 12 // the server was restored: everything is compared again
	NoteSignIn      NoteKind = 13 // a person must sign in, or enrol the device again; recording goes on
	NoteUpdate      NoteKind = 14 // this app is too old; Code says for what
	NoteClock       NoteKind = 15 // this device's clock is wrong by more than five minutes
	NoteLost        NoteKind = 16 // Change lost to an earlier value of a server field
	NoteKeptHere    NoteKind = 17 // the server takes no more of this user's words for now; they stay here and are offered again
	NoteErased      NoteKind = 23 // Record was erased for good or moved to another family (Code); unsent words of it go into custody first
	NoteRestored    NoteKind = 24 // the server declared that its log goes on from a copy: the newest part was lost there
	NoteRewritten   NoteKind = 25 // an alarm: the server cannot show that its log still holds what this device saw of it
	NoteAccessEnded NoteKind = 26 // the person's access from this device has ended: it may only send; a driver's own note
)

// Note is a piece of news for the person at the device. It never holds content.
type Note struct {
	Kind   NoteKind
	Family syncproto.FamilyID
	Record syncproto.RecordID
	Change syncproto.ChangeID
	Code   syncproto.Code
}

// Plain returns the words for the person concerned, or "" if Code says nothing.
func (n Note) Plain() string {
	if n.Code == syncproto.CodeOK {
		return ""
	}
	return n.Code.Plain()
}

// work gathers what one call has to store and tell.
type work struct {
	rows  []Row
	index map[string]int // key -> place in rows
	notes []Note
}

func newWork() *work { return &work{index: map[string]int{}} }

func (w *work) put(key, value []byte) { w.row(Row{Key: key, Value: value}) }

func (w *work) delete(key []byte) { w.row(Row{Key: key}) }

// row adds a row, or replaces what this call wanted of the same key before.
func (w *work) row(r Row) {
	if i, ok := w.index[string(r.Key)]; ok {
		w.rows[i] = r
		return
	}
	w.index[string(r.Key)] = len(w.rows)
	w.rows = append(w.rows, r)
}

// note adds a note, once.
func (w *work) note(n Note) {
	for _, have := range w.notes {
		if have == n {
			return
		}
	}
	w.notes = append(w.notes, n)
}

// effects returns the store effect, if there is anything to store, and the
// notes. Rows are in order of their keys, so that equal engines do equal things.
func (w *work) effects() []Effect {
	var out []Effect
	if len(w.rows) > 0 {
		sorting.By(w.rows, func(a, b *Row) int { return bytes.Compare(a.Key, b.Key) })
		out = append(out, Store{Rows: w.rows})
	}
	for _, n := range w.notes {
		out = append(out, Notify{Note: n})
	}
	return out
}
