package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorstep/server/internal/erasure"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// erasures answers what package erasure would, from memory.
type erasures struct{ b *testBorough }

func (e erasures) Ask(_ context.Context, by syncproto.UserID, in erasure.Ask) (erasure.Asked, error) {
	_, err := e.b.step(in)
	return erasure.Asked{EraseAskEntry: store.EraseAskEntry{ID: syncproto.ID{9}, Scope: in.Scope, By: by, Records: make([]syncproto.RecordID, 3)}, State: erasure.StateOpen}, err
}

func (e erasures) Over(context.Context, syncproto.UserID) ([]erasure.Over, error) {
	_, err := e.b.step("over")
	return []erasure.Over{{Family: syncproto.FamilyID{7}, Since: 0, Basis: "child in need: 21 years from birth"}}, err
}

func (e erasures) Confirm(_ context.Context, _ syncproto.UserID, id syncproto.ID) error {
	_, err := e.b.step(id)
	return err
}

func (e erasures) Refuse(_ context.Context, _ syncproto.UserID, id syncproto.ID) error {
	_, err := e.b.step(id)
	return err
}

func (e erasures) Asks(by syncproto.UserID) ([]erasure.Asked, error) {
	return []erasure.Asked{{EraseAskEntry: store.EraseAskEntry{Scope: "family", By: by, Record: aRecord}, State: erasure.StateDone}}, e.b.err
}

func (e erasures) Hold(_ context.Context, by syncproto.UserID, in erasure.NewHold) (erasure.Hold, error) {
	_, err := e.b.step(in)
	return erasure.Hold{Family: in.Family, Kind: store.HoldKind(in.Kind), By: by}, err
}

func (e erasures) Lift(_ context.Context, _ syncproto.UserID, id syncproto.ID, _ string) error {
	_, err := e.b.step(id)
	return err
}

func (e erasures) Holds(by syncproto.UserID) ([]erasure.Hold, error) {
	return []erasure.Hold{{Kind: store.HoldLegal, By: by, Lifted: true}}, e.b.err
}

// TestErasures goes through every route of erasures and holds. Each answer is held to
// the OpenAPI document by the world.
func TestErasures(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("martin", "ig_officer")
	token := w.signIn("martin").AccessToken
	var asked ErasureJSON
	w.postJSON("/v1/erasures", token, EraseRequest{Scope: "record", Record: someDoor, Basis: "unlawful", Reason: "of others"}).wantJSON(t, http.StatusOK, &asked)
	var hold HoldJSON
	w.postJSON("/v1/holds", token, HoldRequest{Reference: "F-1", Kind: "legal", Reason: "an inquiry"}).wantJSON(t, http.StatusOK, &hold)
	var list ErasureList
	w.get("/v1/erasures", token).wantJSON(t, http.StatusOK, &list)
	var over OverList
	w.get("/v1/retention", token).wantJSON(t, http.StatusOK, &over)
	if len(over.Over) != 1 || over.Over[0].Since != "1970-01-01" || over.Over[0].Basis == "" {
		t.Errorf("what is over: %+v", over)
	}
	var holds HoldList
	w.get("/v1/holds", token).wantJSON(t, http.StatusOK, &holds)
	if asked.Records != 3 || asked.State != "open" || hold.Kind != "legal" || len(list.Erasures) != 1 || len(holds.Holds) != 1 || len(holds.People) != 1 {
		t.Errorf("%+v %+v %+v %+v", asked, hold, list, holds)
	}
	for path, body := range map[string]any{
		"/v1/erasures/" + someDoor + "/confirm": nil, "/v1/erasures/" + someDoor + "/refuse": nil,
		"/v1/holds/" + someDoor + "/lift": ReasonRequest{Reason: "over"},
	} {
		if a := w.postJSON(path, token, body); a.status != http.StatusNoContent {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	w.borough.err = &erasure.Refusal{Code: syncproto.CodeForbidden, Plain: "this must not be erased yet: there is a legal hold"}
	a := w.postJSON("/v1/erasures/"+someDoor+"/confirm", token, nil)
	a.wantProblem(t, http.StatusForbidden, syncproto.CodeForbidden)
	if !strings.Contains(string(a.body), "legal hold") {
		t.Errorf("refused without its reason: %s", a.body)
	}
}

// TestErasingNeedsAFreshSignIn: asking, confirming and lifting, not setting a hold.
func TestErasingNeedsAFreshSignIn(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.StepUp = time.Nanosecond })
	w.addUser("martin", "ig_officer")
	token := w.signIn("martin").AccessToken
	w.postJSON("/v1/erasures", token, EraseRequest{Scope: "family", Family: someFamily, Basis: "unlawful", Reason: "x"}).wantProblem(t, http.StatusForbidden, syncproto.CodeStepUp)
	w.postJSON("/v1/erasures/"+someDoor+"/confirm", token, nil).wantProblem(t, http.StatusForbidden, syncproto.CodeStepUp)
	w.postJSON("/v1/holds/"+someDoor+"/lift", token, ReasonRequest{Reason: "over"}).wantProblem(t, http.StatusForbidden, syncproto.CodeStepUp)
	if a := w.postJSON("/v1/holds", token, HoldRequest{Family: someFamily, Kind: "legal", Reason: "x"}); a.status != http.StatusOK {
		t.Errorf("setting a hold: %d %s", a.status, a.body)
	}
	w.postJSON("/v1/erasures", token, EraseRequest{Scope: "street", Basis: "unlawful", Reason: "x"}).wantProblem(t, http.StatusForbidden, syncproto.CodeStepUp)
}
