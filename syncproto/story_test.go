package syncproto_test

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
	"doorstep/syncproto/text"
)

// story draws the history of one record. Each change is named by a word that
// begins with its author's letter ("a1" is Amina's first); a step reads
// "a1 -> a2, b1" as: a2 and b1 were each made on top of a1.
type story struct {
	t       *testing.T
	changes []*syncproto.Change
	named   map[string]*syncproto.Change
	seqs    map[byte]uint64
}

var storyRecord = syncproto.RecordID{0xee}

func newStory(t *testing.T) *story {
	return &story{t: t, named: map[string]*syncproto.Change{}, seqs: map[byte]uint64{}}
}

// add makes the change name on top of deps (space separated names).
func (s *story) add(name, deps string, ops ...syncproto.Op) *syncproto.Change {
	s.t.Helper()
	s.seqs[name[0]]++
	c := &syncproto.Change{ID: syncproto.ChangeID(sha256.Sum256([]byte(name)))}
	c.Body = syncproto.Body{
		Record: storyRecord, Kind: "story", SchemaVersion: 1,
		Actor: syncproto.ActorID{name[0]}, Author: syncproto.UserID{name[0]},
		Seq: s.seqs[name[0]], Ops: ops,
	}
	for _, d := range strings.Fields(deps) {
		if s.named[d] == nil {
			s.t.Fatalf("story: %s builds on %s, which is not there", name, d)
		}
		c.Body.Deps = append(c.Body.Deps, s.named[d].ID)
	}
	syncproto.SortChangeIDs(c.Body.Deps)
	s.named[name] = c
	s.changes = append(s.changes, c)
	return c
}

func (s *story) id(name string) syncproto.ChangeID { return s.named[name].ID }

// graph adds the changes in the order given by perm.
func (s *story) graph(perm []int) *syncproto.Graph {
	s.t.Helper()
	g := syncproto.NewGraph(storyRecord)
	for _, i := range perm {
		if _, err := g.Add(s.changes[i]); err != nil {
			s.t.Fatalf("add change %d: %v", i, err)
		}
	}
	return g
}

// fold folds the story in every order of arrival, checks that all views are the
// same bytes, that each survives its codec, and returns the view.
func (s *story) fold(verdicts ...syncproto.Verdict) *syncproto.View {
	s.t.Helper()
	var want []byte
	var view *syncproto.View
	for i := range verdicts {
		verdicts[i].Record = storyRecord
	}
	permute(len(s.changes), func(perm []int) {
		v := syncproto.Fold(s.graph(perm), storyKind, verdicts)
		got := v.Encode()
		if want == nil {
			want, view = got, v
		} else if !bytes.Equal(got, want) {
			s.t.Fatalf("order of arrival %v gives another view:\n%x\nwant\n%x", perm, got, want)
		}
	})
	back, err := syncproto.DecodeView(want)
	if err != nil {
		s.t.Fatalf("decode view: %v", err)
	}
	if !bytes.Equal(back.Encode(), want) {
		s.t.Fatal("view changes when decoded and encoded")
	}
	return view
}

// permute calls visit with every order of 0..n-1 up to n = 6, and with a fixed
// spread of orders above.
func permute(n int, visit func([]int)) {
	perm := make([]int, n)
	for i := range perm {
		perm[i] = i
	}
	if n > 6 {
		visit(perm)
		slices.Reverse(perm)
		visit(perm)
		for range 50 {
			for i := range perm {
				j := (i*7 + perm[0]*3 + 5) % n
				perm[i], perm[j] = perm[j], perm[i]
			}
			visit(perm)
		}
		return
	}
	var rec func(k int)
	rec = func(k int) {
		if k == n {
			visit(perm)
			return
		}
		for i := k; i < n; i++ {
			perm[k], perm[i] = perm[i], perm[k]
			rec(k + 1)
			perm[k], perm[i] = perm[i], perm[k]
		}
	}
	rec(0)
}

// storyKind has one field of each rule.
var storyKind = &schema.Kind{ID: "story", Version: 1, Fields: []schema.Field{
	{ID: "type", Rule: schema.Human, Label: schema.Attested, Type: schema.TypeLine},
	{ID: "known_as", Rule: schema.Latest, Label: schema.Admin, Type: schema.TypeLine},
	{ID: "seen", Rule: schema.Protect, Label: schema.Attested, Type: schema.TypeCode,
		Protective: []cbor.Value{cbor.Text("N"), cbor.Text("Y")}},
	{ID: "score", Rule: schema.Own, Label: schema.Judgement, Type: schema.TypeInt},
	{ID: "setting", Rule: schema.Own, Label: schema.Verbatim, Type: schema.TypeProse},
	{ID: "summary", Rule: schema.Text, Label: schema.Judgement, Type: schema.TypeProse},
	{ID: "words", Rule: schema.Log, Label: schema.Verbatim, Sub: []schema.Field{
		{ID: "quote", Rule: schema.Human, Type: schema.TypeLine}}},
	{ID: "present", Rule: schema.Union, Label: schema.Attested, Sub: []schema.Field{
		{ID: "name", Rule: schema.Human, Type: schema.TypeLine}}},
	{ID: "rules", Rule: schema.Union, Label: schema.Judgement, KeepRemoved: true, Sub: []schema.Field{
		{ID: "rule", Rule: schema.Human, Type: schema.TypeLine},
		{ID: "notes", Rule: schema.Text, Type: schema.TypeProse}}},
	{ID: "status", Rule: schema.Server, Label: schema.Admin, Type: schema.TypeCode},
}}

func elem(b byte) syncproto.ElementID { return syncproto.ElementID{b} }

func set(field, value string) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field}, Value: cbor.Text(value)}
}

func decide(field, value string) syncproto.Op {
	op := set(field, value)
	op.Code, op.Reason = syncproto.OpDecide, "asked both"
	return op
}

func splice(field string, pos, del int, ins string) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSplice, Path: syncproto.Path{Field: field},
		Splices: []text.Splice{{Pos: pos, Del: del, Ins: ins}}}
}

func addElem(field string, e byte, key, value string) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpAdd, Path: syncproto.Path{Field: field, Element: elem(e)},
		Value: cbor.Map(cbor.Pair{Key: key, Value: cbor.Text(value)})}
}

func editElem(field string, e byte, key, value string) syncproto.Op {
	op := set(field, value)
	op.Path.Element, op.Path.Sub = elem(e), key
	return op
}

func removeElem(field string, e byte) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpRemove, Path: syncproto.Path{Field: field, Element: elem(e)}, Reason: "no longer needed"}
}

func decideElem(field string, e byte, gone bool) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpDecide, Path: syncproto.Path{Field: field, Element: elem(e)},
		Value: cbor.Bool(gone), Reason: "talked it over"}
}

// shown returns a field's value in force as text, "-" if nobody wrote it and
// "null" if nothing is in force.
func shown(t *testing.T, v *syncproto.View, field string) string {
	t.Helper()
	f, ok := v.Field(field)
	if !ok {
		return "-"
	}
	if f.Text != "" {
		return f.Text
	}
	if s, ok := f.Value.AsText(); ok {
		return s
	}
	return "null"
}

func wantShown(t *testing.T, v *syncproto.View, field, want string) {
	t.Helper()
	if got := shown(t, v, field); got != want {
		t.Errorf("%s: got %q, want %q", field, got, want)
	}
}

func wantConflicts(t *testing.T, v *syncproto.View, want ...string) {
	t.Helper()
	var got []string
	for _, c := range v.Conflicts {
		got = append(got, c.Path.Field)
	}
	if !slices.Equal(got, want) {
		t.Errorf("conflicts: got %v, want %v", got, want)
	}
}
