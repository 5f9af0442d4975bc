package chain

import (
	"fmt"
	"path/filepath"

	"doorstep/server/internal/disk"
)

// Reach is how far a file that may be damaged shows to have gone: a group tells its positions in its header, and headers
// are found by themselves, wherever the damage is.
type Reach struct {
	Last    Position // of the groups that can be seen; 0: none
	Unknown bool     // bytes stand behind the last of them: there may have been more
}

// FindReach reads a file for every header of a group in it. It verifies nothing else.
func FindReach(fsys disk.FS, path string) (Reach, error) {
	b, err := disk.ReadFile(fsys, path, MaxFileBytes)
	if err != nil {
		return Reach{}, fmt.Errorf("reading %s: %w", filepath.Base(path), err)
	}
	var out Reach
	end := int64(headerBytes)
	for at := int64(headerBytes); at+groupHeadBytes <= int64(len(b)); at += groupAlign {
		if head, ok := parseGroupHead(b[at : at+groupHeadBytes]); ok {
			out.Last = max(out.Last, head.first+Position(head.count)-1)
			end = max(end, head.layout(at).end)
		}
	}
	out.Unknown = end < int64(len(b))
	return out, nil
}

// CoveredBy says whether another copy that ends with an entry surely has all that the file had. Behind what can be seen
// it must show at least one entry more.
func (r Reach) CoveredBy(head Position) bool {
	return head > r.Last || head == r.Last && !r.Unknown
}
