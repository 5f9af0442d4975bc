package bundle

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPack installs what `npm pack` makes in an empty project, compiles a program
// against its types, and loads it.
func TestPack(t *testing.T) {
	npm, node := lookFor(t, "npm"), lookFor(t, "node")
	source := installed(t)
	dir := t.TempDir()
	run := func(in, program string, args ...string) string {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Dir = in
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s%s", program, strings.Join(args, " "), err, out, stderr.Bytes())
		}
		return string(out)
	}
	packed := run(source, npm, "pack", "--silent", "--pack-destination", dir)
	lines := strings.Fields(packed)
	archive := filepath.Join(dir, lines[len(lines)-1])
	for _, name := range []string{"index.js", "index.d.ts", "worker.js", "doorstep.wasm"} {
		if files := run(dir, "tar", "-tzf", archive); !strings.Contains(files, "package/dist/"+name+"\n") {
			t.Errorf("%s is not in the package:\n%s", name, files)
		}
	}
	project, err := json.Marshal(map[string]any{"name": "somebody", "private": true, "type": "module"})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "package.json"), string(project))
	write(t, filepath.Join(dir, "app.ts"), `import { Client, newID, refTo, type View } from "@doorstep/client";
export async function begin(client: Client, family: string): Promise<View> {
  const record = newID();
  await client.edit({ record, family, kind: "visit", ops: [{ op: "set", path: { field: "visit_type" }, value: "CIN" }] });
  return client.view(record);
}
export const ref: Uint8Array = refTo(newID());
`)
	write(t, filepath.Join(dir, "load.mjs"), `import { newID, Client } from "@doorstep/client";
console.log(newID().length, typeof Client.open);`)
	run(dir, npm, "install", "--silent", "--no-audit", "--no-fund", "--offline", "--omit=dev", "--legacy-peer-deps", archive, "file:"+filepath.Join(source, "node_modules/idb"))
	run(dir, filepath.Join(source, "node_modules/.bin/tsc"), "--noEmit", "--strict", "--target", "ES2022", "--module", "ESNext",
		"--moduleResolution", "bundler", "--lib", "ES2023,DOM", "app.ts")
	if got := strings.TrimSpace(run(dir, node, "load.mjs")); got != "32 function" {
		t.Errorf("the package gives %q", got)
	}
}

// installed returns the package's folder, with what it is built from.
func installed(t *testing.T) string {
	t.Helper()
	source, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	if err := Install(source); err != nil {
		t.Fatal(err)
	}
	return source
}

// TestTypes has the compiler look at all of the TypeScript.
func TestTypes(t *testing.T) {
	lookFor(t, "npm")
	source := installed(t)
	cmd := exec.Command(filepath.Join(source, "node_modules/.bin/tsc"), "--noEmit")
	cmd.Dir = source
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
