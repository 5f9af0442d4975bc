// Package bench measures a whole server: how many visits it makes durable in a
// second, how long a tablet waits for its records, and what travels for that.
//
// Run is the one entry. It starts boroughs of its own, each a server process in a
// temporary folder, or takes one that is running; it plays the tablets (pusher,
// reader) over real HTTP and returns a Report, which prints itself as text or as
// JSON. What is pushed is built, signed and compressed before the clock starts,
// so that the tablets' work is not what is measured. Beside the server stand two
// limits of the same disk in the same run: the bare journal and bare badger.
//
// The package judges nothing: whether a figure is good enough is for whoever
// reads it. It fails only if the server does not take or give what it should.
package bench
