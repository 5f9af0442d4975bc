package schema_test

import (
	"strings"
	"testing"

	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

func at(t *testing.T, path string) *schema.Field {
	t.Helper()
	parts := strings.Split(path+".", ".")
	kind, ok := schema.Newest(parts[0])
	if !ok {
		t.Fatalf("no kind %q", parts[0])
	}
	f, ok := kind.At(parts[1], parts[2])
	if !ok {
		t.Fatalf("no field %q", path)
	}
	return f
}

func id(b byte) cbor.Value { return cbor.Bytes(append(make([]byte, 15), b)) }

func element(pairs ...any) cbor.Value {
	var out []cbor.Pair
	for i := 0; i < len(pairs); i += 2 {
		p := cbor.Pair{Key: pairs[i].(string)}
		switch v := pairs[i+1].(type) {
		case string:
			p.Value = cbor.Text(v)
		case int:
			p.Value = cbor.Int(int64(v))
		case cbor.Value:
			p.Value = v
		}
		out = append(out, p)
	}
	return cbor.Map(out...)
}

func TestCheckValue(t *testing.T) {
	checkValues(t, []valueCase{
		{"visit.place", cbor.Text("HOME"), schema.NoProblem},
		{"visit.place", cbor.Null(), schema.NoProblem},
		{"visit.place", cbor.Text("home"), schema.UnknownCode},
		{"visit.place", cbor.Text(""), schema.UnknownCode},
		{"visit.place", cbor.Int(1), schema.WrongType},
		{"visit.place", cbor.Bytes([]byte("HOME")), schema.WrongType},
		{"visit_child.seen", cbor.Bool(true), schema.WrongType},
		{"visit_child.seen", cbor.Text("NA_INFANT"), schema.UnknownCode},
		{"visit_child.counts_as_statutory", cbor.Bool(true), schema.NotWritable},
		{"visit.duration_min", cbor.Int(5), schema.NotWritable},

		{"visit.start", cbor.Int(1763762400000), schema.NoProblem},
		{"visit.start", cbor.Int(-1), schema.NoProblem},
		{"visit.start", cbor.Int(253402300799999), schema.NoProblem},
		{"visit.start", cbor.Int(253402300800000), schema.OutOfBounds},
		{"visit.start", cbor.Int(-2208988800001), schema.OutOfBounds},
		{"visit.start", cbor.Text("10:00"), schema.WrongType},

		{"person.names", cbor.Text("Zoë 王小明"), schema.NoProblem},
		{"person.names", cbor.Text(""), schema.NoProblem},
		{"person.names", cbor.Text(strings.Repeat("x", 400)), schema.NoProblem},
		{"person.names", cbor.Text(strings.Repeat("é", 201)), schema.TooLong},
		{"person.names", cbor.Text("a\xffb"), schema.BadText},
		{"visit.purpose", cbor.Text(strings.Repeat("x", schema.MaxValueBytes)), schema.NoProblem},
		{"visit.purpose", cbor.Text(strings.Repeat("x", schema.MaxValueBytes+1)), schema.TooLong},

		{"visit_child.visit", id(7), schema.NoProblem},
		{"visit_child.visit", cbor.Bytes(make([]byte, 16)), schema.OutOfBounds},
		{"visit_child.visit", cbor.Bytes(make([]byte, 15)), schema.WrongType},
		{"visit_child.visit", cbor.Text("7"), schema.WrongType},
		{"plan.signatures.version_hash", cbor.Bytes([]byte(strings.Repeat("h", 32))), schema.NoProblem},
		{"plan.signatures.version_hash", id(7), schema.WrongType},

		{"visit_child.body_map.size_mm", cbor.Int(1), schema.NoProblem},
		{"visit_child.body_map.size_mm", cbor.Int(3000), schema.NoProblem},
		{"visit_child.body_map.size_mm", cbor.Int(0), schema.OutOfBounds},
		{"visit_child.body_map.size_mm", cbor.Int(3001), schema.OutOfBounds},
		{"visit_child.body_map.size_mm", cbor.Text("1"), schema.WrongType},

		{"person.upn", cbor.Text("H801200001001"), schema.NoProblem},
		{"person.upn", cbor.Text("A801200001001"), schema.BadFormat},
		{"person.upn", cbor.Text("H80120000100"), schema.BadFormat},
		{"person.upn", cbor.Text("H80120000I001"), schema.BadFormat},
		{"person.upn", cbor.Text("H80120000100I"), schema.BadFormat},
		{"person.nhs_no", cbor.Text("9434765919"), schema.NoProblem},
		{"person.nhs_no", cbor.Text("9434765918"), schema.BadFormat},
		{"person.nhs_no", cbor.Text("943476591"), schema.BadFormat},
		{"person.nhs_no", cbor.Text("943 476 59"), schema.BadFormat},
		{"person.la_child_id", cbor.Text("AB12345678901234567Z"), schema.NoProblem},
		{"person.la_child_id", cbor.Text("12/34"), schema.BadFormat},
		{"person.language", cbor.Text("pt-BR"), schema.NoProblem},
		{"person.language", cbor.Text("zh-Hant-HK"), schema.NoProblem},
		{"person.language", cbor.Text("sgn-GB"), schema.NoProblem},
		{"person.language", cbor.Text("Portuguese (Brazil)"), schema.BadFormat},
		{"person.language", cbor.Text("pt-"), schema.BadFormat},
		{"person.language", cbor.Text("p"), schema.BadFormat},

		{"visit.present", element("person", id(3), "role", "mother"), schema.NoProblem},
		{"visit.present", element(), schema.NoProblem},
		{"visit.present", element("alone_with_child", "Y"), schema.NoProblem},
		{"visit.present", element("alone_with_child", "MAYBE"), schema.UnknownCode},
		{"visit.present", element("mood", "glum"), schema.UnknownPart},
		{"visit.present", cbor.Null(), schema.WrongType},
		{"visit.present", cbor.List(), schema.WrongType},
		{"visit.present", cbor.Text("mother"), schema.WrongType},
		{"plan.rules", element("text", "No visits by Lee."), schema.NoProblem},
		{"plan.rules", element("text", cbor.Null()), schema.NoProblem},
		{"plan.trajectory", element("expected", "asleep by eight"), schema.NoProblem},
	})
}

// TestCheckValueOfEntries: log entries are whole, structs have known parts.
func TestCheckValueOfEntries(t *testing.T) {
	checkValues(t, []valueCase{
		// An entry of a log is whole when it is added.
		{"visit_child.child_words", element("quote", "I sleep at Nan's."), schema.NoProblem},
		{"visit_child.child_words", element("to_whom", "Nan"), schema.MissingPart},
		{"visit_child.child_words", element("quote", " "), schema.MissingPart},
		{"visit.worker_raw_note", element("kind", "TEXT", "text", "damp wall"), schema.NoProblem},
		{"visit.worker_raw_note", element("kind", "TEXT"), schema.MissingPart},
		{"visit.worker_raw_note", element("kind", "INK", "text", "x"), schema.MissingPart},
		{"visit.manager_alert", element("alerted", "N"), schema.NoProblem},
		{"visit.manager_alert", element("alerted", "Y"), schema.MissingPart},
		{"visit.manager_alert", element("alerted", "Y", "who", "J. Okoro", "when", 1763762400000), schema.NoProblem},

		{"status.visit_frequency", element("n", 10, "unit", "WD"), schema.NoProblem},
		{"status.visit_frequency", element("n", 0, "unit", "WD"), schema.OutOfBounds},
		{"status.visit_frequency", element("n", "10"), schema.WrongType},
		{"status.visit_frequency", element("every", 10), schema.UnknownPart},
		{"status.visit_frequency", cbor.Text("10 WD"), schema.WrongType},
		{"visit_child.worry_level_change", element("change", "SAME", "why", "no change"), schema.NoProblem},
		{"visit_child.worry_level_change", element("change", "DUNNO"), schema.UnknownCode},
		{"action.owner", element("name", "Nan"), schema.NoProblem},
	})
}

type valueCase struct {
	path  string
	value cbor.Value
	want  schema.ProblemCode
}

func checkValues(t *testing.T, cases []valueCase) {
	t.Helper()
	for _, c := range cases {
		if got := at(t, c.path).CheckValue(c.value); got.Code != c.want {
			t.Errorf("%s: %d bytes: %v, want %v", c.path, c.value.Size(), got.Code, c.want)
		} else if !got.OK() && got.Plain == "" {
			t.Errorf("%s: %v without words", c.path, got.Code)
		}
	}
}

// TestFault55Dates: the year 2038, leap days, and what is no day.
func TestFault55Dates(t *testing.T) {
	dob := at(t, "person.dob")
	for _, c := range []struct {
		date string
		ok   bool
	}{
		{"2026-11-21", true}, {"2038-01-20", true}, {"9999-12-31", true}, {"1800-01-01", true}, {"2000-02-29", true},
		{"2024-02-29", true}, {"2100-02-28", true}, {"2026-04-30", true},
		{"2100-02-29", false}, {"2023-02-29", false}, {"2026-04-31", false}, {"2026-13-01", false}, {"2026-00-10", false},
		{"2026-01-00", false}, {"2026-01-32", false}, {"10000-01-01", false}, {"1799-12-31", false}, {"2026-1-1", false},
		{"21/11/2026", false}, {"2026-11-21T00:00:00Z", false}, {"", false}, {"+026-11-21", false}, {"2026-11-2١", false},
		{"2026/11/21", false}, {"٢٠٢٦-١١-٢١", false},
	} {
		if got := dob.CheckValue(cbor.Text(c.date)); got.OK() != c.ok {
			t.Errorf("%q: %v, want ok %v", c.date, got.Code, c.ok)
		}
	}
}

// TestFault20HostileText: zero-width, right-to-left override and control
// characters are somebody's words, and are kept.
func TestFault20HostileText(t *testing.T) {
	quote := at(t, "visit_child.child_words")
	for _, words := range []string{"a\u200bb", "\u202eabc", "e\u0301\u0301\u0301", "a\x00b\x1b[31m", "<script>alert(1)</script>", "=1+1", "👨‍👩‍👧"} {
		if got := quote.CheckValue(element("quote", words)); !got.OK() {
			t.Errorf("%q: %v", words, got.Code)
		}
	}
}

// TestProblemsCarryNoContent: what a person wrote never gets into an error.
func TestProblemsCarryNoContent(t *testing.T) {
	const secret = "Aunt Mabel"
	visit, _ := schema.Newest("visit")
	for i := range visit.Fields {
		for _, v := range []cbor.Value{cbor.Text(secret), element(secret, secret), element("kind", secret)} {
			p := visit.Fields[i].CheckValue(v)
			if strings.Contains(p.Error()+p.Plain+p.Field+p.Part+p.Check, "Mabel") {
				t.Errorf("%s: %v tells what was written", visit.Fields[i].ID, p)
			}
		}
	}
}

func TestProblemNames(t *testing.T) {
	names := map[string]bool{}
	for c := schema.NoProblem; c <= schema.FailedCheck; c++ {
		if s := c.String(); s == "" || s == "unknown" || names[s] {
			t.Errorf("problem %d is called %q", c, s)
		} else {
			names[s] = true
		}
	}
	if s := schema.ProblemCode(200).String(); s != "unknown" {
		t.Errorf("problem 200 is called %q", s)
	}
	p := schema.Problem{Code: schema.Unfilled, Field: "rules", Element: 2, Part: "who"}
	if got, want := p.Error(), "unfilled rules who"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}
