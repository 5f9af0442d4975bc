package reading

import (
	"slices"
	"strings"
	"time"

	"doorstep/server/internal/store"
	"doorstep/server/internal/wording"
	"doorstep/syncproto"
	"doorstep/syncproto/clocks"
	"doorstep/syncproto/schema"
)

// Title is what people call a record: a person's name, a family's, "Child protection
// visit of 3 May 2026", else its kind. It is empty for a record that the person may not
// read, and for one that is not there.
func (r *Room) Title(user syncproto.UserID, record syncproto.RecordID) string {
	info, err := r.open(user, record)
	if err != nil {
		return ""
	}
	v, err := r.store.View(record)
	if err != nil {
		return ""
	}
	return r.titleOf(info, v)
}

// FamilyName is what a family is called in lists: its name, or to who works with its file
// and may not know who they are its number in the case-management system; empty for others.
func (r *Room) FamilyName(user syncproto.UserID, family syncproto.FamilyID) string {
	if name := r.ofFamily(user, family, "name"); name != "" || len(r.readable(user, family)) == 0 {
		return name
	}
	if ref, ok := r.store.State().RefOf("family", syncproto.ID(family)); ok {
		return "Family " + ref
	}
	return ""
}

// TeamName is what the team of a family is called; empty if the person may not know.
func (r *Room) TeamName(user syncproto.UserID, family syncproto.FamilyID) string {
	return r.ofFamily(user, family, "team")
}

// ofFamily is a field of the record of the family itself.
func (r *Room) ofFamily(user syncproto.UserID, family syncproto.FamilyID, field string) string {
	if !r.asker(user, family).MayRead("family").Allow {
		return ""
	}
	views, err := r.views(family, "family")
	if err != nil || len(views) == 0 {
		return ""
	}
	return textIn(views[0], field)
}

// DeviceName is what a device is called, and whether it is a tablet of somebody's: what
// was written here, at the server, comes from none.
func (r *Room) DeviceName(id syncproto.DeviceID) (name string, tablet bool) {
	d, ok := r.store.State().Device(id)
	return d.Name, ok && len(d.Users) > 0
}

func (r *Room) titleOf(info store.RecordInfo, v *syncproto.View) string {
	kind, ok := schema.Newest(info.Kind)
	if !ok {
		return info.Kind
	}
	switch info.Kind {
	case "person":
		if known := textIn(v, "known_as"); known != "" {
			return known
		}
		return textIn(v, "names")
	case "family":
		return textIn(v, "name")
	case "visit":
		return r.visitTitle(kind, v)
	case "allocation":
		worker, _ := refIn(v, "worker")
		return joined(r.Name(syncproto.UserID(worker)), codeLabel(kind, v, "role"))
	case "status":
		return joined(codeLabel(kind, v, "kind"), since(v))
	case "minutes":
		return r.dated(strings.Join(known("Minutes", codeLabel(kind, v, "type")), ": "), v, "start")
	case "missing_episode":
		return r.dated(sentence(kind.Name), v, "start")
	case "return_interview":
		return r.dated(sentence(kind.Name), v, "returned_at")
	}
	return sentence(r.Names().Kind(kind.ID))
}

// joined are the words of a title that are known.
func joined(words ...string) string { return strings.Join(known(words...), ", ") }

func known(words ...string) []string {
	return slices.DeleteFunc(words, func(w string) bool { return w == "" })
}

// codeLabel is what people call the value of a field.
func codeLabel(kind *schema.Kind, v *syncproto.View, field string) string {
	code := textIn(v, field)
	f, ok := kind.Field(field)
	if code == "" || !ok {
		return ""
	}
	return wording.Code(f, code)
}

func since(v *syncproto.View) string {
	day := dayIn(v, "from")
	if day == clocks.NoDay {
		return ""
	}
	return "from " + day.String()
}

// dated adds the day of the first of some times that is known.
func (r *Room) dated(title string, v *syncproto.View, fields ...string) string {
	if ms, ok := timeIn(v, fields...); ok {
		return title + " of " + time.UnixMilli(ms).In(r.visits.Load().Zone).Format("2 January 2006")
	}
	return title
}

func timeIn(v *syncproto.View, fields ...string) (ms int64, ok bool) {
	for _, field := range fields {
		f, _ := v.Field(field)
		if ms, ok = f.Value.AsInt(); ok {
			return ms, true
		}
	}
	return 0, false
}

// Happened is when what a record tells of began, in Unix milliseconds; 0 for what has no
// such time, and for what the person may not read.
func (r *Room) Happened(user syncproto.UserID, record syncproto.RecordID) int64 {
	if _, err := r.open(user, record); err != nil {
		return 0
	}
	v, err := r.store.View(record)
	if err != nil {
		return 0
	}
	ms, _ := timeIn(v, "start", "planned", "returned_at")
	return ms
}

// visitTitle says which visit it is: its type and its day, as far as they are known.
func (r *Room) visitTitle(kind *schema.Kind, v *syncproto.View) string {
	title := sentence(r.Names().Kind(kind.ID))
	if code := textIn(v, "visit_type"); code != "" {
		f, _ := kind.Field("visit_type")
		title = wording.Code(f, code) + " " + r.Names().Kind(kind.ID)
	}
	return r.dated(title, v, "start", "planned")
}

func textIn(v *syncproto.View, field string) string {
	f, _ := v.Field(field)
	s, _ := f.Value.AsText()
	return s
}

// sentence writes a kind's name as the beginning of a line.
func sentence(name string) string {
	if name == "" {
		return name
	}
	if c := name[0]; 'a' <= c && c <= 'z' {
		return string(c-'a'+'A') + name[1:]
	}
	return name
}
