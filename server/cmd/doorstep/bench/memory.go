package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"doorstep/server"
	"doorstep/server/internal/progress"
)

// Memory is what a server holds, as resident memory of its process in megabytes: with an
// empty borough, with so many idle event streams, and with so many changes. Each is the
// figure after it was left alone for a while.
type Memory struct {
	StartMS   float64 `json:"empty_start_ms"` // from the start of the process until it serves
	EmptyMB   float64 `json:"empty_mb"`       // nobody but the first account
	Streams   int     `json:"streams"`
	StreamKB  float64 `json:"stream_kb"` // each
	Changes   int     `json:"changes"`
	LoadedMB  float64 `json:"loaded_mb"`  // at its most while they were pushed
	AfterMB   float64 `json:"after_mb"`   // when that was over
	RestartMB float64 `json:"restart_mb"` // after a restart with all of them
	RestartMS float64 `json:"restart_ms"`
}

// memory is the name of the borough whose memory is measured.
const memory = "memory"

// maxStreams is more than anybody asks for.
const maxStreams = 100_000

// roomy is its configuration: all streams come from one address.
func roomy(cfg server.Config, streams int) server.Config {
	cfg.Limits.Streams, cfg.Limits.StreamsPerUser = streams, streamsEach
	cfg.Limits.Connections, cfg.Limits.PerAddress = streams+1024, streams+1024
	return cfg
}

// leftAlone is how long a server is left alone before its memory is read: longer than it
// takes to notice that nobody wants anything.
const leftAlone = 65 * time.Second

func (b *bench) measureMemory(ctx context.Context) error {
	out := &b.report.Memory
	out.Streams, out.Changes = b.o.Streams, b.o.StartUp
	if err := b.emptyMemory(ctx, out); err != nil {
		return err
	}
	s, err := b.startSite(ctx, memory)
	if err != nil {
		return err
	}
	if err := b.streamMemory(ctx, s, out); err != nil {
		return errors.Join(err, s.close())
	}
	for _, p := range s.pushers {
		p.notes = true
	}
	if err := b.fill(ctx, s, b.o.StartUp); err != nil {
		return errors.Join(err, s.close())
	}
	out.LoadedMB = residentMB(s.pid, "VmHWM")
	b.rest(ctx)
	out.AfterMB = residentMB(s.pid, "VmRSS")
	b.say("with %d changes: %.0f MB at the most, %.0f MB when that was over", out.Changes, out.LoadedMB, out.AfterMB)
	if err := s.close(); err != nil {
		return err
	}
	began := time.Now()
	p, err := startProcess(ctx, configOf(s.dir), s.dir)
	if err != nil {
		return err
	}
	out.RestartMS = ms(time.Since(began))
	b.rest(ctx)
	out.RestartMB = residentMB(p.cmd.Process.Pid, "VmRSS")
	return p.stop()
}

// emptyMemory starts a borough in which there is nobody but the first account.
func (b *bench) emptyMemory(ctx context.Context, out *Memory) error {
	dir := filepath.Join(b.folder, "empty")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	cfg := configOf(dir)
	if _, err := server.Init(ctx, cfg, server.FirstUser{Login: "operator", Name: "The Operator", Password: password}); err != nil {
		return fmt.Errorf("founding a borough: %w", err)
	}
	began := time.Now()
	p, err := startProcess(ctx, cfg, dir)
	if err != nil {
		return err
	}
	out.StartMS = ms(time.Since(began))
	b.rest(ctx)
	out.EmptyMB = residentMB(p.cmd.Process.Pid, "VmRSS")
	b.say("an empty borough: %.0f MB, started in %.0f ms", out.EmptyMB, out.StartMS)
	return p.stop()
}

// rest leaves the servers alone for a while.
func (b *bench) rest(ctx context.Context) {
	b.say("leaving the server alone for %.0f s", b.o.rest.Seconds())
	select {
	case <-time.After(b.o.rest):
	case <-ctx.Done():
	}
}

// streamMemory opens idle event streams and holds them.
func (b *bench) streamMemory(ctx context.Context, s *site, out *Memory) (err error) {
	tokens, err := s.listeners(ctx, (out.Streams+streamsEach-1)/streamsEach)
	if err != nil {
		return err
	}
	b.rest(ctx)
	before := residentMB(s.pid, "VmRSS")
	var open []net.Conn
	defer func() {
		for _, c := range open {
			err = errors.Join(err, c.Close())
		}
	}()
	opening := progress.Begin(ctx, "opening event streams", progress.Streams, int64(out.Streams))
	for n := range out.Streams {
		opening.Add(1)
		c, err := openStream(ctx, strings.TrimPrefix(s.url, "http://"), tokens[n/streamsEach])
		if err != nil {
			return fmt.Errorf("opening stream %d: %w", n+1, err)
		}
		open = append(open, c)
	}
	b.rest(ctx)
	out.StreamKB = (residentMB(s.pid, "VmRSS") - before) * 1024 / float64(max(out.Streams, 1))
	b.say("%d idle event streams: %.1f KB each", out.Streams, out.StreamKB)
	return nil
}

// streamsEach is how many streams one person opens.
const streamsEach = 16

// listeners are people who signed in.
func (s *site) listeners(ctx context.Context, n int) (tokens []string, err error) {
	operator, err := server.OpenOperator(configOf(s.dir), io.Discard)
	if err != nil {
		return nil, fmt.Errorf("reaching the server: %w", err)
	}
	defer func() { err = errors.Join(err, operator.Close()) }()
	for i := range n {
		login := fmt.Sprintf("listener.%03d", i)
		_, err := operator.AddUser(ctx, server.NewUser{Login: login, Name: login, Role: "practitioner", Password: password})
		if err != nil {
			return nil, err
		}
		token, err := signIn(ctx, s.url, login)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, token)
	}
	return tokens, nil
}

// signIn signs somebody in without a device.
func signIn(ctx context.Context, url, login string) (token string, err error) {
	body, err := json.Marshal(map[string]string{"login": login, "password": password})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/sign-in", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("signing in: %w", err)
	}
	defer res.Body.Close()
	var answer struct {
		Access string `json:"access_token"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&answer); err != nil || answer.Access == "" {
		return "", fmt.Errorf("signing in: %s, %w", res.Status, err)
	}
	return answer.Access, nil
}

// openStream opens an event stream and waits for its first event.
func openStream(ctx context.Context, address, token string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(c, "GET /v1/events HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\nAuthorization: Bearer %s\r\n\r\n", address, token)
	got := make([]byte, 0, 4096)
	for err == nil && !bytes.Contains(got, []byte("event: pull")) {
		var n int
		n, err = c.Read(got[len(got):cap(got)])
		if got = got[:len(got)+n]; len(got) == cap(got) {
			err = io.ErrShortBuffer
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w, after %q", err, got), c.Close())
	}
	return c, nil
}

// residentMB is a line of a process's status: VmRSS now, VmHWM at its most; 0 if it
// cannot be told.
func residentMB(pid int, line string) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	var kb float64
	_, after, _ := strings.Cut(string(text), "\n"+line+":")
	if _, err := fmt.Sscanf(after, "%f kB", &kb); err != nil {
		return 0
	}
	return kb / 1024
}

func (m *Memory) text(l *lines) {
	l.say("\nMemory of the server's process, left alone for a while")
	l.say("  %-44s %6.0f MB (goal: 60), started in %.0f ms", "an empty borough", m.EmptyMB, m.StartMS)
	l.say("  %-44s %6.1f KB each (goal: 30)", fmt.Sprintf("%d idle event streams", m.Streams), m.StreamKB)
	l.say("  %-44s %6.0f MB (goal: 512), started in %.0f ms", fmt.Sprintf("%d changes, after a restart", m.Changes), m.RestartMB, m.RestartMS)
	l.say("  %-44s %6.0f MB, and %.0f MB at its most before", "  after they were pushed", m.AfterMB, m.LoadedMB)
}
