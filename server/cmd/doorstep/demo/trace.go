package demo

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"

	"doorstep/syncproto/text"
)

// traceFile holds what two people typed, keystroke by keystroke: two stretches
// of one public trace (trace/ATTRIBUTION.md).
//
//go:embed trace/two-writers.json.gz
var traceFile []byte

// script is what one person types into a text that is empty at first.
type script struct {
	strokes []text.Splice // one a keystroke, positions in code points
	end     string        // what the text says afterwards
}

// loadTrace reads the embedded trace: one script for each of two writers.
func loadTrace() ([]script, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(traceFile))
	if err != nil {
		return nil, fmt.Errorf("reading the trace: %w", err)
	}
	var file struct {
		Writers []struct {
			Txns       [][]patch `json:"txns"`
			EndContent string    `json:"endContent"`
		} `json:"writers"`
	}
	if err := json.NewDecoder(unzipped).Decode(&file); err != nil {
		return nil, fmt.Errorf("reading the trace: %w", err)
	}
	scripts := make([]script, 0, len(file.Writers))
	for _, w := range file.Writers {
		s := script{end: w.EndContent}
		for _, patches := range w.Txns {
			for _, p := range patches {
				s.strokes = append(s.strokes, text.Splice(p))
			}
		}
		scripts = append(scripts, s)
	}
	return scripts, nil
}

// patch is one keystroke, in JSON as [position, deleted, "inserted"].
type patch text.Splice

// UnmarshalJSON implements json.Unmarshaler.
func (p *patch) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&p.Pos, &p.Del, &p.Ins})
}
