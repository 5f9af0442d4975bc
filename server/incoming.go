package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/disk"
	"doorstep/server/internal/metrics"
	"doorstep/server/internal/pages"
	"doorstep/syncproto"
)

// ImportConfig says where the case-management system leaves its files.
type ImportConfig struct {
	Folder string        `koanf:"folder" doc:"Folder that is watched for sets of CSV files: each a folder of its own in it, taken once it holds a file named done. Empty: none is watched."`
	Keep   time.Duration `koanf:"keep" doc:"How long sets that were dealt with stay in the folders taken and refused beside, with their reports, before they are removed. They are about people."`
}

func (c ImportConfig) check(f *faults, data string) {
	f.unless(c.Folder == "" || filepath.IsAbs(c.Folder) && !within(data, c.Folder) && !within(c.Folder, data), "import.folder must be an absolute path outside data.dir")
	f.unless(c.Keep >= time.Hour, "import.keep must be an hour or more")
}

const (
	incomingEvery = 5 * time.Second
	incomingDone  = "done" // the file that says that a set is whole
	takenFolder   = "taken"
	refusedFolder = "refused"
	reportFile    = "report.json"
	reportWords   = "report.txt"
	// stamp begins the name of a set that was dealt with.
	stamp = "20060102T150405Z"
	// setsShown is how many of them the desk's page shows, and problemsShown of how many problems each.
	setsShown, problemsShown = 30, 20
	maxReport                = 8 << 20
)

// incoming takes in what the case-management system leaves in a folder.
type incoming struct {
	op   Operator
	cfg  ImportConfig
	now  func() time.Time
	role func(syncproto.UserID) access.Role
	warn func(msg string, args ...any)
	log  func(msg string, args ...any)

	mu      sync.Mutex           // guards what follows
	stuck   map[string]time.Time // sets that could not be taken or moved, and when they are tried again
	trouble bool                 // the folder cannot be read
	newest  metrics.Import       // how the newest set fared when the folder was last looked at
}

// startIncoming watches the folder of the configuration.
func (b *borough) startIncoming(op Operator) {
	if b.cfg.Import.Folder == "" {
		return
	}
	state := b.store.State()
	b.incoming = &incoming{op: op, cfg: b.cfg.Import, now: time.Now, warn: b.log.Warn, log: b.log.Info, stuck: map[string]time.Time{},
		role: func(id syncproto.UserID) access.Role { u, _ := state.User(id); return access.Role(u.Role) }}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); b.incoming.run(ctx) }()
	b.onClose("what is imported", func() error { stop(); <-done; return nil })
}

func (in *incoming) run(ctx context.Context) {
	tick := time.NewTicker(incomingEvery)
	defer tick.Stop()
	for {
		in.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look takes every set that is whole, in the order of their names, and removes old ones.
func (in *incoming) look(ctx context.Context) {
	sets, err := os.ReadDir(in.cfg.Folder)
	in.mu.Lock()
	said := in.trouble
	in.trouble = err != nil
	in.mu.Unlock()
	if err != nil && !said {
		in.warn("import.folder cannot be read", "reason", err.Error())
	}
	in.forget(sets)
	for _, set := range sets {
		name := set.Name()
		if ctx.Err() != nil || !set.IsDir() || name == takenFolder || name == refusedFolder || strings.HasPrefix(name, ".") || !exists(filepath.Join(in.cfg.Folder, name, incomingDone)) {
			continue
		}
		in.mu.Lock()
		wait := in.now().Before(in.stuck[name])
		in.mu.Unlock()
		if wait {
			continue
		}
		if err := in.take(ctx, name); err != nil && ctx.Err() == nil {
			in.warn("a set of files could not be imported, and is tried again in a minute", "set", name, "reason", err.Error())
			in.mu.Lock()
			in.stuck[name] = in.now().Add(time.Minute)
			in.mu.Unlock()
		}
	}
	in.removeOld()
	in.remember()
}

// forget drops what is known of sets that somebody took away.
func (in *incoming) forget(sets []fs.DirEntry) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.trouble {
		return
	}
	maps.DeleteFunc(in.stuck, func(name string, _ time.Time) bool {
		return !slices.ContainsFunc(sets, func(set fs.DirEntry) bool { return set.Name() == name })
	})
}

// take imports one set, writes the report into its folder and moves that away. What was
// taken and not moved, because the process ended, is taken again: the same files twice
// store nothing twice.
func (in *incoming) take(ctx context.Context, name string) error {
	dir := filepath.Join(in.cfg.Folder, name)
	files, err := ZipFolder(dir)
	if err != nil {
		return err
	}
	report, err := in.op.Import(ctx, ImportFiles{Zip: files})
	if err != nil {
		return err
	}
	whole, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	words := strings.Join(ReportLines(&report), "\n") + "\n"
	if err := errors.Join(disk.Replace(disk.Local{}, filepath.Join(dir, reportFile), whole), disk.Replace(disk.Local{}, filepath.Join(dir, reportWords), []byte(words))); err != nil {
		return err
	}
	where := takenFolder
	if len(report.Problems) > 0 {
		where = refusedFolder
	}
	in.log("a set of files was dealt with", "set", name, "result", where, "problems", len(report.Problems), "unchanged", report.Unchanged)
	to := filepath.Join(in.cfg.Folder, where)
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	if err := os.Rename(dir, filepath.Join(to, in.now().UTC().Format(stamp)+"-"+name)); err != nil {
		return fmt.Errorf("moving a set away: %w", err)
	}
	in.mu.Lock()
	delete(in.stuck, name)
	in.mu.Unlock()
	return disk.Local{}.SyncDir(in.cfg.Folder)
}

// dealt is one set that was dealt with.
type dealt struct {
	name, dir string
	at        time.Time
	refused   bool
}

// dealtWith lists them, the newest first.
func (in *incoming) dealtWith() (out []dealt) {
	for _, where := range []string{takenFolder, refusedFolder} {
		sets, err := os.ReadDir(filepath.Join(in.cfg.Folder, where))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			continue // run says so
		}
		for _, set := range sets {
			when, name, _ := strings.Cut(set.Name(), "-")
			if at, err := time.Parse(stamp, when); err == nil && set.IsDir() {
				out = append(out, dealt{name, filepath.Join(in.cfg.Folder, where, set.Name()), at, where == refusedFolder})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b dealt) int { return b.at.Compare(a.at) })
	return out
}

func (in *incoming) removeOld() {
	for _, d := range in.dealtWith() {
		if in.now().Sub(d.at) <= in.cfg.Keep {
			continue
		}
		if err := os.RemoveAll(d.dir); err != nil {
			in.warn("an old set of files could not be removed", "set", d.name, "reason", err.Error())
		}
	}
}

// Imported implements pages.Imports. A report says nothing about families; it is for who
// can do something about it.
func (in *incoming) Imported(user syncproto.UserID) ([]pages.Imported, bool) {
	switch in.role(user) {
	case access.RoleCoordinator, access.RoleManager, access.RoleIT, access.RoleGovernance, access.RoleAnalyst:
	default:
		return nil, true
	}
	var out []pages.Imported
	for _, d := range in.dealtWith() {
		if len(out) == setsShown {
			break
		}
		one := pages.Imported{Name: d.name, At: d.at, Failed: d.refused, Outcome: "Its report is not there any more."}
		if b, err := disk.ReadFile(disk.Local{}, filepath.Join(d.dir, reportFile), maxReport); err == nil {
			var report ImportReport
			if json.Unmarshal(b, &report) == nil {
				say(&one, &report)
			}
		}
		out = append(out, one)
	}
	return out, true
}

// say puts a report into the words of the page.
func say(one *pages.Imported, report *ImportReport) {
	lines := ReportLines(report)
	one.Outcome = lines[len(lines)-1]
	for i := range report.Problems {
		if i == problemsShown {
			one.More = len(report.Problems) - i
			break
		}
		one.Problems = append(one.Problems, lines[len(report.Files)+i])
	}
}

// ReportLines is a report in words: a line for each file and for each problem, and last
// what came of it.
func ReportLines(r *ImportReport) (out []string) {
	for _, f := range r.Files {
		out = append(out, fmt.Sprintf("read %s: %d lines", f.Name, f.Lines))
	}
	for _, p := range r.Problems {
		out = append(out, fmt.Sprintf("%s%s (%s)", placeOf(p), p.Plain, p.Code))
	}
	if len(r.Problems) > 0 {
		return append(out, fmt.Sprintf("%d problems; nothing was imported.", len(r.Problems)))
	}
	for _, a := range r.Absent {
		out = append(out, fmt.Sprintf("note: %d lines of earlier imports are not in %s now; they stay as they are", a.Count, a.File))
	}
	if r.Unchanged {
		return append(out, "Everything is there already; nothing was stored.")
	}
	return append(out, fmt.Sprintf("Imported: %d new accounts, %d new records, %d changed records, %d relations granted, %d ended.",
		len(r.NewAccounts), r.NewRecords, r.Changed, r.Granted, r.Ended))
}

// placeOf says where a problem is, as far as it is in one place.
func placeOf(p ImportProblem) string {
	switch {
	case p.File == "":
		return ""
	case p.Line == 0:
		return p.File + ": "
	case p.Column == "":
		return fmt.Sprintf("%s:%d: ", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d: %s: ", p.File, p.Line, p.Column)
}

// remember keeps how the newest set fared.
func (in *incoming) remember() {
	var out metrics.Import
	for i, d := range in.dealtWith() {
		if i == 0 {
			out.Refused = d.refused
		}
		if !d.refused {
			out.Taken = d.at
			break
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	out.Stuck = in.trouble || len(in.stuck) > 0
	in.newest = out
}

// figures says how the newest set fared, without looking: the folder may be a share that
// does not answer. nil: no folder is watched.
func (in *incoming) figures() *metrics.Import {
	if in == nil {
		return nil
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	out := in.newest
	return &out
}
