package spec_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"doorstep/syncproto/schema"
)

// TestSchemaReferenceIsCurrent holds schema.md in step with the record kinds.
func TestSchemaReferenceIsCurrent(t *testing.T) {
	want := schemaReference()
	if *update {
		if err := os.WriteFile("schema.md", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("schema.md")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("schema.md is not what the kinds say (error %v); run: go test ./syncproto/spec -update", err)
	}
}

func schemaReference() []byte {
	var b bytes.Buffer
	b.WriteString(`# Record kinds

Written from the schema by ` + "`go test ./syncproto/spec -update`" + `. The rules are those of [SPEC.md](SPEC.md) section 5,
the types those of its section 5.12.

`)
	for _, k := range schema.All() {
		writeKind(&b, k)
	}
	return b.Bytes()
}

func writeKind(b *bytes.Buffer, k *schema.Kind) {
	fmt.Fprintf(b, "## %s, version %d: %s\n\n", k.ID, k.Version, k.Name)
	if k.Part != "" {
		fmt.Fprintf(b, "Sealed together with the record that its field `%s` names. ", k.Part)
	}
	switch {
	case k.Finalises && k.NeedsConfirmation:
		b.WriteString("Finalised; its author must confirm it first.\n\n")
	case k.Finalises:
		b.WriteString("Finalised.\n\n")
	default:
		b.WriteString("Never finalised.\n\n")
	}
	b.WriteString("| field | rule | label | type | what it is |\n| --- | --- | --- | --- | --- |\n")
	for i := range k.Fields {
		writeField(b, &k.Fields[i], "")
	}
	b.WriteString("\n")
	writeCodes(b, k.Fields, "")
	if len(k.Checks) > 0 {
		b.WriteString("Checks before it is sealed:\n\n")
		for _, c := range k.Checks {
			fmt.Fprintf(b, "- `%s`: %s%s\n", c.ID, c.Plain, warning(c))
		}
		b.WriteString("\n")
	}
}

func warning(c schema.Check) string {
	if c.Warn {
		return " (Said, but stops nothing.)"
	}
	return ""
}

func writeField(b *bytes.Buffer, f *schema.Field, prefix string) {
	rule, label := f.Rule.String(), f.Label.String()
	if prefix != "" && f.Rule != schema.Human && f.Rule != schema.Protect && f.Rule != schema.Latest && f.Rule != schema.Text {
		rule = "" // a part of a struct or of a log's entry has no rule of its own
	}
	fmt.Fprintf(b, "| `%s%s` | %s | %s | %s | %s |\n", prefix, f.ID, rule, label, typeOf(f), about(f))
	for i := range f.Sub {
		writeField(b, &f.Sub[i], prefix+f.ID+".")
	}
}

func typeOf(f *schema.Field) string {
	if f.IsCollection() && len(f.Sub) > 0 {
		return "elements"
	}
	switch f.Type {
	case schema.TypeBool:
		return "bool"
	case schema.TypeInt:
		return "int" + bounds(f)
	case schema.TypeLine:
		return "line" + bounds(f)
	case schema.TypeProse:
		return "prose"
	case schema.TypeCode:
		return "code"
	case schema.TypeTime:
		return "time"
	case schema.TypeDate:
		return "date"
	case schema.TypeRef:
		return "ref to " + f.RefKind
	case schema.TypeStruct:
		return "struct"
	case schema.TypeHash:
		return "hash"
	}
	return "unknown"
}

func bounds(f *schema.Field) string {
	switch {
	case f.Min == 0 && f.Max == 0:
		return ""
	case f.Type == schema.TypeLine:
		return fmt.Sprintf(" (%d bytes)", f.Max)
	}
	return fmt.Sprintf(" (%d to %d)", f.Min, f.Max)
}

// about gathers what a form and a check need to know of a field.
func about(f *schema.Field) string {
	says := []string{f.Hint.Label + "."}
	if f.Required {
		says = append(says, "Required.")
	} else if len(f.RequiredIf) > 0 {
		says = append(says, "Required under conditions.")
	}
	if f.KeepRemoved {
		says = append(says, "Kept while a removal is undecided.")
	}
	if f.ManagerApproves {
		says = append(says, "A manager approves.")
	}
	if f.Prepared {
		says = append(says, "A coordinator may prepare it.")
	}
	if f.Rule == schema.Own && f.SlotOf != schema.SlotNone {
		says = append(says, [...]string{"", "One slot an author.", "One slot a person.", "Slots are free."}[f.SlotOf])
	}
	if len(f.Protective) > 0 {
		var values []string
		for _, v := range f.Protective {
			values = append(values, valueText(v.Encode()))
		}
		says = append(says, "Most protective first: "+strings.Join(values, ", ")+".")
	}
	return strings.ReplaceAll(strings.Join(says, " "), "|", "\\|")
}

func valueText(enc []byte) string {
	if len(enc) == 1 && enc[0] == 0xf6 {
		return "(cleared)"
	}
	return "`" + string(enc[1:]) + "`" // a short text
}

// writeCodes lists the code sets of fields and of their parts.
func writeCodes(b *bytes.Buffer, fields []schema.Field, prefix string) {
	for i := range fields {
		f := &fields[i]
		if f.Codes != "" {
			var codes []string
			for _, c := range f.Codes.All() {
				codes = append(codes, fmt.Sprintf("`%s` %s", c.Code, c.Label))
			}
			fmt.Fprintf(b, "Codes of `%s%s`: %s.\n\n", prefix, f.ID, strings.Join(codes, "; "))
		}
		writeCodes(b, f.Sub, prefix+f.ID+".")
	}
}
