package pages

import "context"

// oversightRoot is the page of what managers, and whoever else oversees, look after.
const oversightRoot = Root + "oversight"

// oversightPage leads to what there is to oversee.
type oversightPage struct {
	Links []linkTo
}

func (p *Pages) oversight(_ context.Context, c *Call) (Answer, error) {
	in := oversightPage{Links: []linkTo{{Text: "What the case-management system has not got yet", Href: Root + "delivery"}}}
	body, err := p.show(c, "oversight.html", shell{Title: "Oversight", Here: oversightRoot, Content: in})
	return Answer{Body: body}, err
}
