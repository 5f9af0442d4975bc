package server

import (
	"context"
	"path/filepath"
	"testing"
	"time"
)

// A server makes a backup by itself when one is due, and the next backup.every after.
func TestBackupsAreMadeWhenTheyAreDue(t *testing.T) {
	cfg := begin(t)
	dir := t.TempDir()
	recipient, err := NewBackupIdentity(filepath.Join(dir, "identity"))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Backup.Dir, cfg.Backup.KeysDir = filepath.Join(dir, "backups"), filepath.Join(dir, "backup-keys")
	cfg.Backup.Recipients, cfg.Backup.Every = []string{recipient}, 6*time.Hour
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var made int
	s := &backups{cfg: cfg,
		log:  func(string, ...any) { made++; stop() },
		warn: func(what string, args ...any) { t.Errorf("%s: %v", what, args); stop() },
	}
	if wait, err := s.due(time.Now()); err != nil || wait > 0 {
		t.Errorf("before the first: due in %v, %v; want at once", wait, err)
	}
	s.run(ctx)
	newest, trouble := s.status()
	if made != 1 || newest.IsZero() || trouble != "" {
		t.Fatalf("%d backups were made, the newest at %v, %q; want one, and no trouble", made, newest, trouble)
	}
	for after, want := range map[time.Duration]time.Duration{time.Hour: 5 * time.Hour, 6 * time.Hour: 0, 8 * time.Hour: -2 * time.Hour} {
		if wait, err := s.due(newest.Add(after)); err != nil || wait != want {
			t.Errorf("%v after it: due in %v, %v; want %v", after, wait, err, want)
		}
	}
}
