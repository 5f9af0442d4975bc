package endtoend

import (
	"strconv"
	"strings"
	"testing"

	"doorstep/server"
)

// Whoever's access ended while they were offline sends what they had not sent by the
// browser's own key, without a password: into custody, and then everything is purged
// and the purge confirmed.
func TestFault67WordsOfSomebodyWhoLeftComeUpFromABrowser(t *testing.T) {
	t.Parallel()
	b, _ := newRecoverableBorough(t, caseload{workers: 1, families: 1})
	p := newPages(t, b)
	web := newBrowser(t)
	tab, visit := web.enrolled(p, login(0))
	tab.run("tablet.client.sync()")
	id := tab.run("tablet.client.session.device")
	p.signal(false)
	tab.run("tablet.append(%s, %s)", visit, "Written on the last day, never sent.")
	tab.run("tablet.noting(%s, {text: %s})", visit, "Nor was this form.")
	web.kill()
	if err := b.op.RevokeUser(t.Context(), login(0)); err != nil {
		t.Fatal(err)
	}
	if d := b.listed(t, id); d.PurgesOwed == 0 {
		t.Errorf("before the tablet was heard of: got %+v, want purges owed", d)
	}
	web.start()
	tab = web.unlocked(p)
	p.signal(true)
	tab.run("tablet.client.save(%s)", visit)
	if got := tab.run("tablet.client.sync().then(r => r.refusal?.code ?? '')"); got != "" {
		t.Errorf("the sync without a sign-in: %s", got)
	}
	for what, c := range map[string]struct{ look, want string }{
		"the session is for custody alone": {"tablet.client.session.custodyOnly", "true"},
		"families that can be read":        {"tablet.client.families().then(fs => fs.filter(f => f.readable).length)", "0"},
		"changes that were not sent":       {"tablet.client.outbox().then(o => o.changes + o.drafts)", "0"},
		"what is sealed":                   {"tablet.sealed().then(s => s.items)", "0"},
		"what became of the words":         {"tablet.client.marks().then(ms => ms.map(m => m.fate).filter(f => f === 'quarantined').length)", "2"},
		"forms that were begun":            {"tablet.client.sketches(" + strconv.Quote(visit) + ").then(list => list.length)", "0"},
	} {
		if got := tab.run(c.look); got != c.want {
			t.Errorf("%s: got %s, want %s", what, got, c.want)
		}
	}
	if got := tab.events(); strings.Count(got, `"kind":"access_ended"`) != 1 {
		t.Errorf("the person is not told, once, that their access has ended: %s", got)
	}
	if d := b.listed(t, id); d.PurgesOwed != 0 {
		t.Errorf("after its receipt: got %+v, want no purge owed", d)
	}
	if got := tab.run("tablet.refused(tablet.client.signIn({login: %s, password: %s}))", login(0), password); got != "bad_credentials" {
		t.Errorf("a sign-in after the end: got %q", got)
	}
}

// listed is what the list of devices says of one.
func (b *borough) listed(t *testing.T, id string) server.Device {
	t.Helper()
	list, err := b.op.Devices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		if d.ID == id {
			return d
		}
	}
	t.Fatal("the device is not in the list")
	return server.Device{}
}
