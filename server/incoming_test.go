package server

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorstep/server/internal/access"
	"doorstep/syncproto"
)

// A set of files is taken when it is whole and not before, once and no more, and leaves a
// report and nothing else behind.
func TestWhatIsLeftInTheFolderIsImported(t *testing.T) {
	cfg := begin(t)
	b, err := openBorough(cfg, slog.New(slog.NewTextHandler(io.Discard, nil)), false)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	now := time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
	role := access.RoleManager
	in := &incoming{op: localOperator{b}, cfg: ImportConfig{Folder: t.TempDir(), Keep: 7 * 24 * time.Hour}, now: func() time.Time { return now },
		warn: func(msg string, args ...any) { t.Log(msg, args) }, log: func(string, ...any) {}, stuck: map[string]time.Time{},
		role: func(syncproto.UserID) access.Role { return role }}
	leave := func(name, file, words string) {
		t.Helper()
		dir := filepath.Join(in.cfg.Folder, name)
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, file), []byte(words), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	lists := func(want ...string) {
		t.Helper()
		in.look(t.Context())
		got, watched := in.Imported(syncproto.UserID{1})
		var outcomes []string
		for _, one := range got {
			outcomes = append(outcomes, one.Name+": "+one.Outcome)
		}
		if !watched || strings.Join(outcomes, "\n") != strings.Join(want, "\n") {
			t.Errorf("got %q, want %q", outcomes, want)
		}
	}
	leave("monday", "teams.csv", "team_ref,name\nT1,East\n")
	lists() // it is not whole yet
	leave("monday", "workers.csv", "worker_ref,login,name,role,team_ref,qualified_social_worker\nW1,amina,Amina,social_worker,T1,Y\n")
	leave("monday", incomingDone, "")
	const first = "monday: Imported: 1 new accounts, 0 new records, 0 changed records, 0 relations granted, 0 ended."
	lists(first)
	if entries, _ := os.ReadDir(in.cfg.Folder); len(entries) != 1 {
		t.Errorf("the set lies there still: %v", entries)
	}

	now = now.Add(24 * time.Hour)
	leave("tuesday", "teams.csv", "team_ref,name\nT1,East\n")
	leave("tuesday", incomingDone, "")
	lists("tuesday: Everything is there already; nothing was stored.", first)

	now = now.Add(24 * time.Hour)
	leave("wednesday", "teams.csv", "team_ref,name\nT2,West\n")
	leave("wednesday", "workers.csv", "worker_ref,login,name,role,team_ref,qualified_social_worker\nW2,tom,Tom,king,T9,N\n")
	leave("wednesday", incomingDone, "")
	lists("wednesday: 1 problems; nothing was imported.", "tuesday: Everything is there already; nothing was stored.", first)
	list, _ := in.Imported(syncproto.UserID{1})
	if !list[0].Failed || len(list[0].Problems) != 1 || !strings.HasPrefix(list[0].Problems[0], "workers.csv:2: role: ") {
		t.Errorf("the problems: %+v", list[0])
	}
	if _, half := b.store.State().Ref("team", "T2"); half {
		t.Error("a set with bad lines was half taken")
	}
	if f := in.figures(); !f.Refused || f.Taken.IsZero() || f.Stuck {
		t.Errorf("the figures: %+v", f)
	}
	role = access.RoleVolunteer
	if list, _ := in.Imported(syncproto.UserID{1}); list != nil {
		t.Errorf("a volunteer sees %+v", list)
	}
	role = access.RoleManager
	now = now.Add(5*24*time.Hour + time.Minute)
	lists("wednesday: 1 problems; nothing was imported.", "tuesday: Everything is there already; nothing was stored.")

	// A set that cannot be moved away is trouble until somebody takes it away.
	in.cfg.Folder = t.TempDir()
	if err := os.WriteFile(filepath.Join(in.cfg.Folder, takenFolder), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	leave("thursday", "teams.csv", "team_ref,name\nT1,East\n")
	leave("thursday", incomingDone, "")
	in.look(t.Context())
	if f := in.figures(); !f.Stuck {
		t.Errorf("with a set that cannot be moved: %+v", f)
	}
	if err := os.RemoveAll(filepath.Join(in.cfg.Folder, "thursday")); err != nil {
		t.Fatal(err)
	}
	in.look(t.Context())
	if f := in.figures(); f.Stuck {
		t.Errorf("once it is taken away: %+v", f)
	}

	if err := os.RemoveAll(in.cfg.Folder); err != nil {
		t.Fatal(err)
	}
	in.look(t.Context())
	if f := in.figures(); !f.Stuck {
		t.Errorf("without the folder: %+v", f)
	}
}
