package webtest

import (
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Reader is somebody signed in at the desk without a browser: its pages need no script.
type Reader struct {
	t      testing.TB
	base   string
	client *http.Client
}

// SignIn signs somebody in at the desk of the server at an address, "http://host:port".
func SignIn(t testing.TB, base, login, password string) *Reader {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	r := &Reader{t: t, base: base, client: &http.Client{Jar: jar, Transport: transport}}
	status, page := r.Send("/desk/sign-in", url.Values{"login": {login}, "password": {password}})
	if status != http.StatusOK || !strings.Contains(page, "Sign out") {
		t.Fatalf("%s cannot sign in: %d", login, status)
	}
	return r
}

// Get opens a page and returns the answer's status and the page, its entities as the
// characters that they stand for.
func (r *Reader) Get(path string) (status int, page string) {
	r.t.Helper()
	return r.do(http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.base+path, nil))
}

// Send sends a form as a browser does that is on a page of the desk.
func (r *Reader) Send(path string, form url.Values) (status int, page string) {
	r.t.Helper()
	return r.do(http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.base+path, strings.NewReader(form.Encode())))
}

// Fill opens the form on a page and sends it to an address, what is hidden in it beside
// these answers.
func (r *Reader) Fill(page, to string, answers url.Values) (int, string) {
	r.t.Helper()
	status, shown := r.Get(page)
	if status != http.StatusOK {
		r.t.Errorf("the form at %s answers %d", page, status)
	}
	form := Hidden(shown)
	maps.Copy(form, answers)
	return r.Send(to, form)
}

var hiddenFields = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)">`)

// Hidden are the fields of a page's forms that nobody fills in.
func Hidden(page string) url.Values {
	form := url.Values{}
	for _, m := range hiddenFields.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], m[2])
	}
	return form
}

func (r *Reader) do(req *http.Request, err error) (int, string) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, html.UnescapeString(string(page))
}
