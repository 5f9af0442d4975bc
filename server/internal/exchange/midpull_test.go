package exchange_test

import (
	"sync"
	"testing"
	"time"

	"doorstep/server/internal/exchange"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// interrupted are keys that do something once, when the first sealed bytes are
// opened: while a page is being made.
type interrupted struct {
	store.Keys
	once      *sync.Once
	interrupt func()
}

func (k interrupted) Unseal(pair store.KeyPair, aad, sealed []byte) ([]byte, error) {
	k.once.Do(k.interrupt)
	return k.Keys.Unseal(pair, aad, sealed)
}

// TestFault66RevokedWhileThePageIsMade ends a relation after the page was begun:
// what was gathered by then must not leave.
func TestFault66RevokedWhileThePageIsMade(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 5)
	bea := w.tablet(w.person("practitioner"))
	w.relate(bea.user, family, "CO")
	revoked := false
	x := exchange.New(exchange.Config{
		Borough: "testshire", Epoch: w.b.Journal.Epoch(), Store: w.b.Store, Ledger: w.ledger,
		Keys: interrupted{Keys: w.b.Keys, once: &sync.Once{}, interrupt: func() {
			w.part(bea.user, family, "CO")
			revoked = true
		}},
		Verify: verify, CursorKey: [32]byte{1}, Now: func() time.Time { return time.UnixMilli(w.nowMS) }, Log: w.b.Log,
	})
	reply, err := x.Sync(t.Context(), exchange.Caller{User: bea.user, Device: bea.device}, bea.request())
	if err != nil {
		t.Fatal(err)
	}
	if !revoked {
		t.Fatal("the page was made without opening a change: nothing was tested")
	}
	for _, item := range reply.Items {
		if item.Type == syncproto.ItemChange || item.Type == syncproto.ItemVerdict || item.Type == syncproto.ItemGrant {
			t.Errorf("item of type %d at %d went out after the revocation", item.Type, item.Position)
		}
	}
}
