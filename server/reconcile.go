package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"doorstep/server/internal/disk"
	"doorstep/server/internal/exchange"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Reconciliation says what came back since the newest epoch began, from whom, and
// what is known to be missing still. It holds no content.
type Reconciliation struct {
	Epoch  string `json:"epoch"`
	Reason string `json:"reason"` // why the epoch began
	From   uint64 `json:"from"`   // entries that the journal had then

	Devices  int              `json:"devices"`  // in use
	Compared []ReturnedBy     `json:"compared"` // those that have compared since, by name
	Waiting  []string         `json:"waiting"`  // names of those in use that have not
	Missing  []MissingChanges `json:"missing"`  // what is referred to and nobody has brought
}

// ReturnedBy is what one device brought back.
type ReturnedBy struct {
	Device  string    `json:"device"` // its id
	Name    string    `json:"name"`
	Own     uint64    `json:"own"`     // words of its own users, which the server had had
	Others  uint64    `json:"others"`  // words of others
	Refused uint64    `json:"refused"` // given back without a right proof
	Last    time.Time `json:"last"`
}

// MissingChanges are changes that others were made on top of, and that are not
// here: the words of one actor.
type MissingChanges struct {
	Author string `json:"author"` // login, if it is known
	Device string `json:"device"` // whose changes wait for them
	Held   int    `json:"held"`   // changes that wait
}

// reconciliation gathers what devices bring back, in a file for each epoch, so
// that a restart forgets nothing.
type reconciliation struct {
	mu   sync.Mutex // guards what follows
	path string
	by   map[string]ReturnedBy
}

func (b *borough) reconciliationPath() string {
	return filepath.Join(b.cfg.Data.Dir, "reconciliation-"+b.journal.J.Epoch().String()+".json")
}

const maxReconciliationBytes = 16 << 20

// load reads what came back in an epoch so far. The caller holds mu.
func (r *reconciliation) load(path string) error {
	r.path, r.by = path, map[string]ReturnedBy{}
	text, err := disk.ReadFile(disk.Local{}, path, maxReconciliationBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(text, &r.by)
	}
	if err != nil {
		return fmt.Errorf("reading what came back: %w", err)
	}
	return nil
}

// noteReturn counts what a device brought back.
func (b *borough) noteReturn(in exchange.Return) {
	if len(b.journal.J.Epochs()) < 2 {
		return // there was no restore
	}
	r := &b.returned
	r.mu.Lock()
	defer r.mu.Unlock()
	if path := b.reconciliationPath(); path != r.path {
		if err := r.load(path); err != nil {
			b.log.Error("what came back before is not known", "reason", err.Error())
		}
	}
	id := in.Device.String()
	d := r.by[id]
	d.Device, d.Last = id, time.Now().UTC()
	d.Own, d.Others, d.Refused = d.Own+in.Own, d.Others+in.Others, d.Refused+in.Refused
	r.by[id] = d
	text, err := json.Marshal(r.by)
	if err == nil {
		err = disk.Replace(disk.Local{}, r.path, text)
	}
	if err != nil {
		b.log.Error("what came back cannot be written down", "reason", err.Error())
	}
}

// Reconciliation implements Operator.
func (o localOperator) Reconciliation(context.Context) (Reconciliation, error) {
	b := o.b
	epochs := b.journal.J.Epochs()
	last := epochs[len(epochs)-1]
	out := Reconciliation{Epoch: last.Epoch.String(), Reason: last.Reason, From: uint64(last.From)}
	if len(epochs) < 2 {
		return out, nil
	}
	r := &b.returned
	r.mu.Lock()
	defer r.mu.Unlock()
	if path := b.reconciliationPath(); path != r.path {
		if err := r.load(path); err != nil {
			return out, err
		}
	}
	desk, err := b.secrets.deskDevice()
	if err != nil {
		return out, err
	}
	for _, d := range b.store.State().Devices() {
		if d.ID == desk || d.RevokedMS != 0 {
			continue
		}
		out.Devices++
		by, compared := r.by[d.ID.String()]
		if by.Name = d.Name; compared {
			out.Compared = append(out.Compared, by)
		} else {
			out.Waiting = append(out.Waiting, d.Name)
		}
	}
	slices.SortFunc(out.Compared, func(x, y ReturnedBy) int { return strings.Compare(x.Name, y.Name) })
	slices.Sort(out.Waiting)
	out.Missing, err = b.missing()
	return out, err
}

// missing counts what waits for changes that are not here.
func (b *borough) missing() ([]MissingChanges, error) {
	type key struct {
		author syncproto.UserID
		device syncproto.DeviceID
	}
	held := map[key]int{}
	for _, code := range []syncproto.Code{syncproto.CodeMissingPrev, syncproto.CodeMissingDeps} {
		ids, err := b.store.HeldFor(code)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			c, err := b.store.Change(id)
			if errors.Is(err, store.ErrNotFound) {
				continue // it was released meanwhile
			}
			if err != nil {
				return nil, err
			}
			held[key{c.Author, c.Device}]++
		}
	}
	var out []MissingChanges
	for k, n := range held {
		user, _ := b.store.State().User(k.author)
		out = append(out, MissingChanges{Author: user.Login, Device: k.device.String(), Held: n})
	}
	slices.SortFunc(out, func(x, y MissingChanges) int { return strings.Compare(x.Author+x.Device, y.Author+y.Device) })
	return out, nil
}
