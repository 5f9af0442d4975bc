package bench

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"doorstep/server"
	"doorstep/server/internal/journal"
)

// site is a server to measure, and the people who have families there: the last
// reads what the others write.
type site struct {
	name    string
	url     string
	dir     string // where tablets of it keep their stores
	journal string // folder of its journal; "": not known
	pid     int    // 0: not known
	people  []person
	pushers []*pusher
	reader  *pusher
	held    int // visits pushed into it
	unread  int // of these, not yet pulled by the reader
	close   func() error
}

// person is a sign-in and codes to enrol tablets with.
type person struct {
	login, password string
	codes           func(context.Context) (string, error)
}

// familiesEach is how many families a worker has: a usual caseload of one.
const familiesEach = 5

const password = "three score tablets and ten"

// startSite begins a borough in a folder, serves it from a process of its own,
// imports workers and families and enrols their tablets.
func (b *bench) startSite(ctx context.Context, name string) (*site, error) {
	return b.startWith(ctx, name, (*site).bringIn)
}

// bringing imports a caseload for so many devices.
type bringing func(s *site, ctx context.Context, operator server.Operator, devices int) error

// startWith is startSite with a caseload of its own.
func (b *bench) startWith(ctx context.Context, name string, bring bringing) (*site, error) {
	dir := filepath.Join(b.folder, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	cfg := configOf(dir)
	first := server.FirstUser{Login: "operator", Name: "The Operator", Password: password}
	if _, err := server.Init(ctx, cfg, first); err != nil {
		return nil, fmt.Errorf("founding a borough: %w", err)
	}
	p, err := startProcess(ctx, cfg, dir)
	if err != nil {
		return nil, err
	}
	s := &site{name: name, url: p.url, dir: dir, journal: filepath.Join(cfg.Data.Dir, "journal"), pid: p.cmd.Process.Pid, close: p.stop}
	if err := s.settle(ctx, cfg, b.o.Devices, bring); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// settle brings people and tablets into a new borough.
func (s *site) settle(ctx context.Context, cfg server.Config, devices int, bring bringing) (err error) {
	operator, err := server.OpenOperator(cfg, io.Discard)
	if err != nil {
		return fmt.Errorf("reaching the server: %w", err)
	}
	defer func() { err = errors.Join(err, operator.Close()) }()
	if err := bring(s, ctx, operator, devices); err != nil {
		return err
	}
	return s.enrol(ctx)
}

// configOf is the configuration of the borough in dir, on a free port.
func configOf(dir string) server.Config {
	cfg := server.DefaultConfig()
	cfg.Name, cfg.Borough = "Benchmark Borough", "benchmark"
	cfg.Data.Dir, cfg.Data.MinFreeMB = filepath.Join(dir, "data"), 512
	cfg.Secrets.Dir = filepath.Join(dir, "secrets")
	cfg.Listen.Address = "127.0.0.1:0"
	cfg.Log.Level = "info" // for the line that names the address
	switch filepath.Base(dir) {
	case safe:
		return safely(cfg, dir)
	case memory:
		return roomy(cfg, maxStreams)
	}
	return cfg
}

// bringIn imports a worker with families for each device, and one who works with
// all of these families.
func (s *site) bringIn(ctx context.Context, operator server.Operator, devices int) error {
	if err := s.load(ctx, operator, caseload(devices)); err != nil {
		return err
	}
	s.addPeople(operator, devices)
	return nil
}

// load imports CSV files.
func (s *site) load(ctx context.Context, operator server.Operator, files map[string][]string) error {
	packed, err := zipped(files)
	if err != nil {
		return err
	}
	report, err := operator.Import(ctx, server.ImportFiles{Zip: packed})
	if err != nil {
		return fmt.Errorf("importing the caseload: %w", err)
	}
	if len(report.Problems) > 0 {
		return fmt.Errorf("bug: the caseload has problems: %v", report.Problems)
	}
	return nil
}

// addPeople are those who push, one for each device, and the one who reads.
func (s *site) addPeople(operator server.Operator, devices int) {
	for n := range devices + 1 {
		name := login(n)
		s.people = append(s.people, person{login: name, password: password, codes: func(ctx context.Context) (string, error) {
			code, err := operator.IssueCode(ctx, name)
			return code.Code, err
		}})
	}
}

func login(n int) string { return fmt.Sprintf("worker.%03d", n) }

// caseload is the CSV files of an import.
func caseload(devices int) map[string][]string {
	workers := []string{"worker_ref,login,name,role,team_ref,qualified_social_worker"}
	families := []string{"family_ref,name,team_ref"}
	allocations := []string{"allocation_ref,family_ref,worker_ref,role,from,to,sw_reason"}
	for n := range devices + 1 {
		workers = append(workers, fmt.Sprintf("W-%d,%s,Worker %d,practitioner,T-1,Y", n, login(n), n))
	}
	for f := range devices * familiesEach {
		families = append(families, fmt.Sprintf("F-%d,Family %d,T-1", f, f))
		allocations = append(allocations,
			fmt.Sprintf("A-%d-L,F-%d,W-%d,LEAD,2025-03-03,,", f, f, f/familiesEach),
			fmt.Sprintf("A-%d-C,F-%d,W-%d,CO,2025-03-03,,", f, f, devices))
	}
	return map[string][]string{"teams.csv": {"team_ref,name", "T-1,The team"}, "workers.csv": workers,
		"families.csv": families, "allocations.csv": allocations}
}

// zipped is an archive of files of lines.
func zipped(files map[string][]string) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := z.Create(name)
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, strings.Join(files[name], "\n")+"\n"); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// runningSite is the server that the options name, with the people of their file:
// one a line, "login password code", the last being the reader.
func (b *bench) runningSite(ctx context.Context) (*site, error) {
	text, err := os.ReadFile(b.o.People)
	if err != nil {
		return nil, fmt.Errorf("reading the people: %w", err)
	}
	s := &site{name: "running", url: b.o.URL, dir: b.folder, pid: b.o.PID, close: func() error { return nil }}
	for _, line := range strings.Split(string(text), "\n") {
		parts := strings.Split(strings.TrimSpace(line), "\t")
		if parts[0] == "" || strings.HasPrefix(parts[0], "#") {
			continue
		}
		if len(parts) != 3 {
			return nil, fmt.Errorf("%s: each line has a login, a password and an enrolment code, with tabs between", b.o.People)
		}
		s.people = append(s.people, person{login: parts[0], password: parts[1],
			codes: func(context.Context) (string, error) { return parts[2], nil }})
	}
	if len(s.people) < 2 {
		return nil, fmt.Errorf("%s: at least two people are needed, the last of whom reads", b.o.People)
	}
	b.o.Devices = len(s.people) - 1
	b.report.Setup.Devices = b.o.Devices
	return s, s.enrol(ctx)
}

// enrol enrols a tablet for each person.
func (s *site) enrol(ctx context.Context) error {
	for n, who := range s.people {
		p, err := enrol(ctx, s.url, who, uint64(n+1))
		if err != nil {
			return err
		}
		s.pushers = append(s.pushers, p)
	}
	last := len(s.pushers) - 1
	s.pushers, s.reader = s.pushers[:last], s.pushers[last]
	return nil
}

// groups is how many groups the server's journal was written in so far; 0 if that
// cannot be told.
func (s *site) groups() int {
	if s.journal == "" {
		return 0
	}
	n, _, err := journal.CountGroups(s.journal)
	if err != nil {
		return 0
	}
	return n
}

// hangUp closes connections that are not in use.
func (s *site) hangUp() {
	for _, p := range append(s.pushers, s.reader) {
		p.wire.hangUp()
	}
}
