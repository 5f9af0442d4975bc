package spec_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"regexp"
	"sort"
	"strings"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/frame"
	"doorstep/syncproto/schema"
)

// TestSpecIsCurrent derives the generated parts of SPEC.md anew: the limits, the
// codes and the bytes of every worked example. Each stands between a comment
// "<!-- name -->" and the next "<!-- end -->".
func TestSpecIsCurrent(t *testing.T) {
	old, err := os.ReadFile("SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(old)
	for name, want := range specParts(t) {
		before, after, ok := strings.Cut(text, "<!-- "+name+" -->\n")
		if !ok {
			t.Fatalf("SPEC.md has no part %q", name)
		}
		_, after, ok = strings.Cut(after, "<!-- end -->")
		if !ok {
			t.Fatalf("SPEC.md: part %q has no end", name)
		}
		text = before + "<!-- " + name + " -->\n\n" + want + "\n<!-- end -->" + after
	}
	if *update {
		if err := os.WriteFile("SPEC.md", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if text != string(old) {
		t.Error("SPEC.md is not what the code says; if the change is meant, run: go test ./syncproto/spec -update")
	}
}

func specParts(t *testing.T) map[string]string {
	parts := examples(t)
	parts["limits"] = limitsTable(t)
	parts["codes"] = codesTable(t)
	return parts
}

// declared reads the constants of a file of package syncproto.
func declared(t *testing.T, name string) ([]*ast.ValueSpec, *types.Package) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "../"+name, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	pkg, err := new(types.Config).Check("syncproto", files, []*ast.File{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var specs []*ast.ValueSpec
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.ValueSpec); ok {
			specs = append(specs, s)
		}
		return true
	})
	return specs, pkg
}

// limitsTable lists the limits with the reasons that limits.go gives.
func limitsTable(t *testing.T) string {
	specs, pkg := declared(t, "limits.go")
	var b strings.Builder
	b.WriteString("| limit | value | why |\n| --- | --- | --- |\n")
	why := "" // constants that share a reason stand under it
	for _, s := range specs {
		for _, name := range s.Names {
			value := pkg.Scope().Lookup(name.Name).(*types.Const).Val()
			if s.Doc != nil {
				why = strings.Join(strings.Fields(s.Doc.Text()), " ")
			}
			n, _ := constant.Int64Val(value)
			fmt.Fprintf(&b, "| %s | %s | %s |\n", name.Name, grouped(n), why)
		}
	}
	return b.String()
}

// grouped writes a number with a comma every three digits.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func codesTable(t *testing.T) string {
	specs, pkg := declared(t, "code.go")
	var codes []syncproto.Code
	for _, s := range specs {
		n, _ := constant.Int64Val(pkg.Scope().Lookup(s.Names[0].Name).(*types.Const).Val())
		codes = append(codes, syncproto.Code(n))
	}
	sort.Slice(codes, func(i, j int) bool { return codes[i] < codes[j] })
	var b strings.Builder
	b.WriteString("| number | name | plain |\n| --- | --- | --- |\n")
	for _, c := range codes {
		fmt.Fprintf(&b, "| %d | `%s` | %s |\n", uint16(c), c.Error(), c.Plain())
	}
	return b.String()
}

// block is a fenced block of lines.
func block(lines ...string) string {
	return "```\n" + strings.Join(lines, "\n") + "\n```\n"
}

// wrapped is hex in lines of 32 bytes, the first after a label.
func wrapped(label string, b []byte) []string {
	lines := []string{}
	for i := 0; i < len(b); i += 32 {
		lines = append(lines, fmt.Sprintf("%-12s%x", label, b[i:min(i+32, len(b))]))
		label = ""
	}
	return lines
}

func examples(t *testing.T) map[string]string {
	m := &maker{t: t}
	first, second := exampleChanges(m)
	parts := map[string]string{}
	parts["example value"] = block(fmt.Sprintf("%x", cbor.Map(cbor.Pair{Key: "who", Value: cbor.Text("Dad")}).Encode()))
	parts["example body"] = block(keyLines(t, first.Raw)...)
	digest := sha256.Sum256(first.Raw)
	parts["example id"] = block(append(wrapped("digest", digest[:]), wrapped("id", first.ID[:])...)...)
	parts["example op"] = block(keyLines(t, exampleOp(t, second.Raw))...)
	parts["example second"] = block(append(wrapped("body", second.Raw), wrapped("id", second.ID[:])...)...)
	private, key := deviceKey(m)
	message := syncproto.TipMessage(second.Body.Actor, second.ID)
	signature := signES256(m, private, message)
	parts["example tip"] = block(append(append(wrapped("message", message), wrapped("key", key)...), wrapped("signature", signature)...)...)
	parts["example request"] = exampleRequest(first, second, signature)
	parts["example reply"] = exampleReply(first, second)
	part := syncproto.PartID(syncproto.RecordID{15: 1}, syncproto.RecordID{15: 2})
	parts["example part"] = block(part.String())
	parts["example view"] = exampleView(t, m)
	return parts
}

func exampleChanges(m *maker) (first, second *syncproto.Change) {
	m.t.Helper()
	b := baseBody()
	b.Ops = []syncproto.Op{set("seen_alone", cbor.Text("N"))}
	first, err := syncproto.DecodeChange(syncproto.ChangeID{}, mustEncode(m, &b))
	if err != nil {
		m.t.Fatal(err)
	}
	b.Seq, b.Salt[1], b.Deps = 2, 1, []syncproto.ChangeID{first.ID}
	b.TimeMS, b.MonotonicMS = b.TimeMS+4000, b.MonotonicMS+4000
	b.Ops = []syncproto.Op{{Code: syncproto.OpSplice, Path: syncproto.Path{Field: "presentation"}, Splices: typed("Zoë")}}
	second, err = syncproto.DecodeChange(first.ID, mustEncode(m, &b))
	if err != nil {
		m.t.Fatal(err)
	}
	return first, second
}

// keyLines shows a structure key by key, its head first.
func keyLines(t *testing.T, raw []byte) []string {
	t.Helper()
	r := cbor.NewReader(raw)
	n := r.Map()
	lines := []string{fmt.Sprintf("%x", raw[:len(raw)-r.Len()])}
	for range n {
		key, value := r.Raw(), r.Raw()
		lines = append(lines, fmt.Sprintf("  %-4x %x", key, value))
	}
	if err := r.Done(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// exampleOp takes the first op out of a body.
func exampleOp(t *testing.T, body []byte) []byte {
	t.Helper()
	r := cbor.NewReader(body)
	for range r.Map() {
		if r.Uint() == 16 {
			r.Array()
			return r.Raw()
		}
		r.Skip()
	}
	t.Fatal("no ops")
	return nil
}

func exampleRequest(first, second *syncproto.Change, signature []byte) string {
	q := syncproto.EncodeRequest(&syncproto.SyncRequest{
		Version: 1, Request: syncproto.RequestID{15: 0x11},
		Batches: []syncproto.Batch{{Device: syncproto.DeviceID{15: 5}, Actor: first.Body.Actor,
			Bodies: [][]byte{first.Raw, second.Raw}, Signature: signature}},
		Chains: []syncproto.ChainHead{{Actor: first.Body.Actor, Seq: 2, Tip: second.ID}},
	})
	wire := frame.Wrap(q, false)
	return block(append(wrapped("request", q), wrapped("frame", wire[:len(wire)-len(q)])...)...) +
		"\nThe last line is what stands before the request in the frame.\n"
}

func exampleReply(first, second *syncproto.Change) string {
	p := syncproto.EncodeReply(&syncproto.SyncReply{
		Version: 1, Request: syncproto.RequestID{15: 0x11}, Epoch: syncproto.Epoch{15: 9}, TimeMS: 1_790_000_060_000,
		Receipts: []syncproto.Receipt{
			{Change: first.ID, Status: syncproto.StatusAccepted, Durability: syncproto.DurabilityStored, Position: 41},
			{Change: second.ID, Status: syncproto.StatusAccepted, Durability: syncproto.DurabilityStored, Position: 42},
		},
		Cursor: []byte{42},
		Chains: []syncproto.ChainHead{{Actor: first.Body.Actor, Seq: 2, Tip: second.ID}},
	})
	seed := sha256.Sum256([]byte("a reply key for vectors only"))
	private := ed25519.NewKeyFromSeed(seed[:])
	message := syncproto.ReplyMessage(syncproto.DeviceID{15: 5}, p)
	signed := syncproto.EncodeSignedReply(p, ed25519.Sign(private, message))
	var lines []string
	lines = append(lines, wrapped("reply", p)...)
	lines = append(lines, wrapped("message", message)...)
	lines = append(lines, wrapped("key", private.Public().(ed25519.PublicKey))...)
	lines = append(lines, wrapped("signed", signed)...)
	return block(lines...)
}

func exampleView(t *testing.T, m *maker) string {
	s := m.tale("visit_child")
	s.does("a1", "", set("seen_alone", cbor.Text("N")))
	s.does("b1", "", set("seen_alone", cbor.Text("Y")))
	kind, _ := schema.Newest("visit_child")
	g := syncproto.NewGraph(s.changes[0].Body.Record)
	for _, c := range s.changes {
		if _, err := g.Add(c); err != nil {
			t.Fatal(err)
		}
	}
	view := syncproto.Fold(g, kind, nil).Encode()
	var lines []string
	for text := says(t, view); text != ""; {
		n := min(len(text), 100)
		for n < len(text) && text[n-1] == ' ' {
			n--
		}
		lines, text = append(lines, text[:n]), text[n:]
	}
	return block(append(append(lines, ""), wrapped("", view)...)...)
}

// TestExamplesVerify reads the examples out of the page, as a reader would, and
// checks what they claim.
func TestExamplesVerify(t *testing.T) {
	page, err := os.ReadFile("SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	get := func(part, label string) []byte { return labelled(t, string(page), part, label) }
	body, second := bodyOf(t, string(page)), get("example second", "body")
	digest := sha256.Sum256(body)
	if !bytes.Equal(digest[:], get("example id", "digest")) {
		t.Error("the digest of the body is another")
	}
	id := sha256.Sum256(append(make([]byte, 32), digest[:]...))
	if !bytes.Equal(id[:], get("example id", "id")) {
		t.Error("the id of the body is another")
	}
	digest = sha256.Sum256(second)
	next := sha256.Sum256(append(id[:], digest[:]...))
	if !bytes.Equal(next[:], get("example second", "id")) {
		t.Error("the id of the second body is another")
	}
	if !verifyES256(get("example tip", "key"), get("example tip", "message"), get("example tip", "signature")) {
		t.Error("the signature over the tip does not verify")
	}
	if _, err := syncproto.DecodeRequest(get("example request", "request")); err != nil {
		t.Errorf("the request: %v", err)
	}
	payload, signature, err := syncproto.DecodeSignedReply(get("example reply", "signed"))
	if err != nil || !bytes.Equal(payload, get("example reply", "reply")) {
		t.Errorf("the signed reply: %v", err)
	}
	if !ed25519.Verify(get("example reply", "key"), get("example reply", "message"), signature) {
		t.Error("the signature over the reply does not verify")
	}
}

func partOf(t *testing.T, page, name string) string {
	t.Helper()
	_, after, ok := strings.Cut(page, "<!-- "+name+" -->")
	part, _, end := strings.Cut(after, "<!-- end -->")
	if !ok || !end {
		t.Fatalf("no part %q", name)
	}
	return part
}

// labelled joins the lines of hex that follow a label.
func labelled(t *testing.T, page, name, label string) []byte {
	t.Helper()
	var found strings.Builder
	taking := false
	for _, line := range strings.Split(partOf(t, page, name), "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 2:
			taking = words[0] == label
		case len(words) != 1 || strings.HasPrefix(line, "`"):
			taking = false
		}
		if taking {
			found.WriteString(words[len(words)-1])
		}
	}
	return unhex(t, found.String())
}

// bodyOf joins the example body, which is shown key by key.
func bodyOf(t *testing.T, page string) []byte {
	t.Helper()
	_, text, _ := strings.Cut(partOf(t, page, "example body"), "```\n")
	text, _, _ = strings.Cut(text, "```")
	return unhex(t, strings.Join(strings.Fields(text), ""))
}

// TestCitedSectionsExist looks up every "SPEC n.n" of the source in the page.
func TestCitedSectionsExist(t *testing.T) {
	page, err := os.ReadFile("SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^##+ (\d+(?:\.\d+)?) `).FindAllStringSubmatch(string(page), -1) {
		sections[m[1]] = true
	}
	out, err := exec.Command("git", "grep", "-hoE", "--untracked", `SPEC [0-9]+(\.[0-9]+)?`, "--", ":(top)*.go", ":(top)*.ts").Output()
	if err != nil {
		t.Skipf("needs a git checkout: %v", err)
	}
	for _, cited := range strings.Fields(strings.ReplaceAll(string(out), "SPEC ", "")) {
		if !sections[cited] {
			t.Errorf("SPEC %s is cited, and is not there", cited)
		}
	}
}

// TestLinksLead checks the page's links to its own headings and neighbours.
func TestLinksLead(t *testing.T) {
	page, err := os.ReadFile("SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	anchors := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^##+ (.*)$`).FindAllStringSubmatch(string(page), -1) {
		anchor := strings.ToLower(strings.ReplaceAll(m[1], " ", "-"))
		anchors["#"+regexp.MustCompile(`[^a-z0-9-]`).ReplaceAllString(anchor, "")] = true
	}
	for _, m := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(string(page), -1) {
		link := m[1]
		if strings.HasPrefix(link, "#") {
			if !anchors[link] {
				t.Errorf("%s leads nowhere", link)
			}
		} else if _, err := os.Stat(link); err != nil {
			t.Errorf("%s leads nowhere", link)
		}
	}
}
