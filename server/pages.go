package server

import (
	"time"

	"doorstep/server/internal/api"
	"doorstep/server/internal/pages"
	"doorstep/server/web"
)

// pages is the desk in a browser.
func (b *borough) pages(cfg Config) (api.Desk, error) {
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		return nil, err
	}
	return pages.New(pages.Config{Name: cfg.Name, Records: b.room, Workflow: b.finalise, Now: time.Now, Zone: zone, Style: deskStyle()})
}

// deskStyle is the address of the desk's style sheet; empty in a binary that was built
// without one.
func deskStyle() string {
	app, ok := web.Open()
	if !ok {
		return ""
	}
	name, ok := app.Named("desk.css")
	if !ok {
		return ""
	}
	return "/app/" + name
}
