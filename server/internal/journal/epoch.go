package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"doorstep/server/internal/disk"
)

// EpochStart says where and why an epoch began: after the entry at From, where the chain digest was Digest.
type EpochStart struct {
	Epoch  Epoch
	From   Position
	Digest Digest
	Reason string
}

const (
	epochTitle     = "doorstep journal epochs 1\n"
	maxEpochBytes  = 16 << 20 // a restore a day for a century
	maxReasonBytes = 300
)

// Epoch is the epoch that the journal is in.
func (j *Journal) Epoch() Epoch {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.epochs[len(j.epochs)-1].Epoch
}

// Epochs are all epochs of the journal, oldest first.
func (j *Journal) Epochs() []EpochStart {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return slices.Clone(j.epochs)
}

// BeginEpoch begins a new epoch at the head, durably, as a restore must. The reason is for the operator and holds no
// personal data; it is at most 300 bytes long.
func (j *Journal) BeginEpoch(reason string) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	if err := j.writable(); err != nil {
		return err
	}
	return j.beginEpoch(reason)
}

func (j *Journal) beginEpoch(reason string) error {
	if len(reason) > maxReasonBytes {
		return fmt.Errorf("beginning an epoch: a reason of %d bytes, at most %d are possible", len(reason), maxReasonBytes)
	}
	head, digest := j.Head()
	start := EpochStart{Epoch: j.opt.NewEpoch(), From: head, Digest: digest, Reason: reason}
	epochs := j.Epochs()
	for _, old := range epochs {
		if old.Epoch == start.Epoch {
			return fmt.Errorf("beginning an epoch: %s was used before", start.Epoch)
		}
	}
	epochs = append(epochs, start)
	if err := writeEpochs(j.opt.FS, j.dir, epochs); err != nil {
		return fmt.Errorf("beginning an epoch: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.epochs = epochs
	return nil
}

func writeEpochs(fsys disk.FS, dir string, epochs []EpochStart) error {
	return disk.Replace(fsys, filepath.Join(dir, epochName), formatEpochs(epochs))
}

// formatEpochs writes one line for each epoch and a last one with the SHA-256 of those before:
//
//	doorstep journal epochs 1
//	epoch <hex> from <position> digest <hex> reason <quoted>
//	sum <hex>
func formatEpochs(epochs []EpochStart) []byte {
	b := []byte(epochTitle)
	for _, e := range epochs {
		b = fmt.Appendf(b, "epoch %s from %d digest %x reason %q\n", e.Epoch, e.From, e.Digest, e.Reason)
	}
	return fmt.Appendf(b, "sum %x\n", sha256.Sum256(b))
}

func readEpochs(fsys disk.FS, dir string) ([]EpochStart, error) {
	b, err := disk.ReadFile(fsys, filepath.Join(dir, epochName), maxEpochBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &DamagedError{File: epochName, Reason: "it is missing, though there are entries"}
	}
	if err != nil {
		return nil, err
	}
	epochs, ok := parseEpochs(b)
	if !ok {
		return nil, &DamagedError{File: epochName, Reason: "it is not as it was written; bring it back from a copy"}
	}
	return epochs, nil
}

// parseEpochs reads what formatEpochs wrote and accepts nothing else.
func parseEpochs(b []byte) ([]EpochStart, bool) {
	rest, ok := strings.CutPrefix(string(b), epochTitle)
	if !ok {
		return nil, false
	}
	var epochs []EpochStart
	for line := range strings.Lines(rest) {
		if strings.HasPrefix(line, "sum ") {
			break
		}
		e, ok := parseEpoch(strings.TrimSuffix(line, "\n"))
		if !ok {
			return nil, false
		}
		epochs = append(epochs, e)
	}
	return epochs, len(epochs) > 0 && bytes.Equal(formatEpochs(epochs), b)
}

func parseEpoch(line string) (e EpochStart, ok bool) {
	words := strings.SplitN(line, " ", 8)
	if len(words) != 8 {
		return e, false
	}
	epoch, err1 := hex.DecodeString(words[1])
	from, err2 := strconv.ParseUint(words[3], 10, 64)
	digest, err3 := hex.DecodeString(words[5])
	reason, err4 := strconv.Unquote(words[7])
	if errors.Join(err1, err2, err3, err4) != nil || len(epoch) != len(e.Epoch) || len(digest) != len(e.Digest) {
		return e, false
	}
	return EpochStart{Epoch: Epoch(epoch), From: Position(from), Digest: Digest(digest), Reason: reason}, true
}
