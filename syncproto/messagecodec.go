package syncproto

import (
	"slices"

	"doorstep/syncproto/cbor"
)

// Keys of the sync messages (SPEC 7).
const (
	reqVersion  = 1
	reqRequest  = 2
	reqEpoch    = 3
	reqCursor   = 4
	reqBatches  = 5
	reqChains   = 6
	reqPurged   = 7
	reqPageSize = 8
	reqLog      = 9
	reqForks    = 10
	reqAgain    = 11
	reqReturned = 12

	batchDevice    = 1
	batchActor     = 2
	batchPrev      = 3
	batchBodies    = 4
	batchSignature = 5
	batchGap       = 6

	replyVersion    = 1
	replyRequest    = 2
	replyEpoch      = 3
	replyTime       = 4
	replyReceipts   = 5
	replyItems      = 6
	replyCursor     = 7
	replyMore       = 8
	replyChains     = 9
	replyForked     = 10
	replyCheckpoint = 11
	replyProof      = 12
	replyRestored   = 13
	replyCopied     = 14

	checkpointSize      = 1
	checkpointRoot      = 2
	checkpointTime      = 3
	checkpointSignature = 4

	receiptChange     = 1
	receiptStatus     = 2
	receiptCode       = 3
	receiptDurability = 4
	receiptPosition   = 5
	receiptMissing    = 6

	itemType     = 1
	itemPosition = 2
	itemAt       = 3
	itemPrev     = 4
	itemBody     = 5
	itemVerdict  = 6
	itemFamily   = 7
	itemBasis    = 8
	itemRecord   = 9
	itemDevice   = 10
	itemProof    = 11

	returnedDevice = 1
	returnedPrev   = 2
	returnedBody   = 3
	returnedProof  = 4
)

// EncodeRequest returns the request's deterministic CBOR. It checks nothing;
// DecodeRequest on the other side does.
func EncodeRequest(q *SyncRequest) []byte {
	f := openFields(nil)
	f.uint(reqVersion, q.Version)
	f.id(reqRequest, q.Request[:])
	f.id(reqEpoch, q.Epoch[:])
	f.bytes(reqCursor, q.Cursor)
	if len(q.Batches) > 0 {
		f.key(reqBatches)
		f.b = cbor.AppendArray(f.b, len(q.Batches))
		for i := range q.Batches {
			f.b = appendBatch(f.b, &q.Batches[i])
		}
	}
	f.chains(reqChains, q.Chains)
	if len(q.Purged) > 0 {
		f.key(reqPurged)
		f.b = cbor.AppendArray(f.b, 2)
		f.b = appendPurged(f.b, q.Purged)
		f.b = cbor.AppendBytes(f.b, q.PurgeSignature)
	}
	f.uint(reqPageSize, q.PageSize)
	f.treeHead(reqLog, q.Log)
	if len(q.Forks) > 0 {
		f.key(reqForks)
		f.b = cbor.AppendArray(f.b, len(q.Forks))
		for i := range q.Forks {
			f.b = appendCheckpoint(f.b, &q.Forks[i])
		}
	}
	f.uint(reqAgain, q.Again)
	if len(q.Returned) > 0 {
		f.key(reqReturned)
		f.b = cbor.AppendArray(f.b, len(q.Returned))
		for i := range q.Returned {
			f.b = appendReturned(f.b, &q.Returned[i])
		}
	}
	return f.b
}

// appendReturned writes a returned change; all of its keys but prev are required.
func appendReturned(buf []byte, back *Returned) []byte {
	f := openFields(buf)
	f.key(returnedDevice)
	f.b = cbor.AppendBytes(f.b, back.Device[:])
	f.id(returnedPrev, back.Prev[:])
	f.key(returnedBody)
	f.b = cbor.AppendBytes(f.b, back.Body)
	f.key(returnedProof)
	f.b = cbor.AppendBytes(f.b, back.Proof[:])
	return f.b
}

// appendPurged writes [[family, position], ...].
func appendPurged(b []byte, purged []Purged) []byte {
	b = cbor.AppendArray(b, len(purged))
	for i := range purged {
		b = cbor.AppendArray(b, 2)
		b = cbor.AppendBytes(b, purged[i].Family[:])
		b = cbor.AppendUint(b, purged[i].Position)
	}
	return b
}

// appendBatch writes a batch; all of its keys but prev are required.
func appendBatch(buf []byte, batch *Batch) []byte {
	f := openFields(buf)
	f.key(batchDevice)
	f.b = cbor.AppendBytes(f.b, batch.Device[:])
	f.key(batchActor)
	f.b = cbor.AppendBytes(f.b, batch.Actor[:])
	f.id(batchPrev, batch.Prev[:])
	f.key(batchBodies)
	f.b = cbor.AppendArray(f.b, len(batch.Bodies))
	for _, body := range batch.Bodies {
		f.b = cbor.AppendBytes(f.b, body)
	}
	f.key(batchSignature)
	f.b = cbor.AppendBytes(f.b, batch.Signature)
	if batch.Gap {
		f.key(batchGap)
		f.b = cbor.AppendBool(f.b, true)
	}
	return f.b
}

// chains writes [[actor, seq, tip], ...].
func (f *fields) chains(k uint64, chains []ChainHead) {
	if len(chains) == 0 {
		return
	}
	f.key(k)
	f.b = cbor.AppendArray(f.b, len(chains))
	for i := range chains {
		f.b = cbor.AppendArray(f.b, 3)
		f.b = cbor.AppendBytes(f.b, chains[i].Actor[:])
		f.b = cbor.AppendUint(f.b, chains[i].Seq)
		f.b = cbor.AppendBytes(f.b, chains[i].Tip[:])
	}
}

// DecodeRequest reads a request; the bodies of its batches alias b, which must not
// be changed, and are not looked into, so that one bad change cannot spoil the others. It fails with
// CodeUnsupportedVersion before it reads anything that another version may have
// changed, CodeEmpty, CodeTooLarge over a limit, and the codes of SPEC 4.
func DecodeRequest(b []byte) (*SyncRequest, error) {
	if err := checkMessage(b); err != nil {
		return nil, err
	}
	q := &SyncRequest{}
	var seen keys
	r := cbor.NewReader(b)
	for range r.Map() {
		readRequestField(r, readKey(r, &seen), q)
	}
	if err := r.Done(); err != nil {
		return nil, codeOf(err)
	}
	if !seen.has(keySet(reqVersion, reqRequest)) {
		return nil, CodeMalformed
	}
	return q, nil
}

// checkMessage refuses what is empty or too large to be looked at.
func checkMessage(b []byte) error {
	if len(b) == 0 {
		return CodeEmpty
	}
	if len(b) > MaxMessageBytes {
		return CodeTooLarge
	}
	return nil
}

func readRequestField(r *cbor.Reader, key uint64, q *SyncRequest) {
	switch key {
	case reqVersion:
		q.Version = readVersion(r)
	case reqRequest:
		readName(r, q.Request[:])
	case reqEpoch:
		someID(r, q.Epoch[:])
	case reqCursor:
		q.Cursor = readCursor(r)
	case reqBatches:
		q.Batches = readBatches(r)
	case reqChains:
		q.Chains = readChains(r)
	case reqPurged:
		tuple(r, 2)
		q.Purged = readPurged(r)
		q.PurgeSignature = make([]byte, SignatureBytes)
		r.BytesInto(q.PurgeSignature)
	case reqPageSize:
		q.PageSize = someUint(r)
	case reqLog:
		q.Log = readTreeHead(r)
	case reqAgain:
		q.Again = someUint(r)
	case reqReturned:
		q.Returned = make([]Returned, someArray(r, MaxReturned))
		for i := range q.Returned {
			readReturned(r, &q.Returned[i])
		}
	case reqForks:
		q.Forks = make([]Checkpoint, someArray(r, MaxForks))
		for i := range q.Forks {
			q.Forks[i] = readCheckpoint(r)
		}
	default:
		r.Skip()
	}
}

// readVersion refuses a protocol version that is not spoken here.
func readVersion(r *cbor.Reader) uint64 {
	v := r.Uint()
	if r.Err() == nil && (v < MinProtocolVersion || v > ProtocolVersion) {
		r.Fail(CodeUnsupportedVersion)
	}
	return v
}

func readCursor(r *cbor.Reader) []byte {
	cursor := r.BytesUpTo(MaxCursorBytes)
	refuseIf(r, len(cursor) == 0)
	return slices.Clone(cursor)
}

// readBatches reads at most MaxBatches batches of MaxBatchChanges changes in all.
func readBatches(r *cbor.Reader) []Batch {
	batches := make([]Batch, someArray(r, MaxBatches))
	left := MaxBatchChanges
	for i := range batches {
		left -= readBatch(r, &batches[i], left)
	}
	return batches
}

// readBatch reads one batch of at most max changes and returns how many it has.
func readBatch(r *cbor.Reader, batch *Batch, max int) int {
	var seen keys
	for range r.Map() {
		switch readKey(r, &seen) {
		case batchDevice:
			readName(r, batch.Device[:])
		case batchActor:
			readName(r, batch.Actor[:])
		case batchPrev:
			someID(r, batch.Prev[:])
		case batchBodies:
			batch.Bodies = readBodies(r, max)
		case batchSignature:
			batch.Signature = make([]byte, SignatureBytes)
			r.BytesInto(batch.Signature)
		case batchGap:
			batch.Gap = r.Bool()
			refuseIf(r, !batch.Gap)
		default:
			r.Skip()
		}
	}
	failIf(r, !seen.has(keySet(batchDevice, batchActor, batchBodies, batchSignature)), CodeMalformed)
	return len(batch.Bodies)
}

func readReturned(r *cbor.Reader, back *Returned) {
	var seen keys
	for range r.Map() {
		switch readKey(r, &seen) {
		case returnedDevice:
			readName(r, back.Device[:])
		case returnedPrev:
			someID(r, back.Prev[:])
		case returnedBody:
			back.Body = slices.Clone(r.Bytes())
		case returnedProof:
			r.BytesInto(back.Proof[:])
		default:
			r.Skip()
		}
	}
	failIf(r, !seen.has(keySet(returnedDevice, returnedBody, returnedProof)), CodeMalformed)
}

func readBodies(r *cbor.Reader, max int) [][]byte {
	bodies := make([][]byte, someArray(r, max))
	for i := range bodies {
		bodies[i] = r.Bytes()
	}
	return bodies
}

func readChains(r *cbor.Reader) []ChainHead {
	chains := make([]ChainHead, someArray(r, MaxChains))
	for i := range chains {
		tuple(r, 3)
		readName(r, chains[i].Actor[:])
		chains[i].Seq = r.Uint()
		r.BytesInto(chains[i].Tip[:])
	}
	return chains
}

func readPurged(r *cbor.Reader) []Purged {
	purged := make([]Purged, someArray(r, MaxPurged))
	for i := range purged {
		tuple(r, 2)
		r.BytesInto(purged[i].Family[:])
		purged[i].Position = r.Uint()
	}
	return purged
}
