package finalise

import (
	"context"
	"strings"

	"doorstep/syncproto"
)

// Rectify is a person's challenge of what a final record says of them, and what became of
// it (UK GDPR article 16). Where it is not upheld, their statement stays with the record.
type Rectify struct {
	Record syncproto.RecordID
	Who    string // who challenges it
	Says   string // their words
	Upheld bool   // a correction says what it should say
}

// Rectify adds the challenge to a final record. It fails as Addendum does.
func (s *Service) Rectify(ctx context.Context, caller Caller, in Rectify) (syncproto.ChangeID, error) {
	outcome := rectifyRefused
	if in.Upheld {
		outcome = rectifyUpheld
	}
	return s.propose(ctx, caller, in.Record, func(g *group) (act, error) {
		p := g.named()
		if err := first(final(p), saysSomething(p, in.Who), saysSomething(p, in.Says)); err != nil {
			return act{}, err
		}
		op := syncproto.Op{Code: syncproto.OpAddendum, Text: in.Says, Reason: outcome + strings.TrimSpace(in.Who)}
		return one(g.edit(p, op)), g.may(p, op)
	})
}

const (
	rectifyUpheld  = "rectification, upheld: "
	rectifyRefused = "rectification, not upheld; the statement stays with the record: "
)

// Rectification returns who challenged a record, and whether it was upheld, from the
// reason of an addendum; false if it is none.
func Rectification(reason string) (who string, upheld, ok bool) {
	if who, ok = strings.CutPrefix(reason, rectifyUpheld); ok {
		return who, true, true
	}
	who, ok = strings.CutPrefix(reason, rectifyRefused)
	return who, false, ok
}
