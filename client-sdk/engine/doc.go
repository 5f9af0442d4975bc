// Package engine is a device's side of Doorstep without any I/O: a state
// machine that takes events and returns effects.
//
// Engine is the one main type: one signed-in user on one installation. A driver
// feeds it what happened (Edit, Type, Save, Sync, Signed, Reply, Failed) with
// the time and with chance as arguments, and carries out the effects it gets
// back, in order: Store (write rows, atomically and durably, before anything
// that follows and before the caller hears of success), Sign, Send, Schedule
// and Notify. View and Status answer what a person sees; they change nothing.
//
// Everything an engine knows is in its rows. A driver starts one by passing
// every stored row to Load, in any order, and then calling Start. If a Store
// effect cannot be carried out, the engine is ahead of the disk: throw it away
// and load a new one.
//
// Of the rows, Spare picks those that a second copy of unsent work needs, and
// StartFromSpare begins with them alone.
//
// What it promises:
//   - A word is in a Store effect before the call that brought it returns.
//   - A change of this device is kept until the server has it, and after; only
//     the loss of access removes it, and never before the server's receipt.
//   - Any request may be lost, cut, doubled or answered late: it is safe to ask
//     again, and a reply to another request is ignored.
//   - A draft's positions are those of the text it was typed into: before
//     anything else reaches that record, the draft becomes a change.
//
// It does not read clocks, draw random numbers, hold keys, check passwords,
// compress, or talk to a network; it starts no goroutine and is not safe for
// concurrent use. It builds for js/wasm, so it uses no fmt and no reflection.
//
// # Rows
//
// A key is one letter and fixed-width parts; a value is deterministic CBOR.
//
//	m                            who this is, current actor, epoch, cursor, reports due
//	o actor(16) seq(8)           one own change: its id, where it belongs, its receipt
//	c family(16) record(16) id(32)  one change, own or not: its prev and its body; what came with others'
//	v family(16) generation(8) position(8) record(16)  one verdict
//	d family(16) record(16)      the open draft of a record
//	f family(16)                 what the server last said about access to a family
//	e family(16) record(16)      a record that was erased for good, or moved to another family: the code that says so
//	k                            checkpoints of the server's audit log, and what is wrong with it
//	w family(16) record(16)      a record's view, so that opening it reads no change
//	x family(16) record(16) n(8) words as they were given, where they had to be repaired
//
// Row o survives the purge of a family: it holds no content, and without it the
// actor's chain would have a gap, which Start reports as a MissingError.
package engine
