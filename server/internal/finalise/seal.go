package finalise

import (
	"context"
	"fmt"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Finalise seals the named heads of a record and of all its parts, together. It
// refuses with the whole checklist, CodeLeased while another coordinator
// prepares the record, and CodeStaleHeads if the heads named are not all the
// accepted ones. Of two who finalise at once the first wins; the second is told
// CodeFinal.
func (s *Service) Finalise(ctx context.Context, caller Caller, in Finalise) (syncproto.ChangeID, error) {
	var sealed syncproto.RecordID
	id, err := s.propose(ctx, caller, in.Record, func(g *group) (act, error) {
		whole := g.whole()
		sealed = whole.info.Record
		op := syncproto.Op{Code: syncproto.OpFinalise, Heads: g.heads()}
		for _, p := range g.parts {
			if err := g.may(p, op); err != nil {
				return act{}, err
			}
		}
		if err := first(open(whole), s.notLeased(g)); err != nil {
			return act{}, err
		}
		reasons, err := g.checklist()
		if err != nil {
			return act{}, err
		}
		if err := refuse(reasons...); err != nil {
			return act{}, err
		}
		if err := g.sameHeads(in.Heads); err != nil {
			return act{}, err
		}
		a := one(g.edit(whole, op))
		a.then = g.seal
		return a, nil
	})
	if err == nil {
		s.leases.End(sealed)
		if s.cfg.OnSeal != nil {
			s.cfg.OnSeal()
		}
	}
	return id, err
}

// seal makes the verdicts that follow the finalise change: one for each record,
// each naming the hash of the borough's seal before it.
func (g *group) seal(tx *store.Tx, changes []syncproto.ChangeID) ([]store.Entry, error) {
	before, err := tx.LastSeal()
	if err != nil {
		return nil, fmt.Errorf("reading the newest seal: %w", err)
	}
	heads := g.heads()
	var out []store.Entry
	for i, v := range g.sealed() {
		hash := syncproto.VersionHash(v)
		out = append(out, store.VerdictEntry{Verdict: syncproto.Verdict{
			Kind: syncproto.VerdictSeal, Family: g.whole().info.Family, Record: g.parts[i].info.Record,
			Change: changes[0], By: g.caller.User, AtMS: g.atMS, Heads: heads, Hash: hash, PrevHash: before,
		}})
		before = hash
	}
	return out, nil
}

// sealed are the versions that the heads name, with what is computed of them. What
// is not final yet has nothing beside its heads' ancestors: its view is the version.
func (g *group) sealed() []*syncproto.View {
	views := g.views()
	for i, p := range g.parts {
		if p.info.Sealed != 0 {
			views[i] = syncproto.FoldAt(p.graph, p.kind, p.verdicts, p.info.Heads)
		}
	}
	syncproto.Derive(views[0], views[1:])
	return views
}

// Sealed returns the final versions that were sealed with a record, the whole
// first, folded anew from the changes: they are the same for ever. It fails with
// CodeNotFound for a record that is not final or that the caller may not read,
// and with an error that names no code if a version's hash is not the sealed one.
func (s *Service) Sealed(_ context.Context, caller Caller, record syncproto.RecordID) ([]*syncproto.View, error) {
	var out []*syncproto.View
	err := s.cfg.Store.Read(func(r *store.Reader) error {
		if err := mayRead(r, caller, record, s.cfg.Store.State(), s.cfg.Now().UnixMilli()); err != nil {
			return err
		}
		named, err := loadPart(r, record)
		if err != nil {
			return err
		}
		if named.view.Seal == nil {
			return syncproto.CodeNotFound
		}
		out, err = sealedGroup(r, named.view.Seal)
		return err
	})
	return out, err
}

// FinalVersion returns one record's version as it was sealed, with what was computed of
// the records sealed with it, for the server itself: it asks nobody's leave. It fails with
// CodeNotFound for a record that is not final, or gone.
func (s *Service) FinalVersion(record syncproto.RecordID) (*syncproto.View, error) {
	var out *syncproto.View
	err := s.cfg.Store.Read(func(r *store.Reader) error {
		p, err := loadPart(r, record)
		if err != nil {
			return err
		}
		if p.view.Seal == nil || p.info.Gone != 0 {
			return syncproto.CodeNotFound
		}
		if out, err = p.alone(r); out != nil || err != nil {
			return err
		}
		group, err := sealedGroup(r, p.view.Seal)
		for _, v := range group {
			if v.Record == record {
				out = v
			}
		}
		return err
	})
	return out, err
}

// alone is the sealed version of a record when another that was sealed with it has been
// erased: then nothing of the two together can be computed any more. nil: all are there.
func (p *part) alone(r *store.Reader) (*syncproto.View, error) {
	for _, h := range p.view.Seal.Group {
		info, err := r.RecordInfo(h.Record)
		if err != nil {
			return nil, err
		}
		if info.Gone != 0 {
			return syncproto.FoldAt(p.graph, p.kind, upTo(p.verdicts, p.view.Seal.Position), p.view.Seal.Heads), nil
		}
	}
	return nil, nil
}

func sealedGroup(r *store.Reader, seal *syncproto.Seal) ([]*syncproto.View, error) {
	var whole *syncproto.View
	var rest []*syncproto.View
	want := map[syncproto.RecordID][32]byte{}
	for _, h := range seal.Group {
		p, err := loadPart(r, h.Record)
		if err != nil {
			return nil, err
		}
		if p.view.Seal == nil {
			return nil, fmt.Errorf("record %s was sealed with others and has no seal", h.Record)
		}
		want[h.Record] = p.view.Seal.Hash
		v := syncproto.FoldAt(p.graph, p.kind, upTo(p.verdicts, p.view.Seal.Position), h.Heads)
		if p.kind.Part == "" || len(seal.Group) == 1 {
			whole = v
		} else {
			rest = append(rest, v)
		}
	}
	syncproto.Derive(whole, rest)
	out := append([]*syncproto.View{whole}, rest...)
	for _, v := range out {
		if syncproto.VersionHash(v) != want[v.Record] {
			return nil, fmt.Errorf("the final version of record %s is not what was sealed", v.Record)
		}
	}
	return out, nil
}

// upTo keeps the verdicts that stood when a seal was made: later ones change
// nothing of what it sealed.
func upTo(verdicts []syncproto.Verdict, position uint64) []syncproto.Verdict {
	var out []syncproto.Verdict
	for _, v := range verdicts {
		if v.Position < position {
			out = append(out, v)
		}
	}
	return out
}
