// Package sim is a simulator for tests: a few tablets and a server, all of real
// code, under one seeded scheduler.
//
// The tablets are engines of client-sdk with their rows in memory; the server is
// the real exchange, ledger, store, journal and key ring, the last two on a
// simulated disk that loses what was not synced, fails to sync or to write, is full,
// and whose bits flip. The network delays, drops,
// doubles and reorders messages; tablets crash between any two effects; the
// server crashes at any step of its disk; clocks jump; people write, disagree, decide, lose
// access and get it back. Signatures are a keyed hash, so that a run depends on
// its seed alone.
//
// Checks are made at every reply and, once the network is calm and everybody
// has synced, at the end: SPEC 5 and 7 say what must hold. A failure names the
// seed and the step; the same seed replays it exactly:
//
//	go test ./server/internal/sim -seeds=17
//	go test ./server/internal/sim -seeds=1-5000
//
// A run of more than a hundred seeds (300 without a flag) also fails where one of the
// faults, or of the things that must come of them, did not happen at all: else a
// change could silence part of the simulator. A run of 20 demands the frequent ones
// alone, and a single seed none.
//
// Longer runs take up where the last one ended, and are kept in RUNS.md:
//
//	go test ./server/internal/sim -run TestBudget -budget=20m -record
package sim
