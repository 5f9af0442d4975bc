package syncproto

// SyncRequest is what a device sends to POST /v1/sync (SPEC 7).
type SyncRequest struct {
	Version uint64
	Request RequestID
	Epoch   Epoch  // the server epoch the device knows; zero at first
	Cursor  []byte // opaque; empty at first or after an unknown epoch
	Batches []Batch
	Chains  []ChainHead // this device's actors and how far each has got
	Purged  []Purged    // what was purged since the last sync; until one is answered
	// PurgeSignature is ES256 by the device's key over PurgeMessage of Purged; nil
	// without any.
	PurgeSignature []byte
	PageSize       uint64       // news wanted, bytes; 0: the server's choice
	Log            TreeHead     // the newest state of the server's log that the device remembers; zero: none
	Forks          []Checkpoint // remembered, and left behind by a declared restore; until one is answered
	Again          uint64       // changes of Batches that the server had answered in an earlier epoch
	Returned       []Returned   // others' changes that the server lost
}

// Batch is a run of one actor's chain: Bodies[0] follows Prev, each next the one
// before. Signature is ES256 (64 bytes, r ‖ s) by the device's key over
// TipMessage(Actor, tip); it covers the whole run.
type Batch struct {
	Device    DeviceID
	Actor     ActorID
	Prev      ChangeID
	Bodies    [][]byte
	Signature []byte
	// Gap: what comes before the first was purged from the device, and does not come
	// again (SPEC 7.5).
	Gap bool
}

// Returned is a change of somebody else that the server handed out in an earlier
// epoch and has no more (SPEC 7.5). Proof is what came with it then.
type Returned struct {
	Device DeviceID // that the author sent it from
	Prev   ChangeID
	Body   []byte
	Proof  Proof
}

// Proof is the server's own word, which only it can check, that it had a change of
// a device.
type Proof [16]byte

// ChainHead says how far an actor's chain reaches.
type ChainHead struct {
	Actor ActorID
	Seq   uint64
	Tip   ChangeID
}

// Purged is a purge receipt: the device's word, signed, that what it held of a
// family for its user is gone from it, and that the server had answered every
// word written there before. A zero Family stands for all of them.
type Purged struct {
	Family   FamilyID
	Position uint64 // of the purge that it answers
}

// ReceiptStatus says what became of a change.
type ReceiptStatus uint8

const (
	StatusAccepted    ReceiptStatus = 1
	StatusHeld        ReceiptStatus = 2
	StatusQuarantined ReceiptStatus = 3
	StatusLate        ReceiptStatus = 4
	StatusRefused     ReceiptStatus = 5
)

// Durability says how safe the server has the change.
type Durability uint8

const (
	DurabilityNone   Durability = 0 // refused: not stored
	DurabilityStored Durability = 1 // on the server's disk
	DurabilityCopied Durability = 2 // on a second disk or host as well
)

// Receipt answers one change. Missing lists deps (or the prev) that a held
// change waits for.
type Receipt struct {
	Change     ChangeID
	Status     ReceiptStatus
	Code       Code
	Durability Durability
	Position   uint64 // in the journal; 0 when refused
	Missing    []ChangeID
}

// ItemType says what a feed item is.
type ItemType uint8

const (
	ItemChange  ItemType = 1
	ItemVerdict ItemType = 2
	ItemGrant   ItemType = 3 // the reader may now hold Family, in role Basis
	ItemPurge   ItemType = 4 // the reader may no longer hold Family; zero: anything
	ItemErase   ItemType = 5 // Record was erased for good
	ItemMisfile ItemType = 6 // Record was moved to another family's file
)

// Item is one piece of news in a device's feed, in journal order.
type Item struct {
	Type     ItemType
	Position uint64
	AtMS     int64 // server time
	Prev     ChangeID
	Body     []byte   // ItemChange
	Device   DeviceID // ItemChange: that the author sent it from
	Proof    Proof    // ItemChange: to be kept, and given back after a restore
	Verdict  *Verdict // ItemVerdict
	Family   FamilyID // ItemGrant, ItemPurge, ItemErase, ItemMisfile
	Basis    string   // ItemGrant
	Record   RecordID // ItemErase, ItemMisfile
}

// SyncReply answers a SyncRequest.
type SyncReply struct {
	Version  uint64
	Request  RequestID
	Epoch    Epoch
	TimeMS   int64 // server clock
	Receipts []Receipt
	Items    []Item
	Cursor   []byte
	More     bool
	Chains   []ChainHead // how far the server has each reported actor
	Forked   []ActorID   // actors of this device that must be replaced (SPEC 6.3)
	// Checkpoint is newer than the request's Log; nil: there is nothing new. Proof
	// shows that it extends that Log, if it does; Restored says why it cannot.
	Checkpoint *Checkpoint
	Proof      [][32]byte
	Restored   Restored
	// Copies says that the server keeps a second copy of its journal, and Copied up to
	// which position everything is in it (SPEC 6.2).
	Copies bool
	Copied uint64
}

// SyncProblem is the body of an HTTP error answer to POST /v1/sync. It is about
// the envelope alone; a change is answered by its receipt (SPEC 7.7).
type SyncProblem struct {
	Code       Code
	Epoch      Epoch  // the server's, so that a device sees a restored server
	MinVersion uint64 // oldest protocol version spoken here; 0: not said
	MaxVersion uint64 // newest
}

// VerdictKind numbers what a server decides.
type VerdictKind uint8

const (
	VerdictQuarantine VerdictKind = 1 // Change is locked away until a reviewer decides; By says who kept it so
	VerdictAdmit      VerdictKind = 2 // Change leaves quarantine or hold and is accepted
	VerdictLate       VerdictKind = 3 // Change came after the seal: an addendum proposal
	VerdictWin        VerdictKind = 4 // Change's value of a server field is in force
	VerdictLose       VerdictKind = 5 // Change's value of a server field is not, Code says why
	VerdictSeal       VerdictKind = 6 // Heads are final; Change is the finalise change
	VerdictForked     VerdictKind = 7 // Actor has two chains
	VerdictRelease    VerdictKind = 8 // a held Change is accepted now
)

// Verdict is a decision that depends on the server's order. It is an input to
// the fold: every device folds the same ones, ordered by Position (SPEC 6).
type Verdict struct {
	Kind     VerdictKind
	Position uint64 // its place in the journal: the order of verdicts
	Family   FamilyID
	Record   RecordID
	Change   ChangeID
	Actor    ActorID // VerdictForked
	Code     Code
	By       UserID // who decided; zero: the server by rule
	AtMS     int64
	Path     Path          // VerdictWin, VerdictLose: which field
	Heads    []RecordHeads // VerdictSeal: every record of the seal
	Hash     [32]byte      // VerdictSeal: SHA-256 of this record's sealed view
	PrevHash [32]byte      // VerdictSeal: hash of the seal before; zero for the first
}
