// Package syncproto is what a tablet and a borough's server share: the format of
// a change, how changes add up to what a person sees, and the messages by which
// they are exchanged. spec/SPEC.md is its contract.
//
// A Change is one immutable edit, with a Body that EncodeBody writes and
// DecodeChange reads; ComputeID names it. A Graph holds the changes of one
// record, in any order of arrival. Fold turns a Graph and the server's Verdicts
// into a View, byte for byte the same everywhere, in which disagreements are
// data (Conflict, Overlap) until a person decides. SyncRequest and SyncReply
// carry changes up, and receipts and news down. A Code says why something was
// refused, held, set aside or late, in plain words too.
//
// The package is pure: it reads no clock, draws no random numbers, keeps no
// keys, does no I/O and starts no goroutine, so that it is the same on the server
// and in a browser. Checking a signature is a port (Verifier). It does not decide
// who may do what, what order changes get, or how anything is stored.
package syncproto
