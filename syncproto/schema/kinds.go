package schema

// All returns every kind at every version known here, in the order in which
// people meet them.
func All() []*Kind { return kinds[:] }

// kinds is the whole schema. It is written once, here, and only read.
var kinds = [...]*Kind{
	&familyKind,
	&personKind,
	&allocationKind,
	&statusKind,
	&visitKind,
	&visitChildKind,
	&childToolKind,
	&mappingKind,
	&planKind,
	&actionKind,
	&motivationalKind,
	&systemicKind,
	&parentingKind,
	&fitSessionKind,
	&disclosureKind,
	&missingKind,
	&returnInterviewKind,
	&intelligenceKind,
	&exploitationKind,
	&referralKind,
	&volunteerMatchKind,
	&volunteerLogKind,
	&volunteerConcernKind,
	&minutesKind,
	&supervisionKind,
	&consultationKind,
	&reflectiveGroupKind,
	&supervisionPersonalKind,
	&observationKind,
}

// Lookup returns a kind at exactly this version.
func Lookup(id string, version uint64) (*Kind, bool) {
	for _, k := range kinds {
		if k.ID == id && k.Version == version {
			return k, true
		}
	}
	return nil, false
}

// Newest returns a kind at the newest version known here.
func Newest(id string) (*Kind, bool) {
	var found *Kind
	for _, k := range kinds {
		if k.ID == id && (found == nil || k.Version > found.Version) {
			found = k
		}
	}
	return found, found != nil
}

// Field returns the field with this id.
func (k *Kind) Field(id string) (*Field, bool) { return fieldOf(k.Fields, id) }

// SubField returns the part with this id of a collection's elements or a struct.
func (f *Field) SubField(id string) (*Field, bool) { return fieldOf(f.Sub, id) }

func fieldOf(fields []Field, id string) (*Field, bool) {
	for i := range fields {
		if fields[i].ID == id {
			return &fields[i], true
		}
	}
	return nil, false
}

// At returns what a path leads to: a field, or a part of its elements if sub is
// not empty.
func (k *Kind) At(field, sub string) (*Field, bool) {
	f, ok := k.Field(field)
	if !ok || sub == "" {
		return f, ok
	}
	return f.SubField(sub)
}

// Whole returns the kind of the record that records of this kind are sealed
// with: the visit, of a child's part. It is false for a record of its own.
func (k *Kind) Whole() (*Kind, bool) {
	f, ok := k.Field(k.Part)
	if !ok {
		return nil, false
	}
	return Newest(f.RefKind)
}

// Parts returns the kinds that are sealed with this one, newest versions only.
func (k *Kind) Parts() []*Kind {
	var parts []*Kind
	for _, p := range kinds {
		whole, ok := p.Whole()
		if newest, _ := Newest(p.ID); ok && whole.ID == k.ID && newest == p {
			parts = append(parts, p)
		}
	}
	return parts
}

// Derives reports whether anything of this kind is computed (SPEC 5.11).
func (k *Kind) Derives() bool {
	for i := range k.Fields {
		if k.Fields[i].Rule == Derived {
			return true
		}
	}
	return false
}

// IsCollection reports whether the field holds elements.
func (f *Field) IsCollection() bool { return f.Rule == Union || f.Rule == Log }

// IsProse reports whether the field is spliced, never set whole.
func (f *Field) IsProse() bool { return f.Type == TypeProse }
