package syncproto

import "doorstep/syncproto/cbor"

// Keys of a problem (SPEC 7.7). Only the code is required.
const (
	problemCode       = 1
	problemEpoch      = 2
	problemMinVersion = 3
	problemMaxVersion = 4
)

// EncodeProblem returns the problem's deterministic CBOR.
func EncodeProblem(p *SyncProblem) []byte {
	f := openFields(nil)
	f.key(problemCode)
	f.b = cbor.AppendUint(f.b, uint64(p.Code))
	f.id(problemEpoch, p.Epoch[:])
	f.uint(problemMinVersion, p.MinVersion)
	f.uint(problemMaxVersion, p.MaxVersion)
	return f.b
}

// DecodeProblem reads a problem. Its errors are those of SPEC 4; a device that
// gets one goes by the HTTP status alone.
func DecodeProblem(b []byte) (*SyncProblem, error) {
	if err := checkMessage(b); err != nil {
		return nil, err
	}
	p := &SyncProblem{}
	var seen keys
	r := cbor.NewReader(b)
	for range r.Map() {
		switch readKey(r, &seen) {
		case problemCode:
			p.Code = readCode(r)
		case problemEpoch:
			someID(r, p.Epoch[:])
		case problemMinVersion:
			p.MinVersion = someUint(r)
		case problemMaxVersion:
			p.MaxVersion = someUint(r)
		default:
			r.Skip()
		}
	}
	if err := r.Done(); err != nil {
		return nil, codeOf(err)
	}
	if !seen.has(keySet(problemCode)) {
		return nil, CodeMalformed
	}
	return p, nil
}
