package api

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"doorstep/server/web"
)

// App is the practitioner's web app; *web.App implements it.
type App interface {
	File(name string, brotli bool) (web.File, bool)
}

const noApp = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Doorstep</title>
<h1>There is no web app in this server</h1>
<p>The server was built without it. Everything else works. To have it: make web, then make build.</p></html>`

// addApp serves the app below appPath and sends who comes to the root there. These
// are files for anybody: nothing in them is about anyone.
func (a *API) addApp(app *fiber.App) {
	for _, method := range []string{fiber.MethodGet, fiber.MethodHead} {
		app.Add(method, "/", a.toApp)
		app.Add(method, strings.TrimSuffix(appPath, "/"), a.toApp)
		app.Add(method, appPath+"*", a.appFile)
	}
}

func (a *API) toApp(c *fiber.Ctx) error {
	stateOf(c.Context()).route = appRoute
	return c.Redirect(appPath, fiber.StatusSeeOther)
}

func (a *API) appFile(c *fiber.Ctx) error {
	s := stateOf(c.Context())
	s.route = appRoute
	if a.cfg.App == nil {
		c.Status(fiber.StatusNotFound).Set(fiber.HeaderContentType, "text/html; charset=utf-8")
		return c.SendString(noApp)
	}
	f, ok := a.cfg.App.File(strings.TrimPrefix(c.Path(), appPath), c.AcceptsEncodings("br") == "br")
	if !ok {
		return fiber.ErrNotFound
	}
	s.caching = "no-cache" // the page and the service worker: looked at again each time
	if f.Forever {
		s.caching = "public, max-age=31536000, immutable"
	}
	c.Set(fiber.HeaderContentType, f.Type)
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if f.Brotli {
		c.Set(fiber.HeaderContentEncoding, "br")
	}
	return c.Send(f.Body)
}
