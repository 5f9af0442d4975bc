package endtoend

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"doorstep/client-sdk/device"
	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// lossy is somebody at a desk, by the SDK, on a line that loses the first answer to
// whatever is posted under a name, after the server has given it.
type lossy struct {
	*device.Client
	t    *testing.T
	lost map[string][]byte // by name: the answer that never came
	did  map[string]bool   // paths with ids left out
	user string
}

// at signs a person in on such a line.
func (b *borough) at(t *testing.T, login string, did map[string]bool) *lossy {
	t.Helper()
	d := b.sits(t, login)
	l := &lossy{t: t, lost: map[string][]byte{}, did: did, user: d.user}
	line := newLine(b)
	t.Cleanup(line.http.CloseIdleConnections)
	client, err := device.NewClient(base, line.http)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.SignIn(t.Context(), login, password, syncproto.DeviceID{}); err != nil {
		t.Fatal(err)
	}
	line.between(l.loses)
	l.Client = client
	return l
}

// loses takes the first answer to a named request away, and holds the second to it.
func (l *lossy) loses(r *http.Request, network http.RoundTripper) (*http.Response, error) {
	res, err := network.RoundTrip(r)
	name := r.Header.Get("Idempotency-Key")
	if err != nil || name == "" || res.StatusCode/100 != 2 {
		return res, err
	}
	answer, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return nil, err
	}
	first, again := l.lost[name]
	if !again {
		l.lost[name] = answer
		l.did[generic(r.URL.Path)] = true
		return nil, errCut
	}
	if !bytes.Equal(first, answer) {
		l.t.Errorf("%s was answered with %s, and when it was asked again with %s", r.URL.Path, first, answer)
	}
	res.Body = io.NopCloser(bytes.NewReader(answer))
	return res, nil
}

// generic is a path with its ids left out.
func generic(path string) string {
	return regexp.MustCompile(`/[0-9a-f]{32,}`).ReplaceAllString(path, "/{id}")
}

// posts has something done and reads the answer into out.
func (l *lossy) posts(path string, in, out any) {
	l.t.Helper()
	if err := l.Post(l.t.Context(), syncproto.RequestID{}, path, in, out); err != nil {
		l.t.Fatalf("%s: %v", path, err)
	}
}

// page is a record as the JSON API shows it, as far as it matters here.
type page struct {
	Heads    []string `json:"heads"`
	Workflow struct {
		Queries   []struct{ ID string } `json:"queries"`
		Confirmed []struct{}            `json:"confirmed"`
	} `json:"workflow"`
	Addenda []struct{ Late bool } `json:"addenda"` // corrections among them
	Seal    *struct{}             `json:"seal"`
}

func (l *lossy) page(record syncproto.RecordID) (p page) {
	l.t.Helper()
	if err := l.Get(l.t.Context(), "/v1/records/"+record.String(), &p); err != nil {
		l.t.Fatal(err)
	}
	return p
}

func (l *lossy) heads(record syncproto.RecordID) map[string]any {
	return map[string]any{"heads": []map[string]any{{"record": record.String(), "heads": l.page(record).Heads}}}
}

// TestFault63AnswersOfTheWorkflowAreLost takes a record to its end and a file through
// every door, with the answer to each act lost after the server had carried it out:
// each is sent again, answered alike, and was done once. The routes are those that the
// API's own document says to be safe so.
func TestFault63AnswersOfTheWorkflowAreLost(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 3, families: 2, manager: true, coord: true, plans: true, works: func(worker, _ int) bool { return worker < 2 }})
	did := map[string]bool{}
	lead, co := newTablet(t, b, 0, 631), newTablet(t, b, 1, 632)
	author, coord, manager := b.at(t, login(0), did), b.at(t, "coordinator", did), b.at(t, "manager", did)
	lead.syncs()
	co.syncs()
	cover, grant := b.covers(t, lead.families()[0], manager)
	record, late := losesAnswersToFinal(t, lead, co, author, coord)
	author.posts("/v1/records/"+record.String()+"/accept-late", map[string]string{"change": late.String(), "text": ""}, nil)
	minutes := losesAnswersOfMinutes(lead.families()[0], coord, author)
	manager.posts("/v1/records/"+minutes.String()+"/misfile", map[string]any{"to": lead.families()[1].String(), "reason": "The other family met."}, nil)
	got := author.page(record)
	if len(got.Workflow.Queries) != 2 || len(got.Workflow.Confirmed) != 1 || got.Seal == nil || len(got.Addenda) != 5 {
		t.Errorf("the record says %+v, want a query and a proposal, one confirmation and seal, and an addendum, a correction, a challenge, what came late and that accepted", got)
	}
	b.losesAnswersInCustody(t, cover, grant, record, manager)
	b.losesAnswersAtDoors(t, lead.families()[0], manager, did)
	b.losesAnswersOfErasures(t, record, did)
	b.wantAllRepeatable(t, did)

	// What was done is known after a restart as well, to who asked, with what they asked.
	family, review := lead.families()[1], time.Now().Add(24*time.Hour).UnixMilli()
	shut := map[string]any{"category": "REVIEW", "reason": "a review", "review_ms": review}
	id, path := device.NewRequestID(), "/v1/families/"+family.String()+"/restrict"
	if err := manager.Post(t.Context(), id, path, shut, nil); err != nil {
		t.Fatal(err)
	}
	officer := b.at(t, "officer", did)
	officer.posts("/v1/families/"+family.String()+"/lift", map[string]string{"category": "REVIEW", "reason": "it is over"}, nil)
	b.stop()
	b.start(t)
	if err := manager.Post(t.Context(), id, path, shut, nil); err != nil {
		t.Errorf("asked again after a restart: %v", err)
	}
	shut["reason"] = "another one"
	if err := manager.Post(t.Context(), id, path, shut, nil); !errors.Is(err, syncproto.CodeBadValue) {
		t.Errorf("something else under the same name: got %v", err)
	}
	var list struct{ Restrictions []struct{} }
	if err := officer.Get(t.Context(), "/v1/restrictions", &list); err != nil || len(list.Restrictions) != 0 {
		t.Errorf("a request that was repeated after its restriction was lifted restricts again: %+v, %v", list, err)
	}
	wantBadNamesRefused(t, b, path)
}

// losesAnswersToFinal takes a record to its seal and beyond, and returns what came late.
func losesAnswersToFinal(t *testing.T, lead, co *tablet, author, coord *lossy) (syncproto.RecordID, syncproto.ChangeID) {
	t.Helper()
	family, record := lead.families()[0], lead.newRecord()
	focus := func(words string) syncproto.Op { return setText("focus", words) }
	whom := lead.someone(family)
	lead.edit(family, record, "motivational", syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: "person"}, Value: cbor.Bytes(whom[:])},
		setText("held_on", "2026-11-02"), focus("Bedtimes"))
	lead.syncs()
	co.syncs()
	co.edit(family, record, "motivational", focus("Drinking"))
	lead.edit(family, record, "motivational", focus("Mornings"))
	co.syncs()
	lead.syncs()

	path := "/v1/records/" + record.String()
	author.posts(path+"/edit", map[string]any{"path": map[string]string{"field": "held_on"}, "value": "2026-11-03", "seen": author.page(record).Heads}, nil)
	author.posts(path+"/hand-over", map[string]string{}, nil)
	var query, proposal struct{ Change string }
	coord.posts(path+"/query", map[string]any{"to": author.user, "text": "Which of the two?"}, &query)
	author.posts(path+"/answer", map[string]any{"query": query.Change, "text": "Mornings."}, nil)
	coord.posts(path+"/propose", map[string]any{"path": map[string]string{"field": "held_on"}, "value": "2026-11-04", "words": "4 November 2026",
		"reason": "The diary says so.", "to": author.user}, &proposal)
	author.posts(path+"/answer", map[string]any{"query": proposal.Change, "text": "No, the third."}, nil)
	author.posts(path+"/decide", map[string]any{"path": map[string]string{"field": "focus"}, "value": "Mornings", "reason": "She says so.", "seen": author.page(record).Heads}, nil)
	author.posts(path+"/confirm", author.heads(record), nil)
	co.syncs() // for what comes late below
	coord.posts(path+"/finalise", coord.heads(record), nil)
	author.posts(path+"/addendum", map[string]any{"text": "She rang.", "reason": "She rang today."}, nil)
	author.posts(path+"/correct", map[string]any{"path": map[string]string{"field": "focus"}, "old": "Mornings", "new": "Early mornings", "reason": "Her words."}, nil)
	author.posts(path+"/rectify", map[string]any{"who": "Her mother", "says": "It was not so."}, nil)
	late := co.edit(family, record, "motivational", setText("process", "EVOKE"))
	co.syncs()
	co.wantMarkOf(late, syncproto.StatusLate)
	return record, late
}

// losesAnswersOfMinutes has a coordinator type up the minutes of a meeting for a worker.
func losesAnswersOfMinutes(family syncproto.FamilyID, coord, author *lossy) syncproto.RecordID {
	var begun struct{ Record string }
	coord.posts("/v1/families/"+family.String()+"/type-up", map[string]any{"kind": "minutes", "for": author.user, "source": "my notes", "capture": "typed"}, &begun)
	id, err := syncproto.ParseID(begun.Record)
	if err != nil {
		coord.t.Fatal(err)
	}
	record, path := syncproto.RecordID(id), "/v1/records/"+begun.Record
	coord.posts(path+"/fill", map[string]any{"seen": coord.page(record).Heads, "sets": []map[string]any{{"path": map[string]string{"field": "meeting"}, "value": "Core group"}}}, nil)
	coord.posts(path+"/enter", map[string]any{"seen": coord.page(record).Heads, "field": "attendees", "entries": []any{map[string]any{"value": map[string]string{"name": "The school nurse"}}}}, nil)
	return record
}

// someone is a person of a family.
func (b *tablet) someone(family syncproto.FamilyID) (id syncproto.RecordID) {
	b.t.Helper()
	if err := b.Read(func(e *engine.Engine) {
		for _, r := range e.Records(family) {
			if v, err := e.Fold(r); err == nil && v.Kind == "person" {
				id = r
			}
		}
	}); err != nil || syncproto.ID(id).IsZero() {
		b.t.Fatalf("nobody in the family: %v", err)
	}
	return id
}

// covers has a third worker cover a family, with its records on their tablet.
func (b *borough) covers(t *testing.T, family syncproto.FamilyID, manager *lossy) (cover *tablet, grant string) {
	t.Helper()
	cover = newTablet(t, b, 2, 633)
	var given struct{ Grant string }
	manager.posts("/v1/families/"+family.String()+"/grants", map[string]any{"user": cover.id.User.String(), "basis": "COVER", "reason": "leave",
		"to_ms": time.Now().Add(time.Hour).UnixMilli()}, &given)
	cover.syncs()
	return cover, given.Grant
}

// losesAnswersInCustody takes cover back from a worker who has written in three records
// since, and decides about the three differently.
func (b *borough) losesAnswersInCustody(t *testing.T, cover *tablet, grant string, final syncproto.RecordID, manager *lossy) {
	t.Helper()
	family := cover.families()[0]
	toFinal := cover.edit(family, final, "motivational", setText("process", "PLAN"))
	kept := cover.edit(family, cover.newRecord(), "visit", setText("visit_type", "CP"))
	let := cover.edit(family, cover.newRecord(), "visit", setText("visit_type", "CIN"))
	manager.posts("/v1/grants/"+grant+"/withdraw", map[string]string{"reason": "she is back"}, nil)
	cover.wantPurged(b)
	manager.posts("/v1/custody/"+toFinal.String()+"/addendum", nil, nil)
	manager.posts("/v1/custody/"+kept.String()+"/keep", map[string]string{"reason": "of another family"}, nil)
	manager.posts("/v1/custody/"+let.String()+"/admit", nil, nil)
	var list struct{ Waiting, Kept int }
	if err := manager.Get(t.Context(), "/v1/custody", &list); err != nil || list.Waiting != 0 || list.Kept != 1 {
		t.Errorf("custody: %+v, %v; want one kept and none that waits", list, err)
	}
}

// losesAnswersAtDoors restricts and lifts, opens and reviews.
func (b *borough) losesAnswersAtDoors(t *testing.T, family syncproto.FamilyID, manager *lossy, did map[string]bool) {
	t.Helper()
	for login, role := range map[string]string{"officer": "ig_officer", "guardian": "ig_officer", "owen": "edt"} {
		b.hires(t, login, role)
	}
	officer, owen := b.at(t, "officer", did), b.at(t, "owen", did)
	path := "/v1/families/" + family.String()
	officer.posts(path+"/restrict", map[string]any{"category": "STAFF", "reason": "her aunt", "review_ms": time.Now().Add(24 * time.Hour).UnixMilli()}, nil)
	officer.posts(path+"/lift", map[string]string{"category": "STAFF", "reason": "she left"}, nil)
	var opening struct{ Opening string }
	owen.posts("/v1/break-glass", map[string]string{"family": family.String(), "code": "HOSPITAL", "text": "at the ward"}, &opening)
	manager.posts("/v1/break-glass/"+opening.Opening+"/review", map[string]string{"finding": "JUSTIFIED", "note": "right"}, nil)
	var counts struct{ Counts []struct{ Opened int } }
	if err := officer.Get(t.Context(), "/v1/break-glass/counts", &counts); err != nil || len(counts.Counts) != 1 || counts.Counts[0].Opened != 1 {
		t.Errorf("openings: %+v, %v; want one", counts, err)
	}
}

// losesAnswersOfErasures holds a record, lets it go, and has its erasure refused and
// then done.
func (b *borough) losesAnswersOfErasures(t *testing.T, record syncproto.RecordID, did map[string]bool) {
	t.Helper()
	officer, guardian := b.at(t, "officer", did), b.at(t, "guardian", did)
	var of struct{ Family string }
	if err := b.at(t, "manager", did).Get(t.Context(), "/v1/records/"+record.String(), &of); err != nil {
		t.Fatal(err)
	}
	var hold struct{ Hold string }
	officer.posts("/v1/holds", map[string]any{"family": of.Family, "kind": "legal", "reason": "an inquiry"}, &hold)
	officer.posts("/v1/holds/"+hold.Hold+"/lift", map[string]string{"reason": "it is over"}, nil)
	ask := map[string]any{"scope": "record", "record": record.String(), "basis": "unlawful", "reason": "of another family"}
	for _, becomes := range []string{"refuse", "confirm"} {
		var asked struct{ Erasure string }
		officer.posts("/v1/erasures", ask, &asked)
		guardian.posts("/v1/erasures/"+asked.Erasure+"/"+becomes, nil, nil)
	}
	var list struct{ Erasures []struct{ State string } }
	if err := officer.Get(t.Context(), "/v1/erasures", &list); err != nil || len(list.Erasures) != 2 {
		t.Errorf("erasures: %+v, %v; want one refused and one done", list, err)
	}
}

// wantAllRepeatable holds that every route that the API's document says to take a name
// lost an answer.
func (b *borough) wantAllRepeatable(t *testing.T, did map[string]bool) {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			Parameters []struct{ Name string }
		}
	}
	b.sits(t, "manager").wants(http.StatusOK, "GET", "/v1/openapi.json", nil, &doc)
	routes := 0
	for path, methods := range doc.Paths {
		for _, p := range methods["post"].Parameters {
			if p.Name != "Idempotency-Key" {
				continue
			}
			if routes++; !did[path] {
				t.Errorf("no answer of %s was lost", path)
			}
		}
	}
	if routes < 20 {
		t.Errorf("%d routes carry a request out once, want all that decide something", routes)
	}
}

// wantBadNamesRefused sends names of another form.
func wantBadNamesRefused(t *testing.T, b *borough, path string) {
	t.Helper()
	d := b.sits(t, "manager")
	for _, name := range []string{"x", strings.Repeat("0", 32), `"` + strings.Repeat("0", 32) + `"`, `"` + strings.Repeat("A", 32) + `"`, `"` + strings.Repeat("1", 31) + `"`} {
		if status, answer := d.sends(name, "POST", path, map[string]string{}); status != http.StatusBadRequest || !bytes.Contains(answer, []byte("malformed")) {
			t.Errorf("name %s: got status %d, %s", name, status, answer)
		}
	}
}
