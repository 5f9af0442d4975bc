package server

import (
	"fmt"
	"strings"
	"unicode"

	"doorstep/server/internal/access"
	"doorstep/server/internal/wording"
	"doorstep/syncproto/schema"
)

// LabelsConfig says what a borough calls things, where its words are not the product's. What
// is stored, exported and delivered is the same whatever they are called.
type LabelsConfig struct {
	Kinds []string `koanf:"kinds" doc:"What records are called here, on the app and at the desk, one line each, e.g. \"plan = keeping-safe plan\": a kind, and its name in the singular as within a sentence."`
	Roles []string `koanf:"roles" doc:"What roles are called here, one line each, e.g. \"coordinator = Personal assistant\"."`
}

const maxLabel = 60 // characters: more does not fit on a button

// rules reads the settings; every fault is told.
func (c LabelsConfig) rules(f *faults) wording.Names {
	kind := func(id string) bool { _, ok := schema.Newest(id); return ok }
	role := func(id string) bool { return access.Role(id).Valid() }
	return wording.Names{Kinds: labelled(f, "kinds", c.Kinds, kind), Roles: labelled(f, "roles", c.Roles, role)}
}

func labelled(f *faults, key string, lines []string, known func(string) bool) map[string]string {
	out := map[string]string{}
	for _, line := range lines {
		id, name, found := strings.Cut(line, "=")
		id, name = strings.TrimSpace(id), strings.TrimSpace(name)
		_, twice := out[id]
		f.unless(found && known(id) && !twice, fmt.Sprintf("labels.%s: %q must begin with one that there is, once, and an equals sign", key, line))
		f.unless(name != "" && len([]rune(name)) <= maxLabel && !strings.ContainsFunc(name, unicode.IsControl), fmt.Sprintf("labels.%s: %q needs a name of at most %d characters", key, line, maxLabel))
		out[id] = name
	}
	return out
}
