package server

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/backup"
	"doorstep/server/internal/exchange"
	"doorstep/syncproto"
	"doorstep/syncproto/recovery"
)

// recoveryKeyFile holds the public half of the recovery key, a P-256 point of 65
// bytes, to which tablets seal what is unsent. It is not secret, and no server has
// the other half.
const recoveryKeyFile = "recovery.pub"

// Officer is one of those of whom any two together recover a lost tablet's words.
type Officer struct {
	Login string
	Half  string // an age recipient when a key is made, the file of an identity when one is opened
}

// sealedKey is the file of a recovery key: its secret half, sealed to each two of
// the officers.
type sealedKey struct {
	Public []byte       `json:"public"`
	Pairs  []sealedPair `json:"pairs"`
}

type sealedPair struct {
	First  string `json:"first"`  // login
	Second string `json:"second"` // login
	Sealed []byte `json:"sealed"`
}

// loadRecoveryKey reads the public half; nil: the borough has none.
func loadRecoveryKey(dir string) ([]byte, error) {
	point, err := os.ReadFile(filepath.Join(dir, recoveryKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		_, err = recovery.ParseKey(point)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", recoveryKeyFile, err)
	}
	return point, nil
}

// NewRecoveryKey draws a recovery key. Its public half goes beside the server's
// secrets, for devices that enrol from now on; the secret half goes into a new file
// at path, sealed to each two of the officers, and nowhere else.
func NewRecoveryKey(cfg Config, officers []Officer, path string) error {
	if len(officers) < 2 {
		return errors.New("name two officers or more, LOGIN=RECIPIENT each: two of them recover together")
	}
	public := filepath.Join(cfg.secretsDir(), recoveryKeyFile)
	if exists(public) || exists(path) {
		return fmt.Errorf("%s or %s is there already: tablets may have sealed words to that key, so keep both files, and move them to make another", public, path)
	}
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("drawing the recovery key: %w", err)
	}
	file := sealedKey{Public: key.PublicKey().Bytes()}
	for i, first := range officers {
		for _, second := range officers[i+1:] {
			if first.Login == second.Login {
				return fmt.Errorf("%s is named twice", first.Login)
			}
			sealed, err := backup.SealForTwo(key.Bytes(), first.Half, second.Half)
			if err != nil {
				return fmt.Errorf("sealing the recovery key to %s and %s: %w", first.Login, second.Login, err)
			}
			file.Pairs = append(file.Pairs, sealedPair{first.Login, second.Login, sealed})
		}
	}
	text, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return err
	}
	if err := writeSecret(path, text); err != nil { // first: a key that nobody can open must not be used
		return err
	}
	return writeSecret(public, file.Public)
}

// RecoverOrder puts the words of a lost or locked tablet into custody.
type RecoverOrder struct {
	By     string        `json:"by"`     // login of one officer
	Second string        `json:"second"` // login of the other
	Device string        `json:"device"`
	User   string        `json:"user"`
	Items  []RecoverItem `json:"items"`
	// Notes counts what was written on the tablet while it was locked: it goes to the
	// officers, and into no record by itself.
	Notes int `json:"notes"`
}

// RecoverItem is one change of a sealed outbox.
type RecoverItem struct {
	Prev      []byte `json:"prev"`
	Signature []byte `json:"signature"`
	Body      []byte `json:"body"`
}

// RecoverReport says what became of a tablet's words.
type RecoverReport struct {
	Custody int `json:"custody"` // went into custody
	Known   int `json:"known"`   // were on the server already
	Refused int `json:"refused"` // are not what the device signed
}

// OpenedOutbox is what two officers find in a sealed outbox.
type OpenedOutbox struct {
	Order   RecoverOrder
	Notes   []recovery.Note // written while the tablet was locked
	Damaged int             // items that do not open
}

// OpenSealedOutbox opens a tablet's sealed outbox with the sealed recovery key and
// both officers' identities.
func OpenSealedOutbox(cfg Config, outbox, key string, officers []Officer) (OpenedOutbox, error) {
	if len(officers) != 2 {
		return OpenedOutbox{}, errors.New("name two officers, LOGIN=IDENTITY-FILE each")
	}
	scalar, pair, err := openSealedKey(key, officers)
	if err != nil {
		return OpenedOutbox{}, err
	}
	private, err := recovery.ParsePrivateKey(scalar)
	if err != nil {
		return OpenedOutbox{}, err
	}
	file, err := os.ReadFile(outbox)
	if err != nil {
		return OpenedOutbox{}, fmt.Errorf("reading the sealed outbox: %w", err)
	}
	opened, err := recovery.Open(private, file)
	if err != nil {
		return OpenedOutbox{}, fmt.Errorf("%s: %w", outbox, err)
	}
	if opened.Borough != cfg.Borough {
		return OpenedOutbox{}, fmt.Errorf("%s: %w", outbox, errOtherBorough)
	}
	out := OpenedOutbox{Damaged: opened.Damaged}
	out.Order = RecoverOrder{By: pair.First, Second: pair.Second, Device: opened.Device.String(), User: opened.User.String()}
	for _, it := range opened.Items {
		if n, ok := it.Note(); ok {
			out.Notes = append(out.Notes, n)
			continue
		}
		out.Order.Items = append(out.Order.Items, RecoverItem{it.Prev[:], it.Signature, it.Body})
	}
	out.Order.Notes = len(out.Notes)
	if opened.Torn {
		out.Damaged++
	}
	return out, nil
}

// WriteNotes writes each note into a file of its own in a folder, which is made if it
// is not there. The file's name goes by what it says, so that none is written over.
func (o OpenedOutbox) WriteNotes(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("making a folder for the notes: %w", err)
	}
	for _, n := range o.Notes {
		at := time.UnixMilli(n.UnixMS).In(time.FixedZone("", int(n.OffsetMin)*60))
		sum := sha256.Sum256([]byte(n.Text))
		name := fmt.Sprintf("note-%s-%x.txt", at.Format("2006-01-02-1504"), sum[:4])
		head := "Written on a locked tablet, " + at.Format("2 January 2006 15:04") + " by its clock. Nothing shows by whom.\n\n"
		if err := writeSecret(filepath.Join(folder, name), []byte(head+n.Text+"\n")); err != nil {
			return fmt.Errorf("writing a note: %w", err)
		}
	}
	return nil
}

// openSealedKey finds the pair that the two officers are, and opens it.
func openSealedKey(path string, officers []Officer) ([]byte, sealedPair, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, sealedPair{}, fmt.Errorf("reading the recovery key: %w", err)
	}
	var file sealedKey
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, sealedPair{}, fmt.Errorf("%s is no recovery key: %w", path, err)
	}
	half := map[string]string{officers[0].Login: officers[0].Half, officers[1].Login: officers[1].Half}
	for _, p := range file.Pairs {
		first, ok := half[p.First]
		second, too := half[p.Second]
		if ok && too {
			scalar, err := backup.OpenByTwo(p.Sealed, first, second)
			return scalar, p, err
		}
	}
	return nil, sealedPair{}, fmt.Errorf("%s was not sealed to %s and %s together", path, officers[0].Login, officers[1].Login)
}

// Recover implements Operator.
func (o localOperator) Recover(ctx context.Context, in RecoverOrder) (RecoverReport, error) {
	by, known := o.b.store.State().UserByLogin(in.By)
	second, too := o.b.store.State().UserByLogin(in.Second)
	if !known || !too {
		return RecoverReport{}, fmt.Errorf("an officer has no account any more: %w", auth.ErrUnknownUser)
	}
	device, err := syncproto.ParseID(in.Device)
	if err != nil {
		return RecoverReport{}, err
	}
	user, err := syncproto.ParseID(in.User)
	if err != nil {
		return RecoverReport{}, err
	}
	if in.Notes < 0 {
		return RecoverReport{}, syncproto.CodeMalformed
	}
	r := exchange.Recovery{By: by.ID, Second: second.ID, Device: syncproto.DeviceID(device), User: syncproto.UserID(user), Notes: in.Notes}
	for _, it := range in.Items {
		if len(it.Prev) != len(syncproto.ChangeID{}) {
			return RecoverReport{}, syncproto.CodeMalformed
		}
		r.Items = append(r.Items, recovery.Item{Prev: syncproto.ChangeID(it.Prev), Signature: it.Signature, Body: it.Body})
	}
	done, err := o.b.exchange.Recover(ctx, r)
	if err != nil {
		return RecoverReport{}, fmt.Errorf("recovering a tablet's words: %w", err)
	}
	return RecoverReport(done), nil
}

func (o remoteOperator) Recover(ctx context.Context, in RecoverOrder) (RecoverReport, error) {
	return ask[RecoverOrder, RecoverReport](ctx, o, "recover", in)
}
