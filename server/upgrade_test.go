package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// everyFile is what lies below a folder: paths, bytes and times.
func everyFile(t *testing.T, dir string) (sum [32]byte) {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		io.WriteString(h, path+info.ModTime().String())
		if !info.Mode().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		h.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return [32]byte(h.Sum(nil))
}

// writtenBy makes data look as another version left it.
func writtenBy(t *testing.T, cfg Config, w Writer) {
	t.Helper()
	text, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cfg.Data.Dir, writerFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// What a start would do is said of data of the version before, of this one, of the next,
// and of nobody knows which; the data stays as it is, down to the times of its files.
func TestUpgradeIsForetold(t *testing.T) {
	cfg := begin(t)
	before, after := thisWriter(), thisWriter()
	before.Version, before.Formats.Index.Writes, before.Formats.Views.Writes = "v0.9.0", before.Formats.Index.Writes-1, 1
	after.Version, after.Formats.Index.Writes, after.Formats.Entries = "v9.0.0", 99, Format{Writes: 99, Reads: 99}
	further := before
	further.Formats.Entries.Reads = 0 // it does not know what this build writes
	for name, c := range map[string]struct {
		writer          *Writer
		index           string
		faults          int
		goBack, unknown bool
		opens           bool
	}{
		"this version":         {writer: &Writer{}, index: "used as it is", opens: true},
		"the one before":       {writer: &before, index: "built anew", opens: true},
		"two before":           {writer: &further, index: "built anew", goBack: true, opens: true},
		"a later one":          {writer: &after, index: "built anew", faults: 1},
		"nobody knows which":   {index: "used if", unknown: true, opens: true},
		"what cannot be known": {writer: nil, index: "used if", unknown: true, opens: true},
	} {
		t.Run(name, func(t *testing.T) {
			switch {
			case c.writer == nil:
				_ = os.WriteFile(filepath.Join(cfg.Data.Dir, writerFile), []byte("{"), 0o600)
			case c.writer.Version == "":
				writtenBy(t, cfg, thisWriter())
			default:
				writtenBy(t, cfg, *c.writer)
			}
			held := everyFile(t, cfg.Data.Dir)
			got, err := CheckUpgrade(cfg)
			if err != nil {
				t.Fatal(err)
			}
			index := got.Formats[slices.IndexFunc(got.Formats, func(f FormatReport) bool { return f.Name == "index" })]
			if len(got.Faults) != c.faults || (got.GoBack != "") != c.goBack || got.NotKnown != c.unknown || !strings.HasPrefix(index.Then, c.index) {
				t.Errorf("got %+v", got)
			}
			if everyFile(t, cfg.Data.Dir) != held {
				t.Error("looking changed the data")
			}
			s, err := Open(cfg, io.Discard)
			if !c.opens {
				if !errors.Is(err, ErrNewer) || errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "v9.0.0") {
					t.Errorf("a start: %v, want a refusal that names the version", err)
				}
				if everyFile(t, cfg.Data.Dir) != held {
					t.Error("the start that was refused changed the data")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if w, known, err := readWriter(cfg.Data.Dir); err != nil || !known || w != thisWriter() {
				t.Errorf("after the start the data says that %+v wrote it, %v", w, err)
			}
		})
	}
}

// Files of a later format are no damage: nothing is mended from the second copy, cut or
// begun anew, even where the data does not say who wrote it.
func TestFilesOfALaterVersionAreLeftAlone(t *testing.T) {
	cfg := begin(t)
	cfg.Data.CopyDir = filepath.Join(filepath.Dir(cfg.Data.Dir), "copy")
	if err := os.Mkdir(cfg.Data.CopyDir, 0o700); err != nil {
		t.Fatal(err)
	}
	start(t, cfg).stop()
	segments, err := filepath.Glob(filepath.Join(cfg.Data.Dir, journalFolder, "segment-*"))
	if err != nil || len(segments) != 1 {
		t.Fatalf("%d segments, %v", len(segments), err)
	}
	if err := os.Remove(filepath.Join(cfg.Data.Dir, writerFile)); err != nil {
		t.Fatal(err)
	}
	for what, path := range map[string]string{"the journal": segments[0], "the key store": filepath.Join(cfg.Data.Dir, keysFolder, "keys")} {
		t.Run(what, func(t *testing.T) {
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			later := bytes.Clone(whole)
			later[7]++ // the number of the format
			sum := sha256.Sum256(later[:480])
			copy(later[480:512], sum[:])
			if err := os.WriteFile(path, later, 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := CheckUpgrade(cfg); err != nil || len(got.Faults) != 1 {
				t.Errorf("foretold: %+v, %v; want one fault", got, err)
			}
			if _, err := Open(cfg, io.Discard); !errors.Is(err, ErrNewer) || errors.Is(err, ErrDamaged) {
				t.Errorf("a start: %v, want a refusal of a later format, not damage", err)
			}
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, later) {
				t.Errorf("the file was changed (%v)", err)
			}
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
		})
	}
	start(t, cfg)
}
