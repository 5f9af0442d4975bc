package server

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"doorstep/server/internal/backup"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/progress"
	"doorstep/server/internal/tracing"
)

// BackupDone says what a backup holds.
type BackupDone = backup.Done

// BackupVerified says what was read of the backups.
type BackupVerified = backup.Verified

// ErrNoBackups says that the configuration names no place for backups.
var ErrNoBackups = errors.New("the configuration has no backup.dir")

// NewBackupIdentity draws the secret that opens backups into a new file and
// returns the recipient that backup.recipients must name.
func NewBackupIdentity(path string) (recipient string, err error) {
	return backup.NewIdentity(path, time.Now())
}

func (c Config) backupFolders() (backup.Folders, error) {
	if c.Backup.Dir == "" {
		return backup.Folders{}, ErrNoBackups
	}
	return backup.Folders{Dir: c.Backup.Dir, Keys: c.Backup.KeysDir}, nil
}

func (c Config) backupSource(data string) backup.Source {
	return backup.Source{
		Journal: filepath.Join(data, journalFolder), Access: filepath.Join(data, accessFolder),
		Keys: filepath.Join(data, keysFolder), Borough: c.Borough,
	}
}

// Backup makes a backup of cfg's data, beside a running server or without one. It
// tells report how far it is, and the collector of traces, if there is one, where its time
// went. Log lines go to logs.
func Backup(ctx context.Context, cfg Config, report func(string), logs io.Writer) (BackupDone, error) {
	spans, err := cfg.openTraces(newLogger(cfg.Log, logs))
	if err != nil {
		return BackupDone{}, err
	}
	done, err := tracedBackup(ctx, cfg, spans, report)
	return done, errors.Join(err, spans.Close())
}

// tracedBackup makes a backup in a span of its own.
func tracedBackup(ctx context.Context, cfg Config, spans *tracing.Tracer, report func(string)) (BackupDone, error) {
	ctx, span := spans.Work(ctx, tracing.Backup)
	done, err := makeBackup(ctx, cfg, report)
	span.Count(tracing.Bytes, int(done.Bytes))
	span.Count(tracing.Entries, int(done.Head))
	span.End(err)
	return done, err
}

func makeBackup(ctx context.Context, cfg Config, report func(string)) (BackupDone, error) {
	to, err := cfg.backupFolders()
	if err != nil {
		return BackupDone{}, err
	}
	recipients, err := backup.ParseRecipients(cfg.Backup.Recipients)
	if err != nil {
		return BackupDone{}, err
	}
	done, err := backup.Run(ctx, cfg.backupSource(cfg.Data.Dir), to, backup.Options{
		Recipients: recipients, FullEvery: cfg.Backup.FullEvery, Keep: cfg.Backup.Keep, KeepKeys: cfg.Backup.KeepKeys,
		Now: time.Now(), Report: report,
	})
	return done, named(err)
}

// VerifyBackup reads every file of every backup. With the file of an identity it
// decrypts the newest and follows its chain; identity "" compares sums alone. The
// error is ErrDamaged when a backup is, with the files' names.
func VerifyBackup(ctx context.Context, cfg Config, identity string, report func(string)) (BackupVerified, error) {
	in, err := cfg.backupFolders()
	if err != nil {
		return BackupVerified{}, err
	}
	if identity == "" {
		v, err := backup.Verify(ctx, in, nil, report)
		return v, named(err)
	}
	ids, err := backup.ReadIdentities(identity)
	if err != nil {
		return BackupVerified{}, err
	}
	v, err := backup.Verify(ctx, in, ids, report)
	return v, named(err)
}

// RestoreOptions say what is restored.
type RestoreOptions struct {
	Identity string // file of the identity that opens the backup
	Backup   string // its name; empty: the newest
}

// Restored says what a restore brought back.
type Restored struct {
	Backup   string
	Keys     string // copy of the key store
	Epoch    string // that the journal is in now
	Verified Verified
}

// restoreFolder is where a restore writes before it puts anything in place.
const restoreFolder = "restoring"

// Restore brings the data of cfg back from a backup into a folder that has none,
// under a new epoch, builds the index and verifies everything. A restore that was
// interrupted can be run again. What was there before must have been moved away.
func Restore(ctx context.Context, cfg Config, opt RestoreOptions, report func(string), logs io.Writer) (Restored, error) {
	in, err := cfg.backupFolders()
	if err != nil {
		return Restored{}, err
	}
	ids, err := backup.ReadIdentities(opt.Identity)
	if err != nil {
		return Restored{}, err
	}
	dir := cfg.Data.Dir
	part := filepath.Join(dir, restoreFolder)
	for _, name := range []string{journalFolder, keysFolder, accessFolder, indexFolder} {
		if exists(filepath.Join(dir, name)) && !exists(part) {
			return Restored{}, fmt.Errorf("%s: %w; move it away first", dir, ErrBegun)
		}
	}
	if exists(filepath.Join(dir, journalFolder)) {
		return Restored{}, fmt.Errorf("%s: %w; move it away first", dir, ErrBegun)
	}
	// The journal is put in place last: what an interruption left of the others goes.
	err = errors.Join(os.RemoveAll(part), os.RemoveAll(filepath.Join(dir, keysFolder)), os.RemoveAll(filepath.Join(dir, accessFolder)), os.MkdirAll(part, 0o700))
	if err != nil {
		return Restored{}, fmt.Errorf("making room for the restore: %w", err)
	}
	got, err := backup.Restore(ctx, in, opt.Backup, ids, cfg.backupSource(part), report)
	if err != nil {
		return Restored{}, named(err)
	}
	for _, name := range []string{keysFolder, accessFolder, journalFolder} {
		if !exists(filepath.Join(part, name)) {
			continue // no log of reads was in it
		}
		if err := os.Rename(filepath.Join(part, name), filepath.Join(dir, name)); err != nil {
			return Restored{}, fmt.Errorf("putting the restored %s in place: %w", name, err)
		}
	}
	if err := os.RemoveAll(part); err != nil {
		return Restored{}, fmt.Errorf("removing the empty folder of the restore: %w", err)
	}
	report("journal and keys are in place; building the index and verifying everything")
	out := Restored{Backup: got.Backup, Keys: got.Keys}
	if out.Verified, err = Verify(ctx, cfg, nil, report, logs); err != nil {
		return out, err
	}
	sum, err := journal.OpenReader(nil, filepath.Join(dir, journalFolder))
	if err != nil {
		return out, err
	}
	epochs := sum.Epochs()
	out.Epoch = epochs[len(epochs)-1].Epoch.String()
	return out, sum.Close()
}

// Drill is what a restore drill found.
type Drill struct {
	Restored Restored
	Taken    time.Time     // when the backup was taken
	Took     time.Duration // until the restored data could be served
	Behind   uint64        // entries that the live journal has and the backup has not
}

// RestoreDrill proves the newest backup: it restores it into a folder of its own
// below scratch (empty: the system's temporary folder), verifies every byte,
// unseals every word, builds the index and compares, compares the journal with
// the live one, and removes what it restored. The live data is only read.
func RestoreDrill(ctx context.Context, cfg Config, identity, scratch string, report func(string), logs io.Writer) (d Drill, err error) {
	dir, err := os.MkdirTemp(scratch, "doorstep-drill-")
	if err != nil {
		return d, fmt.Errorf("making the folder of the drill: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	aside := cfg
	aside.Data.Dir, aside.Data.MinFreeMB, aside.Data.Witness = dir, 0, ""
	began := time.Now()
	if d.Restored, err = Restore(ctx, aside, RestoreOptions{Identity: identity}, report, logs); err != nil {
		return d, err
	}
	d.Took = time.Since(began)
	return d, d.compare(cfg)
}

// compare holds the backup that was restored against the live journal.
func (d *Drill) compare(cfg Config) error {
	in, err := cfg.backupFolders()
	if err != nil {
		return err
	}
	all, err := backup.List(in)
	if err != nil {
		return err
	}
	m, err := all.Find(d.Restored.Backup)
	if err != nil {
		return err
	}
	d.Taken = m.Taken
	live, err := journal.OpenReader(nil, filepath.Join(cfg.Data.Dir, journalFolder))
	if err != nil {
		return fmt.Errorf("reading the live journal: %w", named(err))
	}
	defer live.Close()
	head, _ := live.Head()
	digest, err := live.DigestAt(m.Head)
	if err != nil {
		return fmt.Errorf("%w: the live journal has %d entries, the backup %d: one of them is not what it should be", ErrDamaged, head, m.Head)
	}
	if hex.EncodeToString(digest[:]) != m.Digest {
		return fmt.Errorf("%w: the backup and the live journal differ up to entry %d", ErrDamaged, m.Head)
	}
	d.Behind = uint64(head - m.Head)
	return nil
}

// Rebuild builds the index anew from the journal. No server may be running. The
// old index is kept beside it until the next rebuild.
func Rebuild(ctx context.Context, cfg Config, logs io.Writer) (entries uint64, err error) {
	b, err := openWith(&borough{cfg: cfg, log: newLogger(cfg.Log, logs), rebuild: true, progress: progress.Of(ctx)}, false)
	if err != nil {
		return 0, err
	}
	entries, _ = b.store.Applied()
	return entries, b.close()
}
