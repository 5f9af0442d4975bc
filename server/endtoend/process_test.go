package endtoend

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"doorstep/server"
)

// process is the real server as a program of its own, which can be killed and
// started again on what it left.
type process struct {
	t      *testing.T
	cfg    server.Config
	file   string // its configuration
	binary string

	mu   sync.Mutex
	addr string        // guarded by mu
	up   chan struct{} // guarded by mu; closed while it serves
	op   server.Operator
	now  *life // the life that runs, nil between two
}

// program builds the server once for all tests.
var program = sync.OnceValues(func() (string, error) {
	dir, err := workshop()
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, "doorstep")
	if said, err := exec.Command("go", "build", "-o", out, "doorstep/server/cmd/doorstep").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the server: %w\n%s", err, said)
	}
	return out, nil
})

// newProcess begins a borough and serves it by the real program, its configuration
// adjusted.
func newProcess(t *testing.T, c caseload, adjust ...func(*server.Config)) (*process, *life) {
	t.Helper()
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cfg: newConfig(t), file: filepath.Join(t.TempDir(), "doorstep.toml"), binary: binary, up: make(chan struct{})}
	for _, set := range adjust {
		set(&p.cfg)
	}
	if _, err := server.Init(t.Context(), p.cfg, server.FirstUser{Login: "it", Name: "IT", Password: password}); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := server.WriteConfig(&b, p.cfg); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.abandon)
	l := p.begin()
	p.serving(l)
	bringIn(t, p, c)
	return p, l
}

func (p *process) config() server.Config { return p.cfg }

func (p *process) address() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.addr
}

// served returns a channel that is closed once the server can be reached.
func (p *process) served() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.up
}

// operator reaches the running server through its admin socket.
func (p *process) operator() server.Operator {
	p.t.Helper()
	if p.op != nil {
		return p.op
	}
	var err error
	if p.op, err = server.OpenOperator(p.cfg, io.Discard); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { closing(p.t, p.op.Close) })
	return p.op
}

// life is one run of the program.
type life struct {
	cmd   *exec.Cmd
	said  chan string // the address, once it serves; closed when the log ends
	last  *bytes.Buffer
	ended chan struct{} // closed when its log was read to the end
}

// begin starts the program and does not wait for it to serve.
func (p *process) begin() *life {
	p.t.Helper()
	l := &life{cmd: exec.Command(p.binary, "serve", "--config", p.file), said: make(chan string, 1),
		last: &bytes.Buffer{}, ended: make(chan struct{})}
	log, err := l.cmd.StderrPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := l.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.now = l
	go l.listen(log)
	return l
}

// listen reads the log, for the line that names the address, and keeps what is
// not an everyday line to show if the test fails.
func (l *life) listen(log io.Reader) {
	defer close(l.ended)
	defer close(l.said)
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		var line struct{ Level, Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Level == "INFO" {
			if line.Msg == "serving" {
				l.said <- line.Address
			}
			continue
		}
		l.last.Write(lines.Bytes())
		l.last.WriteByte('\n')
	}
}

// serving waits until the program serves.
func (p *process) serving(l *life) {
	p.t.Helper()
	addr, ok := <-l.said
	if !ok {
		<-l.ended
		p.now = nil
		p.t.Fatalf("the server ended by itself: %v\n%s", l.cmd.Wait(), l.last)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.addr = addr
	close(p.up)
}

// down says that the server cannot be reached.
func (p *process) down() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.up:
		p.up = make(chan struct{})
	default: // it never served
	}
}

// end sends the program a signal, SIGKILL or SIGTERM, and waits until it is gone.
func (p *process) end(l *life, with syscall.Signal) {
	p.t.Helper()
	p.down()
	p.now = nil
	if err := l.cmd.Process.Signal(with); err != nil {
		<-l.ended
		p.t.Fatalf("the server was gone before it was ended: %v\n%s", l.cmd.Wait(), l.last)
	}
	<-l.ended
	err := l.cmd.Wait()
	status, _ := l.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if with == syscall.SIGTERM && err != nil || with == syscall.SIGKILL && status.Signal() != with {
		p.t.Fatalf("the server ended otherwise than by the signal: %v\n%s", err, l.last)
	}
}

// abandon leaves no server behind when a test fails half way.
func (p *process) abandon() {
	if p.now != nil {
		_ = p.now.cmd.Process.Kill() // it may have ended by itself
		<-p.now.ended
		_ = p.now.cmd.Wait()
	}
}
