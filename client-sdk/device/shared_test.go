package device_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"doorstep/client-sdk/device"
	"doorstep/syncproto"
)

// filesOf is every byte below a folder, by path.
func filesOf(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		out[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func openShared(t *testing.T, dir string, secret []byte) *device.Shared {
	t.Helper()
	s, err := device.OpenShared(dir, secret)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openTheirs(t *testing.T, s *device.Shared, login string, own []byte) device.Store {
	t.Helper()
	store, err := s.Open(login, own)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// One person's unsent words wait, unread and untouched, while another works on the
// same tablet, under the same device key.
func TestFault47SharedTabletKeepsEachPersonsStoreApart(t *testing.T) {
	dir, secret := t.TempDir(), device.NewStoreKey()
	amina, ben := device.NewStoreKey(), device.NewStoreKey()
	b := newBorough()
	tablet := openShared(t, dir, secret)
	hers := openTheirs(t, tablet, "amina", amina)
	b.install(t, hers, 1)
	d := mustOpen(t, hers, &line{borough: b, device: syncproto.DeviceID{1}}, device.Options{})
	if _, err := d.Edit(beginVisit()); err != nil {
		t.Fatal(err)
	}
	typeWords(t, d, "She hid behind the sofa.")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	before := filesOf(t, dir)

	tablet = openShared(t, dir, secret) // the next morning
	his := openTheirs(t, tablet, "ben", ben)
	b.install(t, his, 2)
	e := mustOpen(t, his, &line{borough: b, device: syncproto.DeviceID{2}}, device.Options{})
	if _, err := e.View(visit); err == nil {
		t.Error("the second person sees the first one's visit")
	}
	mustSync(t, e)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	after := filesOf(t, dir)
	for path, want := range before {
		if !bytes.Equal(after[path], want) {
			t.Errorf("the second person's work changed %s", filepath.Base(path))
		}
	}
	for path, content := range after {
		for _, word := range []string{"amina", "ben", "behind the sofa"} {
			if bytes.Contains(content, []byte(word)) || bytes.Contains([]byte(path[len(dir):]), []byte(word)) {
				t.Errorf("%s stands in clear in %s", word, path)
			}
		}
	}

	hers = openTheirs(t, tablet, " Amina", amina)
	d = mustOpen(t, hers, &line{borough: b, device: syncproto.DeviceID{1}}, device.Options{})
	defer d.Close()
	if got, want := shown(t, d), "She hid behind the sofa."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSharedTabletRefusesWrongKeys(t *testing.T) {
	dir, secret, own := t.TempDir(), device.NewStoreKey(), device.NewStoreKey()
	tablet := openShared(t, dir, secret)
	if again := openShared(t, dir, secret); !bytes.Equal(again.Key().Bytes(), tablet.Key().Bytes()) {
		t.Error("the device key is another one after a restart")
	}
	if _, err := device.OpenShared(dir, device.NewStoreKey()); !errors.Is(err, device.ErrNotTheirs) {
		t.Errorf("another tablet's secret: got %v", err)
	}
	store := openTheirs(t, tablet, "amina", own)
	newBorough().install(t, store, 1)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and a refusal leaves nothing open
		if _, err := tablet.Open("amina", device.NewStoreKey()); !errors.Is(err, device.ErrNotTheirs) {
			t.Errorf("another person's key: got %v", err)
		}
	}
	store = openTheirs(t, tablet, "amina", own)
	if err := store.Close(); err != nil {
		t.Error(err)
	}
	for _, short := range [][]byte{nil, own[:31]} {
		if _, err := tablet.Open("ben", short); err == nil {
			t.Errorf("a key of %d bytes was taken", len(short))
		}
	}
}
