// Package frame puts a sync message into the bytes that travel, compressed when
// that makes them fewer, and takes it out again without ever inflating more than
// was declared and allowed (SPEC 7.1). Wrap and Unwrap are all of it; a Wrapper is
// Wrap for whoever wraps again and again, UnwrapCopy is Unwrap for whoever only
// borrowed the frame. The package knows nothing of what a message says. The engine does not import it: compressing is
// the business of whoever holds the connection.
package frame

import (
	"bytes"
	"encoding/binary"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"

	"doorstep/syncproto"
)

// MediaType is the Content-Type of a framed message, both ways.
const MediaType = "application/doorstep-sync"

// Formats, the first byte of a frame. A frame is one format byte, the size of
// the message as an unsigned LEB128 number of the fewest bytes, and the message.
const (
	formatRaw     = 0 // the message as it is
	formatDeflate = 1 // the message as one DEFLATE stream (RFC 1951)
)

// minCompress is the size below which compressing is not worth its time.
const minCompress = 128

// level is what 4 KB notes gain most from at a tolerable price of time.
const level = 6

// Wrap frames a message. It compresses if asked to and if that makes the frame
// smaller; compressing the same message twice gives the same bytes.
func Wrap(payload []byte, compress bool) []byte { return new(Wrapper).Wrap(payload, compress) }

// Wrapper wraps message after message. What compressing one needs, about a
// megabyte, serves the next too. The zero value is ready; it is safe for
// concurrent use and must not be copied.
type Wrapper struct {
	writers sync.Pool // of *flate.Writer
}

// Wrap is the function Wrap; it gives the same bytes.
func (w *Wrapper) Wrap(payload []byte, compress bool) []byte {
	if compress && len(payload) >= minCompress {
		if packed := w.deflate(payload); len(packed) < len(payload) {
			return join(formatDeflate, len(payload), packed)
		}
	}
	return join(formatRaw, len(payload), payload)
}

func join(format byte, size int, data []byte) []byte {
	b := make([]byte, 0, 1+binary.MaxVarintLen64+len(data))
	b = append(b, format)
	b = binary.AppendUvarint(b, uint64(size))
	return append(b, data...)
}

func (w *Wrapper) deflate(payload []byte) []byte {
	var out bytes.Buffer
	packer, ok := w.writers.Get().(*flate.Writer)
	if ok {
		packer.Reset(&out)
	} else {
		packer = newWriter(&out)
	}
	// Writing to a bytes.Buffer cannot fail.
	_, _ = packer.Write(payload)
	_ = packer.Close()
	w.writers.Put(packer)
	return out.Bytes()
}

func newWriter(to io.Writer) *flate.Writer {
	packer, err := flate.NewWriter(to, level)
	if err != nil {
		panic("bug: deflate level: " + err.Error())
	}
	return packer
}

// UnwrapCopy is Unwrap whose result never aliases wire.
func UnwrapCopy(wire []byte) ([]byte, error) {
	payload, err := Unwrap(wire)
	if err == nil && wire[0] == formatRaw {
		payload = bytes.Clone(payload)
	}
	return payload, err
}

// Unwrap returns the message in a frame; the result may alias wire. It fails
// with CodeEmpty for no bytes, CodeTooLarge when wire is longer than
// MaxWireBytes or the declared size is more than MaxMessageBytes (nothing is
// inflated then), and CodeMalformed when the format is unknown, the size is
// not in its shortest form, the data inflates to another size, or bytes follow it.
func Unwrap(wire []byte) ([]byte, error) {
	if len(wire) == 0 {
		return nil, syncproto.CodeEmpty
	}
	if len(wire) > syncproto.MaxWireBytes {
		return nil, syncproto.CodeTooLarge
	}
	size, n := binary.Uvarint(wire[1:])
	if n <= 0 || n != len(binary.AppendUvarint(nil, size)) {
		return nil, syncproto.CodeMalformed
	}
	if size > syncproto.MaxMessageBytes {
		return nil, syncproto.CodeTooLarge
	}
	data := wire[1+n:]
	switch wire[0] {
	case formatRaw:
		if uint64(len(data)) != size {
			return nil, syncproto.CodeMalformed
		}
		return data, nil
	case formatDeflate:
		return inflate(data, int(size))
	}
	return nil, syncproto.CodeMalformed
}
