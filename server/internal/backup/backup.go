// Package backup keeps encrypted copies of a borough's journal, its log of reads and its key store in folders, and brings
// them back.
//
// Run makes a backup: what the journal and the log have beyond the last one, and the key store as it is. It reads files alone, so it
// works beside a running server. List says what there is, Verify reads it all, Restore writes a journal and a key store
// from it. The index is not in a backup: it is built anew from the journal. Neither are the secrets (the borough key
// among them), which must be kept elsewhere: whoever has backup, identity and borough key has everything.
//
// # In the folders
//
//	<dir>/set-<time>/                         a full backup and what was added since
//	<dir>/set-<time>/journal-<from>-<to>.age  entries, encrypted to all recipients
//	<dir>/set-<time>/access-<from>-<to>.age   entries of the log of reads, likewise
//	<dir>/set-<time>/backup-<time>.json       one finished backup: what it consists of. Written last, so a backup
//	                                          without it was interrupted and is not one
//	<keys>/keys-<time>.age                    the key store as it was then, whole
//
// A time is UTC, as 20261122T013000.000Z. Every file is written under another name, synced, read again and compared, and
// then renamed; none is changed afterwards. A backup that is made after a whole set was begun holds only what is new.
//
// The folder of the keys is one of its own because its copies live for a short while only: erasing a record destroys
// its key, and an old copy of the keys would bring it back. A restore takes the newest keys there are, whatever the age
// of the journal that it restores: they hold every key that is still meant to be.
//
// # The files
//
// The JSON holds no secret and no name of anybody. A journal file, decrypted, is, numbers little-endian:
//
//	"DSbackup", first position (8), last position (8), chain digest before the first (32)
//	for each entry: length (4), payload
//	chain digest after the last (32)
//
// A keys file, decrypted, is the store's file. The encryption is age's (age-encryption.org/v1), which notices any
// change and any cut.
package backup

import (
	"errors"
	"slices"
	"time"

	"filippo.io/age"

	"doorstep/server/internal/chain"
	"doorstep/server/internal/journal"
)

// ErrDamaged says that a file of a backup is missing, cut or not what was written.
var ErrDamaged = errors.New("the backup is damaged")

// ErrNone says that there is no whole backup.
var ErrNone = errors.New("there is no finished backup here")

// Source is where a backup reads.
type Source struct {
	Journal string // its directory
	Access  string // directory of the log of reads, a journal too; empty, or not there: none
	Keys    string // directory of the key store
	Borough string // its short name, which a restore compares
}

// Folders are where backups are kept.
type Folders struct {
	Dir  string
	Keys string // of the copies of the key store
}

// Options say how a backup is made.
type Options struct {
	Recipients []age.Recipient // whoever may read it; at least one
	FullEvery  time.Duration   // a new set begins when the newest is older
	Keep       time.Duration   // a set whose newest backup is older goes, unless it is the newest
	KeepKeys   time.Duration   // a copy of the keys that is older goes, unless it is the newest
	Now        time.Time
	Report     func(line string) // told of progress; may be nil
}

// Done says what Run did.
type Done struct {
	Name    string // of the backup
	Set     string
	Full    bool // it began a set
	From    journal.Position
	Head    journal.Position // entries From to Head are new; From > Head: none
	Bytes   int64            // that were written
	Removed []string         // what was too old, and what interrupted backups had left
}

// Manifest is one finished backup, as its JSON says.
type Manifest struct {
	Format  int       `json:"format"` // 1
	Borough string    `json:"borough"`
	Name    string    `json:"name"`
	Set     string    `json:"set"`
	Taken   time.Time `json:"taken"`
	Chain             // the journal
	Access  *Chain    `json:"access,omitempty"` // the log of reads; nil: there was none
	Keys    File      `json:"keys"`             // in the folder of the keys
}

// Chain is a journal as far as a backup holds it.
type Chain struct {
	Head   journal.Position `json:"head"`
	Digest string           `json:"digest"` // of the chain after Head, hexadecimal
	Epochs string           `json:"epochs"` // as the journal's file EPOCH
	Files  []File           `json:"files"`
}

// files are all files of a backup in the folder of its set.
func (m *Manifest) files() []File {
	all := slices.Clone(m.Files)
	if m.Access != nil {
		all = append(all, m.Access.Files...)
	}
	return all
}

// File is one file of a backup.
type File struct {
	Name   string           `json:"name"`
	From   journal.Position `json:"from,omitempty"`
	To     journal.Position `json:"to,omitempty"`
	Bytes  int64            `json:"bytes"`
	SHA256 string           `json:"sha256"` // hexadecimal, of the encrypted file
}

const (
	format       = 1
	setPrefix    = "set-"
	filePrefix   = "journal-"
	accessPrefix = "access-"
	manifestHead = "backup-"
	manifestTail = ".json"
	keysPrefix   = "keys-"
	ageSuffix    = ".age"
	timeLayout   = "20060102T150405.000Z"
	magic        = "DSbackup"

	// maxFileEntriesBytes ends a journal file, so that copying it again after a cut costs little.
	maxFileEntriesBytes = 512 << 20
	maxManifestBytes    = 64 << 20
	maxPayloadBytes     = chain.MaxGroupBytes
)

func (o *Options) say(line string) {
	if o.Report != nil {
		o.Report(line)
	}
}
