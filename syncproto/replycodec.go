package syncproto

import "doorstep/syncproto/cbor"

// EncodeReply returns the reply's deterministic CBOR. It checks nothing;
// DecodeReply on the other side does.
func EncodeReply(p *SyncReply) []byte {
	f := openFields(nil)
	f.uint(replyVersion, p.Version)
	f.id(replyRequest, p.Request[:])
	f.id(replyEpoch, p.Epoch[:])
	f.int(replyTime, p.TimeMS)
	if len(p.Receipts) > 0 {
		f.key(replyReceipts)
		f.b = cbor.AppendArray(f.b, len(p.Receipts))
		for i := range p.Receipts {
			f.b = appendReceipt(f.b, &p.Receipts[i])
		}
	}
	if len(p.Items) > 0 {
		f.key(replyItems)
		f.b = cbor.AppendArray(f.b, len(p.Items))
		follow := follower{}
		for i := range p.Items {
			f.b = appendItem(f.b, &p.Items[i], follow)
		}
	}
	f.bytes(replyCursor, p.Cursor)
	if p.More {
		f.key(replyMore)
		f.b = cbor.AppendBool(f.b, true)
	}
	f.chains(replyChains, p.Chains)
	if len(p.Forked) > 0 {
		f.key(replyForked)
		f.b = cbor.AppendArray(f.b, len(p.Forked))
		for i := range p.Forked {
			f.b = cbor.AppendBytes(f.b, p.Forked[i][:])
		}
	}
	f.evidence(p)
	if p.Copies {
		f.key(replyCopied)
		f.b = cbor.AppendUint(f.b, p.Copied)
	}
	return f.b
}

func appendReceipt(buf []byte, rc *Receipt) []byte {
	f := openFields(buf)
	f.key(receiptChange)
	f.b = cbor.AppendBytes(f.b, rc.Change[:])
	f.key(receiptStatus)
	f.b = cbor.AppendUint(f.b, uint64(rc.Status))
	f.uint(receiptCode, uint64(rc.Code))
	f.uint(receiptDurability, uint64(rc.Durability))
	f.uint(receiptPosition, rc.Position)
	f.ids(receiptMissing, rc.Missing)
	return f.b
}

func appendItem(buf []byte, it *Item, follow follower) []byte {
	f := openFields(buf)
	f.key(itemType)
	f.b = cbor.AppendUint(f.b, uint64(it.Type))
	f.uint(itemPosition, it.Position)
	f.int(itemAt, it.AtMS)
	if it.Type == ItemChange {
		actor, ok := actorOf(it.Body)
		if expected := follow.expect(actor, ok); it.Prev != expected {
			f.key(itemPrev)
			f.b = cbor.AppendBytes(f.b, it.Prev[:])
		}
		f.key(itemBody)
		f.b = cbor.AppendBytes(f.b, it.Body)
		follow.note(actor, ok, it)
	}
	if it.Verdict != nil {
		f.key(itemVerdict)
		f.b = appendVerdict(f.b, it.Verdict)
	}
	f.id(itemFamily, it.Family[:])
	f.text(itemBasis, it.Basis)
	f.id(itemRecord, it.Record[:])
	f.id(itemDevice, it.Device[:])
	f.id(itemProof, it.Proof[:])
	return f.b
}

// follower knows each actor's latest change in a reply. The prev of a change
// that follows it there, or of an actor's first change ever, is left out
// (SPEC 7.4).
type follower map[ActorID]ChangeID

// expect returns the prev that need not be written.
func (fl follower) expect(actor ActorID, known bool) ChangeID {
	if !known {
		return ChangeID{}
	}
	return fl[actor]
}

func (fl follower) note(actor ActorID, known bool, it *Item) {
	if known {
		fl[actor] = ComputeID(it.Prev, it.Body)
	}
}

// actorOf reads the actor out of a body without checking the rest.
func actorOf(body []byte) (ActorID, bool) {
	r := cbor.NewReader(body)
	for range r.Map() {
		if r.Uint() != bodyActor {
			r.Skip()
			continue
		}
		var actor ActorID
		r.BytesInto(actor[:])
		return actor, r.Err() == nil
	}
	return ActorID{}, false
}

// DecodeReply reads a reply, the prevs that were left out included. The bodies
// of its items are copied and not looked into beyond their actor. The errors are
// those of DecodeRequest, and CodeNewerApp for a status, item or verdict that is
// not of this protocol version.
func DecodeReply(b []byte) (*SyncReply, error) {
	if err := checkMessage(b); err != nil {
		return nil, err
	}
	p := &SyncReply{}
	var seen keys
	r := cbor.NewReader(b)
	for range r.Map() {
		readReplyField(r, readKey(r, &seen), p)
	}
	if err := r.Done(); err != nil {
		return nil, codeOf(err)
	}
	if !seen.has(keySet(replyVersion, replyRequest, replyEpoch)) {
		return nil, CodeMalformed
	}
	return p, nil
}

func readReplyField(r *cbor.Reader, key uint64, p *SyncReply) {
	switch key {
	case replyVersion:
		p.Version = readVersion(r)
	case replyRequest:
		readName(r, p.Request[:])
	case replyEpoch:
		readName(r, p.Epoch[:])
	case replyTime:
		p.TimeMS = someInt(r)
	case replyReceipts:
		p.Receipts = make([]Receipt, someArray(r, MaxBatchChanges))
		for i := range p.Receipts {
			readReceipt(r, &p.Receipts[i])
		}
	case replyItems:
		p.Items = readItems(r)
	case replyCursor:
		p.Cursor = readCursor(r)
	case replyMore:
		p.More = r.Bool()
		refuseIf(r, !p.More)
	case replyChains:
		p.Chains = readChains(r)
	case replyForked:
		p.Forked = make([]ActorID, someArray(r, MaxChains))
		for i := range p.Forked {
			readName(r, p.Forked[i][:])
		}
	case replyCheckpoint:
		c := readCheckpoint(r)
		p.Checkpoint = &c
	case replyProof:
		p.Proof = make([][32]byte, someArray(r, MaxProofHashes))
		for i := range p.Proof {
			r.BytesInto(p.Proof[i][:])
		}
	case replyRestored:
		p.Restored = readRestored(r)
	case replyCopied:
		p.Copies, p.Copied = true, r.Uint()
	default:
		r.Skip()
	}
}

func readReceipt(r *cbor.Reader, rc *Receipt) {
	var seen keys
	for range r.Map() {
		switch readKey(r, &seen) {
		case receiptChange:
			readName(r, rc.Change[:])
		case receiptStatus:
			rc.Status = ReceiptStatus(smallUint(r, uint64(StatusRefused)))
			refuseIf(r, rc.Status == 0)
		case receiptCode:
			rc.Code = readCode(r)
		case receiptDurability:
			rc.Durability = Durability(smallUint(r, uint64(DurabilityCopied)))
			refuseIf(r, rc.Durability == 0)
		case receiptPosition:
			rc.Position = someUint(r)
		case receiptMissing:
			rc.Missing = readIDs(r, MaxDeps+1)
			refuseIf(r, len(rc.Missing) == 0)
		default:
			r.Skip()
		}
	}
	failIf(r, !seen.has(keySet(receiptChange, receiptStatus)), CodeMalformed)
}

// readCode reads a code that may be one of a newer server's: it is kept, and
// its Plain text says no more than that.
func readCode(r *cbor.Reader) Code {
	v := r.Uint()
	failIf(r, v > 1<<16-1, CodeBadNumber)
	refuseIf(r, v == 0)
	return Code(v)
}

func readItems(r *cbor.Reader) []Item {
	items := make([]Item, someArray(r, MaxItems))
	follow := follower{}
	for i := range items {
		readItem(r, &items[i], follow)
	}
	return items
}

// itemShape returns the keys that items of a type have beside type, position,
// time and prev.
func itemShape(t ItemType) keys {
	switch t {
	case ItemChange:
		return keySet(itemBody)
	case ItemVerdict:
		return keySet(itemVerdict)
	case ItemGrant:
		return keySet(itemFamily, itemBasis)
	case ItemErase, ItemMisfile:
		return keySet(itemFamily, itemRecord)
	}
	return keySet(itemFamily) // ItemPurge
}

func readItem(r *cbor.Reader, it *Item, follow follower) {
	var seen keys
	for range r.Map() {
		readItemField(r, readKey(r, &seen), it)
	}
	own := keySet(itemBody, itemVerdict, itemFamily, itemBasis, itemRecord)
	all := it.Type == ItemPurge && seen&own == 0 // a purge of everything names no family
	failIf(r, !seen.has(keySet(itemType)) || seen&own != itemShape(it.Type) && !all, CodeMalformed)
	if r.Err() != nil {
		return
	}
	if it.Type != ItemChange {
		failIf(r, seen.has(keySet(itemPrev)), CodeMalformed)
		return
	}
	actor, ok := actorOf(it.Body)
	expected := follow.expect(actor, ok)
	if !seen.has(keySet(itemPrev)) {
		it.Prev = expected
	} else {
		refuseIf(r, it.Prev == expected)
	}
	follow.note(actor, ok, it)
}

func readItemField(r *cbor.Reader, key uint64, it *Item) {
	switch key {
	case itemType:
		it.Type = ItemType(smallUint(r, uint64(ItemMisfile)))
		refuseIf(r, it.Type == 0)
	case itemPosition:
		it.Position = someUint(r)
	case itemAt:
		it.AtMS = someInt(r)
	case itemPrev:
		r.BytesInto(it.Prev[:])
	case itemBody:
		it.Body = someBytes(r, MaxBodyBytes)
	case itemVerdict:
		it.Verdict = readVerdict(r)
	case itemFamily:
		readName(r, it.Family[:])
	case itemBasis:
		it.Basis = someText(r, MaxName)
	case itemRecord:
		readName(r, it.Record[:])
	case itemDevice:
		someID(r, it.Device[:])
	case itemProof:
		someID(r, it.Proof[:])
	default:
		r.Skip()
	}
}

// EncodeSignedReply joins a reply's bytes and the server's signature over
// ReplyMessage.
func EncodeSignedReply(payload, signature []byte) []byte {
	b := make([]byte, 0, len(payload)+len(signature)+16)
	b = cbor.AppendArray(b, 2)
	b = cbor.AppendBytes(b, payload)
	return cbor.AppendBytes(b, signature)
}

// DecodeSignedReply takes apart what EncodeSignedReply joined. The payload
// aliases b; check its signature before decoding it.
func DecodeSignedReply(b []byte) (payload, signature []byte, err error) {
	if len(b) == 0 {
		return nil, nil, CodeEmpty
	}
	r := cbor.NewReader(b)
	tuple(r, 2)
	payload = r.BytesUpTo(MaxMessageBytes)
	signature = make([]byte, SignatureBytes)
	r.BytesInto(signature)
	if err := r.Done(); err != nil {
		return nil, nil, codeOf(err)
	}
	return payload, signature, nil
}
