// Package recovery is the format in which a tablet's unsent work is always kept
// encrypted to the borough as well (SPEC 7.13), so that two people can recover a
// lost or locked tablet's words and no thief can.
//
// Seal makes an item of one change, for the file that Header begins; Open reads a
// file with the borough's recovery key. Each item stands for itself: what is damaged
// or torn harms no other. Who holds the key, and where the file lies, is not its
// business. It is for drivers and servers; the sync engine never imports it.
package recovery

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

const (
	magic     = "doorstep-outbox-v1\n"
	keyIDSize = 8
	encSize   = 65 // of an encapsulated P-256 key
	tagSize   = 16 // of AES-GCM
	headSize  = 32 + syncproto.SignatureBytes
	// maxItem bounds a sealed item: one change of the largest size, and what is
	// around it.
	maxItem = encSize + headSize + syncproto.MaxBodyBytes + tagSize
)

// ErrFile says that a file is no sealed outbox of this borough and key.
var ErrFile = errors.New("not a sealed outbox, or sealed to another key")

// Header says whose words a file holds. It is not secret, and bound to every item.
type Header struct {
	Borough string // 1 to 64 bytes
	Device  syncproto.DeviceID
	User    syncproto.UserID
}

// Item is one unsent change: its place in its actor's chain, its bytes, and the
// device's signature over it as the tip of its chain (SPEC 3.4).
type Item struct {
	Prev      syncproto.ChangeID
	Signature []byte // 64 bytes
	Body      []byte
}

// Note is what somebody wrote on a tablet that was locked. It is no change: it belongs
// to no record yet, and nothing shows who wrote it.
type Note struct {
	Text      string
	UnixMS    int64 // when it was last written in, by the tablet's clock
	OffsetMin int64 // that clock's offset from UTC
}

// maxNote bounds a note's text, in bytes.
const maxNote = 64 << 10

// Note returns the note that an item is; false: it is a change.
func (i Item) Note() (Note, bool) {
	if !i.Prev.IsZero() || len(bytes.Trim(i.Signature, "\x00")) > 0 {
		return Note{}, false
	}
	r := cbor.NewReader(i.Body)
	fields := r.Array()
	n := Note{Text: r.Text(), UnixMS: r.Int(), OffsetMin: r.Int()}
	return n, fields == 3 && r.Done() == nil && len(n.Text) <= maxNote
}

// Key is the borough's recovery key, to which items are sealed.
type Key struct {
	public hpke.PublicKey
	point  []byte
}

// ParseKey reads a public key: an uncompressed P-256 point of 65 bytes.
func ParseKey(point []byte) (Key, error) {
	public, err := hpke.DHKEM(ecdh.P256()).NewPublicKey(point)
	if err != nil {
		return Key{}, fmt.Errorf("recovery key: %w", err)
	}
	return Key{public: public, point: append([]byte(nil), point...)}, nil
}

// Bytes returns the point.
func (k Key) Bytes() []byte { return append([]byte(nil), k.point...) }

// Encode returns what a file sealed to k begins with, which is also what binds its
// items to it.
func (h Header) Encode(k Key) []byte {
	id := sha256.Sum256(k.point)
	b := append([]byte(magic), id[:keyIDSize]...)
	b = append(append(b, h.Device[:]...), h.User[:]...)
	return append(append(b, byte(len(h.Borough))), h.Borough...)
}

// Seal makes an item of a file: a length of four bytes and what is sealed.
func Seal(k Key, header []byte, it Item) ([]byte, error) {
	if len(it.Signature) != syncproto.SignatureBytes || len(it.Body) > syncproto.MaxBodyBytes {
		return nil, errors.New("seal for recovery: no change that was signed")
	}
	plain := append(append(append([]byte(nil), it.Prev[:]...), it.Signature...), it.Body...)
	sealed, err := hpke.Seal(k.public, hpke.HKDFSHA256(), hpke.AES256GCM(), header, plain)
	if err != nil {
		return nil, fmt.Errorf("seal for recovery: %w", err)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(sealed))), sealed...), nil
}

// PrivateKey opens what was sealed to its public half.
type PrivateKey struct{ private hpke.PrivateKey }

// ParsePrivateKey reads a scalar of 32 bytes.
func ParsePrivateKey(scalar []byte) (PrivateKey, error) {
	private, err := hpke.DHKEM(ecdh.P256()).NewPrivateKey(scalar)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("recovery key: %w", err)
	}
	return PrivateKey{private}, nil
}

// Public returns the key to seal to.
func (k PrivateKey) Public() Key {
	public := k.private.PublicKey()
	return Key{public: public, point: public.Bytes()}
}

// Opened is what a file holds.
type Opened struct {
	Header
	Items   []Item
	Damaged int  // items that do not open
	Torn    bool // the end is missing: it was being written
}

// Open reads a file. It fails with ErrFile where nothing of it can be read.
func Open(k PrivateKey, file []byte) (Opened, error) {
	header, rest, err := readHeader(file)
	if err != nil {
		return Opened{}, err
	}
	prefix := header.Encode(k.Public())
	if string(file[:len(prefix)]) != string(prefix) {
		return Opened{}, ErrFile
	}
	out := Opened{Header: header}
	for len(rest) > 0 {
		if len(rest) < 4 {
			out.Torn = true
			break
		}
		n := uint64(binary.BigEndian.Uint32(rest))
		if n > maxItem || uint64(len(rest)-4) < n {
			out.Torn = true
			break
		}
		if it, ok := openItem(k, prefix, rest[4:4+n]); ok {
			out.Items = append(out.Items, it)
		} else {
			out.Damaged++
		}
		rest = rest[4+n:]
	}
	return out, nil
}

func readHeader(file []byte) (h Header, rest []byte, err error) {
	const fixed = len(magic) + keyIDSize + 16 + 16 + 1
	if len(file) < fixed || string(file[:len(magic)]) != magic {
		return h, nil, ErrFile
	}
	b := file[len(magic)+keyIDSize:]
	copy(h.Device[:], b)
	copy(h.User[:], b[16:])
	n := int(b[32])
	if n == 0 || n > syncproto.MaxName || len(b) < 33+n {
		return h, nil, ErrFile
	}
	h.Borough = string(b[33 : 33+n])
	return h, b[33+n:], nil
}

func openItem(k PrivateKey, header, sealed []byte) (Item, bool) {
	plain, err := hpke.Open(k.private, hpke.HKDFSHA256(), hpke.AES256GCM(), header, sealed)
	if err != nil || len(plain) < headSize {
		return Item{}, false
	}
	return Item{Prev: syncproto.ChangeID(plain[:32]), Signature: plain[32:headSize], Body: plain[headSize:]}, true
}
