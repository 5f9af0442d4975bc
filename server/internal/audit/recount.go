package audit

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"doorstep/syncproto"
)

// Recount derives a tree anew, leaf by leaf, believing nothing that was kept, and
// holds it to heads that somebody remembers. It keeps one hash a level.
type Recount struct {
	want []syncproto.TreeHead
	// OnHash is told each hash of the file of hashes, in order, if not nil.
	OnHash func([32]byte) error

	size   uint64
	edge   []tlog.Hash
	broken []error
}

// NewRecount begins a recount that is held to some heads.
func NewRecount(want ...syncproto.TreeHead) *Recount { return &Recount{want: want} }

// Add takes the next leaf. It fails only as OnHash does.
func (r *Recount) Add(leaf []byte) error { return r.AddHash(syncproto.LeafHash(leaf)) }

// AddHash takes the next leaf by its hash.
func (r *Recount) AddHash(leaf [32]byte) error {
	h, level := tlog.Hash(leaf), 0
	if err := r.told(h); err != nil {
		return err
	}
	for ; r.size>>level&1 == 1; level++ {
		h = tlog.NodeHash(r.edge[level], h)
		if err := r.told(h); err != nil {
			return err
		}
	}
	if level == len(r.edge) {
		r.edge = append(r.edge, h)
	}
	r.edge[level] = h
	r.size++
	for _, head := range r.want {
		if head.Size == r.size && head.Root != r.Head().Root {
			r.broken = append(r.broken, fmt.Errorf("%w: over the first %d entries", ErrOtherHistory, head.Size))
		}
	}
	return nil
}

func (r *Recount) told(h tlog.Hash) error {
	if r.OnHash == nil {
		return nil
	}
	return r.OnHash(h)
}

// Head is the head over the leaves so far.
func (r *Recount) Head() syncproto.TreeHead {
	head := syncproto.TreeHead{Size: r.size}
	if r.size == 0 {
		head.Root, _ = tlog.TreeHash(0, nil)
		return head
	}
	var root tlog.Hash
	begun := false
	for level := range r.edge { // from the smallest complete subtree, the rightmost
		switch {
		case r.size>>level&1 == 0:
		case !begun:
			root, begun = r.edge[level], true
		default:
			root = tlog.NodeHash(r.edge[level], root)
		}
	}
	head.Root = root
	return head
}

// Verdict says what is wrong once all leaves were added: every head that the log
// does not hold, also because it is shorter. Each is an ErrOtherHistory.
func (r *Recount) Verdict() []error {
	out := r.broken
	for _, head := range r.want {
		if head.Size > r.size {
			out = append(out, fmt.Errorf("%w: it was over %d entries, there are %d", ErrOtherHistory, head.Size, r.size))
		}
	}
	return out
}
