package reading_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

var (
	person     = syncproto.RecordID{31}
	theFamily  = syncproto.RecordID{32}
	disclosure = syncproto.RecordID{33}
)

// withWords is the borough with names and notes to look for.
func withWords(t *testing.T) *borough {
	b := newBorough(t)
	b.write(theFamily, "family", set("name", cbor.Text("ap Gwilym-Llŷr")))
	b.write(person, "person", set("names", cbor.Text("Siân ap Gwilym")), set("known_as", cbor.Text("Siân")))
	b.write(visit, "visit", set("start", cbor.Int(1_780_000_000_000)), splice(0, 0, "Nan heard the kettle. Des’s van was outside."))
	b.write(disclosure, "disclosure", syncproto.Op{Code: syncproto.OpAddendum, Text: "The kettle was thrown.", Reason: "r"})
	return b
}

// found is what a search finds, by the first byte of each record's id.
func (b *borough) found(user syncproto.UserID, words string) []byte {
	b.t.Helper()
	hits, all, err := b.room.Search(context.Background(), user, words)
	if err != nil || all != len(hits) {
		b.t.Fatalf("searching %q: %d of %d, %v", words, len(hits), all, err)
	}
	var out []byte
	for _, h := range hits {
		out = append(out, h.Record[0])
	}
	return out
}

func TestSearchFindsWhatOneMayRead(t *testing.T) {
	b := withWords(t)
	for _, c := range []struct {
		user  syncproto.UserID
		words string
		want  []byte
	}{
		{lead, "sian", []byte{31}},
		{lead, "SIÂN", []byte{31}},
		{lead, "gwil", []byte{32, 31}},       // the family before the person
		{lead, "gwilym llyr van", []byte{7}}, // by the family's names and its own word
		{lead, "sian kettle", []byte{33, 7}}, // what she was told in confidence is hers to find, and nobody else's
		{manager, "kettle", []byte{7}},
		{lead, "dess", []byte{7}},
		{lead, "may 2026", []byte{7}}, // what it is called
		{lead, "kettle school", nil},  // a code is no word
		{lead, "k", nil},
		{lead, "", nil},
		{stranger, "kettle", nil},
		{it, "kettle", nil},
	} {
		if got := b.found(c.user, c.words); !slices.Equal(got, c.want) {
			t.Errorf("user %d, %q: got %d, want %d", c.user[0], c.words, got, c.want)
		}
	}
	var excerpt strings.Builder
	for _, p := range b.room.Excerpt(lead, visit, "kett") {
		excerpt.WriteString(p.Text)
	}
	if got := excerpt.String(); got != "Nan heard the kettle. Des’s van was outside." {
		t.Errorf("excerpt: %q", got)
	}
	if got := b.room.Excerpt(stranger, visit, "kett"); got != nil {
		t.Errorf("a stranger's excerpt: %v", got)
	}
}

// TestSearchFollowsTheRecords: new words are found at once, those that are gone are not,
// and nobody finds anything once they may not read it.
func TestSearchFollowsTheRecords(t *testing.T) {
	b := withWords(t)
	b.quarantine()
	if got := b.found(lead, "crane"); got != nil {
		t.Errorf("before it was written: %v", got)
	}
	b.write(person, "person", set("known_as", cbor.Text("Crane")))
	if got := b.found(lead, "crane"); !slices.Equal(got, []byte{31}) {
		t.Errorf("after it was written: %v", got)
	}
	b.commit(store.RelationEntry{User: lead, Family: family, Basis: "LEAD"})
	if got := b.found(lead, "kettle"); got != nil {
		t.Errorf("after the case was given up: %v", got)
	}
}

// TestSearchForgets: what was erased is found no more, and is not in the memory that
// searches look through.
func TestSearchForgets(t *testing.T) {
	b := withWords(t)
	if err := b.room.Look(family); err != nil || !b.room.Remembered("kettle") || !b.room.Remembered("gwilym") {
		t.Fatalf("nothing is remembered: nothing is tested (%v)", err)
	}
	before, records := b.room.SearchBytes()
	b.commit(store.EraseEntry{Ask: syncproto.ID{1}, Family: family, Record: visit}, store.EraseEntry{Ask: syncproto.ID{1}, Family: family, Record: disclosure})
	b.room.Forget([]syncproto.FamilyID{family})
	if b.room.Remembered("kettle") {
		t.Error("erased words are in memory")
	}
	if got := b.found(lead, "kettle"); got != nil {
		t.Errorf("erased words are found: %v", got)
	}
	if b.room.Remembered("kettle") || !b.room.Remembered("gwilym") {
		t.Error("after another search: the erased words are in memory, or the others are not")
	}
	if after, left := b.room.SearchBytes(); after >= before || left != records-2 {
		t.Errorf("%d bytes of %d records before, %d of %d after", before, records, after, left)
	}
}
