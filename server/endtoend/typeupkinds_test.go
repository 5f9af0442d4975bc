package endtoend

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// notTypedUp are the fields that the forms of a record that is typed up do not ask for, and
// why; what is worked out is not in it.
var notTypedUp = map[string]string{
	"visit_child.visit":            "the visit that it was begun with",
	"plan.status":                  "a plan is put in force by who may, and not by a note",
	"nrm_referral.decision":        "it is made by who may, and not by a note",
	"nrm_referral.decision_why":    "it is made by who may, and not by a note",
	"visit.worker_raw_note.blob":   "an attachment",
	"child_tool.panels.drawing":    "an attachment",
	"plan.signatures.version_hash": "filled in: the plan as it stands",
	"plan.shares.version_hash":     "filled in: the plan as it stands",
}

// copyist fills in every form of a record that is typed up.
type copyist struct {
	*office
	words    int             // so many were written
	answered map[string]bool // fields and parts that a form asked for and that were answered
	fields   map[string]bool // those that there are to be answered
	there    map[string]bool // those that a record says something in
}

// sample is an answer that can stand in a field; empty where a list has nothing to choose.
func (y *copyist) sample(f *schema.Field, name, page string) string {
	switch f.Type {
	case schema.TypeCode:
		return f.Codes.All()[0].Code
	case schema.TypeBool:
		return "true"
	case schema.TypeInt:
		return fmt.Sprint(max(f.Min, min(f.Max, 3)))
	case schema.TypeTime:
		return "2026-11-02T10:00"
	case schema.TypeDate:
		return "2026-11-02"
	case schema.TypeRef:
		asked := regexp.MustCompile(`(?s)<select[^>]* name="` + name + `"[^>]*>(.*?)</select>`).FindStringSubmatch(page)
		if asked == nil {
			return ""
		}
		options := regexp.MustCompile(`value="([0-9a-f]{32})"`).FindAllStringSubmatch(asked[1], -1)
		if len(options) == 0 {
			return ""
		}
		return options[len(options)-1][1]
	}
	if f.Format == schema.FormatLanguage {
		return "pl"
	}
	y.words++
	return fmt.Sprintf("Words %d", y.words)
}

// answers gives every question of a form an answer that it can have.
func (y *copyist) answers(fields []schema.Field, of, row, page string) url.Values {
	y.t.Helper()
	out := url.Values{}
	for i := range fields {
		f := &fields[i]
		name := row + f.ID
		if !strings.Contains(page, ` name="`+name+`"`) {
			continue
		}
		if value := y.sample(f, name, page); value != "" {
			out.Set(name, value)
			y.answered[of+f.ID] = true
		}
	}
	return out
}

// fillsIn fills in everything that one record's forms ask for: the fields at once, and each
// list in a form of its own, with two entries where it may have them.
func (y *copyist) fillsIn(kind *schema.Kind, record syncproto.RecordID) {
	y.t.Helper()
	at := "/desk/records/" + record.String()
	_, page := y.looks(at + "/fill")
	if form := y.answers(kind.Fields, kind.ID+".", "f-", page); len(form) > 0 {
		y.wants(at+"/fill", form)
	}
	for i := range kind.Fields {
		f := &kind.Fields[i]
		path := at + "/entries?field=" + f.ID
		status, page := y.looks(path)
		if asked := status == http.StatusOK; asked != (len(f.Sub) > 0) {
			y.t.Errorf("%s.%s: its form answers %d", kind.ID, f.ID, status)
		}
		if status != http.StatusOK {
			continue
		}
		form := y.answers(f.Sub, kind.ID+"."+f.ID+".", "n0-", page)
		if f.SlotOf != schema.SlotAuthor {
			form.Set("more", "1")
			_, page = y.fills(path, form)
			for part, said := range form {
				if part != "more" && !strings.Contains(page, said[0]) {
					y.t.Errorf("%s.%s: %q is gone from the form that asks for another entry", kind.ID, f.ID, said[0])
				}
			}
			form.Del("more")
			for part, said := range y.answers(f.Sub, kind.ID+"."+f.ID+".", "n1-", page) {
				form[part] = said
			}
			form.Set("rows", "2")
		}
		y.wants(path, form)
	}
}

func (y *copyist) wants(path string, form url.Values) {
	y.t.Helper()
	status, page := y.fills(path, form)
	if status != http.StatusOK || !strings.Contains(page, "Saved.") && !strings.Contains(page, "It is in the record.") {
		y.t.Errorf("%s: %d, %v, %v", path, status, form, regexp.MustCompile(`(?s)error-summary__list">(.*?)</ul>`).FindStringSubmatch(page))
	}
}

// Nothing is typed twice: whatever a kind of record can hold, of those that are typed up,
// the forms of the desk ask for, every part of every entry, and the author's tablet shows.
func TestEveryFieldOfEveryKindIsTypedUp(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1, coord: true, plans: true})
	tab := newTablet(t, b, 0, 92)
	tab.syncs()
	family := tab.families()[0]
	if err := b.op.SetPassword(t.Context(), "coordinator", password); err != nil {
		t.Fatal(err)
	}
	y := &copyist{office: b.browses(t, "coordinator"), answered: map[string]bool{}, fields: map[string]bool{}, there: map[string]bool{}}
	action := syncproto.RecordID{92, 1}
	tab.edit(family, action, "action", syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: "due"}, Value: cbor.Text("2026-11-05")})
	tab.syncs()

	begun := map[syncproto.RecordID]*schema.Kind{}
	for _, kind := range []string{"plan", "missing_episode", "child_tool", "visit"} { // what others name
		y.begins(family, tab.id.User, kind, begun)
	}
	for _, kind := range schema.All() {
		if newest, _ := schema.Newest(kind.ID); kind == newest && kind.Finalises && kind.NeedsConfirmation && kind.Part == "" && kind.ID != "fit_session" { // which a co-ordinator does not read
			y.begins(family, tab.id.User, kind.ID, begun)
		}
	}
	tab.syncs()
	for record, kind := range begun {
		y.onTheTablet(tab, record, kind)
	}
	y.leftOut()
}

// begins a record of a kind at the desk, with a part for a child where it has parts, and
// fills all of it in.
func (y *copyist) begins(family syncproto.FamilyID, author syncproto.UserID, kind string, begun map[syncproto.RecordID]*schema.Kind) {
	y.t.Helper()
	at := "/desk/families/" + family.String() + "/type-up"
	_, page := y.looks(at)
	notes := url.Values{"kind": {kind}, "for": {author.String()}, "capture": {"pen"}, "source": {"A notebook"}}
	if child := regexp.MustCompile(`name="child" type="checkbox" value="([0-9a-f]{32})"`).FindStringSubmatch(page); child != nil {
		notes.Set("child", child[1])
	}
	status, page := y.fills(at, notes)
	found := regexp.MustCompile(`/desk/records/([0-9a-f]{32})/fill`).FindAllStringSubmatch(page, -1)
	if status != http.StatusOK || len(found) == 0 {
		y.t.Fatalf("a %s is not begun: %d", kind, status)
	}
	whole, _ := schema.Newest(kind)
	kinds := append([]*schema.Kind{whole}, whole.Parts()...)
	for i, m := range found {
		id, err := syncproto.ParseID(m[1])
		if err != nil || i == len(kinds) {
			y.t.Fatalf("a %s begins %d records: %v", kind, len(found), err)
		}
		begun[syncproto.RecordID(id)] = kinds[i]
		y.fillsIn(kinds[i], syncproto.RecordID(id))
	}
}

// onTheTablet notes what a record says to its author, which has the entries that were added.
func (y *copyist) onTheTablet(tab *tablet, record syncproto.RecordID, kind *schema.Kind) {
	y.t.Helper()
	var v *syncproto.View
	var err error
	if broken := tab.Read(func(e *engine.Engine) { v, err = e.Fold(record) }); broken != nil || err != nil || v == nil {
		y.t.Fatalf("the tablet does not have the %s: %v", kind.ID, err)
	}
	for i := range kind.Fields {
		f := &kind.Fields[i]
		fv, _ := v.Field(f.ID)
		if len(f.Sub) == 0 {
			y.said(kind.ID+"."+f.ID, f, !fv.Value.IsNull() || fv.Text != "" || len(fv.Slots) > 0)
			continue
		}
		if want := 2; len(fv.Items)+len(fv.Slots) < want && f.SlotOf != schema.SlotAuthor {
			y.t.Errorf("%s.%s has %d entries, want %d", kind.ID, f.ID, len(fv.Items)+len(fv.Slots), want)
		}
		for j := range f.Sub {
			sub := &f.Sub[j]
			there := false
			for k := range fv.Items {
				part, _ := fv.Items[k].Field(sub.ID)
				there = there || !part.Value.IsNull() || part.Text != ""
			}
			for k := range fv.Slots {
				part, ok := fv.Slots[k].Value.Get(sub.ID)
				there = there || ok && !part.IsNull()
			}
			y.said(kind.ID+"."+f.ID+"."+sub.ID, sub, there)
		}
	}
}

// said notes that a record says something in a field, or in a part of an entry.
func (y *copyist) said(what string, f *schema.Field, there bool) {
	y.there[what] = y.there[what] || there
	if f.Rule != schema.Derived {
		y.fields[what] = true
	}
}

// leftOut holds what forms ask for against what there is to say, and what was typed
// against what the author has.
func (y *copyist) leftOut() {
	y.t.Helper()
	for what := range y.fields {
		if _, left := notTypedUp[what]; left == y.answered[what] {
			y.t.Errorf("%s: a form asks for it: %v; the table leaves it out: %v", what, y.answered[what], left)
		}
		if y.answered[what] && !y.there[what] {
			y.t.Errorf("%s was typed up, and is not there", what)
		}
	}
	for what := range notTypedUp {
		if !y.fields[what] {
			y.t.Errorf("the table has %s, and no kind that is typed up has", what)
		}
	}
}
