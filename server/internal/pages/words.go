package pages

import (
	"context"

	"doorstep/server/internal/wording"
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// speaker writes values in words for one person, for the length of one page.
type speaker struct {
	wording.Writer
	pages  *Pages
	user   syncproto.UserID
	titles map[syncproto.RecordID]string
	names  map[syncproto.FamilyID]string
	// entries names the entries that lists of that name have in the family of the page; nil:
	// it is about none.
	entries func(list string) map[syncproto.ID]string
}

func (p *Pages) speaker(c *Call) *speaker {
	s := &speaker{pages: p, user: c.User, titles: map[syncproto.RecordID]string{}, names: map[syncproto.FamilyID]string{}}
	s.Writer = wording.Writer{Zone: p.cfg.Zone, Ref: s.ref}
	return s
}

// ref names what a reference leads to, as far as the person may know.
func (s *speaker) ref(f *schema.Field, id syncproto.ID) string {
	if f.RefKind == "user" {
		return s.person(syncproto.UserID(id))
	}
	if _, isKind := schema.Newest(f.RefKind); !isKind {
		if s.entries != nil && s.entries(f.RefKind)[id] != "" {
			return s.entries(f.RefKind)[id]
		}
		return "An entry of the record"
	}
	if name := s.title(syncproto.RecordID(id)); name != "" {
		return name
	}
	return "A record that you may not read"
}

// about has references to entries of a family's records named by what the entries say, as
// far as the person may read them.
func (s *speaker) about(ctx context.Context, family syncproto.FamilyID) {
	lists := map[string]map[syncproto.ID]string{}
	s.entries = func(list string) map[syncproto.ID]string {
		if known, ok := lists[list]; ok {
			return known
		}
		lists[list] = map[syncproto.ID]string{} // an entry that names another of its own list is not named in turn
		records, err := s.pages.cfg.Records.FamilyRecords(ctx, s.user, family)
		for i := 0; err == nil && i < len(records); i++ {
			var named []option
			named, err = s.entriesOf(ctx, records[i].ID, records[i].Kind, list)
			for _, one := range named {
				if id, err := syncproto.ParseID(one.Value); err == nil {
					lists[list][id] = one.Text
				}
			}
		}
		return lists[list]
	}
}

// family is what a family is called; empty if the person may not know.
func (s *speaker) family(id syncproto.FamilyID) string {
	name, known := s.names[id]
	if !known {
		name = s.pages.cfg.Records.FamilyName(s.user, id)
		s.names[id] = name
	}
	return name
}

func (s *speaker) title(id syncproto.RecordID) string {
	name, known := s.titles[id]
	if !known {
		name = s.pages.cfg.Records.Title(s.user, id)
		s.titles[id] = name
	}
	return name
}

// person is somebody's name as colleagues see it.
func (s *speaker) person(id syncproto.UserID) string {
	switch name := s.pages.cfg.Records.Name(id); {
	case id.IsZero():
		return ""
	case name == "":
		return "Somebody who is not known here"
	default:
		return name
	}
}

// device says where a change was written.
func (s *speaker) device(id syncproto.DeviceID) string {
	name, tablet := s.pages.cfg.Records.DeviceName(id)
	if !tablet {
		return "at the desk"
	}
	if name == "" {
		return "on a tablet"
	}
	return "on the tablet " + name
}

// label is what people call a path of a kind.
func label(kind *schema.Kind, path syncproto.Path) string {
	f, ok := kind.Field(path.Field)
	if !ok {
		return "The record"
	}
	if sub, ok := f.SubField(path.Sub); ok {
		return f.Hint.Label + ", " + sub.Hint.Label
	}
	return wording.Label(f)
}

// capture says how words were taken, where it is not by typing.
func capture(m syncproto.CaptureMode) string {
	switch m {
	case syncproto.CaptureDictated:
		return "dictated"
	case syncproto.CaptureTranscribed:
		return "transcribed by a machine"
	case syncproto.CapturePen:
		return "by pen"
	case syncproto.CaptureImported:
		return "imported"
	}
	return ""
}
