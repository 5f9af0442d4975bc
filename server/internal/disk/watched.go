package disk

// Watched is a file system with somebody told of every read before it is made, with its length in bytes. An error of
// watch is the read's. It may be called by several goroutines at once.
func Watched(fsys FS, watch func(bytes int) error) FS { return watched{fsys, watch} }

type watched struct {
	FS
	watch func(int) error
}

// Open implements FS.
func (w watched) Open(path string, mode Mode) (File, error) {
	f, err := w.FS.Open(path, mode)
	if err != nil {
		return nil, err
	}
	return watchedFile{f, w.watch}, nil
}

type watchedFile struct {
	File
	watch func(int) error
}

// ReadAt implements File.
func (f watchedFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.watch(len(p)); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}
