package disktest

import (
	"maps"
	"slices"

	"doorstep/server/internal/disk"
)

// Image is a disk at one moment as a power cut meets it: what is surely on it, the
// writes that are not synced, and the changes of names that are not, each in the order
// in which they were made.
type Image struct {
	nodes   []imageNode
	names   map[string]int // as far as they are surely on the disk; indexes of nodes
	changes []imageChange
	dirs    map[string]bool
	order   []imageWrite
}

type imageNode struct {
	durable []byte
	writes  []write
}

type imageChange struct{ set map[string]int } // -1: the name goes

// imageWrite names one unsynced write.
type imageWrite struct{ node, write int }

// Fate is what becomes of an unsynced write in a power cut.
type Fate uint8

// The fates of a write.
const (
	Lost   Fate = iota
	Kept        // whole
	Head        // the first half of its sectors
	Tail        // the last sector alone; what lies before it in the file reads as zeros, if it was not there
	Length      // the file has grown by it, and reads as zeros there
)

// Record has a function called before each sync of a file or directory, with the disk
// as it then is. It must not use the disk.
func (d *Disk) Record(fn func(*Image)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.record = fn
}

// snap tells whoever records. The caller holds mu.
func (d *Disk) snap() {
	if d.record != nil {
		d.record(d.image())
	}
}

func (d *Disk) image() *Image {
	im := &Image{names: map[string]int{}, dirs: maps.Clone(d.dirs)}
	index := map[*inode]int{nil: -1}
	at := func(n *inode) int {
		i, known := index[n]
		if !known {
			i = len(im.nodes)
			index[n] = i
			im.nodes = append(im.nodes, imageNode{slices.Clone(n.durable), slices.Clone(n.writes)})
			for w := range n.writes {
				im.order = append(im.order, imageWrite{i, w})
			}
		}
		return i
	}
	for _, path := range sortedNames(d.durable) {
		im.names[path] = at(d.durable[path])
	}
	for _, change := range d.pending {
		set := map[string]int{}
		for _, path := range sortedNames(change.set) {
			set[path] = at(change.set[path])
		}
		im.changes = append(im.changes, imageChange{set})
	}
	return im
}

// Writes is how many unsynced writes there are, Names how many changes of names.
func (im *Image) Writes() int { return len(im.order) }

// Names is how many unsynced changes of names there are.
func (im *Image) Names() int { return len(im.changes) }

// After is the disk that a power cut leaves, of whose unsynced writes each met its
// fate, and of whose changes of names the first so many survived.
func (im *Image) After(seed uint64, fates []Fate, names int) *Disk {
	d := New(seed)
	d.dirs = maps.Clone(im.dirs)
	for i, n := range im.nodes {
		var of []Fate
		for at, w := range im.order {
			if w.node == i {
				of = append(of, fates[at])
			}
		}
		content := n.after(of)
		d.inodes = append(d.inodes, &inode{visible: slices.Clone(content), durable: content})
	}
	place := maps.Clone(im.names)
	for _, change := range im.changes[:names] {
		for path, node := range change.set {
			if place[path] = node; node < 0 {
				delete(place, path)
			}
		}
	}
	for path, node := range place {
		d.names[path], d.durable[path] = d.inodes[node], d.inodes[node]
	}
	return d
}

func (n imageNode) after(fates []Fate) []byte {
	content, image := slices.Clone(n.durable), slices.Clone(n.durable)
	for i, w := range n.writes {
		image = w.apply(image)
		content = w.meet(content, image, fates[i])
	}
	return content
}

// meet brings of a write to the disk what its fate leaves. image is the file with all
// writes up to this one.
func (w write) meet(content, image []byte, fate Fate) []byte {
	end := w.off + int64(len(w.data))
	last := max(w.off, (end-1)-(end-1)%disk.Sector)
	middle := w.off + (end-w.off)/2
	middle -= middle % disk.Sector
	switch {
	case fate == Lost:
	case fate == Kept || w.cut:
		return w.apply(content)
	case fate == Head && middle > w.off:
		content = resize(content, max(int64(len(content)), middle))
		copy(content[w.off:middle], image[w.off:])
	case fate == Tail:
		content = resize(content, max(int64(len(content)), end))
		copy(content[last:end], image[last:])
	case fate == Length:
		content = resize(content, max(int64(len(content)), end))
	}
	return content
}
