package demo

import (
	"context"
	"slices"
	"strings"
)

// attribution is who wrote what of a record's texts, as the API tells it.
type attribution struct {
	Sources []struct {
		Author     string `json:"author"`
		Device     string `json:"device"`
		Capture    string `json:"capture"`
		TimeMS     int64  `json:"time_ms"`
		ReceivedMS int64  `json:"received_ms"`
	} `json:"sources"`
	Texts []struct {
		Path  pagePath `json:"path"`
		Text  string   `json:"text"`
		Spans []struct {
			Start int `json:"start"`
			End   int `json:"end"`
			By    int `json:"by"`
		} `json:"spans"`
		Deleted []struct {
			Text      string `json:"text"`
			DeletedBy []int  `json:"deleted_by"`
		} `json:"deleted"`
	} `json:"texts"`
	People map[string]string `json:"people"`
}

// wrote joins what each person wrote of a text, by name.
func (a *attribution) wrote(field string) map[string]string {
	out := map[string]string{}
	for _, t := range a.Texts {
		if t.Path.Field != field {
			continue
		}
		words := []rune(t.Text)
		for _, s := range t.Spans {
			out[a.People[a.Sources[s.By].Author]] += string(words[s.Start:s.End])
		}
	}
	return out
}

// deleted lists what is gone from a text, with who deleted it.
func (a *attribution) deleted(field string) map[string][]string {
	out := map[string][]string{}
	for _, t := range a.Texts {
		if t.Path.Field != field {
			continue
		}
		for _, d := range t.Deleted {
			for _, by := range d.DeletedBy {
				name := a.People[a.Sources[by].Author]
				out[name] = append(out[name], d.Text)
			}
		}
	}
	return out
}

// whoWroteWhat is the coordinator's look at a merged text: the sentence that two
// people changed, and whose each word is.
func (d *day) whoWroteWhat(ctx context.Context) error {
	desk, err := d.desk(ctx, grace)
	if err != nil {
		return err
	}
	visit, err := desk.read(ctx, d.visit)
	if err != nil {
		return err
	}
	names := visit.marked("purpose")
	d.out.claim(slices.Contains(names, d.name(amina)) && slices.Contains(names, d.name(tom)) && len(names) == 2,
		"%s's screen marks the sentence, with both names: %s", d.name(grace), strings.Join(names, ", "))
	var who attribution
	if _, err := desk.get(ctx, "/v1/records/"+d.visit.String()+"/attribution", &who); err != nil {
		return err
	}
	wrote := who.wrote("household_summary")
	d.out.claim(strings.HasSuffix(wrote[d.name(amina)], d.scripts[0].end) && strings.HasSuffix(wrote[d.name(tom)], d.scripts[1].end),
		"she can ask of every character who typed it, when, and on which tablet")
	gone := who.deleted("purpose")
	for _, login := range []string{amina, tom} {
		d.out.quote("of the purpose %s took out %q", d.name(login), strings.Join(gone[d.name(login)], "; "))
	}
	d.out.claim(len(gone[d.name(amina)]) > 0 && len(gone[d.name(tom)]) > 0, "and what each of them took out, which is not lost either")
	return nil
}

// marked lists the names of those whose edits of a text meet in a sentence that
// nobody has read since.
func (p *page) marked(field string) []string {
	var names []string
	for _, o := range p.Overlaps {
		if o.Path.Field != field {
			continue
		}
		for _, s := range o.Spans {
			for _, author := range s.Authors {
				names = append(names, p.People[author])
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
