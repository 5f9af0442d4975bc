package backup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

	"doorstep/server/internal/disk"
)

// ParseRecipients reads recipients as age writes them (age1...).
func ParseRecipients(lines []string) ([]age.Recipient, error) {
	var out []age.Recipient
	for _, line := range lines {
		r, err := age.ParseX25519Recipient(line)
		if err != nil {
			return nil, fmt.Errorf("%q is no recipient, which begins with age1 (doorstep backup-key makes one)", line)
		}
		out = append(out, r)
	}
	return out, nil
}

// ReadIdentities reads a file of identities, as age-keygen and NewIdentity write it.
func ReadIdentities(path string) ([]age.Identity, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the identity: %w", err)
	}
	defer f.Close()
	ids, err := age.ParseIdentities(f)
	if err != nil {
		return nil, fmt.Errorf("%s holds no identity, a line that begins with AGE-SECRET-KEY-", path)
	}
	return ids, nil
}

// NewIdentity draws an identity into a new file, durably, readable by its owner alone, and answers the recipient that
// belongs to it. It replaces no file.
func NewIdentity(path string, now time.Time) (recipient string, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", fmt.Errorf("drawing an identity: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("making the file of the identity: %w", err)
	}
	recipient = id.Recipient().String()
	_, err = fmt.Fprintf(f, "# created: %s\n# public key: %s\n%s\n", now.UTC().Format(time.RFC3339), recipient, id)
	err = errors.Join(err, f.Sync(), f.Close(), (disk.Local{}).SyncDir(filepath.Dir(path)))
	if err != nil {
		return "", fmt.Errorf("writing the identity: %w", err)
	}
	return recipient, nil
}
