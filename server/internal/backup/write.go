package backup

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"doorstep/server/internal/disk"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/keyring"
	"doorstep/server/internal/progress"
)

// Run makes one backup. Until it returns nil there is none: what it wrote before is named as left over by List and
// removed by the next Run. It never touches an older backup before the new one is finished.
func Run(ctx context.Context, from Source, to Folders, opt Options) (Done, error) {
	if len(opt.Recipients) == 0 {
		return Done{}, errors.New("making a backup: there is no recipient to encrypt it to")
	}
	for _, dir := range []string{to.Dir, to.Keys} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return Done{}, fmt.Errorf("making the folder of the backup: %w", err)
		}
	}
	lock, err := disk.Local{}.Lock(filepath.Join(to.Dir, "LOCK"))
	if err != nil {
		return Done{}, fmt.Errorf("another backup is being made: %w", err)
	}
	defer lock.Close()
	src, err := journal.OpenReader(nil, from.Journal)
	if err != nil {
		return Done{}, err
	}
	defer src.Close()
	// After the journal, which says how far the log of reads had got: it is at least as far then.
	access, err := openAccess(from.Access)
	if err != nil {
		return Done{}, err
	}
	if access != nil {
		defer access.Close()
	}
	w := &writer{ctx: ctx, src: src, access: access, from: from, to: to, opt: opt}
	if err := w.plan(); err != nil {
		return Done{}, err
	}
	if err := w.write(); err != nil {
		return Done{}, err
	}
	return w.done, w.tidy()
}

// openAccess opens the log of reads; nil: there is none.
func openAccess(dir string) (*journal.Reader, error) {
	if dir == "" {
		return nil, nil
	}
	r, err := journal.OpenReader(nil, dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, journal.ErrMissing) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the log of reads: %w", err)
	}
	return r, nil
}

// writer is one backup in the making.
type writer struct {
	ctx    context.Context
	src    *journal.Reader
	access *journal.Reader // nil: there is none
	from   Source
	to     Folders
	opt    Options
	m      Manifest
	done   Done
	stage  *progress.Stage
}

// chainOf is what a backup will say of a journal, without its files.
func chainOf(src *journal.Reader) Chain {
	head, digest := src.Head()
	return Chain{Head: head, Digest: hex.EncodeToString(digest[:]), Epochs: string(journal.FormatEpochs(src.Epochs()))}
}

// plan decides what the backup holds: what is new since the newest of the newest set, or all.
func (w *writer) plan() error {
	all, err := List(w.to)
	if err != nil {
		return err
	}
	name := w.opt.Now.UTC().Format(timeLayout)
	w.m = Manifest{
		Format: format, Borough: w.from.Borough, Name: manifestHead + name, Set: setPrefix + name, Taken: w.opt.Now.UTC(),
		Chain: chainOf(w.src),
	}
	if w.access != nil {
		c := chainOf(w.access)
		w.m.Access = &c
	}
	w.done = Done{Name: w.m.Name, Full: true, From: 1, Head: w.m.Head}
	if last, ok := all.newest(); ok && w.continues(last) {
		w.m.Set, w.m.Files = last.Set, last.Files
		w.done.Full, w.done.From = false, last.Head+1
		if last.Access != nil {
			w.m.Access.Files = last.Access.Files
		}
	}
	w.done.Set = w.m.Set
	return os.MkdirAll(filepath.Join(w.to.Dir, w.m.Set), 0o700)
}

// continues answers whether the journal goes on from a backup, whose set is young and whose files are there.
func (w *writer) continues(last Manifest) bool {
	began, err := time.Parse(setPrefix+timeLayout, last.Set)
	if err != nil || w.opt.Now.Sub(began) >= w.opt.FullEvery || last.Borough != w.from.Borough {
		return false
	}
	if !goesOn(w.src, last.Chain) || last.Access != nil && (w.access == nil || !goesOn(w.access, *last.Access)) {
		return false // the journal is another, or an older copy of it
	}
	for _, f := range last.files() {
		info, err := os.Stat(filepath.Join(w.to.Dir, last.Set, f.Name))
		if err != nil || info.Size() != f.Bytes {
			return false
		}
	}
	return true
}

// goesOn answers whether a journal goes on from what a backup has of it.
func goesOn(src *journal.Reader, from Chain) bool {
	d, err := src.DigestAt(from.Head)
	return err == nil && hex.EncodeToString(d[:]) == from.Digest
}

func (w *writer) write() error {
	if err := w.chain(w.src, filePrefix, &w.m.Chain); err != nil {
		return err
	}
	if w.access != nil {
		if err := w.chain(w.access, accessPrefix, w.m.Access); err != nil {
			return err
		}
	}
	// After the journal: a key is durable before the first entry under it, so these are all that its entries need.
	keys, err := keyring.ReadStore(w.from.Keys)
	if err != nil {
		return err
	}
	name := keysPrefix + w.opt.Now.UTC().Format(timeLayout) + ageSuffix
	w.m.Keys, err = w.encrypted(filepath.Join(w.to.Keys, name), func(out io.Writer) error {
		_, err := out.Write(keys)
		return err
	})
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(w.m, "", "  ")
	if err != nil {
		return fmt.Errorf("writing %s: %w", w.m.Name, err)
	}
	return disk.Replace(disk.Local{}, filepath.Join(w.to.Dir, w.m.Set, w.m.Name+manifestTail), b)
}

// chain writes what a journal has beyond the files that the backup takes over.
func (w *writer) chain(src *journal.Reader, prefix string, c *Chain) error {
	from := journal.Position(1)
	if n := len(c.Files); n > 0 {
		from = c.Files[n-1].To + 1
	}
	c.Files = slices.Clip(c.Files)
	w.stage = progress.Begin(w.ctx, "writing "+strings.TrimSuffix(prefix, "-"), progress.Entries, int64(c.Head)-int64(from)+1)
	for from <= c.Head {
		file, err := w.journalFile(src, prefix, from, c.Head)
		if err != nil {
			return err
		}
		c.Files = append(c.Files, file)
		from = file.To + 1
	}
	return nil
}

// journalFile writes entries from a position on, as many as fit a file.
func (w *writer) journalFile(src *journal.Reader, prefix string, from, head journal.Position) (File, error) {
	to, size := from, int64(0)
	for ; to <= head && size < maxFileEntriesBytes; to++ {
		payload, err := src.Read(to)
		if err != nil {
			return File{}, err
		}
		size += int64(len(payload))
	}
	to--
	name := fmt.Sprintf("%s%020d-%020d%s", prefix, from, to, ageSuffix)
	f, err := w.encrypted(filepath.Join(w.to.Dir, w.m.Set, name), func(out io.Writer) error { return w.entries(src, out, from, to) })
	f.From, f.To = from, to
	w.opt.say(fmt.Sprintf("entries %d to %d of %d written: %s, %d bytes", from, to, head, name, f.Bytes))
	return f, err
}

func (w *writer) entries(src *journal.Reader, out io.Writer, from, to journal.Position) error {
	before, err := src.DigestAt(from - 1)
	if err != nil {
		return err
	}
	b := binary.LittleEndian.AppendUint64([]byte(magic), uint64(from))
	b = binary.LittleEndian.AppendUint64(b, uint64(to))
	if _, err := out.Write(append(b, before[:]...)); err != nil {
		return err
	}
	for p := from; p <= to; p++ {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		w.stage.Add(1)
		payload, err := src.Read(p)
		if err != nil {
			return err
		}
		if _, err := out.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(payload)))); err != nil {
			return err
		}
		if _, err := out.Write(payload); err != nil {
			return err
		}
	}
	after, err := src.DigestAt(to)
	if err != nil {
		return err
	}
	_, err = out.Write(after[:])
	return err
}

// encrypted writes a file to all recipients: under another name, synced, read again, then renamed.
func (w *writer) encrypted(path string, fill func(io.Writer) error) (File, error) {
	temp := path + disk.TempSuffix
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return File{}, fmt.Errorf("making %s: %w", temp, err)
	}
	sum := sha256.New()
	err = w.fill(io.MultiWriter(f, sum), fill)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return File{}, fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	want := hex.EncodeToString(sum.Sum(nil))
	size, got, err := sumOf(temp)
	if err == nil && got != want {
		err = fmt.Errorf("%w: %s reads otherwise than it was written; is the disk sound?", ErrDamaged, filepath.Base(path))
	}
	if err != nil {
		return File{}, err
	}
	if err := os.Rename(temp, path); err != nil {
		return File{}, fmt.Errorf("renaming %s into place: %w", temp, err)
	}
	if err := (disk.Local{}).SyncDir(filepath.Dir(path)); err != nil {
		return File{}, fmt.Errorf("syncing the folder of the backup: %w", err)
	}
	w.done.Bytes += size
	return File{Name: filepath.Base(path), Bytes: size, SHA256: want}, nil
}

func (w *writer) fill(to io.Writer, fill func(io.Writer) error) error {
	buffered := bufio.NewWriterSize(to, 1<<20)
	sealed, err := age.Encrypt(buffered, w.opt.Recipients...)
	if err != nil {
		return err
	}
	plain := bufio.NewWriterSize(sealed, 1<<16)
	return errors.Join(fill(plain), plain.Flush(), sealed.Close(), buffered.Flush())
}

// sumOf reads a file from the disk, past the cache where that is possible.
func sumOf(path string) (int64, string, error) {
	f, err := disk.Local{}.Open(path, disk.Read)
	if err != nil {
		return 0, "", fmt.Errorf("%w: %s: %w", ErrDamaged, filepath.Base(path), err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return 0, "", err
	}
	sum := sha256.New()
	if err := f.DropCache(); err != nil {
		return 0, "", err
	}
	if _, err := io.Copy(sum, io.NewSectionReader(f, 0, size)); err != nil {
		return 0, "", fmt.Errorf("reading %s: %w", filepath.Base(path), err)
	}
	return size, hex.EncodeToString(sum.Sum(nil)), nil
}

// tidy removes sets and copies of the keys that are too old, and what interrupted backups left.
func (w *writer) tidy() error {
	all, err := List(w.to)
	if err != nil {
		return err
	}
	var gone []string
	for _, set := range all.sets() {
		newest := all.newestOf(set)
		if set != w.m.Set && w.opt.Now.Sub(newest.Taken) > w.opt.Keep {
			gone = append(gone, filepath.Join(w.to.Dir, set))
		}
	}
	for _, name := range all.KeyFiles {
		taken, err := time.Parse(keysPrefix+timeLayout+ageSuffix, name)
		if err == nil && name != w.m.Keys.Name && w.opt.Now.Sub(taken) > w.opt.KeepKeys {
			gone = append(gone, filepath.Join(w.to.Keys, name))
		}
	}
	for _, path := range append(gone, all.Left...) {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("removing what is too old: %w", err)
		}
		w.done.Removed = append(w.done.Removed, path)
	}
	return nil
}
