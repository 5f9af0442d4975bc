package cbor

// AppendUint appends an unsigned integer in its shortest form. Above MaxInt the
// result is CBOR that a Reader refuses; callers check what comes from outside.
func AppendUint(b []byte, v uint64) []byte { return appendHead(b, MajorUint, v) }

// AppendInt appends a signed integer in its shortest form; see AppendUint for
// the range.
func AppendInt(b []byte, v int64) []byte {
	if v < 0 {
		return appendHead(b, MajorNeg, uint64(-(v + 1)))
	}
	return appendHead(b, MajorUint, uint64(v))
}

// AppendBytes appends a byte string.
func AppendBytes(b, v []byte) []byte {
	return append(appendHead(b, MajorBytes, uint64(len(v))), v...)
}

// AppendBytesHead appends the head of a byte string of n bytes; the caller appends
// them.
func AppendBytesHead(b []byte, n int) []byte { return appendHead(b, MajorBytes, uint64(n)) }

// AppendText appends a text string. A Reader refuses it if it is not UTF-8.
func AppendText(b []byte, v string) []byte {
	return append(appendHead(b, MajorText, uint64(len(v))), v...)
}

// AppendBool appends true or false.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, byteTrue)
	}
	return append(b, byteFalse)
}

// AppendNull appends null.
func AppendNull(b []byte) []byte { return append(b, byteNull) }

// AppendArray appends the head of an array of n items; the caller appends them.
func AppendArray(b []byte, n int) []byte { return appendHead(b, MajorArray, uint64(n)) }

// AppendMap appends the head of a map of n pairs. The caller appends key, value,
// key, value, with the keys in bytewise order of their encoding.
func AppendMap(b []byte, n int) []byte { return appendHead(b, MajorMap, uint64(n)) }

// AppendValue appends a value.
func AppendValue(b []byte, v Value) []byte {
	if v.enc == "" {
		return AppendNull(b)
	}
	return append(b, v.enc...)
}

// appendHead writes a major type and its argument in the fewest bytes.
func appendHead(b []byte, major Major, arg uint64) []byte {
	top := byte(major) << 5
	switch {
	case arg < 24:
		return append(b, top|byte(arg))
	case arg <= 0xff:
		return append(b, top|24, byte(arg))
	case arg <= 0xffff:
		return append(b, top|25, byte(arg>>8), byte(arg))
	case arg <= 0xffffffff:
		return append(b, top|26, byte(arg>>24), byte(arg>>16), byte(arg>>8), byte(arg))
	}
	return append(b, top|27, byte(arg>>56), byte(arg>>48), byte(arg>>40), byte(arg>>32),
		byte(arg>>24), byte(arg>>16), byte(arg>>8), byte(arg))
}
