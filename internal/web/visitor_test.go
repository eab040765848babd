package web

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/PuerkitoBio/goquery"

	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/web/ui/assets"
)

const siteBase = "https://sign.example.com"

// siteOf makes the pages of a world, over TLS. Their bundles are not built in
// tests.
func siteOf(t testing.TB, w *desktest.World) *site {
	t.Helper()
	files, err := assets.New(assets.Config{Files: fstest.MapFS{"manifest.json": {Data: []byte("{}")}}})
	if err != nil {
		t.Fatal(err)
	}
	h, err := New(Config{
		Desk: w.Desk, Store: w.Store, Assets: files, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), BaseURL: siteBase, MaxSize: 10 << 20, Catcher: w.Mail,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &site{World: w, handler: h}
}

// visitor is a browser without scripts: it keeps cookies and follows no
// redirect by itself.
type visitor struct {
	*site
	t       testing.TB
	cookies map[string]*http.Cookie
	ip      string
}

func (s *site) visitor(t testing.TB) *visitor {
	return &visitor{site: s, t: t, cookies: map[string]*http.Cookie{}, ip: "203.0.113.9"}
}

// as is a visitor who has signed in.
func (s *site) as(t testing.TB, p desktest.Person) *visitor {
	t.Helper()
	v := s.visitor(t)
	v.signIn(p.User.Email, desktest.Password)
	return v
}

func (v *visitor) signIn(email, password string) {
	v.t.Helper()
	v.post("/signin", "email", email, "password", password).goes("/envelopes")
}

// shown is what came back to a visitor.
type shown struct {
	*goquery.Document
	t      testing.TB
	what   string
	status int
	header http.Header
	body   string
	set    []*http.Cookie
}

func (v *visitor) get(path string) shown {
	v.t.Helper()
	return v.do(httptest.NewRequest(http.MethodGet, siteBase+path, nil))
}

// post sends a form of name and value pairs, as this site's own page would.
func (v *visitor) post(path string, pairs ...string) shown {
	v.t.Helper()
	f := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		f.Add(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, siteBase+path, strings.NewReader(f.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", siteBase)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return v.do(r)
}

func (v *visitor) do(r *http.Request) shown {
	v.t.Helper()
	r.RemoteAddr = v.ip + ":40000"
	for _, c := range v.cookies {
		r.AddCookie(c)
	}
	rec := httptest.NewRecorder()
	v.handler.ServeHTTP(rec, r)
	res := rec.Result()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	a := shown{t: v.t, what: r.Method + " " + r.URL.RequestURI(), status: res.StatusCode, header: res.Header, body: string(body), set: res.Cookies()}
	for _, c := range a.set {
		if c.MaxAge < 0 {
			delete(v.cookies, c.Name)
		} else {
			v.cookies[c.Name] = c
		}
	}
	if a.Document, err = goquery.NewDocumentFromReader(strings.NewReader(a.body)); err != nil {
		v.t.Fatal(err)
	}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") && res.Header.Get("X-Frame-Options") == "DENY" {
		a.sound()
	}
	return a
}

// sound is what holds for every page: nothing that the policy refuses, a label
// for each input, no id twice, no password in a value.
func (a shown) sound() {
	a.t.Helper()
	if p := a.header.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || strings.Contains(p, "unsafe") {
		a.t.Errorf("%s: policy %q", a.what, p)
	}
	if n := a.Find("[style], style, script:not([src]), [onclick]").Length(); n > 0 {
		a.t.Errorf("%s: %d inline styles or scripts", a.what, n)
	}
	if a.status == http.StatusOK && (a.Find("title").Text() == "" || a.Find("h1").Length() != 1) {
		a.t.Errorf("%s: title %q, %d headings", a.what, a.Find("title").Text(), a.Find("h1").Length())
	}
	ids := map[string]bool{}
	a.Find("[id]").Each(func(_ int, s *goquery.Selection) {
		id := s.AttrOr("id", "")
		if ids[id] {
			a.t.Errorf("%s: id %q twice", a.what, id)
		}
		ids[id] = true
	})
	a.Find("input:not([type=hidden]), select, textarea").Each(func(_ int, s *goquery.Selection) {
		id := s.AttrOr("id", "")
		if s.ParentsFiltered("label").Length() == 0 && s.AttrOr("aria-hidden", "") != "true" && (id == "" || a.Find("label[for='"+id+"']").Length() == 0) {
			a.t.Errorf("%s: input %q has no label", a.what, s.AttrOr("name", ""))
		}
		if s.AttrOr("type", "") == "password" && s.AttrOr("value", "") != "" {
			a.t.Errorf("%s: the password %q stands in the page", a.what, s.AttrOr("name", ""))
		}
	})
}

// is checks the status.
func (a shown) is(status int) shown {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: status %d, want %d; it says %q", a.what, a.status, status, a.Find("main").Text())
	}
	return a
}

// goes checks that it leads on.
func (a shown) goes(to string) shown {
	a.t.Helper()
	if a.is(http.StatusSeeOther); a.header.Get("Location") != to {
		a.t.Fatalf("%s: goes to %q, want %q", a.what, a.header.Get("Location"), to)
	}
	return a
}

// says checks for a text on the page.
func (a shown) says(text string) shown {
	a.t.Helper()
	if !strings.Contains(a.text(), text) {
		a.t.Fatalf("%s: does not say %q but %q", a.what, text, a.text())
	}
	return a
}

func (a shown) silent(text string) shown {
	a.t.Helper()
	if strings.Contains(a.body, text) {
		a.t.Fatalf("%s: says %q", a.what, text)
	}
	return a
}

// text is what can be read on the page, spaces made one.
func (a shown) text() string { return strings.Join(strings.Fields(a.Find("body").Text()), " ") }

// errorAt is the sentence beside an input, as screen readers find it.
func (a shown) errorAt(id string) string {
	return strings.TrimSpace(a.Find("#" + id + "-error").Text())
}

// value is what stands in an input.
func (a shown) value(name string) string {
	s := a.Find("[name='" + name + "']")
	if goquery.NodeName(s) == "textarea" {
		return s.Text()
	}
	return s.AttrOr("value", "")
}

// linkIn is the first link of a kind in the newest mail to an address.
func (s *site) linkIn(t testing.TB, to, prefix string) string {
	t.Helper()
	s.RunDue(t)
	for _, m := range s.Mail.List() {
		if _, rest, ok := strings.Cut(m.Text, siteBase+prefix); ok && m.To.Email == to {
			return prefix + strings.Fields(rest)[0]
		}
	}
	t.Fatalf("no mail to %s has a link to %s", to, prefix)
	return ""
}
