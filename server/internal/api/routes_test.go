package api

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	crand "crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/auth"
	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/frame"
)

var (
	aRecord = syncproto.RecordID{2}
	aFamily = syncproto.FamilyID{1}
)

// caseload gives a user one record to read.
func (w *world) caseload(owner syncproto.UserID) {
	o := syncproto.Origin{Change: syncproto.ChangeID{1}, Author: owner, TimeMS: 5, Capture: syncproto.CaptureDictated}
	w.borough.owner = owner
	w.borough.views[aRecord] = &syncproto.View{Record: aRecord, Family: aFamily, Kind: "visit", SchemaVersion: 1,
		Heads: []syncproto.ChangeID{{1}, {2}},
		Fields: []syncproto.FieldView{
			{Field: "seen_alone", Value: cbor.Text("no"), Set: true, By: o},
			{Field: "summary", Text: "Ffion opened the door. 🚪", Set: true},
			{Field: "views", Slots: []syncproto.Slot{{Slot: syncproto.ElementID{3}, Value: cbor.Int(7), By: o}}, Set: true},
			{Field: "present", Items: []syncproto.Element{{Element: syncproto.ElementID{4}, By: o, InForce: true, Flagged: true,
				Fields:  []syncproto.FieldView{{Field: "person", Value: cbor.Bytes([]byte{0xAB}), Set: true, By: o}},
				Removed: &syncproto.Removal{By: o, Reason: "was not there"}}}, Set: true},
			{Field: "nothing_yet"},
		},
		Conflicts: []syncproto.Conflict{{Path: syncproto.Path{Field: "seen_alone"}, Rule: "protect", InForce: cbor.Text("no"),
			Sides: []syncproto.Side{{Value: cbor.Text("no"), By: o}, {Value: cbor.Text("yes"), By: o}}}},
		Overlaps: []syncproto.Overlap{{Path: syncproto.Path{Field: "summary"}, Spans: []syncproto.OverlapSpan{
			{Start: 1, End: 5, Changes: []syncproto.ChangeID{{1}, {2}}, Authors: []syncproto.UserID{owner, {9}}}}}},
		Workflow: syncproto.Workflow{HandedOver: &o, Confirmed: []syncproto.Confirmation{{By: o, Heads: []syncproto.ChangeID{{1}}}},
			Queries: []syncproto.Query{{ID: syncproto.ChangeID{3}, To: owner, By: o, Question: "Which Tuesday?", Answer: "The 3rd.", AnsweredBy: &o}}},
		Seal:    &syncproto.Seal{Position: 9, By: owner, AtMS: 6, Heads: []syncproto.ChangeID{{1}}, Group: []syncproto.RecordHeads{{Record: aRecord, Heads: []syncproto.ChangeID{{1}}}}},
		Addenda: []syncproto.Addendum{{By: o, Text: "Later she rang.", Late: true, Ops: sampleOps()}},
		Roots:   []syncproto.ChangeID{{1}}, Held: []syncproto.ChangeID{{8}}, NoOps: 2}
}

func TestAbout(t *testing.T) {
	w := newWorld(t, nil)
	var about About
	w.get("/v1/about", "").wantJSON(t, http.StatusOK, &about)
	if about.Kinds["plan"] != "keeping-safe plan" || about.Roles == nil {
		t.Errorf("the borough's words: %v, %v", about.Kinds, about.Roles)
	}
	if about.Borough != "hampshire" || about.Protocol != syncproto.ProtocolVersion || about.Copies != 1 ||
		about.Epoch != w.borough.Epoch().String() || len(about.ReplyKey) != 64 || about.TimeMS == 0 {
		t.Errorf("got %+v", about)
	}
	if a := w.do("HEAD", "/v1/about", nil, nil); a.status != http.StatusOK || len(a.body) != 0 {
		t.Errorf("HEAD: got status %d with %d bytes", a.status, len(a.body))
	}
}

func TestReadyTellsWhenNotReady(t *testing.T) {
	w := newWorld(t, nil)
	if a := w.get("/readyz", ""); a.status != http.StatusOK {
		t.Errorf("got status %d", a.status)
	}
	w.borough.ready = errors.New("the index is 500 entries behind")
	w.get("/readyz", "").wantProblem(t, http.StatusServiceUnavailable, syncproto.CodeUnavailable)
	if a := w.get("/healthz", ""); a.status != http.StatusOK {
		t.Errorf("health: got status %d", a.status)
	}
}

func TestSignInRefreshSignOut(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RoleCoordinator)
	s := w.signIn("Jo")
	if s.Role != "coordinator" || s.ExpiresIn != 600 || s.Name != "Name of jo" || s.Device != "" {
		t.Errorf("got %+v", s)
	}
	request := RefreshRequest{RefreshToken: s.RefreshToken, RequestID: strings.Repeat("1", 32)}
	var next, again Session
	w.postJSON("/v1/token/refresh", "", request).wantJSON(t, http.StatusOK, &next)
	w.postJSON("/v1/token/refresh", "", request).wantJSON(t, http.StatusOK, &again)
	if next.RefreshToken != again.RefreshToken || next.RefreshToken == s.RefreshToken {
		t.Error("a repeated refresh gave another token, or the old one")
	}
	if a := w.postJSON("/v1/sign-out", next.AccessToken, struct{}{}); a.status != http.StatusNoContent {
		t.Errorf("sign-out: got status %d with %s", a.status, a.body)
	}
	w.get("/v1/families", next.AccessToken).wantProblem(t, http.StatusUnauthorized, syncproto.CodeUnauthenticated)
	w.postJSON("/v1/token/refresh", "", RefreshRequest{RefreshToken: next.RefreshToken, RequestID: strings.Repeat("2", 32)}).
		wantProblem(t, http.StatusUnauthorized, syncproto.CodeUnauthenticated)
	w.postJSON("/v1/sign-in", "", SignInRequest{Login: "jo", Password: "wrong wrong wrong"}).
		wantProblem(t, http.StatusUnauthorized, syncproto.CodeBadCredentials)
}

func TestEnrolGivesWhatTheDeviceMustPin(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	d := w.enrol("jo")
	key, err := hex.DecodeString(d.session.ReplyKey)
	if err != nil || len(key) != ed25519.PublicKeySize || d.session.Borough != "hampshire" ||
		d.session.Epoch != w.borough.Epoch().String() || d.session.Device == "" || d.session.AccessToken == "" {
		t.Errorf("got %+v", d.session)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	body := w.enrolBody(other, "jo")
	body.Proof = w.enrolBody(d.key, "jo").Proof
	w.postJSON("/v1/devices", "", body).wantProblem(t, http.StatusBadRequest, syncproto.CodeBadSignature)
}

func TestSyncAnswersSigned(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	d := w.enrol("jo")
	a := w.sync(d.session.AccessToken, syncBody(goodRequest()))
	if a.status != http.StatusOK || a.header.Get("Content-Type") != frame.MediaType {
		t.Fatalf("got status %d, type %q", a.status, a.header.Get("Content-Type"))
	}
	signed, err := frame.Unwrap(a.body)
	if err != nil {
		t.Fatal(err)
	}
	payload, sig, err := syncproto.DecodeSignedReply(signed)
	if err != nil {
		t.Fatal(err)
	}
	device, err := syncproto.ParseID(d.session.Device)
	if err != nil {
		t.Fatal(err)
	}
	key, err := hex.DecodeString(d.session.ReplyKey)
	if err != nil {
		t.Fatal(err)
	}
	if !ed25519.Verify(key, syncproto.ReplyMessage(syncproto.DeviceID(device), payload), sig) {
		t.Error("the reply's signature does not verify with the pinned key")
	}
	reply, err := syncproto.DecodeReply(payload)
	if err != nil || reply.Request != goodRequest().Request {
		t.Errorf("got reply %+v, %v", reply, err)
	}
}

func TestSyncEnvelopeErrorsAreCBORWithTheEpoch(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	d := w.enrol("jo")
	for _, c := range []struct {
		code   syncproto.Code
		status int
	}{{syncproto.CodeUnknownEpoch, 409}, {syncproto.CodeBadCursor, 400}, {syncproto.CodeDiskFull, 507}, {syncproto.CodeUnavailable, 503}} {
		w.borough.err = c.code
		w.sync(d.session.AccessToken, syncBody(goodRequest())).wantProblem(t, c.status, c.code)
	}
	w.sync("", syncBody(goodRequest())).wantProblem(t, http.StatusUnauthorized, syncproto.CodeUnauthenticated)
	s := w.signIn("jo") // in a browser: no device to sync
	w.sync(s.AccessToken, syncBody(goodRequest())).wantProblem(t, http.StatusForbidden, syncproto.CodeWrongDevice)
}

func TestFault43ForgedTokensOverHTTP(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	s := w.signIn("jo")
	parts := strings.Split(s.AccessToken, ".")
	none := "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0" // {"alg":"none","typ":"at+jwt"}
	for name, token := range map[string]string{"alg none": none + "." + parts[1] + ".", "no signature": parts[0] + "." + parts[1] + ".",
		"HS256 header":  "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9." + parts[1] + "." + parts[2],
		"kid is a path": "eyJhbGciOiJFZERTQSIsImtpZCI6Ii4uLy4uL2Rldi9udWxsIiwidHlwIjoiYXQrand0In0." + parts[1] + "." + parts[2], "empty": ""} {
		t.Run(name, func(t *testing.T) {
			w := &world{t: t, addr: w.addr, api: w.api}
			w.get("/v1/families", token).wantProblem(t, http.StatusUnauthorized, syncproto.CodeUnauthenticated)
			w.sync(token, syncBody(goodRequest())).wantProblem(t, http.StatusUnauthorized, syncproto.CodeUnauthenticated)
		})
	}
	a := w.get("/v1/families", "x")
	if a.header.Get("WWW-Authenticate") != `DPoP algs="ES256", Bearer` {
		t.Error("401 without WWW-Authenticate")
	}
}

func TestTokenOnlyFromOneAuthorizationHeader(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	s := w.signIn("jo")
	for name, lines := range map[string]string{
		"twice":       "Authorization: Bearer " + s.AccessToken + "\r\nAuthorization: Bearer " + s.AccessToken + "\r\n",
		"lower case":  "Authorization: bearer " + s.AccessToken + "\r\n",
		"as a cookie": "Cookie: access_token=" + s.AccessToken + "\r\n",
		"basic":       "Authorization: Basic " + s.AccessToken + "\r\n",
	} {
		res, _, _ := w.raw("GET /v1/families HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n")
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: got status %d", name, res.StatusCode)
		}
	}
	if a := w.get("/v1/families?access_token="+s.AccessToken, ""); a.status != http.StatusUnauthorized {
		t.Errorf("in the query: got status %d", a.status)
	}
}

// TestReadingVersions: a version is named by its heads, and told with who wrote it.
func TestReadingVersions(t *testing.T) {
	w := newWorld(t, nil)
	w.caseload(w.addUser("jo", auth.RolePractitioner))
	s := w.signIn("jo")
	one, two := syncproto.ChangeID{1}, syncproto.ChangeID{2}
	record := "/v1/records/" + aRecord.String()
	var view ViewJSON
	w.get(record+"/versions/"+one.String()+"-"+two.String(), s.AccessToken).wantJSON(t, http.StatusOK, &view)
	if len(view.Heads) != 2 || view.Heads[0] != one.String() {
		t.Errorf("got the version %v", view.Heads)
	}
	for _, path := range []string{"/attribution", "/versions/" + one.String() + "/attribution"} {
		var a AttributionJSON
		w.get(record+path, s.AccessToken).wantJSON(t, http.StatusOK, &a)
		if len(a.Sources) != 2 || a.Sources[1].Capture != "dictated" || a.Sources[1].ReceivedMS != 8 || !a.Sources[1].ClockWrong ||
			len(a.Texts) != 1 || a.Texts[0].Spans[1].By != 1 || a.Texts[0].Deleted[0].DeletedBy[0] != 1 || a.People[s.User] == "" {
			t.Errorf("%s: got %+v", path, a)
		}
	}
	many := strings.Repeat(one.String()+"-", 65)
	for _, heads := range []string{"xyz", one.String() + "-", many + one.String(), (syncproto.ChangeID{3}).String()} {
		w.get(record+"/versions/"+heads, s.AccessToken).wantProblem(t, http.StatusNotFound, syncproto.CodeNotFound)
		w.get(record+"/versions/"+heads+"/attribution", s.AccessToken).wantProblem(t, http.StatusNotFound, syncproto.CodeNotFound)
	}
}

func TestReadingRecords(t *testing.T) {
	w := newWorld(t, nil)
	w.caseload(w.addUser("jo", auth.RolePractitioner))
	s := w.signIn("jo")
	var families FamilyList
	w.get("/v1/families", s.AccessToken).wantJSON(t, http.StatusOK, &families)
	var records RecordList
	w.get("/v1/families/"+families.Families[0].Family+"/records", s.AccessToken).wantJSON(t, http.StatusOK, &records)
	var view ViewJSON
	w.get("/v1/records/"+records.Records[0].Record, s.AccessToken).wantJSON(t, http.StatusOK, &view)
	if len(view.Conflicts) != 1 || len(view.Conflicts[0].Sides) != 2 || view.Fields[1].Text != "Ffion opened the door. 🚪" ||
		view.Seal == nil || len(view.Workflow.Queries) != 1 || view.People[s.User] == "" {
		t.Errorf("got %+v", view)
	}
	if got := view.Fields[3].Items[0].Fields[0].Value; !reflect.DeepEqual(got, map[string]any{"$bytes": "ab"}) {
		t.Errorf("got bytes as %v", got)
	}
	if o := view.Overlaps[0]; len(o.Spans) != 1 || o.Spans[0].End != 5 || len(o.Spans[0].Changes) != 2 || o.Spans[0].Authors[0] != s.User {
		t.Errorf("overlaps: got %+v", o)
	}
	var history HistoryList
	w.get("/v1/records/"+records.Records[0].Record+"/history", s.AccessToken).wantJSON(t, http.StatusOK, &history)
	if h := history.Changes[0]; h.Capture != "pen" || h.Status != "late" || h.Reason != "late" || len(h.Ops) != 3 || h.OffsetMin != 60 {
		t.Errorf("got %+v", h)
	}
	var q QueueList
	w.get("/v1/queue", s.AccessToken).wantJSON(t, http.StatusOK, &q)
	var custody CustodyList
	w.get("/v1/custody", s.AccessToken).wantJSON(t, http.StatusOK, &custody)
	c := custody.Changes[0]
	if !c.MayReview || c.Bytes != 700 || custody.Bytes != 700 || custody.Kept != 1 || custody.Waiting != 0 || c.Name != "kept_away" || c.ReviewedBy != s.User {
		t.Errorf("got %+v", custody)
	}
	var words CustodyWords
	w.get("/v1/custody/"+c.Change, s.AccessToken).wantJSON(t, http.StatusOK, &words)
	if len(words.Ops) != 3 || words.Reason == "" || words.Erased || words.Change != c.Change {
		t.Errorf("got %+v", words)
	}
}

func TestStrangersLearnNothing(t *testing.T) {
	w := newWorld(t, nil)
	w.caseload(w.addUser("jo", auth.RolePractitioner))
	w.addUser("eve", auth.RolePractitioner)
	eve := w.signIn("eve").AccessToken
	there, missing := aRecord.String(), strings.Repeat("7", 32)
	for _, path := range []string{"/v1/records/%", "/v1/records/%/history", "/v1/families/%/records"} {
		hit := w.get(strings.Replace(path, "%", there, 1), eve)
		miss := w.get(strings.Replace(path, "%", missing, 1), eve)
		odd := w.get(strings.Replace(path, "%", "not-an-id", 1), eve)
		for _, a := range []answer{hit, miss, odd} {
			a.wantProblem(t, http.StatusNotFound, syncproto.CodeNotFound)
			if len(a.body) != len(hit.body) {
				t.Errorf("%s: answers differ in length", path)
			}
		}
		w.get(strings.Replace(path, "%", there, 1), "").wantProblem(t, http.StatusUnauthorized, syncproto.CodeUnauthenticated)
	}
	var q CustodyList
	w.get("/v1/custody", eve).wantJSON(t, http.StatusOK, &q)
	w.get("/v1/custody/"+q.Changes[0].Change, eve).wantProblem(t, http.StatusNotFound, syncproto.CodeNotFound)
	w.get("/v1/custody/nonsense", eve).wantProblem(t, http.StatusNotFound, syncproto.CodeNotFound)
}

func TestWorkflowSteps(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RoleCoordinator)
	token := w.signIn("jo").AccessToken
	record, user, change := aRecord.String(), strings.Repeat("5", 32), strings.Repeat("6", 64)
	heads := []RecordHeadsJSON{{Record: record, Heads: []string{strings.Repeat("9", 64), change}}}
	wantUser, _ := syncproto.ParseID(user)
	wantChange, _ := syncproto.ParseChangeID(change)
	nine, _ := syncproto.ParseChangeID(strings.Repeat("9", 64))
	wantHeads := []syncproto.RecordHeads{{Record: aRecord, Heads: []syncproto.ChangeID{wantChange, nine}}}
	path := syncproto.Path{Field: "seen", Element: syncproto.ElementID(wantUser), Sub: "who"}
	pathIn := PathJSON{Field: "seen", Element: user, Sub: "who"}
	value := map[string]any{"who": map[string]any{"$bytes": "0102"}, "n": []any{-4, nil, true, "x"}}
	wantValue := cbor.Map(cbor.Pair{Key: "who", Value: cbor.Bytes([]byte{1, 2})},
		cbor.Pair{Key: "n", Value: cbor.List(cbor.Int(-4), cbor.Null(), cbor.Bool(true), cbor.Text("x"))})
	cases := []struct {
		step string
		body any
		want any
	}{
		{"hand-over", HandOverRequest{}, finalise.HandOver{Record: aRecord}},
		{"hand-over", HandOverRequest{To: user}, finalise.HandOver{Record: aRecord, To: syncproto.UserID(wantUser)}},
		{"confirm", ConfirmRequest{Heads: heads}, finalise.Confirm{Record: aRecord, Heads: wantHeads}},
		{"query", QueryRequest{To: user, Text: "Which Tuesday?"}, finalise.Query{Record: aRecord, To: syncproto.UserID(wantUser), Text: "Which Tuesday?"}},
		{"query", QueryRequest{Path: &pathIn, To: user, Text: "?"}, finalise.Query{Record: aRecord, Path: path, To: syncproto.UserID(wantUser), Text: "?"}},
		{"answer", AnswerRequest{Query: change, Text: "The 3rd."}, finalise.Answer{Record: aRecord, Query: wantChange, Text: "The 3rd."}},
		{"decide", DecideRequest{Path: pathIn, Value: value, Reason: "we asked", Seen: heads[0].Heads}, finalise.Decide{Record: aRecord, Path: path, Value: wantValue, Reason: "we asked", Seen: wantHeads[0].Heads}},
		{"decide", DecideRequest{Path: pathIn, Reason: "we asked", Seen: heads[0].Heads}, finalise.Decide{Record: aRecord, Path: path, Value: cbor.Null(), Reason: "we asked", Seen: wantHeads[0].Heads}},
		{"finalise", FinaliseRequest{Heads: heads}, finalise.Finalise{Record: aRecord, Heads: wantHeads}},
		{"addendum", AddendumRequest{Text: "She rang.", HappenedMS: 5, Reason: "no signal"}, finalise.Addendum{Record: aRecord, Text: "She rang.", TimeMS: 5, Reason: "no signal"}},
		{"correct", CorrectRequest{Path: pathIn, Old: 3, New: value, Reason: "typo"}, finalise.Correct{Record: aRecord, Path: path, Old: cbor.Int(3), New: wantValue, Reason: "typo"}},
		{"edit", EditRequest{Path: pathIn, Value: value, Seen: heads[0].Heads}, finalise.Edit{Record: aRecord, Path: path, Value: wantValue, Seen: wantHeads[0].Heads}},
		{"propose", ProposeRequest{Path: pathIn, Value: 3, Words: "Three", Reason: "she said so", To: user},
			finalise.Propose{Record: aRecord, Path: path, Value: cbor.Int(3), Words: "Three", Reason: "she said so", To: syncproto.UserID(wantUser)}},
		{"confirm", ConfirmRequest{Heads: heads, For: user, Reason: "She left."}, finalise.Confirm{Record: aRecord, Heads: wantHeads, For: syncproto.UserID(wantUser), Reason: "She left."}},
		{"fill", FillRequest{Sets: []SettingJSON{{Path: pathIn, Value: value}}, Seen: heads[0].Heads},
			finalise.Fill{Record: aRecord, Sets: []finalise.Setting{{Path: path, Value: wantValue}}, Seen: wantHeads[0].Heads}},
		{"enter", EnterRequest{Field: "present", Entries: []EntryJSON{{Value: value}, {Element: user, Out: "It was another."}}, Seen: heads[0].Heads}, finalise.Enter{Record: aRecord, Field: "present",
			Entries: []finalise.Entry{{Value: wantValue}, {Element: syncproto.ElementID(wantUser), Value: cbor.Null(), Out: "It was another."}}, Seen: wantHeads[0].Heads}},
		{"rectify", RectifyRequest{Who: "Her mother", Says: "It was not so."}, finalise.Rectify{Record: aRecord, Who: "Her mother", Says: "It was not so."}},
		{"accept-late", AcceptLateRequest{Change: change}, finalise.AcceptLate{Record: aRecord, Change: wantChange}},
	}
	for i, c := range cases {
		var d Done
		w.postJSON("/v1/records/"+record+"/"+c.step, token, c.body).wantJSON(t, http.StatusOK, &d)
		if got := w.borough.steps[i]; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.step, got, c.want)
		}
	}
}

func TestARecordIsMovedToAnotherFile(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RoleManager)
	token, right, child, other := w.signIn("jo").AccessToken, strings.Repeat("5", 32), strings.Repeat("6", 32), strings.Repeat("7", 32)
	var begun RecordBegun
	w.postJSON("/v1/records/"+aRecord.String()+"/misfile", token, MisfileRequest{To: right, People: []MeantJSON{{Person: child, Means: other}}, Reason: "Same surname."}).wantJSON(t, http.StatusOK, &begun)
	of := func(text string) syncproto.RecordID {
		id, _ := syncproto.ParseID(text)
		return syncproto.RecordID(id)
	}
	want := finalise.Misfile{Record: aRecord, To: syncproto.FamilyID(of(right)), People: map[syncproto.RecordID]syncproto.RecordID{of(child): of(other)}, Reason: "Same surname."}
	if got := w.borough.steps[0]; !reflect.DeepEqual(got, want) || begun.Record != (syncproto.RecordID{1}).String() {
		t.Errorf("got %+v, want %+v; the answer is %+v", got, want, begun)
	}
	for name, in := range map[string]MisfileRequest{
		"to nobody": {Reason: "x"}, "without a reason": {To: right}, "of a person who is no id": {To: right, Reason: "x", People: []MeantJSON{{Person: "Maya", Means: other}}},
	} {
		if a := w.postJSON("/v1/records/"+aRecord.String()+"/misfile", token, in); a.status != http.StatusUnprocessableEntity && a.status != http.StatusBadRequest {
			t.Errorf("%s: status %d", name, a.status)
		}
	}
}

func TestARecordBeginsAtTheDesk(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RoleCoordinator)
	token, user := w.signIn("jo").AccessToken, strings.Repeat("5", 32)
	var begun RecordBegun
	w.postJSON("/v1/families/"+aRecord.String()+"/type-up", token, TypeUpRequest{Kind: "visit", For: user, Source: "her notebook", Capture: "pen", Children: []string{user}}).wantJSON(t, http.StatusOK, &begun)
	id, _ := syncproto.ParseID(user)
	want := finalise.TypeUp{Family: syncproto.FamilyID(aRecord), Kind: "visit", For: syncproto.UserID(id), Source: "her notebook", Capture: syncproto.CapturePen, Children: []syncproto.RecordID{syncproto.RecordID(id)}}
	if got := w.borough.steps[0]; !reflect.DeepEqual(got, want) || begun.Record != (syncproto.RecordID{1}).String() {
		t.Errorf("got %+v, want %+v; the answer is %+v", got, want, begun)
	}
	if a := w.postJSON("/v1/families/"+aRecord.String()+"/type-up", token, TypeUpRequest{Kind: "visit", For: user, Source: "x", Capture: "imported"}); a.status != http.StatusUnprocessableEntity && a.status != http.StatusBadRequest {
		t.Errorf("as an import: status %d", a.status)
	}
}

func TestRefusedFinaliseNamesEveryReason(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RoleCoordinator)
	w.borough.err = &finalise.Refusal{Code: syncproto.CodeOpenConflict, Reasons: []finalise.Detail{
		{Record: aRecord, Path: syncproto.Path{Field: "seen_alone"}, Code: syncproto.CodeOpenConflict},
		{Record: aRecord, Code: syncproto.CodeOpenQuery, Plain: "Ali has not answered yet."}}}
	a := w.postJSON("/v1/records/"+aRecord.String()+"/finalise", w.signIn("jo").AccessToken,
		FinaliseRequest{Heads: []RecordHeadsJSON{{Record: aRecord.String(), Heads: []string{strings.Repeat("6", 64)}}}})
	var p Problem
	a.wantJSON(t, http.StatusConflict, &p)
	if p.Code != uint16(syncproto.CodeOpenConflict) || len(p.Details) != 2 || p.Details[0].Path != "seen_alone" ||
		p.Details[0].Plain == "" || p.Details[1].Plain != "Ali has not answered yet." {
		t.Errorf("got %+v", p)
	}
}

func TestLeaseReleaseAndChecklist(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RoleCoordinator)
	s := w.signIn("jo")
	path := "/v1/records/" + aRecord.String()
	var l LeaseJSON
	w.postJSON(path+"/lease", s.AccessToken, struct{}{}).wantJSON(t, http.StatusOK, &l)
	if l.User != s.User || l.UntilMS != 9 {
		t.Errorf("got %+v", l)
	}
	if a := w.postJSON(path+"/release", s.AccessToken, struct{}{}); a.status != http.StatusNoContent {
		t.Errorf("got status %d", a.status)
	}
	var list Checklist
	w.get(path+"/checklist", s.AccessToken).wantJSON(t, http.StatusOK, &list)
	if len(list.Blocks) != 1 || list.Blocks[0].Plain != syncproto.CodeOpenQuery.Plain() {
		t.Errorf("got %+v", list)
	}
	var late QueueList
	w.get("/v1/late", s.AccessToken).wantJSON(t, http.StatusOK, &late)
}

// All that is in custody can be paged through; what was decided meanwhile is no place to
// go on from.
func TestCustodyIsPaged(t *testing.T) {
	w := newWorld(t, nil)
	w.caseload(w.addUser("jo", "practitioner"))
	w.borough.moreInCustody = 2*maxCustodyList + 5
	token, seen, pages := w.signIn("jo").AccessToken, map[string]bool{}, 0
	for path := "/v1/custody"; path != ""; pages++ {
		var page CustodyList
		w.get(path, token).wantJSON(t, http.StatusOK, &page)
		if page.Kept+page.Waiting != 2*maxCustodyList+6 || len(page.Changes) > maxCustodyList {
			t.Fatalf("page %d: %d changes of %d and %d", pages, len(page.Changes), page.Kept, page.Waiting)
		}
		for _, c := range page.Changes {
			seen[c.Change] = true
		}
		if path = ""; page.Next != "" {
			path = "/v1/custody/" + page.Next + "/after"
		}
	}
	if pages != 3 || len(seen) != 2*maxCustodyList+6 {
		t.Errorf("%d changes on %d pages, want all %d on 3", len(seen), pages, 2*maxCustodyList+6)
	}
	w.get("/v1/custody/"+strings.Repeat("e", 64)+"/after", token).wantProblem(t, http.StatusNotFound, syncproto.CodeNotFound)
	w.get("/v1/custody/nonsense/after", token).wantProblem(t, http.StatusNotFound, syncproto.CodeNotFound)
}

func TestReviewOfCustody(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("mo", auth.RoleManager)
	token := w.signIn("mo").AccessToken
	if a := w.postJSON("/v1/custody/"+strings.Repeat("6", 64)+"/admit", token, struct{}{}); a.status != http.StatusNoContent {
		t.Errorf("got status %d", a.status)
	}
	want, _ := syncproto.ParseChangeID(strings.Repeat("6", 64))
	if len(w.borough.steps) != 1 || w.borough.steps[0] != want {
		t.Errorf("got %v", w.borough.steps)
	}
	path := "/v1/custody/" + want.String()
	if a := w.postJSON(path+"/addendum", token, struct{}{}); a.status != http.StatusNoContent {
		t.Errorf("addendum: got status %d", a.status)
	}
	if a := w.postJSON(path+"/keep", token, KeepAwayRequest{Reason: "not theirs to say"}); a.status != http.StatusNoContent {
		t.Errorf("keep: got status %d", a.status)
	}
	if got := w.borough.steps[1:]; !reflect.DeepEqual(got, []any{[]any{"addendum", want}, []any{"keep", want, "not theirs to say"}}) {
		t.Errorf("got %v", got)
	}
	w.postJSON(path+"/keep", token, KeepAwayRequest{}).wantProblem(t, http.StatusBadRequest, syncproto.CodeBadValue)
	w.postJSON("/v1/custody/nonsense/admit", token, struct{}{}).wantProblem(t, http.StatusNotFound, syncproto.CodeNotFound)
	w.borough.err = syncproto.CodeForbidden
	w.postJSON("/v1/custody/"+strings.Repeat("6", 64)+"/admit", token, struct{}{}).wantProblem(t, http.StatusForbidden, syncproto.CodeForbidden)
}

func TestSwearingNeedsAFreshSignIn(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.StepUp = time.Nanosecond })
	w.addUser("jo", auth.RoleCoordinator)
	token := w.signIn("jo").AccessToken
	path := "/v1/records/" + aRecord.String()
	heads := []RecordHeadsJSON{{Record: aRecord.String(), Heads: []string{strings.Repeat("6", 64)}}}
	w.postJSON(path+"/finalise", token, FinaliseRequest{Heads: heads}).wantProblem(t, http.StatusForbidden, syncproto.CodeStepUp)
	w.postJSON(path+"/confirm", token, ConfirmRequest{Heads: heads}).wantProblem(t, http.StatusForbidden, syncproto.CodeStepUp)
	if a := w.postJSON(path+"/hand-over", token, HandOverRequest{}); a.status != http.StatusOK {
		t.Errorf("hand-over: got status %d", a.status)
	}
}

func TestRevokedDeviceMaySendAndNothingElse(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	d := w.enrol("jo")
	id, err := syncproto.ParseID(d.session.Device)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.auth.RevokeDevice(t.Context(), syncproto.DeviceID(id)); err != nil {
		t.Fatal(err)
	}
	w.sync(d.session.AccessToken, syncBody(goodRequest())).wantProblem(t, http.StatusUnauthorized, syncproto.CodeUnauthenticated)
	var s Session
	for !s.CustodyOnly { // a sign-in within the millisecond of the revocation counts as before it
		again, a := w.signInOn(d, "jo")
		if a.status == http.StatusUnauthorized {
			continue
		}
		s = again
	}
	if a := w.sync(s.AccessToken, syncBody(goodRequest())); a.status != http.StatusOK {
		t.Errorf("its words were refused with %d", a.status)
	}
	for _, path := range []string{"/v1/families", "/v1/queue", "/v1/events", "/v1/custody", "/v1/records/" + aRecord.String()} {
		w.get(path, s.AccessToken).wantProblem(t, http.StatusForbidden, syncproto.CodeAccessEnded)
	}
}

func TestEventsSayPullAndEndWithTheSession(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits.KeepAlive = 20 * time.Millisecond; c.Limits.WriteTimeout = 5 * time.Second })
	user := w.addUser("jo", auth.RolePractitioner)
	s := w.signIn("jo")
	e := w.openEvents(s.AccessToken)
	if got := e.res.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("got type %q", got)
	}
	e.wantEvent("event: pull") // what happened before the stream began
	w.borough.wake(user)
	e.wantEvent("event: pull")
	e.wantEvent(": still here")
	if a := w.postJSON("/v1/sign-out", s.AccessToken, struct{}{}); a.status != http.StatusNoContent {
		t.Fatalf("sign-out: got status %d", a.status)
	}
	e.wantEnd()
	if n := w.borough.subscribed(user); n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
}

func TestEventsAreCappedPerPerson(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits.StreamsPerUser = 2; c.Limits.Streams = 3 })
	w.addUser("jo", auth.RolePractitioner)
	w.addUser("ali", auth.RolePractitioner)
	jo, ali := w.signIn("jo").AccessToken, w.signIn("ali").AccessToken
	w.openEvents(jo).wantEvent("event: pull")
	w.openEvents(jo).wantEvent("event: pull")
	a := w.get("/v1/events", jo)
	a.wantProblem(t, http.StatusTooManyRequests, syncproto.CodeTooMany)
	if a.header.Get("Retry-After") == "" {
		t.Error("429 without Retry-After")
	}
	w.openEvents(ali).wantEvent("event: pull")
	w.get("/v1/events", ali).wantProblem(t, http.StatusTooManyRequests, syncproto.CodeTooMany) // the server's own cap
}

func TestFault74CrowdedSyncsAreToldWhenToReturn(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits.Syncs = 1; c.Limits.SyncWait = time.Millisecond })
	w.addUser("jo", auth.RolePractitioner)
	d := w.enrol("jo")
	inside, leave := make(chan struct{}), make(chan struct{})
	w.borough.hook = func(*syncproto.SyncRequest) { inside <- struct{}{}; <-leave }
	first := make(chan answer, 1)
	go func() { first <- w.sync(d.session.AccessToken, syncBody(goodRequest())) }()
	<-inside
	a := w.sync(d.session.AccessToken, syncBody(goodRequest()))
	a.wantProblem(t, http.StatusServiceUnavailable, syncproto.CodeUnavailable)
	if a.header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	close(leave)
	if a := <-first; a.status != http.StatusOK {
		t.Errorf("the one that had a place got status %d", a.status)
	}
}

func TestRetryAfterIsSpread(t *testing.T) {
	seen := map[time.Duration]bool{}
	for i := range 256 {
		d := retryAfter(syncproto.UserID{15: byte(i)})
		if d < 5*time.Second || d > 35*time.Second {
			t.Errorf("got %v, want 5 to 35 s", d)
		}
		seen[d] = true
	}
	if len(seen) < 20 {
		t.Errorf("256 devices come back at %d different times only", len(seen))
	}
}

// Every answer about a record is told to the audit log before its caller hears it;
// if the log can take no more, nothing is shown.
func TestReadsAndRefusalsAreAudited(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("ada", auth.RolePractitioner)
	token := w.signIn("ada").AccessToken
	w.get("/v1/families", token)
	w.wantNoted(audit.TypeList, syncproto.CodeOK, "families")
	w.get("/v1/records/"+syncproto.ID{15: 99}.String(), token)
	w.wantNoted(audit.TypeDenied, syncproto.CodeNotFound, "record")
	w.get("/v1/families", "")
	w.wantNoted(audit.TypeDenied, syncproto.CodeUnauthenticated, "families")
	w.postJSON("/v1/sign-in", "", map[string]string{"login": "ada", "password": "not it at all"})
	w.wantNoted(audit.TypeSignIn, syncproto.CodeBadCredentials, "signIn")
	w.noteFails = syncproto.CodeUnavailable
	if a := w.get("/v1/families", token); a.status != http.StatusServiceUnavailable {
		t.Errorf("with a log that takes no more: got status %d, %s", a.status, a.body)
	}
}

func TestAuditLogIsPaged(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("ada", auth.RolePractitioner)
	token := w.signIn("ada").AccessToken
	a := w.postJSON("/v1/audit", token, map[string]any{"after": 3, "record": syncproto.ID{15: 1}.String(), "prove": true})
	var page AuditPage
	if err := json.Unmarshal(a.body, &page); err != nil || len(page.Events) != 1 || page.Events[0].Position != 4 || len(page.Events[0].Proof) != 1 {
		t.Errorf("got status %d, %s", a.status, a.body)
	}
	w.wantNoted(audit.TypeAuditor, syncproto.CodeOK, "audit")
	a = w.postJSON("/v1/audit", token, map[string]any{"session": syncproto.ID{9}.String()})
	if a.status != http.StatusForbidden {
		t.Errorf("somebody who may not: got status %d, %s", a.status, a.body)
	}
	w.wantNoted(audit.TypeDenied, syncproto.CodeForbidden, "audit")
}
