package syncproto_test

import (
	"bytes"
	"testing"
)

// fuzzCodec holds of any bytes: they are refused, or what was read encodes to a
// message that reads the same; and to the very same bytes unless they had keys
// that this version does not know, in which case it is shorter.
func fuzzCodec(f *testing.F, name string) {
	for _, c := range codecs(f) {
		if c.name != name {
			continue
		}
		f.Add(c.sample)
		f.Fuzz(func(t *testing.T, b []byte) {
			once, err := c.again(b)
			if err != nil {
				return
			}
			if len(once) > len(b) || (len(once) == len(b) && !bytes.Equal(once, b)) {
				t.Fatalf("%x is read and written as %x", b, once)
			}
			if twice, err := c.again(once); err != nil || !bytes.Equal(once, twice) {
				t.Fatalf("%x is read and written as %x, then as %x, error %v", b, once, twice, err)
			}
		})
		return
	}
	f.Fatalf("no codec %q", name)
}

func FuzzDecodeChange(f *testing.F)      { fuzzCodec(f, "change") }
func FuzzDecodeRequest(f *testing.F)     { fuzzCodec(f, "request") }
func FuzzDecodeReply(f *testing.F)       { fuzzCodec(f, "reply") }
func FuzzDecodeVerdict(f *testing.F)     { fuzzCodec(f, "verdict") }
func FuzzDecodeProblem(f *testing.F)     { fuzzCodec(f, "problem") }
func FuzzDecodeSignedReply(f *testing.F) { fuzzCodec(f, "signed reply") }
