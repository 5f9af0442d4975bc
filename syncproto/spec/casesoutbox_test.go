package spec_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/recovery"
)

// hpkeSuite is HPKE (RFC 9180) in base mode with DHKEM(P-256, HKDF-SHA256),
// HKDF-SHA256 and AES-256-GCM, written from the RFC with what every browser has, and
// with the ephemeral key given: what the vectors are made with.
type hpkeSuite struct{ t testing.TB }

func (s hpkeSuite) extract(suite, label string, salt, ikm []byte) []byte {
	prk, err := hkdf.Extract(sha256.New, slices.Concat([]byte("HPKE-v1"+suite+label), ikm), salt)
	if err != nil {
		s.t.Fatal(err)
	}
	return prk
}

func (s hpkeSuite) expand(suite, label string, prk, info []byte, n int) []byte {
	labelled := slices.Concat(binary.BigEndian.AppendUint16(nil, uint16(n)), []byte("HPKE-v1"+suite+label), info)
	out, err := hkdf.Expand(sha256.New, prk, string(labelled), n)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// seal returns the encapsulated key and what is sealed.
func (s hpkeSuite) seal(to *ecdh.PublicKey, ephemeral *ecdh.PrivateKey, info, plain []byte) []byte {
	const kem, suite = "KEM\x00\x10", "HPKE\x00\x10\x00\x01\x00\x02"
	enc := ephemeral.PublicKey().Bytes()
	dh, err := ephemeral.ECDH(to)
	if err != nil {
		s.t.Fatal(err)
	}
	prk := s.extract(kem, "eae_prk", nil, dh)
	shared := s.expand(kem, "shared_secret", prk, slices.Concat(enc, to.Bytes()), 32)
	context := slices.Concat([]byte{0}, s.extract(suite, "psk_id_hash", nil, nil), s.extract(suite, "info_hash", nil, info))
	secret := s.extract(suite, "secret", shared, nil)
	block, err := aes.NewCipher(s.expand(suite, "key", secret, context, 32))
	if err != nil {
		s.t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		s.t.Fatal(err)
	}
	return gcm.Seal(enc, s.expand(suite, "base_nonce", secret, context, gcm.NonceSize()), plain, nil)
}

// outboxVectors are sealed outboxes (SPEC 7.13).
func outboxVectors(m *maker) {
	scalar := bytes.Repeat([]byte{0x45}, 32)
	private, err := ecdh.P256().NewPrivateKey(scalar)
	if err != nil {
		m.t.Fatal(err)
	}
	key, err := recovery.ParseKey(private.PublicKey().Bytes())
	if err != nil {
		m.t.Fatal(err)
	}
	header := recovery.Header{Borough: "testshire", Device: syncproto.DeviceID(bytes.Repeat([]byte{0xd1}, 16)), User: syncproto.UserID(bytes.Repeat([]byte{0xa1}, 16))}.Encode(key)
	file := bytes.Clone(header)
	pairs := []string{"key", hex.EncodeToString(scalar)}
	for n := byte(1); n <= 2; n++ {
		ephemeral, err := ecdh.P256().NewPrivateKey(bytes.Repeat([]byte{n}, 32))
		if err != nil {
			m.t.Fatal(err)
		}
		parts := [][]byte{bytes.Repeat([]byte{n - 1}, 32), bytes.Repeat([]byte{0x50 + n}, 64), []byte(strings.Repeat("the bytes of a change ", int(n)))}
		sealed := hpkeSuite{m.t}.seal(private.PublicKey(), ephemeral, header, slices.Concat(parts...))
		file = append(binary.BigEndian.AppendUint32(file, uint32(len(sealed))), sealed...)
		pairs = append(pairs, "ephemeral", hex.EncodeToString(ephemeral.Bytes()),
			"item", hex.EncodeToString(parts[0])+" "+hex.EncodeToString(parts[1])+" "+hex.EncodeToString(parts[2]))
	}
	add := func(name string, expect syncproto.Code, comment string, file []byte, pairs ...string) {
		m.add("outbox", name, "outbox", expect, comment, append([]string{"hex", hex.EncodeToString(file)}, pairs...)...)
	}
	add("two", syncproto.CodeOK, "two unsent changes; each is sealed with the ephemeral key before it, which is random in use", file, pairs...)
	add("torn", syncproto.CodeOK, "the end was being written: what is whole comes back", file[:len(file)-5], pairs[:6]...)
	add("note", syncproto.CodeOK, "a note that was written on a locked tablet: prev and signature are zeroes", noteFile(m, private, header),
		"key", hex.EncodeToString(scalar), "ephemeral", hex.EncodeToString(bytes.Repeat([]byte{3}, 32)),
		"item", hex.EncodeToString(make([]byte, 32))+" "+hex.EncodeToString(make([]byte, 64))+" "+hex.EncodeToString(noteBody),
		"note", hex.EncodeToString([]byte("Seen at the door.")))
	flipped := bytes.Clone(file)
	flipped[len(header)+4+70] ^= 1
	add("damaged", syncproto.CodeOK, "the first item is damaged: the second comes back", flipped, append(pairs[:2:2], pairs[6:]...)...)
	add("other-key", syncproto.CodeMalformed, "sealed to another key than the one that is here", file, "key", hex.EncodeToString(bytes.Repeat([]byte{0x46}, 32)))
	add("header", syncproto.CodeMalformed, "it ends within the header", file[:len(header)-1], "key", hex.EncodeToString(scalar))
}

// noteBody is a note's, of 1,764,000,000,000 ms in summer time.
var noteBody = cbor.List(cbor.Text("Seen at the door."), cbor.Int(1_764_000_000_000), cbor.Int(60)).Encode()

func noteFile(m *maker, private *ecdh.PrivateKey, header []byte) []byte {
	ephemeral, err := ecdh.P256().NewPrivateKey(bytes.Repeat([]byte{3}, 32))
	if err != nil {
		m.t.Fatal(err)
	}
	sealed := hpkeSuite{m.t}.seal(private.PublicKey(), ephemeral, header, slices.Concat(make([]byte, 96), noteBody))
	return append(binary.BigEndian.AppendUint32(bytes.Clone(header), uint32(len(sealed))), sealed...)
}

func checkOutbox(t *testing.T, v vector) error {
	private, err := recovery.ParsePrivateKey(v.bytes(t, "key"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := recovery.Open(private, v.bytes(t, "hex"))
	if errors.Is(err, recovery.ErrFile) {
		return syncproto.CodeMalformed
	}
	if err != nil {
		return err
	}
	var items []string
	for _, it := range got.Items {
		items = append(items, hex.EncodeToString(it.Prev[:])+" "+hex.EncodeToString(it.Signature)+" "+hex.EncodeToString(it.Body))
	}
	if want := v.all("item"); !slices.Equal(items, want) {
		t.Errorf("got items %q, want %q", items, want)
	}
	var notes []string
	for _, it := range got.Items {
		if n, ok := it.Note(); ok {
			notes = append(notes, hex.EncodeToString([]byte(n.Text)))
		}
	}
	if want := v.all("note"); !slices.Equal(notes, want) {
		t.Errorf("got notes %q, want %q", notes, want)
	}
	return nil
}
