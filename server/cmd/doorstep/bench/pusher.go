package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/klauspost/compress/flate"

	"doorstep/client-sdk/device"
	"doorstep/syncproto"
	"doorstep/syncproto/frame"
)

// pusher is a tablet as the server sees it: an identity, a chain of changes, and
// how far it has got in its feed. It keeps no records. It is for one goroutine.
type pusher struct {
	wire     *wire
	client   *device.Client
	identity device.Identity
	key      device.Key
	writer   *writer
	notes    bool // it writes small changes, not visits

	actor    syncproto.ActorID
	seq      uint64
	tip      syncproto.ChangeID
	families []syncproto.FamilyID
	epoch    syncproto.Epoch
	cursor   []byte
}

// enrol enrols a tablet and learns which families its owner has.
func enrol(ctx context.Context, url string, who person, seed uint64) (*pusher, error) {
	code, err := who.codes(ctx)
	if err != nil {
		return nil, fmt.Errorf("a code for %s: %w", who.login, err)
	}
	key, err := device.NewKey()
	if err != nil {
		return nil, err
	}
	p := &pusher{wire: newWire(), key: key}
	if p.client, err = device.NewClient(url, p.wire.client); err != nil {
		return nil, err
	}
	p.identity, err = p.client.Enrol(ctx, device.NewMemory(), device.Enrolment{
		Login: who.login, Password: who.password, Code: code, Name: "a tablet of the benchmark", Key: &key})
	if err != nil {
		return nil, fmt.Errorf("enrolling %s: %w", who.login, err)
	}
	// Other names at each run, so that a borough can be measured twice.
	p.writer = newWriter(seed ^ binary.BigEndian.Uint64(p.identity.Device[:]))
	p.actor = syncproto.ActorID(p.writer.id())
	if _, err := p.pull(ctx); err != nil {
		return nil, err
	}
	if len(p.families) == 0 {
		return nil, fmt.Errorf("%s has no family to write about", who.login)
	}
	return p, nil
}

// parcel is a request that only lacks the cursor of its moment.
type parcel struct {
	batch syncproto.Batch
	chain syncproto.ChainHead
	tail  []byte // of the encoded request, from the first body on, compressed if packed
	size  int    // of the tail before that
	ids   []syncproto.ChangeID
	prose int // bytes of the bodies
}

// prepare writes and signs the tablet's next visits.
func (p *pusher) prepare(visits int, packed bool) (*parcel, error) {
	out := &parcel{batch: syncproto.Batch{Device: p.identity.Device, Actor: p.actor, Prev: p.tip}}
	for range visits {
		body, err := p.write()
		if err != nil {
			return nil, err
		}
		p.seq++
		p.tip = syncproto.ComputeID(p.tip, body)
		out.batch.Bodies = append(out.batch.Bodies, body)
		out.ids = append(out.ids, p.tip)
		out.prose += len(body)
	}
	var err error
	if out.batch.Signature, err = p.key.Sign(syncproto.TipMessage(p.actor, p.tip)); err != nil {
		return nil, err
	}
	out.chain = syncproto.ChainHead{Actor: p.actor, Seq: p.seq, Tip: p.tip}
	_, out.tail = out.split(p.request(out))
	out.size = len(out.tail)
	if !packed {
		return out, nil
	}
	out.tail, err = deflate(out.tail)
	return out, err
}

// write is the tablet's next change.
func (p *pusher) write() ([]byte, error) {
	if p.notes {
		return p.writer.note(p, p.seq+1)
	}
	return p.writer.visit(p, p.seq+1)
}

// request is what the tablet would send now.
func (p *pusher) request(with *parcel) []byte {
	q := &syncproto.SyncRequest{Version: syncproto.ProtocolVersion, Request: syncproto.RequestID(p.writer.id()), Epoch: p.epoch, Cursor: p.cursor}
	if with != nil {
		q.Batches = []syncproto.Batch{with.batch}
		q.Chains = []syncproto.ChainHead{with.chain}
	}
	return syncproto.EncodeRequest(q)
}

// split cuts an encoded request before its first body: what comes after does not
// depend on the cursor.
func (p *parcel) split(request []byte) (head, tail []byte) {
	at := bytes.Index(request, p.batch.Bodies[0])
	return request[:at], request[at:]
}

// head is the request of this moment up to its first body. Only that body is
// written out for it: what follows was made before the clock started.
func (p *pusher) head(with *parcel) []byte {
	q := &parcel{batch: with.batch, chain: with.chain}
	q.batch.Bodies = make([][]byte, len(with.batch.Bodies))
	q.batch.Bodies[0] = with.batch.Bodies[0]
	head, _ := q.split(p.request(q))
	return head
}

func deflate(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flateLevel)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// flateLevel is the level that package frame compresses with.
const flateLevel = 6

// frame is the request on the wire: the head of this moment as a stored block of
// DEFLATE, then the parcel's blocks, which were made before.
func (p *pusher) frame(with *parcel, packed bool) []byte {
	if !packed {
		return frame.Wrap(p.request(with), false)
	}
	head := p.head(with)
	out := make([]byte, 0, 16+len(head)+len(with.tail))
	out = append(out, 1) // DEFLATE
	out = binary.AppendUvarint(out, uint64(len(head)+with.size))
	out = append(out, 0) // a stored block that is not the last
	out = binary.LittleEndian.AppendUint16(out, uint16(len(head)))
	out = binary.LittleEndian.AppendUint16(out, ^uint16(len(head)))
	out = append(out, head...)
	return append(out, with.tail...)
}

// push sends a parcel and checks that every visit was accepted and is stored.
func (p *pusher) push(ctx context.Context, with *parcel, packed bool) error {
	reply, err := p.exchange(ctx, p.frame(with, packed))
	if err != nil {
		return fmt.Errorf("pushing: %w", err)
	}
	if len(reply.Receipts) != len(with.ids) {
		return fmt.Errorf("%d visits were pushed, %d answered", len(with.ids), len(reply.Receipts))
	}
	for i, r := range reply.Receipts {
		if r.Change != with.ids[i] || r.Status != syncproto.StatusAccepted || r.Durability < syncproto.DurabilityStored {
			return fmt.Errorf("a visit was not accepted and stored: status %d, %w", r.Status, r.Code)
		}
	}
	return nil
}

// pull fetches all news and returns how many changes came.
func (p *pusher) pull(ctx context.Context) (changes int, err error) {
	for more := true; more; {
		reply, err := p.exchange(ctx, frame.Wrap(p.request(nil), true))
		if err != nil {
			return changes, fmt.Errorf("pulling: %w", err)
		}
		for _, item := range reply.Items {
			switch item.Type {
			case syncproto.ItemChange:
				changes++
			case syncproto.ItemGrant:
				p.families = append(p.families, item.Family)
			}
		}
		more = reply.More
	}
	return changes, nil
}

// exchange sends a frame and takes over the cursor of the answer.
func (p *pusher) exchange(ctx context.Context, wire []byte) (*syncproto.SyncReply, error) {
	answer, err := p.client.Sync(ctx, wire)
	if err != nil {
		return nil, err
	}
	signed, err := frame.Unwrap(answer)
	if err != nil {
		return nil, err
	}
	payload, _, err := syncproto.DecodeSignedReply(signed)
	if err != nil {
		return nil, err
	}
	reply, err := syncproto.DecodeReply(payload)
	if err != nil {
		return nil, err
	}
	p.cursor, p.epoch = reply.Cursor, reply.Epoch
	return reply, nil
}
