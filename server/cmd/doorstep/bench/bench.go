package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// Options say what is measured. The zero value of each number is its default.
type Options struct {
	URL    string // of a running server; empty: boroughs of our own are started
	People string // file with the sign-ins for that server
	PID    int    // its process, if it runs on this machine and its CPU is to be measured
	Folder string // where boroughs and the bare limits write; empty: a temporary folder
	Only   string // one of the parts; empty: all

	Devices int   // that push at once
	Batch   int   // visits in one request
	Batches int   // requests of each device in one round
	Rounds  int   // of pushing, each beside the limits
	Pull    int   // visits that a fresh device pulls
	Pulls   int   // one-record pulls from each borough
	Sizes   []int // visits in the boroughs that one-record pulls are made from
	StartUp int   // small changes in the borough whose start or memory is measured
	Streams int   // idle event streams whose memory is measured

	DeskVisits int // in the borough that a coordinator of a tenth of its families looks through
	DeskPages  int // of the queue, and searches

	Profile       string  // the load of a borough that is played instead of all else; empty: none
	Tablets       int     // that play it
	Practitioners int     // whom they stand for; 0: the profile's own number
	PressedInto   float64 // seconds that it takes

	rest time.Duration // how long a server is left alone before its memory is read
}

// The parts of a run.
const (
	PartPush      = "push"
	PartFreshPull = "fresh-pull"
	PartOnePull   = "one-pull"
	PartDesk      = "desk"
	PartStartUp   = "start-up" // only when asked for by name
	PartProofs    = "proofs"   // only when asked for by name
	PartGuards    = "guards"   // only when asked for by name
	PartSafe      = "safe"     // only when asked for by name
	PartMemory    = "memory"   // only when asked for by name
)

// measures reports whether a part is wanted.
func (o Options) measures(part string) bool { return o.Only == "" || o.Only == part }

// The defaults: 8 tablets send 64 visits a request, seven rounds of 64 MB each. A
// round begins and ends with tablets that wait for others; it is so long that this
// takes little of it.
const (
	defaultDevices = 8
	defaultBatch   = 64
	defaultBatches = 32
	defaultRounds  = 7
	defaultPull    = 4_000
	defaultPulls   = 200
	defaultStartUp = 1_000_000
	defaultStreams = 5_000
	defaultTablets = 120
	defaultPressed = 60  // seconds
	maxBatch       = 256 // of 4 KB visits, well within a request
)

// DefaultSizes are the sizes of borough, in visits, in which the pull of one
// record is measured.
func DefaultSizes() []int { return []int{4_000, 40_000, 400_000} }

func (o Options) withDefaults() (Options, error) {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&o.Devices, defaultDevices}, {&o.Batch, defaultBatch}, {&o.Batches, defaultBatches},
		{&o.Rounds, defaultRounds}, {&o.Pull, defaultPull}, {&o.Pulls, defaultPulls}, {&o.StartUp, defaultStartUp}, {&o.Streams, defaultStreams},
		{&o.DeskVisits, deskVisits}, {&o.DeskPages, deskPages}, {&o.Tablets, defaultTablets},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
		if *d.field < 0 {
			return o, errors.New("numbers must not be negative")
		}
	}
	parts := []string{PartPush, PartFreshPull, PartOnePull, PartDesk, PartStartUp, PartProofs, PartGuards, PartSafe, PartMemory}
	if o.Only != "" && !slices.Contains(parts, o.Only) {
		return o, fmt.Errorf("there is no part %q: there are %s", o.Only, strings.Join(parts, ", "))
	}
	if o.Profile != "" && !slices.Contains(profileNames(), o.Profile) {
		return o, fmt.Errorf("there is no profile %q: there are %s", o.Profile, strings.Join(profileNames(), ", "))
	}
	if o.PressedInto == 0 {
		o.PressedInto = defaultPressed
	}
	if o.Practitioners < 0 || o.PressedInto < 0 || o.Profile != "" && (o.Only != "" || o.URL != "") {
		return o, errors.New("a profile is measured by itself, on a server of our own, with numbers that are not negative")
	}
	if o.Batch > maxBatch {
		return o, fmt.Errorf("a request takes at most %d visits", maxBatch)
	}
	if o.rest == 0 {
		o.rest = leftAlone
	}
	if o.Sizes == nil {
		o.Sizes = DefaultSizes()
	}
	if slices.ContainsFunc(o.Sizes, func(n int) bool { return n <= 0 }) {
		return o, errors.New("sizes must be 1 or more")
	}
	if (o.URL == "") != (o.People == "") {
		return o, errors.New("a running server needs its address and a file of people")
	}
	return o, nil
}

// Run measures and returns the figures. It tells on progress what it is doing.
func Run(ctx context.Context, o Options, progress io.Writer) (r *Report, err error) {
	o, err = o.withDefaults()
	if err != nil {
		return nil, err
	}
	folder, remove, err := o.folder()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	b := &bench{o: o, folder: folder, progress: progress, began: time.Now(), report: newReport(o)}
	if o.URL != "" {
		err = b.measureRunning(ctx)
	} else {
		err = b.measureOwn(ctx)
	}
	return b.report, err
}

// folder is where everything is written, and how it is removed.
func (o Options) folder() (string, func() error, error) {
	if o.Folder != "" {
		return o.Folder, func() error { return nil }, os.MkdirAll(o.Folder, 0o700)
	}
	dir, err := os.MkdirTemp("", "doorstep-bench-")
	return dir, func() error { return os.RemoveAll(dir) }, err
}

// bench is one run.
type bench struct {
	o        Options
	folder   string
	progress io.Writer
	began    time.Time
	report   *Report
	kill     func() error // the process that was started last
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.progress, "[%5.1f s] %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

// measureOwn starts a borough for pushing, and one of each size for pulling, so
// that pulls from all sizes are made side by side.
func (b *bench) measureOwn(ctx context.Context) error {
	if b.o.Profile != "" {
		return b.measureProfile(ctx)
	}
	if b.o.measures(PartPush) {
		if err := b.withSite(ctx, "push", func(s *site) error { return b.measurePush(ctx, s) }); err != nil {
			return err
		}
	}
	if b.o.measures(PartFreshPull) {
		if err := b.withSite(ctx, "pull", func(s *site) error { return b.measureFreshPull(ctx, s) }); err != nil {
			return err
		}
	}
	if b.o.measures(PartDesk) {
		if err := b.measureDesk(ctx); err != nil {
			return err
		}
	}
	if b.o.Only == PartStartUp {
		return b.measureStartUp(ctx)
	}
	if b.o.Only == PartProofs {
		return b.measureProofs(ctx)
	}
	if b.o.Only == PartGuards {
		return b.measureGuards(ctx)
	}
	if b.o.Only == PartSafe {
		return b.measureSafe(ctx)
	}
	if b.o.Only == PartMemory {
		return b.measureMemory(ctx)
	}
	if !b.o.measures(PartOnePull) {
		return nil
	}
	return b.withSizes(ctx, slices.Sorted(slices.Values(b.o.Sizes)), nil)
}

// withSite starts a borough for as long as fn takes.
func (b *bench) withSite(ctx context.Context, name string, fn func(*site) error) (err error) {
	s, err := b.startSite(ctx, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return fn(s)
}

// withSizes starts and fills a borough of each size, and then compares them.
func (b *bench) withSizes(ctx context.Context, sizes []int, filled []*site) error {
	if len(sizes) == 0 {
		return b.measureOnePulls(ctx, filled)
	}
	return b.withSite(ctx, fmt.Sprintf("of-%d", sizes[0]), func(s *site) error {
		if err := b.fill(ctx, s, sizes[0]); err != nil {
			return err
		}
		return b.withSizes(ctx, sizes[1:], append(filled, s))
	})
}

// measureRunning does the same against one running server, whose size is what it is.
func (b *bench) measureRunning(ctx context.Context) (err error) {
	s, err := b.runningSite(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if b.o.measures(PartPush) {
		if err := b.measurePush(ctx, s); err != nil {
			return err
		}
	}
	if b.o.measures(PartFreshPull) {
		if err := b.measureFreshPull(ctx, s); err != nil {
			return err
		}
	}
	if !b.o.measures(PartOnePull) {
		return nil
	}
	return b.measureOnePulls(ctx, []*site{s})
}
