// Package device is the Go driver of the sync engine: it gives the engine a
// store, a clock, chance, a key and a network, and carries out its effects.
//
// Device is the main type, one signed-in user on one installation. Enrol makes
// one, Open opens it again. Edit, Type and Save return once the words are safe
// on the device's own disk; Sync exchanges with the server until neither side
// has more to say, and Run keeps doing so. It talks through two ports: Store
// (OpenBadger, NewMemory; Sealed encrypts either) and Transport (Client over
// HTTP).
//
// There is no journal behind a device's store. So each row carries its own
// SHA-256, each write is counted in a file beside the store, and the engine
// checks that no own change is missing: what a disk lost is named when the
// device is opened, never passed over.
//
// The package decides nothing about merging, receipts or access; that is the
// engine's and the server's business.
package device
