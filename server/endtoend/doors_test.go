package endtoend

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"doorstep/client-sdk/device"
	"doorstep/client-sdk/engine"
	"doorstep/server"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// desk is somebody signed in without a tablet.
type desk struct {
	t     *testing.T
	b     *borough
	token string
	user  string
}

// sits gives a person a password and signs them in.
func (b *borough) sits(t *testing.T, login string) desk {
	t.Helper()
	if err := b.op.SetPassword(t.Context(), login, password); err != nil {
		t.Fatal(err)
	}
	d := desk{t: t, b: b}
	var session struct {
		AccessToken string `json:"access_token"`
		User        string `json:"user"`
	}
	d.wants(http.StatusOK, "POST", "/v1/sign-in", map[string]string{"login": login, "password": password}, &session)
	d.token, d.user = session.AccessToken, session.User
	return d
}

// hires adds somebody in a role and signs them in.
func (b *borough) hires(t *testing.T, login, role string) desk {
	t.Helper()
	if _, err := b.op.AddUser(t.Context(), server.NewUser{Login: login, Name: login, Role: role, Password: password}); err != nil {
		t.Fatal(err)
	}
	return b.sits(t, login)
}

// wants makes a call and fails the test for another status. Of whatever does
// something the answer is lost once: the call is made again under the same name.
func (d desk) wants(status int, method, path string, in, out any) {
	d.t.Helper()
	name := ""
	if method == "POST" && d.token != "" {
		name = `"` + syncproto.ID(device.NewRequestID()).String() + `"`
	}
	got, answer := d.sends(name, method, path, in)
	if name != "" && got/100 == 2 {
		again, same := d.sends(name, method, path, in)
		if again != got || !bytes.Equal(same, answer) {
			d.t.Fatalf("%s %s: got %d with %s, and when it was asked again %d with %s", method, path, got, answer, again, same)
		}
	}
	if got != status {
		d.t.Fatalf("%s %s: got status %d, want %d: %s", method, path, got, status, answer)
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			d.t.Fatalf("reading %s: %v", answer, err)
		}
	}
}

// sends makes a call under a name; empty: none.
func (d desk) sends(name, method, path string, in any) (status int, answer []byte) {
	d.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		d.t.Fatal(err)
	}
	if in == nil {
		body = nil
	}
	req, err := http.NewRequestWithContext(d.t.Context(), method, "http://"+d.b.address()+path, bytes.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if d.token != "" {
		req.Header.Set("Authorization", "Bearer "+d.token)
	}
	if name != "" {
		req.Header.Set("Idempotency-Key", name)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	if answer, err = io.ReadAll(res.Body); err != nil {
		d.t.Fatal(err)
	}
	return res.StatusCode, answer
}

// closed is a tablet that shows nothing, and whose purges are done.
func (b *tablet) wantPurged(s *borough) {
	b.t.Helper()
	b.syncs()
	b.wantEmptyOutbox()
	if shown := b.folds(); len(shown) != 0 {
		b.t.Errorf("%s still shows %d records", b.login, len(shown))
	}
	if d := s.device(b.t, b); d.PurgesOwed != 0 {
		b.t.Errorf("%s owes %d purges", b.login, d.PurgesOwed)
	}
}

// A file is restricted while two workers carry it: both tablets send what they have
// not sent into custody and purge; who is let in by name reads it online and carries
// nothing; when the restriction is lifted the whole history comes back, and the words
// in custody are for the manager.
func TestFault67RestrictionOverHTTP(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 2, families: 1, manager: true})
	officer, manager := b.hires(t, "ida", "ig_officer"), b.sits(t, "manager")
	one, two := newTablet(t, b, 0, 671), newTablet(t, b, 1, 672)
	one.syncs()
	family, visit := one.families()[0], one.newRecord()
	one.edit(family, visit, "visit", setText("visit_type", "CIN"), write("household_summary", 0, "Before."))
	one.syncs()
	two.syncs()
	before := two.folds()
	unsent := one.edit(family, visit, "visit", write("household_summary", 0, "Never sent before the file was shut. "))

	path := "/v1/families/" + family.String()
	review := map[string]any{"category": "STAFF", "reason": "her aunt works here", "review_ms": time.Now().Add(24 * time.Hour).UnixMilli()}
	worker := b.sits(t, login(0))
	worker.wants(http.StatusNotFound, "POST", path+"/restrict", review, nil)
	officer.wants(http.StatusNoContent, "POST", path+"/restrict", review, nil)
	one.wantPurged(b)
	two.wantPurged(b)
	one.wantMark(unsent, syncproto.StatusQuarantined, syncproto.CodeNotEntitled)
	worker.wants(http.StatusNotFound, "GET", "/v1/records/"+visit.String(), nil, nil)
	officer.wants(http.StatusOK, "POST", path+"/grants", map[string]any{"user": worker.user, "basis": "NAMED", "reason": "she is on the case",
		"to_ms": time.Now().Add(time.Hour).UnixMilli()}, nil)
	worker.wants(http.StatusOK, "GET", "/v1/records/"+visit.String(), nil, nil)
	one.wantPurged(b) // online only

	officer.wants(http.StatusNoContent, "POST", path+"/lift", map[string]string{"category": "STAFF", "reason": "the aunt has left"}, nil)
	two.syncs()
	if after := two.folds(); !maps.Equal(before, after) {
		t.Errorf("after it was lifted: got %d records, want the %d from before", len(after), len(before))
	}
	one.syncs()
	manager.wantCustody(t, unsent, "not_entitled")
	manager.wants(http.StatusNoContent, "POST", "/v1/custody/"+unsent.String()+"/admit", nil, nil)
	one.syncs()
	two.syncs()
	wantSameFolds(t, two.login, one.folds(), two.folds())
	b.stop()
	wantSame(t, openData(t, b.cfg), one, two)
}

// wantCustody looks for one change that waits, and reads its words.
func (d desk) wantCustody(t *testing.T, id syncproto.ChangeID, why string) {
	t.Helper()
	var list struct {
		Changes []struct {
			Change string `json:"change"`
			Name   string `json:"name"`
			May    bool   `json:"may_review"`
			Bytes  int64  `json:"bytes"`
		} `json:"changes"`
	}
	d.wants(http.StatusOK, "GET", "/v1/custody", nil, &list)
	if len(list.Changes) != 1 || list.Changes[0].Change != id.String() || list.Changes[0].Name != why || !list.Changes[0].May || list.Changes[0].Bytes == 0 {
		t.Fatalf("got %+v, want %s, %s", list, id, why)
	}
	var words struct {
		Ops []any `json:"ops"`
	}
	d.wants(http.StatusOK, "GET", "/v1/custody/"+id.String(), nil, &words)
	if len(words.Ops) == 0 {
		t.Error("the words are not there")
	}
}

// A grant for cover puts a file onto a tablet, whole; taken back it goes again, with
// what was not sent into custody, where a manager keeps it away and changes their
// mind; given again everything comes back, and the words are offered anew.
func TestFault68GrantsOverHTTP(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 2, families: 1, manager: true, works: func(worker, _ int) bool { return worker == 0 }})
	manager, coverer := b.sits(t, "manager"), b.sits(t, login(1))
	lead, cover := newTablet(t, b, 0, 681), newTablet(t, b, 1, 682)
	lead.syncs()
	family, visit := lead.families()[0], lead.newRecord()
	lead.edit(family, visit, "visit", setText("visit_type", "CIN"), write("household_summary", 0, "The flat was warm."))
	lead.syncs()
	cover.syncs()
	if len(cover.folds()) != 0 {
		t.Fatal("the file is on a tablet before the grant")
	}
	give := func() string {
		var grant struct {
			Grant string `json:"grant"`
		}
		manager.wants(http.StatusOK, "POST", "/v1/families/"+family.String()+"/grants", map[string]any{"user": coverer.user, "basis": "COVER",
			"reason": "leave", "to_ms": time.Now().Add(time.Hour).UnixMilli()}, &grant)
		return grant.Grant
	}
	grant := give()
	cover.syncs()
	wantSameFolds(t, cover.login, lead.folds(), cover.folds())
	unsent := cover.edit(family, visit, "visit", write("household_summary", 0, "Written on cover. "))

	manager.wants(http.StatusNoContent, "POST", "/v1/grants/"+grant+"/withdraw", map[string]string{"reason": "back from leave"}, nil)
	cover.wantPurged(b)
	cover.wantMark(unsent, syncproto.StatusQuarantined, syncproto.CodeNotEntitled)
	manager.wantCustody(t, unsent, "not_entitled")
	manager.wants(http.StatusNoContent, "POST", "/v1/custody/"+unsent.String()+"/keep", map[string]string{"reason": "It is about the neighbours."}, nil)
	cover.syncs()
	cover.wantMark(unsent, syncproto.StatusQuarantined, syncproto.CodeKeptAway)

	give()
	cover.syncs()
	wantSameFolds(t, cover.login, lead.folds(), cover.folds())
	anew := cover.edit(family, visit, "visit", write("household_summary", 0, "Offered anew. "))
	cover.syncs()
	cover.wantMarked(unsent, anew)
	manager.wants(http.StatusNoContent, "POST", "/v1/custody/"+unsent.String()+"/admit", nil, nil)
	lead.syncs()
	cover.syncs()
	wantSameFolds(t, cover.login, lead.folds(), cover.folds())
	custody, err := b.op.Custody(t.Context())
	if err != nil || len(custody.Changes) != 0 {
		t.Errorf("still in custody: %+v, %v", custody, err)
	}
	b.stop()
	wantSame(t, openData(t, b.cfg), lead, cover)
}

// wantMarked checks that of two own changes the first has a remark and the second
// simply became part of its record.
func (b *tablet) wantMarked(remark, plain syncproto.ChangeID) {
	b.t.Helper()
	marks := map[syncproto.ChangeID]bool{}
	if err := b.Read(func(e *engine.Engine) {
		for _, m := range e.Marks() {
			marks[m.Change] = true
		}
	}); err != nil {
		b.t.Fatal(err)
	}
	if !marks[remark] || marks[plain] {
		b.t.Errorf("got marks %v, want one on %s and none on %s", marks, remark, plain)
	}
}

// In an emergency somebody on duty reads a file online and records the emergency
// visit: nothing of the file comes to their tablet, nothing that was there do they
// change, and a second person closes it.
func TestBreakGlassOverHTTP(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1, manager: true})
	manager, duty := b.sits(t, "manager"), b.hires(t, "owen", "edt")
	lead := newTablet(t, b, 0, 701)
	lead.syncs()
	family, visit := lead.families()[0], lead.newRecord()
	lead.edit(family, visit, "visit", setText("visit_type", "CIN"))
	lead.syncs()
	theirs := newTabletFor(t, b, "owen", 702)
	record := "/v1/records/" + visit.String()
	duty.wants(http.StatusNotFound, "GET", record, nil, nil)
	var opening struct {
		ID string `json:"opening"`
	}
	duty.wants(http.StatusOK, "POST", "/v1/break-glass", map[string]string{"family": family.String(), "code": "HOSPITAL", "text": "a child at the hospital"}, &opening)
	duty.wants(http.StatusOK, "GET", record, nil, nil)
	theirs.syncs()
	if len(theirs.folds()) != 0 {
		t.Error("a file that was opened in an emergency is on a tablet")
	}
	duty.wants(http.StatusForbidden, "POST", record+"/hand-over", map[string]string{}, nil)
	theirs.edit(family, theirs.newRecord(), "visit", setText("visit_type", "CP")) // the emergency visit
	theirs.syncs()
	theirs.wantAccepted()

	close := map[string]string{"finding": "JUSTIFIED", "note": "She was at the ward."}
	duty.wants(http.StatusForbidden, "POST", "/v1/break-glass/"+opening.ID+"/review", close, nil)
	manager.wants(http.StatusNoContent, "POST", "/v1/break-glass/"+opening.ID+"/review", close, nil)
	duty.wants(http.StatusNotFound, "GET", record, nil, nil)
	after := theirs.edit(family, theirs.newRecord(), "visit", setText("visit_type", "CP"))
	theirs.syncs()
	theirs.wantMarkOf(after, syncproto.StatusQuarantined)
}

// wantMarkOf is wantMark for any code.
func (b *tablet) wantMarkOf(id syncproto.ChangeID, status syncproto.ReceiptStatus) {
	b.t.Helper()
	if err := b.Read(func(e *engine.Engine) {
		for _, m := range e.Marks() {
			if m.Change == id && m.Status == status {
				return
			}
		}
		b.t.Errorf("%s: change %s has no mark of status %d: %+v", b.login, id, status, e.Marks())
	}); err != nil {
		b.t.Fatal(err)
	}
}

// The personal part of supervision is on the worker's own file: their manager begins it,
// both write their own part, and nobody else sees that it is there. Another post ends
// that.
func TestPersonalSupervisionOverHTTP(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 2, families: 1, manager: true, coord: true})
	manager, worker, colleague := b.sits(t, "manager"), b.sits(t, login(0)), b.sits(t, login(1))
	theirs, own, other := newTabletFor(t, b, "manager", 801), newTablet(t, b, 0, 802), newTablet(t, b, 1, 803)
	file, record := syncproto.FamilyID(own.id.User), theirs.newRecord()
	slot := func(x *tablet, words string) syncproto.Op {
		return syncproto.Op{Code: syncproto.OpSplice, Path: syncproto.Path{Field: "reflection", Element: syncproto.ElementID(x.id.User)}, Splices: []text.Splice{{Ins: words}}}
	}
	supervisee := syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: "supervisee"}, Value: cbor.Bytes(own.id.User[:])}
	theirs.edit(file, record, "supervision_personal", supervisee, setText("held_on", "2026-11-20"), slot(theirs, "She is stretched."))
	theirs.syncs()
	theirs.wantAccepted()
	own.syncs()
	if got := own.families(); len(got) != 2 {
		t.Fatalf("the worker's tablet shows %d files, want the family and their own", len(got))
	}
	own.edit(file, record, "supervision_personal", slot(own, "I am."))
	own.syncs()
	own.wantAccepted()
	theirs.syncs()

	page := "/v1/records/" + record.String()
	for _, d := range []desk{manager, worker} {
		var shown struct {
			Kind   string `json:"kind"`
			Fields []struct {
				Slots []struct{ Text string } `json:"slots"`
			} `json:"fields"`
		}
		d.wants(http.StatusOK, "GET", page, nil, &shown)
		var list struct{ Families []struct{ Family string } }
		d.wants(http.StatusOK, "GET", "/v1/families", nil, &list)
		words := 0
		for _, f := range shown.Fields {
			words += len(f.Slots)
		}
		if shown.Kind != "supervision_personal" || words != 2 || len(list.Families) != 2 {
			t.Errorf("got %+v and %+v, want the personal part, and the worker's file beside the family", shown, list)
		}
	}
	for _, d := range []desk{colleague, b.sits(t, "coordinator"), b.hires(t, "head", "head_of_practice"), b.hires(t, "other.manager", "manager")} {
		d.wants(http.StatusNotFound, "GET", page, nil, nil)
		d.wants(http.StatusNotFound, "GET", "/v1/families/"+file.String()+"/records", nil, nil)
	}
	mine := other.edit(file, other.newRecord(), "supervision_personal", setText("held_on", "2026-11-20"))
	begun := own.edit(file, own.newRecord(), "supervision_personal", setText("held_on", "2026-11-20"))
	other.syncs()
	own.syncs()
	other.wantMarkOf(mine, syncproto.StatusQuarantined)
	own.wantMarkOf(begun, syncproto.StatusQuarantined) // only who supervises begins it

	if err := b.op.SetDisabled(t.Context(), "manager", true); err != nil {
		t.Fatal(err)
	}
	manager.wants(http.StatusUnauthorized, "GET", page, nil, nil)
	worker.wants(http.StatusOK, "GET", page, nil, nil)
}

// A file is shut and opened again at the desk, on forms that need no script: by a manager
// of its team the one, by information governance the other, with a reason each. Who may
// not is led to neither and refused both.
func TestARestrictionIsSetAndLiftedAtTheDesk(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1, manager: true, coord: true})
	tab := newTablet(t, b, 0, 90)
	tab.syncs()
	family := tab.families()[0]
	b.hires(t, "officer", "ig_officer")
	for _, login := range []string{"manager", "coordinator"} {
		if err := b.op.SetPassword(t.Context(), login, password); err != nil {
			t.Fatal(err)
		}
	}
	manager, officer, coordinator := b.browses(t, "manager"), b.browses(t, "officer"), b.browses(t, "coordinator")
	at := "/desk/families/" + family.String()
	restrict, lift := at+"/restrict", at+"/lift?category=STAFF"
	if _, page := manager.looks(at); !strings.Contains(page, restrict) {
		t.Error("a manager is not led to the form that restricts a file")
	}
	if _, page := coordinator.looks(at); strings.Contains(page, restrict) {
		t.Error("a coordinator is led to the form that restricts a file")
	}
	for _, path := range []string{restrict, lift} {
		if status, _ := coordinator.looks(path); status != http.StatusNotFound {
			t.Errorf("a coordinator is answered %d at %s", status, path)
		}
	}
	shut := url.Values{"category": {"STAFF"}, "review": {time.Now().AddDate(0, 0, 30).Format(time.DateOnly)}, "reason": {"her aunt works here"}}
	late := url.Values{"category": {"STAFF"}, "review": {time.Now().AddDate(0, 0, 120).Format(time.DateOnly)}, "reason": {"her aunt works here"}}
	if status, page := manager.fills(restrict, late); status/100 != 4 || !strings.Contains(page, "within 90 days") || !strings.Contains(page, "her aunt works here") {
		t.Errorf("a review in four months: %d, and the form does not say why, or lost the words", status)
	}
	if status, _ := manager.fills(restrict, shut); status != http.StatusOK {
		t.Errorf("restricting: %d", status)
	}
	if status, _ := manager.looks(lift); status != http.StatusNotFound {
		t.Errorf("a manager, who is shut out as well now, is answered %d at the form that lifts", status)
	}
	if status, _ := coordinator.looks(at); status != http.StatusNotFound {
		t.Errorf("the file is restricted, and a coordinator is answered %d", status)
	}
	if _, page := officer.looks("/desk/oversight"); !strings.Contains(page, lift) {
		t.Error("information governance is not led to the form that lifts")
	}
	if status, page := officer.fills(lift, url.Values{}); status/100 != 4 || !strings.Contains(page, "Say why, in a few words.") {
		t.Errorf("lifting without a reason: %d", status)
	}
	if status, page := officer.fills(lift, url.Values{"reason": {"she left the council"}}); status != http.StatusOK || !strings.Contains(page, "The restriction is lifted.") {
		t.Errorf("lifting: %d", status)
	}
	if status, _ := coordinator.looks(at); status != http.StatusOK {
		t.Errorf("the restriction is lifted, and a coordinator is answered %d", status)
	}
}
