package webtest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// State is a page of the app as somebody may meet it, which is held to WCAG 2.2 AA.
type State struct {
	Name string // also its picture's, where one is kept
	Page string // the first part of the address within the app; "enrol", "unlock" and "failed" stand before it
	// Shows are texts of the app's catalogue, by their keys, that must be there to be read.
	Shows []string
	Test  string // which looks at it
}

const (
	everyday  = "TestTheAppRecordsAVisit"
	inTrouble = "TestTheAppInTroubleKeepsWCAG"
)

// States lists every page of the app in every state that it has.
func States() []State {
	return []State{
		{"01-set-up", "enrol", nil, everyday},
		{"02-today", "today", []string{"today.families"}, everyday},
		{"03-family", "family", []string{"family.plan", "copy.age.fresh"}, everyday},
		{"04-plan-to-leave", "plan", []string{"plan.copy"}, everyday},
		{"04-plan-on-paper", "plan", []string{"plan.copy"}, everyday},
		{"05-plan", "record", []string{"record.hand"}, everyday},
		{"05-agreed", "family", []string{"agreed.title"}, everyday},
		{"05-who-has-a-copy", "record", nil, everyday},
		{"06-start", "family", []string{"family.visit.go", "family.visit.type"}, everyday},
		{"06-plan-a-visit", "family", []string{"family.visit.plan", "family.visit.when"}, everyday},
		{"06-planned", "today", []string{"today.planned"}, everyday},
		{"07-visit", "record", []string{"record.hand.lacks"}, everyday},
		{"07-visit-unfolded", "record", []string{"record.more"}, everyday},
		{"08-child", "record", []string{"record.hand.lacks"}, everyday},
		{"08-handed-over", "record", []string{"record.confirm"}, everyday},
		{"09-show-the-family", "show", []string{"show.back"}, everyday},
		{"10-on-this-tablet", "outbox", []string{"outbox.none"}, everyday},
		{"11-settings", "more", []string{"more.phrases"}, everyday},
		{"12-today-without-a-server", "today", []string{"today.families"}, everyday},
		{"13-without-a-server", "record", []string{"where.received"}, everyday},
		{"14-visit-in-welsh", "record", nil, everyday},
		{"15-offline", "record", []string{"offline"}, everyday},
		{"16-a-sealed-record", "record", []string{"record.final", "record.addenda"}, everyday},
		{"17-nothing-found", "record", []string{"record.none"}, everyday},
		{"18-a-form-not-begun", "begin", nil, everyday},
		{"19-words-that-are-only-here", "record", []string{"where.only_here"}, everyday},
		{"a disagreement", "record", []string{"conflict.title", "conflict.go"}, inTrouble},
		{"who wrote what", "record", nil, inTrouble},
		{"a question to answer", "record", []string{"record.query.answer", "record.query.go"}, inTrouble},
		{"words that are not saved", "record", nil, inTrouble},
		{"a full disk", "outbox", []string{"outbox.low"}, inTrouble},
		{"past the lease", "unlock", []string{"unlock.lapsed"}, inTrouble},
		{"a note past the lease", "unlock", []string{"note.label"}, inTrouble},
		{"a wrong PIN", "unlock", nil, inTrouble},
		{"words that came back", "today", []string{"alarm.recovered.evicted", "alarm.read"}, inTrouble},
		{"words in custody", "outbox", []string{"fate.quarantined", "fate.held"}, inTrouble},
		{"a closed family", "family", []string{"family.closed"}, inTrouble},
		{"a record that came late", "record", []string{"fate.late"}, inTrouble},
		{"a record refused", "record", []string{"fate.refused", "fate.reoffer", "fate.export"}, inTrouble},
		{"a record not answered", "record", []string{"fate.unanswered"}, inTrouble},
		{"a record taken after all", "record", []string{"fate.accepted"}, inTrouble},
		{"what is refused on this tablet", "outbox", []string{"fate.refused"}, inTrouble},
		{"an ended session", "outbox", []string{"signin.title"}, inTrouble},
		{"a destroyed key", "unlock", []string{"unlock.destroyed.title"}, inTrouble},
		{"an app that cannot start", "failed", []string{"app.failed"}, inTrouble},
	}
}

// isIn holds the browser to what the list says of a state, and notes that it was looked at.
func (b *Browser) isIn(app, name string) {
	b.t.Helper()
	for _, s := range States() {
		if s.Name != name {
			continue
		}
		for _, key := range s.Shows {
			b.Sees(english(b, app, key))
		}
		if inside := Eval[string](b, `document.querySelector(".masthead, .show") ? location.hash.split("/")[1] || "today" : ""`); inside != "" && inside != s.Page {
			b.t.Errorf("%s is on the page %q, want %q", name, inside, s.Page)
		}
		b.seen[name] = true
		return
	}
	b.t.Errorf("%q is not in the list of the app's states", name)
}

// SawEveryState fails the test for each of its states that the browser was not in.
func (b *Browser) SawEveryState() {
	b.t.Helper()
	for _, s := range States() {
		if s.Test == b.t.Name() && !b.seen[s.Name] {
			b.t.Errorf("nobody looked at %s", s.Name)
		}
	}
}

// english is a text of the app's catalogue, up to the first place that is filled in.
func english(b *Browser, app, key string) string {
	b.t.Helper()
	source, err := os.ReadFile(filepath.Join(app, "src", "words", "en.ts"))
	if err != nil {
		b.t.Fatal(err)
	}
	found := regexp.MustCompile(fmt.Sprintf(`(?m)^  "%s": "([^"{]*)`, regexp.QuoteMeta(key))).FindSubmatch(source)
	if found == nil {
		b.t.Fatalf("the catalogue has no %s", key)
	}
	return string(found[1])
}
