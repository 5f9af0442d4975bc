package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"doorstep/server/internal/disk"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/keyring"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// ErrNewer says that a later version of this program wrote data that this one does not
// know. Nothing was changed.
var ErrNewer = errors.New("the data was written by a later version of doorstep than this")

// Format is one format's number in a build: what it writes, and the newest that it reads.
type Format struct {
	Writes int `json:"writes"`
	Reads  int `json:"reads"`
}

// Formats are the numbers of all that a build keeps in data.dir. The index and the views
// hold nothing that the journal cannot give back: of another number they are built anew.
type Formats struct {
	Journal Format `json:"journal"` // the files of the journal and of the log of reads
	Keys    Format `json:"keys"`    // the key store
	Entries Format `json:"entries"` // what stands in the journal
	Index   Format `json:"index"`
	Views   Format `json:"views"`
	Sync    Format `json:"sync"` // the newest and the oldest protocol that tablets may speak
}

func same(n int) Format { return Format{Writes: n, Reads: n} }

// ourFormats are those of this build.
func ourFormats() Formats {
	return Formats{
		Journal: same(journal.Format()), Keys: same(keyring.Format()), Entries: Format{Writes: store.EntryFormat, Reads: store.EntriesRead},
		Index: same(store.IndexFormat()), Views: same(syncproto.ViewFormat),
		Sync: Format{Writes: syncproto.ProtocolVersion, Reads: syncproto.MinProtocolVersion},
	}
}

// Writer is the build that last worked on a borough's data.
type Writer struct {
	Version  string  `json:"version"`
	Revision string  `json:"revision"`
	Formats  Formats `json:"formats"`
}

// writerFile is where the data says who wrote it. It is of no weight for the words: a
// folder without it is read as ever, and what is in it is never believed over what the
// files themselves say.
const writerFile = "written-by.json"

// maxWriterBytes bounds that file.
const maxWriterBytes = 64 << 10

func thisWriter() Writer {
	build := thisBuild()
	return Writer{Version: build.Version, Revision: build.Revision, Formats: ourFormats()}
}

// readWriter reads who last worked on the data in dir; known is false if nobody said, or
// nothing that can be read.
func readWriter(dir string) (w Writer, known bool, err error) {
	text, err := disk.ReadFile(disk.Local{}, filepath.Join(dir, writerFile), maxWriterBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return w, false, nil
	}
	if err != nil {
		return w, false, fmt.Errorf("reading who wrote the data: %w", err)
	}
	if json.Unmarshal(text, &w) != nil {
		return Writer{}, false, nil
	}
	return w, true, nil
}

// beyond names what of a writer's formats a reader does not know; empty: it reads all.
func (f Formats) beyond(reader Formats) (what []string) {
	for _, part := range []struct {
		name           string
		written, reads int
	}{
		{"the journal's files", f.Journal.Writes, reader.Journal.Reads},
		{"the key store", f.Keys.Writes, reader.Keys.Reads},
		{"the journal's entries", f.Entries.Writes, reader.Entries.Reads},
	} {
		if part.written > part.reads {
			what = append(what, fmt.Sprintf("%s have format %d, and it reads up to %d", part.name, part.written, part.reads))
		}
	}
	return what
}

// heedWriter refuses data that a later version wrote and this one does not know all of,
// before anything is opened.
func (b *borough) heedWriter(bool) error {
	w, known, err := readWriter(b.cfg.Data.Dir)
	if err != nil || !known {
		return err
	}
	if what := w.Formats.beyond(ourFormats()); len(what) > 0 {
		return fmt.Errorf("%w: doorstep %s wrote it; %s", ErrNewer, w.Version, what[0])
	}
	return nil
}

// beWriter notes in the data who works on it from now on.
func (b *borough) beWriter(bool) error {
	w, known, err := readWriter(b.cfg.Data.Dir)
	if err != nil || known && w == thisWriter() {
		return err
	}
	text, err := json.Marshal(thisWriter())
	if err != nil {
		return fmt.Errorf("noting who writes the data: %w", err)
	}
	if err := disk.Replace(disk.Local{}, filepath.Join(b.cfg.Data.Dir, writerFile), text); err != nil {
		if disk.IsFull(err) {
			b.log.Warn("nobody noted which version works on the data: the disk is full")
			return nil
		}
		return fmt.Errorf("noting who writes the data: %w", err)
	}
	return nil
}
