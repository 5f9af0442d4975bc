package endtoend

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorstep/client-sdk/device"
	"doorstep/client-sdk/engine"
	"doorstep/server"
	"doorstep/syncproto"
	"doorstep/syncproto/text"
)

// Golden data is what a release left behind: the data of a borough that has been
// through everything, stopped, and two tablets with words that were never sent. It is
// made once, by the release's own code, and kept as long as the release is in the
// published window (deploy/RELEASE.md):
//
//	go test ./server/endtoend -run TestGoldenIsMade -golden v1.0.0
var golden = flag.String("golden", "", "version whose golden data is to be made, e.g. v1.0.0")

const goldenDir = "testdata/golden"

// goldenFacts are what a later version must find in golden data.
type goldenFacts struct {
	Version string
	Made    string
	Entries uint64                         // in the journal
	Digest  string                         // of the journal's chain, at the last of them
	Said    map[string][]string            // by record: words that the server has, and shows
	Unsent  map[string]map[string][]string // by login and record: words that only that tablet has
	Drafts  int                            // of them, those that are no change yet
}

// goldenBorough is one that is being made.
type goldenBorough struct {
	*borough
	facts goldenFacts
}

func TestGoldenIsMade(t *testing.T) {
	if *golden == "" {
		t.Skip("golden data is made once a release, with -golden VERSION")
	}
	b := &goldenBorough{
		borough: newBorough(t, caseload{workers: 3, families: 3, manager: true, coord: true, plans: true, works: func(worker, _ int) bool { return worker < 2 }}),
		facts:   goldenFacts{Version: *golden, Made: time.Now().UTC().Format(time.DateOnly), Said: map[string][]string{}, Unsent: map[string]map[string][]string{}},
	}
	lead, co := newTablet(t, b, 0, 1), newTablet(t, b, 1, 2)
	lead.syncs()
	co.syncs()
	b.livesThroughEverything(t, lead, co)
	family := lead.families()[2]
	visit := b.speaks(lead, family, lead.newRecord(), b.facts.Said, "Golden: the kitchen was warm. ", "Golden: she showed me her room. ")
	lead.syncs()
	co.syncs()
	for _, x := range []*tablet{lead, co} {
		unsent := map[string][]string{}
		b.speaks(x, family, visit, unsent, "Golden: "+x.login+" heard the baby. ")
		begun := b.speaks(x, family, x.newRecord(), unsent, "Golden: "+x.login+" came back at six. ")
		b.facts.Unsent[x.login] = unsent
		b.drafts(t, x, begun)
	}
	b.stop()
	data := openData(t, b.cfg)
	head, digest := data.journal.Head()
	b.facts.Entries, b.facts.Digest = head, fmt.Sprintf("%x", digest)
	b.pack(t, lead, co)
}

// livesThroughEverything takes records to their ends, through doors, custody and
// erasure, so that entries of each kind are in the journal.
func (b *goldenBorough) livesThroughEverything(t *testing.T, lead, co *tablet) {
	t.Helper()
	did := map[string]bool{}
	author, coord, manager := b.at(t, login(0), did), b.at(t, "coordinator", did), b.at(t, "manager", did)
	cover, grant := b.covers(t, lead.families()[0], manager)
	record, late := losesAnswersToFinal(t, lead, co, author, coord)
	author.posts("/v1/records/"+record.String()+"/accept-late", map[string]string{"change": late.String(), "text": ""}, nil)
	b.facts.Said[record.String()] = []string{"Mornings", "She rang."}
	b.losesAnswersInCustody(t, cover, grant, record, manager)
	b.losesAnswersAtDoors(t, lead.families()[1], manager, did)
}

// speaks writes words into a visit and notes where.
func (b *goldenBorough) speaks(x *tablet, family syncproto.FamilyID, visit syncproto.RecordID, where map[string][]string, words ...string) syncproto.RecordID {
	x.t.Helper()
	for _, w := range words {
		x.edit(family, visit, "visit", setText("visit_type", "CIN"), write("household_summary", 0, w))
		where[visit.String()] = append(where[visit.String()], w)
	}
	return visit
}

// drafts leaves words in a record that were typed and are no change yet.
func (b *goldenBorough) drafts(t *testing.T, x *tablet, record syncproto.RecordID) {
	t.Helper()
	const words = "Golden: the pen was still on the "
	if err := x.Type(engine.Typing{Record: record, Path: syncproto.Path{Field: "household_summary"}, Splice: text.Splice{Ins: words}}); err != nil {
		t.Fatal(err)
	}
	b.facts.Unsent[x.login][record.String()] = append(b.facts.Unsent[x.login][record.String()], words)
	b.facts.Drafts++
}

// pack writes the archive: the borough's folders, a tablet's store in each form that the
// SDK has, and the facts.
func (b *goldenBorough) pack(t *testing.T, inFile, inBadger *tablet) {
	t.Helper()
	dir := filepath.Dir(b.cfg.Data.Dir)
	facts, err := json.MarshalIndent(b.facts, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	tablets := filepath.Join(dir, "tablets")
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "facts.json"), facts, 0o600), os.Mkdir(tablets, 0o700)); err != nil {
		t.Fatal(err)
	}
	file, err := device.OpenFile(filepath.Join(tablets, inFile.login))
	if err != nil {
		t.Fatal(err)
	}
	pours(t, inFile.store.Reopen(), file)
	rows, err := device.OpenBadger(filepath.Join(tablets, inBadger.login), device.BadgerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pours(t, inBadger.store.Reopen(), rows)
	if err := os.MkdirAll(goldenDir, 0o755); err != nil {
		t.Fatal(err)
	}
	packs(t, dir, filepath.Join(goldenDir, b.facts.Version+".tar.gz"))
}

// pours writes all rows of one store into another, and closes that.
func pours(t *testing.T, from, to device.Store) {
	t.Helper()
	var rows []engine.Row
	err := from.Load(func(key, value []byte) error {
		rows = append(rows, engine.Row{Key: bytes.Clone(key), Value: value})
		return nil
	})
	if err := errors.Join(err, to.Apply(rows), to.Close()); err != nil {
		t.Fatal(err)
	}
}

// packs puts a folder's files into an archive; sockets and locks stay out.
func packs(t *testing.T, dir, archive string) {
	t.Helper()
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		err = w.WriteHeader(&tar.Header{Name: filepath.ToSlash(name), Mode: 0o600, Size: int64(len(text))})
		if err == nil {
			_, err = w.Write(text)
		}
		return err
	})
	if err = errors.Join(err, w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(archive, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d bytes", archive, out.Len())
}

// unpacks puts the files of an archive below a new folder.
func unpacks(t *testing.T, archive string) server.Config {
	t.Helper()
	cfg := newConfig(t)
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return cfg
		}
		if err != nil || !filepath.IsLocal(h.Name) {
			t.Fatalf("%s in %s: %v", h.Name, archive, err)
		}
		path := filepath.Join(filepath.Dir(cfg.Data.Dir), h.Name)
		text, err := io.ReadAll(r)
		if err = errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o700)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func factsOf(t *testing.T, cfg server.Config) (f goldenFacts) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(cfg.Data.Dir), "facts.json"))
	if err = errors.Join(err, json.Unmarshal(text, &f)); err != nil || f.Entries == 0 || len(f.Said) < 2 || len(f.Unsent) != 2 || f.Drafts == 0 {
		t.Fatalf("the facts: %+v, %v", f, err)
	}
	return f
}

// This build takes over what each version of the published window left behind: upgrade-
// check says so beforehand, every entry and word of the server is still there, and both
// tablets deliver what they had not sent, what was a draft among it. It does so with the
// index that was left and, as after a change of the index's format, without it.
func TestGoldenDataOfTheWindow(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob(filepath.Join(goldenDir, "*.tar.gz"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("there is no golden data: %v", err)
	}
	for _, archive := range archives {
		for _, indexed := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, index %v", filepath.Base(archive), indexed), func(t *testing.T) {
				cfg := unpacks(t, archive)
				if !indexed {
					if err := os.RemoveAll(filepath.Join(cfg.Data.Dir, "index")); err != nil {
						t.Fatal(err)
					}
				}
				takesOver(t, cfg)
			})
		}
	}
}

func takesOver(t *testing.T, cfg server.Config) {
	t.Helper()
	facts := factsOf(t, cfg)
	foretold, err := server.CheckUpgrade(cfg)
	if err != nil || len(foretold.Faults) > 0 || foretold.GoBack != "" || foretold.Entries != facts.Entries {
		t.Errorf("foretold: %+v, %v; want no fault, a way back, and %d entries", foretold, err, facts.Entries)
	}
	b := &borough{cfg: cfg}
	b.start(t)
	tablets := filepath.Join(filepath.Dir(cfg.Data.Dir), "tablets")
	file, err := device.OpenFile(filepath.Join(tablets, login(0)))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := device.OpenBadger(filepath.Join(tablets, login(1)), device.BadgerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for n, store := range []device.Store{file, rows} {
		left := device.NewMemory()
		pours(t, store, left)
		closing(t, store.Close)
		delivers(t, b, login(n), left.Reopen())
	}
	b.stop()
	data := openData(t, cfg)
	if digest, err := data.journal.DigestAt(facts.Entries); err != nil || fmt.Sprintf("%x", digest) != facts.Digest {
		t.Errorf("the journal is not the one that %s left: %v", facts.Version, err)
	}
	wantSaid(t, data, facts.Said)
	for _, unsent := range facts.Unsent {
		wantSaid(t, data, unsent)
	}
}

// delivers opens a tablet that was away since its version was current, signs its person
// in again, and has it send everything.
func delivers(t *testing.T, b *borough, login string, left *device.Memory) {
	t.Helper()
	x := &tablet{t: t, login: login, line: newLine(b), store: left, rng: rand.New(rand.NewPCG(3, uint64(len(login))))}
	client := x.client()
	x.open(client)
	defer func() {
		closing(t, x.Close)
		x.line.http.CloseIdleConnections()
	}()
	out, err := x.Outbox()
	if err != nil || out.Changes == 0 {
		t.Errorf("%s has %+v to send, %v", login, out, err)
	}
	if err := client.SignIn(t.Context(), login, password, x.Identity().Device); err != nil {
		t.Fatal(err)
	}
	if err := x.Rest(); err != nil { // what was being typed is a change now
		t.Fatal(err)
	}
	x.syncs()
	x.wantEmptyOutbox()
}

// wantSaid looks words up in the server's views.
func wantSaid(t *testing.T, data onDisk, said map[string][]string) {
	t.Helper()
	for record, words := range said {
		id, err := syncproto.ParseID(record)
		if err != nil {
			t.Fatal(err)
		}
		shown := data.fold(t, syncproto.RecordID(id))
		for _, w := range words {
			if !strings.Contains(shown, w) {
				t.Errorf("record %s has lost %q", record, w)
			}
		}
	}
}
