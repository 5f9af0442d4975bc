package engine

import "doorstep/syncproto"

// Unsent is an own change that the server has not made durable yet.
type Unsent struct {
	Actor syncproto.ActorID
	ID    syncproto.ChangeID
	Prev  syncproto.ChangeID
	Body  []byte
}

// UnsentIn returns the own changes whose content a batch of rows stores and that the
// server has not made durable, for a driver that seals them to the borough (SPEC
// 7.13). Rows that it cannot read it passes over: Load will say so.
func UnsentIn(rows []Row) (out []Unsent) {
	links := map[string]*link{}
	for _, r := range rows {
		if len(r.Key) < 1+len(syncproto.ActorID{}) || r.Key[0] != rowLink || r.Value == nil {
			continue
		}
		if l, err := decodeLink(r.Value); err == nil && !l.safe() {
			l.actor = syncproto.ActorID(r.Key[1:])
			links[string(keyChange(l.family, l.record, l.id))] = l
		}
	}
	for _, r := range rows {
		l := links[string(r.Key)]
		if l == nil || r.Value == nil {
			continue
		}
		if s, _, err := decodeStored(r.Value); err == nil {
			out = append(out, Unsent{Actor: l.actor, ID: l.id, Prev: s.prev, Body: s.body})
		}
	}
	return out
}

// Unsent returns every own change that the server has not made durable, chain by
// chain: what was refused exists nowhere else either.
func (e *Engine) Unsent() (out []Unsent) {
	for _, actor := range sortedIDs(e.chains) {
		for _, l := range e.chains[actor].links {
			if !l.safe() {
				out = append(out, Unsent{Actor: l.actor, ID: l.id, Prev: e.prevOf(l), Body: e.body(l)})
			}
		}
	}
	return out
}
