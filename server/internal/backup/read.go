package backup

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"filippo.io/age"

	"doorstep/server/internal/chain"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/keyring"
	"doorstep/server/internal/progress"
)

// Verified says what Verify read.
type Verified struct {
	Backups int
	Files   int
	Bytes   int64
	Opened  bool // the files were decrypted and the chain followed, not only their sums compared
	Head    journal.Position
	Left    []string // of interrupted backups
}

// Verify reads every file of every finished backup and compares it with what was written. With identities it also
// decrypts the newest and follows its chain from the first entry to the last. The error is ErrDamaged where a file is
// missing, cut or altered, and names all of them.
func Verify(ctx context.Context, in Folders, identities []age.Identity, report func(string)) (Verified, error) {
	all, err := List(in)
	if err != nil {
		return Verified{}, err
	}
	v := Verified{Backups: len(all.Backups), Left: all.Left}
	if len(all.Backups) == 0 && len(all.Damaged) == 0 {
		return v, ErrNone
	}
	var faults []error
	for _, d := range all.Damaged {
		faults = append(faults, fmt.Errorf("%w: %s", ErrDamaged, d))
	}
	files, bytes := all.files(in), int64(0)
	for _, f := range files {
		bytes += f.Bytes
	}
	reading := progress.Begin(ctx, "reading backups", progress.Bytes, bytes)
	for path, f := range files {
		if err := ctx.Err(); err != nil {
			return v, err
		}
		size, sum, err := sumOf(path)
		if err == nil && (size != f.Bytes || sum != f.SHA256) {
			err = fmt.Errorf("%w: %s is not as it was written", ErrDamaged, path)
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		reading.Add(size)
		v.Files++
		v.Bytes += size
		report(fmt.Sprintf("%s: %d bytes, sound", filepath.Base(path), size))
	}
	if len(faults) > 0 || len(identities) == 0 {
		return v, errors.Join(faults...)
	}
	return v, v.open(ctx, in, all, identities)
}

// open decrypts the newest backup.
func (v *Verified) open(ctx context.Context, in Folders, all Listing, identities []age.Identity) error {
	m, err := all.Find("")
	if err != nil {
		return err
	}
	for _, c := range m.chains() {
		if err := c.entries(ctx, filepath.Join(in.Dir, m.Set), identities, func([][]byte) error { return nil }); err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	if _, err := newestKeys(in, all, identities); err != nil {
		return err
	}
	v.Opened, v.Head = true, m.Head
	return nil
}

// files yields each file that finished backups consist of, once. A copy of the keys that had its time is not missed.
func (l *Listing) files(in Folders) map[string]File {
	out := map[string]File{}
	for _, m := range l.Backups {
		for _, f := range m.files() {
			out[filepath.Join(in.Dir, m.Set, f.Name)] = f
		}
		if slices.Contains(l.KeyFiles, m.Keys.Name) || m.Name == l.Backups[len(l.Backups)-1].Name {
			out[filepath.Join(in.Keys, m.Keys.Name)] = m.Keys
		}
	}
	return out
}

// Restored says what Restore wrote.
type Restored struct {
	Backup string
	Keys   string // the copy of the key store that was taken
	Head   journal.Position
}

// Restore writes the journal, the log of reads and the key store of a backup into directories that are not there yet. The
// journals have a new epoch. The keys are the newest there are, not those of the backup: see the package comment. name is that of
// a backup; empty is the newest.
func Restore(ctx context.Context, in Folders, name string, identities []age.Identity, into Source, report func(string)) (Restored, error) {
	all, err := List(in)
	if err != nil {
		return Restored{}, err
	}
	m, err := all.Find(name)
	if err != nil {
		return Restored{}, err
	}
	if m.Borough != into.Borough {
		return Restored{}, fmt.Errorf("%s is a backup of the borough %q, not of %q", m.Name, m.Borough, into.Borough)
	}
	keys, err := newestKeys(in, all, identities)
	if err != nil {
		return Restored{}, err
	}
	report("the newest keys are in " + keys.name)
	if err := keyring.WriteStore(into.Keys, keys.content); err != nil {
		return Restored{}, err
	}
	reason := fmt.Sprintf("restored from %s, taken %s", m.Name, m.Taken.Format("2006-01-02 15:04:05 MST"))
	for _, c := range m.chains() {
		dir := into.Journal
		if c == m.Access {
			dir = into.Access
		}
		err := c.restore(ctx, filepath.Join(in.Dir, m.Set), identities, dir, reason, report)
		if err != nil {
			return Restored{}, fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	return Restored{Backup: m.Name, Keys: keys.name, Head: m.Head}, nil
}

// chains are the journals of a backup.
func (m *Manifest) chains() []*Chain {
	if m.Access == nil {
		return []*Chain{&m.Chain}
	}
	return []*Chain{&m.Chain, m.Access}
}

// restore writes a journal of a backup, whose files are in a folder, into a directory that is not there yet.
func (c *Chain) restore(ctx context.Context, from string, identities []age.Identity, dir, reason string, report func(string)) error {
	epochs, ok := journal.ParseEpochs([]byte(c.Epochs))
	if !ok {
		return fmt.Errorf("%w: its epochs cannot be read", ErrDamaged)
	}
	to, err := journal.BeginCopy(dir, epochs, journal.Options{Quick: true})
	if err != nil {
		return err
	}
	err = c.entries(ctx, from, identities, func(group [][]byte) error {
		err := to.Append(group)
		if head, _ := to.Head(); err == nil && head%100_000 < journal.Position(len(group)) {
			report(fmt.Sprintf("%d of %d entries restored", head, c.Head))
		}
		return err
	})
	if err != nil {
		return errors.Join(err, to.Abandon())
	}
	return to.Finish(reason)
}

// entries decrypts a journal of a backup and follows its chain from the first entry to the head. It calls fn with groups
// of payloads, in order; they are fn's to keep.
func (c *Chain) entries(ctx context.Context, from string, identities []age.Identity, fn func([][]byte) error) error {
	stage := progress.Begin(ctx, "opening the backup", progress.Entries, int64(c.Head))
	r := &reader{next: 1, fn: func(group [][]byte) error {
		stage.Add(int64(len(group)))
		return fn(group)
	}}
	for _, f := range c.Files {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := decrypt(filepath.Join(from, f.Name), identities, r.file)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	if r.next-1 != c.Head || hex.EncodeToString(r.digest[:]) != c.Digest {
		return fmt.Errorf("%w: it ends with entry %d, not as it was taken at entry %d", ErrDamaged, r.next-1, c.Head)
	}
	return nil
}

// reader follows the chain through the files of a backup.
type reader struct {
	next   journal.Position
	digest journal.Digest
	fn     func([][]byte) error
}

// groupBytes is about how much one group of a restored journal holds.
const groupBytes = 4 << 20

// file reads one decrypted journal file.
func (r *reader) file(in io.Reader) error {
	head := make([]byte, len(magic)+16+len(r.digest))
	if _, err := io.ReadFull(in, head); err != nil {
		return damaged(err)
	}
	from, to := binary.LittleEndian.Uint64(head[8:]), binary.LittleEndian.Uint64(head[16:])
	if string(head[:8]) != magic || journal.Position(from) != r.next || to < from || journal.Digest(head[24:]) != r.digest {
		return fmt.Errorf("%w: it does not go on where the file before ends", ErrDamaged)
	}
	var group [][]byte
	size := 0
	for ; r.next <= journal.Position(to); r.next++ {
		payload, err := readPayload(in)
		if err != nil {
			return err
		}
		r.digest = r.digest.Next(chain.Sum(payload))
		group, size = append(group, payload), size+len(payload)
		if size < groupBytes && r.next < journal.Position(to) {
			continue
		}
		if err := r.fn(group); err != nil {
			return err
		}
		group, size = nil, 0
	}
	var digest journal.Digest
	if _, err := io.ReadFull(in, digest[:]); err != nil {
		return damaged(err)
	}
	if digest != r.digest {
		return fmt.Errorf("%w: its entries are not those that it was made from", ErrDamaged)
	}
	return nil
}

func readPayload(in io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(in, length[:]); err != nil {
		return nil, damaged(err)
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n == 0 || n > maxPayloadBytes {
		return nil, fmt.Errorf("%w: an entry of %d bytes", ErrDamaged, n)
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(in, payload); err != nil {
		return nil, damaged(err)
	}
	return payload, nil
}

// decrypt calls fn with the content of an encrypted file, all of which it must read.
func decrypt(path string, identities []age.Identity, fn func(io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	defer f.Close()
	plain, err := age.Decrypt(bufio.NewReaderSize(f, 1<<20), identities...)
	var wrong *age.NoIdentityMatchError
	if errors.As(err, &wrong) {
		return errors.New("the identity does not open it: it was encrypted to others")
	}
	if err != nil {
		return damaged(err)
	}
	in := bufio.NewReaderSize(plain, 1<<16)
	if err := fn(in); err != nil {
		return err
	}
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows its end", ErrDamaged)
	}
	return nil
}

func damaged(err error) error { return fmt.Errorf("%w: %w", ErrDamaged, err) }

// keyStore is a copy of the key store.
type keyStore struct {
	name    string
	content []byte
}

// newestKeys is the newest copy of the key store. It takes no older one if that is damaged: an older one lacks keys, or
// brings back what was erased meanwhile. Whoever wants that puts the damaged one away.
func newestKeys(in Folders, all Listing, identities []age.Identity) (keyStore, error) {
	if len(all.KeyFiles) == 0 {
		return keyStore{}, fmt.Errorf("%w: no copy of the key store in %s", ErrDamaged, in.Keys)
	}
	name := all.KeyFiles[len(all.KeyFiles)-1]
	var content []byte
	err := decrypt(filepath.Join(in.Keys, name), identities, func(r io.Reader) (err error) {
		content, err = io.ReadAll(r)
		return damagedIf(err)
	})
	if err == nil {
		err = keyring.CheckStore(content)
	}
	if err != nil {
		return keyStore{}, fmt.Errorf("the newest copy of the keys, %s: %w", filepath.Join(in.Keys, name), err)
	}
	return keyStore{name, content}, nil
}

func damagedIf(err error) error {
	if err == nil {
		return nil
	}
	return damaged(err)
}
