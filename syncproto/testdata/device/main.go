// Command device links the engine, and with it the core, so that its size as
// wasm can be measured. It is never run.
package main

import (
	"os"

	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
	"doorstep/syncproto/text"
)

func main() {
	in := []byte(os.Args[0])
	var record syncproto.RecordID
	var request syncproto.RequestID
	e := engine.New(engine.Identity{Borough: os.Args[0]}, engine.Verifiers{Reply: longer, Checkpoint: longer})
	now := engine.Time{UnixMS: int64(len(in))}
	_ = e.Load(in, in)
	effects, _ := e.Start()
	id, more, _ := e.Edit(now, engine.Edit{Record: record, Kind: os.Args[0]})
	effects = append(effects, more...)
	more, _ = e.Type(now, engine.Typing{Record: record, Splice: text.Splice{Ins: os.Args[0]}})
	effects = append(effects, more...)
	more, _ = e.Save(record)
	effects = append(effects, more...)
	more, _ = e.Sync(now, request)
	effects = append(effects, more...)
	effects = append(effects, e.Signed(request, [][]byte{in})...)
	more, _ = e.Reply(now, in, engine.Chance{})
	effects = append(effects, more...)
	effects = append(effects, e.Failed(request, engine.Failure{RetryAfterMS: int64(len(in))}, engine.Chance{})...)
	_, more, _ = e.Reoffer(now, record, [16]byte{})
	for range append(effects, more...) {
		_, _ = os.Stdout.Write(id[:])
	}
	view, err := e.View(record)
	_, _ = os.Stdout.Write(append(view.Encode(), err.Error()...))
	who, _ := e.Attribution(record, nil)
	_, _ = os.Stdout.WriteString(who.Texts[0].Text)
	_, body, _ := e.Export(id)
	_, _ = os.Stdout.Write(body)
	_, _ = e.Status(record), e.Outbox()
	log := e.Log()
	_, _ = os.Stdout.Write(syncproto.CheckpointNote(os.Args[0], &log.Newest.Checkpoint, syncproto.CheckpointKeyHash(os.Args[0], in)))
	_, _, _, _ = e.Marks(), e.Families(), e.Records(syncproto.FamilyID{}), e.Heads(record)
}

func longer(message, signature []byte) bool { return len(message) > len(signature) }
