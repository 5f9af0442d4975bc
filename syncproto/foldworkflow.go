package syncproto

// workflowStep is one workflow op of a folded change.
type workflowStep struct {
	node int32
	op   *Op
}

func (f *folder) applyWorkflow(n int32, op *Op) {
	step := workflowStep{node: n, op: op}
	f.workflow = append(f.workflow, step)
	if op.Code == OpConfirm {
		f.versions = append(f.versions, f.nodesOf(f.confirmedHeads(step)))
	}
}

// nodesOf returns the nodes of those changes that are here.
func (f *folder) nodesOf(ids []ChangeID) []int32 {
	var out []int32
	for _, id := range ids {
		if n, ok := f.graph.index[id]; ok {
			out = append(out, n)
		}
	}
	return out
}

// viewWorkflow says where the record stands between capture and final (SPEC 8).
func (f *folder) viewWorkflow(v *View) {
	asked := map[ChangeID][]int{} // a change may ask several things; an answer is to all of them
	for _, s := range f.workflow {
		by := f.origin(s.node)
		switch s.op.Code {
		case OpHandOver:
			v.Workflow.HandedOver = &by
		case OpConfirm:
			v.Workflow.Confirmed = append(v.Workflow.Confirmed, f.confirmation(s, by))
		case OpTypeUp:
			v.Workflow.TypedUp = append(v.Workflow.TypedUp, TypedUp{By: by, For: s.op.To, Source: s.op.Reason})
		case OpQuery:
			asked[by.Change] = append(asked[by.Change], len(v.Workflow.Queries))
			q := Query{ID: by.Change, Path: s.op.Path, To: s.op.To, By: by, Question: s.op.Text}
			v.Workflow.Queries = append(v.Workflow.Queries, q)
		case OpAnswer:
			queries := asked[s.op.Target]
			if len(queries) == 0 {
				f.noOps++
			}
			for _, i := range queries {
				v.Workflow.Queries[i].Answer, v.Workflow.Queries[i].AnsweredBy = s.op.Text, &by
			}
		case OpAddendum, OpCorrect:
			v.Addenda = append(v.Addenda, addendum(s.op, by))
		}
	}
	f.viewLate(v)
}

// confirmation shows an author's word on named heads. It stands while nothing
// but administrative fields changed outside what it names.
func (f *folder) confirmation(s workflowStep, by Origin) Confirmation {
	c := Confirmation{By: by, Heads: f.confirmedHeads(s), Stands: true, For: s.op.To, Reason: s.op.Reason}
	for _, n := range f.substance {
		covered := false
		for _, h := range c.Heads {
			covered = covered || f.graph.IsAncestor(f.graph.nodes[n].change.ID, h)
		}
		if !covered {
			c.Stands = false
			break
		}
	}
	return c
}

func (f *folder) confirmedHeads(s workflowStep) []ChangeID {
	for _, h := range s.op.Heads {
		if h.Record == f.graph.record {
			return h.Heads
		}
	}
	return nil
}

func addendum(op *Op, by Origin) Addendum {
	a := Addendum{By: by, Text: op.Text, TimeMS: op.TimeMS, Reason: op.Reason}
	if op.Code == OpCorrect {
		a.Ops = []Op{*op}
	}
	return a
}

// viewLate shows what arrived after the seal as proposed addenda.
func (f *folder) viewLate(v *View) {
	for _, n := range f.graph.canonical() {
		if f.fates[n] != fateLate {
			continue
		}
		a := Addendum{By: f.origin(n), Late: true, Ops: f.graph.nodes[n].change.Body.Ops}
		v.Addenda = append(v.Addenda, a)
	}
}

// viewSeal shows the seal. A record is sealed once: the first verdict counts.
func (f *folder) viewSeal(v *View) {
	for _, s := range f.verdicts {
		if s.Kind != VerdictSeal {
			continue
		}
		seal := &Seal{Position: s.Position, By: s.By, AtMS: s.AtMS, Hash: s.Hash, PrevHash: s.PrevHash, Group: s.Heads}
		for _, h := range s.Heads {
			if h.Record == f.graph.record {
				seal.Heads = h.Heads
			}
		}
		v.Seal = seal
		return
	}
}
