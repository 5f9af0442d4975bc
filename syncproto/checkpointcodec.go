package syncproto

import "doorstep/syncproto/cbor"

// treeHead writes [size, root], if there is one.
func (f *fields) treeHead(k uint64, h TreeHead) {
	if h.Size == 0 {
		return
	}
	f.key(k)
	f.b = cbor.AppendArray(f.b, 2)
	f.b = cbor.AppendUint(f.b, h.Size)
	f.b = cbor.AppendBytes(f.b, h.Root[:])
}

func readTreeHead(r *cbor.Reader) (h TreeHead) {
	tuple(r, 2)
	h.Size = someUint(r)
	r.BytesInto(h.Root[:])
	return h
}

// evidence writes what a reply says of the log.
func (f *fields) evidence(p *SyncReply) {
	if p.Checkpoint != nil {
		f.key(replyCheckpoint)
		f.b = appendCheckpoint(f.b, p.Checkpoint)
	}
	if len(p.Proof) > 0 {
		f.key(replyProof)
		f.b = cbor.AppendArray(f.b, len(p.Proof))
		for i := range p.Proof {
			f.b = cbor.AppendBytes(f.b, p.Proof[i][:])
		}
	}
	if !p.Restored.IsZero() {
		f.key(replyRestored)
		f.b = cbor.AppendArray(f.b, 2)
		f.b = cbor.AppendBytes(f.b, p.Restored.Epoch[:])
		f.b = cbor.AppendUint(f.b, p.Restored.Size)
	}
}

// appendCheckpoint writes a checkpoint; all of its keys but time are required.
func appendCheckpoint(buf []byte, c *Checkpoint) []byte {
	f := openFields(buf)
	f.key(checkpointSize)
	f.b = cbor.AppendUint(f.b, c.Size)
	f.key(checkpointRoot)
	f.b = cbor.AppendBytes(f.b, c.Root[:])
	f.int(checkpointTime, c.TimeMS)
	f.key(checkpointSignature)
	f.b = cbor.AppendBytes(f.b, c.Signature)
	return f.b
}

// EncodeCheckpoint returns a checkpoint's deterministic CBOR.
func EncodeCheckpoint(c *Checkpoint) []byte { return appendCheckpoint(nil, c) }

// ReadCheckpoint reads a checkpoint out of a larger message; the reader keeps the
// error.
func ReadCheckpoint(r *cbor.Reader) Checkpoint { return readCheckpoint(r) }

func readCheckpoint(r *cbor.Reader) (c Checkpoint) {
	var seen keys
	for range r.Map() {
		switch readKey(r, &seen) {
		case checkpointSize:
			c.Size = someUint(r)
		case checkpointRoot:
			r.BytesInto(c.Root[:])
		case checkpointTime:
			c.TimeMS = someInt(r)
		case checkpointSignature:
			c.Signature = make([]byte, SignatureBytes)
			r.BytesInto(c.Signature)
		default:
			r.Skip()
		}
	}
	failIf(r, !seen.has(keySet(checkpointSize, checkpointRoot, checkpointSignature)), CodeMalformed)
	return c
}

func readRestored(r *cbor.Reader) (d Restored) {
	tuple(r, 2)
	readName(r, d.Epoch[:])
	d.Size = r.Uint()
	return d
}
