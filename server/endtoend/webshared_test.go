package endtoend

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/klauspost/compress/snappy"

	"doorstep/server/web/webtest"
)

// Two workers share a tablet, one with a PIN and one with a passkey. Each sees their own
// and nothing of the other's, the app changes between them, and nothing that either
// typed, in whatever place of the app, is in the profile of the locked browser.
func TestTheAppOnASharedTablet(t *testing.T) {
	t.Parallel()
	b, _ := newRecoverableBorough(t, caseload{workers: 2, families: 1})
	profile := webtest.Profile(t)
	hers := &appTablet{Browser: webtest.Start(t, "lang=en-GB", "user-data-dir="+profile), t: t, front: newFront(t, b), login: login(0)}
	hers.front.URL = strings.Replace(hers.front.URL, "127.0.0.1", "localhost", 1) // passkeys are of a name
	hers.withAuthenticator()
	hers.installs()
	hers.leaves()
	his := &appTablet{Browser: hers.Browser, t: t, front: hers.front, login: login(1)}
	his.Press("Somebody else")
	his.installsBy("With your fingerprint")
	his.leaves()
	hers.front.signal(false) // from here on nothing that one writes comes to the other by the server

	hers.Press(hers.login)
	hers.Fill("PIN of", pin)
	hers.Press("Unlock")
	words := planted(1000)
	visit := hers.beginsVisit()
	hers.Fill(summary, words[0]+" ")
	webtest.Eval[bool](hers.Browser, `document.execCommand("insertText", false, `+strconv.Quote(strings.Join(words[2:], " "))+`)`)
	hers.Until("the words are on the disk", allKept+` && document.body.innerText.includes("Saved on this tablet")`)
	hers.writesANote(words[1])
	hers.leaves()

	his.Press(his.login)
	his.Press("Unlock")
	his.Sees("Your families")
	if his.opened(visit) {
		t.Error("the second worker opens the first one's visit")
	}
	his.leaves()
	hers.Press(hers.login)
	hers.Fill("PIN of", pin)
	hers.Press("Unlock")
	hers.Sees("Your families")
	hers.opens(visit)
	for _, w := range []string{words[0], words[1], words[999]} {
		hers.Until("the words are there", hasWords(w))
	}
	hers.leaves()
	his.Press(hers.login)
	his.Fill("PIN of", "000000")
	his.Press("Unlock")
	his.Sees("That is not the PIN")
	webtest.Eval[bool](his.Browser, controls)
	his.Quit()
	searchProfile(t, profile)
}

// controls plants words in the clear, where a search of the profile must find them: in
// local storage, and in a database, so often that it is compressed.
const controls = `new Promise((done) => {
	localStorage.setItem("control", "quicksand0000borealis");
	const r = indexedDB.open("control", 1);
	r.onupgradeneeded = () => r.result.createObjectStore("words");
	r.onsuccess = () => {
		const tx = r.result.transaction("words", "readwrite", { durability: "strict" });
		tx.objectStore("words").put("quicksand0001borealis ".repeat(50), "control");
		for (let i = 0; i < 600; i++) tx.objectStore("words").put(("ballast " + i + " ").repeat(1500), "ballast" + i);
		tx.oncomplete = () => (r.result.close(), done(true));
	};
})`

// searchProfile searches every file of a browser's profile for planted words, as they
// are, in UTF-16, and in the compressed blocks of databases. The controls must be found:
// else it sees nothing.
func searchProfile(t *testing.T, profile string) {
	t.Helper()
	stems := map[string]bool{"quagmire": false, "zephyr": false, "quicksand0000": true, "quicksand0001": true}
	found := map[string]int{}
	size, files, blocks := 0, 0, 0
	err := filepath.WalkDir(profile, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		unpacked := tableBlocks(content)
		blocks += len(unpacked)
		size, files = size+len(content), files+1
		for _, part := range append(unpacked, content) {
			for stem, wanted := range stems {
				if !bytes.Contains(part, []byte(stem)) && !bytes.Contains(part, []byte(utf16(stem))) {
					continue
				}
				found[stem]++
				if !wanted {
					t.Errorf("%s is readable in %s", stem, strings.TrimPrefix(path, profile))
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for stem, wanted := range stems {
		if wanted && found[stem] == 0 {
			t.Errorf("%s, which is there, was not found: the search sees nothing", stem)
		}
	}
	t.Logf("%d bytes in %d files, and %d blocks of databases, searched", size, files, blocks)
}

// errTable says that a file is no table of a database.
var errTable = errors.New("not a table")

// tableBlocks returns the blocks of a LevelDB table, unpacked; none for another file.
// Its footer, the last 48 bytes, leads to the index, whose values lead to the blocks.
func tableBlocks(file []byte) (out [][]byte) {
	const footer, magic = 48, 0xdb4775248b80fb57
	if len(file) < footer || binary.LittleEndian.Uint64(file[len(file)-8:]) != magic {
		return nil
	}
	foot := file[len(file)-footer:]
	for range 2 { // past the handle of the meta index
		_, n := binary.Uvarint(foot)
		foot = foot[n:]
	}
	index, err := tableBlock(file, foot)
	if err != nil {
		return nil
	}
	for len(index) > 8 {
		_, shared := binary.Uvarint(index)
		own, n := binary.Uvarint(index[shared:])
		value, m := binary.Uvarint(index[shared+n:])
		at := shared + n + m + int(own)
		if shared <= 0 || n <= 0 || m <= 0 || at+int(value) > len(index) {
			break // the restarts, which end the block
		}
		if block, err := tableBlock(file, index[at:at+int(value)]); err == nil {
			out = append(out, block)
		}
		index = index[at+int(value):]
	}
	return out
}

// tableBlock reads the block that a handle leads to: its place and length, then a byte
// that says how it is packed.
func tableBlock(file, handle []byte) ([]byte, error) {
	at, n := binary.Uvarint(handle)
	if n <= 0 {
		return nil, errTable
	}
	size, m := binary.Uvarint(handle[n:])
	if m <= 0 || at+size+1 > uint64(len(file)) {
		return nil, errTable
	}
	block := file[at : at+size]
	if file[at+size] == 1 {
		return snappy.Decode(nil, block)
	}
	return block, nil
}

// withAuthenticator gives the browser what a phone has: a passkey with a secret of its
// own (PRF), and somebody who shows their finger.
func (a *appTablet) withAuthenticator() {
	a.t.Helper()
	err := chromedp.Do(a.Context(), chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		if _, err := cdp.Call(ctx, tab, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, tab, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
			Options: &webauthn.VirtualAuthenticatorOptions{
				Protocol: webauthn.AuthenticatorProtocolCtap2, Ctap2version: webauthn.Ctap2versionCtap21, Transport: webauthn.AuthenticatorTransportInternal,
				HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true, HasPrf: true}})
		return err
	}))
	if err != nil {
		a.t.Fatal(err)
	}
}

// installsBy sets the tablet up for somebody who opens it in another way than by PIN.
func (a *appTablet) installsBy(means string) {
	a.t.Helper()
	a.installsWith(means)
	a.Until("the families are there", `document.querySelector(".card__title")`)
}

// installsWith enrols in the page that is open: by a means, or with a PIN where that is "".
func (a *appTablet) installsWith(means string) {
	a.t.Helper()
	code, err := a.front.b.operator().IssueCode(a.t.Context(), a.login)
	if err != nil {
		a.t.Fatal(err)
	}
	a.Fill("Sign-in name", a.login)
	a.Fill("Password", password)
	a.Fill("Enrolment code", code.Code)
	if means != "" {
		a.Press(means)
	} else {
		a.Fill("Choose a PIN", pin)
	}
	a.Press("Set up")
	a.Until("the app is open", `document.querySelector(".masthead")`)
}

// leaves locks the tablet, as whoever hands it on does.
func (a *appTablet) leaves() {
	a.t.Helper()
	webtest.Eval[bool](a.Browser, `location.hash = "#/more", true`)
	a.Press("Lock now")
	a.Sees("Who is here?")
}

// opened reports whether a record can be seen.
func (a *appTablet) opened(record string) bool {
	a.t.Helper()
	webtest.Eval[bool](a.Browser, "location.hash = '#/record/"+record+"', true")
	a.Until("something is shown", `document.body.innerText.includes("This record is not on this tablet") || document.querySelector("textarea")`)
	return webtest.Eval[bool](a.Browser, `Boolean(document.querySelector("textarea"))`)
}

// hasWords is true while a text area holds some words.
func hasWords(words string) string {
	return `[...document.querySelectorAll("textarea")].some((a) => a.value.includes("` + words + `"))`
}

// writesANote fills in a list's form in the record that is open, and leaves it so.
func (a *appTablet) writesANote(words string) {
	a.t.Helper()
	const add = `[...document.querySelectorAll("button")].find((b) => b.textContent === "Add: Notes taken on the visit")`
	a.Until("there is a list of notes", add)
	webtest.Eval[bool](a.Browser, add+".click(), true")
	a.Press("Typed")
	a.Fill("Note", words)
	a.Until("the note is on the disk", `[...document.querySelectorAll(".parts .field-state")].some((e) => e.innerText.includes("Saved on this tablet"))`)
}
