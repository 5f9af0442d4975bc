package store

import (
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
	sessions  map[syncproto.ID]SessionEntry
	codes     map[[32]byte]CodeEntry
	refs      map[refKey]syncproto.ID
	purges    map[purgeKey]uint64
	relations relations
	news      map[syncproto.FamilyID]uint64 // position of the family's last feed row
	marks     landmarks
	evidence  evidence
}

type refKey struct{ kind, ref string }

type purgeKey struct {
	device syncproto.DeviceID
	family syncproto.FamilyID
}

func newState(mayRead func(role, basis string) bool) *State {
	s := &State{
		users:    map[syncproto.UserID]UserEntry{},
		logins:   map[string]syncproto.UserID{},
		devices:  map[syncproto.DeviceID]DeviceEntry{},
		sessions: map[syncproto.ID]SessionEntry{},
		codes:    map[[32]byte]CodeEntry{},
		refs:     map[refKey]syncproto.ID{},
		purges:   map[purgeKey]uint64{},
		news:     map[syncproto.FamilyID]uint64{},
		marks:    newLandmarks(),
	}
	s.relations = newRelations(func(user syncproto.UserID, basis string) bool {
		u := s.users[user]
		return !u.Disabled && mayRead(u.Role, basis)
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
	case SessionEntry:
		s.sessions[e.ID] = e
	case CodeEntry:
		s.codes[e.Hash] = e
	case RefEntry:
		s.refs[refKey{e.Kind, e.Ref}] = e.ID
	case PurgeEntry:
		k := purgeKey{e.Device, e.Family}
		s.purges[k] = max(s.purges[k], e.Position)
	case RelationEntry:
		s.relations.applyRelation(position, e)
	case TeamEntry:
		s.relations.applyTeam(position, e)
	case FamilyTeamEntry:
		s.relations.applyFamilyTeam(position, e)
	default:
		s.evidence.apply(e)
	}
}

func (s *State) applyUser(position uint64, e UserEntry) {
	old, known := s.users[e.ID]
	if known && s.logins[old.Login] == e.ID {
		delete(s.logins, old.Login)
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

// Session returns a sign-in.
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

// Ref returns the id that an outside reference was given.
func (s *State) Ref(kind, ref string) (syncproto.ID, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	id, ok := s.refs[refKey{kind, ref}]
	return id, ok
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

// PurgedUpTo returns the newest revocation of a family that a device said it has
// answered by purging; 0 if none.
func (s *State) PurgedUpTo(device syncproto.DeviceID, family syncproto.FamilyID) uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.purges[purgeKey{device, family}]
}

// Access returns what a person may reach and up to where that holds: one
// consistent moment. The holdings are sorted by family and must not be changed.
func (s *State) Access(user syncproto.UserID) Access {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return Access{
		Head: s.head, ChangedAt: s.relations.changed[user],
		Role: s.users[user].Role, Holdings: s.relations.holdings[user],
	}
}

// BasisOf lists a person's relations to a family, sorted; none: empty.
func (s *State) BasisOf(user syncproto.UserID, family syncproto.FamilyID) []string {
	h, _ := s.Access(user).Holding(family)
	return h.Bases
}

// MembersOf lists who has any relation to a family now, in no order.
func (s *State) MembersOf(family syncproto.FamilyID) []syncproto.UserID {
	s.mu.RLock()
	defer s.mu.RUnlock()
	users := make([]syncproto.UserID, 0, len(s.relations.members[family]))
	for u := range s.relations.members[family] {
		users = append(users, u)
	}
	return users
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
