package server

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

const exampleCaseload = "../deploy/example-caseload"

// withCaseload is a running server with the example caseload and a password for
// everybody.
func withCaseload(t *testing.T) (*running, Config) {
	t.Helper()
	cfg := begin(t)
	r := start(t, cfg)
	op, err := OpenOperator(cfg, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer op.Close()
	files, err := ZipFolder(exampleCaseload)
	if err != nil {
		t.Fatal(err)
	}
	report, err := op.Import(t.Context(), ImportFiles{Zip: files})
	if err != nil || len(report.Problems) > 0 || report.NewRecords == 0 {
		t.Fatalf("importing: %+v, %v", report, err)
	}
	for _, a := range report.NewAccounts {
		if err := op.SetPassword(t.Context(), a.Login, itPassword); err != nil {
			t.Fatal(err)
		}
	}
	return r, cfg
}

// person is somebody signed in over HTTP.
type person struct {
	t     *testing.T
	r     *running
	token string
}

func (r *running) person(t *testing.T, login string) person {
	t.Helper()
	p := person{t: t, r: r}
	var session struct {
		AccessToken string `json:"access_token"`
	}
	if status := p.call("POST", "/v1/sign-in", map[string]string{"login": login, "password": itPassword}, &session); status != http.StatusOK {
		t.Fatalf("%s cannot sign in: status %d", login, status)
	}
	p.token = session.AccessToken
	return p
}

// call sends JSON and reads JSON; it returns the status.
func (p person) call(method, path string, in, out any) int {
	p.t.Helper()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			p.t.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, p.r.url()+path, body)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if out != nil && len(b) > 0 {
		if err := json.Unmarshal(b, out); err != nil {
			p.t.Fatalf("reading %s: %v", b, err)
		}
	}
	return res.StatusCode
}

// caseloadOf lists every record that a person reads, by kind.
func (p person) caseloadOf() map[string][]string {
	p.t.Helper()
	var families struct{ Families []struct{ Family string } }
	p.call("GET", "/v1/families", nil, &families)
	out := map[string][]string{}
	for _, f := range families.Families {
		var records struct {
			Records []struct{ Record, Kind string }
		}
		if status := p.call("GET", "/v1/families/"+f.Family+"/records", nil, &records); status != http.StatusOK {
			p.t.Errorf("a family that is listed cannot be read: status %d", status)
		}
		for _, r := range records.Records {
			out[r.Kind] = append(out[r.Kind], r.Record)
		}
	}
	return out
}

func TestReadersSeeTheirCaseloadAndNobodyElse(t *testing.T) {
	r, _ := withCaseload(t)
	amina, rhys, it := r.person(t, "amina.warsame"), r.person(t, "rhys.bevan"), r.person(t, "it")
	mine := amina.caseloadOf()
	for _, kind := range []string{"family", "person", "plan"} {
		if len(mine[kind]) == 0 {
			t.Errorf("the lead worker sees no %s: %v", kind, mine)
		}
	}
	if got := it.caseloadOf(); len(got) != 0 {
		t.Errorf("IT sees records: %v", got)
	}
	checked := 0
	for _, records := range mine {
		for _, id := range records {
			var view struct {
				Fields []struct{ Field string }
				People map[string]string
			}
			if status := amina.call("GET", "/v1/records/"+id, nil, &view); status != http.StatusOK || len(view.Fields) == 0 || len(view.People) == 0 {
				t.Errorf("got status %d, %+v", status, view)
			}
			var history struct {
				Changes []struct {
					Status, Capture string
					Ops             []struct{ Op string }
				}
			}
			if status := amina.call("GET", "/v1/records/"+id+"/history", nil, &history); status != http.StatusOK ||
				len(history.Changes) == 0 || history.Changes[0].Capture != "imported" || len(history.Changes[0].Ops) == 0 {
				t.Errorf("got status %d, %+v", status, history)
			}
			for name, stranger := range map[string]person{"another team's worker": rhys, "IT": it} {
				for _, path := range []string{"", "/history", "/checklist"} {
					if status := stranger.call("GET", "/v1/records/"+id+path, nil, nil); status != http.StatusNotFound {
						t.Errorf("%s: GET %s got status %d", name, path, status)
					}
				}
				if status := stranger.call("POST", "/v1/records/"+id+"/hand-over", map[string]string{}, nil); status != http.StatusNotFound {
					t.Errorf("%s: hand-over got status %d", name, status)
				}
			}
			checked++
		}
	}
	if checked < 5 {
		t.Errorf("only %d records were checked", checked)
	}
	if strings.Contains(r.log.String(), "Pepperdine") {
		t.Error("the log names a family")
	}
}

func TestVerifyAfterACaseload(t *testing.T) {
	r, cfg := withCaseload(t)
	var lines []string
	v, err := Verify(t.Context(), cfg, nil, func(s string) { lines = append(lines, s) }, io.Discard)
	if err != nil || v.Indexed || v.Entries == 0 {
		t.Errorf("beside the server: got %+v, %v", v, err)
	}
	r.stop()
	v, err = Verify(t.Context(), cfg, nil, func(s string) { lines = append(lines, s) }, io.Discard)
	if err != nil || !v.Indexed || v.Changes < 10 || v.Records < 10 || v.Segments == 0 {
		t.Errorf("got %+v, %v", v, err)
	}
	if all := strings.Join(lines, "\n"); strings.Contains(all, "Pepperdine") || all == "" {
		t.Errorf("got report:\n%s", all)
	}
}
