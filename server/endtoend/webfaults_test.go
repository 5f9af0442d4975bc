package endtoend

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"doorstep/server"
	"doorstep/syncproto"
)

// A browser that wipes or damages its database gives back what was not sent, from the
// second copy, and says that it did.
func TestFault96BrowserStorageEvicted(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 2, families: 1})
	p := newPages(t, b)
	web := newBrowser(t)
	tab, visit := web.enrolled(p, login(0))
	tab.run("tablet.client.sync()")
	p.signal(false)
	tab.run("tablet.append(%s, %s)", visit, "Nobody opened")

	for _, c := range []struct {
		why, words string
		harm       func(file string) error
	}{
		{"evicted", "Nobody opened the door. ", os.Remove},
		{"damaged", "Nobody opened the door. A curtain moved.", func(file string) error {
			return os.WriteFile(file, []byte("no database"), 0o600)
		}},
	} {
		p.signal(false)
		before := tab.run("tablet.purpose(%s)", visit)
		tab.run("tablet.append(%s, %s)", visit, strings.TrimPrefix(c.words, before))
		web.kill()
		for _, file := range web.inProfile("IndexedDB") {
			if err := c.harm(file); err != nil {
				t.Fatal(err)
			}
		}
		web.start()
		tab = web.unlocked(p)
		if got := tab.events(); !strings.Contains(got, `"recovered"`) {
			t.Errorf("%s: nobody was told: %s", c.why, got)
		}
		p.signal(true)
		if got := tab.run("tablet.client.sync().then(r => r.refusal?.code ?? '')"); got != "" {
			t.Errorf("%s: the sync after it failed: %s", c.why, got)
		}
		tab.reads(visit, c.words)
	}
	colleague := newTablet(t, b, 1, 1)
	colleague.syncs()
	tab.sameAs(colleague)
}

// A form that is being filled in is on the disk with each keystroke, as a text is: after
// a kill it is there again, and it is gone once what it says is kept.
func TestFault98KilledWhileAFormIsFilledIn(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1})
	p := newPages(t, b)
	web := newBrowser(t)
	tab, visit := web.enrolled(p, login(0))
	p.signal(false)
	tab.run("tablet.noting(%s, {text: %s})", visit, "He hid the")
	tab.run("tablet.noting(%s, {text: %s})", visit, "He hid the key")
	web.kill()
	web.start()
	tab = web.unlocked(p)
	if got := tab.run("tablet.client.sketches(%s).then(([one]) => one.ops[0].value.text)", visit); got != "He hid the key" {
		t.Errorf("after the kill the form says %q", got)
	}
	keep := "tablet.noting(%[1]s, {kind: 'TEXT', text: %[2]s}).then(({ops}) => tablet.client.edit({record: %[1]s, ops, sketch: 'note'}))"
	tab.run(keep, visit, "He hid the key.")
	web.kill()
	web.start()
	tab = web.unlocked(p)
	if got := tab.run("tablet.client.sketches(%s).then(list => list.length)", visit); got != "0" {
		t.Errorf("%s forms are still begun after it was kept", got)
	}
	if got := tab.run("tablet.client.view(%s).then(v => v.fields.worker_raw_note.items.map(i => i.fields.text.value).join())", visit); got != "He hid the key." {
		t.Errorf("the record says %q", got)
	}
}

// Where no space is left a keystroke is refused aloud, stays on the screen, and is
// kept as soon as there is space.
func TestFault97StorageFullWhileTyping(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1})
	p := newPages(t, b)
	web := newBrowser(t)
	tab, visit := web.enrolled(p, login(0))
	tab.run("tablet.append(%s, %s)", visit, "Seen. ")
	tab.close()
	tab = web.openWith(p, "?worker=full.js")
	tab.run("tablet.unlock(%s)", pin)
	tab.run("tablet.client.text(%s, {field: 'purpose'}).then(field => { tablet.field = field; tablet.disk = new BroadcastChannel('disk'); })", visit)
	turn := "new Promise(done => { tablet.disk.onmessage = () => done(); tablet.disk.postMessage(%s) })"
	tab.run(turn, "full")
	if got := tab.run("tablet.refused(tablet.field.input(tablet.field.value + 'Not kept'))"); got != "storage" {
		t.Errorf("with the disk full: %q, want storage", got)
	}
	if got := tab.run("tablet.refused(tablet.field.input(tablet.field.value + ' yet'))"); got != "storage" {
		t.Errorf("with the disk full, again: %q, want storage", got)
	}
	if got := tab.run("tablet.field.value"); got != "Seen. Not kept yet" {
		t.Errorf("the field shows %q", got)
	}
	if got := tab.run("tablet.client.storage().then(s => s.low)"); got != "true" {
		t.Errorf("nobody is warned of the space that is left: %s", got)
	}
	tab.run(turn, "free")
	tab.run("tablet.field.input(tablet.field.value + ', now kept.')")
	web.kill()
	web.start()
	web.unlocked(p).reads(visit, "Seen. Not kept yet, now kept.")
}

// Of two tabs one writes, both type in one field, and when the one goes in the middle
// of a word the other goes on.
func TestFault99TwoTabs(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1})
	p := newPages(t, b)
	web := newBrowser(t)
	first, visit := web.enrolled(p, login(0))
	second := web.open(p)
	if got := second.run("tablet.client.families().then(f => f.length)"); got != "1" {
		t.Fatalf("the second tab sees %s families, want 1 without unlocking again", got)
	}
	for _, tb := range []*tab{first, second} {
		if _, err := tb.try("(tablet.writing = tablet.write(%s, %s, 5), null)", visit, strings.Repeat("abcdefgh ", 12)); err != nil {
			t.Fatal(err)
		}
	}
	second.run("new Promise(next => setTimeout(next, 200))")
	first.close()
	text := second.run("tablet.writing")
	second.reads(visit, text)
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := strings.Count(text, "h"); n < 12 || len(p.kept) == 0 {
		t.Errorf("the second tab's words are not all there: %q", text)
	}
	if got := second.events(); !strings.Contains(got, `"writer"`) {
		t.Errorf("the second tab did not take over: %s", got)
	}
}

// A tablet restored from a backup is a copy that writes under the same name: the
// words of both come through.
func TestFault101TabletRestoredFromABackup(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1})
	p := newPages(t, b)
	web := newBrowser(t)
	tab, visit := web.enrolled(p, login(0))
	tab.run("tablet.append(%s, %s)", visit, "One. ")
	web.kill()
	copied := &browser{t: t, profile: web.profile + "-copy"}
	if err := os.CopyFS(copied.profile, os.DirFS(web.profile)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(copied.profile) })
	for i, words := range []string{"Two. ", "Three. "} {
		one := []*browser{web, copied}[i]
		one.start()
		tab = one.unlocked(p)
		tab.run("tablet.append(%s, %s).then(() => tablet.client.save(%s))", visit, words, visit)
		if got := tab.run("tablet.client.sync().then(r => r.refusal?.code ?? '')"); got != "" {
			t.Fatalf("the sync failed: %s", got)
		}
		if i == 0 {
			one.kill()
		}
	}
	t.Cleanup(copied.end)
	text := tab.run("tablet.purpose(%s)", visit)
	for _, words := range []string{"One. ", "Two. ", "Three. "} {
		if !strings.Contains(text, words) {
			t.Errorf("%q is not in %q", words, text)
		}
	}
	web.start() // what cleans up ends it
}

// Where nothing can be kept no visit is begun.
func TestFault102NoDatabase(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1})
	p := newPages(t, b)
	tab := newBrowser(t).openWith(p, "?worker=lost.js")
	if got := tab.run("window.ready"); got != "unsupported" {
		t.Errorf("opening a page says %q, want unsupported", got)
	}
}

// Ten wrong PINs destroy the key: nothing opens the store any more, with the server or
// without. What was not sent, a draft among it, stays sealed, and two officers bring it
// back; the person enrols anew on the same tablet.
func TestFault104TenWrongPINs(t *testing.T) {
	t.Parallel()
	b, r := newRecoverableBorough(t, caseload{workers: 1, families: 1})
	p := newPages(t, b)
	web := newBrowser(t)
	tab, visit := web.enrolled(p, login(0))
	tab.run("tablet.client.sync()")
	tab.run("tablet.sealedTo(0)") // what the server has is not in it
	p.signal(false)
	tab.run("tablet.append(%s, %s)", visit, "A change. ")
	tab.run("tablet.client.save(%s)", visit)
	tab.run("tablet.append(%s, %s)", visit, "A draft.")
	tab.run("tablet.noting(%s, {text: %s})", visit, " A form.")
	tab.run("tablet.sealedTo(3)")
	web.kill()
	web.start()
	tab = web.open(p)
	web.wrongPINs(p, &tab, "destroyed")
	p.signal(true)
	for what, pins := range map[string]string{"the right PIN": pin, "a wrong one": "000000"} {
		if got := tab.run("tablet.refused("+signIn+")", pins, login(0), password); got != "destroyed" {
			t.Errorf("%s, with the server: %q, want destroyed", what, got)
		}
	}
	if words, _ := r.recovered(t, b, tab, 3); words != "A change. A draft. A form." {
		t.Errorf("the officers recovered %q", words)
	}
	tab.enrol(b, login(0))
	tab.run("tablet.client.sync()")
	tab.run("tablet.begin()")
}

// signIn unlocks the first store with a PIN and a password.
const signIn = "tablet.client.people().then(([one]) => tablet.client.unlock(one.store, {pin: %s}, {login: %s, password: %s}))"

// wrongPINs gives ten wrong PINs; the browser is killed between two of them.
func (b *browser) wrongPINs(p *pages, tb **tab, last string) {
	b.t.Helper()
	for try := 1; try <= 10; try++ {
		want := "wrong_secret"
		if try == 10 {
			want = last
		}
		if try == 5 { // what was counted survives a restart
			b.kill()
			b.start()
			*tb = b.open(p)
		}
		if got := (*tb).run("tablet.refused(tablet.unlock('000000'))"); got != want {
			b.t.Errorf("try %d: %q, want %q", try, got, want)
		}
	}
	if got := (*tb).run("tablet.refused(tablet.unlock(%s))", pin); got != last {
		b.t.Errorf("the right PIN after that: %q, want %q", got, last)
	}
}

// recovered has two officers open what the tablet's first person has sealed, and checks
// that all of its changes go into custody. It gives what was typed, and the notes that
// were written while it was locked.
func (r recovery) recovered(t *testing.T, b *borough, tb *tab, want int) (words string, notes []string) {
	t.Helper()
	var sealed struct {
		Items int
		File  []byte
	}
	if err := json.Unmarshal([]byte(tb.run("tablet.sealed()")), &sealed); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(r.dir, "sealed")
	if err := os.WriteFile(file, sealed.File, 0o600); err != nil {
		t.Fatal(err)
	}
	opened, err := server.OpenSealedOutbox(b.cfg, file, r.keyFile, r.pair())
	order := opened.Order
	if err != nil || opened.Damaged > 0 || len(order.Items) != want || sealed.Items != want+len(opened.Notes) {
		t.Fatalf("%d items sealed, %d open, %d notes, %d damaged, %v; want %d", sealed.Items, len(order.Items), len(opened.Notes), opened.Damaged, err, want)
	}
	for _, n := range opened.Notes {
		notes = append(notes, n.Text)
	}
	if done, err := b.op.Recover(t.Context(), order); err != nil || done.Custody != want {
		t.Fatalf("got %+v, %v; want %d in custody", done, err, want)
	}
	for _, it := range order.Items {
		c, err := syncproto.DecodeChange(syncproto.ChangeID(it.Prev), it.Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range c.Body.Ops {
			for _, s := range op.Splices {
				words += s.Ins
			}
			words += op.Text
		}
	}
	return words, notes
}

// Where the borough has no recovery key ten wrong PINs destroy nothing: the right one
// opens nothing without the server, and every word is there once somebody has signed in.
func TestFault104TenWrongPINsWithoutARecoveryKey(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1})
	p := newPages(t, b)
	web := newBrowser(t)
	tab, visit := web.enrolled(p, login(0))
	p.signal(false)
	tab.run("tablet.append(%s, %s)", visit, "Unsent.")
	tab.run("tablet.client.lock()")
	web.wrongPINs(p, &tab, "lapsed")
	p.signal(true)
	if got := tab.run("tablet.refused("+signIn+")", "000000", login(0), password); got != "lapsed" {
		t.Errorf("the eleventh wrong PIN: %q, want lapsed", got)
	}
	tab.run(signIn, pin, login(0), password)
	tab.reads(visit, "Unsent.")
}

// What lies in a locked profile says nothing of what was written.
func TestLockedProfileSaysNothing(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1})
	p := newPages(t, b)
	web := newBrowser(t)
	tab, visit := web.enrolled(p, login(0))
	p.signal(false)
	words := planted(1000)
	tab.run("tablet.append(%s, %s)", visit, strings.Join(words[:500], " "))
	tab.run("tablet.client.save(%s)", visit)
	tab.run("tablet.append(%s, %s)", visit, strings.Join(words[500:], " "))
	web.kill()
	searched := 0
	for _, folder := range []string{"IndexedDB", "File System"} {
		for _, file := range web.inProfile(folder) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			searched += len(content)
			for _, w := range words {
				if strings.Contains(string(content), w) || strings.Contains(string(content), utf16(w)) {
					t.Fatalf("%s is readable in %s", w, filepath.Base(file))
				}
			}
		}
	}
	t.Logf("%d bytes of profile searched for %d words", searched, len(words))
	web.start()
	web.unlocked(p).reads(visit, strings.Join(words[:500], " ")+strings.Join(words[500:], " "))
}

// At the first start after the offline lease the server's share is gone from the
// profile, and the right PIN opens nothing; with the server in reach it opens again,
// and nothing is lost.
func TestLapsedTabletCannotBeOpenedOffline(t *testing.T) {
	t.Parallel()
	b, r := newRecoverableBorough(t, caseload{workers: 1, families: 1})
	p := newPages(t, b)
	web := newBrowser(t)
	tab, visit := web.enrolled(p, login(0))
	tab.run("tablet.client.sync()")
	device := tab.run("tablet.client.session.device")
	ask := "fetch('/v1/share', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({login: %s, password: %s, device: %s})}).then(r => r.json()).then(a => a.share)"
	share, err := hex.DecodeString(tab.run(ask, login(0), password, device))
	if err != nil || len(share) != 32 {
		t.Fatalf("the server's share has %d bytes, %v", len(share), err)
	}
	p.signal(false)
	tab.run("tablet.append(%s, %s)", visit, "Unsent. ")
	tab.run("tablet.sealedTo(1)")
	web.kill()
	if n := web.holding(share); n == 0 {
		t.Fatal("the share is not found where it must be: this test sees nothing")
	}
	web.start()
	tab = web.openWith(p, "?worker=later.js")
	if got := tab.run("tablet.client.state"); got != "lapsed" {
		t.Errorf("after fifteen days the state is %q", got)
	}
	if got := tab.run("tablet.refused(tablet.unlock(%s))", pin); got != "lapsed" {
		t.Errorf("the right PIN without the server: %q, want lapsed", got)
	}
	web.kill()
	if n := web.holding(share); n > 0 {
		t.Errorf("the share is still in %d files", n)
	}
	web.start()
	tab = web.open(p) // the clock is right again: what has lapsed has lapsed
	if got := tab.run("tablet.refused(tablet.unlock(%s))", pin); got != "lapsed" {
		t.Errorf("with the clock set back: %q, want lapsed", got)
	}

	// Recording goes on, write-only, and survives a kill; two officers find all of it.
	note := "tablet.client.people().then(([one]) => tablet.client.writeNote(one.store, tablet.noted ??= tablet.newID(), %s))"
	tab.run(note, "The Vale family, at their door. A bruise on")
	tab.run(note, "The Vale family, at their door. A bruise on his arm.")
	web.kill()
	web.start()
	tab = web.open(p)
	words, notes := r.recovered(t, b, tab, 1)
	if words != "Unsent. " || !slices.Equal(notes, []string{"The Vale family, at their door. A bruise on his arm."}) {
		t.Errorf("the officers find %q and the notes %q", words, notes)
	}
	p.signal(true)
	tab.run("tablet.client.people().then(([one]) => tablet.client.unlock(one.store, {pin: %s}, {login: %s, password: %s}))", pin, login(0), password)
	tab.reads(visit, "Unsent. ")
	if got := tab.run("tablet.client.save(%s).then(() => tablet.client.sync()).then(r => r.refusal?.code ?? '')", visit); got != "" {
		t.Errorf("the sync after it: %s", got)
	}
	tab.run("tablet.sealedTo(1)") // what was sent is not in it; the note is, whoever unlocks
}

// holding counts the files of a profile that hold some bytes.
func (b *browser) holding(want []byte) (n int) {
	b.t.Helper()
	for _, folder := range []string{"IndexedDB", "File System", "Session Storage", "Local Storage"} {
		if _, err := os.Stat(filepath.Join(b.profile, "Default", folder)); err != nil {
			continue
		}
		for _, file := range b.inProfile(folder) {
			content, err := os.ReadFile(file)
			if err != nil {
				b.t.Fatal(err)
			}
			if bytes.Contains(content, want) || bytes.Contains(content, []byte(hex.EncodeToString(want))) {
				n++
			}
		}
	}
	return n
}
