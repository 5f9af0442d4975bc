package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"

	"doorstep/client-sdk/device"
	"doorstep/syncproto"
)

// browser is a person at a desk: the HTTP API in JSON, signed in by password.
type browser struct {
	who   worker
	base  string
	wire  *wire
	token string
}

// problem is the server's word on a request that it did not carry out.
type problem struct {
	Status  int
	Code    syncproto.Code `json:"code"`
	Name    string         `json:"name"`
	Plain   string         `json:"plain"`
	Details []struct {
		Record string         `json:"record"`
		Path   string         `json:"path"`
		Code   syncproto.Code `json:"code"`
		Plain  string         `json:"plain"`
	} `json:"details"`
}

func (p *problem) Error() string { return fmt.Sprintf("the server answered %d %s", p.Status, p.Name) }

// onlyFor reports whether every one of the reasons is there, and no other.
func (p *problem) onlyFor(codes ...syncproto.Code) bool {
	seen := map[syncproto.Code]bool{}
	for _, d := range p.Details {
		if !slices.Contains(codes, d.Code) {
			return false
		}
		seen[d.Code] = true
	}
	return len(seen) == len(codes)
}

// signIn begins a session at a desk.
func signIn(ctx context.Context, base string, who worker) (*browser, error) {
	b := &browser{who: who, base: base, wire: newWire()}
	var session struct {
		AccessToken string `json:"access_token"`
	}
	in := map[string]string{"login": who.login, "password": who.password}
	if _, err := b.call(ctx, http.MethodPost, "/v1/sign-in", in, &session); err != nil {
		return nil, fmt.Errorf("%s signs in: %w", who.login, err)
	}
	b.token = session.AccessToken
	return b, nil
}

// get reads a page; the body is returned as it came.
func (b *browser) get(ctx context.Context, path string, out any) ([]byte, error) {
	return b.call(ctx, http.MethodGet, path, nil, out)
}

func (b *browser) post(ctx context.Context, path string, in any) error {
	_, err := b.call(ctx, http.MethodPost, path, in, nil)
	return err
}

// call fails with a *problem for every answer but a 2xx.
func (b *browser) call(ctx context.Context, method, path string, in, out any) ([]byte, error) {
	var body io.Reader = http.NoBody
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, b.base+path, body)
	if err != nil {
		return nil, err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if b.token != "" {
		req.Header.Set("Authorization", "Bearer "+b.token)
	}
	if method == http.MethodPost {
		req.Header.Set("Idempotency-Key", `"`+syncproto.ID(device.NewRequestID()).String()+`"`)
	}
	resp, err := b.wire.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		p := &problem{Status: resp.StatusCode}
		if err := json.Unmarshal(answer, p); err != nil {
			return nil, fmt.Errorf("the server answered %d and no reason: %w", resp.StatusCode, err)
		}
		return answer, p
	}
	if out == nil {
		return answer, nil
	}
	return answer, json.Unmarshal(answer, out)
}

// page is a record as the API shows it, as far as the demo looks at it.
type page struct {
	Record    string         `json:"record"`
	Kind      string         `json:"kind"`
	Heads     []string       `json:"heads"`
	Fields    []pageField    `json:"fields"`
	Conflicts []pageConflict `json:"conflicts"`
	Overlaps  []struct {
		Path  pagePath `json:"path"`
		Spans []struct {
			Authors []string `json:"authors"`
		} `json:"spans"`
	} `json:"overlaps"`
	Workflow struct {
		Queries []struct {
			Question   string    `json:"question"`
			AnsweredBy *struct{} `json:"answered_by"`
		} `json:"queries"`
		Confirmed []struct {
			Stands bool `json:"stands"`
		} `json:"confirmed"`
	} `json:"workflow"`
	Seal *struct {
		Hash  string `json:"hash"`
		Group []struct {
			Record string `json:"record"`
		} `json:"group"`
	} `json:"seal"`
	Addenda []struct {
		By   pageOrigin `json:"by"`
		Late bool       `json:"late"`
	} `json:"addenda"`
	People map[string]string `json:"people"`
}

type pageConflict struct {
	Path    pagePath   `json:"path"`
	InForce any        `json:"in_force"`
	Sides   []pageSide `json:"sides"`
}

type pagePath struct {
	Field   string `json:"field"`
	Element string `json:"element,omitempty"`
}

type pageOrigin struct {
	Author string `json:"author"`
}

type pageSide struct {
	Value any        `json:"value"`
	By    pageOrigin `json:"by"`
}

type pageField struct {
	Field string `json:"field"`
	Value any    `json:"value"`
	Text  string `json:"text"`
	Items []struct {
		Element string `json:"element"`
		InForce bool   `json:"in_force"`
		Flagged bool   `json:"flagged"`
	} `json:"items"`
}

// read opens a record's page.
func (b *browser) read(ctx context.Context, record syncproto.RecordID) (*page, error) {
	p := &page{}
	if _, err := b.get(ctx, "/v1/records/"+record.String(), p); err != nil {
		return nil, fmt.Errorf("%s reads a record: %w", b.who.login, err)
	}
	return p, nil
}

// field returns a field of the page; the zero field if nobody wrote it.
func (p *page) field(name string) pageField {
	for _, f := range p.Fields {
		if f.Field == name {
			return f
		}
	}
	return pageField{}
}

// inForce reports whether an element of a collection counts.
func (p *page) inForce(field, element string) bool {
	for _, item := range p.field(field).Items {
		if item.Element == element {
			return item.InForce
		}
	}
	return false
}
