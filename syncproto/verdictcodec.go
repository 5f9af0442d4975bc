package syncproto

import "doorstep/syncproto/cbor"

// Keys of a verdict (SPEC 6.1). Only the kind is required.
const (
	verdictKind     = 1
	verdictPosition = 2
	verdictFamily   = 3
	verdictRecord   = 4
	verdictChange   = 5
	verdictActor    = 6
	verdictCode     = 7
	verdictBy       = 8
	verdictAt       = 9
	verdictPath     = 10
	verdictHeads    = 11
	verdictHash     = 12
	verdictPrevHash = 13
)

// EncodeVerdict returns the verdict's deterministic CBOR.
func EncodeVerdict(v *Verdict) []byte { return appendVerdict(nil, v) }

func appendVerdict(buf []byte, v *Verdict) []byte {
	f := openFields(buf)
	f.key(verdictKind)
	f.b = cbor.AppendUint(f.b, uint64(v.Kind))
	f.uint(verdictPosition, v.Position)
	f.id(verdictFamily, v.Family[:])
	f.id(verdictRecord, v.Record[:])
	f.id(verdictChange, v.Change[:])
	f.id(verdictActor, v.Actor[:])
	f.uint(verdictCode, uint64(v.Code))
	f.id(verdictBy, v.By[:])
	f.int(verdictAt, v.AtMS)
	f.path(verdictPath, v.Path)
	f.heads(verdictHeads, v.Heads)
	f.id(verdictHash, v.Hash[:])
	f.id(verdictPrevHash, v.PrevHash[:])
	return f.b
}

// DecodeVerdict reads a verdict. It fails with CodeNewerApp for a kind that is
// not known here, since a fold without it would be wrong, and with the codes of
// SPEC 4.
func DecodeVerdict(b []byte) (*Verdict, error) {
	if len(b) == 0 {
		return nil, CodeEmpty
	}
	r := cbor.NewReader(b)
	v := readVerdict(r)
	if err := r.Done(); err != nil {
		return nil, codeOf(err)
	}
	return v, nil
}

func readVerdict(r *cbor.Reader) *Verdict {
	v := &Verdict{}
	var seen keys
	for range r.Map() {
		readVerdictField(r, readKey(r, &seen), v)
	}
	failIf(r, !seen.has(keySet(verdictKind)), CodeMalformed)
	return v
}

func readVerdictField(r *cbor.Reader, key uint64, v *Verdict) {
	switch key {
	case verdictKind:
		v.Kind = VerdictKind(smallUint(r, uint64(VerdictRelease)))
		refuseIf(r, v.Kind == 0)
	case verdictPosition:
		v.Position = someUint(r)
	case verdictFamily:
		someID(r, v.Family[:])
	case verdictRecord:
		someID(r, v.Record[:])
	case verdictChange:
		someID(r, v.Change[:])
	case verdictActor:
		someID(r, v.Actor[:])
	case verdictCode:
		v.Code = readCode(r)
	case verdictBy:
		someID(r, v.By[:])
	case verdictAt:
		v.AtMS = someInt(r)
	case verdictPath:
		v.Path = somePath(r)
	case verdictHeads:
		v.Heads = readHeads(r)
	case verdictHash:
		someID(r, v.Hash[:])
	case verdictPrevHash:
		someID(r, v.PrevHash[:])
	default:
		r.Skip()
	}
}
