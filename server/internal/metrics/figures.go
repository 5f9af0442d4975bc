package metrics

import "time"

// Figures say how things stand at one moment. Zero times are unknown, or never.
type Figures struct {
	Ready    bool
	Journal  Journal
	Disk     Disk
	Copy     *Copy   // nil: no second copy is kept
	Backup   *Backup // nil: the server makes none
	Scrub    Scrub
	Waiting  Waiting
	Devices  Devices
	Queue    *Queue    // nil: not counted yet
	Import   *Import   // nil: no folder is watched
	Delivery *Delivery // nil: nothing is delivered, or not counted yet
	Audit    Audit
	Clock    Clock

	Streams int // event streams that are open
	Users   int // accounts in use
	Erased  int // records, children and families that were erased for good
}

// Journal is where the words are.
type Journal struct{ Entries uint64 }

// Disk is the disk of the data, in bytes.
type Disk struct {
	Free    int64
	MinFree int64 // below it nothing new is accepted
	Ballast int64 // that can be given back
}

// Copy is the second copy.
type Copy struct {
	Behind uint64 // entries
	Stands bool   // it does not go on
}

// Backup is the newest backup that the server knows of.
type Backup struct {
	Taken  time.Time
	Failed bool // the last try
	Every  time.Duration
}

// Scrub is the slow reading of everything.
type Scrub struct {
	Finished time.Time // of the last whole pass
	Parts    int       // read in this pass
	Repaired int       // ever
	Failed   bool      // the last try, for another reason than damage
}

// Waiting is what came in and does not count yet.
type Waiting struct {
	Held          int       // until what they build on, or a newer app, is here
	Quarantined   int       // until a reviewer decides
	Oldest        time.Time // of those in quarantine
	Unreviewed    int       // of those in quarantine, without anybody who may review them
	KeptAway      int       // locked away for good
	CustodyAlerts int       // people's devices for whose words custody is nearly full
}

// Devices are the borough's tablets, as far as they were heard of.
type Devices struct {
	Enrolled int // and not revoked
	Revoked  int
	Seen     int       // in the last day
	Silent   int       // enrolled and not heard of for two weeks
	Unsent   int       // said at their last sync that they hold work that is not here
	Changes  uint64    // that those hold
	Longest  time.Time // of those, when the one that has been away longest was last heard of
}

// Queue counts what was handed over and is not final, by its state.
type Queue struct {
	ByState map[string]int
	Oldest  time.Time // when the one that waits longest was handed over
}

// Delivery is what the case-management system has not got.
type Delivery struct {
	Waiting int       // versions of records that were not delivered
	Refused int       // records among them that it refused
	Ready   int       // versions that lie ready for it and were not fetched
	Held    int       // records of restricted files, which stay
	Oldest  time.Time // since when the oldest waits, those held apart; zero: none does
	Failing bool      // nothing can be delivered now
}

// Import is what the case-management system left.
type Import struct {
	Taken   time.Time // when the newest set was taken; zero: none lately
	Refused bool      // the newest set
	Stuck   bool      // the folder, or a set in it, cannot be dealt with
}

// Audit is the log that everybody can hold the server to.
type Audit struct {
	Checkpoint time.Time // when the newest was made
	Behind     uint64    // entries that it does not cover
	Lost       bool      // the journal does not hold what was signed
	Forks      int       // devices that remember another history, undeclared
}

// Clock is the machine's.
type Clock struct {
	Known        bool // the kernel says so to this process
	Synchronised bool
}
