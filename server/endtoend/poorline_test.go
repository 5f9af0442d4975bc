package endtoend

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// signal is how good a mobile signal is.
type signal struct {
	bytesPerSecond int           // each way, all connections together
	roundTrip      time.Duration // of a packet and its answer
	stall          time.Duration // longest time for which nothing passes at all; 0: it never stalls
	stallIn, cutIn int           // of so many packets one is held up by a stall, or cuts its connection; 0: none
	seed           uint64
}

// hallway is a signal that lets a page of text through in a second, now and then none.
func hallway(seed uint64) signal {
	return signal{bytesPerSecond: 50_000 / 8, roundTrip: 600 * time.Millisecond, stall: 1500 * time.Millisecond, stallIn: 20, cutIn: 100, seed: seed}
}

const (
	packetBytes = 1400
	// greetingTrips and greetingBytes are what a new connection costs before the first
	// byte of a request: one round trip for TCP and one for TLS 1.3, with the server's
	// certificates.
	greetingTrips = 2
	greetingBytes = 3000
)

// poorLine is a TCP proxy whose line can be poor or gone.
type poorLine struct {
	net.Listener
	to   func() string // where connections lead, as host and port
	wg   sync.WaitGroup
	mu   sync.Mutex
	up   *way                  // guarded by mu; nil: the line is good
	down *way                  // guarded by mu
	gone bool                  // guarded by mu
	open map[net.Conn]struct{} // guarded by mu
}

// newPoorLine begins with a good line.
func newPoorLine(t *testing.T, to func() string) *poorLine {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &poorLine{Listener: listener, to: to, open: map[net.Conn]struct{}{}}
	p.wg.Go(p.serve)
	t.Cleanup(func() {
		p.Close()
		p.goes()
		p.wg.Wait()
	})
	return p
}

// address makes it a site's (see site).
func (p *poorLine) address() string { return p.Addr().String() }

// goes takes the signal away: every connection is cut, and none begins.
func (p *poorLine) goes() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = true
	for c := range p.open {
		c.Close()
	}
}

// comes gives a signal.
func (p *poorLine) comes(s signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = false
	p.up, p.down = &way{signal: s, chance: rand.New(rand.NewPCG(s.seed, 4))}, &way{signal: s, chance: rand.New(rand.NewPCG(s.seed, 5))}
}

// good makes the line a good one.
func (p *poorLine) good() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone, p.up, p.down = false, nil, nil
}

func (p *poorLine) serve() {
	for {
		near, err := p.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.carry(near) })
	}
}

// carry carries one connection until either end closes it or the line cuts it.
func (p *poorLine) carry(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", p.to())
	if err != nil {
		return
	}
	defer far.Close()
	p.mu.Lock()
	up, down, gone := p.up, p.down, p.gone
	if !gone {
		p.open[near] = struct{}{}
	}
	p.mu.Unlock()
	if gone {
		return
	}
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, near)
	}()
	if up != nil {
		up.greet(down)
	}
	var both sync.WaitGroup
	for _, one := range []struct {
		way      *way
		from, to net.Conn
	}{{up, near, far}, {down, far, near}} {
		both.Go(func() {
			_ = one.way.pass(one.from, one.to) // however it ends, the connection has ended
			near.Close()
			far.Close()
		})
	}
	both.Wait()
}

// way is one direction of a line.
type way struct {
	signal
	mu     sync.Mutex
	free   time.Time  // when the next byte can leave; guarded by mu
	chance *rand.Rand // guarded by mu
}

// packet is what is under way.
type packet struct {
	bytes   []byte
	arrives time.Time
}

// pass carries what comes from one end to the other, and ends with the connection.
func (w *way) pass(from io.Reader, to io.Writer) error {
	if w == nil {
		_, err := io.Copy(to, from)
		return err
	}
	under := make(chan packet, 64)
	arrived := make(chan error, 1)
	go func() { arrived <- deliver(under, to) }()
	err := w.send(from, under)
	close(under)
	return errors.Join(err, <-arrived)
}

// send sends packets, no faster than the line lets them leave.
func (w *way) send(from io.Reader, under chan<- packet) error {
	for {
		b := make([]byte, packetBytes)
		n, err := from.Read(b)
		if n > 0 {
			left, cut := w.leave(n)
			if cut {
				return errCut
			}
			<-time.After(time.Until(left))
			under <- packet{b[:n], left.Add(w.roundTrip / 2)}
		}
		if err != nil {
			return nil // the end of what was sent is no fault of the line
		}
	}
}

// deliver hands packets over when they arrive.
func deliver(under <-chan packet, to io.Writer) (err error) {
	for p := range under {
		if err == nil {
			<-time.After(time.Until(p.arrives))
			_, err = to.Write(p.bytes)
		}
	}
	return err
}

// leave says when a packet of n bytes has left, or that the line cuts it off.
func (w *way) leave(n int) (left time.Time, cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cutIn > 0 && w.chance.IntN(w.cutIn) == 0 {
		return time.Time{}, true
	}
	if now := time.Now(); w.free.Before(now) {
		w.free = now
	}
	if w.stallIn > 0 && w.chance.IntN(w.stallIn) == 0 {
		w.free = w.free.Add(time.Duration(w.chance.Int64N(int64(w.stall))))
	}
	w.free = w.free.Add(time.Duration(n) * time.Second / time.Duration(w.bytesPerSecond))
	return w.free, false
}

// greet takes the time that a new connection needs before a request can leave.
func (w *way) greet(down *way) {
	left, _ := down.leave(greetingBytes)
	<-time.After(time.Until(left) + greetingTrips*w.roundTrip)
}
