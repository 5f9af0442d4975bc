package device

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"doorstep/client-sdk/engine"
	"doorstep/syncproto/cbor"
)

// File is a Store in one file, by one process at a time: small, slow to begin
// with much in it, and of another make than Badger, so that a fault of the one is
// not a fault of the other. It is meant for the second copy of WithSpare.
//
// The file is a title and then, for each Apply: the length of the rows and its
// complement (four bytes each, big endian), the SHA-256 of the rows, the rows as
// deterministic CBOR, zeros up to a multiple of eight. Each byte of the rows is
// combined (xor) with the sum's, in turn, so that no sector of it can be zero. An
// Apply that a crash cut short is the last of the file, was never answered, and is
// cut off: the file ends inside it, or sectors of it are zero. Anything else that
// is not as it was written is a DamageError.
type File struct {
	path string

	mu   sync.Mutex
	file *os.File          // nil once closed; guarded by mu
	rows map[string][]byte // guarded by mu
	size int64             // of the file; guarded by mu
	live int64             // bytes of keys and values in rows; guarded by mu
	sick error             // a write failed: only a new opening tells what is there; guarded by mu
}

const (
	fileTitle = "doorstep rows 1\n"
	fileHead  = 8 + sha256.Size
	fileAlign = 8 // a sector has the whole of both lengths or nothing of them
	// maxFileBatch bounds what is believed of a length: Apply takes 4 MB of rows.
	maxFileBatch = 16 << 20
	// A file is written anew when it is this long and mostly of old rows.
	slackBytes = 1 << 20
)

// OpenFile opens the store in a file, making it if it is not there. It fails with
// a DamageError, or with what the system answered.
func OpenFile(path string) (*File, error) {
	f := &File{path: path, rows: map[string][]byte{}}
	if err := f.open(); err != nil {
		return nil, fmt.Errorf("open store: %w", errors.Join(err, f.Close()))
	}
	return f, nil
}

func (f *File) open() error {
	var err error
	if f.file, err = os.OpenFile(f.path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	content, err := io.ReadAll(f.file)
	if err != nil {
		return err
	}
	if len(content) < len(fileTitle) && fileTitle[:len(content)] == string(content) {
		return f.begin()
	}
	if len(content) < len(fileTitle) || string(content[:len(fileTitle)]) != fileTitle {
		return &DamageError{}
	}
	f.size = int64(len(fileTitle))
	for rest := content[len(fileTitle):]; len(rest) > 0; {
		n, err := f.replay(rest, f.size)
		if err != nil {
			return err
		}
		if n == 0 { // cut short by a crash
			return errors.Join(f.file.Truncate(f.size), f.file.Sync())
		}
		rest = rest[n:]
		f.size += int64(n)
	}
	return nil
}

// begin writes the title of a new file, durably, name included.
func (f *File) begin() error {
	if _, err := f.file.WriteAt([]byte(fileTitle), 0); err != nil {
		return err
	}
	f.size = int64(len(fileTitle))
	return errors.Join(f.file.Sync(), syncFolder(f.path))
}

func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// replay takes in the first batch of b and returns its length; 0 if it, and with
// it the end of the file, was cut short. at is where b stands in the file.
func (f *File) replay(b []byte, at int64) (int, error) {
	rows, size, ok := readBatch(b)
	if !ok {
		if torn(b, size, at) && !laterBatch(b[min(fileAlign, len(b)):]) {
			return 0, nil
		}
		return 0, &DamageError{}
	}
	f.take(rows)
	return size, nil
}

// readBatch reads the batch that b begins with. size is its length as far as the
// beginning tells, 0 if it does not.
func readBatch(b []byte) (rows []engine.Row, size int, ok bool) {
	if len(b) < fileHead {
		return nil, 0, false
	}
	n := binary.BigEndian.Uint32(b)
	if n != ^binary.BigEndian.Uint32(b[4:]) || n > maxFileBatch {
		return nil, 0, false
	}
	size = padded(fileHead + int(n))
	if size > len(b) {
		return nil, size, false
	}
	payload := masked(b[fileHead:][:n], b[8:fileHead])
	if sha256.Sum256(payload) != [sha256.Size]byte(b[8:fileHead]) || !allZero(b[fileHead+int(n):size]) {
		return nil, size, false
	}
	rows, err := decodeRows(payload)
	return rows, size, err == nil
}

func padded(n int) int { return (n + fileAlign - 1) / fileAlign * fileAlign }

// torn reports whether b, which begins with a batch that cannot be read, may be
// what an interrupted write left: too short, or with zeros for a sector.
func torn(b []byte, size int, at int64) bool {
	const sector = 512
	switch {
	case len(b) < fileHead || size > len(b):
		return true
	case size == 0:
		return allZero(b[:fileAlign])
	}
	for from := 0; from < size; {
		to := min(from+sector-int((at+int64(from))%sector), size)
		if to-from > fileAlign && allZero(b[from:to]) {
			return true
		}
		from = to
	}
	return false
}

// masked combines rows with their sum, and takes the sum out again.
func masked(rows, sum []byte) []byte {
	out := make([]byte, len(rows))
	for i, c := range rows {
		out[i] = c ^ sum[i%len(sum)]
	}
	return out
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// laterBatch reports whether a whole batch stands behind: then what is before it
// was answered, and is not torn.
func laterBatch(b []byte) bool {
	for ; len(b) >= fileHead; b = b[fileAlign:] {
		if rows, _, ok := readBatch(b); ok && len(rows) > 0 {
			return true
		}
	}
	return false
}

func encodeRows(rows []engine.Row) []byte {
	b := cbor.AppendArray(nil, 2*len(rows))
	for _, r := range rows {
		b = cbor.AppendBytes(b, r.Key)
		if r.Value == nil {
			b = cbor.AppendNull(b)
		} else {
			b = cbor.AppendBytes(b, r.Value)
		}
	}
	return b
}

func decodeRows(b []byte) ([]engine.Row, error) {
	r := cbor.NewReader(b)
	var rows []engine.Row
	for range r.Array() / 2 {
		row := engine.Row{Key: r.Bytes()}
		if !r.Null() {
			row.Value = append([]byte{}, r.Bytes()...)
		}
		rows = append(rows, row)
	}
	if r.Done() != nil {
		return nil, &DamageError{}
	}
	return rows, nil
}

// take applies rows to those in memory.
func (f *File) take(rows []engine.Row) {
	for _, r := range rows {
		key := string(r.Key)
		if old, ok := f.rows[key]; ok {
			f.live -= int64(len(key) + len(old))
			delete(f.rows, key)
		}
		if r.Value != nil {
			f.rows[key] = append([]byte{}, r.Value...)
			f.live += int64(len(key) + len(r.Value))
		}
	}
}

// Apply implements Store.
func (f *File) Apply(rows []engine.Row) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.file == nil:
		return ErrClosed
	case f.sick != nil:
		return f.sick
	}
	if err := f.append(rows); err != nil {
		f.sick = fmt.Errorf("write rows: %w", err)
		return f.sick
	}
	f.take(rows)
	if f.size > slackBytes && f.size > 4*f.live {
		if err := f.compact(); err != nil {
			f.sick = fmt.Errorf("tidy up: %w", err)
		}
	}
	return nil
}

func (f *File) append(rows []engine.Row) error {
	n, err := writeBatch(f.file, f.size, rows)
	if err != nil {
		return err
	}
	f.size += n
	return f.file.Sync()
}

func writeBatch(file *os.File, at int64, rows []engine.Row) (int64, error) {
	payload := encodeRows(rows)
	n := uint32(len(payload))
	b := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, n), ^n)
	sum := sha256.Sum256(payload)
	b = append(append(b, sum[:]...), masked(payload, sum[:])...)
	b = append(b, make([]byte, padded(len(b))-len(b))...)
	_, err := file.WriteAt(b, at)
	return int64(len(b)), err
}

// compactRows are the rows of one batch of a file that is written anew.
const compactRows = 1000

// compact writes the rows that count into a new file and puts it in the old one's
// place.
func (f *File) compact() error {
	fresh, err := os.OpenFile(f.path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	size, err := f.writeAll(fresh)
	if err = errors.Join(err, fresh.Sync()); err != nil {
		return errors.Join(err, fresh.Close())
	}
	if err := errors.Join(os.Rename(f.path+".new", f.path), syncFolder(f.path)); err != nil {
		return errors.Join(err, fresh.Close())
	}
	old := f.file
	f.file, f.size = fresh, size
	return old.Close()
}

func (f *File) writeAll(to *os.File) (int64, error) {
	if _, err := to.WriteAt([]byte(fileTitle), 0); err != nil {
		return 0, err
	}
	size := int64(len(fileTitle))
	var batch []engine.Row
	write := func() error {
		n, err := writeBatch(to, size, batch)
		size, batch = size+n, batch[:0]
		return err
	}
	for key, value := range f.rows {
		batch = append(batch, engine.Row{Key: []byte(key), Value: value})
		if len(batch) == compactRows {
			if err := write(); err != nil {
				return 0, err
			}
		}
	}
	return size, write()
}

// Load implements Store.
func (f *File) Load(fn func(key, value []byte) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return ErrClosed
	}
	for key, value := range f.rows {
		if err := fn([]byte(key), append([]byte{}, value...)); err != nil {
			return err
		}
	}
	return nil
}

// Close implements Store.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}
