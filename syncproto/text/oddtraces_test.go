package text

import (
	"bytes"
	"compress/gzip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// oddTraces are files that nobody made yet: all are valid, whatever they look
// like.
var oddTraces = map[string]string{
	"empty.json":                    `{"startContent":"","endContent":"","txns":[]}`,
	"empty-concurrent.json":         `{"kind":"concurrent","endContent":"","numAgents":0,"txns":[]}`,
	"no-cases.json":                 `[]`,
	"an-empty-case.json":            ` [{"txns":[],"endContent":""}]`,
	"spaces-first.json":             strings.Repeat("\n ", 100) + `[{"txns":[{"span":[0,1],"parents":[],"agent":"a","seqStart":0,"ops":[[0,0,"x"]]}],"endContent":"x"}]`,
	"nothing-in-it.json":            `{"startContent":"","endContent":"a","txns":[{"patches":[]},{"patches":[[0,0,""]]},{"patches":[[0,0,"a"]]},{"patches":[]}]}`,
	"starts-with-text.json":         `{"startContent":"a 😀 house","endContent":"a damp house","txns":[{"patches":[[2,1,"damp"]]}]}`,
	"unknown-fields.json":           `{"kind":"sequential","about":{"deep":[1,{"x":null}]},"startContent":"","endContent":"ab","txns":[{"time":"2021","patches":[[0,0,"ab"]],"more":[]}]}`,
	"astral.json":                   `{"startContent":"","endContent":"😀\ud83d\udc69\u200d👧","txns":[{"patches":[[0,0,"😀x👩‍👧"],[1,1,""]]}]}`,
	"deep/er/and/deeper/roots.json": `{"kind":"concurrent","endContent":"two one ","numAgents":2,"agentNames":["z","a"],"txns":[{"parents":[],"agent":0,"patches":[[0,0,"one "]]},{"parents":[],"agent":1,"patches":[[0,0,"two "]]}]}`,
	"one-agent.json":                `{"kind":"concurrent","endContent":"abc","numAgents":1,"txns":[{"parents":[],"agent":0,"patches":[[0,0,"a"]]},{"parents":[0],"agent":0,"patches":[[1,0,"b"]]},{"parents":[1,0],"agent":0,"patches":[[2,0,"c"]]}]}`,
	"parents-twice.json":            `{"kind":"concurrent","endContent":"ac","numAgents":2,"txns":[{"parents":[],"agent":0,"patches":[[0,0,"a"]]},{"parents":[0,0],"agent":1,"patches":[]},{"parents":[1,0,1],"agent":0,"patches":[[1,0,"c"]]}]}`,
	"nothing-between.json":          `{"kind":"concurrent","endContent":"xya","numAgents":3,"agentNames":["a","b","c"],"txns":[{"parents":[],"agent":0,"patches":[[0,0,"a"]]},{"parents":[],"agent":1,"patches":[]},{"parents":[1],"agent":1,"patches":[[0,0,"y"]]},{"parents":[0,2],"agent":2,"patches":[[0,0,"x"],[1,1,"y"],[2,1,"a"]]}]}`,
}

// TestOddTraces replays every odd file in every way, plain and compressed.
func TestOddTraces(t *testing.T) {
	dir := t.TempDir()
	for name, content := range oddTraces {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for file, b := range map[string][]byte{path: []byte(content), path + ".gz": packed.Bytes()} {
			if err := os.WriteFile(file, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	replayFolder(t, dir)
}

// malformedTraces are files that are no traces. Each must end the test with its
// name, which only a test of its own can show.
var malformedTraces = map[string]string{
	"parent-inside.json":   `[{"endContent":"abXc","txns":[{"span":[0,3],"parents":[],"agent":"a","seqStart":0,"ops":[[0,0,"abc"]]},{"span":[3,4],"parents":[1],"agent":"b","seqStart":0,"ops":[[2,0,"X"]]}]}]`,
	"cut-off.json":         `{"kind":"concurrent","endContent":"a","txns":[{"par`,
	"a-number.json":        `7`,
	"not-gzip.json.gz":     `{"startContent":""}`,
	"outside.json":         `{"startContent":"","endContent":"a","txns":[{"patches":[[1,0,"a"]]}]}`,
	"negative.json":        `{"startContent":"","endContent":"a","txns":[{"patches":[[0,-1,"a"]]}]}`,
	"wrong-end.json":       `{"startContent":"","endContent":"b","txns":[{"patches":[[0,0,"a"]]}]}`,
	"unknown-parent.json":  `{"kind":"concurrent","endContent":"a","txns":[{"parents":[3],"agent":0,"patches":[[0,0,"a"]]}]}`,
	"own-parent.json":      `{"kind":"concurrent","endContent":"a","txns":[{"parents":[0],"agent":0,"patches":[[0,0,"a"]]}]}`,
	"short-patch.json":     `{"startContent":"","endContent":"a","txns":[{"patches":[[0]]}]}`,
	"case-parent.json":     `[{"endContent":"x","txns":[{"span":[0,1],"parents":[9],"agent":"a","seqStart":0,"ops":[[0,0,"x"]]}]}]`,
	"case-miscounted.json": `[{"endContent":"x","txns":[{"span":[0,2],"parents":[],"agent":"a","seqStart":0,"ops":[[0,0,"x"]]}]}]`,
	"used-twice.json":      `{"kind":"concurrent","endContent":"aa","txns":[{"parents":[],"agent":0,"seq":0,"patches":[[0,0,"a"]]},{"parents":[],"agent":0,"seq":0,"patches":[[0,0,"a"]]}]}`,
}

func TestMalformedTracesAreNamed(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("runs itself once for each file: runs without the race detector")
	}
	for name, content := range malformedTraces {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		again := exec.Command(os.Args[0], "-test.run=^TestTraces$")
		again.Env = append(os.Environ(), "DOORSTEP_TRACES="+dir)
		out, err := again.CombinedOutput()
		stem, _, _ := strings.Cut(name, ".json")
		if err == nil || !strings.Contains(string(out), stem) || strings.Contains(string(out), "panic") {
			t.Errorf("%s: %v, and this does not say which file:\n%s", name, err, out)
		}
	}
}
