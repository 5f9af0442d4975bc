package syncproto

// Code says why something was refused, held, quarantined or late. Codes are a
// closed list, append-only: a number never changes its meaning. A Code is an
// error; its Error is the short name that logs and SPEC 11 use, its Plain text
// is what the person concerned reads.
type Code uint16

const (
	CodeOK Code = 0

	// Encoding of an envelope or of one change.
	CodeEmpty              Code = 1  // nothing was sent
	CodeMalformed          Code = 2  // not CBOR, truncated, or trailing bytes
	CodeNotCanonical       Code = 3  // CBOR that the encoder would not write
	CodeTooDeep            Code = 4  // nested deeper than MaxDepth
	CodeTooLarge           Code = 5  // over a size or count limit
	CodeBadText            Code = 6  // ill-formed UTF-8
	CodeBadNumber          Code = 7  // float, or integer outside the allowed range
	CodeUnsupportedMedia   Code = 8  // wrong Content-Type
	CodeContentEncoding    Code = 9  // Content-Encoding is refused
	CodeBadID              Code = 10 // not an identifier
	CodeBadCursor          Code = 11 // not a cursor of this borough
	CodeUnknownEpoch       Code = 12 // cursor of another epoch, or beyond the head
	CodeUnsupportedVersion Code = 13 // protocol version not spoken here

	// One change.
	CodeIDMismatch   Code = 20 // claimed id is not the hash of the bytes
	CodeBadSignature Code = 21 // the tip's signature does not verify
	CodeWrongDevice  Code = 22 // actor belongs to another device or user
	CodeUnknownKey   Code = 23 // not stored: device not enrolled (yet)
	CodeWrongBorough Code = 24 // change of another borough
	CodeTooManyDeps  Code = 25 // more than MaxDeps
	CodeSelfDep      Code = 26 // names itself, or an id twice, or unsorted
	CodeForeignDep   Code = 27 // a dep belongs to another record
	CodeMissingDeps  Code = 28 // held: a dep is not here yet
	CodeMissingPrev  Code = 29 // held: the actor's change before is not here yet
	CodeNewerApp     Code = 30 // held: written by a newer app
	CodeUnknownField Code = 31 // no such field in the record kind
	CodeBadValue     Code = 32 // value not allowed by the schema
	CodeBadOp        Code = 33 // op not allowed on this field
	CodeWrongRecord  Code = 34 // record exists with another family or kind
	CodeForked       Code = 35 // two changes claim one place in the actor's chain
	CodeBadPosition  Code = 36 // splice outside the text at its version
	CodeCycle        Code = 37 // deps form a cycle
	CodeFutureTime   Code = 38 // stored, marked: device clock is wrong
	CodeNotPlaced    Code = 39 // quarantined: the server failed over this change

	// What happened to a record, or to the server's log.
	CodeErased       Code = 40 // the record was erased for good: words for it wait in custody
	CodeLogRewritten Code = 41 // the server cannot show that its log holds what it showed before
	CodeMisfiled     Code = 42 // the record was moved to the right family's file: words for it wait in custody

	// Who may.
	CodeUnauthenticated    Code = 50 // no valid session
	CodeNotEntitled        Code = 51 // quarantined: author not entitled
	CodeDeniedField        Code = 52 // quarantined: role may not edit this class of field
	CodeBuildsOnQuarantine Code = 53 // quarantined: a dep is in quarantine
	CodeRevokedDevice      Code = 54 // quarantined: device was revoked
	CodeForbidden          Code = 55
	CodeNotFound           Code = 56 // also what a stranger is told about what exists
	CodeBadCredentials     Code = 57
	CodeStepUp             Code = 58 // needs a fresh sign-in
	CodeBadProof           Code = 59 // the request does not show that its device sent it
	CodeUnlinked           Code = 60 // known to the borough's sign-in service, to no account here
	CodeNoRole             Code = 61 // none of the person's groups may use Doorstep
	CodeUnconfirmed        Code = 62 // the sign-in service has not confirmed the address
	CodeSignInFailed       Code = 63 // the sign-in service's answer cannot be trusted, or came too late
	CodeBadPasskey         Code = 64 // the passkey could not be checked, or is a copy

	CodeCustodyFull Code = 65 // not stored: too much of this author's waits for a reviewer
	CodeKeptAway    Code = 66 // quarantined: a reviewer looked at it and keeps it locked away
	CodeAccessEnded Code = 67 // the person's access, or the device's, has ended: it may only send into custody
	CodeRecovered   Code = 68 // quarantined: two people recovered it from a lost or locked tablet

	// Workflow.
	CodeLate          Code = 70 // the record is final: becomes an addendum proposal
	CodeFinal         Code = 71 // the record is final
	CodeOpenConflict  Code = 72
	CodeOpenQuery     Code = 73
	CodeMissingField  Code = 74
	CodeHeldChanges   Code = 75
	CodeStaleHeads    Code = 76 // heads named are not all the accepted heads
	CodeNotConfirmed  Code = 77
	CodeNotHandedOver Code = 78
	CodeLeased        Code = 79 // another coordinator is preparing the record
	CodeLostToEarlier Code = 80 // server field: an earlier value was in force
	CodeUnreviewed    Code = 81 // a transcript nobody has accepted
	CodeUnreadOverlap Code = 82 // a sentence that two people edited apart and nobody has read

	// The server's condition.
	CodeUnavailable Code = 90
	CodeDiskFull    Code = 91
	CodeTooMany     Code = 92 // rate or quota
	CodeInternal    Code = 93
	CodeMethod      Code = 94
)
