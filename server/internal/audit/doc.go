// Package audit proves what happened: a Merkle tree over every entry of the
// journal, signed checkpoints of it, and a log of who read what.
//
// An Event is one thing that happened, without a name or a word of any record.
// Its encoding is a leaf. A Tree is the Merkle tree over leaves (RFC 9162 section
// 2.1), kept in a file of hashes that can be made anew from the leaves. A Log is
// the tree of a borough with its Checkpoints: whoever remembers one can demand
// proof that nothing before it was removed, altered or reordered. An AccessLog
// takes in reads, searches and refusals, gathers them, and keeps them in a journal
// of its own, whose tree the borough's log holds by an anchor now and then.
//
// The package does not know what entries are (package store makes leaves of them),
// nor who may look at the log.
package audit
