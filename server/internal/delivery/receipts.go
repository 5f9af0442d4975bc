package delivery

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"sync"

	"doorstep/server/internal/disk"
	"doorstep/syncproto"
)

// Receipt says how far a record has got: this version, and all before it. It holds
// nothing of what the record says.
type Receipt struct {
	Record    syncproto.RecordID
	Version   int
	Gone      bool   // the version says that the record is gone
	Taken     bool   // false: it lies where the other side fetches it
	AtMS      int64  // when it was given away, or fetched
	Digest    string // SHA-256 of the bundle, in hex
	Reference string // the other side's, if it gave one
}

// maxReference bounds what the other side may have kept, in bytes.
const maxReference = 200

// Receipts remembers, durably, what has been delivered. A line that was torn by a crash, or
// damaged, is dropped, and no other: its bundle goes again, under the same id. It is safe for
// concurrent use.
type Receipts struct {
	fsys disk.FS
	path string

	mu     sync.Mutex // guards what follows
	newest map[syncproto.RecordID]Receipt
	file   disk.File
	size   int64
	lines  int
}

// maxReceipts bounds the file: some two hundred bytes for each of a borough's records.
const maxReceipts = 1 << 30

// receiptLine is a Receipt in the file.
type receiptLine struct {
	Record    string `json:"record"`
	Version   int    `json:"version"`
	Gone      bool   `json:"gone,omitempty"`
	Taken     bool   `json:"taken"`
	AtMS      int64  `json:"at_ms"`
	Digest    string `json:"digest"`
	Reference string `json:"reference,omitempty"`
}

// OpenReceipts reads the receipts in a folder, which it makes, and rewrites the file when
// most of it is out of date.
func OpenReceipts(fsys disk.FS, dir string) (*Receipts, error) {
	if err := fsys.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("making the folder of receipts: %w", err)
	}
	r := &Receipts{fsys: fsys, path: filepath.Join(dir, "receipts.jsonl"), newest: map[syncproto.RecordID]Receipt{}}
	data, err := disk.ReadFile(fsys, r.path, maxReceipts)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the receipts: %w", err)
	}
	whole := r.read(data)
	if err != nil || !whole || r.lines > 2*len(r.newest)+100 {
		if err := disk.Replace(fsys, r.path, r.all()); err != nil {
			return nil, fmt.Errorf("writing the receipts: %w", err)
		}
	}
	return r, r.open()
}

// read takes in every line that can be read, and reports whether all could.
func (r *Receipts) read(data []byte) (whole bool) {
	whole = true
	for len(data) > 0 {
		line, rest, ended := bytes.Cut(data, []byte("\n"))
		data = rest
		one, err := parseReceipt(line)
		if err != nil || !ended {
			whole = false
			continue
		}
		r.newest[one.Record] = one
		r.lines++
	}
	return whole
}

func parseReceipt(line []byte) (Receipt, error) {
	var l receiptLine
	if err := json.Unmarshal(line, &l); err != nil {
		return Receipt{}, err
	}
	id, err := syncproto.ParseID(l.Record)
	return Receipt{Record: syncproto.RecordID(id), Version: l.Version, Gone: l.Gone, Taken: l.Taken, AtMS: l.AtMS, Digest: l.Digest, Reference: l.Reference}, err
}

func (r Receipt) line() []byte {
	b, err := json.Marshal(receiptLine{r.Record.String(), r.Version, r.Gone, r.Taken, r.AtMS, r.Digest, r.Reference})
	if err != nil {
		panic("bug: a receipt cannot be written: " + err.Error())
	}
	return append(b, '\n')
}

// all is what a file without the past holds.
func (r *Receipts) all() []byte {
	var out []byte
	ids := slices.SortedFunc(maps.Keys(r.newest), func(a, b syncproto.RecordID) int { return slices.Compare(a[:], b[:]) })
	for _, id := range ids {
		out = append(out, r.newest[id].line()...)
	}
	r.lines = len(ids)
	return out
}

func (r *Receipts) open() (err error) {
	if r.file, err = r.fsys.Open(r.path, disk.ReadWrite); err != nil {
		return fmt.Errorf("opening the receipts: %w", err)
	}
	if r.size, err = r.file.Size(); err != nil {
		return errors.Join(fmt.Errorf("measuring the receipts: %w", err), r.file.Close())
	}
	return nil
}

// Add makes a receipt durable.
func (r *Receipts) Add(one Receipt) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := one.line()
	if _, err := r.file.WriteAt(line, r.size); err != nil {
		return fmt.Errorf("writing a receipt: %w", err)
	}
	if err := r.file.Sync(); err != nil {
		return fmt.Errorf("syncing a receipt: %w", err)
	}
	r.size += int64(len(line))
	r.newest[one.Record] = one
	return nil
}

// Of is the newest receipt of a record; the zero value: it was never delivered.
func (r *Receipts) Of(record syncproto.RecordID) Receipt {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.newest[record]
}

// Ready are the receipts of what lies ready and was not fetched.
func (r *Receipts) Ready() []Receipt { return r.list(func(one Receipt) bool { return !one.Taken }) }

// Newest are the receipts of what arrived last, the newest first.
func (r *Receipts) Newest(most int) []Receipt {
	out := r.list(func(one Receipt) bool { return one.Taken })
	slices.SortStableFunc(out, func(a, b Receipt) int { return int(b.AtMS - a.AtMS) })
	return out[:min(most, len(out))]
}

func (r *Receipts) list(want func(Receipt) bool) (out []Receipt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.newest {
		if want(one) {
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b Receipt) int { return slices.Compare(a.Record[:], b.Record[:]) })
	return out
}

// Close gives the file back.
func (r *Receipts) Close() error { return r.file.Close() }
