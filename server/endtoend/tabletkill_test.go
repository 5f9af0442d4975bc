package endtoend

import (
	"bufio"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"doorstep/client-sdk/device"
	"doorstep/client-sdk/engine"
	"doorstep/server"
	"doorstep/syncproto"
	"doorstep/syncproto/text"
)

var tabletKills = flag.Int("tabletkills", 0, "times to kill the tablet in TestFault77KillTheRealTablet (default 40, with -short 5)")

// The tablet is this test program itself, started with these in its environment.
const (
	envStore = "DOORSTEP_TEST_STORE" // the folder of its store
	envPlace = "DOORSTEP_TEST_PLACE" // where the server listens
	envLife  = "DOORSTEP_TEST_LIFE"  // which life of the tablet this is; empty: the last, which only sends
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(envStore); dir != "" {
		if err := tabletLife(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if dir, err := workshop(); err == nil {
		_ = os.RemoveAll(dir) // what is left there is in nobody's way
	}
	os.Exit(code)
}

// workshop is the folder of what is built once for all tests.
var workshop = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "doorstep-built") })

// tabletLife is one life of the tablet: it types word after word, tells each on
// its standard output once the last keystroke's call has returned, and syncs
// meanwhile, until it is killed.
func tabletLife(dir string) error {
	store, err := device.OpenBadger(dir, device.BadgerOptions{})
	if err != nil {
		return err
	}
	client, err := device.NewClient(base, newLine(place{addr: os.Getenv(envPlace)}).http)
	if err != nil {
		return err
	}
	d, err := device.Open(store, client, device.Options{})
	if err != nil {
		return err
	}
	life := os.Getenv(envLife)
	if life == "" {
		return sendAll(d)
	}
	go func() {
		for {
			if _, err := d.Sync(context.Background()); err != nil {
				fmt.Fprintln(os.Stderr, "sync:", err)
			}
		}
	}()
	for n := 0; ; n++ {
		if err := typeWord(d, life, n); err != nil {
			return err
		}
	}
}

// sendAll syncs until nothing is left and closes the tablet.
func sendAll(d *device.Device) error {
	for {
		if _, err := d.Sync(context.Background()); err != nil {
			return err
		}
		o, err := d.Outbox()
		if err != nil {
			return err
		}
		if o.Changes+o.Drafts == 0 {
			return d.Close()
		}
		if err := saveDrafts(d); err != nil {
			return err
		}
	}
}

func saveDrafts(d *device.Device) error {
	var open []syncproto.RecordID
	if err := d.Read(func(e *engine.Engine) {
		for _, f := range e.Families() {
			for _, record := range e.Records(f.Family) {
				if e.Status(record).Draft {
					open = append(open, record)
				}
			}
		}
	}); err != nil {
		return err
	}
	for _, record := range open {
		if err := d.Save(record); err != nil {
			return err
		}
	}
	return nil
}

// wordsPerRecord keep the records of a long run small.
const wordsPerRecord = 400

// typeWord types one word at the end of the life's visit, letter by letter.
func typeWord(d *device.Device, life string, n int) error {
	var record syncproto.RecordID
	copy(record[:], fmt.Sprintf("%8s%08d", life, n/wordsPerRecord))
	if n%wordsPerRecord == 0 {
		var family syncproto.FamilyID
		if err := d.Read(func(e *engine.Engine) { family = e.Families()[0].Family }); err != nil {
			return err
		}
		if _, err := d.Edit(engine.Edit{Family: family, Record: record, Kind: "visit", Ops: []syncproto.Op{setText("place", "HOME")}}); err != nil {
			return fmt.Errorf("beginning a visit: %w", err)
		}
	}
	v, err := d.View(record)
	if err != nil {
		return err
	}
	f, _ := v.Field("household_summary")
	word, at := fmt.Sprintf("<%s.%d>", life, n), len([]rune(f.Text))
	for i, letter := range word {
		in := engine.Typing{Record: record, Path: syncproto.Path{Field: "household_summary"}, Splice: text.Splice{Pos: at + i, Ins: string(letter)}}
		_, _ = rand.Read(in.Salt[:]) // never fails, by its documentation
		if err := d.Type(in); err != nil {
			return fmt.Errorf("typing: %w", err)
		}
	}
	fmt.Println(word)
	return nil
}

// place is a server that only its address is known of.
type place struct{ addr string }

func (p place) address() string           { return p.addr }
func (p place) config() server.Config     { panic("bug: only the test knows the configuration") }
func (p place) operator() server.Operator { panic("bug: only the test is the operator") }

// TestFault77KillTheRealTablet kills a tablet's process again and again while its
// worker types and it syncs, and looks at the end for every word whose last
// keystroke had returned.
func TestFault77KillTheRealTablet(t *testing.T) {
	t.Parallel()
	kills := *tabletKills
	if kills == 0 {
		kills = 40
		if testing.Short() {
			kills = 5
		}
	}
	p, _ := newProcess(t, caseload{workers: 2, families: 1})
	dir := filepath.Join(t.TempDir(), "tablet")
	enrolOnDisk(t, p, dir)
	seed := seedOf(t, aTablet)
	chance := mrand.New(mrand.NewPCG(seed, 78))
	var words []string
	for n := range kills {
		words = append(words, liveAndDie(t, p, dir, n, time.Duration(chance.IntN(250_000))*time.Microsecond)...)
	}
	last := tabletProcess(dir, p, "")
	if out, err := last.CombinedOutput(); err != nil {
		t.Fatalf("the last life: %v\n%s", err, out)
	}
	reader := newTablet(t, p, 1, 7)
	reader.syncs()
	wantWords(t, reader, words)
	t.Logf("%d kills (seed %d): %d words were safe before the kill, all there once", kills, seed, len(words))
	if len(words) < kills {
		t.Errorf("only %d words in %d lives: the load was no load", len(words), kills)
	}
	record(t, killed{aTablet, seed, kills, len(words)})
}

// enrolOnDisk enrols worker 0 on a tablet with a real store and closes it.
func enrolOnDisk(t *testing.T, p *process, dir string) {
	t.Helper()
	code, err := p.operator().IssueCode(t.Context(), login(0))
	if err != nil {
		t.Fatal(err)
	}
	store, err := device.OpenBadger(dir, device.BadgerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := device.NewClient(base, newLine(p).http)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Enrol(t.Context(), store, device.Enrolment{Login: login(0), Password: password, Code: code.Code, Name: "tablet"}); err != nil {
		t.Fatal(err)
	}
	d, err := device.Open(store, client, device.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	closing(t, d.Close)
}

func tabletProcess(dir string, p *process, life string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envStore+"="+dir, envPlace+"="+p.address(), envLife+"="+life)
	return cmd
}

// liveAndDie lets the tablet type for a while after its first word, kills it, and
// returns the words that it told.
func liveAndDie(t *testing.T, p *process, dir string, n int, lives time.Duration) []string {
	t.Helper()
	cmd := tabletProcess(dir, p, "life"+strconv.Itoa(n))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var words []string
	var death sync.Once
	for lines := bufio.NewReader(out); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // what has no end was not told
		}
		words = append(words, strings.TrimSpace(line))
		death.Do(func() { time.AfterFunc(lives, func() { _ = cmd.Process.Kill() }) }) // the fault, not a wait for something
	}
	_ = cmd.Wait()
	if status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
		t.Fatalf("life %d ended otherwise than by the kill: %v\n%s", n, cmd.ProcessState, said.String())
	}
	return words
}

// wantWords looks for each word in what a colleague reads.
func wantWords(t *testing.T, reader *tablet, words []string) {
	t.Helper()
	var all strings.Builder
	if err := reader.Read(func(e *engine.Engine) {
		for _, f := range e.Families() {
			for _, record := range e.Records(f.Family) {
				v, err := e.View(record)
				if err != nil {
					t.Error(err)
					continue
				}
				f, _ := v.Field("household_summary")
				all.WriteString(f.Text)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	for _, part := range strings.SplitAfter(all.String(), ">") {
		if i := strings.LastIndexByte(part, '<'); i >= 0 {
			times[part[i:]]++
		}
	}
	for _, word := range words {
		if times[word] != 1 {
			t.Errorf("the word %s stands there %d times", word, times[word])
		}
	}
}
