package demo

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"doorstep/syncproto"
)

// Options of a run.
type Options struct {
	// Caseload is the folder of the example caseload's CSV files. The day is
	// written for that caseload: its workers, its families.
	Caseload string
	// Folder is where everything is kept, made if it is not there and not removed
	// afterwards. Empty: a temporary folder, removed afterwards unless Keep.
	Folder string
	// Keep leaves a temporary folder, and its path is printed.
	Keep bool
	// Serve keeps the borough running after the day, until ctx ends, and prints
	// its address and how to sign in.
	Serve bool
	// Listen is the address to listen on. Empty: a free port of this machine.
	Listen string
	// Seed makes what the tablets draw (names of records, actors, salts) the
	// same again. 0 draws one. What the server draws, keys and the names of
	// people and families among it, is new in every run.
	Seed uint64
	// bare leaves out the days before that a served borough is furnished with.
	bare bool
	// months is how much of a past a served borough has.
	months int
}

// worker is somebody of the caseload.
type worker struct {
	login    string
	name     string
	role     string
	password string
}

// The people of the day, by their logins in the caseload.
const (
	amina = "amina.warsame"      // leads the case
	tom   = "tom.okafor"         // works on it too
	lena  = "lena.kowalczyk"     // does until today
	rhys  = "rhys.bevan"         // of the other team
	grace = "grace.mbeki"        // the team's coordinator
	sian  = "siân.prosser"       // the coordinator of the other team
	dilys = "dilys.marchmont"    // its manager
	sam   = "sam.fielding"       // IT
	pass  = "knock-twice-please" // of everybody, in a borough that lasts a minute
)

// child is one child of the family, and the child's part of the visit.
type child struct {
	name string
	id   syncproto.RecordID // of the person
	part syncproto.RecordID
}

// day is everything that the parts of the day share.
type day struct {
	opts    Options
	out     *report
	folder  string
	scripts []script
	staff   map[string]worker
	scene   *scene              // the borough and the tablets
	desks   map[string]*browser // signed in at a desk
	spent   usage               // by desks and tablets that are gone

	familyName string
	family     syncproto.FamilyID
	maya, jo   child
	plan       syncproto.RecordID
	rule       syncproto.ElementID // of the plan, over which two people differ
	visit      syncproto.RecordID
	opening    string // what the summary said before the visit
	finalText  string // what it says when the visit is sealed
}

// Run plays the day and returns nil if every claim held. It fails with a
// *ClaimError for the first that did not, and with whatever else goes wrong.
// With Serve it returns when ctx ends.
func Run(ctx context.Context, opts Options, out io.Writer) error {
	if opts.Seed == 0 {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails
		opts.Seed = binary.BigEndian.Uint64(b[:]) >> 33
	}
	scripts, err := loadTrace()
	if err != nil {
		return err
	}
	opts.months = pastMonths
	return run(ctx, opts, scripts, out)
}

// run is Run with what is typed as an argument.
func run(ctx context.Context, opts Options, scripts []script, out io.Writer) error {
	if err := checkCaseload(opts.Caseload); err != nil {
		return err
	}
	folder, remove, err := workFolder(opts)
	if err != nil {
		return err
	}
	defer remove()
	d := &day{opts: opts, out: newReport(out), folder: folder, scripts: scripts,
		staff: map[string]worker{}, desks: map[string]*browser{}}
	fmt.Fprintf(out, "A working day with Doorstep, played on %s (seed %d).\n", folder, opts.Seed)
	err = d.play(ctx)
	if err == nil && opts.Serve {
		err = d.serve(ctx)
	}
	return errors.Join(err, d.close())
}

// workFolder makes the folder that everything is kept in.
func workFolder(opts Options) (folder string, remove func(), err error) {
	if opts.Folder != "" {
		folder, err = filepath.Abs(opts.Folder)
		if err == nil {
			err = os.MkdirAll(folder, 0o700)
		}
		return folder, func() {}, err
	}
	folder, err = os.MkdirTemp("", "doorstep-demo-")
	if err != nil {
		return "", nil, fmt.Errorf("making a temporary folder: %w", err)
	}
	if opts.Keep {
		return folder, func() {}, nil
	}
	// What cannot be removed is left to the system's own cleaning.
	return folder, func() { _ = os.RemoveAll(folder) }, nil
}

// play goes through the parts of the day. Each ends with its claims: a part
// whose claims do not hold is the last.
func (d *day) play(ctx context.Context) error {
	parts := []struct {
		title string
		run   func(context.Context) error
	}{
		{"The night before: a borough is set up", d.setUp},
		{"08:30, the office: accounts and tablets", d.handOutTablets},
		{"09:10, the office: the visit is planned", d.planVisit},
		{"10:00, at the family's, without a signal", d.joinVisit},
		{"14:00, the office: Lena is taken off the case", d.takeOffCase},
		{"17:00, everybody comes back", d.comeBack},
		{"17:30, the coordinator's desk: two people differ", d.prepare},
		{"18:00, the people who may decide do", d.settle},
		{"18:20, the visit is made final", d.makeFinal},
		{"19:00, one tablet was still away", d.lateEdit},
		{"19:30, others than the workers on the case", d.doors},
		{"20:00, the server is restarted and its index thrown away", d.rebuild},
	}
	for _, part := range parts {
		d.out.begin(part.title)
		err := part.run(ctx)
		if broken := d.out.finish(); broken != nil {
			return broken
		}
		if err != nil {
			return fmt.Errorf("%s: %w", part.title, err)
		}
	}
	d.sumUp()
	return nil
}

// sumUp ends the day's report.
func (d *day) sumUp() {
	total := d.spent
	for _, t := range d.scene.tablets {
		total = total.plus(t.wire.used())
	}
	for _, b := range d.desks {
		total = total.plus(b.wire.used())
	}
	fmt.Fprintf(d.out.out, "\nAll %d claims were checked and hold. %s over HTTP, %s up and %s down, headers included; %s in all.\n",
		d.out.claims, some(int(total.trips), "request"), amount(total.up), amount(total.down), took(time.Since(d.out.began)))
}

// desk returns somebody's browser, signing them in the first time.
func (d *day) desk(ctx context.Context, login string) (*browser, error) {
	if b := d.desks[login]; b != nil {
		return b, nil
	}
	b, err := signIn(ctx, d.scene.town.url, d.staff[login])
	if err == nil {
		d.desks[login] = b
	}
	return b, err
}

// tablet is somebody's tablet, and name their name.
func (d *day) tablet(login string) *tablet { return d.scene.tablets[login] }
func (d *day) name(login string) string    { return d.staff[login].name }

// group lists the records that are sealed together.
func (d *day) group() []syncproto.RecordID {
	return []syncproto.RecordID{d.visit, d.maya.part, d.jo.part}
}

// logins lists everybody of the caseload, in order.
func (d *day) logins() []string {
	return slices.Sorted(maps.Keys(d.staff))
}

func (d *day) close() error {
	for _, b := range d.desks {
		b.wire.hangUp()
	}
	if d.scene == nil {
		return nil
	}
	return d.scene.close()
}
