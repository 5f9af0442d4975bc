package demo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// scene is a borough with its tablets, all in one folder, so that a whole world
// can be copied while it is switched off.
type scene struct {
	folder  string
	town    *borough // nil while the server is stopped
	tablets map[string]*tablet
}

func (s *scene) townDir() string    { return filepath.Join(s.folder, "borough") }
func (s *scene) tabletsDir() string { return filepath.Join(s.folder, "tablets") }

// logins lists who has a tablet, in order.
func (s *scene) logins() []string {
	var out []string
	for login := range s.tablets {
		out = append(out, login)
	}
	slices.Sort(out)
	return out
}

// close switches the tablets off and stops the server.
func (s *scene) close() error {
	var errs []error
	for _, login := range s.logins() {
		errs = append(errs, s.tablets[login].switchOff())
	}
	if s.town != nil {
		errs = append(errs, s.town.stop())
		s.town = nil
	}
	return errors.Join(errs...)
}

// open starts the server at address and switches the tablets on.
func (s *scene) open(address string) error { return s.openBehind(address, 0) }

// openBehind is open by a clock that is behind the machine's.
func (s *scene) openBehind(address string, behind time.Duration) error {
	town, err := startBorough(s.townDir(), address, behind)
	if err != nil {
		return err
	}
	s.town = town
	for _, login := range s.logins() {
		if err := s.tablets[login].switchOn(town.url); err != nil {
			return err
		}
	}
	return nil
}

// copyTo makes the same world once more in another folder. The scene is closed.
func (s *scene) copyTo(folder string, seed uint64) (*scene, error) {
	if err := os.CopyFS(folder, os.DirFS(s.folder)); err != nil {
		return nil, fmt.Errorf("copying the borough: %w", err)
	}
	if err := tighten(folder); err != nil {
		return nil, err
	}
	twin := &scene{folder: folder, tablets: map[string]*tablet{}}
	for login, t := range s.tablets {
		relative, err := filepath.Rel(s.folder, t.dir)
		if err != nil {
			return nil, err
		}
		c := newTablet(t.who, "", seed+1, time.UnixMilli(t.clock.read().UnixMS))
		c.dir, c.key = filepath.Join(folder, relative), t.key
		c.clock.mono = t.clock.read().MonotonicMS
		twin.tablets[login] = c
	}
	return twin, nil
}

// tighten gives a copied folder back the narrow rights that its secrets need:
// copying widens them.
func tighten(folder string) error {
	return filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	})
}
