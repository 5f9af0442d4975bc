package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"doorstep/server/internal/disk"
)

// Listing is what there is in the folders.
type Listing struct {
	Backups  []Manifest // finished ones, oldest first
	KeyFiles []string   // copies of the key store, oldest first
	Left     []string   // paths of what interrupted backups left; none of it belongs to a finished one
	Damaged  []string   // what is wrong, and with which file
}

// List reads which backups there are. It reads no more than the manifests: Verify reads the rest.
func List(in Folders) (Listing, error) {
	var all Listing
	names, err := namesIn(in.Dir)
	if err != nil {
		return all, err
	}
	for _, name := range names {
		if strings.HasPrefix(name, setPrefix) {
			if err := all.addSet(in.Dir, name); err != nil {
				return all, err
			}
		}
	}
	if names, err = namesIn(in.Keys); err != nil {
		return all, err
	}
	for _, name := range names {
		switch {
		case strings.HasSuffix(name, disk.TempSuffix):
			all.Left = append(all.Left, filepath.Join(in.Keys, name))
		case strings.HasPrefix(name, keysPrefix) && strings.HasSuffix(name, ageSuffix):
			all.KeyFiles = append(all.KeyFiles, name)
		}
	}
	slices.SortFunc(all.Backups, func(a, b Manifest) int { return a.Taken.Compare(b.Taken) })
	return all, nil
}

func namesIn(dir string) ([]string, error) {
	names, err := disk.Local{}.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing backups: %w", err)
	}
	return names, nil
}

func (l *Listing) addSet(dir, set string) error {
	names, err := namesIn(filepath.Join(dir, set))
	if err != nil {
		return err
	}
	used := map[string]bool{}
	for _, name := range names {
		if !strings.HasPrefix(name, manifestHead) || !strings.HasSuffix(name, manifestTail) {
			continue
		}
		used[name] = true
		m, err := readManifest(filepath.Join(dir, set, name))
		if err == nil && (m.Set != set || m.Name+manifestTail != name) {
			err = errors.New("it speaks of another place")
		}
		if err != nil {
			l.Damaged = append(l.Damaged, fmt.Sprintf("%s/%s: %v", set, name, err))
			// Nobody knows which files it named: none is removed.
			for _, other := range names {
				used[other] = true
			}
			continue
		}
		for _, f := range m.files() {
			used[f.Name] = true
		}
		l.Backups = append(l.Backups, m)
	}
	for _, name := range names {
		if !used[name] {
			l.Left = append(l.Left, filepath.Join(dir, set, name))
		}
	}
	return nil
}

func readManifest(path string) (m Manifest, err error) {
	b, err := disk.ReadFile(disk.Local{}, path, maxManifestBytes)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, err
	}
	if m.Format != format {
		return m, fmt.Errorf("format %d, this program knows %d", m.Format, format)
	}
	// A name is of a file in its folder and nowhere else.
	for _, f := range append(m.files(), m.Keys) {
		if f.Name != filepath.Base(f.Name) || f.Name == "." || f.Name == ".." || f.Name == string(os.PathSeparator) {
			return m, fmt.Errorf("%q is no name of a file", f.Name)
		}
	}
	return m, nil
}

func (l *Listing) newest() (Manifest, bool) {
	if len(l.Backups) == 0 {
		return Manifest{}, false
	}
	return l.Backups[len(l.Backups)-1], true
}

func (l *Listing) sets() []string {
	var out []string
	for _, m := range l.Backups {
		if !slices.Contains(out, m.Set) {
			out = append(out, m.Set)
		}
	}
	return out
}

func (l *Listing) newestOf(set string) (newest Manifest) {
	for _, m := range l.Backups {
		if m.Set == set {
			newest = m
		}
	}
	return newest
}

// Find is the backup of a name, or the newest for an empty one.
func (l *Listing) Find(name string) (Manifest, error) {
	if name == "" {
		if m, ok := l.newest(); ok {
			return m, nil
		}
		return Manifest{}, ErrNone
	}
	for _, m := range l.Backups {
		if m.Name == name {
			return m, nil
		}
	}
	return Manifest{}, fmt.Errorf("%s: %w", name, ErrNone)
}
