package engine

// Limits of the engine's own, each with its reason. Those of the protocol are
// in syncproto.
const (
	// draftBytes bounds an open draft's inserted text: each keystroke rewrites
	// the draft's row, so it must stay small; a longer one becomes a change.
	draftBytes = 4 << 10
	// draftSplices bounds an open draft's splices for the same reason.
	draftSplices = 256
	// pauseMS without typing makes a sync turn a draft into a change.
	pauseMS = 3_000
	// draftAgeMS bounds how long a draft stays open under steady typing while the
	// server can be reached, so that colleagues see a long passage grow.
	draftAgeMS = 30_000

	// editBytes bounds what one call may bring: it is stored in one piece, and a
	// device's store takes 4 MB of that.
	editBytes = 3 << 20

	// keepBytes bounds the views that are kept at a time: with the rows beside them
	// they are one write, of which a device's store takes 4 MB.
	keepBytes = 2 << 20

	// pushBytes bounds the bodies of one request: a minute at 130 kbit/s.
	pushBytes = 1 << 20
	// minBytes is where shrinking after failures ends: eight seconds on 2G at
	// 64 kbit/s.
	minBytes = 64 << 10
	// bodyBytes is what one change is filled to when typing is split: a quarter
	// is left for the header and for escaping the estimate.
	bodyBytes = 3 * (256 << 10) / 4

	// editDelayMS lets a burst of edits share one request.
	editDelayMS = 1_000
	// idleMS is how often to ask for news when no events tell of it.
	idleMS = 60_000
	// firstDelayMS and maxDelayMS bound the waiting after a failure.
	firstDelayMS = 2_000
	maxDelayMS   = 300_000
	// clockMS is how far a device's clock may be off before its user is told.
	clockMS = 300_000
)
