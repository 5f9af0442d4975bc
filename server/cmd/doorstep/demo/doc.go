// Package demo plays a working day through a whole Doorstep: a borough's server
// on a temporary folder, the example caseload, and tablets with stores and keys
// of their own that talk to it over real HTTP.
//
// Run is the one entry. It tells what happens line by line and checks every
// claim it prints against the server and the tablets; a claim that does not hold
// ends the run with a ClaimError that names it. Each part of the day is a file.
//
// The package drives; it decides nothing. Merging, access, receipts and sealing
// are the work of the server and of the tablets, reached as anybody reaches them:
// the sync protocol, the HTTP API and the operator's commands.
package demo
