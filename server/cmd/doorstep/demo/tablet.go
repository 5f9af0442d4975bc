package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"doorstep/client-sdk/device"
	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// tablet is one worker's tablet: a store in a folder, encrypted, and the device
// that runs on it while it is switched on.
type tablet struct {
	who    worker
	dir    string
	key    []byte // encrypts the store
	wire   *wire
	clock  *clock
	chance *chance
	device *device.Device // nil while switched off
}

// newTablet unpacks a tablet. Nobody is enrolled on it yet.
func newTablet(who worker, dir string, seed uint64, now time.Time) *tablet {
	return &tablet{
		who: who, dir: filepath.Join(dir, who.login), key: device.NewStoreKey(),
		wire: newWire(), clock: newClock(now), chance: newChance(seed, who.login),
	}
}

func (t *tablet) store() (device.Store, error) {
	rows, err := device.OpenBadger(t.dir, device.BadgerOptions{})
	if err != nil {
		return nil, err
	}
	return device.Sealed(rows, t.key)
}

// enrol makes the tablet its owner's and switches it on.
func (t *tablet) enrol(ctx context.Context, server, code string) error {
	store, err := t.store()
	if err != nil {
		return err
	}
	client, err := device.NewClient(server, t.wire.client)
	if err == nil {
		_, err = client.Enrol(ctx, store, device.Enrolment{
			Login: t.who.login, Password: t.who.password, Code: code, Name: t.who.name + "'s tablet",
		})
	}
	if err != nil {
		return errors.Join(fmt.Errorf("enrolling %s: %w", t.who.login, err), store.Close())
	}
	return t.start(store, client)
}

// switchOn opens what is on the tablet's disk. It talks to the server there.
func (t *tablet) switchOn(server string) error {
	store, err := t.store()
	if err != nil {
		return fmt.Errorf("switching %s's tablet on: %w", t.who.login, err)
	}
	client, err := device.NewClient(server, t.wire.client)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	return t.start(store, client)
}

func (t *tablet) start(store device.Store, client *device.Client) error {
	d, err := device.Open(store, client, device.Options{Now: t.clock.read, Chance: t.chance.draw})
	if err != nil {
		return errors.Join(fmt.Errorf("switching %s's tablet on: %w", t.who.login, err), store.Close())
	}
	t.device = d
	return nil
}

func (t *tablet) switchOff() error {
	if t.device == nil {
		return nil
	}
	err := t.device.Close()
	t.device = nil
	t.wire.hangUp()
	return err
}

// crash is a tablet whose battery dies in the middle of a word: it starts again
// from its files as they are at this moment, with nothing closed or flushed.
func (t *tablet) crash(server string) error {
	left := t.dir + "-after-the-crash"
	if err := os.CopyFS(left, os.DirFS(t.dir)); err != nil {
		return fmt.Errorf("crashing a tablet: %w", err)
	}
	if err := t.switchOff(); err != nil { // closes the old files, which nobody reads again
		return err
	}
	if err := os.RemoveAll(t.dir); err != nil {
		return err
	}
	t.dir = left
	return t.switchOn(server)
}

// sync goes to the server until neither side has more to say.
func (t *tablet) sync(ctx context.Context) (synced, error) {
	t.clock.passUntil(time.Now())
	began, before := time.Now(), t.wire.used()
	report, err := t.device.Sync(ctx)
	if err != nil {
		return synced{}, fmt.Errorf("%s's tablet: %w", t.who.login, err)
	}
	return synced{Report: report, wire: t.wire.used().since(before), took: time.Since(began)}, nil
}

// synced says what a sync took.
type synced struct {
	device.Report
	wire usage
	took time.Duration
}

func (s synced) String() string {
	return fmt.Sprintf("%s, %s up, %s down, %s",
		some(int(s.wire.trips), "round trip"), amount(s.wire.up), amount(s.wire.down), took(s.took))
}

// edit records steps on a record.
func (t *tablet) edit(family syncproto.FamilyID, record syncproto.RecordID, kind string, ops ...syncproto.Op) (syncproto.ChangeID, error) {
	t.clock.pass(20 * time.Second)
	id, err := t.device.Edit(engine.Edit{Family: family, Record: record, Kind: kind, Ops: ops})
	if err != nil {
		return id, fmt.Errorf("%s edits a %s: %w", t.who.login, kind, err)
	}
	return id, nil
}

// typed says what a stretch of typing took.
type typed struct {
	strokes int
	took    time.Duration
	slowest time.Duration // of one keystroke, until it was safe on the tablet
}

// keyEvery is the pace of the typing, by the tablet's clock.
const keyEvery = 180 * time.Millisecond

// typeIn types keystrokes into a text, each at its place behind offset code
// points. Every one is on the tablet's disk before the next begins.
func (t *tablet) typeIn(record syncproto.RecordID, field string, offset int, strokes []text.Splice) (typed, error) {
	out := typed{strokes: len(strokes)}
	began := time.Now()
	for _, s := range strokes {
		t.clock.pass(keyEvery)
		at := time.Now()
		err := t.device.Type(engine.Typing{Record: record, Path: syncproto.Path{Field: field},
			Splice: text.Splice{Pos: offset + s.Pos, Del: s.Del, Ins: s.Ins}})
		if err != nil {
			return out, fmt.Errorf("%s types: %w", t.who.login, err)
		}
		out.slowest = max(out.slowest, time.Since(at))
	}
	out.took = time.Since(began)
	return out, nil
}

// view is what the tablet shows of a record.
func (t *tablet) view(record syncproto.RecordID) (*syncproto.View, error) {
	v, err := t.device.View(record)
	if err != nil {
		return nil, fmt.Errorf("%s looks at a record: %w", t.who.login, err)
	}
	return v, nil
}

// folds are the bytes of every record of a family, as the tablet adds them up.
func (t *tablet) folds(family syncproto.FamilyID) (map[syncproto.RecordID]string, error) {
	out := map[syncproto.RecordID]string{}
	var failed error
	err := t.device.Read(func(e *engine.Engine) {
		for _, record := range e.Records(family) {
			v, err := e.Fold(record)
			if err != nil {
				failed = err
				return
			}
			out[record] = string(v.Encode())
		}
	})
	return out, errors.Join(err, failed)
}

// families lists the families that the tablet shows.
func (t *tablet) families() (out []syncproto.FamilyID, err error) {
	err = t.device.Read(func(e *engine.Engine) {
		for _, f := range e.Families() {
			if f.Readable {
				out = append(out, f.Family)
			}
		}
	})
	return out, err
}

// familyNames lists what the families on the tablet are called.
func (t *tablet) familyNames() (out []string, err error) {
	err = t.device.Read(func(e *engine.Engine) {
		for _, f := range e.Families() {
			for _, record := range e.Records(f.Family) {
				if v, err := e.View(record); err == nil && v.Kind == "family" {
					out = append(out, textOf(v, "name"))
				}
			}
		}
	})
	slices.Sort(out)
	return out, err
}

// find returns the first record of a kind, in any family here, that is as wanted.
func (t *tablet) find(kind string, wanted func(*syncproto.View) bool) (found *syncproto.View, err error) {
	err = t.device.Read(func(e *engine.Engine) {
		for _, f := range e.Families() {
			for _, record := range e.Records(f.Family) {
				v, err := e.View(record)
				if err == nil && v.Kind == kind && wanted(v) {
					found = v
					return
				}
			}
		}
	})
	if err == nil && found == nil {
		err = fmt.Errorf("%s's tablet has no such %s: is this the example caseload?", t.who.login, kind)
	}
	return found, err
}

// rowsOf counts the rows of a family that a switched-off tablet's disk holds,
// by what they are; the words are in kinds c, d and x.
func (t *tablet) rowsOf(family syncproto.FamilyID) (words int, err error) {
	store, err := t.store()
	if err != nil {
		return 0, err
	}
	err = store.Load(func(key, _ []byte) error {
		isWords := key[0] == 'c' || key[0] == 'd' || key[0] == 'x'
		if isWords && len(key) > 16 && string(key[1:17]) == string(family[:]) {
			words++
		}
		return nil
	})
	return words, errors.Join(err, store.Close())
}

// Short forms for steps.

func set(field, value string) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field}, Value: cbor.Text(value)}
}

func setTime(field string, at time.Time) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field}, Value: cbor.Int(at.UnixMilli())}
}

func setRef(field string, id [16]byte) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field}, Value: cbor.Bytes(id[:])}
}

func write(field, words string) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSplice, Path: syncproto.Path{Field: field}, Splices: []text.Splice{{Ins: words}}}
}

// rewrite replaces the one place in a text where old stands.
func rewrite(field, current, old, new string) syncproto.Op {
	before, _, found := strings.Cut(current, old)
	if !found {
		panic("bug: the text does not say " + old)
	}
	return syncproto.Op{Code: syncproto.OpSplice, Path: syncproto.Path{Field: field},
		Splices: []text.Splice{{Pos: utf8.RuneCountInString(before), Del: utf8.RuneCountInString(old), Ins: new}}}
}

// add puts an element with these parts into a collection.
func (t *tablet) add(field string, parts ...cbor.Pair) syncproto.Op {
	element := syncproto.ElementID(t.chance.draw())
	return syncproto.Op{Code: syncproto.OpAdd, Path: syncproto.Path{Field: field, Element: element}, Value: cbor.Map(parts...)}
}

func textPart(key, words string) cbor.Pair { return cbor.Pair{Key: key, Value: cbor.Text(words)} }

func refPart(key string, id [16]byte) cbor.Pair { return cbor.Pair{Key: key, Value: cbor.Bytes(id[:])} }

// textOf is the text or the word that a view has in a field; "" for none.
func textOf(v *syncproto.View, field string) string {
	f, _ := v.Field(field)
	if f.Text != "" {
		return f.Text
	}
	s, _ := f.Value.AsText()
	return s
}
