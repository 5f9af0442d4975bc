package journal

import (
	"path/filepath"

	"doorstep/server/internal/chain"
	"doorstep/server/internal/disk"
)

// CountGroups tells how many groups the journal in a directory was written in, each by one sync, and how many entries
// they have. It reads the headers of groups alone and takes no lock: another process may be writing.
func CountGroups(dir string) (groups, entries int, err error) {
	found, err := list(disk.Local{}, dir)
	if err != nil {
		return 0, 0, err
	}
	for _, name := range found.segments {
		err := chain.Groups(disk.Local{}, filepath.Join(dir, name), func(_ Position, n int) bool {
			groups, entries = groups+1, entries+n
			return true
		})
		if err != nil {
			return groups, entries, err
		}
	}
	return groups, entries, nil
}
