package api

import (
	"errors"
	"strings"
	"testing"

	"doorstep/syncproto"
)

type strictInner struct {
	Text string `json:"text"`
}

type strictSample struct {
	Role  string         `json:"role"`
	Count int64          `json:"count"`
	List  []strictInner  `json:"list"`
	Deep  *strictInner   `json:"deep"`
	Any   any            `json:"any"`
	Words []string       `json:"words"`
	Extra map[string]any `json:"-"`
}

func TestDecodeJSONRefusesWhatWouldAlterWords(t *testing.T) {
	cases := []struct {
		name, body string
		want       syncproto.Code
	}{
		{"empty", "", syncproto.CodeEmpty},
		{"blank", " \n", syncproto.CodeEmpty},
		{"lone high surrogate", `{"role":"Mum said \ud83d stop"}`, syncproto.CodeBadText},
		{"lone low surrogate", `{"role":"\ude00"}`, syncproto.CodeBadText},
		{"high surrogate, then another escape", `{"role":"\ud83d\u0041"}`, syncproto.CodeBadText},
		{"high surrogate at the end", `{"role":"\ud83d`, syncproto.CodeBadText},
		{"lone surrogate in a key", `{"\ud83d":1}`, syncproto.CodeBadText},
		{"ill-formed UTF-8", "{\"role\":\"a\xffb\"}", syncproto.CodeBadText},
		{"key twice", `{"role":"a","role":"b"}`, syncproto.CodeMalformed},
		{"key twice, once escaped", `{"role":"a","\u0072ole":"b"}`, syncproto.CodeMalformed},
		{"key twice inside any", `{"any":{"a":1,"a":2}}`, syncproto.CodeMalformed},
		{"key in capitals", `{"ROLE":"a"}`, syncproto.CodeMalformed},
		{"nested key in capitals", `{"deep":{"Text":"a"}}`, syncproto.CodeMalformed},
		{"key in capitals within a list", `{"list":[{"TEXT":"a"}]}`, syncproto.CodeMalformed},
		{"unknown key", `{"rolle":"a"}`, syncproto.CodeMalformed},
		{"unknown nested key", `{"list":[{"x":1}]}`, syncproto.CodeMalformed},
		{"key of a hidden field", `{"-":{}}`, syncproto.CodeMalformed},
		{"number over 2^53", `{"count":9007199254740993}`, syncproto.CodeBadNumber},
		{"number over 2^53 in any", `{"any":[-9007199254740993]}`, syncproto.CodeBadNumber},
		{"fraction", `{"any":1.5}`, syncproto.CodeBadNumber},
		{"exponent", `{"any":1e3}`, syncproto.CodeBadNumber},
		{"minus zero", `{"any":-0}`, syncproto.CodeBadNumber},
		{"trailing value", `{"role":"a"} {}`, syncproto.CodeMalformed},
		{"trailing brace", `{"role":"a"}}`, syncproto.CodeMalformed},
		{"truncated", `{"role":"a"`, syncproto.CodeMalformed},
		{"wrong type", `{"role":5}`, syncproto.CodeMalformed},
		{"not an object", `[1]`, syncproto.CodeMalformed},
		{"too deep", `{"any":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`, syncproto.CodeTooDeep},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out strictSample
			if err := decodeJSON([]byte(c.body), &out); !errors.Is(err, c.want) {
				t.Errorf("got %v, want code %d", err, c.want)
			}
		})
	}
}

func TestDecodeJSONKeepsWords(t *testing.T) {
	const body = ` {"role":"Ffion said \"\ud83d\ude00\" \\ud83d ok","count":-9007199254740991,
		"list":[{"text":"اَلْعَرَبِيَّةُ"}],"deep":{"text":""},"any":{"k":[1,true,null]},"words":["a","b"]} `
	var out strictSample
	if err := decodeJSON([]byte(body), &out); err != nil {
		t.Fatal(err)
	}
	if want := "Ffion said \"😀\" \\ud83d ok"; out.Role != want {
		t.Errorf("got %q, want %q", out.Role, want)
	}
	if out.Count != -syncproto.MaxSafeInt || out.List[0].Text != "اَلْعَرَبِيَّةُ" || out.Deep == nil || len(out.Words) != 2 {
		t.Errorf("got %+v", out)
	}
}

func FuzzDecodeJSON(f *testing.F) {
	f.Add([]byte(`{"role":"\ud83d\ude00","list":[{"text":"a"}],"any":[{"x":{}}]}`))
	f.Add([]byte(`{"count":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var out strictSample
		err := decodeJSON(b, &out)
		var code syncproto.Code
		if err != nil && !errors.As(err, &code) {
			t.Errorf("got error %v, want a code", err)
		}
		if err == nil && strings.ContainsRune(out.Role, '\uFFFD') && !strings.Contains(string(b), "\uFFFD") &&
			!strings.Contains(strings.ToLower(string(b)), `\ufffd`) {
			t.Errorf("words were altered: %q", out.Role)
		}
	})
}
