package bundle

import (
	"crypto/ecdh"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/frame"
)

var unitsSeed = flag.Uint("units.seed", 1, "of the random tests of the TypeScript")

// lookFor returns a program's path. Without it the test is skipped, aloud; where
// everything is to be tested (CI=true) that is a failure.
func lookFor(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("the TypeScript must be tested here, but there is no %s", program)
	}
	t.Skipf("NOT TESTED: the client's TypeScript, because there is no %s (Debian: apt-get install nodejs npm)", program)
	return ""
}

// TestUnits runs what of the TypeScript needs no browser under node, against what Go
// says of the same bytes.
func TestUnits(t *testing.T) {
	node := lookFor(t, "node")
	program := filepath.Join(t.TempDir(), "units.mjs")
	if err := script("../test/units.ts", program, ""); err != nil {
		t.Fatal(err)
	}
	given, err := json.Marshal(fixtures(t))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, program)
	cmd.Stdin = strings.NewReader(string(given))
	if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "agreed" {
		t.Fatalf("%v\n%s", err, out)
	}
}

func fixtures(t *testing.T) map[string]any {
	values := []cbor.Value{
		cbor.Null(), cbor.Bool(true), cbor.Bool(false), cbor.Int(0), cbor.Int(23), cbor.Int(24), cbor.Int(-1), cbor.Int(-25), cbor.Int(65536),
		cbor.Int(syncproto.MaxSafeInt), cbor.Int(-syncproto.MaxSafeInt), cbor.Text("Mum said: 🙂"), cbor.Bytes([]byte{0, 255}),
		cbor.List(cbor.Int(1), cbor.List(cbor.Text(strings.Repeat("x", 300)))),
		cbor.Map(cbor.Pair{Key: "b", Value: cbor.Int(1)}, cbor.Pair{Key: "aa", Value: cbor.Null()}, cbor.Pair{Key: "__proto__", Value: cbor.Int(2)}),
	}
	var encoded []string
	for _, v := range values {
		encoded = append(encoded, hex.EncodeToString(v.Encode()))
	}
	var frames []map[string]string
	for _, message := range []string{"", "short", strings.Repeat("the same words again ", 500)} {
		frames = append(frames, map[string]string{"message": hex.EncodeToString([]byte(message)),
			"wire": hex.EncodeToString(frame.Wrap([]byte(message), true))})
	}
	return map[string]any{
		"seed": *unitsSeed, "cbor": encoded, "frames": frames, "view": view(),
		"refused": []string{"", "18", "9f00ff", "6180", "f97e00", "0000", "5803aa", "a10102"},
		"outbox":  []any{outboxVector(t, "01-two"), outboxVector(t, "03-note")},
	}
}

// outboxVector is a sealed outbox of the specification, with the keys that it was sealed
// with. A browser only writes such files: the vectors of damaged ones are for readers.
func outboxVector(t *testing.T, name string) map[string][]string {
	text, err := os.ReadFile("../../../syncproto/spec/vectors/outbox/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, line := range strings.Split(strings.ReplaceAll(string(text), "\n  ", ""), "\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			out[name] = append(out[name], value)
		}
	}
	for _, name := range []string{"key", "ephemeral"} {
		for i, scalar := range out[name] {
			b, err := hex.DecodeString(scalar)
			if err != nil {
				t.Fatal(err)
			}
			key, err := ecdh.P256().NewPrivateKey(b)
			if err != nil {
				t.Fatal(err)
			}
			out[name][i] = scalar + " " + hex.EncodeToString(key.PublicKey().Bytes())
		}
	}
	return out
}

// view is one with a value, a text and a disagreement.
func view() map[string]any {
	side := func(code string) syncproto.Side { return syncproto.Side{Value: cbor.Text(code)} }
	v := &syncproto.View{Kind: "visit", Heads: []syncproto.ChangeID{{1}, {2}}, Fields: []syncproto.FieldView{
		{Field: "purpose", Text: "To see the children.", Set: true}, {Field: "visit_type", Value: cbor.Text("CP"), Set: true},
	}, Conflicts: []syncproto.Conflict{{Path: syncproto.Path{Field: "visit_type"}, Rule: "human", Sides: []syncproto.Side{side("CP"), side("CIN")}}}}
	return map[string]any{"encoded": hex.EncodeToString(v.Encode()), "heads": []string{v.Heads[0].String(), v.Heads[1].String()},
		"purpose": "To see the children.", "visitType": "CP", "sides": 2}
}
