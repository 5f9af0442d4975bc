package api

import (
	"context"
	"encoding/json"
	"reflect"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/export"
	"doorstep/syncproto"
)

// Exports finds what somebody may take away of a family, and has it audited first
// (package export).
type Exports interface {
	Take(ctx context.Context, by audit.Acting, family syncproto.FamilyID, purpose string) ([]export.Record, error)
}

// ExportRequest is the body that asks for an export.
type ExportRequest struct {
	Purpose string `json:"purpose" validate:"required,oneof=SUBJECT_ACCESS COURT TRANSFER REVIEW OTHER" doc:"What the copy is for."`
}

// SignedExport is a copy of a family's records. The signature is over the bytes of
// the bundle as they stand here (SPEC 7.14).
type SignedExport struct {
	Bundle    ExportBundle `json:"bundle" doc:"What was given out."`
	Signature string       `json:"signature" doc:"Ed25519 by the checkpoint key over 'doorstep-export-v1', a zero byte and the SHA-256 of the bundle's bytes, in hex."`
}

// ExportBundle is what somebody took away.
type ExportBundle struct {
	Format     string         `json:"format" doc:"doorstep-export-v1."`
	Borough    string         `json:"borough" doc:"Whose records they are."`
	Family     string         `json:"family" doc:"The family."`
	Purpose    string         `json:"purpose" doc:"What it was taken for."`
	By         string         `json:"by" doc:"Who took it."`
	Name       string         `json:"name" doc:"Their name."`
	AtMS       int64          `json:"at_ms" doc:"When, Unix milliseconds."`
	Checkpoint string         `json:"checkpoint" doc:"A signed note of the audit log as it stood then."`
	Records    []ExportRecord `json:"records" doc:"What they may see and take away; not the whole file, if their work does not reach it all."`
}

// ExportRecord is one record.
type ExportRecord struct {
	View    *ViewJSON     `json:"view" doc:"As it stands, with its disagreements, its way to final and what came after."`
	History []HistoryJSON `json:"history" doc:"Every change, in the order in which the server received them."`
}

func (a *API) exportRoutes() []route {
	r := handler(a, route{method: "POST", path: "/v1/families/:id/export", id: "export", summary: "A signed copy of a family's records, as far as the caller may see them and take them away.",
		who: signedIn, codes: codes(syncproto.CodeNotFound, syncproto.CodeForbidden, syncproto.CodeTooLarge, syncproto.CodeUnavailable)}.fresh(), a.export)
	r.response = reflect.TypeFor[SignedExport]() // which the handler signs as bytes
	return []route{r}
}

func (a *API) export(c *call, in *ExportRequest) (*none, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	family := syncproto.FamilyID(id)
	records, err := a.cfg.Exports.Take(c.ctx, c.acting(), family, in.Purpose)
	if err != nil {
		return nil, err
	}
	now := a.cfg.Now()
	checkpoint, err := a.cfg.Checkpoints.Checkpoint(now)
	if err != nil {
		return nil, err
	}
	bundle := ExportBundle{Format: "doorstep-export-v1", Borough: a.cfg.Borough, Family: family.String(), Purpose: in.Purpose,
		By: c.caller.User.String(), Name: a.cfg.Records.Name(c.caller.User), AtMS: now.UnixMilli(),
		Checkpoint: string(a.cfg.Checkpoints.Signer().Note(&checkpoint)), Records: make([]ExportRecord, 0, len(records))}
	for _, r := range records {
		bundle.Records = append(bundle.Records, a.exportRecord(r))
	}
	b, err := json.Marshal(bundle)
	if err != nil {
		return nil, err
	}
	c.reply(jsonMedia, export.Sign(b, a.cfg.Checkpoints.Signer().SignExport))
	return nil, nil
}

func (a *API) exportRecord(r export.Record) ExportRecord {
	out := ExportRecord{View: a.viewJSON(r.View), History: make([]HistoryJSON, 0, len(r.History))}
	p := a.newPeople()
	for _, h := range r.History {
		out.History = append(out.History, p.history(h))
	}
	for id, name := range p.names {
		out.View.People[id] = name
	}
	return out
}
