package spec_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	fx "github.com/fxamacker/cbor/v2"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/frame"
	"doorstep/syncproto/schema"
)

// vector is one file of vectors/: what goes in and what must come out. Its
// fields are kept in order, since some come more than once.
type vector struct {
	name   string // "body/01-every-op.txt"
	fields []field
}

type field struct{ key, value string }

// parseVector reads a file: lines "key: value"; a line that begins with two
// spaces continues the value of the line before.
func parseVector(t *testing.T, name, text string) vector {
	t.Helper()
	v := vector{name: name}
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if more, ok := strings.CutPrefix(line, "  "); ok && len(v.fields) > 0 {
			v.fields[len(v.fields)-1].value += more
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("%s: line %d is no field: %q", name, i+1, line)
		}
		v.fields = append(v.fields, field{key, strings.TrimPrefix(value, " ")})
	}
	return v
}

// get returns a field; a missing one is empty.
func (v vector) get(key string) string {
	for _, f := range v.fields {
		if f.key == key {
			return f.value
		}
	}
	return ""
}

func (v vector) all(key string) []string {
	var out []string
	for _, f := range v.fields {
		if f.key == key {
			out = append(out, f.value)
		}
	}
	return out
}

func (v vector) bytes(t *testing.T, key string) []byte {
	t.Helper()
	return unhex(t, v.get(key))
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatalf("not hex: %v", err)
	}
	return b
}

func changeID(t *testing.T, s string) syncproto.ChangeID {
	t.Helper()
	if s == "" || s == "-" {
		return syncproto.ChangeID{}
	}
	id, err := syncproto.ParseChangeID(s)
	if err != nil {
		t.Fatalf("change id %q: %v", s, err)
	}
	return id
}

func readVectors(t *testing.T) []vector {
	t.Helper()
	var out []vector
	root := os.DirFS("vectors")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".txt" || strings.HasPrefix(name, "text/") {
			return err
		}
		b, err := fs.ReadFile(root, name)
		if err == nil {
			out = append(out, parseVector(t, name, string(b)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		t.Fatal("no vectors: the folder is empty")
	}
	return out
}

// checks says how a vector of each kind is checked: a check returns the code
// that came out and fails the test for any other difference.
func checks() map[string]func(t *testing.T, v vector) error {
	return map[string]func(t *testing.T, v vector) error{
		"value":        checkValue,
		"body":         checkBody,
		"request":      message(syncproto.DecodeRequest, syncproto.EncodeRequest),
		"reply":        message(syncproto.DecodeReply, syncproto.EncodeReply),
		"verdict":      message(syncproto.DecodeVerdict, syncproto.EncodeVerdict),
		"problem":      message(syncproto.DecodeProblem, syncproto.EncodeProblem),
		"frame":        checkFrame,
		"chain":        checkChain,
		"purge":        checkPurge,
		"signed-reply": checkSignedReply,
		"fold":         checkFold,
		"consistency":  checkConsistency,
		"checkpoint":   checkCheckpoint,
		"outbox":       checkOutbox,
	}
}

func TestVectors(t *testing.T) {
	for _, v := range readVectors(t) {
		t.Run(strings.TrimSuffix(v.name, ".txt"), func(t *testing.T) {
			check := checks()[v.get("kind")]
			if check == nil {
				t.Fatalf("unknown kind %q", v.get("kind"))
			}
			if v.get("comment") == "" || v.get("expect") == "" {
				t.Fatal("comment or expect is missing")
			}
			got := syncproto.CodeOK
			if err := check(t, v); err != nil && !errors.As(err, &got) {
				t.Fatalf("got %v, want a code", err)
			}
			if got.Error() != v.get("expect") {
				t.Errorf("got %v, want %s", got, v.get("expect"))
			}
		})
	}
}

// wantSays compares the diagnostic notation (RFC 8949 section 8) of b.
func wantSays(t *testing.T, v vector, b []byte) {
	t.Helper()
	if got := says(t, b); got != v.get("says") {
		t.Errorf("says:\n got %s\nwant %s", got, v.get("says"))
	}
}

func says(t *testing.T, b []byte) string {
	t.Helper()
	s, err := fx.Diagnose(b)
	if err != nil {
		t.Fatalf("diagnostic notation: %v", err)
	}
	return s
}

func checkValue(t *testing.T, v vector) error {
	raw := v.bytes(t, "hex")
	value, err := cbor.ParseValue(raw)
	if err != nil {
		return codeOf(err)
	}
	if !bytes.Equal(value.Encode(), raw) {
		t.Errorf("read and written: got %x, want %x", value.Encode(), raw)
	}
	wantSays(t, v, raw)
	return nil
}

// codeOf is the code that SPEC 4 gives to what a decoder met.
func codeOf(err error) error {
	switch err {
	case cbor.ErrNotCanonical:
		return syncproto.CodeNotCanonical
	case cbor.ErrTooDeep:
		return syncproto.CodeTooDeep
	case cbor.ErrTooLarge:
		return syncproto.CodeTooLarge
	case cbor.ErrBadText:
		return syncproto.CodeBadText
	case cbor.ErrBadNumber:
		return syncproto.CodeBadNumber
	}
	return syncproto.CodeMalformed
}

func checkBody(t *testing.T, v vector) error {
	raw := v.bytes(t, "hex")
	c, err := syncproto.DecodeChange(changeID(t, v.get("prev")), raw)
	if err != nil {
		return err
	}
	if got := c.ID.String(); got != v.get("id") {
		t.Errorf("id: got %s, want %s", got, v.get("id"))
	}
	wantSays(t, v, raw)
	if c.Body.NewerApp {
		return syncproto.CodeNewerApp
	}
	if v.get("unknown-keys") == "" {
		if again, err := syncproto.EncodeBody(&c.Body); err != nil || !bytes.Equal(again, raw) {
			t.Errorf("read and written: got %x, error %v", again, err)
		}
	}
	return nil
}

// message checks a decoder and its encoder.
func message[T any](decode func([]byte) (*T, error), encode func(*T) []byte) func(t *testing.T, v vector) error {
	return func(t *testing.T, v vector) error {
		raw := v.bytes(t, "hex")
		m, err := decode(raw)
		if err != nil {
			return err
		}
		if again := encode(m); v.get("unknown-keys") == "" && !bytes.Equal(again, raw) {
			t.Errorf("read and written: got %x, want %x", again, raw)
		}
		wantSays(t, v, raw)
		return nil
	}
}

func checkFrame(t *testing.T, v vector) error {
	payload, err := frame.Unwrap(v.bytes(t, "hex"))
	if err != nil {
		return err
	}
	if want := v.bytes(t, "payload"); !bytes.Equal(payload, want) {
		t.Errorf("payload: got %x, want %x", payload, want)
	}
	return nil
}

// checkChain follows a run of one actor's chain and checks the signature over
// its tip with the device's key.
func checkChain(t *testing.T, v vector) error {
	var actor syncproto.ActorID
	copy(actor[:], v.bytes(t, "actor"))
	tip := changeID(t, v.get("prev"))
	ids := v.all("id")
	for i, body := range v.all("body") {
		c, err := syncproto.DecodeChange(tip, unhex(t, body))
		if err != nil {
			return err
		}
		tip = c.ID
		if tip.String() != ids[i] {
			return syncproto.CodeIDMismatch
		}
	}
	m := syncproto.TipMessage(actor, tip)
	if got, want := hex.EncodeToString(m), v.get("message"); got != want {
		t.Errorf("message: got %s, want %s", got, want)
	}
	if !verifyES256(v.bytes(t, "key"), m, v.bytes(t, "signature")) {
		return syncproto.CodeBadSignature
	}
	return nil
}

// verifyES256 checks a signature r ‖ s by an uncompressed P-256 point.
func verifyES256(key, message, signature []byte) bool {
	if len(signature) != syncproto.SignatureBytes {
		return false
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), key)
	if err != nil {
		return false
	}
	digest := sha256.Sum256(message)
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	return ecdsa.Verify(public, digest[:], r, s)
}

// checkPurge checks the signature of the purge receipts in a request.
func checkPurge(t *testing.T, v vector) error {
	q, err := syncproto.DecodeRequest(v.bytes(t, "hex"))
	if err != nil {
		return err
	}
	var device syncproto.DeviceID
	var user syncproto.UserID
	copy(device[:], v.bytes(t, "device"))
	copy(user[:], v.bytes(t, "user"))
	m := syncproto.PurgeMessage(device, user, q.Epoch, q.Purged)
	if got, want := hex.EncodeToString(m), v.get("message"); got != want {
		t.Errorf("message: got %s, want %s", got, want)
	}
	if !verifyES256(v.bytes(t, "key"), m, q.PurgeSignature) {
		return syncproto.CodeBadSignature
	}
	return nil
}

func checkSignedReply(t *testing.T, v vector) error {
	payload, signature, err := syncproto.DecodeSignedReply(v.bytes(t, "hex"))
	if err != nil {
		return err
	}
	var device syncproto.DeviceID
	copy(device[:], v.bytes(t, "device"))
	if !ed25519.Verify(v.bytes(t, "key"), syncproto.ReplyMessage(device, payload), signature) {
		return syncproto.CodeBadSignature
	}
	if want := v.bytes(t, "payload"); !bytes.Equal(payload, want) {
		t.Errorf("payload: got %x, want %x", payload, want)
	}
	return nil
}

// checkFold folds a record's changes and verdicts in every order of arrival and
// compares the view byte by byte.
func checkFold(t *testing.T, v vector) error {
	id, version, _ := strings.Cut(v.get("schema"), " ")
	n, err := strconv.ParseUint(version, 10, 64)
	if err != nil {
		t.Fatalf("schema %q: %v", v.get("schema"), err)
	}
	kind, ok := schema.Lookup(id, n)
	if !ok {
		t.Fatalf("no schema %q", v.get("schema"))
	}
	var changes []*syncproto.Change
	for _, line := range v.all("change") {
		words := strings.Fields(line) // name, prev, body
		c, err := syncproto.DecodeChange(changeID(t, words[1]), unhex(t, words[2]))
		if err != nil {
			return err
		}
		changes = append(changes, c)
	}
	var verdicts []syncproto.Verdict
	for _, line := range v.all("verdict") {
		d, err := syncproto.DecodeVerdict(unhex(t, line))
		if err != nil {
			return err
		}
		verdicts = append(verdicts, *d)
	}
	want := v.bytes(t, "view")
	wantContent(t, v, kind, changes, verdicts)
	orders(len(changes), func(order []int) {
		if got := foldInOrder(t, kind, changes, verdicts, order); !bytes.Equal(got, want) {
			t.Fatalf("order %v: the view is\n%s\nwant\n%s", order, says(t, got), says(t, want))
		}
	})
	wantSays(t, v, want)
	if v.get("attribution") == "" {
		return nil
	}
	who := v.bytes(t, "attribution")
	orders(len(changes), func(order []int) {
		g := graphInOrder(t, changes, order)
		if got := syncproto.Attribute(g, kind, verdicts, nil).Encode(); !bytes.Equal(got, who) {
			t.Fatalf("order %v: who wrote what is\n%s\nwant\n%s", order, says(t, got), says(t, who))
		}
	})
	return nil
}

func wantContent(t *testing.T, v vector, kind *schema.Kind, changes []*syncproto.Change, verdicts []syncproto.Verdict) {
	t.Helper()
	want := v.get("content")
	if want == "" {
		return
	}
	orders(len(changes), func(order []int) {
		got := syncproto.ContentHash(syncproto.Fold(graphInOrder(t, changes, order), kind, verdicts), kind)
		if hex.EncodeToString(got[:]) != want {
			t.Fatalf("order %v: the content hash is %x, want %s", order, got, want)
		}
	})
}

func graphInOrder(t *testing.T, changes []*syncproto.Change, order []int) *syncproto.Graph {
	t.Helper()
	g := syncproto.NewGraph(changes[0].Body.Record)
	for _, i := range order {
		if _, err := g.Add(changes[i]); err != nil {
			t.Fatalf("order %v: add change %d: %v", order, i, err)
		}
	}
	return g
}

func foldInOrder(t *testing.T, kind *schema.Kind, changes []*syncproto.Change, verdicts []syncproto.Verdict, order []int) []byte {
	t.Helper()
	g := graphInOrder(t, changes, order)
	// Verdicts arrive in any order too: here in the order of the changes.
	shuffled := make([]syncproto.Verdict, len(verdicts))
	for i := range verdicts {
		shuffled[(i+order[0])%len(verdicts)] = verdicts[i]
	}
	return syncproto.Fold(g, kind, shuffled).Encode()
}

// orders visits every order of n things, or as many of them as there are things
// where there are more than six: beginning with each, and every other backwards.
func orders(n int, visit func([]int)) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	if n > 6 {
		for range n {
			visit(order)
			order = append(order[1:], order[0])
			slices.Reverse(order)
		}
		return
	}
	var permute func(k int)
	permute = func(k int) {
		if k == n {
			visit(order)
			return
		}
		for i := k; i < n; i++ {
			order[k], order[i] = order[i], order[k]
			permute(k + 1)
			order[k], order[i] = order[i], order[k]
		}
	}
	permute(0)
}
