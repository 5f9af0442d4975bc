package finalise

import (
	"context"
	"slices"
	"time"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// Checklist lists everything that keeps a record, with the parts sealed with it,
// from being finalised, whoever is to do what about it. It is empty when only
// finalising is left. It fails with CodeNotFound for a record that the caller
// may not read.
func (s *Service) Checklist(_ context.Context, caller Caller, record syncproto.RecordID) ([]Detail, error) {
	var out []Detail
	err := s.read(caller, record, func(g *group) (err error) {
		out, err = g.checklist()
		return err
	})
	return out, err
}

// read calls fn with a group as it stands, if the caller may see it.
func (s *Service) read(caller Caller, record syncproto.RecordID, fn func(*group) error) error {
	if err := s.mayRead(caller, record); err != nil {
		return err
	}
	known := foreseen{members: s.members(record)}
	return s.cfg.Store.Read(func(r *store.Reader) error {
		g, err := loadGroup(r, record, known)
		if err != nil {
			return err
		}
		g.state, g.caller, g.atMS, g.record = s.cfg.Store.State(), caller, s.cfg.Now().UnixMilli(), record
		return fn(g)
	})
}

// checklist goes through the parts in the order in which a person would.
func (g *group) checklist() ([]Detail, error) {
	whole := g.whole()
	if whole.info.Sealed != 0 {
		return []Detail{whole.detail(syncproto.Path{}, syncproto.CodeFinal, "")}, nil
	}
	var out []Detail
	if !whole.kind.Finalises {
		out = append(out, whole.detail(syncproto.Path{}, syncproto.CodeForbidden, "Records of this kind are never made final."))
	}
	if g.orphan {
		out = append(out, whole.detail(syncproto.Path{Field: whole.kind.Part}, syncproto.CodeHeldChanges,
			"The visit that this is a part of has not arrived yet."))
	}
	if whole.view.Workflow.HandedOver == nil {
		out = append(out, whole.detail(syncproto.Path{}, syncproto.CodeNotHandedOver, ""))
	}
	for _, p := range g.parts {
		held, err := g.heldChanges(p)
		if err != nil {
			return nil, err
		}
		out = append(out, held...)
		out = append(out, p.openQuestions()...)
		missing, err := g.missingFields(p)
		if err != nil {
			return nil, err
		}
		out = append(out, missing...)
		out = append(out, g.unregistered(p)...)
		out = append(out, g.unconfirmed(p)...)
	}
	return out, nil
}

// heldChanges lists what people sent and what cannot be read yet: finalising
// past it would leave their words out. What would go to quarantine when it can be
// read holds nothing up, else a stranger could keep a record open for ever.
func (g *group) heldChanges(p *part) ([]Detail, error) {
	unplaced, err := g.reader.Unplaced(p.info.Family, p.info.Record)
	if err != nil {
		return nil, err
	}
	var out []Detail
	for _, c := range unplaced {
		if c.Status == syncproto.StatusHeld && c.Kind == p.info.Kind && g.mightCount(c) {
			out = append(out, p.detail(syncproto.Path{}, syncproto.CodeHeldChanges,
				"A change sent on "+day(c.AtMS)+" waits: "+c.Code.Plain()))
		}
	}
	for range p.view.Held {
		out = append(out, p.detail(syncproto.Path{}, syncproto.CodeHeldChanges, syncproto.CodeNewerApp.Plain()))
	}
	return out, nil
}

// mightCount reports whether the author of a held change may write in the family
// now, and its device may send.
func (g *group) mightCount(c store.ChangeRef) bool {
	device, _ := g.state.Device(c.Device)
	return device.RevokedMS == 0 && askerOf(g.state, Caller{User: c.Author}, c.Family, g.atMS).MayRead(c.Kind).Allow
}

// openQuestions lists conflicts, overlaps, queries and transcripts.
func (p *part) openQuestions() []Detail {
	var out []Detail
	for _, c := range p.view.Conflicts {
		out = append(out, p.detail(c.Path, syncproto.CodeOpenConflict, p.label(c.Path)+": two people differ, and nobody has decided."))
	}
	for _, o := range p.view.Overlaps {
		out = append(out, p.detail(o.Path, syncproto.CodeUnreadOverlap,
			p.label(o.Path)+": two people changed the same sentence apart, and nobody has read what became of it."))
	}
	for _, q := range p.view.Workflow.Queries {
		if q.AnsweredBy == nil {
			out = append(out, p.detail(q.Path, syncproto.CodeOpenQuery, "A question to the author, asked on "+day(q.By.TimeMS)+", has no answer."))
		}
	}
	for _, path := range p.unreviewed() {
		out = append(out, p.detail(path, syncproto.CodeUnreviewed, p.label(path)+": a transcript that nobody has read and confirmed."))
	}
	return out
}

// unreviewed lists the fields into which a machine's transcript went that no
// author's confirmation covers.
func (p *part) unreviewed() []syncproto.Path {
	var out []syncproto.Path
	for _, c := range p.graph.Changes() {
		if c.Body.Capture != syncproto.CaptureTranscribed || p.covered(c.ID) {
			continue
		}
		for i := range c.Body.Ops {
			path := syncproto.Path{Field: c.Body.Ops[i].Path.Field}
			if !slices.Contains(out, path) {
				out = append(out, path)
			}
		}
	}
	return out
}

func (p *part) covered(id syncproto.ChangeID) bool {
	for _, c := range p.view.Workflow.Confirmed {
		for _, h := range c.Heads {
			if h == id || p.graph.IsAncestor(id, h) {
				return true
			}
		}
	}
	return false
}

// missingFields lists what the record kind still asks for.
func (g *group) missingFields(p *part) ([]Detail, error) {
	facts, err := g.facts(p)
	if err != nil {
		return nil, err
	}
	var whole *syncproto.View
	if p != g.whole() {
		whole = g.whole().view
	}
	var out []Detail
	for _, problem := range p.kind.Complete(p.view.Source(whole, facts)) {
		if problem.Warn {
			continue
		}
		path := syncproto.Path{Field: problem.Field, Sub: problem.Part}
		plain := problem.Plain
		if problem.Code == schema.Unfilled {
			plain = p.label(path) + ": " + problem.Plain
		}
		out = append(out, p.detail(path, syncproto.CodeMissingField, plain))
	}
	return out, nil
}

// unregistered lists the workers on the visit who are said to hold a profession
// that only registered social workers hold, and whom the borough does not know as
// one: whether a visit is statutory must not follow from what was typed (SPEC 5.11).
func (g *group) unregistered(p *part) []Detail {
	if p.kind.ID != "visit" {
		return nil
	}
	workers, _ := p.view.Field("workers")
	var out []Detail
	for i := range workers.Items {
		e := &workers.Items[i]
		role, _ := e.Field("role")
		said, _ := role.Value.AsText()
		if !e.InForce || !schema.RegisteredOnly(said) {
			continue
		}
		worker, _ := e.Field("worker")
		id, _ := worker.Value.AsBytes()
		if len(id) != len(syncproto.UserID{}) || !g.state.RegisteredSocialWorker(syncproto.UserID(id)) {
			path := syncproto.Path{Field: "workers", Element: e.Element, Sub: "role"}
			out = append(out, p.detail(path, syncproto.CodeBadValue,
				"The borough does not know this worker as a registered social worker: put the profession right, or have the registration entered."))
		}
	}
	return out
}

// label is what people call a field.
func (p *part) label(path syncproto.Path) string {
	f, ok := p.kind.Field(path.Field)
	if !ok {
		return "The record"
	}
	name := f.Hint.Label
	if sub, ok := f.SubField(path.Sub); ok {
		name += ", " + sub.Hint.Label
	}
	if name == "" {
		return path.Field
	}
	return name
}

// facts are what the record kinds ask for beside the record itself.
func (g *group) facts(p *part) (map[string]cbor.Value, error) {
	facts := map[string]cbor.Value{
		schema.FactNow:      cbor.Int(g.atMS),
		schema.FactApproved: g.approved(p),
	}
	family := p.info.Family
	plans, err := g.reader.RecordsOf(family, "plan")
	if err != nil {
		return nil, err
	}
	planOpen := false
	for _, plan := range plans {
		v, err := g.reader.Fold(plan)
		if err != nil {
			return nil, err
		}
		status := textOf(v, "status")
		planOpen = planOpen || status == "ACTIVE" || status == "UNDER_REVIEW"
	}
	facts[schema.FactPlanOpen] = cbor.Bool(planOpen)
	child, ok := p.view.Field("child")
	if p.kind.ID != "visit_child" || !ok {
		return facts, nil
	}
	facts[schema.FactChildStatuses], err = g.statusesOf(child.Value)
	return facts, err
}

// statusesOf lists the kinds of status that a child had on the day of the visit.
func (g *group) statusesOf(child cbor.Value) (cbor.Value, error) {
	start, _ := g.whole().view.Field("start")
	ms, ok := start.Value.AsInt()
	if !ok {
		ms = g.atMS
	}
	onDay := time.UnixMilli(ms).UTC().Format(time.DateOnly)
	records, err := g.reader.RecordsOf(g.whole().info.Family, "status")
	if err != nil {
		return cbor.Null(), err
	}
	var kinds []cbor.Value
	for _, record := range records {
		v, err := g.reader.Fold(record)
		if err != nil {
			return cbor.Null(), err
		}
		of, _ := v.Field("child")
		from, to := textOf(v, "from"), textOf(v, "to")
		if of.Value.Equal(child) && from != "" && from <= onDay && (to == "" || onDay <= to) {
			kind, _ := v.Field("kind")
			kinds = append(kinds, kind.Value)
		}
	}
	return cbor.List(kinds...), nil
}

// approved lists the fields that need a manager's word and have it, or that came
// with an import from where it was given.
func (g *group) approved(p *part) cbor.Value {
	var ids []cbor.Value
	for i := range p.kind.Fields {
		f, ok := p.view.Field(p.kind.Fields[i].ID)
		if !ok || !p.kind.Fields[i].ManagerApproves {
			continue
		}
		author, _ := g.state.User(f.By.Author)
		if author.Role == "manager" || f.By.Capture == syncproto.CaptureImported {
			ids = append(ids, cbor.Text(f.Field))
		}
	}
	return cbor.List(ids...)
}

func textOf(v *syncproto.View, field string) string {
	f, _ := v.Field(field)
	s, _ := f.Value.AsText()
	return s
}

// day writes a day as people in England do.
func day(ms int64) string { return time.UnixMilli(ms).UTC().Format("2 January 2006") }
