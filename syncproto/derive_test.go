package syncproto_test

import (
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// valueOf is a field with a value in force.
func valueOf(field string, v cbor.Value) syncproto.FieldView {
	return syncproto.FieldView{Field: field, Value: v, Set: true}
}

func statutoryVisit() (household, part *syncproto.View) {
	worker := syncproto.Element{InForce: true, Fields: []syncproto.FieldView{valueOf("role", cbor.Text("SW"))}}
	household = &syncproto.View{Kind: "visit", Fields: []syncproto.FieldView{
		valueOf("contact_mode", cbor.Text("IN_PERSON")),
		valueOf("end", cbor.Int(3_600_000)),
		valueOf("outcome", cbor.Text("COMPLETED")),
		valueOf("place", cbor.Text("HOME")),
		valueOf("start", cbor.Int(0)),
		valueOf("visit_type", cbor.Text("CP")),
		{Field: "workers", Set: true, Items: []syncproto.Element{worker}},
	}}
	part = &syncproto.View{Kind: "visit_child", Fields: []syncproto.FieldView{valueOf("seen", cbor.Text("Y"))}}
	return household, part
}

func counts(t *testing.T, household, part *syncproto.View) bool {
	t.Helper()
	syncproto.Derive(household, []*syncproto.View{part})
	f, ok := part.Field("counts_as_statutory")
	if !ok {
		t.Fatal("counts_as_statutory was not derived")
	}
	v, _ := f.Value.AsBool()
	return v
}

func TestStatutoryVisitCounts(t *testing.T) {
	household, part := statutoryVisit()
	if !counts(t, household, part) {
		t.Error("a completed child protection visit at home by a social worker who saw the child must count")
	}
	if f, _ := household.Field("duration_min"); !f.Value.Equal(cbor.Int(60)) {
		t.Errorf("duration: got %v, want 60", f.Value)
	}
}

func TestVisitThatDoesNotCount(t *testing.T) {
	change := func(v *syncproto.View, field, value string) {
		for i := range v.Fields {
			if v.Fields[i].Field == field {
				v.Fields[i].Value = cbor.Text(value)
			}
		}
	}
	cases := map[string]func(household, part *syncproto.View){
		"by telephone":       func(h, p *syncproto.View) { change(h, "contact_mode", "PHONE") },
		"nobody in":          func(h, p *syncproto.View) { change(h, "outcome", "NO_REPLY") },
		"office":             func(h, p *syncproto.View) { change(h, "place", "OFFICE") },
		"volunteer visit":    func(h, p *syncproto.View) { change(h, "visit_type", "VOLUNTEER") },
		"child not seen":     func(h, p *syncproto.View) { change(p, "seen", "N") },
		"nothing said":       func(h, p *syncproto.View) { p.Fields = nil },
		"worker not in role": func(h, p *syncproto.View) { h.Fields[6].Items[0].Fields[0].Value = cbor.Text("VOLUNTEER") },
		"worker struck out":  func(h, p *syncproto.View) { h.Fields[6].Items[0].InForce = false },
		"seen in conflict": func(h, p *syncproto.View) {
			p.Conflicts = []syncproto.Conflict{{Path: syncproto.Path{Field: "seen"}}}
		},
		"type in conflict": func(h, p *syncproto.View) {
			h.Conflicts = []syncproto.Conflict{{Path: syncproto.Path{Field: "visit_type"}}}
		},
	}
	for name, spoil := range cases {
		household, part := statutoryVisit()
		spoil(household, part)
		if counts(t, household, part) {
			t.Errorf("%s: the visit counts", name)
		}
	}
}

func TestSourceAnswersForThePartAndItsVisit(t *testing.T) {
	household, part := statutoryVisit()
	get := part.Source(household, map[string]cbor.Value{"@today": cbor.Text("2026-11-21")})
	for name, want := range map[string]cbor.Value{
		"seen":             cbor.Text("Y"),
		"visit.visit_type": cbor.Text("CP"),
		"@today":           cbor.Text("2026-11-21"),
		"visit.workers":    cbor.List(cbor.Map(cbor.Pair{Key: "role", Value: cbor.Text("SW")})),
	} {
		if got, ok := get(name); !ok || !got.Equal(want) {
			t.Errorf("%s: got %v %v, want %v", name, got, ok, want)
		}
	}
	if _, ok := get("visit_type"); ok {
		t.Error("the part answers for the visit's field under its bare name")
	}
	kind, _ := schema.Newest("visit_child")
	for _, p := range kind.Complete(get) {
		if p.Field == "seen" {
			t.Errorf("seen is answered, but Complete says %s", p.Error())
		}
	}
}

// TestDerivedOfOtherKinds: a return interview is due 72 hours after the return, if
// people agree when that was; an assessment counts what is recent.
func TestDerivedOfOtherKinds(t *testing.T) {
	interview := &syncproto.View{Kind: "return_interview", Fields: []syncproto.FieldView{valueOf("returned_at", cbor.Int(1000))}}
	syncproto.Derive(interview, nil)
	if f, _ := interview.Field("due"); !f.Value.Equal(cbor.Int(1000 + 72*3_600_000)) {
		t.Errorf("due: got %v", f.Value)
	}
	disputed := &syncproto.View{Kind: "return_interview", Fields: []syncproto.FieldView{valueOf("returned_at", cbor.Int(1000))},
		Conflicts: []syncproto.Conflict{{Path: syncproto.Path{Field: "returned_at"}}}}
	syncproto.Derive(disputed, nil)
	if _, ok := disputed.Field("due"); ok {
		t.Error("due although people disagree on the return")
	}

	level := func(code string, inForce bool) syncproto.Element {
		return syncproto.Element{InForce: inForce, Fields: []syncproto.FieldView{valueOf("level", cbor.Text(code))}}
	}
	assessment := &syncproto.View{Kind: "exploitation", Fields: []syncproto.FieldView{{Field: "indicators", Set: true, Items: []syncproto.Element{
		level("CURRENT_3M", true), level("RECENT_3_6M", true), level("NONE", true), level("UNKNOWN", true), level("CURRENT_3M", false)}}}}
	syncproto.Derive(assessment, nil)
	if f, _ := assessment.Field("score"); !f.Value.Equal(cbor.Int(2)) {
		t.Errorf("score: got %v, want 2", f.Value)
	}
	missing := &syncproto.View{Kind: "missing_episode", Fields: []syncproto.FieldView{valueOf("end", cbor.Int(2)), valueOf("start", cbor.Int(1))}}
	syncproto.Derive(missing, nil)
	if len(missing.Fields) != 2 {
		t.Errorf("derived of a missing episode: %v", missing.Fields)
	}
}
