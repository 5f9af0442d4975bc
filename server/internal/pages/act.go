package pages

import (
	"context"
	"errors"
	"strings"

	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// act is one step that a person takes on a form of its own: a page that says what it is
// about, and what is done when the form comes back.
type act struct {
	path  string // last part of its address
	id    string // in logs
	fresh bool   // needs a sign-in of a moment ago
	done  string // what to say afterwards, of notices
	// ready looks up what the form shows besides the record; nil: nothing.
	ready func(*sight, context.Context) error
	// may reports whether the caller is shown the form; access decides again when it is sent.
	may  func(*sight) bool
	form func(*sight) formPage
	do   func(context.Context, *sight) error
	// again reports whether the form is only asked for with more room in it; nil: never.
	again func(*sight) bool
}

// sight is a record as the caller of an act sees it.
type sight struct {
	*Call
	pages *Pages
	say   *speaker
	st    finalise.Standing
	part  *finalise.Standpoint // that the address names
	past  *past
	path  syncproto.Path // that the address names; empty: the record
	field *schema.Field  // at the path; nil if there is none

	named map[string][]option // what a form may name, by what a field refers to (choices)

	move   move               // of misfileAct
	became syncproto.RecordID // where the person is led when it is done; zero: back to the record
}

// formPage is a form with what it is about.
type formPage struct {
	Token, Action, Back string
	BackText            string // empty: to the record
	Heading             string
	About               []line // what the record says now
	Sides               []sideView
	Blocks              []block
	Hidden              []pair
	Fields              []control
	Groups              []group
	Submit              string // empty: there is nothing to send
	More                string // asks for the form again with more room; empty: it has all
	Get                 bool   // it only asks for the next form
	Warning             bool
	Note                string
}

// group is several questions about one thing.
type group struct {
	Legend string
	Hidden []pair
	Fields []control
}

type pair struct{ Name, Value string }

// acts is every step that has a form.
func (p *Pages) acts() []act {
	return []act{confirmAct(p), finaliseAct(p), handOverAct(p), queryAct(p), answerAct(p), decideAct(p), readAct(p), editAct(p), proposeAct(p),
		addendumAct(p), correctAct(p), lateAct(p), rectifyAct(p), fillAct(p), entriesAct(p), standInAct(p), misfileAct(p)}
}

// actRoutes are the form of each step, and where it is sent.
func (p *Pages) actRoutes() []Route {
	var out []Route
	for _, a := range p.acts() {
		path := Root + "records/:id/" + a.path
		out = append(out,
			Route{Method: "GET", Path: path, ID: a.id, Handle: func(ctx context.Context, c *Call) (Answer, error) { return p.ask(ctx, c, &a) }},
			Route{Method: "POST", Path: path, ID: a.id + "Send", Fresh: a.fresh, Once: true, Handle: func(ctx context.Context, c *Call) (Answer, error) { return p.take(ctx, c, &a) }})
	}
	return out
}

// ask shows the form of an act. Where it needs a fresh sign-in, that comes first: nothing
// that is typed into the form is lost to it.
func (p *Pages) ask(ctx context.Context, c *Call, a *act) (Answer, error) {
	s, err := p.sightOf(ctx, c, a)
	if err != nil {
		return Answer{}, err
	}
	if !a.may(s) {
		return Answer{}, syncproto.CodeForbidden
	}
	if a.fresh && !c.Fresh {
		return Answer{To: Root + "step-up?after=" + to(s.part.View.Record) + "/" + a.path}, nil
	}
	body, err := p.showForm(s, a, nil)
	return Answer{Body: body, Shown: shown(&s.st)}, err
}

// take does what a form asks for. What is refused is shown on the form again, with all
// that was typed.
func (p *Pages) take(ctx context.Context, c *Call, a *act) (Answer, error) {
	s, err := p.sightOf(ctx, c, a)
	if err != nil {
		return Answer{}, err
	}
	if a.again != nil && a.may(s) && a.again(s) {
		body, err := p.showForm(s, a, nil)
		return Answer{Body: body, Shown: shown(&s.st)}, err
	}
	err = a.do(ctx, s)
	if err == nil && !s.became.IsZero() {
		return Answer{To: to(s.became) + "?done=" + a.done}, nil
	}
	if err == nil {
		return Answer{To: to(s.st.Record) + "?done=" + a.done + "#" + anchor(s.part.View.Record, "")}, nil
	}
	var code syncproto.Code
	if !errors.As(err, &code) || !a.may(s) {
		return Answer{}, err
	}
	body, broken := p.showForm(s, a, problems(s, err))
	return Answer{Body: body, Shown: shown(&s.st)}, errors.Join(err, broken)
}

// sightOf is the sight of an act, with what its form shows.
func (p *Pages) sightOf(ctx context.Context, c *Call, a *act) (*sight, error) {
	s, err := p.sight(ctx, c)
	if err != nil || a.ready == nil {
		return s, err
	}
	return s, a.ready(s, ctx)
}

func (p *Pages) showForm(s *sight, a *act, wrong []problem) ([]byte, error) {
	in := a.form(s)
	in.Token, in.Back = s.FormToken, to(s.st.Record)+"#"+anchor(s.part.View.Record, s.path.Field)
	in.Action = to(s.part.View.Record) + "/" + a.path
	if q := s.address(); q != "" {
		in.Action += "?" + q
	}
	if !in.Get {
		in.Hidden = append(in.Hidden, pair{RequestName, s.Request})
	}
	if len(s.st.Parts) > 1 || s.part.View.Record != s.st.Record {
		in.Note = strings.TrimSpace(s.say.partTitle(s.part) + ". " + in.Note)
	}
	if len(wrong) > 0 && wrong[0].Href == "" && len(in.Fields) > 0 {
		wrong[0].Href = "#" + in.Fields[0].ID
	}
	live := liveRecord(&s.st)
	live.See = to(s.st.Record)
	return p.show(s.Call, "form.html", shell{Title: in.Heading, Problems: wrong, Live: live, Content: in})
}

// problems are the reasons of a refusal, in plain words.
func problems(s *sight, err error) []problem {
	var refused *finalise.Refusal
	if errors.As(err, &refused) {
		var out []problem
		for _, b := range s.say.reasons(&s.st, refused.Reasons) {
			out = append(out, problem{Text: b.Text})
		}
		return out
	}
	var code syncproto.Code
	errors.As(err, &code)
	return []problem{{Text: refusedWords(code)}}
}

// sight looks at the record of an address, and at the path that its query names.
func (p *Pages) sight(ctx context.Context, c *Call) (*sight, error) {
	id, err := c.record()
	if err != nil {
		return nil, err
	}
	s := &sight{Call: c, pages: p, say: p.speaker(c)}
	if s.st, err = p.cfg.Workflow.Standing(ctx, c.worker(), id); err != nil {
		return nil, err
	}
	s.say.about(ctx, s.st.Family)
	for i := range s.st.Parts {
		if s.st.Parts[i].View.Record == id {
			s.part = &s.st.Parts[i]
		}
	}
	if s.part == nil {
		return nil, syncproto.CodeNotFound
	}
	if s.past, err = p.past(ctx, c, &s.st); err != nil {
		return nil, err
	}
	if err := s.readPath(); err != nil {
		return nil, err
	}
	return s, s.choices(ctx)
}

// readPath reads the field that an address names.
func (s *sight) readPath() error {
	s.path = syncproto.Path{Field: s.Query.Get("field"), Sub: s.Query.Get("sub")}
	if element := s.Query.Get("element"); element != "" {
		id, err := syncproto.ParseID(element)
		if err != nil {
			return syncproto.CodeNotFound
		}
		s.path.Element = syncproto.ElementID(id)
	}
	if s.path.Field == "" {
		return nil
	}
	field, ok := s.part.Kind.At(s.path.Field, s.path.Sub)
	if !ok {
		return syncproto.CodeNotFound
	}
	s.field = field
	return nil
}

// address writes what a form is about, for the address that it is sent to.
func (s *sight) address() string {
	q := pathQuery(s.path)
	for _, key := range []string{"query", "change", "to"} {
		if v := s.Query.Get(key); v != "" {
			q.Set(key, v)
		}
	}
	return q.Encode()
}

// alone is a path without the element, by which Standpoint says what may be edited.
func (s *sight) alone() syncproto.Path {
	return syncproto.Path{Field: s.path.Field, Sub: s.path.Sub}
}
