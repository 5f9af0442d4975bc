package audit

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"doorstep/server/internal/disk"
	"doorstep/syncproto"
)

// Source is the journal whose entries a tree is over. Position p is leaf p-1.
type Source interface {
	// Head returns the last durable position, 0 if none.
	Head() (uint64, [32]byte)
	// Read returns the payload at a position.
	Read(position uint64) ([]byte, error)
}

// TreeOptions are what OpenTree needs; all are required.
type TreeOptions struct {
	FS     disk.FS
	Path   string // of the file of hashes
	Source Source
	// Leaf makes the leaf of an entry: a pure function of its payload, whose SHA-256
	// comes with it.
	Leaf func(payload []byte, sum [32]byte) ([]byte, error)
}

// Tree is the Merkle tree over a journal's leaves. Its file holds the hashes of
// complete subtrees in the order of package tlog, 32 bytes each, and nothing that
// the journal could not give back: it is not synced with each group, and what does
// not add up is made anew. It is safe for concurrent use.
type Tree struct {
	opt  TreeOptions
	file disk.File

	mu   sync.RWMutex // guards size
	size uint64       // leaves whose hashes are all in the file

	growing sync.Mutex  // held by whoever adds leaves; guards edge
	edge    []tlog.Hash // roots of the complete subtrees at the right edge, by level
}

// ErrOtherHistory says that a journal does not begin with the log that a tree head
// stands for: it is shorter, or something in it was removed, altered or reordered.
var ErrOtherHistory = errors.New("the journal is not the one that the checkpoint was made over")

// OpenTree opens a tree and brings it up to its journal. What the file holds up to
// trusted, a head that was synced, is believed if it adds up to that; the rest is
// derived anew. If even a tree derived anew does not add up to trusted, it is
// opened all the same, and the error is ErrOtherHistory.
func OpenTree(opt TreeOptions, trusted syncproto.TreeHead) (*Tree, error) {
	file, err := opt.FS.Open(opt.Path, disk.ReadWrite)
	if err != nil {
		if file, err = opt.FS.Open(opt.Path, disk.Create); err != nil {
			return nil, fmt.Errorf("opening the file of hashes: %w", err)
		}
	}
	t := &Tree{opt: opt, file: file}
	head, _ := opt.Source.Head()
	if !t.holds(trusted, head) {
		// Nothing of another history may stay behind what is derived now: it would
		// add up to an old head later, over hashes that do not.
		if err := errors.Join(file.Truncate(0), file.Sync()); err != nil {
			return nil, errors.Join(fmt.Errorf("emptying the file of hashes: %w", err), file.Close())
		}
		t.begin(0)
	}
	if err := t.catchUp(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if trusted.Size == 0 {
		return t, nil
	}
	root, err := t.RootAt(trusted.Size)
	if err != nil || root != trusted.Root {
		return t, ErrOtherHistory
	}
	return t, nil
}

// holds makes the tree begin with what the file has of a trusted head, and reports
// whether that adds up.
func (t *Tree) holds(trusted syncproto.TreeHead, head uint64) bool {
	bytes, err := t.file.Size()
	if err != nil || trusted.Size > head || bytes < tlog.StoredHashCount(int64(trusted.Size))*tlog.HashSize {
		return false
	}
	t.begin(trusted.Size)
	root, err := t.RootAt(trusted.Size)
	return err == nil && root == trusted.Root && t.isLeaf(trusted.Size) && t.readEdge() == nil
}

// isLeaf reports whether the file has the leaf that the journal's entry at a position
// makes: if somebody put another journal beside the file, its entries are others.
func (t *Tree) isLeaf(position uint64) bool {
	if position == 0 {
		return true
	}
	payload, err := t.opt.Source.Read(position)
	if err != nil {
		return false
	}
	leaf, err := t.opt.Leaf(payload, sha256.Sum256(payload))
	if err != nil {
		return false
	}
	found, err := t.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(position)-1)})
	return err == nil && found[0] == tlog.Hash(syncproto.LeafHash(leaf))
}

func (t *Tree) begin(size uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.size, t.edge = size, nil
}

// readEdge reads the roots that the next leaf is joined to.
func (t *Tree) readEdge() error {
	size := t.Size()
	for level := 0; size>>level > 0; level++ {
		var root tlog.Hash
		if size>>level&1 == 1 {
			found, err := t.ReadHashes([]int64{tlog.StoredHashIndex(level, int64(size>>level)-1)})
			if err != nil {
				return err
			}
			root = found[0]
		}
		t.edge = append(t.edge, root)
	}
	return nil
}

// CatchUp takes in what the journal has more, should a Follow have failed and none
// have come since.
func (t *Tree) CatchUp() error {
	t.growing.Lock()
	defer t.growing.Unlock()
	return t.catchUp()
}

// catchUp takes in what the journal has more, a stretch at a time.
func (t *Tree) catchUp() error {
	const stretch = 1024
	head, _ := t.opt.Source.Head()
	for t.Size() < head {
		first := t.Size() + 1
		var payloads [][]byte
		for p := first; p <= min(head, first+stretch-1); p++ {
			payload, err := t.opt.Source.Read(p)
			if err != nil {
				return fmt.Errorf("reading entry %d for its leaf: %w", p, err)
			}
			payloads = append(payloads, payload)
		}
		if err := t.add(payloads, nil); err != nil {
			return err
		}
	}
	return nil
}

// Follow takes in a group that the journal holds from a position on. sums are the
// SHA-256 of the payloads, nil if they are not known. After an
// error the tree is as it was, and the next call takes in what is missing.
func (t *Tree) Follow(first uint64, payloads [][]byte, sums [][32]byte) error {
	t.growing.Lock()
	defer t.growing.Unlock()
	if first != t.Size()+1 {
		return t.catchUp()
	}
	return t.add(payloads, sums)
}

// add writes the hashes of some leaves and then counts them.
func (t *Tree) add(payloads [][]byte, sums [][32]byte) error {
	if sums == nil {
		for _, payload := range payloads {
			sums = append(sums, sha256.Sum256(payload))
		}
	}
	size, edge := t.Size(), append([]tlog.Hash(nil), t.edge...)
	out := make([]byte, 0, len(payloads)*2*tlog.HashSize+64*tlog.HashSize)
	for i, payload := range payloads {
		leaf, err := t.opt.Leaf(payload, sums[i])
		if err != nil {
			return fmt.Errorf("making the leaf of entry %d: %w", size+uint64(i)+1, err)
		}
		h := tlog.Hash(syncproto.LeafHash(leaf))
		out = append(out, h[:]...)
		level := 0
		for n := size + uint64(i); n>>level&1 == 1; level++ {
			h = tlog.NodeHash(edge[level], h)
			out = append(out, h[:]...)
		}
		if level == len(edge) {
			edge = append(edge, h)
		}
		edge[level] = h
	}
	at := tlog.StoredHashCount(int64(size)) * tlog.HashSize
	if _, err := t.file.WriteAt(out, at); err != nil {
		return fmt.Errorf("writing the file of hashes: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.size, t.edge = size+uint64(len(payloads)), edge
	return nil
}

// Size is the number of leaves.
func (t *Tree) Size() uint64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.size
}

// ReadHashes implements tlog.HashReader.
func (t *Tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		if _, err := t.file.ReadAt(out[i][:], at*tlog.HashSize); err != nil {
			return nil, fmt.Errorf("reading the file of hashes: %w", err)
		}
	}
	return out, nil
}

// RootAt returns the root over the first leaves. It fails with ErrOtherHistory for
// more leaves than there are.
func (t *Tree) RootAt(size uint64) ([32]byte, error) {
	if size > t.Size() {
		return [32]byte{}, ErrOtherHistory
	}
	root, err := tlog.TreeHash(int64(size), t)
	return root, err
}

// Head returns the tree's newest head.
func (t *Tree) Head() (syncproto.TreeHead, error) {
	head := syncproto.TreeHead{Size: t.Size()}
	var err error
	head.Root, err = t.RootAt(head.Size)
	return head, err
}

// ProveExtends returns the proof that one head extends an older one (RFC 9162
// section 2.1.4), checked. It fails with ErrOtherHistory if that is not so.
func (t *Tree) ProveExtends(old, now syncproto.TreeHead) ([][32]byte, error) {
	if old.Size > now.Size || now.Size > t.Size() {
		return nil, ErrOtherHistory
	}
	var proof tlog.TreeProof
	if old.Size > 0 && old.Size < now.Size {
		var err error
		if proof, err = tlog.ProveTree(int64(now.Size), int64(old.Size), t); err != nil {
			return nil, fmt.Errorf("proving that the log grew: %w", err)
		}
	}
	out := make([][32]byte, len(proof))
	for i, h := range proof {
		out[i] = h
	}
	if !syncproto.CheckConsistency(out, old, now) {
		return nil, ErrOtherHistory
	}
	return out, nil
}

// ProveLeaf returns the proof that the entry at a position is a leaf of a head
// (RFC 9162 section 2.1.3), from the leaf up.
func (t *Tree) ProveLeaf(position uint64, now syncproto.TreeHead) ([][32]byte, error) {
	if position == 0 || position > now.Size || now.Size > t.Size() {
		return nil, fmt.Errorf("entry %d is not covered by a checkpoint over %d: %w", position, now.Size, syncproto.CodeNotFound)
	}
	proof, err := tlog.ProveRecord(int64(now.Size), int64(position-1), t)
	if err != nil {
		return nil, fmt.Errorf("proving an entry: %w", err)
	}
	out := make([][32]byte, len(proof))
	for i, h := range proof {
		out[i] = h
	}
	return out, nil
}

// Heal derives every hash anew from the journal and puts right what the file has
// wrong, as after a bit flipped. It returns how many hashes that were. It reads the
// whole journal.
func (t *Tree) Heal() (wrong int, err error) {
	at, anew := int64(0), NewRecount()
	anew.OnHash = func(want [32]byte) error {
		var has [32]byte
		_, err := t.file.ReadAt(has[:], at)
		if err != nil || has != want {
			wrong++
			_, err = t.file.WriteAt(want[:], at)
		}
		at += tlog.HashSize
		return err
	}
	for p, size := uint64(1), t.Size(); p <= size; p++ {
		payload, err := t.opt.Source.Read(p)
		if err != nil {
			return wrong, fmt.Errorf("reading entry %d: %w", p, err)
		}
		leaf, err := t.opt.Leaf(payload, sha256.Sum256(payload))
		if err == nil {
			err = anew.Add(leaf)
		}
		if err != nil {
			return wrong, fmt.Errorf("deriving the hashes of entry %d anew: %w", p, err)
		}
	}
	return wrong, nil
}

// Sync makes the file durable, so that a head of it may be trusted later.
func (t *Tree) Sync() error {
	if err := t.file.Sync(); err != nil {
		return fmt.Errorf("syncing the file of hashes: %w", err)
	}
	return nil
}

// Close closes the file.
func (t *Tree) Close() error { return t.file.Close() }
