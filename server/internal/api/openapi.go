package api

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"doorstep/syncproto"
)

// object is a JSON object of the OpenAPI document; encoding/json sorts its keys,
// so the document is the same for every build.
type object map[string]any

// document writes the OpenAPI 3 document of the routes, from the same structs
// that requests are decoded into and checked by.
func document(name string, routes []route) object {
	w := &schemaWriter{schemas: object{}}
	paths := object{}
	for _, r := range routes {
		path := openPath(r.path)
		item, ok := paths[path].(object)
		if !ok {
			item = object{}
			paths[path] = item
		}
		item[strings.ToLower(r.method)] = w.operation(r)
	}
	w.of(reflect.TypeFor[Problem]())
	return object{
		"openapi": "3.0.3",
		"info": object{
			"title":   "Doorstep: " + name,
			"version": strconv.Itoa(syncproto.ProtocolVersion),
			"description": "Visit notes and safety plans of one borough. Every answer other than a success is a Problem; " +
				"unknown keys, keys given twice and trailing data are refused.",
		},
		"paths": paths,
		"components": object{
			"schemas": w.schemas,
			"securitySchemes": object{
				"token": object{"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
				"proven": object{"type": "http", "scheme": "DPoP",
					"description": "With a DPoP header (RFC 9449): every session of a device, and any that was begun with one."},
			},
		},
	}
}

// pathParams are the parameters that paths have, as fiber writes them.
var pathParams = []struct{ name, doc string }{
	{"id", "32 hex digits for a record or family, 64 for a change; anything else is not found."},
	{"heads", "A version: 1 to 64 changes of the record, 64 hex digits each, with hyphens between them; all that they were made on top of is in it. Anything else is not found."},
}

// openPath writes fiber's :id as OpenAPI's {id}.
func openPath(p string) string {
	for _, param := range pathParams {
		p = strings.ReplaceAll(p, ":"+param.name, "{"+param.name+"}")
	}
	return p
}

// schemaWriter gathers the schemas of named structs.
type schemaWriter struct{ schemas object }

func (w *schemaWriter) operation(r route) object {
	op := object{"operationId": r.id, "summary": r.summary, "responses": w.responses(r)}
	var parameters []object
	for _, param := range pathParams {
		if strings.Contains(r.path, ":"+param.name) {
			parameters = append(parameters, object{"name": param.name, "in": "path", "required": true,
				"schema": object{"type": "string"}, "description": param.doc})
		}
	}
	if r.onlyOnce {
		parameters = append(parameters, object{"name": onceHeader, "in": "header", "required": false,
			"schema":      object{"type": "string", "pattern": `^"[0-9a-f]{32}"$`},
			"description": "Names the request: 32 random hex digits in double quotes. Sent again under the same name, with the same content, it does nothing more and is answered alike, for seven days or until 128 others of the same person; under a name that something else was asked by it is bad_value."})
	}
	if parameters != nil {
		op["parameters"] = parameters
	}
	if r.who != anyone {
		op["security"] = []object{{"proven": []string{}}, {"token": []string{}}}
	}
	switch {
	case r.request != nil:
		op["requestBody"] = object{"required": true, "content": object{jsonMedia: object{"schema": w.of(r.request)}}}
	case r.consumes != "":
		op["requestBody"] = object{"required": true, "content": object{r.consumes: object{"schema": binary()}}}
	}
	return op
}

// responses lists what a route answers: its success, its own refusals, and those
// that every route of its sort can give.
func (w *schemaWriter) responses(r route) object {
	out := object{}
	switch {
	case r.response != nil:
		out["200"] = object{"description": "Done.", "content": object{jsonMedia: object{"schema": w.of(r.response)}}}
	case r.produces == jsonMedia:
		out["200"] = object{"description": "Done.", "content": object{jsonMedia: object{"schema": object{"type": "object"}}}}
	case r.produces != "":
		out["200"] = object{"description": "Done.", "content": object{r.produces: object{"schema": binary()}}}
	default:
		out["204"] = object{"description": "Done."}
	}
	byStatus := map[int][]string{}
	for _, c := range r.refusals() {
		byStatus[status(c)] = append(byStatus[status(c)], c.Error())
	}
	for code, names := range byStatus {
		slices.Sort(names)
		out[strconv.Itoa(code)] = object{"description": strings.Join(slices.Compact(names), ", "), "content": r.problemContent()}
	}
	return out
}

// problemContent is the body of a refusal: CBOR where the route speaks CBOR.
func (r route) problemContent() object {
	if r.path == syncPath {
		return object{r.produces: object{"schema": binary()}}
	}
	return object{"application/problem+json": object{"schema": object{"$ref": "#/components/schemas/Problem"}}}
}

// refusals are the codes that a route can answer with.
func (r route) refusals() []syncproto.Code {
	out := codes(syncproto.CodeInternal)
	if r.request != nil || r.consumes != "" {
		out = append(out, syncproto.CodeEmpty, syncproto.CodeMalformed, syncproto.CodeBadText, syncproto.CodeBadNumber,
			syncproto.CodeBadValue, syncproto.CodeTooLarge, syncproto.CodeUnsupportedMedia, syncproto.CodeContentEncoding)
	}
	if r.onlyOnce {
		out = append(out, syncproto.CodeMalformed, syncproto.CodeBadValue)
	}
	if r.who != anyone {
		out = append(out, syncproto.CodeUnauthenticated, syncproto.CodeTooMany, syncproto.CodeBadProof, syncproto.CodeUnavailable)
	}
	if r.who == signedIn {
		out = append(out, syncproto.CodeAccessEnded)
	}
	if r.who == onDevice {
		out = append(out, syncproto.CodeWrongDevice)
	}
	return append(out, r.codes...)
}

func binary() object { return object{"type": "string", "format": "binary"} }

// of returns the schema of a Go type: a reference for a named struct.
func (w *schemaWriter) of(t reflect.Type) object {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct:
		w.addStruct(t)
		return object{"$ref": "#/components/schemas/" + t.Name()}
	case reflect.Slice:
		return object{"type": "array", "items": w.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": w.of(t.Elem())}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int64:
		return object{"type": "integer", "format": "int64"}
	case reflect.Uint16:
		return object{"type": "integer", "minimum": 0, "maximum": 65535}
	case reflect.Interface:
		return object{"nullable": true}
	}
	panic("bug: no schema for a " + t.Kind().String())
}

func (w *schemaWriter) addStruct(t reflect.Type) {
	if _, done := w.schemas[t.Name()]; done {
		return
	}
	properties := object{}
	s := object{"type": "object", "additionalProperties": false, "properties": properties}
	w.schemas[t.Name()] = s // before the fields, which may lead back here
	var required []string
	for _, f := range visibleFields(t) {
		name := jsonName(f)
		properties[name] = w.field(f)
		if !strings.Contains(f.Tag.Get("json"), "omitempty") {
			required = append(required, name)
		}
	}
	if len(required) > 0 {
		s["required"] = required
	}
}

// visibleFields lists a struct's own fields and those of an embedded one.
func visibleFields(t reflect.Type) []reflect.StructField {
	var out []reflect.StructField
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			out = append(out, visibleFields(f.Type)...)
			continue
		}
		out = append(out, f)
	}
	return out
}

// field is a field's schema with its words and its rules.
func (w *schemaWriter) field(f reflect.StructField) object {
	doc := f.Tag.Get("doc")
	if doc == "" {
		panic(fmt.Sprintf("bug: field %s has no doc tag", f.Name))
	}
	s := w.of(f.Type)
	if _, ref := s["$ref"]; ref {
		return object{"allOf": []object{s}, "description": doc} // a $ref stands alone in OpenAPI 3.0
	}
	s["description"] = doc
	own, elements, dives := strings.Cut(f.Tag.Get("validate"), "dive")
	addRules(s, own)
	if items, ok := s["items"].(object); ok && dives {
		addRules(items, elements)
	}
	return s
}

// addRules writes validator's rules as JSON schema.
func addRules(s object, rules string) {
	sizeWord := "Length"
	if s["type"] == "array" {
		sizeWord = "Items"
	}
	for rule := range strings.SplitSeq(rules, ",") {
		name, param, _ := strings.Cut(rule, "=")
		n, _ := strconv.Atoi(param)
		switch name {
		case "", "omitempty":
		case "required":
			if s["type"] == "string" {
				s["minLength"] = 1
			}
		case "len":
			s["min"+sizeWord], s["max"+sizeWord] = n, n
		case "min":
			if s["type"] == "integer" {
				s["minimum"] = n
			} else {
				s["min"+sizeWord] = n
			}
		case "oneof":
			s["enum"] = strings.Fields(param)
		case "max", "maxbytes": // so many bytes are at most so many characters
			s["max"+sizeWord] = n
		case "hexadecimal":
			s["pattern"] = "^[0-9a-f]*$"
		case "lowercase":
		case "base64rawurl":
			s["pattern"] = "^[A-Za-z0-9_-]*$"
		default:
			panic("bug: no JSON schema for the rule " + name)
		}
	}
}

// hasRule reports whether a field carries a rule of validator.
func hasRule(f reflect.StructField, rule string) bool {
	return slices.Contains(strings.Split(f.Tag.Get("validate"), ","), rule)
}
