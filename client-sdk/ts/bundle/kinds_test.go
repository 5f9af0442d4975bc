package bundle

import (
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the generated TypeScript anew")

const kindsFile = "../src/kinds.gen.ts"

// TestKindsAreCurrent holds that what TypeScript knows of the record kinds is what
// the schema says.
func TestKindsAreCurrent(t *testing.T) {
	want := Kinds()
	if *update {
		if err := os.WriteFile(kindsFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(kindsFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the schema says: run go test ./client-sdk/ts/bundle -update", kindsFile)
	}
}
