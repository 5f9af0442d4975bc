package engine

import (
	"crypto/sha256"
	"slices"
	"testing"

	"doorstep/syncproto"
)

// testServer is a tiny borough server in memory: a journal, relations, receipts
// and feeds by the rules of SPEC 6 and 7, without disk, keys or a network.
type testServer struct {
	t       *testing.T
	epoch   syncproto.Epoch
	entries []testEntry // entry i has position i+1
	held    map[syncproto.ChangeID]bool
	refuse  func(c *syncproto.Change) syncproto.Code
	page    int // changes in one reply
	syncs   int
}

type testEntry struct {
	item   syncproto.Item
	change *syncproto.Change // ItemChange
	user   syncproto.UserID  // ItemGrant, ItemPurge: whose
}

func newTestServer(t *testing.T) *testServer {
	return &testServer{
		t:      t,
		epoch:  syncproto.Epoch{1},
		held:   map[syncproto.ChangeID]bool{},
		refuse: func(*syncproto.Change) syncproto.Code { return syncproto.CodeOK },
		page:   5,
	}
}

// testKeys stand in for signatures: whoever has the key makes them.
func testSign(key byte, message []byte) []byte {
	a := sha256.Sum256(append([]byte{key, 1}, message...))
	b := sha256.Sum256(append([]byte{key, 2}, message...))
	return append(a[:], b[:]...)
}

const serverKey = 255

func (s *testServer) append(e testEntry) uint64 {
	e.item.Position = uint64(len(s.entries)) + 1
	if e.item.Verdict != nil {
		e.item.Verdict.Position = e.item.Position
	}
	s.entries = append(s.entries, e)
	return e.item.Position
}

func (s *testServer) grant(user syncproto.UserID, family syncproto.FamilyID) {
	s.append(testEntry{user: user, item: syncproto.Item{Type: syncproto.ItemGrant, Family: family, Basis: "LEAD"}})
}

func (s *testServer) revoke(user syncproto.UserID, family syncproto.FamilyID) {
	s.append(testEntry{user: user, item: syncproto.Item{Type: syncproto.ItemPurge, Family: family}})
}

// relation returns the last grant or revocation, and whether it is a grant.
func (s *testServer) relation(user syncproto.UserID, family syncproto.FamilyID) (uint64, bool) {
	for i := len(s.entries) - 1; i >= 0; i-- {
		e := &s.entries[i]
		if e.user == user && e.item.Family == family {
			return uint64(i) + 1, e.item.Type == syncproto.ItemGrant
		}
	}
	return 0, false
}

func (s *testServer) change(id syncproto.ChangeID) *testEntry {
	for i := range s.entries {
		if c := s.entries[i].change; c != nil && c.ID == id {
			return &s.entries[i]
		}
	}
	return nil
}

// status returns what counts of a change now: the last verdict on it, or accepted.
func (s *testServer) status(id syncproto.ChangeID) (syncproto.ReceiptStatus, syncproto.Code) {
	if s.held[id] {
		return syncproto.StatusHeld, syncproto.CodeMissingDeps
	}
	status, code := syncproto.StatusAccepted, syncproto.CodeOK
	for i := range s.entries {
		v := s.entries[i].item.Verdict
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

func (s *testServer) verdict(kind syncproto.VerdictKind, c *syncproto.Change, code syncproto.Code) {
	s.append(testEntry{item: syncproto.Item{Type: syncproto.ItemVerdict, Verdict: &syncproto.Verdict{
		Kind: kind, Family: c.Body.Family, Record: c.Body.Record, Change: c.ID, Code: code, AtMS: 1,
	}}})
}

// seal makes a record final at its accepted heads.
func (s *testServer) seal(family syncproto.FamilyID, record syncproto.RecordID) {
	heads := syncproto.Fold(s.graph(record), nil, s.verdicts(record)).Heads
	s.append(testEntry{item: syncproto.Item{Type: syncproto.ItemVerdict, Verdict: &syncproto.Verdict{
		Kind: syncproto.VerdictSeal, Family: family, Record: record, AtMS: 1, Change: heads[0],
		Heads: []syncproto.RecordHeads{{Record: record, Heads: heads}},
	}}})
}

func (s *testServer) sealed(record syncproto.RecordID) bool {
	return slices.ContainsFunc(s.entries, func(e testEntry) bool {
		v := e.item.Verdict
		return v != nil && v.Kind == syncproto.VerdictSeal && v.Record == record
	})
}

func (s *testServer) graph(record syncproto.RecordID) *syncproto.Graph {
	g := syncproto.NewGraph(record)
	for i := range s.entries {
		if c := s.entries[i].change; c != nil && c.Body.Record == record && !s.held[c.ID] {
			if _, err := g.Add(c); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	return g
}

func (s *testServer) verdicts(record syncproto.RecordID) []syncproto.Verdict {
	var out []syncproto.Verdict
	for i := range s.entries {
		if v := s.entries[i].item.Verdict; v != nil && v.Record == record {
			out = append(out, *v)
		}
	}
	return out
}

func (s *testServer) view(record syncproto.RecordID) []byte {
	g := s.graph(record)
	return syncproto.Fold(g, kindOf(g), s.verdicts(record)).Encode()
}

// restore takes the server back to its first n entries: a backup.
func (s *testServer) restore(n int) {
	s.entries = slices.Clone(s.entries[:n])
	s.epoch[0]++
	for id := range s.held {
		if s.change(id) == nil {
			delete(s.held, id)
		}
	}
}

// sync answers an encoded request, or says why the envelope is refused.
func (s *testServer) sync(user syncproto.UserID, device syncproto.DeviceID, key byte, payload []byte) ([]byte, syncproto.Code) {
	q, err := syncproto.DecodeRequest(payload)
	if err != nil {
		return nil, err.(syncproto.Code)
	}
	s.syncs++
	from, ok := s.parseCursor(q)
	if !ok {
		return nil, syncproto.CodeUnknownEpoch
	}
	p := &syncproto.SyncReply{Version: syncproto.ProtocolVersion, Request: q.Request, Epoch: s.epoch, TimeMS: 1_000_000}
	for i := range q.Batches {
		b := &q.Batches[i]
		p.Receipts = append(p.Receipts, s.push(user, key, b)...)
	}
	for _, h := range q.Chains {
		p.Chains = append(p.Chains, s.chainHead(h.Actor))
		if s.forked(h.Actor) {
			p.Forked = append(p.Forked, h.Actor)
		}
	}
	s.feed(user, from, p)
	reply := syncproto.EncodeReply(p)
	return syncproto.EncodeSignedReply(reply, testSign(serverKey, syncproto.ReplyMessage(device, reply))), syncproto.CodeOK
}

// parseCursor reads a cursor: epoch and position.
func (s *testServer) parseCursor(q *syncproto.SyncRequest) (uint64, bool) {
	if !q.Epoch.IsZero() && q.Epoch != s.epoch {
		return 0, false
	}
	if len(q.Cursor) == 0 {
		return 0, true
	}
	k := keyReader{rest: q.Cursor}
	var epoch syncproto.Epoch
	k.into(epoch[:])
	at := k.uint64()
	return at, k.err() == nil && epoch == s.epoch && at <= uint64(len(s.entries))
}

func (s *testServer) push(user syncproto.UserID, key byte, b *syncproto.Batch) []syncproto.Receipt {
	var changes []*syncproto.Change
	prev := b.Prev
	for _, body := range b.Bodies {
		c, err := syncproto.DecodeChange(prev, body)
		if err != nil {
			s.t.Fatalf("push: %v", err)
		}
		changes = append(changes, c)
		prev = c.ID
	}
	if string(testSign(key, syncproto.TipMessage(b.Actor, prev))) != string(b.Signature) {
		s.t.Fatal("push: the signature is not over the tip of the batch")
	}
	var out []syncproto.Receipt
	for _, c := range changes {
		out = append(out, s.take(user, c))
	}
	return out
}

func (s *testServer) take(user syncproto.UserID, c *syncproto.Change) syncproto.Receipt {
	if code := s.refuse(c); code != syncproto.CodeOK {
		return syncproto.Receipt{Change: c.ID, Status: syncproto.StatusRefused, Code: code}
	}
	if s.change(c.ID) == nil {
		s.order(user, c)
	}
	rc := syncproto.Receipt{Change: c.ID, Durability: syncproto.DurabilityStored, Position: s.change(c.ID).item.Position}
	rc.Status, rc.Code = s.status(c.ID)
	return rc
}

// order puts a new change into the journal and decides what becomes of it.
func (s *testServer) order(user syncproto.UserID, c *syncproto.Change) {
	rival := s.rival(c)
	s.append(testEntry{change: c, item: syncproto.Item{Type: syncproto.ItemChange, Prev: c.Prev, Body: c.Raw}})
	for _, dep := range c.Body.Deps {
		if s.change(dep) == nil || s.held[dep] {
			s.held[c.ID] = true
			return
		}
	}
	s.decide(user, c)
	if rival != nil {
		s.append(testEntry{item: syncproto.Item{Type: syncproto.ItemVerdict, Verdict: &syncproto.Verdict{
			Kind: syncproto.VerdictForked, Family: c.Body.Family, Record: c.Body.Record,
			Change: c.ID, Actor: c.Body.Actor, Code: syncproto.CodeForked,
		}}})
	}
	s.release(user, c.ID)
}

func (s *testServer) decide(user syncproto.UserID, c *syncproto.Change) {
	_, granted := s.relation(c.Body.Author, c.Body.Family)
	builds := slices.ContainsFunc(c.Body.Deps, func(dep syncproto.ChangeID) bool {
		status, _ := s.status(dep)
		return status == syncproto.StatusQuarantined
	})
	switch {
	case !granted:
		s.verdict(syncproto.VerdictQuarantine, c, syncproto.CodeNotEntitled)
	case builds:
		s.verdict(syncproto.VerdictQuarantine, c, syncproto.CodeBuildsOnQuarantine)
	case s.sealed(c.Body.Record):
		s.verdict(syncproto.VerdictLate, c, syncproto.CodeLate)
	}
}

// release accepts what waited for id.
func (s *testServer) release(user syncproto.UserID, id syncproto.ChangeID) {
	for i := 0; i < len(s.entries); i++ {
		c := s.entries[i].change
		if c == nil || !s.held[c.ID] || !slices.Contains(c.Body.Deps, id) {
			continue
		}
		here := true
		for _, dep := range c.Body.Deps {
			here = here && s.change(dep) != nil && !s.held[dep]
		}
		if here {
			delete(s.held, c.ID)
			s.verdict(syncproto.VerdictRelease, c, syncproto.CodeOK)
			s.decide(user, c)
			s.release(user, c.ID)
		}
	}
}

// rival returns another change that claims c's place in its actor's chain.
func (s *testServer) rival(c *syncproto.Change) *syncproto.Change {
	for i := range s.entries {
		x := s.entries[i].change
		if x != nil && x.Body.Actor == c.Body.Actor && x.Body.Seq == c.Body.Seq && x.ID != c.ID {
			return x
		}
	}
	return nil
}

func (s *testServer) forked(actor syncproto.ActorID) bool {
	return slices.ContainsFunc(s.entries, func(e testEntry) bool {
		v := e.item.Verdict
		return v != nil && v.Kind == syncproto.VerdictForked && v.Actor == actor
	})
}

// chainHead says how far the server has an actor's chain without a gap.
func (s *testServer) chainHead(actor syncproto.ActorID) syncproto.ChainHead {
	h := syncproto.ChainHead{Actor: actor}
	for {
		found := false
		for i := range s.entries {
			c := s.entries[i].change
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
func (s *testServer) feed(user syncproto.UserID, from uint64, p *syncproto.SyncReply) {
	at := from
	for at < uint64(len(s.entries)) && len(p.Items) < s.page {
		at++
		s.tell(user, &s.entries[at-1], at, p)
	}
	p.More = at < uint64(len(s.entries))
	p.Cursor = appendUint64(slices.Clone(s.epoch[:]), at)
}

func (s *testServer) tell(user syncproto.UserID, e *testEntry, at uint64, p *syncproto.SyncReply) {
	last, granted := s.relation(user, s.familyOf(e))
	switch e.item.Type {
	case syncproto.ItemGrant, syncproto.ItemPurge:
		if e.user != user || at != last {
			return
		}
		p.Items = append(p.Items, e.item)
		for i := uint64(1); e.item.Type == syncproto.ItemGrant && i < at; i++ {
			if s.familyOf(&s.entries[i-1]) == e.item.Family && s.entries[i-1].user.IsZero() {
				s.tellOne(&s.entries[i-1], p)
			}
		}
	default:
		if granted && at > last {
			s.tellOne(e, p)
		}
	}
}

func (s *testServer) tellOne(e *testEntry, p *syncproto.SyncReply) {
	if e.change != nil {
		if status, _ := s.status(e.change.ID); status == syncproto.StatusQuarantined || status == syncproto.StatusHeld {
			return // comes with its Admit or Release
		}
	}
	if v := e.item.Verdict; v != nil && (v.Kind == syncproto.VerdictAdmit || v.Kind == syncproto.VerdictRelease) {
		if c := s.change(v.Change); c != nil {
			p.Items = append(p.Items, c.item)
		}
	}
	p.Items = append(p.Items, e.item)
}

func (s *testServer) familyOf(e *testEntry) syncproto.FamilyID {
	switch {
	case e.change != nil:
		return e.change.Body.Family
	case e.item.Verdict != nil:
		return e.item.Verdict.Family
	}
	return e.item.Family
}
