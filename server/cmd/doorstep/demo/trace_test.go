package demo

import (
	"testing"

	"doorstep/syncproto/text"
)

func TestTraceReplaysToItsEnd(t *testing.T) {
	scripts, err := loadTrace()
	if err != nil {
		t.Fatal(err)
	}
	if len(scripts) != 2 {
		t.Fatalf("got %d scripts, want 2", len(scripts))
	}
	for i, s := range scripts {
		if len(s.strokes) < 2000 {
			t.Errorf("script %d has %d keystrokes, want at least 2000", i, len(s.strokes))
		}
		if got := replay("", s.strokes); got != s.end {
			t.Errorf("script %d does not replay to its end", i)
		}
	}
}

// replay applies splices to a text of code points.
func replay(start string, strokes []text.Splice) string {
	doc := []rune(start)
	for _, s := range strokes {
		rest := append([]rune(s.Ins), doc[s.Pos+s.Del:]...)
		doc = append(doc[:s.Pos], rest...)
	}
	return string(doc)
}
