package pages

import "fmt"

// tag is a short state, in one of the design system's colours; empty: its own.
type tag struct{ Text, Colour string }

// of gives a component its values in a template: of "Key" value "Key" value.
func of(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("of takes pairs, not %d values", len(pairs))
	}
	out := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("of: %v is no key", pairs[i])
		}
		out[key] = pairs[i+1]
	}
	return out, nil
}

// nth is the id of the one radio button of several that stands in this place, from 0: the
// design system names the first like the question, so that an error leads to it.
func nth(id string, i int) string {
	if i == 0 {
		return id
	}
	return fmt.Sprintf("%s-%d", id, i+1)
}
