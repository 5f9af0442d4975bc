package syncproto_test

import (
	"bytes"
	"errors"
	"math/rand"
	"reflect"
	"runtime"
	"testing"

	fx "github.com/fxamacker/cbor/v2"

	"doorstep/syncproto"
)

// codec is one decoder under test, with a message that uses every part of it.
type codec struct {
	name   string
	sample []byte
	// again decodes and encodes.
	again func(b []byte) ([]byte, error)
}

func codecs(t testing.TB) []codec {
	t.Helper()
	body, err := syncproto.EncodeBody(sampleBody())
	if err != nil {
		t.Fatalf("encode the sample body: %v", err)
	}
	return []codec{
		{"change", body, func(b []byte) ([]byte, error) {
			c, err := syncproto.DecodeChange(syncproto.ChangeID{}, b)
			passing, errPassing := syncproto.DecodePassing(syncproto.ChangeID{}, b)
			if err != errPassing || !reflect.DeepEqual(c, passing) {
				t.Errorf("%x: in passing %+v, %v; want %+v, %v", b, passing, errPassing, c, err)
			}
			if err != nil {
				return nil, err
			}
			if c.Body.NewerApp {
				return c.Raw, nil
			}
			return syncproto.EncodeBody(&c.Body)
		}},
		{"request", syncproto.EncodeRequest(sampleRequest()), again(syncproto.DecodeRequest, syncproto.EncodeRequest)},
		{"reply", syncproto.EncodeReply(sampleReply()), again(syncproto.DecodeReply, syncproto.EncodeReply)},
		{"verdict", syncproto.EncodeVerdict(sampleVerdict()), again(syncproto.DecodeVerdict, syncproto.EncodeVerdict)},
		{"problem", syncproto.EncodeProblem(&syncproto.SyncProblem{
			Code: syncproto.CodeUnknownEpoch, Epoch: syncproto.Epoch{1}, MinVersion: 1, MaxVersion: 2,
		}), again(syncproto.DecodeProblem, syncproto.EncodeProblem)},
		{"signed reply", syncproto.EncodeSignedReply([]byte("payload"), make([]byte, 64)), func(b []byte) ([]byte, error) {
			payload, signature, err := syncproto.DecodeSignedReply(b)
			return syncproto.EncodeSignedReply(payload, signature), err
		}},
	}
}

func again[T any](decode func([]byte) (*T, error), encode func(*T) []byte) func([]byte) ([]byte, error) {
	return func(b []byte) ([]byte, error) {
		v, err := decode(b)
		if err != nil {
			return nil, err
		}
		return encode(v), nil
	}
}

func TestSamplesSurvive(t *testing.T) {
	for _, c := range codecs(t) {
		got, err := c.again(c.sample)
		if err != nil || !bytes.Equal(got, c.sample) {
			t.Errorf("%s: got %x, error %v, want %x", c.name, got, err, c.sample)
		}
	}
	request, _ := syncproto.DecodeRequest(syncproto.EncodeRequest(sampleRequest()))
	if !reflect.DeepEqual(request, sampleRequest()) {
		t.Errorf("request: got %+v, want %+v", request, sampleRequest())
	}
	reply, _ := syncproto.DecodeReply(syncproto.EncodeReply(sampleReply()))
	if !reflect.DeepEqual(reply, sampleReply()) {
		t.Errorf("reply: got %+v, want %+v", reply, sampleReply())
	}
	verdict, _ := syncproto.DecodeVerdict(syncproto.EncodeVerdict(sampleVerdict()))
	if !reflect.DeepEqual(verdict, sampleVerdict()) {
		t.Errorf("verdict: got %+v, want %+v", verdict, sampleVerdict())
	}
}

func TestRandomBodiesSurvive(t *testing.T) {
	enc, err := fx.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	for seed := range int64(500) {
		want := randomBody(rand.New(rand.NewSource(seed)))
		raw, err := syncproto.EncodeBody(want)
		if err != nil {
			t.Fatalf("seed %d: encode: %v", seed, err)
		}
		c, err := syncproto.DecodeChange(syncproto.ChangeID{1}, raw)
		if err != nil || !reflect.DeepEqual(&c.Body, want) {
			t.Fatalf("seed %d: got %+v, error %v, want %+v", seed, c, err, want)
		}
		var plain any
		if err := fx.Unmarshal(raw, &plain); err != nil {
			t.Fatalf("seed %d: the oracle refuses: %v", seed, err)
		}
		if got, err := enc.Marshal(plain); err != nil || !bytes.Equal(got, raw) {
			t.Fatalf("seed %d: the oracle writes %x, error %v, want %x", seed, got, err, raw)
		}
	}
}

// wantRefused fails unless the decoder refuses b with a Code, with one of want
// if any are given.
func wantRefused(t *testing.T, c codec, what string, b []byte, want ...syncproto.Code) {
	t.Helper()
	_, err := c.again(b)
	var code syncproto.Code
	if !errors.As(err, &code) {
		t.Errorf("%s, %s: got error %v, want a code", c.name, what, err)
		return
	}
	for _, w := range want {
		if code == w {
			return
		}
	}
	if len(want) > 0 {
		t.Errorf("%s, %s: got %v, want one of %v", c.name, what, code, want)
	}
}

func TestFault01Empty(t *testing.T) {
	for _, c := range codecs(t) {
		wantRefused(t, c, "nothing", nil, syncproto.CodeEmpty)
		wantRefused(t, c, "empty", []byte{}, syncproto.CodeEmpty)
		wantRefused(t, c, "empty map", []byte{0xa0}, syncproto.CodeMalformed)
	}
}

func TestFault02RandomBytes(t *testing.T) {
	for seed := range int64(2000) {
		rng := rand.New(rand.NewSource(seed))
		b := make([]byte, 1+rng.Intn(200))
		rng.Read(b)
		for _, c := range codecs(t) {
			if _, err := c.again(b); err == nil {
				t.Errorf("%s, seed %d: random bytes %x accepted", c.name, seed, b)
			}
		}
	}
}

func TestFault03TruncatedAtEveryByte(t *testing.T) {
	for _, c := range codecs(t) {
		for n := range c.sample {
			wantRefused(t, c, "cut", c.sample[:n], syncproto.CodeMalformed, syncproto.CodeEmpty)
		}
	}
}

func TestFault04TrailingBytes(t *testing.T) {
	for _, c := range codecs(t) {
		wantRefused(t, c, "trailing zero", append(bytes.Clone(c.sample), 0), syncproto.CodeMalformed)
		wantRefused(t, c, "twice", append(bytes.Clone(c.sample), c.sample...), syncproto.CodeMalformed)
	}
}

func TestFault05Depth(t *testing.T) {
	for _, depth := range []int{17, 10_000} {
		nested := append(bytes.Repeat([]byte{0x81}, depth), 0x01)
		for _, c := range codecs(t) {
			wantRefused(t, c, "nested alone", nested)
			if root := parseTree(t, c.sample); root.isStructure() {
				wantRefused(t, c, "nested under an unknown key", root.withPair(40, nested), syncproto.CodeTooDeep)
			}
		}
	}
}

func TestFault06HugeArrayHeader(t *testing.T) {
	headers := [][]byte{head(4, 1<<40), head(5, 1<<40), head(2, 1<<40), head(3, 1<<40), head(4, 1<<31-1)}
	for _, c := range codecs(t) {
		root := parseTree(t, c.sample)
		var before, after runtime.MemStats
		refusals := uint64(0)
		runtime.ReadMemStats(&before)
		root.each(func(n *tree) {
			for _, h := range headers {
				n.raw = h
				wantRefused(t, c, "huge header", root.encode())
				refusals++
			}
		})
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / refusals; each > 256<<10 {
			t.Errorf("%s: a huge header allocates %d bytes, want under 256 KiB", c.name, each)
		}
	}
}

func TestFault07DuplicateKeys(t *testing.T) {
	for _, c := range codecs(t) {
		root := parseTree(t, c.sample)
		root.each(func(n *tree) {
			if n.major != 5 || len(n.items) == 0 {
				return
			}
			twice := &tree{major: 5, arg: n.arg + 1, items: append([]*tree{n.items[0], n.items[1]}, n.items...)}
			n.raw = twice.encode()
			wantRefused(t, c, "first key twice", root.encode(), syncproto.CodeNotCanonical, syncproto.CodeMalformed)
		})
	}
}

func TestFault08IndefiniteLength(t *testing.T) {
	for _, c := range codecs(t) {
		root := parseTree(t, c.sample)
		root.each(func(n *tree) {
			if n.major < 2 || n.major > 5 {
				return
			}
			if n.major < 4 {
				n.raw = append([]byte{n.major<<5 | 31}, append((&tree{major: n.major, arg: n.arg, data: n.data}).encode(), 0xff)...)
			} else {
				n.raw = append(n.encodeWithHead([]byte{n.major<<5 | 31}), 0xff)
			}
			wantRefused(t, c, "indefinite length", root.encode(), syncproto.CodeNotCanonical)
		})
	}
}

func TestFault09NotCanonical(t *testing.T) {
	for _, c := range codecs(t) {
		root := parseTree(t, c.sample)
		root.each(func(n *tree) {
			if n.major == 7 || n.arg >= 1<<32 { // the latter needs nine bytes
				return
			}
			n.raw = n.encodeWithHead(wideHead(n.major, n.arg))
			wantRefused(t, c, "head longer than needed", root.encode(), syncproto.CodeNotCanonical)
			if n.major == 5 && len(n.items) >= 4 {
				n.raw = nil
				swapped := &tree{major: 5, arg: n.arg, items: append([]*tree{n.items[2], n.items[3], n.items[0], n.items[1]}, n.items[4:]...)}
				n.raw = swapped.encode()
				wantRefused(t, c, "keys unsorted", root.encode(), syncproto.CodeNotCanonical, syncproto.CodeMalformed)
			}
		})
	}
}

func TestFault10UnknownKeysAreIgnored(t *testing.T) {
	for _, c := range codecs(t) {
		root := parseTree(t, c.sample)
		root.each(func(n *tree) {
			if !n.isStructure() {
				return
			}
			n.raw = n.withPair(40, []byte{0x82, 0x01, 0x61, 'x'})
			more := root.encode()
			got, err := c.again(more)
			if err != nil {
				t.Errorf("%s: an unknown key is refused: %v", c.name, err)
			} else if !bytes.Equal(got, c.sample) {
				t.Errorf("%s: an unknown key changed what was read", c.name)
			}
		})
	}
}

func TestFault10UnknownKeyIsKeptInTheBytes(t *testing.T) {
	raw, err := syncproto.EncodeBody(sampleBody())
	if err != nil {
		t.Fatal(err)
	}
	more := parseTree(t, raw).withPair(17, []byte{0x01})
	c, err := syncproto.DecodeChange(syncproto.ChangeID{}, more)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(c.Raw, more) || c.ID != syncproto.ComputeID(syncproto.ChangeID{}, more) || c.Body.NewerApp {
		t.Errorf("got raw %x, id %v, newer %v; want the bytes as they came, their id, and no hold", c.Raw, c.ID, c.Body.NewerApp)
	}
}

func TestFault10NewerAppIsHeld(t *testing.T) {
	body := sampleBody()
	const unknown = uint64(syncproto.OpTypeUp) + 1 // the last op there is, and one
	tests := []struct {
		name   string
		change func(root *tree)
	}{
		{"unknown op", func(root *tree) { root.items[31].items[0].items[1].arg = unknown }},
		{"unknown op with other types", func(root *tree) {
			op := root.items[31].items[0]
			op.items[1].arg = unknown
			op.items[3].raw = []byte{0x01}
		}},
		{"newer version", func(root *tree) { root.items[1].arg = syncproto.BodyVersion + 1 }},
		{"newer version, ops of another type", func(root *tree) {
			root.items[1].arg = syncproto.BodyVersion + 1
			root.items[31].raw = []byte{0x61, 'x'}
		}},
		{"unknown capture mode", func(root *tree) { root.items[29].arg = 9 }},
	}
	for _, tt := range tests {
		raw, err := syncproto.EncodeBody(body)
		if err != nil {
			t.Fatal(err)
		}
		root := parseTree(t, raw)
		tt.change(root)
		c, err := syncproto.DecodeChange(syncproto.ChangeID{}, root.encode())
		if err != nil {
			t.Errorf("%s: got error %v, want it held", tt.name, err)
			continue
		}
		if !c.Body.NewerApp {
			t.Errorf("%s: not marked as of a newer app", tt.name)
		}
		if c.Body.Record != body.Record || c.Body.Actor != body.Actor || len(c.Body.Deps) != len(body.Deps) || c.Body.Author != body.Author {
			t.Errorf("%s: the header was not read", tt.name)
		}
	}
}

func TestFault11NumbersOutsideTheRange(t *testing.T) {
	bad := map[string][]byte{
		"NaN": {0xf9, 0x7e, 0}, "infinity": {0xf9, 0x7c, 0}, "-0": {0xf9, 0x80, 0}, "1.5": {0xf9, 0x3e, 0},
		"2^53": head(0, 1<<53), "2^53+1": head(0, 1<<53+1), "2^64-1": head(0, 1<<64-1), "-2^53": head(1, 1<<53-1),
	}
	for _, c := range codecs(t) {
		root := parseTree(t, c.sample)
		for name, number := range bad {
			root.each(func(n *tree) {
				n.raw = number
				wantRefused(t, c, name, root.encode())
			})
			if root.isStructure() {
				wantRefused(t, c, name, root.withPair(40, number), syncproto.CodeBadNumber)
			}
		}
	}
}

func TestIllFormedTextIsRefused(t *testing.T) {
	for _, c := range codecs(t) {
		root := parseTree(t, c.sample)
		root.each(func(n *tree) {
			if n.major != 3 || len(n.data) == 0 {
				return
			}
			n.raw = append(head(3, n.arg), append(bytes.Clone(n.data[:len(n.data)-1]), 0xff)...)
			wantRefused(t, c, "text with 0xff", root.encode(), syncproto.CodeBadText)
		})
	}
}

// TestEveryKeyCounts takes every pair out of every structure: what is left must
// be refused or be a different, valid message; never the same.
func TestEveryKeyCounts(t *testing.T) {
	for _, c := range codecs(t) {
		root := parseTree(t, c.sample)
		root.each(func(n *tree) {
			if !n.isStructure() {
				return
			}
			for i := range n.items[:len(n.items)/2] {
				n.raw = n.without(i)
				less := root.encode()
				got, err := c.again(less)
				if err == nil && !bytes.Equal(got, less) {
					t.Errorf("%s without the pair of key %d of a structure: read as %x, want %x", c.name, n.items[2*i].arg, got, less)
				}
				n.raw = nil
			}
		})
	}
}

// TestZeroIsLeftOut puts the zero of its type in the place of every value: a
// decoder must refuse it, or give back the very same bytes.
func TestZeroIsLeftOut(t *testing.T) {
	for _, c := range codecs(t) {
		root := parseTree(t, c.sample)
		root.each(func(n *tree) {
			zero := &tree{major: n.major, arg: 0}
			switch {
			case n.major == 2 && (len(n.data) == 16 || len(n.data) == 32):
				zero = &tree{major: 2, arg: n.arg, data: make([]byte, len(n.data))}
			case n.major == 7:
				zero = &tree{raw: []byte{0xf4}}
			}
			n.raw = zero.encode()
			zeroed := root.encode()
			got, err := c.again(zeroed)
			if err == nil && !bytes.Equal(got, zeroed) {
				t.Errorf("%s: a zero was accepted and written otherwise: %x", c.name, zeroed)
			}
		})
	}
}
