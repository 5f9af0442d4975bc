package bench

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
	"doorstep/syncproto/text"
)

// visitBytes is how long a visit's change is, about.
const visitBytes = 4096

// writer makes visits: prose of drawn words, which compresses as notes do, not
// as a repeated example would.
type writer struct {
	rng   *rand.Rand
	words []string

	handsOver bool // each visit goes to the team's queue

	// of note: the record being written, its family, and how many changes it has
	noting syncproto.RecordID
	in     syncproto.FamilyID
	noted  int
}

func newWriter(seed uint64) *writer {
	w := &writer{rng: rand.New(rand.NewPCG(seed, 4096))}
	syllables := strings.Fields("an ter mo ri sel ba kin do wer ta sho len fu gar pe nis ol vi eth cu ram sto ne by har wi dle")
	for range 3_000 {
		var word strings.Builder
		for range 1 + w.rng.IntN(4) {
			word.WriteString(syllables[w.rng.IntN(len(syllables))])
		}
		w.words = append(w.words, word.String())
	}
	return w
}

// id draws sixteen bytes.
func (w *writer) id() (id [16]byte) {
	for i := range id {
		id[i] = byte(w.rng.Uint32())
	}
	return id
}

// prose is size bytes of text.
func (w *writer) prose(size int) string {
	var b strings.Builder
	for b.Len() < size {
		// A few words are used often, most seldom.
		n := len(w.words)
		b.WriteString(w.words[min(w.rng.IntN(n), w.rng.IntN(n))])
		b.WriteByte(" .,"[max(0, w.rng.IntN(12)-9)])
	}
	return b.String()[:size]
}

// otherBytes is what a visit's change takes besides its prose.
const otherBytes = 330

// visit is a new record with its one change, of about visitBytes.
func (w *writer) visit(at *pusher, seq uint64) ([]byte, error) {
	body, err := w.visitBody(at, seq)
	if err != nil {
		return nil, err
	}
	raw, err := syncproto.EncodeBody(&body)
	if err != nil {
		return nil, fmt.Errorf("writing a visit: %w", err)
	}
	return raw, nil
}

func (w *writer) visitBody(at *pusher, seq uint64) (syncproto.Body, error) {
	now := time.Now()
	kind, ok := schema.Newest("visit")
	if !ok {
		return syncproto.Body{}, fmt.Errorf("this program knows no visits")
	}
	set := func(field string, v cbor.Value) syncproto.Op {
		return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field}, Value: v}
	}
	body := syncproto.Body{
		Version: syncproto.BodyVersion, Borough: at.identity.Borough, Family: at.families[w.rng.IntN(len(at.families))],
		Record: syncproto.RecordID(w.id()), Kind: kind.ID, SchemaVersion: kind.Version, Actor: at.actor, Seq: seq,
		Salt: w.id(), TimeMS: now.UnixMilli(), MonotonicMS: seq, Author: at.identity.User,
		Ops: []syncproto.Op{
			set("visit_type", cbor.Text("CP")),
			set("start", cbor.Int(now.Add(-time.Hour).UnixMilli())),
			set("contact_mode", cbor.Text("IN_PERSON")),
			set("outcome", cbor.Text("COMPLETED")),
			{Code: syncproto.OpSplice, Path: syncproto.Path{Field: "household_summary"},
				Splices: []text.Splice{{Ins: w.prose(visitBytes - otherBytes)}}},
		},
	}
	if w.handsOver {
		body.Ops = append(body.Ops, syncproto.Op{Code: syncproto.OpHandOver})
	}
	return body, nil
}
