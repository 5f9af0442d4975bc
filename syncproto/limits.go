package syncproto

// Limits of the protocol, each with its reason. A decoder checks them before it
// allocates; SPEC 10 repeats them.
const (
	// ProtocolVersion is spoken by this build; MinProtocolVersion is the oldest
	// still understood, so that an old tablet can always deliver its words.
	ProtocolVersion    = 1
	MinProtocolVersion = 1
	// BodyVersion is the newest change format known here.
	BodyVersion = 1

	// MaxDepth bounds nesting of CBOR; a view with the deepest value needs fifteen.
	MaxDepth = 16
	// MaxDeps bounds the heads that one change can join: more than 64 people
	// never write one record apart.
	MaxDeps = 64
	// MaxBodyBytes bounds one change; a device splits longer typing.
	MaxBodyBytes = 256 << 10
	// MaxOps bounds the ops of one change.
	MaxOps = 4096
	// MaxSplices bounds the splices of one op: no MaxBodyBytes holds more.
	MaxSplices = MaxBodyBytes / 3
	// MaxSpliceText bounds the inserted text of one splice, in bytes.
	MaxSpliceText = 64 << 10
	// MaxTextValue bounds a text value set whole, in bytes.
	MaxTextValue = 64 << 10
	// MaxNarrative bounds one text field, in code points.
	MaxNarrative = 8 << 20
	// MaxRedeleted bounds the code points by which all that people delete from one
	// text exceeds all that they insert, so the code points that several delete who
	// write apart: a few bytes delete a whole text again, and whoever folds goes
	// through every piece of it.
	MaxRedeleted = 256 << 10
	// MaxValueDepth bounds the nesting of a value in an op, so that a view, which
	// holds values seven levels down, stays within MaxDepth.
	MaxValueDepth = 8
	// MaxName bounds a field, kind or borough name, in bytes.
	MaxName = 64
	// MaxSealRecords bounds the records that one seal or confirmation names: a
	// visit has one part a child.
	MaxSealRecords = 64
	// MaxBatchChanges and MaxBatches bound one request; a device with more
	// sends again.
	MaxBatchChanges = 1024
	MaxBatches      = 64
	// MaxMessageBytes bounds a sync message once inflated, MaxWireBytes as sent.
	MaxMessageBytes = 8 << 20
	MaxWireBytes    = 4 << 20
	// PageBytes is how much news a server puts into one reply, about.
	PageBytes = 1 << 20
	// MaxItems bounds the news in one reply: a page of PageBytes holds no more,
	// since no item is shorter than 32 bytes.
	MaxItems = PageBytes / 32
	// MaxPurged bounds the purge reports of one request; there is one a family.
	MaxPurged = 4096
	// MaxCursorBytes bounds the opaque cursor.
	MaxCursorBytes = 4 << 10
	// MaxChains bounds the actors that one device reports; a shared tablet has one a user.
	MaxChains = 256
	// MaxReturned bounds the changes of others that one request gives back, as MaxBatchChanges does its own.
	MaxReturned = 1024
	// MaxProofHashes bounds a proof about the log: two a level of a tree of 2^53
	// entries. MaxForks bounds the checkpoints that a device reports at once.
	MaxProofHashes = 108
	MaxForks       = 16
	// MaxSafeInt is the largest integer every client can hold exactly (2^53-1).
	MaxSafeInt = 1<<53 - 1
)
