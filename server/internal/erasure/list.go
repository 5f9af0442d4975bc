// Package erasure takes records out of a borough for good: who asks, who agrees,
// what must not go yet, and what has to be forgotten again after a restore.
//
// Service decides: two people of information governance, a legal basis, no hold.
// What was decided is an entry of the journal; then the record is on the List; then
// its keys are destroyed, which is what makes it unreadable. List is a small file
// apart from the journal and its backups: Replay destroys again what a restored key
// store brought back.
package erasure

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"doorstep/server/internal/disk"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// ListName is the file of the list in each of its folders.
const ListName = "erased"

const (
	listTitle    = "doorstep erased 1"
	maxListBytes = 64 << 20 // a line of 66 bytes for each record of half a million
)

// Keys are what erasing destroys.
type Keys interface {
	// Destroy destroys records' keys, and whole families' for the zero record, for
	// good. What is gone already is passed over.
	Destroy([]store.KeyPair) error
	// RecordsOf lists the records of a family that have a key.
	RecordsOf(syncproto.FamilyID) []syncproto.RecordID
}

// List is what was erased, for every restore to erase again. It is kept in one
// folder or more (beside the data, and beside the backups), each holding all of it.
type List struct {
	fsys    disk.FS
	folders []string
	erased  []store.KeyPair
}

// OpenList reads the list in every folder and takes them together. A folder
// without one gets it with the next addition.
func OpenList(fsys disk.FS, folders ...string) (*List, error) {
	l := &List{fsys: fsys, folders: folders}
	for _, dir := range folders {
		b, err := disk.ReadFile(fsys, filepath.Join(dir, ListName), maxListBytes)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading the list of what was erased: %w", err)
		}
		if err := l.parse(b); err != nil {
			return nil, fmt.Errorf("the list of what was erased in %s: %w", dir, err)
		}
	}
	return l, nil
}

// errList says that a list is not as it was written: nothing may be served that it
// might name.
var errList = errors.New("it is damaged: bring it back from the other folder or a copy before the server starts")

func (l *List) parse(b []byte) error {
	lines := bufio.NewScanner(bytes.NewReader(b))
	if !lines.Scan() || lines.Text() != listTitle || b[len(b)-1] != '\n' {
		return errList
	}
	for lines.Scan() {
		family, record, ok := strings.Cut(lines.Text(), " ")
		f, err := hex.DecodeString(family)
		r, err2 := hex.DecodeString(record)
		if !ok || errors.Join(err, err2) != nil || len(f) != 16 || len(r) != 16 {
			return errList
		}
		l.keep(store.KeyPair{Family: syncproto.FamilyID(f), Record: syncproto.RecordID(r)})
	}
	return lines.Err()
}

func (l *List) keep(p store.KeyPair) {
	if !slices.Contains(l.erased, p) {
		l.erased = append(l.erased, p)
	}
}

// Add puts records onto the list, durably in every folder, before their keys go.
func (l *List) Add(pairs []store.KeyPair) error {
	for _, p := range pairs {
		l.keep(p)
	}
	var b bytes.Buffer
	fmt.Fprintln(&b, listTitle)
	for _, p := range l.erased {
		fmt.Fprintf(&b, "%s %s\n", p.Family, p.Record)
	}
	for _, dir := range l.folders {
		if err := l.fsys.MkdirAll(dir); err != nil {
			return fmt.Errorf("making the folder of the list of what was erased: %w", err)
		}
		if err := disk.Replace(l.fsys, filepath.Join(dir, ListName), b.Bytes()); err != nil {
			return fmt.Errorf("writing the list of what was erased: %w", err)
		}
	}
	return nil
}

// Replay destroys the keys of all that is on the list, and of what was erased
// besides. Every start calls it before anything is served: a key store that came
// back from a backup must not bring back what was erased since.
func (l *List) Replay(keys Keys, besides []store.KeyPair) error {
	for _, p := range besides {
		l.keep(p)
	}
	if len(l.erased) == 0 {
		return nil
	}
	if err := l.Add(nil); err != nil {
		return err
	}
	if err := keys.Destroy(l.erased); err != nil {
		return fmt.Errorf("erasing again what was erased: %w", err)
	}
	return nil
}

// All lists what was erased.
func (l *List) All() []store.KeyPair { return slices.Clone(l.erased) }
