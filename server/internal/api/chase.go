package api

import "doorstep/server/internal/reading"

// ChaseList is everything that somebody has to be reminded of.
type ChaseList struct {
	Chased []ChaseJSON       `json:"chased" doc:"By sort, the most urgent first. What children must be seen by when is in /v1/due."`
	People map[string]string `json:"people" doc:"Names of the people in it, by id."`
}

// ChaseJSON is one thing to chase.
type ChaseJSON struct {
	What    string `json:"what" doc:"draft, query, action, review, signature, copy, interview, meeting, confirm or tablet."`
	Family  string `json:"family" doc:"The family concerned."`
	Record  string `json:"record,omitempty" doc:"The record concerned; left out: a tablet, or a meeting."`
	About   string `json:"about,omitempty" doc:"The record of the person concerned."`
	Whom    string `json:"whom,omitempty" doc:"Who can do it; left out: not known."`
	Meeting string `json:"meeting,omitempty" doc:"The type of the meeting of which there are no minutes, a code of minutes.type."`
	Device  string `json:"device,omitempty" doc:"The tablet."`
	SinceMS int64  `json:"since_ms,omitempty" doc:"When it began, Unix milliseconds."`
	By      string `json:"by,omitempty" doc:"The day by which it was to be done."`
	Overdue bool   `json:"overdue" doc:"That day, or hour, is past."`
}

// chaseWords are the sorts of package reading.
var chaseWords = map[reading.Chase]string{
	reading.ChaseDraft: "draft", reading.ChaseQuery: "query", reading.ChaseAction: "action", reading.ChaseReview: "review",
	reading.ChaseSignature: "signature", reading.ChaseCopy: "copy", reading.ChaseInterview: "interview", reading.ChaseMeeting: "meeting", reading.ChaseConfirm: "confirm", reading.ChaseTablet: "tablet",
}

func (a *API) chase(c *call, _ *none) (*ChaseList, error) {
	list, err := a.cfg.Records.Chase(c.ctx, c.caller.User)
	if err != nil {
		return nil, err
	}
	p := a.newPeople()
	out := &ChaseList{Chased: make([]ChaseJSON, 0, len(list)), People: p.names}
	for _, one := range list {
		out.Chased = append(out.Chased, ChaseJSON{What: chaseWords[one.What], Family: one.Family.String(), Record: idOrNone(one.Record),
			About: idOrNone(one.About), Whom: p.id(one.Whom), Meeting: one.Meeting, Device: idOrNone(one.Device), SinceMS: one.SinceMS, By: dayJSON(one.By), Overdue: one.Overdue})
	}
	return out, nil
}

// idOrNone writes an id; empty for none.
func idOrNone(id interface {
	IsZero() bool
	String() string
}) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}
