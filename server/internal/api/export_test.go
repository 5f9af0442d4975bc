package api

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/export"
	"doorstep/syncproto"
)

// exports answers what package export would, from memory.
type exports struct{ b *testBorough }

func (e exports) Take(ctx context.Context, by audit.Acting, family syncproto.FamilyID, purpose string) ([]export.Record, error) {
	if _, err := e.b.step(purpose); err != nil {
		return nil, err
	}
	var out []export.Record
	list, err := e.b.FamilyRecords(ctx, by.User, family)
	for _, r := range list {
		history, err := e.b.History(ctx, by.User, r.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, export.Record{View: e.b.views[r.ID], History: history})
	}
	return out, err
}

// TestExport: the bytes are signed as they come, and are the document that OpenAPI
// describes.
func TestExport(t *testing.T) {
	w := newWorld(t, nil)
	w.caseload(w.addUser("jo", "practitioner"))
	token := w.signIn("jo").AccessToken
	path := "/v1/families/" + someFamily + "/export"
	a := w.postJSON(path, token, ExportRequest{Purpose: "COURT"})
	var out SignedExport
	a.wantJSON(t, http.StatusOK, &out)
	key := checkpoints{}.Signer().Public()
	b, err := export.Verify(a.body, key)
	if err != nil {
		t.Fatal(err)
	}
	var bundle ExportBundle
	if err := json.Unmarshal(b, &bundle); err != nil || bundle.Purpose != "COURT" || bundle.Family != someFamily || bundle.Name == "" ||
		bundle.Checkpoint == "" || len(bundle.Records) == 0 || len(bundle.Records[0].View.Conflicts) == 0 || len(bundle.Records[0].History) == 0 {
		t.Errorf("%v, %+v", err, bundle)
	}
	for i := 0; i < len(a.body); i += 97 {
		spoilt := append([]byte{}, a.body...)
		spoilt[i] ^= 1
		if _, err := export.Verify(spoilt, key); err == nil {
			t.Fatalf("a changed byte at %d is taken", i)
		}
	}
	if _, err := export.Verify(a.body[:len(a.body)-3], key); err == nil {
		t.Error("an export that was cut is taken")
	}
	w.postJSON(path, token, ExportRequest{Purpose: "CURIOSITY"}).wantProblem(t, http.StatusBadRequest, syncproto.CodeBadValue)
	w.borough.err = syncproto.CodeForbidden
	w.postJSON(path, token, ExportRequest{Purpose: "OTHER"}).wantProblem(t, http.StatusForbidden, syncproto.CodeForbidden)
	w.wantNoted(audit.TypeDenied, syncproto.CodeForbidden, "export")
}

func TestExportNeedsAFreshSignIn(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.StepUp = time.Nanosecond })
	w.caseload(w.addUser("jo", "practitioner"))
	token := w.signIn("jo").AccessToken
	w.postJSON("/v1/families/"+someFamily+"/export", token, ExportRequest{Purpose: "COURT"}).wantProblem(t, http.StatusForbidden, syncproto.CodeStepUp)
}
