package delivery

import (
	"bytes"
	_ "embed"
	"html/template"
	"time"
)

//go:embed page.html
var pageHTML string

// pageOf writes a bundle to be read: one document, without script, and with nothing that
// would have to be fetched.
func pageOf(b *Bundle, zone *time.Location) ([]byte, error) {
	t, err := template.New("page").Funcs(template.FuncMap{"moment": func(at string) string {
		t, err := time.Parse(time.RFC3339, at)
		if err != nil {
			return at
		}
		return t.In(zone).Format("2 January 2006, 15:04")
	}}).Parse(pageHTML)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, b)
	return out.Bytes(), err
}
