package device_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"os"

	"doorstep/client-sdk/device"
	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// A practitioner enrols a tablet, records a visit without a signal, and syncs.
// README.md of the client SDK shows the same steps.
func Example() {
	ctx := context.Background()
	server := httptest.NewServer(newBorough()) // yours is at https://doorstep.borough.example
	defer server.Close()
	dir, err := os.MkdirTemp("", "tablet")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	// Once: open a store and enrol the tablet with the code that IT handed out.
	store, err := device.OpenBadger(dir, device.BadgerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	client, err := device.NewClient(server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Enrol(ctx, store, device.Enrolment{
		Login: "amina", Password: "right", Code: "ABCD-EFGH-IJKL-MNOP", Name: "tablet 14",
	})
	if err != nil {
		log.Fatal(err)
	}

	// Every day: open the device. From here on no server is needed.
	tablet, err := device.Open(store, client, device.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer tablet.Close()

	// Begin a visit of a family and type. Each call returns when the words are
	// safe on the tablet's own disk.
	visit := syncproto.RecordID{0x42} // draw 16 random bytes
	_, err = tablet.Edit(engine.Edit{
		Record: visit, Family: syncproto.FamilyID{1}, Kind: "visit",
		Ops: []syncproto.Op{{
			Code: syncproto.OpSet, Path: syncproto.Path{Field: "visit_type"}, Value: cbor.Text("CIN"),
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for i, key := range "Seen at home" {
		err = tablet.Type(engine.Typing{
			Record: visit, Path: syncproto.Path{Field: "purpose"},
			Splice: text.Splice{Pos: i, Ins: string(key)},
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	if err := tablet.Save(visit); err != nil {
		log.Fatal(err)
	}

	// Sync once; or let tablet.Run(ctx) do so whenever there is something to say.
	if _, err := tablet.Sync(ctx); err != nil {
		log.Print("no signal, everything is still here: ", err)
	}
	view, err := tablet.View(visit)
	if err != nil {
		log.Fatal(err)
	}
	status, err := tablet.Status(visit)
	if err != nil {
		log.Fatal(err)
	}
	purpose, _ := view.Field("purpose")
	fmt.Println(purpose.Text)
	fmt.Println("the server has it:", status.State == engine.StateReceived)
	// Output:
	// Seen at home
	// the server has it: true
}
