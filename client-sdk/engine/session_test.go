package engine

import (
	"bytes"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"doorstep/client-sdk/engine/enginetest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

var (
	firstSeed = flag.Uint64("seed", 1, "first seed of TestSessions")
	seedCount = flag.Uint64("seeds", 40, "how many seeds TestSessions runs")
)

// session is a random day of three tablets and a server.
type session struct {
	t       *testing.T
	server  *enginetest.Server
	tablets []*tablet
	said    []said // words that were durable when their call returned
	words   int
}

type said struct {
	by     *tablet
	record syncproto.RecordID
	word   string
}

// TestSessions runs random days: typing, edits, restarts and crashes at any
// store effect, requests and replies lost, doubled and out of order, access
// taken and given back, stores lost and made anew from their second copy, records sealed, changes refused, words offered anew, a
// tablet cloned, the server restored from a backup. After
// every step each engine must equal one loaded from its rows; at the end all
// entitled tablets and the server must show the same bytes, and every word that
// was acknowledged must be at the server.
func TestSessions(t *testing.T) {
	met := map[NoteKind]bool{}
	for seed := *firstSeed; seed < *firstSeed+*seedCount; seed++ {
		t.Run("seed "+strconv.FormatUint(seed, 10), func(t *testing.T) {
			for _, d := range runSession(t, seed).tablets {
				for _, n := range d.notes {
					met[n.Kind] = true
				}
			}
		})
	}
	if *seedCount < 40 {
		return
	}
	for _, kind := range []NoteKind{
		NoteRecord, NoteConflict, NoteReceived, NoteHeld, NoteQuarantined, NoteLate, NoteRefused,
		NoteGranted, NoteLeaving, NotePurged, NoteForked, NoteEpoch,
	} {
		if !met[kind] {
			t.Errorf("no session met note %d: the sessions are too tame", kind)
		}
	}
}

func runSession(t *testing.T, seed uint64) *session {
	s := &session{t: t, server: newServer()}
	s.server.Copies = seed%2 == 0
	s.server.Refuse = func(c *syncproto.Change) syncproto.Code {
		if c.Body.Ops[0].Value.Equal(cbor.Text("reason 8")) {
			return syncproto.CodeBadValue // a server that knows better than this app
		}
		return syncproto.CodeOK
	}
	for n := byte(1); n <= 3; n++ {
		s.server.Grant(syncproto.UserID{n}, syncproto.FamilyID{1})
		s.server.Grant(syncproto.UserID{n}, syncproto.FamilyID{2})
		s.tablets = append(s.tablets, newTablet(t, s.server, n, seed))
	}
	for _, r := range testRecords {
		s.tablets[0].edit(r, set("visit_type", cbor.Text("CIN")))
	}
	for range 250 {
		d := s.tablets[s.tablets[0].rng.IntN(len(s.tablets))]
		s.step(d)
		if d.rng.IntN(8) == 0 {
			s.server.Copied = uint64(len(s.server.Entries))
		}
		d.check()
	}
	s.quiet()
	s.compare()
	return s
}

func (s *session) step(d *tablet) {
	r := testRecords[d.rng.IntN(len(testRecords))]
	switch d.rng.IntN(23) {
	case 22:
		d.carryOut(d.engine.Rest()) // the screen goes dark
	case 0, 1, 2, 3, 4:
		s.typeWord(d, r)
	case 5:
		s.deleteWord(d, r)
	case 6, 7:
		s.editRecord(d, r)
	case 8:
		d.save(r)
	case 9, 10, 11:
		d.begin()
	case 12, 13:
		if n := len(d.out); n > 0 {
			d.arrive(d.rng.IntN(n)) // also out of order, and again and again
		}
	case 14, 15:
		if n := len(d.in); n > 0 {
			d.receive(d.rng.IntN(n))
		}
	case 16:
		d.start() // killed and started again
	case 17:
		d.crash = true // dies at its next store effect
	case 18:
		d.sync()
	case 19:
		s.office(d, r)
	case 21:
		// Two disasters at once, a server restored and a tablet's store lost before
		// it could offer its words again, are one too many.
		if d.rng.IntN(4) == 0 && d.engine.meta.epoch == s.server.Epoch && d.engine.answeredAnew() {
			d.crash = false
			d.lose()
		}
	case 20:
		if _, effects, err := d.engine.Reoffer(d.now, r, d.chance()); err == nil {
			d.carryOut(effects)
		}
	}
}

// answeredAnew reports whether each receipt is of the server as it is now.
func (e *Engine) answeredAnew() bool {
	for _, l := range e.own {
		if l.status != 0 && l.gen != e.meta.gen {
			return false
		}
	}
	return true
}

// office is what happens elsewhere.
func (s *session) office(d *tablet, r syncproto.RecordID) {
	f := testFamily(r)
	switch d.rng.IntN(6) {
	case 0, 1:
		if _, granted := s.server.Relation(d.id.User, f); granted {
			s.server.Revoke(d.id.User, f)
		} else {
			s.server.Grant(d.id.User, f)
		}
	case 2:
		if g := s.server.Graph(r); g.Len() > 8 && !s.server.Sealed(r) {
			s.server.Seal(f, r)
		}
	case 3:
		s.restore(len(s.server.Entries) - d.rng.IntN(6))
	case 4:
		s.admitSome()
	case 5:
		if len(s.tablets) < 4 {
			s.tablets = append(s.tablets, d.clone())
		}
	}
}

// restore takes the server back to n entries, unless the backup lacks a change
// that its tablet has purged since: no device can bring that back, which is why
// a server acknowledges only what is on two disks.
func (s *session) restore(n int) {
	n = s.server.Boundary(n)
	for i := n; i < len(s.server.Entries); i++ {
		c := s.server.Entries[i].Change
		if c == nil {
			continue
		}
		kept := slices.ContainsFunc(s.tablets, func(d *tablet) bool {
			_, _, err := d.engine.Export(c.ID)
			return err == nil
		})
		if !kept {
			return
		}
	}
	if n > 12 {
		s.server.Restore(n)
		s.server.Copied = min(s.server.Copied, uint64(n))
	}
}

// admitSome lets the oldest change out of quarantine, as a reviewer does.
func (s *session) admitSome() {
	for i := range s.server.Entries {
		c := s.server.Entries[i].Change
		if c == nil {
			continue
		}
		if status, _ := s.server.Status(c.ID); status == syncproto.StatusQuarantined {
			s.server.Pronounce(syncproto.VerdictAdmit, c, syncproto.CodeOK)
			return
		}
	}
}

func (s *session) typeWord(d *tablet, r syncproto.RecordID) {
	if _, err := d.engine.View(r); err != nil {
		return
	}
	s.words++
	word := "<" + strconv.Itoa(s.words) + "é>"
	points := []rune(d.purpose(r))
	at := d.rng.IntN(len(points) + 1)
	for at > 0 && at < len(points) && points[at-1] != '>' {
		at-- // between words, so that each stays whole
	}
	died := d.crash
	for i, p := range []rune(word) {
		d.typing(r, text.Splice{Pos: at + i, Ins: string(p)})
		if died {
			return // the word is cut: not all of it was acknowledged
		}
	}
	s.said = append(s.said, said{by: d, record: r, word: word})
}

// deleteWord takes a word out of the text again; it stays in the history.
func (s *session) deleteWord(d *tablet, r syncproto.RecordID) {
	before, _, ok := strings.Cut(d.purpose(r), "é>")
	i := strings.LastIndex(before, "<")
	if !ok || i < 0 {
		return
	}
	at, n := len([]rune(before[:i])), len([]rune(before[i:]))+2
	for k := range n { // by backspace
		d.typing(r, text.Splice{Pos: at + n - 1 - k, Del: 1})
		if d.engine == nil {
			return
		}
	}
}

func (s *session) editRecord(d *tablet, r syncproto.RecordID) {
	if v, err := d.engine.View(r); err != nil || len(v.Heads) == 0 {
		return
	}
	switch d.rng.IntN(3) {
	case 0:
		types := []string{"CIN", "CP", "CLA"}
		d.edit(r, set("visit_type", cbor.Text(types[d.rng.IntN(3)])))
	case 1:
		d.edit(r, syncproto.Op{
			Code: syncproto.OpAdd,
			Path: syncproto.Path{Field: "present", Element: syncproto.ElementID(d.chance())},
			Value: cbor.Map(
				cbor.Pair{Key: "described", Value: cbor.Text("a neighbour")},
			),
		})
	case 2:
		d.edit(r, set("outcome_reason", cbor.Text("reason "+strconv.Itoa(int(d.rng.IntN(9))))))
	}
}

// quiet lets everybody finish: drafts saved, all replies in.
func (s *session) quiet() {
	for range 3 {
		for _, d := range s.tablets {
			d.crash = false
			for _, r := range testRecords {
				d.save(r)
			}
			d.sync()
			d.check()
		}
	}
}

func (s *session) compare() {
	for _, d := range s.tablets {
		if o := d.engine.Outbox(); o.Changes+o.Drafts > 0 {
			s.t.Errorf("tablet %d still has %d changes and %d drafts", d.key, o.Changes, o.Drafts)
		}
		for _, r := range testRecords {
			s.compareRecord(d, r)
		}
	}
	for _, w := range s.said {
		if !s.atServer(w) {
			s.t.Errorf("word %s of tablet %d in record %d is nowhere at the server", w.word, w.by.key, w.record[0])
		}
	}
}

func (s *session) compareRecord(d *tablet, r syncproto.RecordID) {
	v, err := d.engine.Fold(r)
	if at, granted := s.server.Relation(d.id.User, testFamily(r)); !granted {
		if err == nil && d.notedOf(NoteGranted, testFamily(r)) {
			s.t.Errorf("tablet %d shows record %d without a grant", d.key, r[0])
		}
		if at == 0 && d.engine.families[testFamily(r)].standing == StandingClosed {
			return // the restored server knows of no purge
		}
		for key := range d.rows {
			if !strings.HasPrefix(key, string(keyOfRecord(rowChange, testFamily(r), r))) {
				continue
			}
			// What the server refused is kept, and so are own words in a family
			// that this device was never given.
			l := d.engine.own[syncproto.ChangeID([]byte(key[33:]))]
			never := d.engine.families[testFamily(r)].standing == StandingNone && !d.notedOf(NoteGranted, testFamily(r))
			if l == nil || l.status != syncproto.StatusRefused && !never {
				s.t.Errorf("tablet %d keeps content of record %d", d.key, r[0])
			}
		}
		return
	}
	w := s.server.View(r)
	if len(w.Heads)+len(w.Addenda) == 0 && err == syncproto.CodeNotFound {
		return // nothing of it is in force anywhere
	}
	if err != nil {
		s.t.Errorf("tablet %d, record %d: %v", d.key, r[0], err)
		return
	}
	if got, want := v.Encode(), w.Encode(); !bytes.Equal(got, want) {
		s.t.Errorf("tablet %d, record %d differs from the server\n got  %.400v\n want %.400v", d.key, r[0], fmt.Sprint(v), fmt.Sprint(w))
	}
}

// atServer reports whether a word was typed in some change that the server has.
func (s *session) atServer(w said) bool {
	for i := range s.server.Entries {
		c := s.server.Entries[i].Change
		if c == nil || c.Body.Record != w.record {
			continue
		}
		for _, op := range c.Body.Ops {
			for _, splice := range op.Splices {
				if strings.Contains(splice.Ins, w.word) {
					return true
				}
			}
		}
	}
	return false
}
