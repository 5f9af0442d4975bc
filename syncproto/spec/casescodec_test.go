package spec_test

import (
	"bytes"
	"compress/flate"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/frame"
	"doorstep/syncproto/text"
)

func valueVectors(m *maker) {
	ok, not := syncproto.CodeOK, syncproto.CodeNotCanonical
	malformed, number := syncproto.CodeMalformed, syncproto.CodeBadNumber
	cases := []struct {
		name    string
		expect  syncproto.Code
		comment string
		hex     string
	}{
		{"null", ok, "null", "f6"},
		{"booleans", ok, "true and false in an array", "82f5f4"},
		{"integers", ok, "each size of head, both signs, and the limits 2^53-1 and -(2^53-1)",
			"8a001718ff190100" + "1a00010000" + "1b0000000100000000" + "20" + "3818" + "1b001fffffffffffff" + "3b001ffffffffffffe"},
		{"text", ok, "UTF-8 is kept byte for byte, here NFC, NFD, a zero width joiner and NUL", "84" + "62c3a9" + "6365cc81" + "6ae291a0e2808df09f9191" + "6100"},
		{"bytes", ok, "a byte string", "43010203"},
		{"map", ok, "keys in order of their encoded bytes: the shorter first", "a2617a0162616102"},
		{"deepest", ok, "sixteen arrays, one in the other", strings.Repeat("81", 15) + "80"},
		{"too-deep", syncproto.CodeTooDeep, "seventeen arrays", strings.Repeat("81", 16) + "80"},
		{"empty", malformed, "no bytes", ""},
		{"truncated-head", malformed, "the head ends after its first byte", "19"},
		{"truncated-text", malformed, "two bytes of text announced, one there", "6261"},
		{"truncated-array", malformed, "two items announced, one there", "8201"},
		{"trailing", malformed, "a byte follows", "0100"},
		{"long-integer", not, "10 in two bytes", "180a"},
		{"long-length", not, "the length of a text in two bytes", "780161"},
		{"long-count", not, "the count of an array in two bytes", "980101"},
		{"indefinite-array", not, "an array without a count", "9f01ff"},
		{"indefinite-text", not, "a text in chunks", "7f6161ff"},
		{"indefinite-map", not, "a map without a count", "bf616101ff"},
		{"reserved-head", not, "28 in the low five bits", "1c"},
		{"duplicate-key", not, "one key twice", "a2616101616102"},
		{"unsorted-keys", not, "b before a", "a2616201616102"},
		{"longer-key-first", not, "aa before b", "a262616101616202"},
		{"integer-key", malformed, "the maps of values have text keys only", "a10102"},
		{"array-as-key", malformed, "an array as a key", "a18001"},
		{"undefined", malformed, "undefined is not used", "f7"},
		{"simple", malformed, "simple value 16 is not used", "f0"},
		{"tag", malformed, "tags are not used", "c11a514b67b0"},
		{"half-float", number, "1.0 as a half float", "f93c00"},
		{"negative-zero", number, "-0.0", "f98000"},
		{"nan", number, "not a number", "f97e00"},
		{"infinity", number, "infinity as a double", "fb7ff0000000000000"},
		{"2-to-53", number, "2^53", "1b0020000000000000"},
		{"minus-2-to-53", number, "-2^53", "3b001fffffffffffff"},
		{"2-to-64-less-1", number, "2^64-1", "1bffffffffffffffff"},
		{"lone-surrogate", syncproto.CodeBadText, "half a surrogate pair in text", "63eda080"},
		{"overlong", syncproto.CodeBadText, "a slash in two bytes", "62c0af"},
		{"huge-count", syncproto.CodeTooLarge, "an array of 2^40 items; nothing may be allocated for it", "9b0000010000000000"},
		{"huge-text", syncproto.CodeTooLarge, "a text of 2^40 bytes", "7b0000010000000000"},
	}
	for _, c := range cases {
		b, err := hex.DecodeString(c.hex)
		if err != nil {
			m.t.Fatalf("value %s: %v", c.name, err)
		}
		m.message("value", c.name, c.expect, c.comment, b)
	}
}

// everyOp has an op of every code.
func everyOp() []syncproto.Op {
	seen := syncproto.Path{Field: "seen_alone"}
	rule := syncproto.Path{Field: "rules", Element: syncproto.ElementID{15: 7}}
	heads := []syncproto.RecordHeads{{Record: syncproto.RecordID{15: 2}, Heads: []syncproto.ChangeID{{31: 1}, {31: 2}}}}
	return []syncproto.Op{
		{Code: syncproto.OpSet, Path: seen, Value: cbor.Text("N")},
		{Code: syncproto.OpSplice, Path: syncproto.Path{Field: "presentation"}, Splices: []text.Splice{
			{Pos: 0, Ins: "Zoë"}, {Pos: 3, Ins: " smiled"}, {Pos: 4, Del: 6}}},
		{Code: syncproto.OpAdd, Path: rule, Value: cbor.Map(cbor.Pair{Key: "text", Value: cbor.Text("Dad stays with Gran")})},
		{Code: syncproto.OpRemove, Path: rule, Reason: "no longer needed"},
		{Code: syncproto.OpDecide, Path: seen, Value: cbor.Text("N"), Reason: "I was there"},
		{Code: syncproto.OpHandOver},
		{Code: syncproto.OpHandOver, To: syncproto.UserID{15: 6}},
		{Code: syncproto.OpConfirm, Heads: heads},
		{Code: syncproto.OpConfirm, Heads: heads, To: syncproto.UserID{15: 6}, Reason: "She has left."},
		{Code: syncproto.OpTypeUp, To: syncproto.UserID{15: 6}, Reason: "notes by hand"},
		{Code: syncproto.OpQuery, Text: "Who opened the door?"},
		{Code: syncproto.OpQuery, Path: syncproto.Path{Field: "rules", Element: syncproto.ElementID{15: 7}, Sub: "who"}, To: syncproto.UserID{15: 6}, Text: "Who?"},
		{Code: syncproto.OpAnswer, Target: syncproto.ChangeID{31: 3}, Text: "Gran."},
		{Code: syncproto.OpFinalise, Heads: heads},
		{Code: syncproto.OpAddendum, Text: "She rang back.", Reason: "came after"},
		{Code: syncproto.OpAddendum, Text: "She rang back.", TimeMS: 1_789_990_000_000},
		{Code: syncproto.OpCorrect, Path: seen, Old: cbor.Text("Y"), Value: cbor.Text("N"), Reason: "wrong child"},
	}
}

func baseBody() syncproto.Body {
	return syncproto.Body{
		Version: 1, Borough: "example", Family: syncproto.FamilyID{15: 1}, Record: syncproto.RecordID{15: 2},
		Kind: "visit_child", SchemaVersion: 1, Actor: syncproto.ActorID{15: 3}, Seq: 1,
		Salt: [16]byte{0: 0xaa, 15: 0xbb}, TimeMS: 1_790_000_000_000, OffsetMin: 60, MonotonicMS: 5_000,
		Author: syncproto.UserID{15: 4}, Capture: syncproto.CaptureTyped,
	}
}

func mustEncode(m *maker, b *syncproto.Body) []byte {
	m.t.Helper()
	raw, err := syncproto.EncodeBody(b)
	if err != nil {
		m.t.Fatalf("encode body: %v", err)
	}
	return raw
}

func (m *maker) body(name string, expect syncproto.Code, comment string, prev syncproto.ChangeID, raw []byte, pairs ...string) {
	fields := []string{}
	if !prev.IsZero() {
		fields = append(fields, "prev", prev.String())
	}
	fields = append(fields, "hex", hex.EncodeToString(raw))
	if expect == syncproto.CodeOK || expect == syncproto.CodeNewerApp {
		fields = append(fields, "id", syncproto.ComputeID(prev, raw).String(), "says", says(m.t, raw))
	}
	m.add("body", name, "body", expect, comment, append(fields, pairs...)...)
}

func bodyVectors(m *maker) {
	first := baseBody()
	raw := mustEncode(m, &first)
	m.body("first", syncproto.CodeOK, "an actor's first change, without ops", syncproto.ChangeID{}, raw)

	second := baseBody()
	second.Seq, second.Ops = 2, everyOp()
	second.Deps = []syncproto.ChangeID{{31: 1}, {31: 2}}
	prev := syncproto.ComputeID(syncproto.ChangeID{}, raw)
	m.body("every-op", syncproto.CodeOK, "an op of every code, two deps, and a prev", prev, mustEncode(m, &second))

	typing := baseBody()
	typing.Ops = []syncproto.Op{{Code: syncproto.OpSplice, Path: syncproto.Path{Field: "presentation"}, Splices: typed("Zoë!")}}
	m.body("typing", syncproto.CodeOK, "keystroke by keystroke: each splice begins where the one before ended", syncproto.ChangeID{}, mustEncode(m, &typing))

	m.bodyEdits(raw)
	m.opEdits()
}

// typed is one splice a code point.
func typed(s string) []text.Splice {
	var out []text.Splice
	for i, r := range []rune(s) {
		out = append(out, text.Splice{Pos: i, Ins: string(r)})
	}
	return out
}

// bodyEdits are bodies made by hand from the encoding of one without ops.
func (m *maker) bodyEdits(raw []byte) {
	add := func(name string, expect syncproto.Code, comment string, b []byte, pairs ...string) {
		m.body(name, expect, comment, syncproto.ChangeID{}, b, pairs...)
	}
	edit := func(key uint64, value []byte) []byte { return withKey(m.t, raw, key, value) }
	many := func(n int) []byte {
		b := cbor.AppendArray(nil, n)
		for i := range n {
			id := syncproto.ChangeID{30: byte(i >> 8), 31: byte(i)}
			b = cbor.AppendBytes(b, id[:])
		}
		return b
	}
	ids := func(n ...byte) []byte {
		b := cbor.AppendArray(nil, len(n))
		for _, last := range n {
			id := syncproto.ChangeID{31: last}
			b = cbor.AppendBytes(b, id[:])
		}
		return b
	}
	zero := make([]byte, 16)
	add("unknown-key", syncproto.CodeOK, "key 17 is not known: kept in the bytes and the id, ignored otherwise", edit(17, cbor.AppendText(nil, "later")), "unknown-keys", "yes")
	add("newer-version", syncproto.CodeNewerApp, "version 2 with ops of another shape: held, its header is read", withKey(m.t, edit(16, cbor.AppendText(nil, "other")), 1, []byte{2}))
	add("unknown-op", syncproto.CodeNewerApp, "op 23 with keys of its own", edit(16, unhex(m.t, "81a301170201186301")))
	add("unknown-capture", syncproto.CodeNewerApp, "capture mode 9", edit(15, []byte{9}))
	add("64-deps", syncproto.CodeOK, "as many deps as one change can have", edit(10, many(64)))
	add("65-deps", syncproto.CodeTooManyDeps, "one dep too many", edit(10, many(65)))
	add("unsorted-deps", syncproto.CodeSelfDep, "deps not in order", edit(10, ids(2, 1)))
	add("dep-twice", syncproto.CodeSelfDep, "one dep twice", edit(10, ids(1, 1)))
	add("short-dep", syncproto.CodeMalformed, "a dep of 31 bytes", edit(10, cbor.AppendBytes(cbor.AppendArray(nil, 1), make([]byte, 31))))
	add("missing-ops", syncproto.CodeMalformed, "key 16 is missing", edit(16, nil))
	add("missing-salt", syncproto.CodeMalformed, "key 9 is missing", edit(9, nil))
	add("version-0", syncproto.CodeNotCanonical, "version 0", edit(1, []byte{0}))
	add("no-borough", syncproto.CodeNotCanonical, "an empty borough", edit(2, cbor.AppendText(nil, "")))
	add("long-borough", syncproto.CodeTooLarge, "a borough of 65 bytes", edit(2, cbor.AppendText(nil, strings.Repeat("x", 65))))
	add("no-family", syncproto.CodeBadID, "an all-zero family", edit(3, cbor.AppendBytes(nil, zero)))
	add("no-record", syncproto.CodeBadID, "an all-zero record", edit(4, cbor.AppendBytes(nil, zero)))
	add("no-actor", syncproto.CodeBadID, "an all-zero actor", edit(7, cbor.AppendBytes(nil, zero)))
	add("no-author", syncproto.CodeBadID, "an all-zero author", edit(14, cbor.AppendBytes(nil, zero)))
	add("seq-0", syncproto.CodeBadNumber, "sequence number 0", edit(8, []byte{0}))
	add("offset", syncproto.CodeBadNumber, "a UTC offset of more than a day", edit(12, cbor.AppendInt(nil, -1441)))
	add("record-as-text", syncproto.CodeMalformed, "the record is text", edit(4, cbor.AppendText(nil, "0123456789abcdef")))
	add("trailing", syncproto.CodeMalformed, "a byte after the body", append(bytes.Clone(raw), 0))
	add("truncated", syncproto.CodeMalformed, "the last byte is missing", raw[:len(raw)-1])
	add("empty", syncproto.CodeEmpty, "no bytes", nil)
	add("an-array", syncproto.CodeMalformed, "an array in place of the map", cbor.AppendArray(nil, 0))
}

// opEdits are bodies with one op each, made by hand.
func (m *maker) opEdits() {
	b := baseBody()
	raw := mustEncode(m, &b)
	cases := []struct {
		name    string
		expect  syncproto.Code
		comment string
		hex     string // of the one op
	}{
		{"op-set-null", syncproto.CodeOK, "setting null clears", "a30101028161" + "66" + "03f6"},
		{"op-set-no-value", syncproto.CodeMalformed, "set without a value", "a201010281" + "6166"},
		{"op-set-no-path", syncproto.CodeMalformed, "set without a path", "a201010301"},
		{"op-set-empty-path", syncproto.CodeNotCanonical, "a path without a field", "a30101028003f6"},
		{"op-empty-field", syncproto.CodeNotCanonical, "a path with an empty field", "a3010102816003f6"},
		{"op-zero-element", syncproto.CodeBadID, "a path with an all-zero element", "a3010102826166" + "50" + strings.Repeat("00", 16) + "03f6"},
		{"op-path-of-four", syncproto.CodeTooLarge, "a path of four parts", "a3010102846166616761686169" + "03f6"},
		{"op-foreign-key", syncproto.CodeMalformed, "a set with a reason, which sets do not have", "a4010102816166" + "03f6" + "066178"},
		{"op-unknown-key", syncproto.CodeOK, "key 12 is not known: ignored", "a4010102816166" + "03f6" + "0c6178"},
		{"op-empty-to", syncproto.CodeNotCanonical, "hand over to nobody must leave the key out", "a20106" + "08" + "50" + strings.Repeat("00", 16)},
		{"op-zero-time", syncproto.CodeNotCanonical, "an addendum's time of 0 must be left out", "a3010b0761780a00"},
		{"op-no-code", syncproto.CodeMalformed, "an op without a code", "a1076178"},
		{"op-splice-nothing", syncproto.CodeNotCanonical, "a splice that neither deletes nor inserts", splices("83000000" + "60")},
		{"op-splice-pairs", syncproto.CodeMalformed, "the number of numbers is not a multiple of three", splices("820000" + "60")},
		{"op-splice-none", syncproto.CodeNotCanonical, "no splices at all", splices("80" + "60")},
		{"op-splice-before", syncproto.CodeBadPosition, "the first splice begins before the text", splices("83200001" + "6178")},
		{"op-splice-beyond", syncproto.CodeBadPosition, "beyond any text", splices("831a008000010001" + "6178")},
		{"op-splice-too-few-words", syncproto.CodeMalformed, "two code points announced, one there", splices("83000002" + "62c3a9")},
		{"op-splice-too-many-words", syncproto.CodeMalformed, "one code point announced, two there", splices("83000001" + "626162")},
		{"op-splice-count-in-bytes", syncproto.CodeMalformed, "the count of a letter of two bytes is 1, not 2", splices("86000002000001" + "63c3a978")},
		{"op-heads-unsorted", syncproto.CodeNotCanonical, "heads not in order", "a201070b81" + "82" + "50" + strings.Repeat("01", 16) + "82" + "5820" + strings.Repeat("02", 32) + "5820" + strings.Repeat("01", 32)},
		{"op-heads-empty", syncproto.CodeNotCanonical, "a record without heads", "a201070b81" + "82" + "50" + strings.Repeat("01", 16) + "80"},
		{"op-deep-value", syncproto.CodeTooDeep, "a value of nine levels", "a3010102816166" + "03" + strings.Repeat("81", 9) + "01"},
		{"op-bad-value", syncproto.CodeBadNumber, "a float as a value", "a3010102816166" + "03f93c00"},
	}
	for _, c := range cases {
		pairs := []string{}
		if c.name == "op-unknown-key" {
			pairs = []string{"unknown-keys", "yes"}
		}
		op := unhex(m.t, c.hex)
		m.body(c.name, c.expect, c.comment, syncproto.ChangeID{}, withKey(m.t, raw, 16, append([]byte{0x81}, op...)), pairs...)
	}
}

// splices is a splice op around the hex of its numbers and words.
func splices(hex string) string { return "a3010202816166" + "05" + "82" + hex }

func messageVectors(m *maker) {
	body := baseBody()
	raw := mustEncode(m, &body)
	q := &syncproto.SyncRequest{Version: 1, Request: syncproto.RequestID{15: 1}}
	least := syncproto.EncodeRequest(q)
	m.message("request", "first", syncproto.CodeOK, "a new device asks for everything", least)
	q.Epoch, q.Cursor, q.PageSize = syncproto.Epoch{15: 9}, []byte("cursor"), 65_536
	q.Batches = []syncproto.Batch{{Device: syncproto.DeviceID{15: 5}, Actor: body.Actor, Bodies: [][]byte{raw}, Signature: bytes.Repeat([]byte{7}, 64), Gap: true}}
	q.Chains = []syncproto.ChainHead{{Actor: body.Actor, Seq: 1, Tip: syncproto.ComputeID(syncproto.ChangeID{}, raw)}}
	q.Purged = []syncproto.Purged{{Family: syncproto.FamilyID{15: 8}, Position: 77}, {Position: 80}}
	q.PurgeSignature = bytes.Repeat([]byte{8}, 64)
	head := syncproto.TreeHead{Size: 41, Root: [32]byte{31: 4}}
	q.Log = head
	q.Forks = []syncproto.Checkpoint{{TreeHead: head, TimeMS: 1_790_000_000_000, Signature: bytes.Repeat([]byte{8}, 64)}}
	q.Again = 2
	q.Returned = []syncproto.Returned{{Device: syncproto.DeviceID{15: 9}, Prev: syncproto.ChangeID{31: 2}, Body: []byte("body"), Proof: syncproto.Proof{15: 7}}}
	full := syncproto.EncodeRequest(q)
	m.message("request", "full", syncproto.CodeOK, "every key; the signature is not checked by the decoder", full)
	q.Batches[0].Bodies = [][]byte{[]byte("not CBOR")}
	m.message("request", "bad-body", syncproto.CodeOK, "a body is not looked into, so that one bad change spoils no other", syncproto.EncodeRequest(q))
	m.message("request", "newer-version", syncproto.CodeUnsupportedVersion, "version 2: refused before anything else is read", []byte{0xa2, 1, 2, 2, 0x61, 'x'})
	m.message("request", "no-version", syncproto.CodeMalformed, "the version is missing", withKey(m.t, least, 1, nil))
	m.message("request", "no-request", syncproto.CodeMalformed, "the request id is missing", withKey(m.t, least, 2, nil))
	m.message("request", "empty-cursor", syncproto.CodeNotCanonical, "an empty cursor must be left out", withKey(m.t, full, 4, []byte{0x40}))
	m.message("request", "zero-epoch", syncproto.CodeNotCanonical, "a zero epoch must be left out", withKey(m.t, full, 3, cbor.AppendBytes(nil, make([]byte, 16))))
	m.message("request", "no-batches", syncproto.CodeNotCanonical, "an empty list of batches must be left out", withKey(m.t, full, 5, []byte{0x80}))
	m.message("request", "short-chain", syncproto.CodeMalformed, "a chain head of two items", withKey(m.t, full, 6, append([]byte{0x81, 0x82}, cbor.AppendUint(cbor.AppendBytes(nil, body.Actor[:]), 1)...)))

	verdictVectors(m)
	m.message("problem", "unknown-epoch", syncproto.CodeOK, "the server's epoch is another; it speaks versions 1 to 1", syncproto.EncodeProblem(&syncproto.SyncProblem{
		Code: syncproto.CodeUnknownEpoch, Epoch: syncproto.Epoch{15: 9}, MinVersion: 1, MaxVersion: 1}))
	m.message("problem", "code-only", syncproto.CodeOK, "a problem needs no more than a code", []byte{0xa1, 1, 5})
	m.message("problem", "no-code", syncproto.CodeMalformed, "a problem without a code", []byte{0xa1, 3, 1})
}

func verdictVectors(m *maker) {
	v := &syncproto.Verdict{Kind: syncproto.VerdictSeal, Position: 70_000, Family: syncproto.FamilyID{15: 1}, Record: syncproto.RecordID{15: 2},
		Change: syncproto.ChangeID{31: 3}, By: syncproto.UserID{15: 6}, AtMS: 1_790_000_000_000,
		Heads: []syncproto.RecordHeads{{Record: syncproto.RecordID{15: 2}, Heads: []syncproto.ChangeID{{31: 1}}}},
		Hash:  sha256.Sum256([]byte("the view"))}
	m.message("verdict", "seal", syncproto.CodeOK, "the first seal of a record", syncproto.EncodeVerdict(v))
	win := &syncproto.Verdict{Kind: syncproto.VerdictWin, Position: 9, Family: syncproto.FamilyID{15: 1}, Record: syncproto.RecordID{15: 2},
		Change: syncproto.ChangeID{31: 3}, AtMS: 1_790_000_000_000, Path: syncproto.Path{Field: "status"}}
	m.message("verdict", "win", syncproto.CodeOK, "a server field's value is in force", syncproto.EncodeVerdict(win))
	late := &syncproto.Verdict{Kind: syncproto.VerdictLate, Position: 10, Family: syncproto.FamilyID{15: 1}, Record: syncproto.RecordID{15: 2},
		Change: syncproto.ChangeID{31: 4}, Code: syncproto.CodeLate, AtMS: 1_790_000_000_000}
	m.message("verdict", "late", syncproto.CodeOK, "a change came after the seal", syncproto.EncodeVerdict(late))
	own := &syncproto.Verdict{Kind: syncproto.VerdictQuarantine, Position: 11, Change: syncproto.ChangeID{31: 4},
		Code: syncproto.CodeNotEntitled, AtMS: 1_790_000_000_000}
	m.message("verdict", "own-news", syncproto.CodeOK, "what became of a change, for its own device, whatever it may read: no family, no record", syncproto.EncodeVerdict(own))
	m.message("verdict", "newer-kind", syncproto.CodeNewerApp, "a kind that this version does not know", []byte{0xa1, 1, 9})
	m.message("verdict", "kind-0", syncproto.CodeNotCanonical, "kind 0", []byte{0xa1, 1, 0})
	m.message("verdict", "no-kind", syncproto.CodeMalformed, "the kind is missing", []byte{0xa1, 2, 1})
}

func frameVectors(m *maker) {
	payload := []byte(strings.Repeat("The kitchen was clean. ", 12))
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.NoCompression) // stored blocks: the same on every version of the library
	if err == nil {
		_, err = w.Write(payload)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		m.t.Fatal(err)
	}
	size := []byte{0x94, 0x02} // 276
	join := func(format byte, size, data []byte) []byte {
		return append(append([]byte{format}, size...), data...)
	}
	add := func(name string, expect syncproto.Code, comment string, wire, payload []byte) {
		m.add("frame", name, "frame", expect, comment, "hex", hex.EncodeToString(wire), "payload", hex.EncodeToString(payload))
	}
	add("raw", syncproto.CodeOK, "a message as it is", frame.Wrap(payload, false), payload)
	add("deflate-stored", syncproto.CodeOK, "a DEFLATE stream of stored blocks", join(1, size, packed.Bytes()), payload)
	add("deflate-fixed", syncproto.CodeOK, "a DEFLATE stream with a fixed Huffman code: eight times 'a'", unhex(m.t, "01084b4c840000"), []byte("aaaaaaaa"))
	add("empty", syncproto.CodeEmpty, "no bytes", nil, nil)
	add("format-2", syncproto.CodeMalformed, "an unknown format", join(2, size, payload), nil)
	add("longer-than-declared", syncproto.CodeMalformed, "one byte more than declared", join(0, []byte{0x93, 0x02}, payload), nil)
	add("shorter-than-declared", syncproto.CodeMalformed, "one byte less than declared", join(0, []byte{0x95, 0x02}, payload), nil)
	add("inflates-to-more", syncproto.CodeMalformed, "inflates to one byte more than declared", join(1, []byte{0x93, 0x02}, packed.Bytes()), nil)
	add("inflates-to-less", syncproto.CodeMalformed, "inflates to one byte less than declared", join(1, []byte{0x95, 0x02}, packed.Bytes()), nil)
	add("trailing", syncproto.CodeMalformed, "a byte after the DEFLATE stream", append(join(1, size, packed.Bytes()), 0), nil)
	add("long-size", syncproto.CodeMalformed, "the size 1 in two bytes", unhex(m.t, "0081006f"), nil)
	add("too-large", syncproto.CodeTooLarge, "declares 8 MiB and a byte", unhex(m.t, "018180800403"), nil)
}

func replyVectors(m *maker) {
	body := baseBody()
	raw := mustEncode(m, &body)
	next := baseBody()
	next.Seq = 2
	rawNext := mustEncode(m, &next)
	first := syncproto.ComputeID(syncproto.ChangeID{}, raw)
	p := &syncproto.SyncReply{Version: 1, Request: syncproto.RequestID{15: 1}, Epoch: syncproto.Epoch{15: 9}, TimeMS: 1_790_000_000_000}
	least := syncproto.EncodeReply(p)
	m.message("reply", "nothing-new", syncproto.CodeOK, "no receipts and no news", least)
	p.Receipts = []syncproto.Receipt{
		{Change: first, Status: syncproto.StatusAccepted, Durability: syncproto.DurabilityStored, Position: 41},
		{Change: syncproto.ChangeID{31: 2}, Status: syncproto.StatusHeld, Code: syncproto.CodeMissingDeps, Durability: syncproto.DurabilityStored, Position: 42, Missing: []syncproto.ChangeID{{31: 1}}},
		{Change: syncproto.ChangeID{31: 3}, Status: syncproto.StatusQuarantined, Code: syncproto.CodeNotEntitled, Durability: syncproto.DurabilityCopied, Position: 43},
		{Change: syncproto.ChangeID{31: 4}, Status: syncproto.StatusLate, Code: syncproto.CodeLate, Durability: syncproto.DurabilityCopied, Position: 44},
		{Change: syncproto.ChangeID{31: 5}, Status: syncproto.StatusRefused, Code: syncproto.CodeBadSignature},
	}
	m.message("reply", "receipts", syncproto.CodeOK, "a receipt of every status", syncproto.EncodeReply(p))
	p.Copies, p.Copied = true, 44
	m.message("reply", "copied", syncproto.CodeOK, "the server's second copy holds everything up to 44", syncproto.EncodeReply(p))
	p.Copies, p.Copied = false, 0
	m.message("reply", "nothing-copied", syncproto.CodeOK, "the server keeps a second copy, which holds nothing yet", withKey(m.t, least, 14, []byte{0}))
	p.Receipts = nil
	p.Items = []syncproto.Item{
		{Type: syncproto.ItemGrant, Position: 9, AtMS: 1_790_000_000_000, Family: body.Family, Basis: "LEAD"},
		{Type: syncproto.ItemChange, Position: 41, AtMS: 1_790_000_000_000, Body: raw},
		{Type: syncproto.ItemChange, Position: 45, AtMS: 1_790_000_000_001, Prev: first, Body: rawNext,
			Device: syncproto.DeviceID{15: 9}, Proof: syncproto.Proof{15: 7}},
		{Type: syncproto.ItemChange, Position: 46, AtMS: 1_790_000_000_001, Prev: syncproto.ChangeID{31: 1}, Body: rawNext},
		{Type: syncproto.ItemVerdict, Position: 47, AtMS: 1_790_000_000_002, Verdict: &syncproto.Verdict{Kind: syncproto.VerdictAdmit, Position: 47, Change: first}},
		{Type: syncproto.ItemPurge, Position: 48, AtMS: 1_790_000_000_003, Family: body.Family},
		{Type: syncproto.ItemErase, Position: 49, AtMS: 1_790_000_000_004, Family: body.Family, Record: body.Record},
		{Type: syncproto.ItemMisfile, Position: 50, AtMS: 1_790_000_000_005, Family: body.Family, Record: body.Record},
		{Type: syncproto.ItemPurge, Position: 51},
	}
	p.Cursor, p.More, p.Forked = []byte("next"), true, []syncproto.ActorID{{15: 3}}
	p.Chains = []syncproto.ChainHead{{Actor: body.Actor, Seq: 2, Tip: syncproto.ComputeID(first, rawNext)}}
	p.Checkpoint = &syncproto.Checkpoint{TreeHead: syncproto.TreeHead{Size: 48, Root: [32]byte{31: 6}}, TimeMS: 1_790_000_000_000, Signature: bytes.Repeat([]byte{8}, 64)}
	p.Proof, p.Restored = [][32]byte{{31: 7}, {31: 8}}, syncproto.Restored{Epoch: syncproto.Epoch{15: 9}, Size: 40}
	full := syncproto.EncodeReply(p)
	m.message("reply", "news", syncproto.CodeOK, "an item of every type; the first two changes leave their prev out, the third follows another change; the last purges everything", full)
	m.message("reply", "prev-not-left-out", syncproto.CodeNotCanonical, "a prev that follows from the reply must be left out",
		withKey(m.t, least, 6, append([]byte{0x81}, withKey(m.t, unhex(m.t, "a10101"), 4, cbor.AppendBytes(nil, make([]byte, 32)), 5, cbor.AppendBytes(nil, raw))...)))
	m.message("reply", "newer-item", syncproto.CodeNewerApp, "an item of a type that this version does not know", withKey(m.t, least, 6, unhex(m.t, "81a10107")))
	m.message("reply", "newer-status", syncproto.CodeNewerApp, "a receipt of an unknown status",
		withKey(m.t, least, 5, append([]byte{0x81}, withKey(m.t, unhex(m.t, "a10206"), 1, cbor.AppendBytes(nil, first[:]))...)))
	m.message("reply", "more-false", syncproto.CodeNotCanonical, "false must be left out", withKey(m.t, least, 8, []byte{0xf4}))
	m.message("reply", "no-epoch", syncproto.CodeMalformed, "the epoch is missing", withKey(m.t, least, 3, nil))
	m.signedReplies(full)
}

func (m *maker) signedReplies(payload []byte) {
	seed := sha256.Sum256([]byte("a reply key for vectors only"))
	private := ed25519.NewKeyFromSeed(seed[:])
	key := hex.EncodeToString(private.Public().(ed25519.PublicKey))
	device, other := syncproto.DeviceID{15: 5}, syncproto.DeviceID{15: 6}
	signature := ed25519.Sign(private, syncproto.ReplyMessage(device, payload))
	add := func(name string, expect syncproto.Code, comment string, device syncproto.DeviceID, wire []byte) {
		m.add("signed-reply", name, "signed-reply", expect, comment, "key", key, "device", device.String(), "hex", hex.EncodeToString(wire), "payload", hex.EncodeToString(payload))
	}
	add("good", syncproto.CodeOK, "signed for this device", device, syncproto.EncodeSignedReply(payload, signature))
	add("other-device", syncproto.CodeBadSignature, "signed for another device", other, syncproto.EncodeSignedReply(payload, signature))
	flipped := bytes.Clone(signature)
	flipped[10] ^= 1
	add("flipped-signature", syncproto.CodeBadSignature, "one bit of the signature flipped", device, syncproto.EncodeSignedReply(payload, flipped))
	altered := bytes.Clone(payload)
	altered[len(altered)-1] ^= 1
	add("altered", syncproto.CodeBadSignature, "one bit of the reply flipped", device, syncproto.EncodeSignedReply(altered, signature))
	add("short-signature", syncproto.CodeMalformed, "a signature of 63 bytes", device, syncproto.EncodeSignedReply(payload, signature[:63]))
}
