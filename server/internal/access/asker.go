package access

import (
	"slices"

	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// Standing is a person before a family's records at one moment, as whoever keeps
// the relations knows it. Bases are strings of Basis.
type Standing struct {
	Role       string
	Bases      []string
	Restricted bool // the family's file is restricted
	Adoption   bool // because it is the one from before an adoption
	Named      bool // the person was let in
}

// Asker is a person before one record: their role, every footing they have with
// its family at this moment, and what they have to do with its words.
type Asker struct {
	Role       Role
	Bases      []Basis
	Authorship Authorship
	Restricted bool
	Adoption   bool
	Named      bool
}

// AskerOf is a person as they stand, before a record that they did not write in.
func AskerOf(s Standing) Asker {
	a := Asker{Role: Role(s.Role), Restricted: s.Restricted, Adoption: s.Adoption, Named: s.Named}
	if len(s.Bases) > 0 {
		a.Bases = make([]Basis, len(s.Bases))
		for i, b := range s.Bases {
			a.Bases[i] = Basis(b)
		}
	}
	return a
}

// Holds reports whether a role on a footing has anything to do with a family's
// records at all, and whether any of them may be on a tablet.
func Holds(role, basis string) (reads, carries bool) {
	for g := range groupCount {
		q := Question{Role: Role(role), Basis: Basis(basis), Group: g, Action: ActionRead, Authorship: AuthorBegan}
		_, may := compiled.find(q)
		reads = reads || may
		q.Action = ActionCreate
		_, may = compiled.find(q)
		reads = reads || may
		q.Action = ActionCarry
		_, may = compiled.find(q)
		carries = carries || may
	}
	return reads, carries
}

// MayRead decides whether the person may see records of a kind, online.
func (a Asker) MayRead(kind string) Decision { return a.May(kind, Need{Action: ActionRead}) }

// MayReadOwn reports whether the person may see one record: as any of its kind, or because
// of what they wrote in it, which changes, its accepted changes, says when it could help.
func (a Asker) MayReadOwn(kind string, user syncproto.UserID, changes func() ([]*syncproto.Change, error)) (bool, error) {
	if a.MayRead(kind).Allow {
		return true, nil
	}
	a.Authorship = AuthorBegan
	if !a.MayRead(kind).Allow {
		return false, nil
	}
	list, err := changes()
	a.Authorship = AuthorshipOf(list, user)
	return err == nil && a.MayRead(kind).Allow, err
}

// MayCarry decides whether the person may have records of a kind on a tablet.
func (a Asker) MayCarry(kind string) Decision { return a.May(kind, Need{Action: ActionCarry}) }

// MayReview reports whether the person may decide what becomes of quarantined changes
// to records of a kind: they may read them, and approve judgements.
func (a Asker) MayReview(kind string) bool {
	return a.MayRead(kind).Allow && a.May(kind, Need{Action: ActionApprove, Label: schema.Judgement}).Allow
}

// May decides one need about records of a kind.
func (a Asker) May(kind string, n Need) Decision { return a.MayIn(GroupOf(kind), n) }

// MayIn decides one need. A person with several footings may do what any of them
// allows, unless a row denies it on one of them.
func (a Asker) MayIn(group Group, n Need) Decision {
	if len(a.Bases) == 0 {
		return Decide(a.question(BasisNone, group, n))
	}
	var best Decision
	for i, basis := range a.Bases {
		d := Decide(a.question(basis, group, n))
		if !d.Allow && d.Row != "" {
			return d // an explicit denial
		}
		if i == 0 || d.closerTo(best) {
			best = d
		}
	}
	return best
}

func (a Asker) question(basis Basis, group Group, n Need) Question {
	return Question{
		Role: a.Role, Basis: basis, Group: group, Label: n.Label, Rule: n.Rule, Action: n.Action,
		Authorship: a.Authorship, Imported: n.Imported, Restricted: a.Restricted, Adoption: a.Adoption, Named: a.Named,
	}
}

// closerTo prefers what allows, and among denials the one of somebody who may at
// least read.
func (d Decision) closerTo(best Decision) bool {
	if d.Allow || best.Allow {
		return !best.Allow
	}
	return best.Code == syncproto.CodeNotEntitled && d.Code != best.Code
}

// MayChange decides whether the person may make a change: every need of it must
// be allowed, and the first that is not is the answer. The change's own words count
// towards their authorship; that it begins the record does only if the Asker says so,
// since a record may have been begun before. kind is nil for a record
// kind that this build does not know, which is denied.
func (a Asker) MayChange(kind *schema.Kind, c *syncproto.Change) Decision {
	if a.Authorship == AuthorNot && writes(c) {
		a.Authorship = AuthorWrote
	}
	var last Decision
	for _, n := range ActionsOf(kind, c) {
		if last = a.May(c.Body.Kind, n); !last.Allow {
			return last
		}
	}
	return last
}

// Written is what a record's accepted changes say about one person's authorship;
// the zero value is that of no changes. The order in which they are noted makes no
// difference.
type Written struct {
	Words     bool // the person put words into the record
	OwnRoot   bool // a change without deps is theirs
	OtherRoot bool // one is somebody else's
	Answers   bool // they answer for the words: Answerable says so
}

// Note takes in a change that the person made.
func (w *Written) Note(c *syncproto.Change) {
	w.OwnRoot = w.OwnRoot || len(c.Body.Deps) == 0
	w.Words = w.Words || writes(c)
}

// Authorship says what it comes to. Who wrote every root of a record began it. Of
// a record that several people began apart nobody did: nobody can make it theirs
// by a root of their own, however they choose its clock, its actor and the moment
// when they send it.
func (w Written) Authorship() Authorship {
	switch {
	case w.OwnRoot && !w.OtherRoot:
		return AuthorBegan
	case w.OwnRoot || w.Words || w.Answers:
		return AuthorWrote
	}
	return AuthorNot
}

// Answerable lists who answers for a record's words beside those who wrote it, each once:
// whose words were typed up in it, and every worker who is named on a visit.
func Answerable(v *syncproto.View) []syncproto.UserID {
	var out []syncproto.UserID
	add := func(user syncproto.UserID) {
		if !user.IsZero() && !slices.Contains(out, user) {
			out = append(out, user)
		}
	}
	for _, t := range v.Workflow.TypedUp {
		add(t.For)
	}
	if GroupOf(v.Kind) != GroupVisit {
		return out
	}
	workers, _ := v.Field("workers")
	for i := range workers.Items {
		worker, _ := workers.Items[i].Field("worker")
		if id, ok := worker.Value.AsBytes(); ok && len(id) == len(syncproto.UserID{}) && workers.Items[i].InForce {
			add(syncproto.UserID(id))
		}
	}
	return out
}

// AuthorshipOf says what a person has to do with a record's words, from its
// accepted changes.
func AuthorshipOf(changes []*syncproto.Change, user syncproto.UserID) Authorship {
	var w Written
	for _, c := range changes {
		if c.Body.Author == user {
			w.Note(c)
		} else if len(c.Body.Deps) == 0 {
			w.OtherRoot = true
		}
	}
	return w.Authorship()
}

// writes reports whether a change puts words into the record, rather than
// deciding about words or passing them on.
func writes(c *syncproto.Change) bool {
	return slices.ContainsFunc(c.Body.Ops, func(op syncproto.Op) bool {
		return op.Code == syncproto.OpSet || op.Code == syncproto.OpSplice || op.Code == syncproto.OpAdd
	})
}
