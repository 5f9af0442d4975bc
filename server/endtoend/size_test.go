package endtoend

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// bytesAChange is what a change may cost beyond its content: ids, the chain, a
// receipt.
const bytesAChange = 300

// TestADaysWorkInOneRoundTrip sends a worker's day, five visits of 4 KB and two
// edits of a plan, and brings down a colleague's, in one request. All bytes on
// TCP count, HTTP headers included, and must not be more than the same content
// takes as JSON under zstd-3, plus 300 a change.
func TestADaysWorkInOneRoundTrip(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		piece int // bytes of text in a change
	}{
		{"each visit saved once", 4 << 10},
		{"saved every few sentences", 300},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBorough(t, caseload{workers: 2, families: 1, plans: true})
			worker, colleague := newTablet(t, b, 0, 1), newTablet(t, b, 1, 2)
			worker.syncs()
			colleague.syncs()
			words := prose(t)
			half := len(words) / 2
			theirs := colleague.workday(words[half:]+words[:half], c.piece)
			colleague.syncs()
			ours := worker.workday(words, c.piece)

			up, down, trips := worker.line.up.Load(), worker.line.down.Load(), worker.line.trips.Load()
			worker.syncs()
			up, down, trips = worker.line.up.Load()-up, worker.line.down.Load()-down, worker.line.trips.Load()-trips
			if trips != 1 {
				t.Errorf("the day took %d round trips", trips)
			}
			worker.wantEmptyOutbox()
			worker.wantAccepted()
			for what, d := range map[string]struct {
				got     int64
				changes []*syncproto.Change
			}{"up": {up, ours}, "down": {down, theirs}} {
				plain := asJSON(t, d.changes)
				small := zstd3(t, plain)
				bound := int64(small + bytesAChange*len(d.changes))
				t.Logf("%-4s %6d bytes for %3d changes; as JSON %6d, under zstd-3 %6d, bound %6d (%.0f %% of it)", what, d.got,
					len(d.changes), len(plain), small, bound, 100*float64(d.got)/float64(bound))
				if d.got > bound {
					t.Errorf("%s: %d bytes, want at most %d", what, d.got, bound)
				}
			}
			for _, change := range theirs {
				if _, err := worker.View(change.Body.Record); err != nil {
					t.Errorf("the colleague's record %s did not come: %v", change.Body.Record, err)
				}
			}
		})
	}
}

// workday records five visits of 4 KB each and two edits of the family's plan,
// and returns the changes that this made.
func (b *tablet) workday(words string, piece int) []*syncproto.Change {
	b.t.Helper()
	family := b.families()[0]
	var ids []syncproto.ChangeID
	for range 5 {
		ids = append(ids, b.visit(family, take(&words, 4<<10), piece)...)
	}
	plan := b.find("plan")
	ids = append(ids,
		b.edit(family, plan, "", setText("contingency", take(&words, 400))),
		b.edit(family, plan, "", syncproto.Op{Code: syncproto.OpAdd,
			Path: syncproto.Path{Field: "rules", Element: syncproto.ElementID(b.chance())},
			Value: cbor.Map(cbor.Pair{Key: "text", Value: cbor.Text(take(&words, 200))},
				cbor.Pair{Key: "who", Value: cbor.Text("Everybody at home")},
				cbor.Pair{Key: "when", Value: cbor.Text("From today on")})}))
	return b.exported(ids)
}

// visit records one visit, its text in pieces: one change a piece.
func (b *tablet) visit(family syncproto.FamilyID, words string, piece int) []syncproto.ChangeID {
	record, pos := b.newRecord(), 0
	start := time.Date(2026, 11, 20, 15, 30, 0, 0, time.UTC)
	ops := []syncproto.Op{
		setText("visit_type", "CIN"), setText("contact_mode", "IN_PERSON"), setText("outcome", "COMPLETED"), setText("place", "HOME"),
		{Code: syncproto.OpSet, Path: syncproto.Path{Field: "start"}, Value: cbor.Int(start.UnixMilli())},
		{Code: syncproto.OpSet, Path: syncproto.Path{Field: "end"}, Value: cbor.Int(start.Add(time.Hour).UnixMilli())},
	}
	var ids []syncproto.ChangeID
	for words != "" {
		next := take(&words, piece)
		ids = append(ids, b.edit(family, record, "visit", append(ops, write("household_summary", pos, next))...))
		pos += utf8.RuneCountInString(next)
		ops = nil
	}
	return ids
}

// find returns a record of a kind that the tablet shows.
func (b *tablet) find(kind string) (found syncproto.RecordID) {
	b.t.Helper()
	err := b.Read(func(e *engine.Engine) {
		for _, f := range e.Families() {
			for _, record := range e.Records(f.Family) {
				if v, err := e.View(record); err == nil && v.Kind == kind {
					found = record
				}
			}
		}
	})
	if err != nil || found == (syncproto.RecordID{}) {
		b.t.Fatalf("%s shows no %s: %v", b.login, kind, err)
	}
	return found
}

// exported returns own changes as they were signed.
func (b *tablet) exported(ids []syncproto.ChangeID) (out []*syncproto.Change) {
	b.t.Helper()
	err := b.Read(func(e *engine.Engine) {
		for _, id := range ids {
			prev, body, err := e.Export(id)
			if err != nil {
				b.t.Fatal(err)
			}
			c, err := syncproto.DecodeChange(prev, body)
			if err != nil {
				b.t.Fatal(err)
			}
			out = append(out, c)
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// asJSON writes changes as a frugal JSON protocol would: short names, ids in
// base64, what is the same for all changes said once, nothing that could be
// computed (ids, hashes) and neither salts nor signatures.
func asJSON(t *testing.T, changes []*syncproto.Change) []byte {
	t.Helper()
	first := changes[0].Body
	doc := map[string]any{"borough": first.Borough, "actor": b64(first.Actor[:]), "author": b64(first.Author[:]), "schema": first.SchemaVersion}
	var list []map[string]any
	for _, c := range changes {
		var deps []string
		for _, d := range c.Body.Deps {
			deps = append(deps, b64(d[:]))
		}
		var ops []map[string]any
		for _, op := range c.Body.Ops {
			ops = append(ops, opJSON(t, op))
		}
		list = append(list, map[string]any{"family": b64(c.Body.Family[:]), "record": b64(c.Body.Record[:]), "kind": c.Body.Kind,
			"seq": c.Body.Seq, "deps": deps, "time": c.Body.TimeMS, "offset": c.Body.OffsetMin, "mono": c.Body.MonotonicMS, "ops": ops})
	}
	doc["changes"] = list
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(doc); err != nil {
		t.Fatal(err)
	}
	return []byte(out.String())
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func opJSON(t *testing.T, op syncproto.Op) map[string]any {
	t.Helper()
	out := map[string]any{"op": op.Code, "field": op.Path.Field}
	if op.Path.Element != (syncproto.ElementID{}) {
		out["element"] = b64(op.Path.Element[:])
	}
	var splices [][]any
	for _, s := range op.Splices {
		splices = append(splices, []any{s.Pos, s.Del, s.Ins})
	}
	if splices != nil {
		out["splices"] = splices
		return out
	}
	out["value"] = valueJSON(t, op.Value)
	return out
}

func valueJSON(t *testing.T, v cbor.Value) any {
	t.Helper()
	if s, ok := v.AsText(); ok {
		return s
	}
	if n, ok := v.AsInt(); ok {
		return n
	}
	pairs, ok := v.AsMap()
	if !ok {
		t.Fatalf("a value of kind %v has no JSON here", v.Kind())
	}
	out := map[string]any{}
	for _, p := range pairs {
		out[p.Key] = valueJSON(t, p.Value)
	}
	return out
}

// zstd3 is the size of data under zstd's default level, 3.
func zstd3(t *testing.T, data []byte) int {
	t.Helper()
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return len(w.EncodeAll(data, nil))
}
