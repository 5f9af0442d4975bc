// Package exchange accepts changes, puts them into one order and hands them out.
//
// Ledger is the sequencer: every entry of the journal goes through its Propose.
// Exchange answers sync requests over it: push gives each change a receipt
// (push.go, place.go), pull gives the next page of the caller's feed (pull.go,
// cursor.go), and Subscribe wakes whoever listens when there is news. Who may do
// what is asked of package access for every change, both ways; what merging
// means is none of its business.
//
// # What a pull promises
//
// A device that starts with an empty cursor and pulls until More is false holds,
// for every family that its user has a relation to at that moment, everything
// that ever came into the family's feed, and was told to purge every family that
// it got before and may not hold any more. pull.go says why.
package exchange
