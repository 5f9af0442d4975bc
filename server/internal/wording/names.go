package wording

import "doorstep/syncproto/schema"

// Names is what a borough calls things where it does not use the product's words: by id.
type Names struct {
	Kinds map[string]string // in the singular, as within a sentence
	Roles map[string]string
}

// Kind is what a kind of record is called; its id where it is not known.
func (n Names) Kind(id string) string {
	if own, ok := n.Kinds[id]; ok {
		return own
	}
	if kind, ok := schema.Newest(id); ok {
		return kind.Name
	}
	return id
}

// Role is what a role is called; its id where the borough has no word of its own.
func (n Names) Role(id string) string {
	if own, ok := n.Roles[id]; ok {
		return own
	}
	return id
}
