package erasure

import (
	"errors"
	"fmt"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// personKind is the kind of a person's own record.
const personKind = "person"

// addAbout adds the records of the family that are about one child alone: of a kind
// that says whom it is about, by a reference to a person that it cannot do without,
// and this child is it. Where others' records name the child as well (a visit's list
// of who was there, a plan for brothers and sisters) they stay: what is theirs is not
// the child's to take away. It refuses while people disagree whether a record is
// about this child.
func (s *Service) addAbout(e *store.EraseAskEntry) error {
	for _, id := range s.recordsOf(e.Family) {
		if id == e.Record {
			continue
		}
		v, err := s.cfg.Store.View(id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("looking for the records about a child: %w", err)
		}
		about, disputed := isAbout(v, e.Record)
		if disputed {
			return refuse(syncproto.CodeForbidden, "record %s: people disagree whom it is about, which has to be settled first", id)
		}
		if about {
			e.Records = append(e.Records, id)
		}
	}
	return nil
}

// isAbout reports whether a record is about a person, or whether people disagree on
// that.
func isAbout(v *syncproto.View, person syncproto.RecordID) (about, disputed bool) {
	kind, known := schema.Newest(v.Kind)
	if !known {
		return false, false
	}
	for i := range kind.Fields {
		subject := &kind.Fields[i]
		if subject.Type != schema.TypeRef || subject.RefKind != personKind || !subject.Required {
			continue
		}
		f, _ := v.Field(subject.ID)
		if b, ok := f.Value.AsBytes(); ok && string(b) == string(person[:]) {
			about = true
		}
		for _, c := range v.Conflicts {
			for _, side := range c.Sides {
				b, ok := side.Value.AsBytes()
				disputed = disputed || c.Path.Field == subject.ID && ok && string(b) == string(person[:])
			}
		}
	}
	return about, disputed
}
