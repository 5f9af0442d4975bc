package disktest

import (
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"syscall"

	"doorstep/server/internal/disk"
)

// inode is the content of a file, whatever its name.
type inode struct {
	visible []byte  // what reads see
	durable []byte  // what is surely on the disk
	writes  []write // made since the last sync, in order
}

// write is one unsynced write or, if it is a cut, a change of the length to off.
type write struct {
	off  int64
	data []byte
	cut  bool
}

func (w write) apply(content []byte) []byte {
	if w.cut {
		return resize(content, w.off)
	}
	content = resize(content, max(int64(len(content)), w.off+int64(len(w.data))))
	copy(content[w.off:], w.data)
	return content
}

func resize(content []byte, size int64) []byte {
	if size <= int64(len(content)) {
		return content[:size]
	}
	grown := slices.Grow(content, int(size)-len(content))[:size]
	clear(grown[len(content):])
	return grown
}

func (n *inode) write(off int64, data []byte) {
	w := write{off: off, data: slices.Clone(data)}
	n.visible = w.apply(n.visible)
	n.writes = append(n.writes, w)
}

func (n *inode) truncate(size int64) {
	w := write{off: size, cut: true}
	n.visible = w.apply(n.visible)
	n.writes = append(n.writes, w)
}

func (n *inode) sync() {
	for _, w := range n.writes {
		n.durable = w.apply(n.durable)
	}
	n.writes = nil
}

// survive is what a power cut leaves of the file. One of several ways is chosen, so that the extreme states (all, none,
// a clean prefix) are as frequent as the mixed ones.
func (n *inode) survive(chance *rand.Rand) []byte {
	content := slices.Clone(n.durable)
	image := slices.Clone(n.durable) // with every write so far, as the cache had it
	style := chance.IntN(4)
	prefix := chance.IntN(len(n.writes) + 1)
	for i, w := range n.writes {
		image = w.apply(image)
		switch {
		case style == 0 || style == 1 && i < prefix:
			content = w.apply(content)
		case style == 1 && i > prefix || style == 2:
			// lost
		default:
			content = w.tear(content, image, chance)
		}
	}
	return content
}

// tear brings some sectors of a write to the disk. The length may have grown without the sectors, or not.
func (w write) tear(content, image []byte, chance *rand.Rand) []byte {
	if w.cut {
		if chance.IntN(2) == 0 {
			return resize(content, min(w.off, int64(len(content))))
		}
		return content
	}
	end := w.off + int64(len(w.data))
	size := int64(len(content))
	if end > size {
		size += chance.Int64N(end - size + 1)
	}
	if chance.IntN(2) == 0 {
		size = max(size, end)
	}
	content = resize(content, size)
	odds := 1 + chance.IntN(9)
	for from := w.off - w.off%disk.Sector; from < end; from += disk.Sector {
		if chance.IntN(10) < odds && from < size {
			copy(content[from:min(from+disk.Sector, size)], image[from:])
		}
	}
	return content
}

// file is an open file of the simulated disk.
type file struct {
	disk     *Disk
	node     *inode
	path     string
	boot     int
	readOnly bool
	closed   bool
}

// alive answers an error if the file was closed, or opened before a crash. The caller holds the disk's mu.
func (f *file) alive(op string) error {
	switch {
	case f.disk.off || f.boot != f.disk.boot:
		return &fs.PathError{Op: op, Path: f.path, Err: ErrPower}
	case f.closed:
		return &fs.PathError{Op: op, Path: f.path, Err: fs.ErrClosed}
	}
	return nil
}

// change is alive for a call that changes something, and counts the step. The caller holds the disk's mu.
func (f *file) change(op string) error {
	if err := f.alive(op); err != nil {
		return err
	}
	if f.readOnly && op != "sync" {
		return &fs.PathError{Op: op, Path: f.path, Err: syscall.EBADF}
	}
	return f.disk.step()
}

// ReadAt implements disk.File.
func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.alive("read"); err != nil {
		return 0, err
	}
	if off >= int64(len(f.node.visible)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.visible[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements disk.File.
func (f *file) WriteAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.change("write"); err != nil {
		return 0, err
	}
	grows := off + int64(len(p)) - int64(len(f.node.visible))
	free := f.disk.capacity - f.disk.used()
	if grows > 0 && grows > free {
		part := max(0, int64(len(p))-grows+max(0, free))
		f.node.write(off, p[:part])
		return int(part), &fs.PathError{Op: "write", Path: f.path, Err: syscall.ENOSPC}
	}
	if due(&f.disk.failWrite) {
		part := f.disk.chance.IntN(len(p) + 1)
		f.node.write(off, p[:part])
		return part, &fs.PathError{Op: "write", Path: f.path, Err: syscall.EIO}
	}
	f.node.write(off, p)
	return len(p), f.disk.after()
}

// Truncate implements disk.File.
func (f *file) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.change("truncate"); err != nil {
		return err
	}
	f.node.truncate(size)
	return f.disk.after()
}

// Sync implements disk.File. If the power goes in it, what it should have written is as unsure as before.
func (f *file) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.change("sync"); err != nil {
		return err
	}
	f.disk.snap()
	if f.disk.onSync != nil {
		f.disk.onSync()
	}
	if f.disk.off {
		return ErrPower
	}
	if due(&f.disk.failSync) {
		f.node.durable = f.node.survive(f.disk.chance)
		f.node.writes = nil
		return &fs.PathError{Op: "sync", Path: f.path, Err: syscall.EIO}
	}
	if !f.disk.liar {
		f.node.sync()
	}
	return nil
}

// Size implements disk.File.
func (f *file) Size() (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return int64(len(f.node.visible)), f.alive("stat")
}

// DropCache implements disk.File.
func (f *file) DropCache() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if len(f.node.writes) == 0 {
		f.node.visible = slices.Clone(f.node.durable)
	}
	return f.alive("drop cache")
}

// Close implements disk.File.
func (f *file) Close() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	err := f.alive("close")
	f.closed = true
	return err
}

// due counts down and answers true once, when the count is used up.
func due(left *int) bool {
	if *left < 0 {
		return false
	}
	*left--
	return *left < 0
}
