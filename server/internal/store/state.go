package store

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"sync"

	"doorstep/syncproto"
)

// State is what control entries add up to: people, devices, sessions, codes,
// references and relations. It is folded from the journal into memory at every
// start, because a lost denial would open a door, and it shows an entry once the
// group that holds it is durable. It is safe for concurrent use.
type State struct {
	mu        sync.RWMutex // guards everything below
	head      uint64
	users     map[syncproto.UserID]UserEntry
	logins    map[string]syncproto.UserID
	devices   map[syncproto.DeviceID]DeviceEntry
	sessions  map[syncproto.ID]SessionEntry // that go on
	passkeys  map[syncproto.ID]PasskeyEntry // in use
	subjects  map[string]syncproto.UserID
	codes     map[[32]byte]CodeEntry
	refs      map[refKey]syncproto.ID
	purges    purges
	relations relations
	news      map[syncproto.FamilyID]uint64 // position of the family's last feed row
	marks     landmarks
	runs      runs
	evidence  evidence
	custody   custody
	requests  requests
}

type refKey struct{ kind, ref string }

func newState(holds func(role, basis string) (reads, carries bool)) *State {
	s := &State{
		users:    map[syncproto.UserID]UserEntry{},
		logins:   map[string]syncproto.UserID{},
		devices:  map[syncproto.DeviceID]DeviceEntry{},
		sessions: map[syncproto.ID]SessionEntry{},
		passkeys: map[syncproto.ID]PasskeyEntry{},
		subjects: map[string]syncproto.UserID{},
		codes:    map[[32]byte]CodeEntry{},
		refs:     map[refKey]syncproto.ID{},
		purges:   newPurges(),
		news:     map[syncproto.FamilyID]uint64{},
		marks:    newLandmarks(),
		runs:     newRuns(),
		custody:  newCustody(),
		requests: requests{},
	}
	worth := map[[2]string][2]bool{}
	s.relations = newRelations(func(user syncproto.UserID, basis string) (bool, bool) {
		u := s.users[user]
		if u.Disabled {
			return false, false
		}
		k := [2]string{u.Role, basis}
		w, known := worth[k]
		if !known {
			w[0], w[1] = holds(u.Role, basis)
			worth[k] = w
		}
		return w[0], w[1]
	})
	return s
}

// placed is an entry and its position.
type placed struct {
	position uint64
	entry    Entry
}

// publish makes a committed group visible in one step. It returns whose access
// changed.
func (s *State) publish(head uint64, controls []placed, news map[syncproto.FamilyID]uint64) []syncproto.UserID {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.head
	for _, c := range controls {
		s.apply(c.position, c.entry)
	}
	for family, position := range news {
		s.news[family] = position
	}
	s.head = head
	var changed []syncproto.UserID
	for user, at := range s.relations.changed {
		if len(controls) > 0 && at > before {
			changed = append(changed, user)
		}
	}
	return changed
}

// apply folds one control entry; mu is held.
func (s *State) apply(position uint64, e Entry) {
	s.marks.add(position, e)
	switch e := e.(type) {
	case UserEntry:
		s.applyUser(position, e)
	case DeviceEntry:
		s.devices[e.ID] = e
		s.purges.applyDevice(position, e)
	case SessionEntry:
		s.sessions[e.ID] = e
		if e.EndedMS != 0 { // refused like one that never was
			delete(s.sessions, e.ID)
		}
	case PasskeyEntry:
		s.passkeys[e.ID] = e
		if e.RemovedMS != 0 {
			delete(s.passkeys, e.ID)
		}
	case CodeEntry:
		s.applyCode(e)
	case RefEntry:
		s.refs[refKey{e.Kind, e.Ref}] = e.ID
	case RunEntry:
		s.runs.add(position, e.ID)
	case RequestEntry:
		s.requests.add(e)
	case PurgeEntry:
		s.purges.applyReceipts(e)
	case ReviewEntry, CustodyAlertEntry:
		s.custody.apply(e)
	case RelationEntry:
		s.relations.applyRelation(position, e)
	case RestrictionEntry:
		s.relations.applyRestriction(position, e)
	case BreakGlassEntry:
		s.relations.applyBreakGlass(position, e)
	case TeamEntry:
		s.relations.applyTeam(position, e)
	case FamilyTeamEntry:
		s.relations.applyFamilyTeam(position, e)
	default:
		s.evidence.apply(e)
		if erased, ok := e.(EraseEntry); ok && erased.Record.IsZero() {
			s.forgetWords(erased.Family)
		}
	}
}

// applyCode keeps a code, and forgets those that had lapsed when it was issued or
// used: of the journal alone, so that every rebuild forgets the same.
func (s *State) applyCode(e CodeEntry) {
	now := max(e.IssuedMS, e.UsedMS)
	for hash, old := range s.codes {
		if old.ExpiresMS <= now {
			delete(s.codes, hash)
		}
	}
	s.codes[e.Hash] = e
}

func (s *State) applyUser(position uint64, e UserEntry) {
	old, known := s.users[e.ID]
	if known && s.logins[old.Login] == e.ID {
		delete(s.logins, old.Login)
	}
	if known && s.subjects[old.Subject] == e.ID {
		delete(s.subjects, old.Subject)
	}
	if e.Subject != "" {
		s.subjects[e.Subject] = e.ID
	}
	s.users[e.ID] = e
	s.logins[e.Login] = e.ID
	if old.Role != e.Role || old.Disabled != e.Disabled {
		s.relations.applyRole(position, e.ID)
	}
}

// Head returns the position up to which the state holds.
func (s *State) Head() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.head
}

// User returns a person.
func (s *State) User(id syncproto.UserID) (UserEntry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u, ok := s.users[id]
	return u, ok
}

// UserByLogin returns the person who signs in with login.
func (s *State) UserByLogin(login string) (UserEntry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	id, ok := s.logins[login]
	return s.users[id], ok
}

// Users lists everybody, in no order.
func (s *State) Users() []UserEntry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return values(s.users)
}

// Device returns an enrolled device. Its slices must not be changed.
func (s *State) Device(id syncproto.DeviceID) (DeviceEntry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	d, ok := s.devices[id]
	return d, ok
}

// Devices lists every device, in no order.
func (s *State) Devices() []DeviceEntry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return values(s.devices)
}

// UserBySubject returns the person whom the sign-in service knows as subject.
func (s *State) UserBySubject(subject string) (UserEntry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	id, ok := s.subjects[subject]
	return s.users[id], ok
}

// SessionsOf lists a person's sessions that go on, the oldest first.
func (s *State) SessionsOf(user syncproto.UserID) []SessionEntry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []SessionEntry
	for _, e := range s.sessions {
		if e.User == user {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b SessionEntry) int {
		return cmp.Or(cmp.Compare(a.SignedInMS, b.SignedInMS), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return out
}

// Passkey returns a passkey that is in use.
func (s *State) Passkey(id syncproto.ID) (PasskeyEntry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, ok := s.passkeys[id]
	return e, ok
}

// PasskeysOf lists a person's passkeys in use, the oldest first.
func (s *State) PasskeysOf(user syncproto.UserID) []PasskeyEntry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []PasskeyEntry
	for _, e := range s.passkeys {
		if e.User == user {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b PasskeyEntry) int {
		return cmp.Or(cmp.Compare(a.AddedMS, b.AddedMS), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return out
}

// Session returns a sign-in that goes on.
func (s *State) Session(id syncproto.ID) (SessionEntry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, ok := s.sessions[id]
	return e, ok
}

// Code returns an enrolment code by its hash.
func (s *State) Code(hash [32]byte) (CodeEntry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, ok := s.codes[hash]
	return e, ok
}

// CodesOf lists the enrolment codes of a person that were not used, in no order.
func (s *State) CodesOf(user syncproto.UserID) []CodeEntry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []CodeEntry
	for _, c := range s.codes {
		if c.User == user && c.UsedMS == 0 {
			out = append(out, c)
		}
	}
	return out
}

// Ref returns the id that an outside reference was given.
func (s *State) Ref(kind, ref string) (syncproto.ID, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	id, ok := s.refs[refKey{kind, ref}]
	return id, ok
}

// RefOf is a reference of a kind to an id. It looks at all of them.
func (s *State) RefOf(kind string, id syncproto.ID) (ref string, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for k, to := range s.refs {
		if k.kind == kind && to == id && (!ok || k.ref < ref) {
			ref, ok = k.ref, true
		}
	}
	return ref, ok
}

// RefQualified is the reference kind that has every registered social worker's
// user id, under that id written out; it is zero for who no longer is one.
const RefQualified = "qualified"

// RegisteredSocialWorker reports whether the borough knows a person as a registered
// social worker: by their role, which is given to nobody else, or because the
// import said so of somebody with another (a manager, emergency duty).
func (s *State) RegisteredSocialWorker(user syncproto.UserID) bool {
	if u, ok := s.User(user); ok && u.Role == "social_worker" {
		return true
	}
	id, _ := s.Ref(RefQualified, user.String())
	return id == syncproto.ID(user)
}

// Refs lists the outside references of a kind that have an id, sorted.
func (s *State) Refs(kind string) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []string
	for k, id := range s.refs {
		if k.kind == kind && !id.IsZero() {
			out = append(out, k.ref)
		}
	}
	slices.Sort(out)
	return out
}

// TeamOf returns the team that a family is with; the zero team: none.
func (s *State) TeamOf(family syncproto.FamilyID) TeamID {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.relations.teamOf[family]
}

// FamiliesOfTeam lists the families that are with a team, in no order.
func (s *State) FamiliesOfTeam(team TeamID) []syncproto.FamilyID {
	s.mu.RLock()
	defer s.mu.RUnlock()
	families := make([]syncproto.FamilyID, 0, len(s.relations.families[team]))
	for f := range s.relations.families[team] {
		families = append(families, f)
	}
	return families
}

// AllNews returns the position of the last feed row of every family that has one.
func (s *State) AllNews() map[syncproto.FamilyID]uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return maps.Clone(s.news)
}

// News returns the position of a family's last feed row; 0 if it has none.
func (s *State) News(family syncproto.FamilyID) uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.news[family]
}

func values[K comparable, V any](m map[K]V) []V {
	out := make([]V, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	return out
}
