package finalise

import (
	"doorstep/syncproto"
)

// Refusal is the error of an act that is not allowed or not yet possible. It
// names every reason, in the order in which a person would go through them.
type Refusal struct {
	Code    syncproto.Code // of the first reason
	Reasons []Detail
}

// Detail is one reason. It never holds what a record says.
type Detail struct {
	Record syncproto.RecordID
	Path   syncproto.Path
	Code   syncproto.Code
	Plain  string
}

// Error returns the short name of the first reason.
func (r *Refusal) Error() string { return r.Code.Error() }

// Unwrap gives the first reason's code to errors.Is and errors.As.
func (r *Refusal) Unwrap() error { return r.Code }

// refuse returns the reasons as one error; nil if there are none.
func refuse(reasons ...Detail) error {
	if len(reasons) == 0 {
		return nil
	}
	return &Refusal{Code: reasons[0].Code, Reasons: reasons}
}

// because is a refusal with one reason about one record. An empty plain text
// stands for the code's own words.
func because(p *part, path syncproto.Path, code syncproto.Code, plain string) error {
	return refuse(p.detail(path, code, plain))
}

func (p *part) detail(path syncproto.Path, code syncproto.Code, plain string) Detail {
	if plain == "" {
		plain = code.Plain()
	}
	return Detail{Record: p.info.Record, Path: path, Code: code, Plain: plain}
}
