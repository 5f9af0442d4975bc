package backing_test

import (
	"errors"
	"testing"

	"doorstep/server/internal/disk/disktest"
	"doorstep/server/internal/keyring"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/backing"
	"doorstep/syncproto"
)

func TestFailedKeyStoreEndsTheProcessAndARefusalDoesNot(t *testing.T) {
	disk := disktest.New(1)
	ring, err := keyring.Load("keys", keyring.Key{1}, keyring.Options{Create: true, FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	var fatal error
	keys, err := backing.NewKeys(ring, func(err error) { fatal = err })
	if err != nil {
		t.Fatal(err)
	}
	pair := store.KeyPair{Family: syncproto.FamilyID{1}, Record: syncproto.RecordID{2}}
	if err := keys.Ensure([]store.KeyPair{pair}); err != nil {
		t.Fatal(err)
	}
	if err := ring.Destroy(keyring.Pair{Family: keyring.ID(pair.Family), Record: keyring.ID(pair.Record)}); err != nil {
		t.Fatal(err)
	}
	if err := keys.Ensure([]store.KeyPair{pair}); !errors.Is(err, keyring.ErrErased) || fatal != nil {
		t.Errorf("a record that was erased: got %v, fatal %v", err, fatal)
	}
	disk.FailSync(0)
	if err := keys.Ensure([]store.KeyPair{{Family: syncproto.FamilyID{1}, Record: syncproto.RecordID{3}}}); err == nil {
		t.Error("a key counts as durable although its sync failed")
	}
	if fatal == nil {
		t.Error("a key store that cannot be written does not end the process")
	}
}
