package api

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"doorstep/syncproto"
)

// maxJSONDepth bounds nesting of a request; ours need four.
const maxJSONDepth = 16

// decodeJSON reads body into the struct that out points to, and refuses what
// encoding/json would quietly alter: ill-formed UTF-8, half surrogates, a key
// given twice, a key in another case, an unknown key, a number no client can
// hold exactly, trailing data (measured: each is a way in which
// words get lost). The error is a syncproto.Code.
func decodeJSON(body []byte, out any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return syncproto.CodeEmpty
	}
	if !utf8.Valid(body) || !surrogatesPaired(body) {
		return syncproto.CodeBadText
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := checkValue(dec, reflect.TypeOf(out).Elem(), 0); err != nil {
		return err
	}
	if dec.More() || len(bytes.TrimSpace(body[dec.InputOffset():])) != 0 {
		return syncproto.CodeMalformed
	}
	strict := json.NewDecoder(bytes.NewReader(body))
	strict.DisallowUnknownFields()
	strict.UseNumber()
	if err := strict.Decode(out); err != nil {
		return syncproto.CodeMalformed
	}
	return nil
}

// checkValue walks one value of the input beside the Go type it goes into. A nil
// type accepts any JSON.
func checkValue(dec *json.Decoder, t reflect.Type, depth int) error {
	if depth > maxJSONDepth {
		return syncproto.CodeTooDeep
	}
	token, err := dec.Token()
	if err != nil {
		return syncproto.CodeMalformed
	}
	switch token := token.(type) {
	case json.Number:
		return checkNumber(token)
	case json.Delim:
		if token == '{' {
			return checkObject(dec, t, depth)
		}
		return checkArray(dec, elementType(t), depth)
	}
	return nil
}

func checkArray(dec *json.Decoder, element reflect.Type, depth int) error {
	for dec.More() {
		if err := checkValue(dec, element, depth+1); err != nil {
			return err
		}
	}
	return closing(dec)
}

func checkObject(dec *json.Decoder, t reflect.Type, depth int) error {
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return syncproto.CodeMalformed
		}
		key, _ := token.(string)
		if seen[key] {
			return syncproto.CodeMalformed
		}
		seen[key] = true
		field, known := fieldType(t, key)
		if !known {
			return syncproto.CodeMalformed
		}
		if err := checkValue(dec, field, depth+1); err != nil {
			return err
		}
	}
	return closing(dec)
}

func closing(dec *json.Decoder) error {
	if _, err := dec.Token(); err != nil {
		return syncproto.CodeMalformed
	}
	return nil
}

// checkNumber admits integers that every client can hold exactly, as on the
// CBOR side; our JSON has no other numbers.
func checkNumber(n json.Number) error {
	i, err := strconv.ParseInt(n.String(), 10, 64)
	if err != nil || i > syncproto.MaxSafeInt || i < -syncproto.MaxSafeInt || n == "-0" {
		return syncproto.CodeBadNumber
	}
	return nil
}

// elementType is the element of a slice type; nil when t is not one.
func elementType(t reflect.Type) reflect.Type {
	if t = concrete(t); t != nil && t.Kind() == reflect.Slice {
		return t.Elem()
	}
	return nil
}

// fieldType finds the field that a key names, letter for letter. Anything goes
// where the Go type is an interface.
func fieldType(t reflect.Type, key string) (reflect.Type, bool) {
	t = concrete(t)
	if t == nil {
		return nil, true
	}
	if t.Kind() != reflect.Struct {
		return nil, false
	}
	for i := range t.NumField() {
		if jsonName(t.Field(i)) == key {
			return t.Field(i).Type, true
		}
	}
	return nil, false
}

// concrete strips pointers; it returns nil for a type that holds any JSON.
func concrete(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t != nil && t.Kind() == reflect.Interface {
		return nil
	}
	return t
}

// jsonName is the key under which a field travels.
func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// surrogatesPaired reports whether every \u escape of a UTF-16 half is part of a
// whole pair. A lone half would silently become U+FFFD.
func surrogatesPaired(b []byte) bool {
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' {
			continue
		}
		i++ // what is escaped: skip it, so that \\u is not read as \u
		half := surrogate(b, i)
		if half == 0 {
			continue
		}
		if half >= 0xDC00 { // a low half first
			return false
		}
		if i+5 >= len(b) || b[i+5] != '\\' {
			return false
		}
		if low := surrogate(b, i+6); low < 0xDC00 {
			return false
		}
		i += 10 // uXXXX\uXXXX, the loop adds the last step
	}
	return true
}

// surrogate reads uXXXX at i; it returns 0 unless that is a UTF-16 half.
func surrogate(b []byte, i int) uint64 {
	if i+5 > len(b) || b[i] != 'u' {
		return 0
	}
	v, err := strconv.ParseUint(string(b[i+1:i+5]), 16, 16)
	if err != nil || v < 0xD800 || v > 0xDFFF {
		return 0
	}
	return v
}
