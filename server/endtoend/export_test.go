package endtoend

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"doorstep/server"
)

// TestExportIsVerified takes a family's records away over HTTP and checks the file with
// the borough's configuration, and with the key that its server says alone. A changed
// byte, another key and another borough are found.
func TestExportIsVerified(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1})
	lead, worker := newTablet(t, b, 0, 714), b.sits(t, login(0))
	lead.syncs()
	family, visit := lead.families()[0], lead.newRecord()
	lead.edit(family, visit, "visit", setText("visit_type", "CIN"), write("household_summary", 0, "Warm and tidy."))
	lead.syncs()
	status, file := worker.sends("", "POST", "/v1/families/"+family.String()+"/export", map[string]string{"purpose": "COURT"})
	if status != http.StatusOK {
		t.Fatalf("got %d, %s", status, file)
	}
	var about struct {
		Key string `json:"checkpoint_key"`
	}
	worker.wants(http.StatusOK, "GET", "/v1/about", nil, &about)
	for what, key := range map[string]string{"the configuration": "", "the key": about.Key} {
		got, err := server.VerifyExport(b.cfg, key, bytes.NewReader(file))
		if err != nil || got.Borough != "imaginary" || got.Family != family.String() || got.Purpose != "COURT" || got.Name == "" ||
			got.Records < 2 || got.Changes < got.Records || got.At.IsZero() || !strings.Contains(got.Checkpoint, "imaginary") {
			t.Errorf("with %s: got %+v, %v", what, got, err)
		}
	}
	spoilt := bytes.Replace(file, []byte("Warm"), []byte("Cold"), 1)
	if bytes.Equal(spoilt, file) || !json.Valid(spoilt) {
		t.Fatal("the test changes nothing")
	}
	other := newBorough(t, caseload{workers: 1, families: 1})
	for what, err := range map[string]error{
		"another word":    verified(b, "", spoilt),
		"a cut":           verified(b, "", file[:len(file)-1]),
		"another key":     verified(b, strings.Repeat("ab", 32), file),
		"another borough": verified(other, "", file),
	} {
		if !errors.Is(err, server.ErrDamaged) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if err := verified(b, "12", file); !errors.Is(err, server.ErrExportKey) {
		t.Errorf("what is no key: got %v", err)
	}
}

func verified(b *borough, key string, file []byte) error {
	_, err := server.VerifyExport(b.cfg, key, bytes.NewReader(file))
	return err
}
