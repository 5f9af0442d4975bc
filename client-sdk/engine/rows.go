package engine

import (
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// The kinds of row; see the package comment.
const (
	rowMeta    = 'm'
	rowLink    = 'o'
	rowChange  = 'c'
	rowVerdict = 'v'
	rowDraft   = 'd'
	rowFamily  = 'f'
	rowWords   = 'x'
	rowView    = 'w'
	rowLog     = 'k'
	rowErased  = 'e'
)

// rowsVersion is the layout written here. A newer one is not read.
const rowsVersion = 1

// Error is a reason why stored rows cannot be used.
type Error string

func (e Error) Error() string { return "engine: " + string(e) }

const (
	// ErrRow: a row that this engine would not have written.
	ErrRow Error = "damaged row"
	// ErrNewerRows: the rows were written by a newer app.
	ErrNewerRows Error = "rows of a newer app"
	// ErrIdentity: the rows belong to another borough, user or device.
	ErrIdentity Error = "rows of another user or device"
	// ErrNotStarted: Start has not been called.
	ErrNotStarted Error = "not started"
)

// MissingError reports a hole in an own chain: words were here and are gone.
type MissingError struct {
	Actor syncproto.ActorID
	Seq   uint64
	Body  bool // the place is known, its content is missing
}

func (e *MissingError) Error() string {
	what := "engine: own change missing: "
	if e.Body {
		what = "engine: content of own change missing: "
	}
	return what + e.Actor.String() + "/" + decimal(e.Seq)
}

func decimal(n uint64) string {
	var b [20]byte
	i := len(b)
	for {
		i--
		b[i] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return string(b[i:])
		}
	}
}

// appendUint64 and readUint64 stand in for encoding/binary, which links reflect.
func appendUint64(b []byte, n uint64) []byte {
	for shift := 56; shift >= 0; shift -= 8 {
		b = append(b, byte(n>>shift))
	}
	return b
}

func readUint64(b []byte) uint64 {
	var n uint64
	for _, c := range b[:8] {
		n = n<<8 | uint64(c)
	}
	return n
}

func keyMeta() []byte { return []byte{rowMeta} }

func keyLink(a syncproto.ActorID, seq uint64) []byte {
	return appendUint64(append([]byte{rowLink}, a[:]...), seq)
}

func keyChange(f syncproto.FamilyID, r syncproto.RecordID, id syncproto.ChangeID) []byte {
	return append(keyOfRecord(rowChange, f, r), id[:]...)
}

func keyVerdict(gen uint64, f syncproto.FamilyID, v *syncproto.Verdict) []byte {
	b := append([]byte{rowVerdict}, f[:]...)
	b = appendUint64(b, gen)
	b = appendUint64(b, v.Position)
	return append(b, v.Record[:]...)
}

func keyDraft(f syncproto.FamilyID, r syncproto.RecordID) []byte {
	return keyOfRecord(rowDraft, f, r)
}

func keyFamily(f syncproto.FamilyID) []byte { return append([]byte{rowFamily}, f[:]...) }

func keyWords(f syncproto.FamilyID, r syncproto.RecordID, n uint64) []byte {
	return appendUint64(keyOfRecord(rowWords, f, r), n)
}

func keyView(f syncproto.FamilyID, r syncproto.RecordID) []byte {
	return keyOfRecord(rowView, f, r)
}

func keyOfRecord(kind byte, f syncproto.FamilyID, r syncproto.RecordID) []byte {
	return append(append([]byte{kind}, f[:]...), r[:]...)
}

// keyReader takes a key apart; short or over-long keys make it bad.
type keyReader struct {
	rest []byte
	bad  bool
}

func (k *keyReader) into(dst []byte) {
	if len(k.rest) < len(dst) {
		k.bad = true
		return
	}
	copy(dst, k.rest)
	k.rest = k.rest[len(dst):]
}

func (k *keyReader) uint64() uint64 {
	var b [8]byte
	k.into(b[:])
	return readUint64(b[:])
}

func (k *keyReader) err() error {
	if k.bad || len(k.rest) > 0 {
		return ErrRow
	}
	return nil
}

// meta is the row about the device itself.
type meta struct {
	actor    syncproto.ActorID
	epoch    syncproto.Epoch
	gen      uint64 // counts the epochs met; rows of an older one await comparison
	live     uint64 // the generation whose verdicts count: the newest read whole
	compare  bool   // the server did not know our epoch or cursor
	cursor   []byte
	readable uint64             // newest body version that could be read
	unread   uint64             // changes passed over because they could not be read
	words    uint64             // counts repaired words, for their row keys
	purged   []syncproto.Purged // receipts that are due
	wipe     uint64             // everything is to go, as the server said at this position; 0: no
}

func encodeMeta(id *Identity, m *meta) []byte {
	b := cbor.AppendArray(nil, 15)
	b = cbor.AppendUint(b, rowsVersion)
	b = cbor.AppendText(b, id.Borough)
	b = cbor.AppendBytes(b, id.User[:])
	b = cbor.AppendBytes(b, id.Device[:])
	b = cbor.AppendBytes(b, m.actor[:])
	b = cbor.AppendBytes(b, m.epoch[:])
	b = cbor.AppendUint(b, m.gen)
	b = cbor.AppendUint(b, m.live)
	b = cbor.AppendBool(b, m.compare)
	b = cbor.AppendBytes(b, m.cursor)
	b = cbor.AppendUint(b, m.readable)
	b = cbor.AppendUint(b, m.unread)
	b = cbor.AppendUint(b, m.words)
	b = cbor.AppendArray(b, len(m.purged))
	for _, p := range m.purged {
		b = cbor.AppendArray(b, 2)
		b = cbor.AppendBytes(b, p.Family[:])
		b = cbor.AppendUint(b, p.Position)
	}
	return cbor.AppendUint(b, m.wipe)
}

func decodeMeta(id *Identity, value []byte) (*meta, error) {
	r := cbor.NewReader(value)
	r.Array()
	if v := r.Uint(); r.Err() == nil && v > rowsVersion {
		return nil, ErrNewerRows
	}
	m := &meta{}
	var user syncproto.UserID
	var device syncproto.DeviceID
	borough := r.Text()
	r.BytesInto(user[:])
	r.BytesInto(device[:])
	r.BytesInto(m.actor[:])
	r.BytesInto(m.epoch[:])
	m.gen = r.Uint()
	m.live = r.Uint()
	m.compare = r.Bool()
	m.cursor = r.Bytes()
	m.readable = r.Uint()
	m.unread = r.Uint()
	m.words = r.Uint()
	for range r.Array() {
		var p syncproto.Purged
		r.Array()
		r.BytesInto(p.Family[:])
		p.Position = r.Uint()
		m.purged = append(m.purged, p)
	}
	m.wipe = r.Uint()
	if r.Done() != nil {
		return nil, ErrRow
	}
	if borough != id.Borough || user != id.User || device != id.Device {
		return nil, ErrIdentity
	}
	return m, nil
}

// The flags of a link's row.
const (
	flagPurged    = 1 // content removed with its family, after the receipt
	flagReoffered = 2 // the words were offered anew
	flagUncopied  = 4 // stored by the server, and not copied yet
	flagMoved     = 8 // a verdict gave it its status
)

func encodeLink(l *link) []byte {
	b := cbor.AppendArray(nil, 9)
	b = cbor.AppendBytes(b, l.id[:])
	b = cbor.AppendBytes(b, l.family[:])
	b = cbor.AppendBytes(b, l.record[:])
	b = cbor.AppendUint(b, uint64(l.status))
	b = cbor.AppendUint(b, uint64(l.code))
	b = cbor.AppendUint(b, uint64(l.durability))
	b = cbor.AppendUint(b, l.position)
	b = cbor.AppendUint(b, l.gen)
	var flags uint64
	if l.purged {
		flags |= flagPurged
	}
	if l.reoffered {
		flags |= flagReoffered
	}
	if l.uncopied {
		flags |= flagUncopied
	}
	if l.moved {
		flags |= flagMoved
	}
	return cbor.AppendUint(b, flags)
}

func decodeLink(value []byte) (*link, error) {
	r := cbor.NewReader(value)
	r.Array()
	l := &link{}
	r.BytesInto(l.id[:])
	r.BytesInto(l.family[:])
	r.BytesInto(l.record[:])
	l.status = syncproto.ReceiptStatus(r.Uint())
	l.code = syncproto.Code(r.Uint())
	l.durability = syncproto.Durability(r.Uint())
	l.position = r.Uint()
	l.gen = r.Uint()
	flags := r.Uint()
	l.purged = flags&flagPurged != 0
	l.reoffered = flags&flagReoffered != 0
	l.uncopied = flags&flagUncopied != 0
	l.moved = flags&flagMoved != 0
	if r.Done() != nil {
		return nil, ErrRow
	}
	return l, nil
}

// stored is a change as its row holds it.
type stored struct {
	prev syncproto.ChangeID
	body []byte
}

// encodeStored writes a change; o is what came with somebody else's.
func encodeStored(prev syncproto.ChangeID, body []byte, o *other) []byte {
	b := make([]byte, 0, len(body)+len(prev)+48)
	if o == nil {
		b = cbor.AppendArray(b, 2)
	} else {
		b = cbor.AppendArray(b, 5)
		b = cbor.AppendBytes(b, o.device[:])
		b = cbor.AppendBytes(b, o.proof[:])
		b = cbor.AppendBool(b, o.lost)
	}
	b = cbor.AppendBytes(b, prev[:])
	return cbor.AppendBytes(b, body)
}

func decodeStored(value []byte) (s stored, o *other, err error) {
	r := cbor.NewReader(value)
	if r.Array() == 5 {
		o = &other{}
		r.BytesInto(o.device[:])
		r.BytesInto(o.proof[:])
		o.lost = r.Bool()
	}
	r.BytesInto(s.prev[:])
	s.body = r.Bytes()
	if r.Done() != nil {
		err = ErrRow
	}
	return s, o, err
}

func encodeFamily(f *family) []byte {
	b := cbor.AppendArray(nil, 4)
	b = cbor.AppendUint(b, uint64(f.standing))
	b = cbor.AppendText(b, f.basis)
	b = cbor.AppendUint(b, f.position)
	return cbor.AppendUint(b, f.gen)
}

func (f *family) decode(value []byte) error {
	r := cbor.NewReader(value)
	r.Array()
	f.standing = Standing(r.Uint())
	f.basis = r.Text()
	f.position = r.Uint()
	f.gen = r.Uint()
	if r.Done() != nil {
		return ErrRow
	}
	return nil
}
