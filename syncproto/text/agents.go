package text

import (
	"sort"
	"strings"
)

// An authorRun is a stretch of events with consecutive numbers of one agent.
// It ends where the next run begins.
type authorRun struct {
	start LV
	agent int32
	seq   int32 // of the first event
	below int32 // the agent's run with the next smaller numbers, or -1
}

// authors says who made each event.
type authors struct {
	runs   []authorRun
	names  []string
	latest []int32 // per agent, its run with the largest numbers
	byName map[string]int32
	end    LV // the number of events
}

// find returns the index of the run that holds an event.
func (a *authors) find(lv LV) int {
	return floor(len(a.runs), func(i int) bool { return a.runs[i].start > lv })
}

// floor returns the index of the last of n entries, which ascend, that is not after
// what is sought; the first never is.
func floor(n int, isAfter func(i int) bool) int { return sort.Search(n, isAfter) - 1 }

// upTo returns the sequence number after the last of run i.
func (a *authors) upTo(i int32) int32 {
	stop := a.end
	if int(i)+1 < len(a.runs) {
		stop = a.runs[i+1].start
	}
	return a.runs[i].seq + int32(stop-a.runs[i].start)
}

// lookup returns the index of an agent, or -1.
func (a *authors) lookup(name []byte) int32 {
	if n := len(a.runs); n > 0 && a.names[a.runs[n-1].agent] == string(name) {
		return a.runs[n-1].agent
	}
	if i, ok := a.byName[string(name)]; ok {
		return i
	}
	return -1
}

// neighbours returns the agent's runs on either side of the number seq: the
// one with the next larger numbers and the one with the next smaller, or -1.
func (a *authors) neighbours(agent, seq int32) (above, below int32) {
	above, below = -1, a.latest[agent]
	for below >= 0 && a.runs[below].seq > seq {
		above, below = below, a.runs[below].below
	}
	return above, below
}

// used reports whether the agent has used any of the n numbers from seq.
func (a *authors) used(agent int32, seq, n int) bool {
	if agent < 0 {
		return false
	}
	above, below := a.neighbours(agent, int32(seq))
	return above >= 0 && int(a.runs[above].seq) < seq+n || below >= 0 && int(a.upTo(below)) > seq
}

// add appends n events by an agent that lookup found at index agent, or did
// not find (-1). The numbers must be free.
func (a *authors) add(name []byte, agent int32, seq, n int) {
	if agent < 0 {
		agent = a.intern(name)
	}
	if !a.continues(agent, seq) {
		a.begin(agent, int32(seq))
	}
	a.end += LV(n)
}

// continues reports whether events of an agent from seq on continue the last run.
func (a *authors) continues(agent int32, seq int) bool {
	last := int32(len(a.runs) - 1)
	return last >= 0 && a.runs[last].agent == agent && int(a.upTo(last)) == seq
}

// begin appends a run.
func (a *authors) begin(agent, seq int32) {
	next := int32(len(a.runs))
	above, below := a.neighbours(agent, seq)
	push(&a.runs, authorRun{a.end, agent, seq, below})
	if above >= 0 {
		a.runs[above].below = next
	} else {
		a.latest[agent] = next
	}
}

func (a *authors) intern(name []byte) int32 {
	if a.byName == nil {
		a.byName = map[string]int32{}
	}
	agent := int32(len(a.names))
	kept := string(name)
	a.names = append(a.names, kept)
	a.latest = append(a.latest, -1)
	a.byName[kept] = agent
	return agent
}

// compare orders two events by their agents' names, bytewise, and then by
// their sequence numbers.
func (a *authors) compare(x, y LV) int {
	rx, ry := &a.runs[a.find(x)], &a.runs[a.find(y)]
	if rx.agent == ry.agent {
		return int(rx.seq-ry.seq) + int(x-rx.start) - int(y-ry.start)
	}
	return strings.Compare(a.names[rx.agent], a.names[ry.agent])
}

// calls says which events one call of Add made: runs of calls of equal size,
// each run ending where the next begins.
type calls struct {
	runs []callRun
	end  LV
}

type callRun struct {
	start LV
	size  int32
}

func (c *calls) add(n int) {
	if !c.continues(n) {
		push(&c.runs, callRun{c.end, int32(n)})
	}
	c.end += LV(n)
}

// continues reports whether a call of n events is as large as the one before.
func (c *calls) continues(n int) bool {
	return len(c.runs) > 0 && c.runs[len(c.runs)-1].size == int32(n)
}

// of returns the first event of the call that made lv, and its size.
func (c *calls) of(lv LV) (LV, int32) {
	r := c.runs[floor(len(c.runs), func(i int) bool { return c.runs[i].start > lv })]
	return r.start + (lv-r.start)/LV(r.size)*LV(r.size), r.size
}
