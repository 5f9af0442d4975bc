package spec_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"math/big"

	"doorstep/syncproto"
)

// deviceKey is a P-256 key for vectors only.
func deviceKey(m *maker) (private *ecdsa.PrivateKey, point []byte) {
	m.t.Helper()
	scalar := sha256.Sum256([]byte("a device key for vectors only"))
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
	if err != nil {
		m.t.Fatal(err)
	}
	point, err = private.PublicKey.Bytes()
	if err != nil {
		m.t.Fatal(err)
	}
	return private, point
}

// signES256 returns r ‖ s. Without a random source the nonce is that of RFC
// 6979, so that the vectors stay the same; devices use random ones.
func signES256(m *maker, private *ecdsa.PrivateKey, message []byte) []byte {
	m.t.Helper()
	digest := sha256.Sum256(message)
	der, err := private.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		m.t.Fatal(err)
	}
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &rs); err != nil {
		m.t.Fatal(err)
	}
	out := make([]byte, 64)
	rs.R.FillBytes(out[:32])
	rs.S.FillBytes(out[32:])
	return out
}

func chainVectors(m *maker) {
	private, key := deviceKey(m)
	actor := syncproto.ActorID{15: 3}
	var bodies [][]byte
	var ids []syncproto.ChangeID
	tip := syncproto.ChangeID{}
	for seq := range uint64(3) {
		b := baseBody()
		b.Seq, b.Salt[1] = seq+1, byte(seq)
		b.Ops = []syncproto.Op{{Code: syncproto.OpSplice, Path: syncproto.Path{Field: "presentation"}, Splices: typed("abc"[:seq+1])}}
		raw := mustEncode(m, &b)
		tip = syncproto.ComputeID(tip, raw)
		bodies, ids = append(bodies, raw), append(ids, tip)
	}
	run := chainCase{key: key, actor: actor, bodies: bodies, ids: ids}
	run.signature = signES256(m, private, syncproto.TipMessage(actor, tip))
	m.chain("three-changes", syncproto.CodeOK, "one signature over the tip covers the run", run)

	later := run
	later.prev, later.bodies, later.ids = ids[0], bodies[1:], ids[1:]
	m.chain("later-part", syncproto.CodeOK, "a run that follows an earlier one", later)

	other := run
	n := elliptic.P256().Params().N
	s := new(big.Int).Sub(n, new(big.Int).SetBytes(run.signature[32:]))
	other.signature = append(bytes.Clone(run.signature[:32]), s.FillBytes(make([]byte, 32))...)
	m.chain("other-s", syncproto.CodeOK, "s in place of n-s: as valid as the other; a signature is checked, never compared", other)
	m.badSignatures(run, private)

	wrong := run
	wrong.ids = []syncproto.ChangeID{ids[0], ids[2], ids[1]}
	m.chain("ids-swapped", syncproto.CodeIDMismatch, "the ids claimed are not the hashes of the bytes", wrong)
	wrong = run
	wrong.bodies = [][]byte{bodies[0], bodies[2]}
	wrong.ids = []syncproto.ChangeID{ids[0], ids[2]}
	m.chain("gap", syncproto.CodeIDMismatch, "the second change is left out: the third's id shows it", wrong)
}

// purgeVectors are requests with purge receipts, and what their device signed.
func purgeVectors(m *maker) {
	private, key := deviceKey(m)
	device, user := syncproto.DeviceID{15: 5}, syncproto.UserID{15: 4}
	q := &syncproto.SyncRequest{Version: 1, Request: syncproto.RequestID{15: 1}, Epoch: syncproto.Epoch{15: 9}}
	add := func(name string, expect syncproto.Code, comment string, signed []byte) {
		message := syncproto.PurgeMessage(device, user, q.Epoch, q.Purged)
		if signed == nil {
			signed = message
		}
		q.PurgeSignature = signES256(m, private, signed)
		wire := syncproto.EncodeRequest(q)
		m.add("purge", name, "purge", expect, comment, "key", hex.EncodeToString(key), "device", device.String(), "user", user.String(),
			"message", hex.EncodeToString(message), "hex", hex.EncodeToString(wire), "says", m.says(syncproto.CodeOK, wire))
	}
	q.Purged = []syncproto.Purged{{Family: syncproto.FamilyID{15: 8}, Position: 77}}
	add("one-family", syncproto.CodeOK, "one family is gone", nil)
	elsewhere := syncproto.PurgeMessage(device, user, syncproto.Epoch{15: 7}, q.Purged)
	add("other-epoch", syncproto.CodeBadSignature, "signed for another epoch", elsewhere)
	add("other-user", syncproto.CodeBadSignature, "signed for another user of the device", syncproto.PurgeMessage(device, syncproto.UserID{15: 6}, q.Epoch, q.Purged))
	one := q.Purged
	q.Purged = append(q.Purged, syncproto.Purged{Position: 80})
	add("everything", syncproto.CodeOK, "one family, and later, as the device was withdrawn, everything", nil)
	add("one-added", syncproto.CodeBadSignature, "the second receipt is not in what was signed", syncproto.PurgeMessage(device, user, q.Epoch, one))
}

func (m *maker) badSignatures(run chainCase, private *ecdsa.PrivateKey) {
	bad := func(name, comment string, edit func(c *chainCase)) {
		c := run
		edit(&c)
		m.chain(name, syncproto.CodeBadSignature, comment, c)
	}
	tip := run.ids[len(run.ids)-1]
	bad("flipped-bit", "one bit of the signature flipped", func(c *chainCase) {
		c.signature = bytes.Clone(c.signature)
		c.signature[40] ^= 1
	})
	bad("shorter-run", "the signature is over the third change, the run ends with the second", func(c *chainCase) {
		c.bodies, c.ids = c.bodies[:2], c.ids[:2]
	})
	bad("other-actor", "signed for another actor", func(c *chainCase) { c.actor = syncproto.ActorID{15: 9} })
	bad("no-prefix", "signed without the prefix doorstep-tip-v1", func(c *chainCase) {
		c.signature = signES256(m, private, append(c.actor[:], tip[:]...))
	})
	bad("asn1", "in ASN.1 in place of r and s", func(c *chainCase) {
		der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(c.signature[:32]), new(big.Int).SetBytes(c.signature[32:])})
		if err != nil {
			m.t.Fatal(err)
		}
		c.signature = der
	})
	bad("zeros", "r and s are 0", func(c *chainCase) { c.signature = make([]byte, 64) })
	bad("compressed-key", "the key is not in uncompressed form", func(c *chainCase) {
		c.key = append([]byte{2 + c.key[64]&1}, c.key[1:33]...)
	})
	bad("key-off-the-curve", "the key is no point of the curve", func(c *chainCase) {
		c.key = bytes.Clone(c.key)
		c.key[64] ^= 1
	})
}

type chainCase struct {
	key       []byte
	actor     syncproto.ActorID
	prev      syncproto.ChangeID
	bodies    [][]byte
	ids       []syncproto.ChangeID
	signature []byte
}

func (m *maker) chain(name string, expect syncproto.Code, comment string, c chainCase) {
	pairs := []string{"key", hex.EncodeToString(c.key), "actor", c.actor.String()}
	tip := c.prev
	if !c.prev.IsZero() {
		pairs = append(pairs, "prev", c.prev.String())
	}
	for i, body := range c.bodies {
		pairs = append(pairs, "body", hex.EncodeToString(body), "id", c.ids[i].String())
		tip = c.ids[i]
	}
	pairs = append(pairs, "message", hex.EncodeToString(syncproto.TipMessage(c.actor, tip)), "signature", hex.EncodeToString(c.signature))
	m.add("chain", name, "chain", expect, comment, pairs...)
}
