package syncproto_test

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"

	"doorstep/syncproto"
)

// attribute works out who wrote what in every order of arrival, checks that all
// give the same bytes and that the spans cover the texts, and returns it.
func (s *story) attribute(heads []syncproto.ChangeID, verdicts ...syncproto.Verdict) *syncproto.Attribution {
	s.t.Helper()
	var want []byte
	var out *syncproto.Attribution
	permute(len(s.changes), func(perm []int) {
		g := s.graph(perm)
		a := syncproto.Attribute(g, storyKind, verdicts, heads)
		if got := a.Encode(); want == nil {
			want, out = got, a
		} else if !bytes.Equal(got, want) {
			s.t.Fatalf("order of arrival %v gives another attribution", perm)
		}
		checkSpans(s.t, a)
	})
	return out
}

func checkSpans(t *testing.T, a *syncproto.Attribution) {
	t.Helper()
	for _, x := range a.Texts {
		at, last := uint64(0), int32(-1)
		for _, sp := range x.Spans {
			if sp.Start != at || sp.End <= sp.Start || sp.By == last {
				t.Fatalf("%s: span %+v after %d by %d", x.Path.Field, sp, at, last)
			}
			at, last = sp.End, sp.By
		}
		if n := uint64(len([]rune(x.Text))); at != n {
			t.Fatalf("%s: spans end at %d of %d", x.Path.Field, at, n)
		}
	}
}

// says writes an attribution for people: "a1:words" for what stands, and in
// brackets what is gone, "[b1-a2:words@at]".
func (s *story) says(a *syncproto.Attribution, field string) string {
	name := func(by int32) string {
		for n, c := range s.named {
			if c.ID == a.Sources[by].Change {
				return n
			}
		}
		return "?"
	}
	var out []string
	for _, x := range a.Texts {
		if x.Path.Field != field {
			continue
		}
		words := []rune(x.Text)
		for _, sp := range x.Spans {
			out = append(out, name(sp.By)+":"+string(words[sp.Start:sp.End]))
		}
		for _, d := range x.Deleted {
			var by []string
			for _, i := range d.DeletedBy {
				by = append(by, name(i))
			}
			out = append(out, "["+name(d.By)+"-"+strings.Join(by, ",")+":"+d.Text+"@"+strconv.FormatUint(d.At, 10)+"]")
		}
	}
	return strings.Join(out, "|")
}

func TestAttribution(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", splice("summary", 0, 0, "Zoë is 🙂."))
	s.add("a2", "a1", splice("summary", 4, 2, "was"))
	s.add("b1", "a1", splice("summary", 4, 2, ""), splice("summary", 0, 0, "Yes. "))
	c := s.add("b2", "a2 b1", splice("summary", 0, 0, "Oh. "), splice("summary", 4, 0, "My. "))
	c.Body.Capture, c.Body.TimeMS, c.Body.OffsetMin, c.Body.MonotonicMS = syncproto.CaptureDictated, 77, 60, 5
	a := s.attribute(nil)
	want := "b2:Oh. My. |b1:Yes. |a1:Zoë |a2:was|a1: 🙂.|[a1-a2,b1:is@20]"
	if got := s.says(a, "summary"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	last := a.Sources[len(a.Sources)-1]
	if last.Change != c.ID || last.Author != c.Body.Author || last.Actor != c.Body.Actor || last.Capture != syncproto.CaptureDictated ||
		last.TimeMS != 77 || last.OffsetMin != 60 || last.MonotonicMS != 5 || last.Seq != 2 {
		t.Errorf("the evidence of the last change: %+v", last)
	}
	then := s.attribute([]syncproto.ChangeID{s.id("a2")})
	if got := s.says(then, "summary"); !strings.HasPrefix(got, "a1:Zoë |a2:was|a1: 🙂.|[a1-a2:is@") {
		t.Errorf("as it was: %s", got)
	}
}

// TestAttributionOfWhatDoesNotCount: words that are kept out of the fold are
// nobody's part of the text.
func TestAttributionOfWhatDoesNotCount(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", splice("summary", 0, 0, "Calm. "))
	s.add("b1", "a1", splice("summary", 6, 0, "Angry."))
	out := syncproto.Verdict{Kind: syncproto.VerdictQuarantine, Record: storyRecord, Change: s.id("b1"), Position: 3}
	if got := s.says(s.attribute(nil, out), "summary"); got != "a1:Calm. " {
		t.Errorf("got %s", got)
	}
}

// TestOverlapNamesItsAuthors: each sentence is marked with those who touched it,
// and reading one version does not read what comes to it later.
func TestOverlapNamesItsAuthors(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", splice("summary", 0, 0, "Mum was calm. Dad was out. "))
	s.add("a2", "a1", splice("summary", 8, 4, "upset"))
	s.add("b1", "a1", splice("summary", 8, 0, "not "), splice("summary", 26, 3, "in"))
	s.add("c1", "a1", splice("summary", 22, 3, "away"))
	v := s.fold()
	if len(v.Overlaps) != 1 || len(v.Overlaps[0].Spans) != 2 {
		t.Fatalf("overlaps: %+v", v.Overlaps)
	}
	f, _ := v.Field("summary")
	for i, want := range []string{"ab", "bc"} {
		o := v.Overlaps[0].Spans[i]
		var got []byte
		for _, u := range o.Authors {
			got = append(got, u[0])
		}
		words := []rune(f.Text)[o.Start:o.End]
		if string(got) != want || len(o.Changes) != 2 {
			t.Errorf("%q is by %s, want %s (%d changes)", string(words), got, want, len(o.Changes))
		}
	}
	s.add("a3", "a2 b1", decide("summary", ""))
	if v := s.fold(); len(v.Overlaps) != 1 || len(v.Overlaps[0].Spans) != 1 || slices.Contains(v.Overlaps[0].Spans[0].Changes, s.id("a2")) {
		t.Errorf("what was not there to be read is still marked, and only that: %+v", v.Overlaps)
	}
	s.add("c2", "a3 c1", decide("summary", ""))
	if v := s.fold(); len(v.Overlaps) != 0 {
		t.Errorf("all was read: %+v", v.Overlaps)
	}
}

// TestConfirmingIsReading: who stands by a version has read what the merge made of
// it; whoever stands by one side alone has not.
func TestConfirmingIsReading(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", splice("summary", 0, 0, "Mum was calm."))
	s.add("a2", "a1", splice("summary", 8, 4, "upset"))
	s.add("b1", "a1", splice("summary", 8, 0, "not "))
	confirm := func(heads ...string) syncproto.Op {
		var ids []syncproto.ChangeID
		for _, h := range heads {
			ids = append(ids, s.id(h))
		}
		syncproto.SortChangeIDs(ids)
		return syncproto.Op{Code: syncproto.OpConfirm, Heads: []syncproto.RecordHeads{{Record: storyRecord, Heads: ids}}}
	}
	s.add("a3", "a2", confirm("a2"))
	if v := s.fold(); len(v.Overlaps) != 1 {
		t.Errorf("one side was confirmed: %+v", v.Overlaps)
	}
	s.add("b2", "a3 b1", confirm("a2", "b1"))
	if v := s.fold(); len(v.Overlaps) != 0 {
		t.Errorf("both sides were confirmed: %+v", v.Overlaps)
	}
	s.add("a4", "a3", splice("summary", 0, 3, "Mother"))
	if v := s.fold(); len(v.Overlaps) != 1 {
		t.Errorf("a later edit made apart: %+v", v.Overlaps)
	}
}

// TestAttributionOfATrace: after a random day of several people, every code point
// has its author, and what is gone and what stands add up to all that was typed.
func TestAttributionOfATrace(t *testing.T) {
	for seed := byte(0); seed < 20; seed++ {
		s := newStory(t)
		s.add("a0", "", splice("summary", 0, 0, "Start. "))
		typed := 7
		rnd := uint64(seed)*7919 + 13
		next := func(n int) int {
			rnd = rnd*6364136223846793005 + 1442695040888963407
			return int(rnd>>33) % n
		}
		for i := range 12 {
			deps := []string{"a0"}
			if i > 0 {
				deps = []string{s.nameOf(next(len(s.changes)))}
				if other := s.nameOf(next(len(s.changes))); other != deps[0] {
					deps = append(deps, other)
				}
			}
			perm := make([]int, len(s.changes))
			for j := range perm {
				perm[j] = j
			}
			var heads []syncproto.ChangeID
			for _, d := range deps {
				heads = append(heads, s.id(d))
			}
			f, _ := syncproto.FoldAt(s.graph(perm), storyKind, nil, heads).Field("summary")
			n := len([]rune(f.Text))
			pos := next(n + 1)
			del := next(min(4, n-pos) + 1)
			s.add(string(rune('a'+next(3)))+string(rune('A'+i)), strings.Join(deps, " "), splice("summary", pos, del, strings.Repeat("ö", 1+next(3))+". "))
			typed += len([]rune(s.changes[len(s.changes)-1].Body.Ops[0].Splices[0].Ins))
		}
		a := s.attribute(nil)
		there := len([]rune(a.Texts[0].Text))
		for _, d := range a.Texts[0].Deleted {
			there += len([]rune(d.Text))
			if len(d.DeletedBy) == 0 {
				t.Errorf("seed %d: deleted by nobody: %+v", seed, d)
			}
		}
		if there != typed {
			t.Errorf("seed %d: %d code points stand or are gone, %d were typed", seed, there, typed)
		}
	}
}

func (s *story) nameOf(i int) string {
	for n, c := range s.named {
		if c == s.changes[i] {
			return n
		}
	}
	return ""
}
