package delivery_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/delivery"
	"doorstep/server/internal/finalise"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

func id(record syncproto.RecordID, version string) string { return record.String() + "-" + version }

// A visit goes out once it is final, the child's part on its own, signed, with a page,
// and what is added later as further versions.
func TestFinalRecordsGoOut(t *testing.T) {
	w := newWorld(t)
	w.round()
	if got := w.lying(); got != nil {
		t.Fatalf("before anything is final: %v", got)
	}
	w.sealed()
	w.round()
	if got, want := w.lying(), []string{id(visit, "1"), id(part, "1")}; !slices.Equal(got, want) {
		t.Fatalf("lying ready: got %v, want %v", got, want)
	}
	household, child := w.fetch(id(visit, "1")), w.fetch(id(part, "1"))
	if c := child.Content; c.Child == nil || c.Child.Name != "Maya Fox" || c.Child.Born != "2019-05-04" || c.PartOf != visit.String() || c.Family.Name != "Fox" ||
		c.Finalised.Who.Login != "cora" || len(c.Confirmed) != 1 || c.Confirmed[0].Who.Login != "lee" {
		t.Errorf("the child's part: %+v", c)
	}
	if !strings.Contains(child.Page, secret+" &lt;b&gt;&amp; laughed&lt;/b&gt;.") || strings.Contains(child.Page, "<script") {
		t.Errorf("the page of the child's part: %s", child.Page)
	}
	if strings.Contains(household.Page, secret) || household.Content.Child != nil || !slices.Equal(household.Content.Parts, []string{part.String()}) {
		t.Errorf("the household's part: %+v", household.Content)
	}
	if f := household.Content.Fields[0]; f.ID != "visit_type" || f.Said[0].Value != "CIN" || f.Said[0].Who.Login != "lee" || f.Said[0].Capture != "typed" {
		t.Errorf("its first field: %+v", f)
	}

	w.must(w.final.Addendum(ctx, finalise.Caller{User: lead}, finalise.Addendum{Record: part, Text: "Her aunt rang.", Reason: "I was on leave"}))
	w.must(w.final.Correct(ctx, finalise.Caller{User: lead}, finalise.Correct{Record: part, Path: syncproto.Path{Field: "seen_alone"},
		Old: cbor.Text("Y"), New: cbor.Text("N"), Reason: "Her brother came in"}))
	w.round()
	w.round()
	if got, want := w.lying(), []string{id(part, "2"), id(part, "3")}; !slices.Equal(got, want) {
		t.Fatalf("lying ready: got %v, want %v", got, want)
	}
	second, third := w.fetch(id(part, "2")), w.fetch(id(part, "3"))
	if second.Supersedes != child.ID || third.Supersedes != second.ID || second.Change != "addendum" || third.Change != "correction" {
		t.Errorf("the versions: %s %s, %s %s", second.Supersedes, second.Change, third.Supersedes, third.Change)
	}
	if len(second.Content.After) != 1 || len(third.Content.After) != 2 || third.Content.After[1].New.Value != "N" || third.Content.After[1].Old.Value != "Y" {
		t.Errorf("what was added: %+v, %+v", second.Content.After, third.Content.After)
	}
	w.round()
	if d := w.service.Depth(); d.Waiting+d.Ready != 0 || !d.Complete || !d.Oldest.IsZero() {
		t.Errorf("when all is fetched: %+v", d)
	}
	for _, a := range w.noted {
		if a.Type != audit.TypeExport || a.Record.IsZero() || a.Word != "delivery" {
			t.Errorf("noted: %+v", a)
		}
	}
	if len(w.noted) != 4 {
		t.Errorf("noted: got %d deliveries, want 4", len(w.noted))
	}
}

// A restart sends nothing twice that was receipted, and everything again that was not,
// under the same ids and as the same bytes.
func TestDeliverySurvivesRestarts(t *testing.T) {
	w := newWorld(t)
	w.sealed()
	w.round()
	before, err := os.ReadFile(filepath.Join(w.folder, id(part, "1")+".json"))
	if err != nil {
		t.Fatal(err)
	}
	w.fetch(id(visit, "1"))
	w.open(nil)
	w.round()
	if got, want := w.lying(), []string{id(part, "1")}; !slices.Equal(got, want) {
		t.Errorf("after a restart: got %v, want %v", got, want)
	}

	receipts := filepath.Join(w.dir, "receipts.jsonl")
	kept, err := os.ReadFile(receipts)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(kept, []byte("Fox")) || bytes.Contains(kept, []byte(secret)) {
		t.Errorf("the receipts say something: %s", kept)
	}
	if err := os.WriteFile(receipts, kept[:len(kept)-20], 0o600); err != nil { // torn by a crash
		t.Fatal(err)
	}
	w.open(nil)
	w.round()
	w.round()
	after, err := os.ReadFile(filepath.Join(w.folder, id(part, "1")+".json"))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the same version goes again as other bytes: %v", err)
	}
	if err := os.Remove(receipts); err != nil {
		t.Fatal(err)
	}
	w.open(nil)
	w.round()
	if got, want := w.lying(), []string{id(visit, "1"), id(part, "1")}; !slices.Equal(got, want) {
		t.Errorf("without receipts everything goes again: got %v, want %v", got, want)
	}
}

// A line of the receipts that cannot be read costs that receipt and none behind it: of
// what is erased later, the other side must still be told.
func TestADamagedReceiptCostsNoOther(t *testing.T) {
	w := newWorld(t)
	w.sealed()
	w.round()
	w.fetch(id(visit, "1"))
	w.fetch(id(part, "1"))
	w.round()
	receipts := filepath.Join(w.dir, "receipts.jsonl")
	kept, err := os.ReadFile(receipts)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(receipts, append([]byte("{damaged\n"), kept...), 0o600); err != nil {
		t.Fatal(err)
	}
	w.open(nil)
	w.round()
	if got := w.lying(); got != nil {
		t.Errorf("went again: %v", got)
	}
}

// broken fails for one record.
type broken struct {
	delivery.Final
	record syncproto.RecordID
}

func (b *broken) FinalVersion(record syncproto.RecordID) (*syncproto.View, error) {
	if record == b.record {
		return nil, errors.New("its key cannot be read")
	}
	return b.Final.FinalVersion(record)
}

// A record whose bundle cannot be made holds up no other, is tried again, and is counted
// as waiting meanwhile.
func TestARecordThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	w := newWorld(t)
	w.sealed()
	trouble := &broken{record: visit}
	w.open(nil, func(cfg *delivery.Config) { trouble.Final = cfg.Final; cfg.Final = trouble })
	w.round()
	if got, want := w.lying(), []string{id(part, "1")}; !slices.Equal(got, want) {
		t.Errorf("lying ready: got %v, want %v", got, want)
	}
	if d := w.service.Depth(); d.Waiting != 1 || d.Refused != 0 || d.Oldest.IsZero() {
		t.Errorf("while it cannot be read: %+v", d)
	}
	trouble.record = syncproto.RecordID{}
	w.now = w.now.Add(time.Hour)
	w.round()
	if got, want := w.lying(), []string{id(visit, "1"), id(part, "1")}; !slices.Equal(got, want) {
		t.Errorf("once it can: got %v, want %v", got, want)
	}
}

// A share that is not mounted is no folder whose bundles were all fetched.
func TestAMountPointWithoutItsShareIsNotWrittenInto(t *testing.T) {
	w := newWorld(t)
	w.sealed()
	w.round()
	away := w.folder + ".away"
	if err := errors.Join(os.Rename(w.folder, away), os.Mkdir(w.folder, 0o700)); err != nil {
		t.Fatal(err)
	}
	w.must(w.final.Addendum(ctx, finalise.Caller{User: lead}, finalise.Addendum{Record: part, Text: "More.", Reason: "Late"}))
	w.open(nil)
	w.round()
	if d := w.service.Depth(); !d.Failing || d.Ready+d.Waiting != 2 || len(w.lying()) != 0 {
		t.Errorf("without the share: %+v, %v", d, w.lying())
	}
	if err := errors.Join(os.Remove(w.folder), os.Rename(away, w.folder)); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	w.round()
	if d := w.service.Depth(); d.Failing || !slices.Contains(w.lying(), id(part, "2")) {
		t.Errorf("with it again: %+v, %v", d, w.lying())
	}
}

// What was erased is withdrawn where it lies, and the other side is told if it has it.
func TestAnErasureIsTold(t *testing.T) {
	w := newWorld(t)
	w.sealed()
	w.round()
	w.fetch(id(visit, "1"))
	w.round()
	w.store(store.EraseEntry{Scope: "record", Basis: "court_order", Family: family, Record: part, By: lead, Second: coord, AtMS: w.now.UnixMilli()})
	w.round()
	names, err := filepath.Glob(filepath.Join(w.folder, part.String()+"*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil || bytes.Contains(b, []byte("Maya")) {
			t.Errorf("%s is left of what was erased: %s", filepath.Base(name), b)
		}
	}
	if got, want := w.lying(), []string{id(part, "2")}; !slices.Equal(got, want) {
		t.Fatalf("lying ready: got %v, want %v", got, want)
	}
	b := w.fetch(id(part, "2"))
	if b.Change != delivery.ChangeErased || b.Erased == nil || b.Erased.Basis != "court_order" || b.Content != nil || b.Page != "" || b.Supersedes != id(part, "1") {
		t.Errorf("the word of an erasure: %+v", b)
	}
	w.round()
	w.open(nil)
	w.round()
	if d := w.service.Depth(); len(w.lying()) != 0 || d.Waiting+d.Ready != 0 {
		t.Errorf("after it was told: %v, %+v", w.lying(), d)
	}
	w.must(w.final.Addendum(ctx, finalise.Caller{User: lead}, finalise.Addendum{Record: visit, Text: "More.", Reason: "Late"}))
	w.round()
	if got, want := w.lying(), []string{id(visit, "2")}; !slices.Equal(got, want) {
		t.Errorf("the visit goes on without the part: got %v, want %v", got, want)
	}
}

// What was moved out of the wrong family's file is withdrawn where it lies, and the other
// side is told that it has no business there; not where it went.
func TestAMisfileIsTold(t *testing.T) {
	w := newWorld(t)
	w.sealed()
	w.round()
	w.fetch(id(visit, "1"))
	w.round()
	right, became := syncproto.FamilyID{90}, syncproto.RecordID{91}
	w.store(store.MisfileEntry{Family: family, Record: visit, Kind: "visit", ToFamily: right, ToRecord: became, By: coord, AtMS: w.now.UnixMilli()})
	w.round()
	b := w.fetch(id(visit, "2"))
	if b.Change != delivery.ChangeMisfiled || b.Erased != nil || b.Content != nil || b.Page != "" || b.MovedFrom != "" || b.Supersedes != id(visit, "1") {
		t.Errorf("the word of a move: %+v", b)
	}
	w.round()
	w.open(nil)
	w.round()
	if got, want := w.lying(), []string{id(part, "1")}; !slices.Equal(got, want) {
		t.Errorf("after it was told: got %v, want %v", got, want)
	}
	w.store(store.EraseEntry{Scope: "record", Basis: "court_order", Family: family, Record: visit, By: lead, Second: coord, AtMS: w.now.UnixMilli()})
	w.round()
	if got, want := w.lying(), []string{id(part, "1")}; !slices.Equal(got, want) {
		t.Errorf("it is told twice that the record is gone: got %v, want %v", got, want)
	}
}

// What was never delivered and is erased is nobody's business.
func TestAnErasureOfWhatNeverLeftIsNotTold(t *testing.T) {
	w := newWorld(t)
	w.sealed()
	w.store(store.EraseEntry{Scope: "record", Basis: "court_order", Family: family, Record: part, By: lead, Second: coord, AtMS: w.now.UnixMilli()})
	w.round()
	if got, want := w.lying(), []string{id(visit, "1")}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRestrictedFilesStay(t *testing.T) {
	w := newWorld(t)
	w.sealed()
	if err := w.borough.Keys.Ensure([]store.KeyPair{store.WordsKey(family)}); err != nil {
		t.Fatal(err)
	}
	w.store(store.RestrictionEntry{Family: family, Category: "STAFF", On: true, Reason: "A colleague", By: coord, AtMS: w.now.UnixMilli(), ReviewMS: w.now.Add(time.Hour).UnixMilli()})
	w.round()
	if d := w.service.Depth(); len(w.lying()) != 0 || d.Held != 2 || d.Waiting != 0 || !d.Oldest.IsZero() {
		t.Errorf("a restricted file: %v, %+v", w.lying(), d)
	}
	w.open(nil, func(c *delivery.Config) { c.Restricted = true })
	w.round()
	if b := w.fetch(id(visit, "1")); !b.Restricted {
		t.Error("the bundle does not say that the file is restricted")
	}
	w.open(nil, func(c *delivery.Config) { c.Kinds = []string{"visit"} })
	w.store(store.RestrictionEntry{Family: family, Category: "STAFF", On: false, By: coord, AtMS: w.now.UnixMilli()})
	w.round()
	if got, want := w.lying(), []string{id(part, "1")}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v: what lay there stays", got, want)
	}
}

// The page about deliveries shows nobody a record that access denies.
func TestDeliveriesAreShownToWhoMayRead(t *testing.T) {
	w := newWorld(t)
	w.sealed()
	w.round()
	w.fetch(id(visit, "1"))
	w.round()
	for user, want := range map[syncproto.UserID]int{lead: 1, coord: 1, stranger: 0} {
		arrived, err := w.service.Arrived(user, 10)
		if waiting := w.service.Waiting(user); err != nil || len(waiting) != want || len(arrived) != want {
			t.Errorf("%x sees %d waiting and %d arrived, want %d of each: %v", user[:1], len(waiting), len(arrived), want, err)
		}
	}
}

// other is a case-management system that answers as it is told.
type other struct {
	status int
	got    map[string][]byte
	posts  int
}

func (o *other) ServeHTTP(res http.ResponseWriter, req *http.Request) {
	o.posts++
	words, err := io.ReadAll(req.Body)
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	name := req.Header.Get(delivery.HeaderBundle)
	b, broken := delivery.Open(words, req.Header.Get(delivery.HeaderSignature), key)
	if err != nil || broken != nil || b.ID != name || req.Header.Get("Authorization") != "Bearer open sesame" {
		res.WriteHeader(http.StatusTeapot)
		return
	}
	if o.status/100 == 2 {
		o.got[name] = words
	}
	res.WriteHeader(o.status)
	_, _ = io.WriteString(res, `{"reference":"CMS/`+name[len(name)-1:]+`"}`)
}

// A webhook is tried again until it answers; a refusal stops that record alone.
func TestWebhook(t *testing.T) {
	w := newWorld(t)
	w.sealed()
	o := &other{status: http.StatusServiceUnavailable, got: map[string][]byte{}}
	srv := httptest.NewTLSServer(o)
	defer srv.Close()
	roots := srv.Client().Transport.(*http.Transport).TLSClientConfig
	w.open(delivery.NewWebhook(srv.URL+"/records?key=hidden", "open sesame", roots))
	w.round()
	w.round()
	if d := w.service.Depth(); o.posts != 1 || !d.Failing || d.Waiting != 2 || d.Oldest.IsZero() {
		t.Errorf("while it cannot: %d posts, %+v", o.posts, d)
	}
	w.now, o.status = w.now.Add(time.Minute), http.StatusUnprocessableEntity
	w.round()
	if d := w.service.Depth(); o.posts != 3 || d.Failing || d.Refused != 2 {
		t.Errorf("while it refuses: %d posts, %+v", o.posts, d)
	}
	o.status = http.StatusCreated
	w.round()
	if o.posts != 3 {
		t.Error("what was refused is tried again at once")
	}
	w.now = w.now.Add(time.Hour)
	w.round()
	arrived, err := w.service.Arrived(lead, 10)
	if d := w.service.Depth(); err != nil || len(o.got) != 2 || d.Waiting+d.Refused != 0 || len(arrived) != 2 || arrived[0].Reference != "CMS/1" {
		t.Errorf("once it takes them: %d bundles, %+v, %+v", len(o.got), d, arrived)
	}
	srv.Close()
	w.must(w.final.Addendum(ctx, finalise.Caller{User: lead}, finalise.Addendum{Record: part, Text: "More.", Reason: "Late"}))
	w.round()
	if trouble := w.service.Depth().Trouble; trouble == "" || strings.Contains(trouble+w.log.String(), "hidden") {
		t.Errorf("why it fails: %q; the log: %s", trouble, w.log.String())
	}
	w.open(delivery.NewWebhook(srv.URL, "open sesame", roots))
	w.round()
	if d := w.service.Depth(); d.Waiting != 1 {
		t.Errorf("after a restart: %+v", d)
	}
}

// The webhook goes to the configured address alone.
func TestWebhookFollowsNobody(t *testing.T) {
	w := newWorld(t)
	w.sealed()
	strayed := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed = true }))
	defer elsewhere.Close()
	srv := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer srv.Close()
	w.open(delivery.NewWebhook(srv.URL, "", nil))
	w.round()
	if d := w.service.Depth(); strayed || !d.Failing || d.Waiting != 2 {
		t.Errorf("after a redirect: elsewhere asked %v, %+v", strayed, d)
	}
}

func TestVerifyRefusesWhatWasNotSigned(t *testing.T) {
	w := newWorld(t)
	w.sealed()
	w.round()
	name := filepath.Join(w.folder, id(part, "1"))
	words, err := os.ReadFile(name + ".json")
	signature, more := os.ReadFile(name + ".jws")
	if err := errors.Join(err, more); err != nil {
		t.Fatal(err)
	}
	key := w.key.Public().(ed25519.PublicKey)
	stranger := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	if err := delivery.Verify(words, string(signature), key); err != nil {
		t.Fatal(err)
	}
	for what, bad := range map[string]error{
		"another word":      delivery.Verify(bytes.Replace(words, []byte("Maya"), []byte("Mary"), 1), string(signature), key),
		"another key":       delivery.Verify(words, string(signature), stranger),
		"no signature":      delivery.Verify(words, "", key),
		"a cut signature":   delivery.Verify(words, string(signature[:len(signature)-9]), key),
		"another algorithm": delivery.Verify(words, "eyJhbGciOiJub25lIn0..", key),
	} {
		if !errors.Is(bad, delivery.ErrSignature) {
			t.Errorf("%s: got %v, want ErrSignature", what, bad)
		}
	}
}

var update = flag.Bool("update", false, "write the example of deploy/case-management anew")

// The example that the other side's developers read is what comes out.
func TestExampleOfABundle(t *testing.T) {
	w := newWorld(t)
	w.sealed()
	w.must(w.final.Correct(ctx, finalise.Caller{User: lead}, finalise.Correct{Record: part, Path: syncproto.Path{Field: "seen_alone"},
		Old: cbor.Text("Y"), New: cbor.Text("N"), Reason: "Her brother came in"}))
	w.round()
	w.round()
	key := w.key.Public().(ed25519.PublicKey)
	files := map[string][]byte{"example.jwk": []byte(delivery.JWK(key) + "\n")}
	for _, suffix := range []string{".json", ".jws", ".html"} {
		b, err := os.ReadFile(filepath.Join(w.folder, id(part, "2")+suffix))
		if err != nil {
			t.Fatal(err)
		}
		files["example"+suffix] = b
	}
	for name, want := range files {
		path := filepath.Join("../../../deploy/case-management", name)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what comes out (%v): go test ./server/internal/delivery -update", name, err)
		}
	}
}
