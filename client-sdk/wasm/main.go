//go:build js && wasm

// Command wasm is the sync engine for a browser's worker: package binding behind
// three exported functions and the module's own memory. It holds one engine. A
// worker starts it with the Go distribution's wasm_exec.js and then, for each call:
//
//	p = reserve(n)        the arguments' n bytes go to memory at p
//	m = call(op, n)       carries the call out; the answer has m bytes
//	q = answer()          and lies in memory at q until the next reserve
//
// Nothing in it waits, sleeps or starts a goroutine. If a call traps, the module is
// of no use any more: start a new one from the stored rows.
package main

import (
	"unsafe"

	"doorstep/client-sdk/wasm/binding"
)

// module is what a wasm instance is: exported functions have no receiver.
var module struct {
	binding.Binding
	in, out []byte
}

func main() { select {} } // exports are called while main waits

//go:wasmexport reserve
func reserve(n int32) unsafe.Pointer {
	// A fresh one each time: rows that were loaded are kept as they came.
	module.in = make([]byte, max(n, 1))
	return unsafe.Pointer(&module.in[0])
}

//go:wasmexport call
func call(op, n int32) int32 {
	in := module.in[:n]
	module.in = nil
	module.out = module.Call(binding.Op(op), in)
	return int32(len(module.out))
}

//go:wasmexport answer
func answer() unsafe.Pointer { return unsafe.Pointer(&module.out[0]) }
