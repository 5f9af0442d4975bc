package intake

import (
	"strconv"
	"strings"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// define gives every line's own reference its place; a second line with the same
// one is refused.
func (r *run) define() {
	for _, s := range theSet {
		of := s.key().of
		for i := range r.lines[s.file] {
			l := &r.lines[s.file][i]
			if l.key == "" {
				continue
			}
			if before, ok := r.refs.define(of, l.key, place{l.file, l.line}); !ok {
				l.refuse(s.key().name, ProblemDuplicate, "This reference is on line "+strconv.Itoa(before.line)+" already.")
			}
		}
	}
}

// resolved is a good line whose references were found.
type resolved struct {
	line
	ids map[string]syncproto.ID // by column; of columns with one reference
	set map[string][]syncproto.ID
}

// resolve looks up a line's references. What goes to a field of the record
// becomes its value. It is false if the line is bad, or speaks of one that is:
// the report then names that line alone.
func (r *run) resolve(l line) (resolved, bool, error) {
	out := resolved{line: l, ids: map[string]syncproto.ID{}, set: map[string][]syncproto.ID{}}
	known := true
	for _, c := range l.sheet.columns {
		if c.holds != holdsRef && c.holds != holdsRefs {
			continue
		}
		for _, ref := range strings.Fields(l.cell(c.name)) {
			id, found, err := r.refs.find(c.of, ref)
			if err != nil {
				return out, false, err
			}
			if !found {
				out.refuse(c.name, ProblemUnknownRef, "Neither a file of this run nor an earlier run has this reference.")
				continue
			}
			known = known && !r.refs.isSpoilt(c.of, ref)
			out.ids[c.name] = id
			out.set[c.name] = append(out.set[c.name], id)
			if c.holds == holdsRef && c.goes != "" {
				out.values[c.name] = cbor.Bytes(id[:])
			}
		}
	}
	return out, out.good && known, nil
}

// each calls fn with the good lines of a file, their references looked up.
func (r *run) each(file string, fn func(resolved) error) error {
	for _, l := range r.lines[file] {
		if l.key == "" {
			continue
		}
		taken, err := r.takeLine(l, fn)
		if err != nil {
			return err
		}
		if !taken {
			r.refs.spoil(l.sheet.key().of, l.key)
		}
	}
	return nil
}

// takeLine calls fn with a line if it is good; false if it was not, or fn found
// that it is not.
func (r *run) takeLine(l line, fn func(resolved) error) (bool, error) {
	if !l.good {
		return false, nil
	}
	got, ok, err := r.resolve(l)
	if err != nil || !ok {
		return false, err
	}
	before := len(r.probs.list)
	err = fn(got)
	return len(r.probs.list) == before, err
}
