package engine

import (
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// Spare returns what of a batch of rows belongs into a second copy of this
// device's own work: who this is, every own change's place and receipt, and the
// content of what the server has not made durable yet, or not copied if it keeps a
// second copy of its own, drafts included, and the checkpoints that the server is
// held to. Content leaves the copy once that is known.
// What colleagues wrote is not in it: the server has that.
//
// Applied in order, the results of all batches are what StartFromSpare needs.
func Spare(rows []Row) []Row {
	s := sparing{unsent: map[string]bool{}, done: map[string]bool{}}
	for _, r := range rows {
		if len(r.Key) > 0 && r.Key[0] == rowLink && r.Value != nil {
			s.link(r)
		}
	}
	for _, r := range rows {
		if s.wants(r) {
			s.out = append(s.out, r)
		}
	}
	return s.out
}

// sparing sorts one batch.
type sparing struct {
	unsent map[string]bool // keys of content to keep
	done   map[string]bool // keys of content that the copy may drop
	out    []Row
}

func (s *sparing) wants(r Row) bool {
	if len(r.Key) == 0 || s.done[string(r.Key)] {
		return false
	}
	switch r.Key[0] {
	case rowMeta, rowLink, rowDraft, rowFamily, rowWords, rowLog, rowErased:
		return true
	case rowChange:
		return r.Value == nil || s.unsent[string(r.Key)]
	}
	return false
}

func (s *sparing) link(r Row) {
	l, err := decodeLink(r.Value)
	if err != nil {
		return // not a row of this engine; Load will say so
	}
	key := keyChange(l.family, l.record, l.id)
	if !l.safe() {
		s.unsent[string(key)] = true
		return
	}
	s.done[string(key)] = true
	s.out = append(s.out, Row{Key: key})
}

// safe reports whether the server has the content of a change, durably, and copied
// if it copies.
func (l *link) safe() bool {
	return l.purged || l.durability != syncproto.DurabilityNone && l.status != syncproto.StatusRefused && !l.uncopied
}

// Recovered says what a second copy gave back.
type Recovered struct {
	Changes int // own changes that the server had not made durable, or not copied
	Drafts  int // open drafts, which are changes now
}

// StartFromSpare ends the loading of the rows of a second copy, in place of
// Start, after the first was lost or damaged. Drafts become changes on the
// version that they were typed in; the next sync compares own chains with the
// server and reads the whole feed anew. It fails as Start does.
func (e *Engine) StartFromSpare() ([]Effect, Recovered, error) {
	w := newWork()
	e.letGo(w)
	if err := e.linkUp(); err != nil {
		return nil, Recovered{}, err
	}
	if e.metaRow == nil {
		return nil, Recovered{}, ErrRow
	}
	e.began = true
	var out Recovered
	for _, c := range e.chains {
		for _, l := range c.links {
			if !l.safe() {
				out.Changes++
			}
		}
	}
	for _, id := range sortedIDs(e.records) {
		if e.records[id].draft == nil {
			continue
		}
		if err := e.settleAsTyped(w, e.records[id]); err != nil {
			return nil, Recovered{}, err
		}
		out.Drafts++
	}
	e.meta.compare, e.meta.cursor = true, nil
	e.putMeta(w)
	return append(append(w.effects(), e.finishLeaving()...), Schedule{}), out, nil
}

// letGo marks the own changes whose content the copy has dropped, since the
// server has it, as purged: the feed brings it back.
func (e *Engine) letGo(w *work) {
	for _, actor := range sortedIDs(e.loading) {
		for seq := uint64(1); seq <= uint64(len(e.loading[actor])); seq++ {
			l := e.loading[actor][seq]
			if l != nil && !l.purged && l.safe() && !e.record(l.family, l.record).has(l.id) {
				l.purged = true
				e.putLink(w, l)
			}
		}
	}
}

// settleAsTyped turns a draft into a change without its text at hand.
func (e *Engine) settleAsTyped(w *work, r *record) error {
	kind, ok := schema.Newest(r.draft.kind)
	if !ok {
		return ErrNewerRows
	}
	changes, err := e.compose(r, kind, r.draft.heads, r.draft.passage(), nil)
	if err != nil {
		return err
	}
	e.putDraft(w, r, nil)
	e.commit(w, r, kind, changes)
	r.forget()
	return nil
}
