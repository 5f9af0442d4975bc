package journal

import (
	"slices"

	"doorstep/server/internal/chain"
	"doorstep/server/internal/disk"
)

// Segments lists the names of the segments, oldest first.
func (j *Journal) Segments() []string {
	files := j.files()
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.Name()
	}
	return names
}

// CheckSegment reads a segment from its first byte to its last and calls visit, if that is not nil, with every entry;
// the payload is valid during the call. It may run beside everything else; of a segment that is being appended to it
// checks what was durable when it began. through is the disk to read by; nil is the journal's own. Errors: ErrNoEntry
// for a name that no segment has, a *DamagedError, or the visitor's.
func (j *Journal) CheckSegment(name string, through disk.FS, visit func(Position, []byte) error) error {
	files := j.files()
	i := slices.IndexFunc(files, func(f *chain.File) bool { return f.Name() == name })
	if i < 0 {
		return ErrNoEntry
	}
	if through == nil {
		through = j.opt.FS
	}
	return files[i].Check(through, visit)
}
