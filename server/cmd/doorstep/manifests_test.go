package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v2"
)

// wantManifests holds what a chart rendered to the API of Kubernetes: the documents in the
// source of Kubernetes, in the folder that DOORSTEP_KUBERNETES names (make chart). Without
// it only that there is something for each kind is known.
func wantManifests(t *testing.T, rendered string) {
	t.Helper()
	source := os.Getenv("DOORSTEP_KUBERNETES")
	if source == "" {
		t.Log("not held to the API of Kubernetes: make chart does that")
	}
	kinds := map[string]int{}
	for text := range strings.SplitSeq(rendered, "\n---\n") {
		var m any
		if err := yaml.Unmarshal([]byte(text), &m); err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		object, ok := plainMap(m).(map[string]any)
		if !ok {
			continue
		}
		version, kind := object["apiVersion"].(string), object["kind"].(string)
		kinds[kind]++
		if source == "" {
			continue
		}
		schema := schemaOf(t, source, version, kind)
		if err := schema.VisitJSON(object, openapi3.MultiErrors()); err != nil {
			t.Errorf("%s %s: %v", version, kind, err)
		}
	}
	for _, want := range []string{"ConfigMap", "StatefulSet", "Service", "NetworkPolicy", "Ingress"} {
		if kinds[want] == 0 {
			t.Errorf("no %s was rendered", want)
		}
	}
}

// schemaOf is what Kubernetes takes of a kind, and no field besides.
func schemaOf(t *testing.T, source, version, kind string) *openapi3.Schema {
	t.Helper()
	name := "api__" + version
	if group, v, found := strings.Cut(version, "/"); found {
		name = "apis__" + group + "__" + v
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(source, "api/openapi-spec/v3", name+"_openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	strict := false
	for id, s := range doc.Components.Schemas {
		if len(s.Value.Properties) > 0 && s.Value.AdditionalProperties.Schema == nil {
			doc.Components.Schemas[id].Value.AdditionalProperties = openapi3.AdditionalProperties{Has: &strict}
		}
	}
	for id, s := range doc.Components.Schemas {
		if strings.HasSuffix(id, "."+kind) && strings.Contains(id, ".api.") {
			return s.Value
		}
	}
	t.Fatalf("Kubernetes knows no %s of %s", kind, version)
	return nil
}

// plainMap is what YAML holds as JSON has it.
func plainMap(v any) any {
	switch v := v.(type) {
	case map[any]any:
		out := map[string]any{}
		for key, value := range v {
			out[key.(string)] = plainMap(value)
		}
		return out
	case []any:
		for i := range v {
			v[i] = plainMap(v[i])
		}
		return v
	case int:
		return float64(v)
	}
	return v
}

// A field that Kubernetes does not know is refused, and so is a word where it wants a number.
func TestChartIsHeldToTheAPI(t *testing.T) {
	source := os.Getenv("DOORSTEP_KUBERNETES")
	if source == "" {
		t.Skip("the source of Kubernetes is not here: make chart gets it")
	}
	for _, spoilt := range []string{`{"apiVersion":"v1","kind":"Service","spec":{"portz":[]}}`, `{"apiVersion":"v1","kind":"Service","spec":{"ports":[{"port":"http"}]}}`} {
		var object any
		if err := json.Unmarshal([]byte(spoilt), &object); err != nil {
			t.Fatal(err)
		}
		if schemaOf(t, source, "v1", "Service").VisitJSON(object) == nil {
			t.Errorf("%s was taken", spoilt)
		}
	}
}
