package api

import (
	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
)

// MisfileRequest is the body that moves a record out of the wrong family's file.
type MisfileRequest struct {
	To     string      `json:"to" validate:"required,len=32,hexadecimal,lowercase" doc:"The family whose file it belongs in; the caller must be able to read such records of it."`
	People []MeantJSON `json:"people,omitempty" validate:"max=256,dive" doc:"Who of the right family is meant by those of the wrong one whom the record names. Whom the record is about must be among them; other references that are not are left out."`
	Reason string      `json:"reason" validate:"required,maxbytes=65536" doc:"Why, for whoever reads the right file."`
}

// MeantJSON says who is meant by a person whom a record names.
type MeantJSON struct {
	Person string `json:"person" validate:"required,len=32,hexadecimal,lowercase" doc:"The record of the person of the wrong family."`
	Means  string `json:"means" validate:"required,len=32,hexadecimal,lowercase" doc:"The record of the person of the right one."`
}

func (a *API) misfile(c *call, in *MisfileRequest) (*RecordBegun, error) {
	record, err := c.id()
	if err != nil {
		return nil, err
	}
	to, err := syncproto.ParseID(in.To)
	if err != nil {
		return nil, err
	}
	what := finalise.Misfile{Record: syncproto.RecordID(record), To: syncproto.FamilyID(to), People: map[syncproto.RecordID]syncproto.RecordID{}, Reason: in.Reason}
	for _, p := range in.People {
		wrong, err := syncproto.ParseID(p.Person)
		if err != nil {
			return nil, err
		}
		right, err := syncproto.ParseID(p.Means)
		if err != nil {
			return nil, err
		}
		what.People[syncproto.RecordID(wrong)] = syncproto.RecordID(right)
	}
	became, err := a.cfg.Workflow.Misfile(c.ctx, c.worker(), what)
	if err != nil {
		return nil, err
	}
	return &RecordBegun{Record: became.String()}, nil
}
