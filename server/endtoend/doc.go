// Package endtoend holds the tests that run the whole of Doorstep at once: a real
// server, in this process or as a process of its own, real devices with their
// stores, and HTTP between them, which is cut, killed, doubled and delayed.
//
// borough is a running server with a caseload, process the same as a separate
// program that can be killed, tablet an enrolled device, line the network between
// them, and wire a caller that speaks the protocol by hand. Nothing here is part
// of a product; there is nothing to import.
//
// Flags of its tests: -kills and -kills.seed, how often and when the server
// process is killed; -update, to write server/FAULTS.md anew from the names of all
// tests; -short, to cut and kill now and then only.
package endtoend
