package delivery

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"doorstep/server/internal/disk"
	"doorstep/syncproto"
)

// Folder leaves bundles in a folder that the case-management system looks into: a mounted
// share, as a rule. Of each it writes the page, then the signature, then the bundle, each
// under another name first; so whoever sees ID.json sees all three, whole. The other side
// takes ID.json away, or removes it, once it has it.
type Folder struct {
	fsys disk.FS
	dir  string
}

// folderMark is the file by which the folder is known again: an empty mount point is not
// taken for one whose bundles were all fetched.
const folderMark = "doorstep-delivery"

// ErrNoFolder says that the folder is not the one that was written into before.
var ErrNoFolder = errors.New("delivery.folder is not there, or not the one that was used before: is it mounted?")

// OpenFolder names a folder. fresh: nothing was delivered yet, so a folder without the
// mark is given one; else one without is not written into.
func OpenFolder(fsys disk.FS, dir string, fresh bool) (*Folder, error) {
	f := &Folder{fsys: fsys, dir: dir}
	if fresh && f.Check() != nil {
		if _, err := fsys.ReadDir(dir); err != nil {
			return f, nil // Deliver says so, again and again, until it is there
		}
		if err := disk.Replace(fsys, filepath.Join(dir, folderMark), []byte("Doorstep leaves final records here. Keep this file.\n")); err != nil {
			return nil, fmt.Errorf("marking delivery.folder: %w", err)
		}
	}
	return f, nil
}

// Check implements Target.
func (f *Folder) Check() error {
	if _, err := disk.ReadFile(f.fsys, filepath.Join(f.dir, folderMark), 1<<10); err != nil {
		return ErrNoFolder
	}
	return nil
}

// Deliver implements Target.
func (f *Folder) Deliver(_ context.Context, p Parcel) (Handed, error) {
	if err := f.Check(); err != nil {
		return Handed{}, err
	}
	for _, part := range []struct {
		suffix string
		data   []byte
	}{{".html", p.Page}, {".jws", []byte(p.Signature + "\n")}, {".json", p.Bundle}} {
		if part.data == nil {
			continue
		}
		if err := disk.Replace(f.fsys, filepath.Join(f.dir, p.ID+part.suffix), part.data); err != nil {
			return Handed{}, fmt.Errorf("leaving a bundle: %w", err)
		}
	}
	return Handed{}, nil
}

// Fetched implements Target.
func (f *Folder) Fetched(id string) (bool, error) {
	if err := f.Check(); err != nil {
		return false, err
	}
	file, err := f.fsys.Open(filepath.Join(f.dir, id+".json"), disk.Read)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for a bundle: %w", err)
	}
	return false, file.Close()
}

// Withdraw implements Target.
func (f *Folder) Withdraw(record syncproto.RecordID) error {
	if err := f.Check(); err != nil {
		return err
	}
	names, err := f.fsys.ReadDir(f.dir)
	if err != nil {
		return fmt.Errorf("listing delivery.folder: %w", err)
	}
	for _, name := range names {
		if !strings.HasPrefix(name, record.String()+"-") {
			continue
		}
		if err := f.fsys.Remove(filepath.Join(f.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("withdrawing a bundle: %w", err)
		}
	}
	if err := f.fsys.SyncDir(f.dir); err != nil {
		return fmt.Errorf("syncing delivery.folder: %w", err)
	}
	return nil
}
