package syncproto_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

func TestNewerVersionIsNamedBeforeAnythingElse(t *testing.T) {
	// A later protocol may change every key but the version.
	b := []byte{0xa2, 0x01, 0x02, 0x02, 0x61, 'x'}
	if _, err := syncproto.DecodeRequest(b); err != syncproto.CodeUnsupportedVersion {
		t.Errorf("got %v, want %v", err, syncproto.CodeUnsupportedVersion)
	}
}

func TestReplyLeavesOutPrevs(t *testing.T) {
	reply := sampleReply()
	whole := len(syncproto.EncodeReply(reply))
	reply.Items[3].Prev[0] ^= 1 // no longer follows the actor's change before
	if got := len(syncproto.EncodeReply(reply)) - whole; got != 35 {
		t.Errorf("a prev that does not follow costs %d bytes more, want 35", got)
	}
	again, err := syncproto.DecodeReply(syncproto.EncodeReply(reply))
	if err != nil || again.Items[3].Prev != reply.Items[3].Prev {
		t.Errorf("the prev did not survive: error %v", err)
	}
}

func TestReplyItemOfABrokenBodyKeepsItsPrev(t *testing.T) {
	reply := sampleReply()
	reply.Items = []syncproto.Item{
		{Type: syncproto.ItemChange, Prev: syncproto.ChangeID{1}, Body: []byte("no CBOR")},
		{Type: syncproto.ItemChange, Body: []byte("no CBOR")},
	}
	again, err := syncproto.DecodeReply(syncproto.EncodeReply(reply))
	if err != nil {
		t.Fatal(err)
	}
	if again.Items[0].Prev != reply.Items[0].Prev || !again.Items[1].Prev.IsZero() {
		t.Errorf("got prevs %v and %v", again.Items[0].Prev, again.Items[1].Prev)
	}
}

func TestItemsHaveTheKeysOfTheirType(t *testing.T) {
	family, verdict := syncproto.FamilyID{1}, sampleVerdict()
	tests := map[string]syncproto.Item{
		"change without body":      {Type: syncproto.ItemVerdict, Body: []byte{1}},
		"grant without basis":      {Type: syncproto.ItemGrant, Family: family},
		"grant without family":     {Type: syncproto.ItemGrant, Basis: "LEAD"},
		"purge with basis":         {Type: syncproto.ItemPurge, Family: family, Basis: "LEAD"},
		"verdict without verdict":  {Type: syncproto.ItemVerdict},
		"grant with verdict":       {Type: syncproto.ItemGrant, Family: family, Basis: "LEAD", Verdict: verdict},
		"change with family":       {Type: syncproto.ItemChange, Body: []byte{1}, Family: family},
		"type of a newer protocol": {Type: 5, Family: family},
	}
	for name, item := range tests {
		reply := sampleReply()
		reply.Items = []syncproto.Item{item}
		if _, err := syncproto.DecodeReply(syncproto.EncodeReply(reply)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestFault27AlteredBytesHaveAnotherID(t *testing.T) {
	raw, err := syncproto.EncodeBody(sampleBody())
	if err != nil {
		t.Fatal(err)
	}
	prev := syncproto.ChangeID{5}
	id := syncproto.ComputeID(prev, raw)
	for i := range raw {
		altered := bytes.Clone(raw)
		altered[i] ^= 1
		if syncproto.ComputeID(prev, altered) == id {
			t.Fatalf("byte %d does not count in the id", i)
		}
	}
	if syncproto.ComputeID(syncproto.ChangeID{6}, raw) == id {
		t.Error("prev does not count in the id")
	}
}

func TestFault28SameBytesSameID(t *testing.T) {
	raw, err := syncproto.EncodeBody(sampleBody())
	if err != nil {
		t.Fatal(err)
	}
	a, errA := syncproto.DecodeChange(syncproto.ChangeID{5}, raw)
	b, errB := syncproto.DecodeChange(syncproto.ChangeID{5}, bytes.Clone(raw))
	if errA != nil || errB != nil || a.ID != b.ID {
		t.Errorf("got ids %v and %v, errors %v and %v", a.ID, b.ID, errA, errB)
	}
}

func TestFault34TenThousandParents(t *testing.T) {
	raw, err := syncproto.EncodeBody(sampleBody())
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{65, 1000, 10_000} {
		root := parseTree(t, raw)
		deps := &tree{major: 4, arg: uint64(n)}
		for i := range n {
			id := make([]byte, 32)
			id[0], id[1] = byte(i>>8), byte(i)
			deps.items = append(deps.items, &tree{major: 2, arg: 32, data: id})
		}
		root.items[19] = deps
		want := syncproto.CodeTooManyDeps
		if n == 10_000 {
			want = syncproto.CodeTooLarge // the body as a whole
		}
		if _, err := syncproto.DecodeChange(syncproto.ChangeID{}, root.encode()); err != want {
			t.Errorf("%d parents: got %v, want %v", n, err, want)
		}
	}
}

func TestSignedMessages(t *testing.T) {
	tip := syncproto.TipMessage(syncproto.ActorID{1}, syncproto.ChangeID{2})
	if got, want := string(tip[:16]), "doorstep-tip-v1\x00"; got != want || len(tip) != 16+16+32 {
		t.Errorf("tip message: got %q and %d bytes", got, len(tip))
	}
	reply := syncproto.ReplyMessage(syncproto.DeviceID{1}, []byte("x"))
	if got, want := string(reply[:18]), "doorstep-reply-v1\x00"; got != want || len(reply) != 18+16+32 {
		t.Errorf("reply message: got %q and %d bytes", got, len(reply))
	}
	if bytes.Equal(reply, syncproto.ReplyMessage(syncproto.DeviceID{2}, []byte("x"))) {
		t.Error("a reply for one device can be shown to another")
	}
}

func TestMergeHeads(t *testing.T) {
	got := syncproto.MergeHeads([]syncproto.ChangeID{{3}, {1}}, []syncproto.ChangeID{{2}, {3}})
	want := []syncproto.ChangeID{{1}, {2}, {3}}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("got %v, want %v", got, want)
	}
}

// codeConstants returns the names of all codes declared in code.go.
func codeConstants(t *testing.T) map[string]syncproto.Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]syncproto.Code{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		var v uint16
		for _, digit := range spec.Values[0].(*ast.BasicLit).Value {
			v = 10*v + uint16(digit-'0')
		}
		codes[spec.Names[0].Name] = syncproto.Code(v)
		return true
	})
	if len(codes) < 50 {
		t.Fatalf("only %d codes found", len(codes))
	}
	return codes
}

// snake turns CodeBadID into bad_id.
func snake(name string) string {
	name = strings.TrimPrefix(name, "Code")
	name = strings.NewReplacer("OK", "Ok", "ID", "Id").Replace(name)
	var b strings.Builder
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			c += 'a' - 'A'
		}
		b.WriteRune(c)
	}
	return b.String()
}

func TestEveryCodeHasItsWords(t *testing.T) {
	seen := map[string]string{}
	for constant, code := range codeConstants(t) {
		if got, want := code.Error(), snake(constant); got != want {
			t.Errorf("%s: got name %q, want %q", constant, got, want)
		}
		plain := code.Plain()
		if len(plain) < 20 || len(plain) > 200 || !strings.HasSuffix(plain, ".") {
			t.Errorf("%s: plain words are not a sentence of a tolerable length: %q", constant, plain)
		}
		if other := seen[plain]; other != "" {
			t.Errorf("%s and %s have the same words", constant, other)
		}
		seen[plain] = constant
	}
	if got := syncproto.Code(9999).Error(); got != "unknown" {
		t.Errorf("a code of a newer server: got %q, want unknown", got)
	}
}

// TestViewHoldsTheDeepestValue: whatever a body may hold, the view that shows it
// can be read back, the late change of a newer schema included.
func TestViewHoldsTheDeepestValue(t *testing.T) {
	deep := cbor.Int(1)
	for range syncproto.MaxValueDepth - 1 {
		deep = cbor.List(deep)
	}
	body := sampleBody()
	body.Kind, body.Deps, body.Record = "story", nil, storyRecord
	body.Ops = []syncproto.Op{
		{Code: syncproto.OpAdd, Path: syncproto.Path{Field: "rules", Element: elem(1)}, Value: cbor.Map(cbor.Pair{Key: "rule", Value: deep})},
		{Code: syncproto.OpSet, Path: syncproto.Path{Field: "rules", Element: elem(1), Sub: "rule"}, Value: cbor.List(deep)},
		{Code: syncproto.OpSet, Path: syncproto.Path{Field: "of_a_newer_schema"}, Value: cbor.List(deep)},
	}
	raw, err := syncproto.EncodeBody(body)
	if err != nil {
		t.Fatal(err)
	}
	c, err := syncproto.DecodeChange(syncproto.ChangeID{}, raw)
	if err != nil {
		t.Fatal(err)
	}
	g := syncproto.NewGraph(storyRecord)
	if _, err := g.Add(c); err != nil {
		t.Fatal(err)
	}
	late := syncproto.Verdict{Kind: syncproto.VerdictLate, Record: storyRecord, Change: c.ID}
	for name, verdicts := range map[string][]syncproto.Verdict{"folded": nil, "late": {late}} {
		view := syncproto.Fold(g, storyKind, verdicts)
		back, err := syncproto.DecodeView(view.Encode())
		if err != nil || !bytes.Equal(back.Encode(), view.Encode()) {
			t.Errorf("%s: the view does not survive: %v", name, err)
		}
	}
}
