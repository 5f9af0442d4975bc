package endtoend

import (
	"strings"
	"testing"

	"doorstep/syncproto"
)

// TestTabletInABrowser is a practitioner's day in a real browser: enrol, record with
// the server away, reload, lose the tab in the middle of a word, and bring everything
// to the server and to a colleague, byte for byte.
func TestTabletInABrowser(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 2, families: 1})
	p := newPages(t, b)
	colleague := newTablet(t, b, 1, 1)
	colleague.syncs()

	web := newBrowser(t)
	tab := web.open(p)
	tab.enrol(b, login(0))
	if got := tab.run("tablet.client.state"); got != "open" {
		t.Fatalf("after enrolling the state is %s", got)
	}
	tab.run("tablet.client.sync()")
	family := tab.run("tablet.client.families().then(f => f[0].family)")
	visit := tab.run("tablet.visit = tablet.newID()")

	p.signal(false)
	tab.run(`tablet.client.edit({record: %s, family: %s, kind: "visit", ops: [{op: "set", path: {field: "visit_type"}, value: "CIN"}]})`, visit, family)
	tab.run("tablet.append(%s, %s)", visit, "Seen at home. ")
	if got := tab.run("tablet.client.sync().then(r => r.refusal.code)"); got != "unavailable" {
		t.Errorf("a sync without a server says %s", got)
	}

	// Reloaded offline, and closed in the middle of a word.
	tab.close()
	tab = web.open(p)
	tab.run("tablet.unlock(%s)", pin)
	if got := tab.run("tablet.purpose(%s)", visit); got != "Seen at home. " {
		t.Errorf("after a reload: %q", got)
	}
	tab.run("tablet.append(%s, %s)", visit, "Dad was o")
	tab.close()
	tab = web.open(p)
	tab.run("tablet.unlock(%s)", pin)
	tab.run("tablet.append(%s, %s)", visit, "ut. 🙂")

	p.signal(true)
	if got := tab.run(`tablet.client.sync().then(r => r.refusal?.plain ?? "")`); got != "" { // with what is being typed
		t.Fatalf("the sync failed: %s", got)
	}
	colleague.syncs()
	want := "Seen at home. Dad was out. 🙂"
	id, err := syncproto.ParseID(visit)
	if err != nil {
		t.Fatal(err)
	}
	view, err := colleague.View(syncproto.RecordID(id))
	if err != nil {
		t.Fatal(err)
	}
	if f, _ := view.Field("purpose"); f.Text != want {
		t.Errorf("the colleague reads %q, want %q", f.Text, want)
	}
	if got := tab.run("tablet.client.status(%s).then(s => s.state)", visit); got != "received" {
		t.Errorf("the record's state is %s", got)
	}
	tab.sameAs(colleague)
	if got := tab.events(); strings.Contains(got, `"fault"`) {
		t.Errorf("faults: %s", got)
	}
}

// TestExamplePage plays the example of the package's page: enrol, type, see that it is
// saved.
func TestExamplePage(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1})
	p := newPages(t, b)
	tab := newBrowser(t).bare(p, "example/")
	code, err := b.operator().IssueCode(t.Context(), login(0))
	if err != nil {
		t.Fatal(err)
	}
	until := "new Promise(done => { const look = () => (%s) ? done() : setTimeout(look, 50); look(); })"
	tab.run(strings.Replace(until, "%s", "!document.getElementById('enrol').hidden", 1))
	tab.run(`(() => { const form = document.getElementById("enrol");
		for (const [name, value] of Object.entries({login: %s, password: %s, code: %s, pin: %s})) form.elements[name].value = value;
		form.requestSubmit(); })()`, login(0), password, code.Code, pin)
	tab.run(strings.Replace(until, "%s", "document.getElementById('purpose').oninput", 1))
	tab.run(`(() => { const area = document.getElementById("purpose"); area.value = "Seen."; area.dispatchEvent(new Event("input")); })()`)
	tab.run(strings.Replace(until, "%s", "document.getElementById('saved').textContent === 'Saved on this tablet'", 1))
}
