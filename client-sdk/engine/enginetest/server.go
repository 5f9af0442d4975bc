// Package enginetest is a tiny borough server in memory, for tests of the engine
// and of its drivers: a journal, relations, receipts and feeds by the rules of
// SPEC 6 and 7, without disk, access rules or a network. Server is its one type.
// It is no example of how to build a server.
package enginetest

import (
	"encoding/binary"
	"maps"
	"slices"

	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// Server is the borough. Its fields may be set between calls; it is not safe for
// concurrent use.
type Server struct {
	Epoch   syncproto.Epoch
	Entries []Entry // entry i has position i+1
	// Refuse says why a change is not taken at all; CodeOK takes it.
	Refuse func(c *syncproto.Change) syncproto.Code
	// NoRoom reports whether custody is full: nothing is stored.
	NoRoom bool
	// Copies says that a second copy is kept, and Copied up to which entry.
	Copies bool
	Copied uint64
	Page   int // items in one reply, about
	Syncs  int // requests answered
	Last   *syncproto.SyncRequest

	// Enrolled reports whether a device is known.
	Enrolled func(device syncproto.DeviceID) bool
	// Genuine checks a device's signature, of a tip or of purge receipts; Sign
	// signs a reply.
	Genuine func(device syncproto.DeviceID, message, signature []byte) bool
	Sign    func(message []byte) []byte

	// Receipts are the purges that devices signed for, by device.
	Receipts map[syncproto.DeviceID]map[syncproto.Purged]bool

	held map[syncproto.ChangeID]bool
}

// Entry is one entry of the journal.
type Entry struct {
	Item   syncproto.Item
	Change *syncproto.Change // ItemChange
	User   syncproto.UserID  // ItemGrant, ItemPurge: whose
}

// NewServer returns a borough with an empty journal, in its first epoch.
func NewServer() *Server {
	return &Server{
		Epoch:    syncproto.Epoch{1},
		Refuse:   func(*syncproto.Change) syncproto.Code { return syncproto.CodeOK },
		Page:     5,
		Enrolled: func(syncproto.DeviceID) bool { return true },
		Genuine:  func(syncproto.DeviceID, []byte, []byte) bool { return true },
		Sign:     func([]byte) []byte { return make([]byte, syncproto.SignatureBytes) },
		Receipts: map[syncproto.DeviceID]map[syncproto.Purged]bool{},
		held:     map[syncproto.ChangeID]bool{},
	}
}

func (s *Server) append(e Entry) uint64 {
	e.Item.Position = uint64(len(s.Entries)) + 1
	if e.Item.Verdict != nil {
		e.Item.Verdict.Position = e.Item.Position
	}
	s.Entries = append(s.Entries, e)
	return e.Item.Position
}

// Grant lets a user hold a family.
func (s *Server) Grant(user syncproto.UserID, family syncproto.FamilyID) {
	s.append(Entry{User: user, Item: syncproto.Item{Type: syncproto.ItemGrant, Family: family, Basis: "LEAD"}})
}

// Revoke ends that; the zero family: all that the user's device may hold.
func (s *Server) Revoke(user syncproto.UserID, family syncproto.FamilyID) {
	s.append(Entry{User: user, Item: syncproto.Item{Type: syncproto.ItemPurge, Family: family}})
}

// Relation returns the last grant or revocation, and whether it is a grant.
func (s *Server) Relation(user syncproto.UserID, family syncproto.FamilyID) (uint64, bool) {
	for i := len(s.Entries) - 1; i >= 0; i-- {
		e := &s.Entries[i]
		if e.User == user && e.Item.Family == family {
			return uint64(i) + 1, e.Item.Type == syncproto.ItemGrant
		}
	}
	return 0, false
}

// Find returns the entry of a change, or nil.
func (s *Server) Find(id syncproto.ChangeID) *Entry {
	for i := range s.Entries {
		if c := s.Entries[i].Change; c != nil && c.ID == id {
			return &s.Entries[i]
		}
	}
	return nil
}

// Status returns what counts of a change now: the last verdict on it, or accepted.
func (s *Server) Status(id syncproto.ChangeID) (syncproto.ReceiptStatus, syncproto.Code) {
	if s.held[id] {
		return syncproto.StatusHeld, syncproto.CodeMissingDeps
	}
	status, code := syncproto.StatusAccepted, syncproto.CodeOK
	for i := range s.Entries {
		v := s.Entries[i].Item.Verdict
		if v == nil || v.Change != id {
			continue
		}
		switch v.Kind {
		case syncproto.VerdictQuarantine:
			status, code = syncproto.StatusQuarantined, v.Code
		case syncproto.VerdictLate:
			status, code = syncproto.StatusLate, v.Code
		case syncproto.VerdictAdmit, syncproto.VerdictRelease:
			status, code = syncproto.StatusAccepted, syncproto.CodeOK
		}
	}
	return status, code
}

// Pronounce puts a verdict on a change into the journal.
func (s *Server) Pronounce(kind syncproto.VerdictKind, c *syncproto.Change, code syncproto.Code) {
	s.append(Entry{Item: syncproto.Item{Type: syncproto.ItemVerdict, Verdict: &syncproto.Verdict{
		Kind: kind, Family: c.Body.Family, Record: c.Body.Record, Change: c.ID, Code: code, AtMS: 1,
	}}})
}

// Seal makes a record final at its accepted heads.
func (s *Server) Seal(family syncproto.FamilyID, record syncproto.RecordID) {
	heads := s.View(record).Heads
	s.append(Entry{Item: syncproto.Item{Type: syncproto.ItemVerdict, Verdict: &syncproto.Verdict{
		Kind: syncproto.VerdictSeal, Family: family, Record: record, AtMS: 1, Change: heads[0],
		Heads: []syncproto.RecordHeads{{Record: record, Heads: heads}},
	}}})
}

// Sealed reports whether the record is final.
func (s *Server) Sealed(record syncproto.RecordID) bool {
	return slices.ContainsFunc(s.Entries, func(e Entry) bool {
		v := e.Item.Verdict
		return v != nil && v.Kind == syncproto.VerdictSeal && v.Record == record
	})
}

// Graph returns what is accepted, late or in quarantine of a record.
func (s *Server) Graph(record syncproto.RecordID) *syncproto.Graph {
	g := syncproto.NewGraph(record)
	for i := range s.Entries {
		if c := s.Entries[i].Change; c != nil && c.Body.Record == record && !s.held[c.ID] {
			if _, err := g.Add(c); err != nil {
				panic("enginetest: " + err.Error())
			}
		}
	}
	return g
}

// Verdicts returns those on a record, in order.
func (s *Server) Verdicts(record syncproto.RecordID) []syncproto.Verdict {
	var out []syncproto.Verdict
	for i := range s.Entries {
		if v := s.Entries[i].Item.Verdict; v != nil && v.Record == record {
			out = append(out, *v)
		}
	}
	return out
}

// View folds a record.
func (s *Server) View(record syncproto.RecordID) *syncproto.View {
	g := s.Graph(record)
	var kind *schema.Kind
	if all := g.Changes(); len(all) > 0 {
		kind, _ = schema.Newest(all[0].Body.Kind)
	}
	return syncproto.Fold(g, kind, s.Verdicts(record))
}

// Boundary returns the greatest length up to n at which the journal may end: a
// change and the verdicts that came with it are written as one.
func (s *Server) Boundary(n int) int {
	for n > 0 && n < len(s.Entries) && s.Entries[n].Item.Type == syncproto.ItemVerdict {
		n--
	}
	return n
}

// Restore takes the server back to its first n entries: a backup.
func (s *Server) Restore(n int) {
	s.Entries = slices.Clone(s.Entries[:n])
	s.Epoch[0]++
	clear(s.Receipts) // they hold in the epoch that they are of
	for id := range s.held {
		if s.Find(id) == nil {
			delete(s.held, id)
		}
	}
}

// Clone returns a server that goes on from here by itself.
func (s *Server) Clone() *Server {
	c := *s
	c.Entries = slices.Clone(s.Entries)
	c.held = maps.Clone(s.held)
	return &c
}

// Sync answers an encoded request with a signed reply, or says why the envelope
// is refused.
func (s *Server) Sync(user syncproto.UserID, device syncproto.DeviceID, payload []byte) ([]byte, syncproto.Code) {
	q, err := syncproto.DecodeRequest(payload)
	if err != nil {
		return nil, err.(syncproto.Code)
	}
	s.Syncs++
	s.Last = q
	c, ok := s.parseCursor(q)
	if !ok {
		return nil, syncproto.CodeUnknownEpoch
	}
	p := &syncproto.SyncReply{Version: syncproto.ProtocolVersion, Request: q.Request, Epoch: s.Epoch, TimeMS: 1_000_000,
		Copies: s.Copies, Copied: s.Copied}
	for i := range q.Batches {
		receipts, code := s.push(device, &q.Batches[i])
		if code != syncproto.CodeOK {
			return nil, code
		}
		p.Receipts = append(p.Receipts, receipts...)
	}
	for _, h := range q.Chains {
		p.Chains = append(p.Chains, s.chainHead(h.Actor))
		if s.forked(h.Actor) {
			p.Forked = append(p.Forked, h.Actor)
		}
	}
	s.takePurges(user, device, q)
	s.feed(user, device, c, p)
	reply := syncproto.EncodeReply(p)
	return syncproto.EncodeSignedReply(reply, s.Sign(syncproto.ReplyMessage(device, reply))), syncproto.CodeOK
}

// cursorBytes is an epoch and how far a device read.
const cursorBytes = 24

func (s *Server) parseCursor(q *syncproto.SyncRequest) (at uint64, ok bool) {
	if !q.Epoch.IsZero() && q.Epoch != s.Epoch {
		return 0, false
	}
	if len(q.Cursor) == 0 {
		return 0, true
	}
	if len(q.Cursor) != cursorBytes || syncproto.Epoch(q.Cursor[:16]) != s.Epoch {
		return 0, false
	}
	at = binary.BigEndian.Uint64(q.Cursor[16:])
	return at, at <= uint64(len(s.Entries))
}

// takePurges notes what a device signed for in this epoch.
func (s *Server) takePurges(user syncproto.UserID, device syncproto.DeviceID, q *syncproto.SyncRequest) {
	message := syncproto.PurgeMessage(device, user, q.Epoch, q.Purged)
	if len(q.Purged) == 0 || q.Epoch != s.Epoch || !s.Genuine(device, message, q.PurgeSignature) {
		return
	}
	if s.Receipts[device] == nil {
		s.Receipts[device] = map[syncproto.Purged]bool{}
	}
	for _, p := range q.Purged {
		s.Receipts[device][p] = true
	}
}

// owed fills in the purges that a device has not signed for.
func (s *Server) owed(user syncproto.UserID, device syncproto.DeviceID, p *syncproto.SyncReply) {
	for i := range s.Entries {
		e := &s.Entries[i]
		if e.Item.Type != syncproto.ItemPurge || e.User != user {
			continue
		}
		last, _ := s.Relation(user, e.Item.Family)
		done := s.Receipts[device][syncproto.Purged{Family: e.Item.Family, Position: e.Item.Position}]
		if last == e.Item.Position && !done {
			p.Items = append(p.Items, e.Item)
		}
	}
}

func (s *Server) push(device syncproto.DeviceID, b *syncproto.Batch) ([]syncproto.Receipt, syncproto.Code) {
	var changes []*syncproto.Change
	prev := b.Prev
	for _, body := range b.Bodies {
		c, err := syncproto.DecodeChange(prev, body)
		if err != nil {
			return nil, err.(syncproto.Code)
		}
		changes = append(changes, c)
		prev = c.ID
	}
	var out []syncproto.Receipt
	for _, c := range changes {
		switch {
		case !s.Enrolled(device):
			out = append(out, syncproto.Receipt{Change: c.ID, Status: syncproto.StatusHeld, Code: syncproto.CodeUnknownKey})
		case !s.Genuine(device, syncproto.TipMessage(b.Actor, prev), b.Signature):
			out = append(out, syncproto.Receipt{Change: c.ID, Status: syncproto.StatusRefused, Code: syncproto.CodeBadSignature})
		case s.NoRoom && s.Find(c.ID) == nil:
			out = append(out, syncproto.Receipt{Change: c.ID, Status: syncproto.StatusHeld, Code: syncproto.CodeCustodyFull})
		default:
			out = append(out, s.take(c))
		}
	}
	return out, syncproto.CodeOK
}

func (s *Server) take(c *syncproto.Change) syncproto.Receipt {
	if code := s.Refuse(c); code != syncproto.CodeOK {
		return syncproto.Receipt{Change: c.ID, Status: syncproto.StatusRefused, Code: code}
	}
	if s.Find(c.ID) == nil {
		s.order(c)
	}
	rc := syncproto.Receipt{Change: c.ID, Durability: syncproto.DurabilityStored, Position: s.Find(c.ID).Item.Position}
	rc.Status, rc.Code = s.Status(c.ID)
	return rc
}

// order puts a new change into the journal and decides what becomes of it.
func (s *Server) order(c *syncproto.Change) {
	rival := s.rival(c)
	s.append(Entry{Change: c, Item: syncproto.Item{Type: syncproto.ItemChange, Prev: c.Prev, Body: c.Raw}})
	for _, dep := range c.Body.Deps {
		if s.Find(dep) == nil || s.held[dep] {
			s.held[c.ID] = true
			return
		}
	}
	s.decide(c)
	if rival != nil {
		s.append(Entry{Item: syncproto.Item{Type: syncproto.ItemVerdict, Verdict: &syncproto.Verdict{
			Kind: syncproto.VerdictForked, Family: c.Body.Family, Record: c.Body.Record,
			Change: c.ID, Actor: c.Body.Actor, Code: syncproto.CodeForked,
		}}})
	}
	s.release(c.ID)
}

func (s *Server) decide(c *syncproto.Change) {
	_, granted := s.Relation(c.Body.Author, c.Body.Family)
	builds := slices.ContainsFunc(c.Body.Deps, func(dep syncproto.ChangeID) bool {
		status, _ := s.Status(dep)
		return status == syncproto.StatusQuarantined
	})
	switch {
	case !granted:
		s.Pronounce(syncproto.VerdictQuarantine, c, syncproto.CodeNotEntitled)
	case builds:
		s.Pronounce(syncproto.VerdictQuarantine, c, syncproto.CodeBuildsOnQuarantine)
	case s.Sealed(c.Body.Record):
		s.Pronounce(syncproto.VerdictLate, c, syncproto.CodeLate)
	}
}

// release accepts what waited for id.
func (s *Server) release(id syncproto.ChangeID) {
	for i := 0; i < len(s.Entries); i++ {
		c := s.Entries[i].Change
		if c == nil || !s.held[c.ID] || !slices.Contains(c.Body.Deps, id) {
			continue
		}
		here := true
		for _, dep := range c.Body.Deps {
			here = here && s.Find(dep) != nil && !s.held[dep]
		}
		if here {
			delete(s.held, c.ID)
			s.Pronounce(syncproto.VerdictRelease, c, syncproto.CodeOK)
			s.decide(c)
			s.release(c.ID)
		}
	}
}

// rival returns another change that claims c's place in its actor's chain.
func (s *Server) rival(c *syncproto.Change) *syncproto.Change {
	for i := range s.Entries {
		x := s.Entries[i].Change
		if x != nil && x.Body.Actor == c.Body.Actor && x.Body.Seq == c.Body.Seq && x.ID != c.ID {
			return x
		}
	}
	return nil
}

func (s *Server) forked(actor syncproto.ActorID) bool {
	return slices.ContainsFunc(s.Entries, func(e Entry) bool {
		v := e.Item.Verdict
		return v != nil && v.Kind == syncproto.VerdictForked && v.Actor == actor
	})
}

// chainHead says how far the server has an actor's chain without a gap.
func (s *Server) chainHead(actor syncproto.ActorID) syncproto.ChainHead {
	h := syncproto.ChainHead{Actor: actor}
	for {
		found := false
		for i := range s.Entries {
			c := s.Entries[i].Change
			if c != nil && c.Body.Actor == actor && c.Prev == h.Tip && c.Body.Seq == h.Seq+1 {
				h.Tip, h.Seq, found = c.ID, c.Body.Seq, true
				break
			}
		}
		if !found {
			return h
		}
	}
}

// feed fills in what a user may see after position from, a page of it.
func (s *Server) feed(user syncproto.UserID, device syncproto.DeviceID, at uint64, p *syncproto.SyncReply) {
	if s.Page > 0 {
		s.owed(user, device, p)
	}
	for at < uint64(len(s.Entries)) && len(p.Items) < s.Page {
		at++
		e := &s.Entries[at-1]
		s.tell(user, e, at, p)
	}
	p.More = at < uint64(len(s.Entries))
	p.Cursor = binary.BigEndian.AppendUint64(slices.Clone(s.Epoch[:]), at)
}

func (s *Server) tell(user syncproto.UserID, e *Entry, at uint64, p *syncproto.SyncReply) {
	last, granted := s.Relation(user, s.familyOf(e))
	switch e.Item.Type {
	case syncproto.ItemGrant, syncproto.ItemPurge:
		if e.User != user || at != last {
			return
		}
		p.Items = append(p.Items, e.Item) // a purge that is owed as well comes twice
		for i := uint64(1); e.Item.Type == syncproto.ItemGrant && i < at; i++ {
			if s.familyOf(&s.Entries[i-1]) == e.Item.Family && s.Entries[i-1].User.IsZero() {
				s.tellOne(&s.Entries[i-1], p)
			}
		}
	default:
		if granted && at > last {
			s.tellOne(e, p)
		}
	}
}

func (s *Server) tellOne(e *Entry, p *syncproto.SyncReply) {
	if e.Change != nil {
		if status, _ := s.Status(e.Change.ID); status == syncproto.StatusQuarantined || status == syncproto.StatusHeld {
			return // comes with its Admit or Release
		}
	}
	if v := e.Item.Verdict; v != nil && (v.Kind == syncproto.VerdictAdmit || v.Kind == syncproto.VerdictRelease) {
		if c := s.Find(v.Change); c != nil {
			p.Items = append(p.Items, c.Item)
		}
	}
	p.Items = append(p.Items, e.Item)
}

func (s *Server) familyOf(e *Entry) syncproto.FamilyID {
	switch {
	case e.Change != nil:
		return e.Change.Body.Family
	case e.Item.Verdict != nil:
		return e.Item.Verdict.Family
	}
	return e.Item.Family
}
