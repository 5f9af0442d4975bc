package finalise

import (
	"slices"
	"strings"

	"doorstep/server/internal/access"
	"doorstep/syncproto"
)

// answerable lists who answers for what a part says, beside those who wrote in it: whoever
// is named on the visit answers for each child's part of it too.
func (g *group) answerable(p *part) []syncproto.UserID {
	out := access.Answerable(p.view)
	for _, user := range access.Answerable(g.whole().view) {
		if !slices.Contains(out, user) {
			out = append(out, user)
		}
	}
	return out
}

// mustConfirm lists who has to confirm a part by name: whoever's words were typed up, and
// every worker of a joint visit who confirms records at all, or did before they left. Of any
// other record one of those who wrote in it is enough.
func (g *group) mustConfirm(p *part) []syncproto.UserID {
	all := slices.DeleteFunc(g.answerable(p), func(user syncproto.UserID) bool {
		_, known := g.state.User(user)
		return !known || !g.left(user) && !couldConfirm(g.state, g.atMS, user, p.info.Family, p.info.Kind)
	})
	if len(all) > 1 || len(p.view.Workflow.TypedUp) > 0 || len(g.whole().view.Workflow.TypedUp) > 0 {
		return all
	}
	return nil
}

// lacking lists who has to confirm a part by name, and whose confirmation does not stand.
func (g *group) lacking(p *part) []syncproto.UserID {
	return slices.DeleteFunc(g.mustConfirm(p), func(user syncproto.UserID) bool {
		return slices.ContainsFunc(p.view.Workflow.Confirmed, func(c syncproto.Confirmation) bool {
			return g.counts(c) && (c.For == user || c.For.IsZero() && c.By.Author == user)
		})
	})
}

// counts reports whether a confirmation is one. In somebody's place it is while they cannot
// give it themselves: a manager's tablet does not know whether they can.
func (g *group) counts(c syncproto.Confirmation) bool {
	return c.Stands && (c.For.IsZero() || g.left(c.For))
}

// wordsStand reports whether every word that a part needs stands.
func (g *group) wordsStand(p *part) bool {
	if !p.kind.NeedsConfirmation {
		return true
	}
	if len(g.mustConfirm(p)) > 0 {
		return len(g.lacking(p)) == 0
	}
	return slices.ContainsFunc(p.view.Workflow.Confirmed, g.counts)
}

// unconfirmed is the missing word of the author, or of each of those who must give it.
func (g *group) unconfirmed(p *part) []Detail {
	if g.wordsStand(p) {
		return nil
	}
	again := len(p.view.Workflow.Confirmed) > 0
	var out []Detail
	for _, user := range g.lacking(p) {
		who, _ := g.state.User(user)
		plain := who.Name + " has not confirmed it."
		switch {
		case g.left(user):
			plain = who.Name + " has left and has not confirmed it: a manager of the family's team may, in their place."
		case again && slices.ContainsFunc(p.view.Workflow.Confirmed, func(c syncproto.Confirmation) bool { return c.By.Author == user }):
			plain = "It was changed after " + who.Name + " confirmed it: they must confirm it again."
		}
		out = append(out, p.detail(syncproto.Path{}, syncproto.CodeNotConfirmed, plain))
	}
	if out != nil {
		return out
	}
	plain := "The author has not confirmed it."
	if again {
		plain = "It was changed after the author confirmed it: it must be confirmed again."
	}
	return []Detail{p.detail(syncproto.Path{}, syncproto.CodeNotConfirmed, plain)}
}

// left reports whether somebody cannot confirm any more: their account is ended, or they
// have nothing to do with the family now.
func (g *group) left(user syncproto.UserID) bool {
	who, known := g.state.User(user)
	return !known || who.Disabled || len(g.state.BasisOf(user, g.whole().info.Family, g.atMS)) == 0
}

// standsIn refuses a confirmation in the place of somebody who is not asked for one, or
// who can still give it.
func (g *group) standsIn(in Confirm) error {
	whole := g.whole()
	switch {
	case in.For.IsZero():
		return nil
	case g.may(whole, syncproto.Op{Code: syncproto.OpConfirm, To: in.For}) != nil:
		return g.may(whole, syncproto.Op{Code: syncproto.OpConfirm, To: in.For})
	case strings.TrimSpace(in.Reason) == "":
		return because(whole, syncproto.Path{}, syncproto.CodeBadValue, "Say why you confirm it in their place.")
	case !slices.Contains(g.mustConfirm(whole), in.For):
		return because(whole, syncproto.Path{}, syncproto.CodeBadValue, "Nobody waits for that person's confirmation.")
	case !g.left(in.For):
		return because(whole, syncproto.Path{}, syncproto.CodeBadValue, "That person still works with the family: ask them.")
	}
	return nil
}
