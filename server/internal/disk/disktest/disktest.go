// Package disktest is a simulated disk for tests: a disk.FS in memory that behaves as badly as a real disk may.
//
// What programs write is at once visible to reads, and survives a crash only if it was synced. Crash cuts the power:
// each unsynced write survives whole, in part (sector by sector, in any order) or not at all, and names that were not
// synced into their directory may be gone. Syncs can fail and then forget what they should have written while the cache
// still shows it; writes can fail; the disk can be full; bits can flip. Everything follows from the seed and from the
// calls made, so a run replays exactly.
//
// The model: a sector (disk.Sector bytes) is written whole or not at all, and bytes in it that a write does not change
// are not harmed by it. A sector that belongs to a file but never reached the disk reads as zeros. Changes of names
// reach the disk in the order in which they were made, as on a journaling file system.
package disktest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"doorstep/server/internal/disk"
)

// ErrPower is what every call answers after the power went, until Crash brings the disk back.
var ErrPower = errors.New("the power is off")

// Disk is a simulated disk. It is safe for concurrent use; a run replays exactly only if the calls come in the same
// order.
type Disk struct {
	mu        sync.Mutex
	chance    *rand.Rand
	names     map[string]*inode // as programs see them
	durable   map[string]*inode // as far as they are surely on the disk
	inodes    []*inode          // all that there ever were
	pending   []nameChange      // made since, in order
	dirs      map[string]bool
	locks     map[string]bool
	capacity  int64
	boot      int // counts power cuts: files opened before one are dead after it
	steps     int
	powerOff  int // the step at which the power goes; 0 is never
	off       bool
	failSync  int // how many more syncs succeed before one fails; -1 is never
	failWrite int
	liar      bool
	onSync    func()       // nil: nobody is told
	record    func(*Image) // nil: nobody records
}

var _ disk.FS = (*Disk)(nil)

type nameChange struct {
	dir string
	set map[string]*inode // nil: the name goes
}

// New makes an empty disk without a limit on its size.
func New(seed uint64) *Disk {
	return &Disk{
		chance:  rand.New(rand.NewPCG(seed, 0x646f6f72)),
		names:   map[string]*inode{},
		durable: map[string]*inode{},
		dirs:    map[string]bool{},
		locks:   map[string]bool{},

		capacity: 1 << 62, failSync: -1, failWrite: -1,
	}
}

// Steps counts the calls so far that change or sync something: the points at which CutPowerAt can strike.
func (d *Disk) Steps() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.steps
}

// CutPowerAt makes the power go at a step, counted as Steps does. The call that reaches it has done its work or only a
// part of it, and answers ErrPower as all later ones do.
func (d *Disk) CutPowerAt(step int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.powerOff = step
}

// Crash cuts the power, if it is not off already, and brings the disk back with what survived. Files that are open die,
// locks are free.
func (d *Disk) Crash() {
	d.mu.Lock()
	defer d.mu.Unlock()
	survived := d.chance.IntN(len(d.pending) + 1)
	for _, change := range d.pending[:survived] {
		change.apply(d.durable)
	}
	d.pending = nil
	for _, path := range sortedNames(d.durable) {
		file := d.durable[path]
		file.durable = file.survive(d.chance)
		file.visible, file.writes = slices.Clone(file.durable), nil
	}
	d.names = map[string]*inode{}
	for path, file := range d.durable {
		d.names[path] = file
	}
	d.restart()
}

// Kill ends the process that uses the disk but not the power: everything written stays, files that are open die, locks
// are free.
func (d *Disk) Kill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.restart()
}

func (d *Disk) restart() {
	d.locks = map[string]bool{}
	d.boot++
	d.powerOff, d.off = 0, false
	d.failSync, d.failWrite = -1, -1
}

// FailSync lets a number of further syncs of files succeed and the next fail with EIO. What that sync should have
// written may be lost, though reads still see it, and no later sync will say so.
func (d *Disk) FailSync(after int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failSync = after
}

// FailWrite lets a number of further writes succeed and the next fail with EIO, having written a part.
func (d *Disk) FailWrite(after int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failWrite = after
}

// SetCapacity sets how many bytes all files together may have.
func (d *Disk) SetCapacity(bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.capacity = bytes
}

// LieAboutSync makes syncs answer that all is well and do nothing, as some disks and settings do. It is the negative
// control for a test that looks for loss.
func (d *Disk) LieAboutSync() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.liar = true
}

// OnSync has a function called as each sync of a file begins, as for a disk that takes its time. It must not use the
// disk.
func (d *Disk) OnSync(fn func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onSync = fn
}

// Wipe removes every file whose path begins with a prefix, behind the back of the program and durably.
func (d *Disk) Wipe(prefix string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, change := range d.pending {
		change.apply(d.durable)
	}
	d.pending = nil
	gone := func(path string, _ *inode) bool { return strings.HasPrefix(path, prefix) }
	maps.DeleteFunc(d.names, gone)
	maps.DeleteFunc(d.durable, gone)
}

// Paths lists all files in order.
func (d *Disk) Paths() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return sortedNames(d.names)
}

// Content is a copy of a file as reads see it, nil if there is none.
func (d *Disk) Content(path string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	if file := d.names[path]; file != nil {
		return slices.Clone(file.visible)
	}
	return nil
}

// SetContent puts bytes into a file behind the back of the program, durably: damage, or a file brought from elsewhere.
func (d *Disk) SetContent(path string, content []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	file := d.names[path]
	if file == nil {
		file = d.newInode()
		d.names[path], d.durable[path] = file, file
	}
	file.visible, file.durable, file.writes = slices.Clone(content), slices.Clone(content), nil
}

// Holds answers whether the bytes stand anywhere on the disk, in files that were removed or replaced too.
func (d *Disk) Holds(secret []byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.ContainsFunc(d.inodes, func(n *inode) bool {
		return bytes.Contains(n.visible, secret) || bytes.Contains(n.durable, secret)
	})
}

// FlipBit flips one bit of a file behind the back of the program, durably.
func (d *Disk) FlipBit(path string, bit int64) {
	content := d.Content(path)
	content[bit/8] ^= 1 << (bit % 8)
	d.SetContent(path, content)
}

// step counts a call that changes something and answers whether the power is still on. The caller holds mu.
func (d *Disk) step() error {
	if d.off {
		return ErrPower
	}
	d.steps++
	d.off = d.powerOff != 0 && d.steps >= d.powerOff
	return nil
}

// after is the answer of a call that has done its work: ErrPower if the power went meanwhile. The caller holds mu.
func (d *Disk) after() error {
	if d.off {
		return ErrPower
	}
	return nil
}

// MkdirAll implements disk.FS. Directories are durable at once.
func (d *Disk) MkdirAll(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dirs[filepath.Clean(dir)] = true
	return d.after()
}

// Open implements disk.FS.
func (d *Disk) Open(path string, mode disk.Mode) (disk.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return nil, ErrPower
	}
	node := d.names[path]
	if node == nil && mode != disk.Create {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	opened := &file{disk: d, path: path, boot: d.boot, readOnly: mode == disk.Read}
	if mode != disk.Create {
		opened.node = node
		return opened, nil
	}
	if err := d.step(); err != nil {
		return nil, err
	}
	if !d.dirs[filepath.Dir(path)] {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	if node == nil {
		if d.used() >= d.capacity {
			return nil, &fs.PathError{Op: "create", Path: path, Err: syscall.ENOSPC}
		}
		node = d.newInode()
		d.change(path, map[string]*inode{path: node})
	} else {
		node.truncate(0)
	}
	opened.node = node
	return opened, d.after()
}

// ReadDir implements disk.FS.
func (d *Disk) ReadDir(dir string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return nil, ErrPower
	}
	if !d.dirs[filepath.Clean(dir)] {
		return nil, &fs.PathError{Op: "readdir", Path: dir, Err: fs.ErrNotExist}
	}
	var names []string
	for _, path := range sortedNames(d.names) {
		if filepath.Dir(path) == filepath.Clean(dir) {
			names = append(names, filepath.Base(path))
		}
	}
	return names, nil
}

// Rename implements disk.FS.
func (d *Disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if filepath.Dir(from) != filepath.Dir(to) {
		panic(fmt.Sprintf("bug: rename across directories, %s to %s", from, to))
	}
	if err := d.step(); err != nil {
		return err
	}
	if d.dirs[from] {
		d.renameDir(from, to)
		return d.after()
	}
	node := d.names[from]
	if node == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	d.change(from, map[string]*inode{from: nil, to: node})
	return d.after()
}

// renameDir gives a directory and all that is in it another name, as one change. The caller holds mu.
func (d *Disk) renameDir(from, to string) {
	set := map[string]*inode{}
	for path, node := range d.names {
		if inside, ok := strings.CutPrefix(path, from+"/"); ok {
			set[path], set[to+"/"+inside] = nil, node
		}
	}
	d.change(from, set)
	for path := range d.dirs {
		if inside, ok := strings.CutPrefix(path+"/", from+"/"); ok {
			delete(d.dirs, path)
			d.dirs[filepath.Join(to, inside)] = true
		}
	}
}

// Remove implements disk.FS.
func (d *Disk) Remove(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return err
	}
	if d.names[path] == nil {
		return &fs.PathError{Op: "remove", Path: path, Err: fs.ErrNotExist}
	}
	d.change(path, map[string]*inode{path: nil})
	return d.after()
}

// SyncDir implements disk.FS. If the power goes in it, the names are as unsure as before.
func (d *Disk) SyncDir(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return err
	}
	d.snap()
	if d.off || d.liar {
		return d.after()
	}
	kept := d.pending[:0]
	for _, change := range d.pending {
		if change.dir == filepath.Clean(dir) {
			change.apply(d.durable)
		} else {
			kept = append(kept, change)
		}
	}
	d.pending = kept
	return nil
}

// FreeBytes implements disk.FS.
func (d *Disk) FreeBytes(string) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return max(0, d.capacity-d.used()), d.after()
}

// Lock implements disk.FS.
func (d *Disk) Lock(path string) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return nil, ErrPower
	}
	if d.locks[path] {
		return nil, &fs.PathError{Op: "lock", Path: path, Err: disk.ErrLocked}
	}
	d.locks[path] = true
	return &lock{disk: d, path: path, boot: d.boot}, nil
}

type lock struct {
	disk *Disk
	path string
	boot int
}

// Close frees the lock, unless a crash has already done so.
func (l *lock) Close() error {
	l.disk.mu.Lock()
	defer l.disk.mu.Unlock()
	if l.boot == l.disk.boot {
		delete(l.disk.locks, l.path)
	}
	return nil
}

func (d *Disk) change(path string, set map[string]*inode) {
	change := nameChange{dir: filepath.Dir(path), set: set}
	change.apply(d.names)
	d.pending = append(d.pending, change)
}

func (d *Disk) newInode() *inode {
	node := &inode{}
	d.inodes = append(d.inodes, node)
	return node
}

func (d *Disk) used() int64 {
	var total int64
	for _, file := range d.names {
		total += int64(len(file.visible))
	}
	return total
}

func (c nameChange) apply(names map[string]*inode) {
	for path, node := range c.set {
		if node == nil {
			delete(names, path)
		} else {
			names[path] = node
		}
	}
}

func sortedNames(names map[string]*inode) []string {
	paths := make([]string, 0, len(names))
	for path := range names {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

// Same answers whether two disks show the same files with the same bytes.
func Same(a, b *Disk) bool {
	paths := a.Paths()
	if !slices.Equal(paths, b.Paths()) {
		return false
	}
	for _, path := range paths {
		if !bytes.Equal(a.Content(path), b.Content(path)) {
			return false
		}
	}
	return true
}
