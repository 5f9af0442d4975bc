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

// EpochStart says where and why an epoch began: after the entry at From, where the chain digest was Digest. Reason says
// it to the operator, in words.
type EpochStart struct {
	Epoch  Epoch
	From   Position
	Digest Digest
	Why    Why
	Reason string
}

// Why is the kind of reason for which an epoch began.
type Why string

// Why epochs begin.
const (
	WhyFirst    Why = "first"    // the journal began
	WhyTorn     Why = "torn"     // a torn tail was cut, of which nothing had been acknowledged
	WhyRestored Why = "restored" // somebody restored a copy, which may lack what was acknowledged after it was taken
	WhyRepaired Why = "repaired" // somebody repaired the journal from its second copy, which may not have had all
	WhyOlder    Why = "older"    // the journal turned out to be an older copy that was put back without a word
)

// MayLack reports whether an epoch that began so may lack entries that were acknowledged in the epochs before it. A
// torn end lacks none: an entry that is not there although it was handed out was lost in another way.
func (w Why) MayLack() bool { return w == WhyRestored || w == WhyRepaired || w == WhyOlder }

func (w Why) known() bool { return w == WhyFirst || w == WhyTorn || w.MayLack() }

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
func (j *Journal) BeginEpoch(why Why, reason string) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	if err := j.writable(); err != nil {
		return err
	}
	return j.beginEpoch(why, reason)
}

func (j *Journal) beginEpoch(why Why, reason string) error {
	if len(reason) > maxReasonBytes {
		return fmt.Errorf("beginning an epoch: a reason of %d bytes, at most %d are possible", len(reason), maxReasonBytes)
	}
	head, digest := j.Head()
	start := EpochStart{Epoch: j.opt.NewEpoch(), From: head, Digest: digest, Why: why, Reason: reason}
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
//	epoch <hex> from <position> digest <hex> why <word> reason <quoted>
//	sum <hex>
func formatEpochs(epochs []EpochStart) []byte {
	b := []byte(epochTitle)
	for _, e := range epochs {
		b = fmt.Appendf(b, "epoch %s from %d digest %x why %s reason %q\n", e.Epoch, e.From, e.Digest, e.Why, e.Reason)
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
	words := strings.SplitN(line, " ", 10)
	if len(words) != 10 {
		return e, false
	}
	epoch, err1 := hex.DecodeString(words[1])
	from, err2 := strconv.ParseUint(words[3], 10, 64)
	digest, err3 := hex.DecodeString(words[5])
	why := Why(words[7])
	reason, err4 := strconv.Unquote(words[9])
	if errors.Join(err1, err2, err3, err4) != nil || !why.known() || len(epoch) != len(e.Epoch) || len(digest) != len(e.Digest) {
		return e, false
	}
	return EpochStart{Epoch: Epoch(epoch), From: Position(from), Digest: Digest(digest), Why: why, Reason: reason}, true
}
