package web

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/PuerkitoBio/goquery"

	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/web/ui/assets"
)

// site is all pages over a world.
type site struct {
	*desktest.World
	handler http.Handler
	assets  *assets.Assets
}

func newSite(t *testing.T, o desktest.Options) *site {
	t.Helper()
	w := desktest.New(t, o)
	built, err := assets.New(assets.Config{Files: fstest.MapFS{"manifest.json": {Data: []byte("{}")}}})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Desk: w.Desk, Store: w.Store, Assets: built, Log: w.Desk.Log, BaseURL: "http://sign.example.com", MaxSize: w.Desk.MaxSize, Catcher: w.Mail}
	h, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &site{World: w, handler: h, assets: built}
}

// browser is somebody's; the zero session is nobody's.
type browser struct {
	t       *testing.T
	site    *site
	session string
}

func (s *site) nobody(t *testing.T) browser { return browser{t: t, site: s} }

// signedIn is the browser of a person who signed in.
func (s *site) signedIn(t *testing.T, p desktest.Person) browser {
	t.Helper()
	token, err := s.Desk.OpenSession(t.Context(), p.User, "203.0.113.9", "Browser/1")
	if err != nil {
		t.Fatal(err)
	}
	return browser{t, s, token}
}

// answer is what came back.
type answer struct {
	*httptest.ResponseRecorder
	t   *testing.T
	req string
}

func (b browser) send(r *http.Request) answer {
	b.t.Helper()
	if b.session != "" {
		r.AddCookie(&http.Cookie{Name: "session", Value: b.session})
	}
	r.Host = "sign.example.com"
	w := httptest.NewRecorder()
	b.site.handler.ServeHTTP(w, r.WithContext(b.t.Context()))
	return answer{w, b.t, r.Method + " " + r.URL.Path}
}

func (b browser) get(path string, header ...string) answer {
	b.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return b.send(r)
}

func (b browser) post(path string, pairs ...string) answer {
	b.t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.send(r)
}

func (b browser) json(method, path string, body any) answer {
	b.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	r := httptest.NewRequest(method, path, bytes.NewReader(raw))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	return b.send(r)
}

// attachment is a file in a form.
type attachment struct {
	field, name string
	data        []byte
}

func (b browser) upload(path, accept string, files []attachment, pairs ...string) answer {
	b.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for i := 0; i+1 < len(pairs); i += 2 {
		_ = m.WriteField(pairs[i], pairs[i+1]) // to memory: can't fail
	}
	for _, f := range files {
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", multipart.FileContentDisposition(f.field, f.name))
		h.Set("Content-Type", "application/octet-stream")
		p, _ := m.CreatePart(h)
		_, _ = p.Write(f.data)
	}
	_ = m.Close()
	r := httptest.NewRequest(http.MethodPost, path, &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Accept", accept)
	return b.send(r)
}

func (a answer) is(status int) answer {
	a.t.Helper()
	if a.Code != status {
		a.t.Fatalf("%s answered %d, want %d:\n%s", a.req, a.Code, status, text(a.Body.String()))
	}
	return a
}

// goes checks that the answer leads to a path.
func (a answer) goes(to string) answer {
	a.t.Helper()
	a.is(http.StatusSeeOther)
	if got := a.Header().Get("Location"); got != to {
		a.t.Fatalf("%s leads to %q, want %q", a.req, got, to)
	}
	return a
}

// page reads the answer as HTML.
func (a answer) page() *goquery.Document {
	a.t.Helper()
	d, err := goquery.NewDocumentFromReader(bytes.NewReader(a.Body.Bytes()))
	if err != nil {
		a.t.Fatal(err)
	}
	return d
}

// says checks that the page's text holds all of some words.
func (a answer) says(words ...string) answer {
	a.t.Helper()
	got := text(a.Body.String())
	for _, w := range words {
		if !strings.Contains(got, w) {
			a.t.Errorf("%s does not say %q:\n%s", a.req, w, got)
		}
	}
	return a
}

// hides checks that the answer holds none of some words, in no form.
func (a answer) hides(words ...string) answer {
	a.t.Helper()
	for _, w := range words {
		if strings.Contains(a.Body.String(), w) {
			a.t.Errorf("%s gives %q away", a.req, w)
		}
	}
	return a
}

// read reads the answer as JSON.
func (a answer) read(v any) {
	a.t.Helper()
	if err := json.Unmarshal(a.Body.Bytes(), v); err != nil {
		a.t.Fatalf("%s: %v in %s", a.req, err, a.Body)
	}
}

// text is a page's words, in one line.
func text(html string) string {
	d, err := goquery.NewDocumentFromReader(strings.NewReader(html))
	if err != nil {
		return html
	}
	d.Find("script, template, noscript").Remove()
	return strings.Join(strings.Fields(d.Text()), " ")
}

func id(n int64) string { return strconv.FormatInt(n, 10) }
