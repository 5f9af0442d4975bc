package endtoend

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"doorstep/client-sdk/device"
	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// tablet is an enrolled device, the line it talks over and the store it keeps.
type tablet struct {
	*device.Device
	t     *testing.T
	login string
	key   device.Key
	id    device.Identity
	line  *line
	store *device.Memory
	rng   *rand.Rand         // salts, request ids, record ids
	now   func() engine.Time // nil: the machine's clocks

	outbox device.SealedOutbox // nil: none
}

// newTablet enrols worker n on a tablet of their own.
func newTablet(t *testing.T, s site, n int, seed uint64) *tablet {
	t.Helper()
	return newTabletFor(t, s, login(n), seed)
}

func newTabletFor(t *testing.T, s site, login string, seed uint64) *tablet {
	t.Helper()
	key, err := device.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	code, err := s.operator().IssueCode(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	b := &tablet{t: t, login: login, key: key, line: newLine(s), store: device.NewMemory(),
		rng: rand.New(rand.NewPCG(seed, 62))}
	client := b.client()
	b.id, err = client.Enrol(t.Context(), b.store, device.Enrolment{
		Login: login, Password: password, Code: code.Code, Name: login + "'s tablet", Key: &key,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.open(client)
	t.Cleanup(func() {
		closing(t, b.Close)
		b.line.http.CloseIdleConnections()
	})
	return b
}

func (b *tablet) client() *device.Client {
	b.t.Helper()
	client, err := device.NewClient(base, b.line.http)
	if err != nil {
		b.t.Fatal(err)
	}
	return client
}

func (b *tablet) open(transport device.Transport) {
	b.t.Helper()
	var err error
	if b.Device, err = device.Open(b.store, transport, device.Options{Chance: b.chance, Now: b.now, Outbox: b.outbox}); err != nil {
		b.t.Fatal(err)
	}
}

// restart is a tablet that is switched off without warning and on again.
func (b *tablet) restart() {
	b.t.Helper()
	left := b.store.Reopen()
	closing(b.t, b.Close)
	b.store = left
	b.open(b.client())
}

// copied is a second tablet with the same rows, key and person: what this one is
// now, for a test to take another course with.
func (b *tablet) copied(seed uint64) *tablet {
	b.t.Helper()
	b.t.Helper()
	c := &tablet{t: b.t, login: b.login, key: b.key, id: b.id, line: b.line, store: b.store.Reopen(), rng: rand.New(rand.NewPCG(seed, 64))}
	c.open(c.client())
	return c
}

func (b *tablet) chance() (c engine.Chance) {
	binary.BigEndian.PutUint64(c[:], b.rng.Uint64())
	binary.BigEndian.PutUint64(c[8:], b.rng.Uint64())
	return c
}

// syncs syncs and wants it to work.
func (b *tablet) syncs() device.Report {
	b.t.Helper()
	report, err := b.Sync(b.t.Context())
	if err != nil {
		b.t.Fatalf("%s syncs: %v", b.login, err)
	}
	return report
}

// families are those that the tablet shows.
func (b *tablet) families() (out []syncproto.FamilyID) {
	b.t.Helper()
	err := b.Read(func(e *engine.Engine) {
		for _, f := range e.Families() {
			if f.Readable {
				out = append(out, f.Family)
			}
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// leads is the family that the tablet's person leads on. Their own file, which may be on
// the tablet too, is none of theirs to lead.
func (b *tablet) leads() (family syncproto.FamilyID) {
	b.t.Helper()
	found := 0
	err := b.Read(func(e *engine.Engine) {
		for _, f := range e.Families() {
			if f.Basis == "LEAD" {
				family = f.Family
				found++
			}
		}
	})
	if err != nil || found != 1 {
		b.t.Fatalf("%s leads on %d families, %v; want one", b.login, found, err)
	}
	return family
}

// folds are the bytes of every record that the tablet shows.
func (b *tablet) folds() map[syncproto.RecordID]string {
	b.t.Helper()
	out := map[syncproto.RecordID]string{}
	families := b.families()
	err := b.Read(func(e *engine.Engine) {
		for _, f := range families {
			for _, record := range e.Records(f) {
				v, err := e.Fold(record)
				if err != nil {
					b.t.Errorf("%s cannot show record %s: %v", b.login, record, err)
					continue
				}
				out[record] = string(v.Encode())
			}
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// edit records steps on a record and wants it to work.
func (b *tablet) edit(family syncproto.FamilyID, record syncproto.RecordID, kind string, ops ...syncproto.Op) syncproto.ChangeID {
	b.t.Helper()
	id, err := b.Edit(engine.Edit{Family: family, Record: record, Kind: kind, Ops: ops})
	if err != nil {
		b.t.Fatalf("%s edits a %s: %v", b.login, kind, err)
	}
	return id
}

// wantEmptyOutbox checks that the server has answered everything.
func (b *tablet) wantEmptyOutbox() {
	b.t.Helper()
	if o, err := b.Outbox(); err != nil || o.Changes+o.Drafts > 0 {
		b.t.Errorf("%s: outbox %+v, %v; want nothing left", b.login, o, err)
	}
}

// wantAccepted checks that no own change met with a remark.
func (b *tablet) wantAccepted() {
	b.t.Helper()
	err := b.Read(func(e *engine.Engine) {
		for _, m := range e.Marks() {
			b.t.Errorf("%s: change %s has status %d, %v", b.login, m.Change, m.Status, m.Code)
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// wantSame checks that tablets show the same bytes of the same records, and that
// the server, stopped, has those bytes too.
func wantSame(t *testing.T, data onDisk, tablets ...*tablet) {
	t.Helper()
	first := tablets[0].folds()
	for _, other := range tablets[1:] {
		wantSameFolds(t, other.login, first, other.folds())
	}
	for record, want := range first {
		if got := data.fold(t, record); got != want {
			t.Errorf("record %s: the server and %s disagree", record, tablets[0].login)
		}
	}
}

func wantSameFolds(t *testing.T, who string, want, got map[syncproto.RecordID]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s shows %d records, want %d", who, len(got), len(want))
	}
	for record := range want {
		if got[record] != want[record] {
			t.Errorf("record %s: %s shows other bytes", record, who)
		}
	}
}

func (b *tablet) newRecord() syncproto.RecordID { return syncproto.RecordID(b.chance()) }

func setText(field, value string) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field}, Value: cbor.Text(value)}
}

func write(field string, pos int, words string) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSplice, Path: syncproto.Path{Field: field}, Splices: []text.Splice{{Pos: pos, Ins: words}}}
}
