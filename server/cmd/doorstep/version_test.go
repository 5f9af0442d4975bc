package main

import (
	"bytes"
	"encoding/json"
	"os"
	"runtime/debug"
	"strings"
	"testing"
)

// The list of contents names every module that is required and linked in, Go itself
// among them, in the form that tools for such lists read, and the same each time.
func TestContentsNameEveryModule(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Path: "doorstep", Version: "v1.2.3"}, Deps: []*debug.Module{
		{Path: "example.org/b", Version: "v2.0.0"},
		{Path: "example.org/old", Version: "v0.1.0", Replace: &debug.Module{Path: "example.org/new", Version: "v0.2.0"}},
	}}
	var one, two bytes.Buffer
	if err := writeContents(&one, info); err != nil {
		t.Fatal(err)
	}
	if err := writeContents(&two, info); err != nil || !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Errorf("the same build has two lists: %v", err)
	}
	var list struct {
		Format     string `json:"bomFormat"`
		Spec       string `json:"specVersion"`
		Components []struct {
			Name, Version, Purl string
		} `json:"components"`
	}
	if err := json.Unmarshal(one.Bytes(), &list); err != nil || list.Format != "CycloneDX" || list.Spec != "1.5" {
		t.Fatalf("%+v, %v", list, err)
	}
	var got []string
	for _, c := range list.Components {
		got = append(got, c.Purl)
	}
	if want := "pkg:golang/std@1.26.0 pkg:golang/example.org/b@v2.0.0 pkg:golang/example.org/new@v0.2.0"; strings.Join(got, " ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, " "), want)
	}
}

// What is linked into this build are modules that go.mod requires, and go.sum proves.
func TestContentsAreThoseOfTheModule(t *testing.T) {
	sums, err := os.ReadFile("../../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		t.Fatal("this build does not say what it is made of")
	}
	if len(info.Deps) < 20 {
		t.Errorf("%d modules are linked in, want more", len(info.Deps))
	}
	for _, m := range info.Deps {
		if !strings.Contains(string(sums), m.Path+" "+m.Version+" h1:") {
			t.Errorf("%s %s is linked in, and go.sum does not prove it", m.Path, m.Version)
		}
	}
}
