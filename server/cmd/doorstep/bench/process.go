package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"doorstep/server"
)

// process is a server in a process of its own, so that its CPU seconds are its own.
type process struct {
	cmd  *exec.Cmd
	url  string
	read chan struct{} // closed when its log was read to the end
}

// startProcess serves a borough by the program that is running, as `doorstep serve`.
func startProcess(ctx context.Context, cfg server.Config, dir string) (*process, error) {
	var text bytes.Buffer
	if err := server.WriteConfig(&text, cfg); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "doorstep.toml")
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	p := &process{cmd: exec.CommandContext(ctx, program, serveCommand(dir), "--config", file), read: make(chan struct{})}
	p.cmd.Args[0] = "doorstep"
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	log, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	keep, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the server: %w", err), keep.Close())
	}
	address := make(chan string, 1)
	go p.listen(log, keep, address)
	at, ok := <-address
	if !ok {
		return nil, errors.Join(fmt.Errorf("the server did not start, see %s", keep.Name()), p.cmd.Wait())
	}
	p.url = "http://" + at
	return p, nil
}

// The hidden commands that serve without something, for this alone: without proofs,
// and without anything that says who may do what and who did.
const (
	ServeUnproven  = "bench-serve-unproven"
	ServeUnguarded = "bench-serve-unguarded"
)

// serveCommand is how a borough of ours is served.
func serveCommand(dir string) string {
	switch filepath.Base(dir) {
	case unproven:
		return ServeUnproven
	case unguarded:
		return ServeUnguarded
	}
	return "serve"
}

// listen reads the log for the line that names the address, and keeps it.
func (p *process) listen(log io.Reader, keep *os.File, address chan<- string) {
	defer close(p.read)
	defer close(address)
	defer keep.Close()
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		fmt.Fprintf(keep, "%s\n", lines.Bytes())
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			address <- line.Address
		}
	}
}

// stop ends the server and waits until it is gone.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping the server: %w", err)
	}
	<-p.read
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("the server ended badly: %w", err)
	}
	return nil
}

// cpuTick is the unit of Linux's process times, the same on all its platforms.
const cpuTick = 10 * time.Millisecond

// cpuOf is the CPU time of a process so far; 0 if it cannot be told.
func cpuOf(pid int) time.Duration {
	if pid == 0 {
		return 0
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The second field is the program's name in brackets, which may hold anything.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return 0
	}
	user, err1 := strconv.Atoi(string(fields[11]))
	system, err2 := strconv.Atoi(string(fields[12]))
	if err1 != nil || err2 != nil {
		return 0
	}
	return time.Duration(user+system) * cpuTick
}

// idleCPU is how long the machine's CPUs had nothing to do so far, waits for the
// disk included; 0 if it cannot be told.
func idleCPU() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	all, _, _ := bytes.Cut(text, []byte("\n"))
	fields := bytes.Fields(all) // cpu user nice system idle iowait ...
	if len(fields) < 6 {
		return 0
	}
	idle, err1 := strconv.Atoi(string(fields[4]))
	disk, err2 := strconv.Atoi(string(fields[5]))
	if err1 != nil || err2 != nil {
		return 0
	}
	return time.Duration(idle+disk) * cpuTick
}

// ownCPU is the CPU time of this process so far.
func ownCPU() time.Duration { return cpuOf(os.Getpid()) }
