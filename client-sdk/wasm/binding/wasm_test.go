package binding_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"doorstep/client-sdk/ts/bundle"
	"doorstep/client-sdk/wasm/binding"
	"doorstep/syncproto/cbor"
)

func node(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("the engine must be tested here as WebAssembly, but there is no node")
	}
	t.Skip("NOT TESTED: the engine as WebAssembly, because there is no node (Debian: apt-get install nodejs)")
	return ""
}

func goFile(t *testing.T, name string) string {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", name)
}

// TestVectorsAsWebAssembly runs the specification's vectors in the build that
// browsers run.
func TestVectorsAsWebAssembly(t *testing.T) {
	program := node(t)
	test := filepath.Join(t.TempDir(), "spec.wasm")
	build := exec.Command("go", "test", "-c", "-o", test, "doorstep/syncproto/spec")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(program, "--stack-size=8192", goFile(t, "wasm_exec_node.js"), test, "-test.run=^TestVectors$", "-test.v")
	cmd.Dir = "../../../syncproto/spec"
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: TestVectors")) {
		t.Errorf("%v\n%s", err, out)
	}
	if n := bytes.Count(out, []byte("    --- PASS")); n < 10 {
		t.Errorf("only %d vectors ran", n)
	}
}

// step is one call and its arguments.
type step struct {
	Op   binding.Op `json:"op"`
	Args string     `json:"args"` // hexadecimal
}

// TestModuleAnswersAsGo makes the same calls of the shipped module and of the package,
// and expects the same answers, byte for byte.
func TestModuleAnswersAsGo(t *testing.T) {
	program := node(t)
	module := filepath.Join(t.TempDir(), "doorstep.wasm")
	if err := bundle.Wasm(".", module); err != nil {
		t.Fatal(err)
	}
	steps := session()
	in, err := json.Marshal(steps)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "testdata/run.mjs", goFile(t, "wasm_exec.js"), module)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	answers := strings.Fields(string(out))
	if len(answers) != len(steps) {
		t.Fatalf("%d answers to %d calls", len(answers), len(steps))
	}
	var b binding.Binding
	done := 0
	for i, s := range steps {
		args, err := hex.DecodeString(s.Args)
		if err != nil {
			t.Fatal(err)
		}
		want := b.Call(s.Op, args)
		if answers[i] != hex.EncodeToString(want) {
			t.Errorf("call %d (op %d): the module answers %s, want %x", i, s.Op, answers[i], want)
		}
		if status(want) == 0 {
			done++
		}
	}
	if done < 15 {
		t.Errorf("only %d calls did anything", done)
	}
}

func status(answer []byte) uint64 {
	r := cbor.NewReader(answer)
	r.Array()
	return r.Uint()
}

// session is a person who begins a visit, types, looks, and does things wrong.
func session() (steps []step) {
	add := func(op binding.Op, args ...cbor.Value) {
		steps = append(steps, step{op, hex.EncodeToString(cbor.List(args...).Encode())})
	}
	id := func(n byte) cbor.Value { return cbor.Bytes(bytes.Repeat([]byte{n}, 16)) }
	now := func(s int64) cbor.Value {
		return cbor.List(cbor.Int(1_790_000_000_000+s*1000), cbor.Int(60), cbor.Int(s*1000))
	}
	path := func(field string) cbor.Value {
		return cbor.List(cbor.Text(field), cbor.Bytes(make([]byte, 16)), cbor.Text(""))
	}
	op := func(code int64, field string, value cbor.Value) cbor.Value {
		return cbor.List(cbor.Int(code), path(field), value, cbor.Null(), cbor.List(), cbor.Text(""), cbor.Text(""),
			cbor.Bytes(make([]byte, 16)), cbor.Bytes(make([]byte, 32)), cbor.Int(0), cbor.List())
	}
	record, family := id(7), id(8)
	add(binding.OpView, record) // before there is an engine
	add(binding.OpNew, cbor.Text("imaginary"), id(1), id(2), id(3))
	add(binding.OpLoad, cbor.List())
	add(binding.OpStart)
	add(binding.OpEdit, now(1), record, family, cbor.Text("visit"), cbor.Int(0), id(9), cbor.List(op(1, "visit_type", cbor.Text("CP"))))
	add(binding.OpEdit, now(1), record, family, cbor.Text("visit"), cbor.Int(0), id(9), cbor.List(op(1, "no_such_field", cbor.Text("CP"))))
	for i, words := range []string{"Seen ", "at home. ", "🙂", "\xed\xa0\xbd"} {
		add(binding.OpType, now(int64(2+i)), record, path("purpose"), cbor.Int(0), cbor.Int(0), cbor.Bytes([]byte(words)), cbor.Int(0), id(10))
	}
	add(binding.OpType, now(9), record, path("purpose"), cbor.Int(500), cbor.Int(0), cbor.Bytes([]byte("x")), cbor.Int(0), id(10))
	add(binding.OpText, record, path("purpose"))
	add(binding.OpView, record)
	add(binding.OpSave, record)
	add(binding.OpStatus, record)
	add(binding.OpProblems, record, cbor.Int(1_790_000_000_000))
	add(binding.OpHeads, record)
	add(binding.OpAuthors, record, cbor.Null())
	add(binding.OpAuthors, record, cbor.List(cbor.Bytes(make([]byte, 32)))) // a version that is not here
	for _, look := range []binding.Op{binding.OpOutbox, binding.OpMarks, binding.OpFamilies, binding.OpKinds} {
		add(look)
	}
	add(binding.OpRecords, family)
	add(binding.OpViews, family)
	add(binding.OpDigests, family)
	add(binding.OpCode, cbor.Int(51))
	add(binding.OpSync, now(20), id(11))
	add(binding.OpFailed, id(11), cbor.Int(90), cbor.Int(0), id(12))
	add(binding.OpReply, now(21), cbor.Bytes([]byte("no reply")), id(12))
	add(binding.OpRest)
	add(99)
	return steps
}

// TestCallNeverPanics gives a binding what no driver would.
func TestCallNeverPanics(t *testing.T) {
	for op := range binding.Op(40) {
		var b binding.Binding
		for _, args := range [][]byte{nil, {0x80}, {0x81, 0x40}, {0x9f}, bytes.Repeat([]byte{0xff}, 64)} {
			b.Call(binding.OpNew, cbor.List(cbor.Text("b"), cbor.Bytes(make([]byte, 16)), cbor.Bytes(make([]byte, 16)), cbor.Bytes(make([]byte, 16))).Encode())
			if got := status(b.Call(op, args)); got == 3 {
				t.Errorf("op %d with %x: a bug of ours", op, args)
			}
		}
	}
}
