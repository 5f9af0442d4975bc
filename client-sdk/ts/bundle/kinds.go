package bundle

import (
	"fmt"
	"strings"

	"doorstep/syncproto/schema"
)

// Kinds returns the TypeScript of every record kind: what its fields and the parts
// of its elements may hold. Everything else of a kind comes from the engine at run
// time, so that a form needs no new build of an app.
func Kinds() string {
	var b strings.Builder
	b.WriteString("// Written by `go test ./client-sdk/ts/bundle -update` from package schema. Do not edit.\n\n")
	b.WriteString("/** The record kinds that this build knows. */\nexport type KindID =")
	for _, k := range newest() {
		fmt.Fprintf(&b, "\n  | %q", k.ID)
	}
	b.WriteString(";\n\n/** What the fields of each kind hold. A reference is 16 bytes: see `refTo`. */\nexport interface KindFields {\n")
	for _, k := range newest() {
		fmt.Fprintf(&b, "  %s: %s;\n", k.ID, typeName(k.ID))
	}
	b.WriteString("}\n")
	for _, k := range newest() {
		fmt.Fprintf(&b, "\n/** %s, version %d. */\nexport interface %s {\n", sentence(k.Name), k.Version, typeName(k.ID))
		for i := range k.Fields {
			writeField(&b, &k.Fields[i], "  ")
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func newest() (out []*schema.Kind) {
	for _, k := range schema.All() {
		if n, _ := schema.Newest(k.ID); n == k {
			out = append(out, k)
		}
	}
	return out
}

// writeField writes one member with what the person reads and how it merges.
func writeField(b *strings.Builder, f *schema.Field, indent string) {
	fmt.Fprintf(b, "%s/** %s (%s). */\n%s%s: ", indent, f.Hint.Label, f.Rule, indent, f.ID)
	switch {
	case f.IsCollection():
		b.WriteString("{ [element: string]: ")
		writeParts(b, f.Sub, indent)
		b.WriteString(" };\n")
	case f.Rule == schema.Own && indent == "  ": // of a record; a part's value is its own
		b.WriteString("{ [slot: string]: ")
		writeValue(b, f, indent)
		b.WriteString(" };\n")
	default:
		writeValue(b, f, indent)
		b.WriteString(";\n")
	}
}

func writeParts(b *strings.Builder, parts []schema.Field, indent string) {
	b.WriteString("{\n")
	for i := range parts {
		writeField(b, &parts[i], indent+"  ")
	}
	b.WriteString(indent + "}")
}

func writeValue(b *strings.Builder, f *schema.Field, indent string) {
	switch f.Type {
	case schema.TypeBool:
		b.WriteString("boolean")
	case schema.TypeInt, schema.TypeTime:
		b.WriteString("number")
	case schema.TypeLine, schema.TypeProse, schema.TypeDate:
		b.WriteString("string")
	case schema.TypeRef, schema.TypeHash:
		b.WriteString("Uint8Array")
	case schema.TypeStruct:
		writeParts(b, f.Sub, indent)
	case schema.TypeCode:
		for i, c := range f.Codes.All() {
			if i > 0 {
				b.WriteString(" | ")
			}
			fmt.Fprintf(b, "%q", c.Code)
		}
	default:
		panic("bug: a field type that TypeScript has no name for")
	}
}

// typeName is the interface of a kind: "visit_child" is VisitChildFields.
func typeName(id string) string {
	var b strings.Builder
	for _, word := range strings.Split(id, "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String() + "Fields"
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
