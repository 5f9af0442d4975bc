package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"doorstep/server"
)

// safe is the name of the borough whose server keeps a second copy and reads
// everything through without a pause.
const safe = "safe"

// safely is the configuration of that server. Both copies are on one disk here, so
// that the second is paid for twice; a borough has two disks.
func safely(cfg server.Config, dir string) server.Config {
	cfg.Data.CopyDir = filepath.Join(dir, "copy")
	cfg.Scrub.Every = time.Second
	return cfg
}

// measureSafe pushes the same load to a server with second copy and scrub and to
// one without.
func (b *bench) measureSafe(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Join(b.folder, safe, "copy"), 0o700); err != nil {
		return fmt.Errorf("making the folder of the second copy: %w", err)
	}
	return b.withSite(ctx, safe, func(with *site) error {
		return b.withSite(ctx, "plain", func(without *site) error {
			b.say("pushing with and without second copy and scrub")
			if err := b.measureBeside(ctx, &b.report.Safe.Beside, with, without); err != nil {
				return err
			}
			return b.howSafe(ctx, with.dir)
		})
	})
}

// Safe is pushing to a server with second copy and scrub, beside one without, and
// how the first was when the last round had ended.
type Safe struct {
	Beside
	Entries uint64 `json:"entries"`  // in its journal
	Behind  uint64 `json:"behind"`   // of these, not copied yet
	ReadMS  int64  `json:"scrub_ms"` // when the scrub had last read everything, Unix milliseconds
}

func (b *bench) howSafe(ctx context.Context, dir string) (err error) {
	operator, err := server.OpenOperator(configOf(dir), io.Discard)
	if err != nil {
		return fmt.Errorf("reaching the server: %w", err)
	}
	defer func() { err = errors.Join(err, operator.Close()) }()
	st, err := operator.Status(ctx)
	if err != nil || st.Copy == nil {
		return errors.Join(err, errors.New("the server says nothing of a second copy"))
	}
	b.report.Safe.Entries, b.report.Safe.Behind, b.report.Safe.ReadMS = st.Entries, st.Copy.Behind, st.Scrub.FinishedMS
	return nil
}
