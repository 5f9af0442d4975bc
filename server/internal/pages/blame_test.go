package pages

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"doorstep/server/internal/reading"
	"doorstep/syncproto"
)

// oneTeam knows everybody's name, and one tablet.
type oneTeam struct{ Records }

func (oneTeam) Name(id syncproto.UserID) string {
	return map[byte]string{1: "Amina Begum", 2: "Rhys Morgan"}[id[0]]
}

func (oneTeam) DeviceName(id syncproto.DeviceID) (string, bool) { return "T7", id[0] == 7 }

// TestEveryWordHasItsWriter: of each stretch of a text, and of what is gone, it is said
// who wrote it, when, on which device and how.
func TestEveryWordHasItsWriter(t *testing.T) {
	at := func(hour int) int64 { return time.Date(2026, 5, 4, hour, 30, 0, 0, time.UTC).UnixMilli() }
	amina := syncproto.Source{Origin: syncproto.Origin{Author: syncproto.UserID{1}, TimeMS: at(9)}}
	rhys := syncproto.Source{Origin: syncproto.Origin{Author: syncproto.UserID{2}, TimeMS: at(11), Capture: syncproto.CaptureDictated}}
	a := &reading.Attribution{
		Attribution: &syncproto.Attribution{Sources: []syncproto.Source{amina, rhys}},
		Received:    []reading.Received{{Device: syncproto.DeviceID{7}}, {AtMS: at(12), ClockWrong: true}},
	}
	words := &syncproto.TextAuthors{
		Text:    "Café shut. 😀 Calm.",
		Spans:   []syncproto.AuthoredSpan{{Start: 0, End: 10, By: 0}, {Start: 10, End: 18, By: 1}},
		Deleted: []syncproto.DeletedSpan{{At: 10, Text: "Loud.", By: 0, DeletedBy: []int32{1}}},
	}
	p := testPages(t)
	p.cfg.Records = oneTeam{}
	got := p.speaker(&Call{}).written(a, words)
	const (
		byAmina = "Amina Begum, 4 May 2026, 09:30, on the tablet T7, typed"
		byRhys  = "Rhys Morgan, 4 May 2026, 11:30, at the desk, dictated. The clock of that device was wrong: received 4 May 2026, 12:30"
	)
	want := writtenText{
		Spans: []writtenSpan{{"Café shut.", byAmina}, {" 😀 Calm.", byRhys}},
		Gone:  []goneSpan{{"Loud.", byAmina, []string{byRhys}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	body, err := p.show(&Call{}, "history.html", shell{Title: "History", Content: historyPage{Texts: []writtenText{got}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{"Who wrote what", "Café shut.", byAmina, "<del>Loud.</del>", "Deleted: " + byRhys} {
		if !strings.Contains(string(body), shown) {
			t.Errorf("the page does not say %q", shown)
		}
	}
}
