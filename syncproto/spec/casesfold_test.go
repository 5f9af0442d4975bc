package spec_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
	"doorstep/syncproto/text"
)

// tale is the history of one record, drawn change by change. A change is named
// by its author's letter and a number: "a1" is Amina's first.
type tale struct {
	m        *maker
	kind     *schema.Kind
	changes  []*syncproto.Change
	named    map[string]*syncproto.Change
	tips     map[byte]syncproto.ChangeID
	seqs     map[byte]uint64
	verdicts []syncproto.Verdict
	// content files the content hash as well.
	content bool
	// loose lets ops through that the schema would refuse.
	loose bool
}

func (m *maker) tale(kind string) *tale {
	m.t.Helper()
	k, ok := schema.Newest(kind)
	if !ok {
		m.t.Fatalf("no kind %q", kind)
	}
	return &tale{m: m, kind: k, named: map[string]*syncproto.Change{}, tips: map[byte]syncproto.ChangeID{}, seqs: map[byte]uint64{}}
}

// does adds a change by the author whose letter name begins with, on top of the
// changes named in deps.
func (s *tale) does(name, deps string, ops ...syncproto.Op) {
	s.m.t.Helper()
	if err := syncproto.CheckOps(s.kind, s.kind.Version, ops); err != nil && !s.loose {
		s.m.t.Fatalf("%s of %s: the schema refuses it: %v", name, s.kind.ID, err)
	}
	s.raw(name, s.encode(name, deps, ops))
}

func (s *tale) encode(name, deps string, ops []syncproto.Op) []byte {
	s.m.t.Helper()
	who := name[0]
	s.seqs[who]++
	salt := sha256.Sum256([]byte(name))
	b := syncproto.Body{
		Version: 1, Borough: "example", Family: syncproto.FamilyID{15: 1}, Record: syncproto.RecordID{15: 2},
		Kind: s.kind.ID, SchemaVersion: s.kind.Version, Actor: syncproto.ActorID{0: who}, Seq: s.seqs[who],
		Salt: [16]byte(salt[:16]), TimeMS: 1_790_000_000_000 + int64(len(s.changes))*60_000, OffsetMin: 60,
		MonotonicMS: 1000, Author: author(who), Ops: ops,
	}
	for _, d := range strings.Fields(deps) {
		b.Deps = append(b.Deps, s.id(d))
	}
	syncproto.SortChangeIDs(b.Deps)
	return mustEncode(s.m, &b)
}

// raw files the bytes of a body as the author's next change.
func (s *tale) raw(name string, raw []byte) {
	s.m.t.Helper()
	c, err := syncproto.DecodeChange(s.tips[name[0]], raw)
	if err != nil {
		s.m.t.Fatalf("%s: %v", name, err)
	}
	s.tips[name[0]] = c.ID
	s.named[name] = c
	s.changes = append(s.changes, c)
}

func (s *tale) id(name string) syncproto.ChangeID {
	s.m.t.Helper()
	c := s.named[name]
	if c == nil {
		s.m.t.Fatalf("no change %q", name)
	}
	return c.ID
}

func (s *tale) heads(names string) []syncproto.RecordHeads {
	h := syncproto.RecordHeads{Record: syncproto.RecordID{15: 2}}
	for _, n := range strings.Fields(names) {
		h.Heads = append(h.Heads, s.id(n))
	}
	syncproto.SortChangeIDs(h.Heads)
	return []syncproto.RecordHeads{h}
}

// rules adds a verdict on a change; position is where it stands in the journal.
func (s *tale) rules(position uint64, kind syncproto.VerdictKind, change string, edit func(v *syncproto.Verdict)) {
	v := syncproto.Verdict{Kind: kind, Position: position, Family: syncproto.FamilyID{15: 1}, Record: syncproto.RecordID{15: 2},
		Change: s.id(change), AtMS: 1_790_000_900_000}
	if edit != nil {
		edit(&v)
	}
	s.verdicts = append(s.verdicts, v)
}

// file folds the tale and files it as a vector.
func (s *tale) file(name, comment string) {
	s.m.t.Helper()
	g := syncproto.NewGraph(syncproto.RecordID{15: 2})
	var pairs []string
	pairs = append(pairs, "schema", fmt.Sprintf("%s %d", s.kind.ID, s.kind.Version))
	names := map[syncproto.ChangeID]string{}
	for name, c := range s.named {
		names[c.ID] = name
	}
	for _, c := range s.changes {
		if _, err := g.Add(c); err != nil {
			s.m.t.Fatalf("%s: add: %v", name, err)
		}
		prev := "-"
		if !c.Prev.IsZero() {
			prev = c.Prev.String()
		}
		pairs = append(pairs, "change", names[c.ID]+" "+prev+" "+hex.EncodeToString(c.Raw))
	}
	for i := range s.verdicts {
		pairs = append(pairs, "verdict", hex.EncodeToString(syncproto.EncodeVerdict(&s.verdicts[i])))
	}
	folded := syncproto.Fold(g, s.kind, s.verdicts)
	view := folded.Encode()
	sum := sha256.Sum256(view)
	pairs = append(pairs, "view", hex.EncodeToString(view), "sha256", hex.EncodeToString(sum[:]), "says", says(s.m.t, view))
	if s.content {
		hash := syncproto.ContentHash(folded, s.kind)
		pairs = append(pairs, "content", hex.EncodeToString(hash[:]))
	}
	if a := syncproto.Attribute(g, s.kind, s.verdicts, nil); len(a.Texts) > 0 {
		pairs = append(pairs, "attribution", hex.EncodeToString(a.Encode()))
	}
	s.m.add("fold", name, "fold", syncproto.CodeOK, comment, pairs...)
}

// foldContent: a signature and a note leave what a plan says as it was; another rule, and
// one that is taken out for good, do not.
func foldContent(m *maker) {
	rule := func(n byte, text string) syncproto.Op {
		return add("rules", n, pair("text", cbor.Text(text)), pair("who", cbor.Text("Nan")), pair("when", cbor.Text("every night")))
	}
	s := m.tale("plan")
	s.content = true
	s.does("a1", "", set("review_date", cbor.Text("2026-12-01")), rule(1, "The chain is on the door."),
		add("trajectory", 3, pair("date", cbor.Text("2026-12-24"))), set("contingency", cbor.Null()))
	s.does("a2", "a1", syncproto.Op{Code: syncproto.OpSplice, Path: syncproto.Path{Field: "trajectory", Element: element(3), Sub: "expected"},
		Splices: []text.Splice{{Ins: "Quiet nights."}}})
	s.file("content", "content hash: fields with a value, a text or an element in force; a cleared one is as if nobody had written it")
	g := syncproto.NewGraph(syncproto.RecordID{15: 2})
	for _, c := range s.changes {
		if _, err := g.Add(c); err != nil {
			m.t.Fatal(err)
		}
	}
	hash := syncproto.ContentHash(syncproto.Fold(g, s.kind, nil), s.kind)
	s.does("b1", "a2", add("signatures", 4, pair("version_hash", cbor.Bytes(hash[:])), pair("signer", cbor.Text("Nan")),
		pair("capacity", cbor.Text("NETWORK")), pair("mode", cbor.Text("SPOKEN"))))
	s.file("content-signed", "content hash: a signature is not in it")
	s.does("a3", "b1", rule(2, "Nan has a key."))
	s.file("content-changed", "content hash: another rule makes it another; the signature is for the one before")
	s.does("a4", "a3", remove("rules", 2))
	s.file("content-removal", "content hash: a rule that is taken out stands, and counts, until that is confirmed")
	s.does("c1", "a4", decideElement("rules", 2, true))
	s.file("content-as-before", "content hash: without the rule the plan says what it said when it was signed")
}

func author(letter byte) syncproto.UserID { return syncproto.UserID{0: 0xaa, 15: letter} }

func set(field string, v cbor.Value) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field}, Value: v}
}

func setSlot(field string, slot syncproto.ElementID, v cbor.Value) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field, Element: slot}, Value: v}
}

func decide(field string, v cbor.Value) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpDecide, Path: syncproto.Path{Field: field}, Value: v, Reason: "we talked"}
}

func splice(field string, pos, del int, ins string) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSplice, Path: syncproto.Path{Field: field}, Splices: []text.Splice{{Pos: pos, Del: del, Ins: ins}}}
}

func element(n byte) syncproto.ElementID { return syncproto.ElementID{15: n} }

func add(field string, n byte, pairs ...cbor.Pair) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpAdd, Path: syncproto.Path{Field: field, Element: element(n)}, Value: cbor.Map(pairs...)}
}

func edit(field string, n byte, part string, v cbor.Value) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field, Element: element(n), Sub: part}, Value: v}
}

func remove(field string, n byte) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpRemove, Path: syncproto.Path{Field: field, Element: element(n)}, Reason: "not needed any more"}
}

func decideElement(field string, n byte, gone bool) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpDecide, Path: syncproto.Path{Field: field, Element: element(n)}, Value: cbor.Bool(gone), Reason: "agreed at the meeting"}
}

func pair(key string, v cbor.Value) cbor.Pair { return cbor.Pair{Key: key, Value: v} }

func foldVectors(m *maker) {
	foldRegisters(m)
	foldCollections(m)
	foldTexts(m)
	foldVerdicts(m)
	foldWorkflow(m)
	foldShapes(m)
	foldDeleted(m)
	foldContent(m)
}

func foldRegisters(m *maker) {
	home, school := cbor.Text("HOME"), cbor.Text("SCHOOL")
	s := m.tale("visit")
	s.does("a1", "", set("place", home))
	s.does("a2", "a1", set("place", school))
	s.file("human-one-after-the-other", "human: a later write replaces the one it knew of")
	s.does("b1", "a1", set("place", home))
	s.file("human-conflict", "human: two people wrote apart; both are kept, nothing is in force")
	s.does("c1", "a2 b1", decide("place", school))
	s.file("human-decided", "human: a decision that covers both sides settles it")
	s.does("d1", "a2", set("place", home))
	s.file("human-decided-and-written-apart", "human: a write that the decision did not know of opens it again")

	s = m.tale("visit")
	s.does("a1", "", set("place", home))
	s.does("b1", "", set("place", home))
	s.file("human-same-value", "human: the same value written apart is no conflict; the last in canonical order stands for it. Two roots are shown")

	yes, no, infant := cbor.Text("Y"), cbor.Text("N"), cbor.Text("NA_INFANT")
	s = m.tale("visit_child")
	s.does("a1", "", set("seen_alone", infant))
	s.does("a2", "a1", set("seen_alone", yes))
	s.does("b1", "a1", set("seen_alone", no))
	s.file("protect-conflict", "protect: in conflict, the more protective value is in force")
	s.does("d1", "a2 b1", set("seen_alone", yes))
	s.file("protect-written-over", "protect: a set that knows of both sides settles nothing; it is a third")
	s.does("c1", "d1", decide("seen_alone", yes))
	s.file("protect-decided", "protect: a decision settles it, towards the less protective value too")

	s = m.tale("person")
	s.does("a1", "", set("known_as", cbor.Text("Ziggy")))
	s.does("b1", "a1", set("known_as", cbor.Text("Zig")))
	s.does("a2", "a1", set("known_as", cbor.Text("Z")))
	s.file("latest-tie", "latest: written apart at the same depth, the greater actor wins; no conflict")
	s.does("a3", "a2", set("known_as", cbor.Text("Zee")))
	s.file("latest-depth", "latest: the deeper of two writes apart wins")

	s = m.tale("visit_child")
	worry := func(change, why string) cbor.Value {
		return cbor.Map(pair("change", cbor.Text(change)), pair("why", cbor.Text(why)))
	}
	amina, ben := syncproto.ElementID(author('a')), syncproto.ElementID(author('b'))
	s.does("a1", "", setSlot("worry_level_change", amina, worry("WORSE", "He flinched.")))
	s.does("b1", "", setSlot("worry_level_change", ben, worry("SAME", "Nothing new.")))
	s.file("own-slots", "own: one slot a person; no conflict between slots")
	s.does("c1", "a1", setSlot("worry_level_change", amina, worry("BETTER", "I misheard.")))
	s.does("a2", "a1", setSlot("worry_level_change", amina, worry("SAME", "On reflection.")))
	s.file("own-slot-conflict", "own: two writes apart to one slot count as human")
}

func foldCollections(m *maker) {
	s := m.tale("visit_child")
	s.does("a1", "", add("child_words", 1, pair("quote", cbor.Text("I like my room.")), pair("to_whom", cbor.Text("Amina"))))
	s.does("b1", "", add("child_words", 2, pair("quote", cbor.Text("Mum sleeps a lot.")), pair("to_whom", cbor.Text("Ben"))))
	s.does("a2", "a1 b1", add("child_words", 3, pair("quote", cbor.Text("Bye.")), pair("to_whom", cbor.Text("Amina"))))
	s.file("log", "log: every entry stays, in canonical order")
	s.loose = true
	s.does("b2", "a2", edit("child_words", 1, "quote", cbor.Text("I hate my room.")), remove("child_words", 2))
	s.file("log-untouchable", "log: an edit and a removal meet nothing to act on; two no-ops are counted")
	s.does("c1", "", add("child_words", 3, pair("quote", cbor.Text("Hello.")), pair("to_whom", cbor.Text("Chidi"))))
	s.does("c2", "b2 c1", add("child_words", 3, pair("quote", cbor.Text("Bye.")), pair("to_whom", cbor.Text("Amina"))))
	s.file("log-same-id", "log: other words under the id of an entry stand beside it; the same words are said once")

	s = m.tale("visit_child")
	s.does("a1", "", add("tools_used", 1, pair("tool", cbor.Text("THREE_HOUSES"))))
	s.does("a2", "a1", remove("tools_used", 1))
	s.file("union-removed", "union: removed with knowledge of every touch, the element is gone, and shown as removed")
	s.does("b1", "a1", edit("tools_used", 1, "note", cbor.Text("drew the house of dreams")))
	s.file("union-edit-beside-removal", "union: an edit that the removal did not know of keeps the element, flagged")
	s.does("a3", "a2 b1", remove("tools_used", 1))
	s.file("union-removed-again", "union: a removal that knows of the edit removes")

	s = m.tale("plan")
	s.does("a1", "", add("rules", 1, pair("text", cbor.Text("Dad stays with Gran")), pair("who", cbor.Text("Gran"))))
	s.does("b1", "a1", remove("rules", 1))
	s.file("kept-removal", "a kept element stays in force until its removal is decided: a conflict")
	s.does("a2", "a1", edit("rules", 1, "when", cbor.Text("every night")))
	s.file("kept-removal-beside-edit", "the same beside an edit: flagged, with the editor as a side")
	s.does("c1", "a2 b1", decideElement("rules", 1, true))
	s.file("kept-removal-confirmed", "decided: gone, and the removal is marked as confirmed")

	s = m.tale("plan")
	s.does("a1", "", add("rules", 1, pair("text", cbor.Text("Dad stays with Gran"))))
	s.does("b1", "a1", remove("rules", 1))
	s.does("c1", "b1", decideElement("rules", 1, false))
	s.file("kept-removal-void", "decided: it stays, the removal is void")
	s.does("d1", "b1", decideElement("rules", 1, true))
	s.file("kept-removal-disputed", "decided apart, both ways: in force, not confirmed, and a conflict")
	s.does("c2", "c1 d1", decideElement("rules", 1, true))
	s.file("kept-removal-settled", "decided again, with knowledge of both decisions: gone")

	s = m.tale("plan")
	s.does("a1", "", add("rules", 1, pair("text", cbor.Text("No shouting"))))
	s.does("a2", "a1", edit("rules", 1, "text", cbor.Text("Nobody shouts")))
	s.does("b1", "a1", edit("rules", 1, "text", cbor.Text("Calm voices")))
	s.file("part-conflict", "a part of an element is a register: human, in conflict at [rules, element, text]")
}

func foldTexts(m *maker) {
	s := m.tale("visit_child")
	s.does("a1", "", splice("presentation", 0, 0, "Zoë was clean. She smiled."))
	s.does("a2", "a1", splice("presentation", 14, 0, " Her coat was warm."))
	s.does("b1", "a1", splice("presentation", 26, 0, " She had eaten."))
	s.file("text-apart", "text: insertions at different places merge by character")

	s = m.tale("visit_child")
	s.does("a1", "", splice("presentation", 0, 0, "()"))
	s.does("a2", "a1", splice("presentation", 1, 0, "aaa"))
	s.does("b1", "a1", splice("presentation", 1, 0, "bbb"))
	s.does("a3", "a2", splice("presentation", 4, 0, "AAA"))
	s.file("text-same-place", "text: typed at one place by two people; passages never interleave")

	s = m.tale("visit_child")
	s.does("a1", "", splice("presentation", 0, 0, "He was tired."))
	s.does("a2", "a1", splice("presentation", 7, 5, "exhausted"))
	s.does("b1", "a1", splice("presentation", 7, 5, "sleepy"))
	s.file("text-overlap", "text: both replaced the same word: both stay, the overlap is shown")
	s.does("c1", "a2 b1", decide("presentation", cbor.Null()))
	s.file("text-overlap-read", "text: somebody took note of the overlap: it is shown no more")
	s.does("b2", "b1", splice("presentation", 0, 2, "She"))
	s.file("text-overlap-again", "text: what was made apart from the reading is marked anew, with its authors alone")

	s = m.tale("visit_child")
	s.does("a1", "", splice("presentation", 0, 0, "He was tired."))
	s.does("a2", "a1", splice("presentation", 7, 5, "exhausted"))
	s.does("b1", "a1", splice("presentation", 7, 5, "sleepy"))
	s.does("b2", "a2 b1", syncproto.Op{Code: syncproto.OpConfirm, Heads: []syncproto.RecordHeads{{Record: syncproto.RecordID{15: 2},
		Heads: syncproto.MergeHeads([]syncproto.ChangeID{s.id("a2"), s.id("b1")}, nil)}}})
	s.file("text-overlap-confirmed", "text: who confirms a version with both edits in it has read the overlap")

	s = m.tale("visit_child")
	s.does("a1", "", splice("presentation", 0, 0, "Zoë had a 🧸 bear."))
	s.does("a2", "a1", splice("presentation", 10, 2, ""), splice("presentation", 0, 3, "She"))
	s.does("b1", "a1", splice("presentation", 4, 8, "held a "))
	s.does("a3", "a2 b1", splice("presentation", 0, 0, "Shy. "))
	s.file("text-attribution", "text: who wrote each span, and who deleted what, two people the same code points apart")

	s = m.tale("visit_child")
	s.does("a1", "", splice("presentation", 0, 0, "ab"))
	s.does("a2", "a1", splice("presentation", 9, 0, "words"))
	s.file("text-outside", "text: a position outside the text is moved to its end, so that no word is lost, and counted as a no-op")

	s = m.tale("visit")
	amina, ben := syncproto.ElementID(author('a')), syncproto.ElementID(author('b'))
	prose := func(slot syncproto.ElementID, ins string) syncproto.Op {
		return syncproto.Op{Code: syncproto.OpSplice, Path: syncproto.Path{Field: "setting", Element: slot}, Splices: []text.Splice{{Ins: ins}}}
	}
	s.does("a1", "", prose(amina, "Warm, tidy."))
	s.does("b1", "", prose(ben, "Cold stairs."))
	s.file("own-prose", "own: each person's prose is a text of its own")
}

func foldVerdicts(m *maker) {
	active, draft := cbor.Text("ACTIVE"), cbor.Text("DRAFT")
	s := m.tale("plan")
	s.does("a1", "", set("status", draft))
	s.does("b1", "a1", set("status", active))
	s.does("a2", "a1", set("status", cbor.Text("ENDED")))
	s.file("server-no-verdict", "server: writes without a verdict count for nothing")
	status := func(v *syncproto.Verdict) { v.Path = syncproto.Path{Field: "status"} }
	s.rules(10, syncproto.VerdictWin, "a1", status)
	s.rules(12, syncproto.VerdictWin, "b1", status)
	s.rules(13, syncproto.VerdictLose, "a2", func(v *syncproto.Verdict) { status(v); v.Code = syncproto.CodeLostToEarlier })
	s.file("server-win-and-lose", "server: the win with the highest position is in force")

	s = m.tale("visit")
	s.does("a1", "", set("place", cbor.Text("HOME")))
	s.does("b1", "a1", set("place", cbor.Text("SCHOOL")))
	s.does("b2", "b1", set("outcome", cbor.Text("COMPLETED")))
	s.rules(10, syncproto.VerdictQuarantine, "b1", func(v *syncproto.Verdict) { v.Code = syncproto.CodeNotEntitled })
	s.file("quarantine", "a quarantined change is left out, and with it what builds on it")
	s.rules(11, syncproto.VerdictAdmit, "b1", func(v *syncproto.Verdict) { v.By = author('r') })
	s.file("admitted", "the last verdict on a change counts: admitted, it is folded, and with it what builds on it")

	s = m.tale("visit")
	s.does("a1", "", set("place", cbor.Text("HOME")))
	s.does("c1", "a1", syncproto.Op{Code: syncproto.OpFinalise, Heads: s.heads("a1")})
	s.does("b1", "a1", set("place", cbor.Text("SCHOOL")))
	s.does("b2", "b1", set("outcome", cbor.Text("COMPLETED")))
	s.rules(20, syncproto.VerdictSeal, "c1", func(v *syncproto.Verdict) {
		v.By, v.Heads, v.Hash = author('c'), s.heads("a1"), sha256.Sum256([]byte("the sealed version"))
	})
	s.rules(21, syncproto.VerdictLate, "b1", func(v *syncproto.Verdict) { v.Code = syncproto.CodeLate })
	s.rules(22, syncproto.VerdictLate, "b2", func(v *syncproto.Verdict) { v.Code = syncproto.CodeLate })
	s.file("late", "what came after the seal alters nothing and is shown as proposed addenda")
	s.does("c2", "c1", syncproto.Op{Code: syncproto.OpAddendum, Text: "Mum rang back at six.", TimeMS: 1_790_000_500_000, Reason: "came after"})
	s.file("addendum", "an addendum to a final record, and the late changes")
}

func foldWorkflow(m *maker) {
	s := m.tale("visit")
	s.does("a1", "", set("place", cbor.Text("HOME")))
	s.does("a2", "a1", syncproto.Op{Code: syncproto.OpHandOver})
	s.does("c1", "a2", syncproto.Op{Code: syncproto.OpQuery, Path: syncproto.Path{Field: "place"}, To: author('a'), Text: "The new flat?"})
	s.file("query", "handed over, and a query is open")
	s.does("a3", "c1", syncproto.Op{Code: syncproto.OpAnswer, Target: s.id("c1"), Text: "Yes, number 4."},
		syncproto.Op{Code: syncproto.OpConfirm, Heads: s.heads("a2")})
	s.file("answer-and-confirm", "answered; and the author stands by what the heads name")
	s.does("c2", "a3", set("planned", cbor.Int(1_790_000_000_000)))
	s.file("confirmation-stands", "an administrative field does not shake a confirmation")
	s.does("b1", "a1", set("outcome", cbor.Text("COMPLETED")))
	s.file("confirmation-falls", "a change of substance that the confirmation did not know of does")

	s = m.tale("visit")
	s.does("c1", "", syncproto.Op{Code: syncproto.OpTypeUp, To: author('a'), Reason: "Her notes by hand of 3 May."}, syncproto.Op{Code: syncproto.OpHandOver},
		set("place", cbor.Text("HOME")))
	s.does("b1", "c1", syncproto.Op{Code: syncproto.OpConfirm, Heads: s.heads("c1"), To: author('a'), Reason: "She has left."})
	s.file("typed-up", "one person's words, typed up by another and confirmed by a third in their place")
}

func foldShapes(m *maker) {
	s := m.tale("visit")
	s.does("a1", "", set("place", cbor.Text("HOME")))
	raw := s.encode("b1", "a1", nil)
	s.raw("b1", withKey(m.t, raw, 16, unhex(m.t, "81a20117026178")))
	s.does("a2", "b1", set("outcome", cbor.Text("COMPLETED")))
	s.file("newer-app", "a change of a newer app, and what builds on it, are held: stored, shown as held, not folded")

	s = m.tale("visit")
	s.does("a1", "", set("place", cbor.Text("HOME")))
	s.does("b1", "a1", set("outcome", cbor.Text("COMPLETED")))
	s.does("b2", "b1", set("place", cbor.Text("SCHOOL")))
	s.changes = []*syncproto.Change{s.named["a1"], s.named["b2"]}
	s.file("missing-dep", "a change whose dep is not here is parked: the view is that of the rest")

	s = m.tale("visit")
	s.loose = true
	s.does("a1", "", set("place", cbor.Text("HOME")), set("no_such_field", cbor.Int(1)), edit("workers", 9, "role", cbor.Text("SW")))
	s.file("no-ops", "an op on a field or an element that does not exist is kept, does nothing, and is counted")
}

// foldDeleted has people delete, apart, all of a long text, until nothing more may
// be deleted from it than is inserted.
func foldDeleted(m *maker) {
	const length = 16 << 10
	s := m.tale("visit_child")
	s.does("a1", "", splice("presentation", 0, 0, strings.Repeat("x", length)))
	all := "a2"
	for i := range syncproto.MaxRedeleted/length + 1 {
		name := string(rune('b'+i)) + "1"
		s.does(name, "a1", splice("presentation", 0, length, ""))
		all += " " + name
	}
	s.does("a2", "a1", splice("presentation", 0, length-1, "Kept: "))
	s.does("a3", all, splice("presentation", 6, 0, "b"))
	s.does("a4", "a3", splice("presentation", 0, 2, "N"))
	s.does("a5", "a4", splice("presentation", 0, 9, ""))
	s.file("text-deleted", "text: a deletion beyond MaxRedeleted only inserts, and is counted as a no-op; one within it still deletes")
}
