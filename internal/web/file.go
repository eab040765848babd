package web

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
)

// fileWay is how a file is handed out.
type fileWay int

const (
	attached fileWay = iota // to be saved
	viewed                  // to be shown in the browser
)

// filePolicy shuts a file off from everything, in case a browser takes it for a
// page. A PDF that is shown keeps out of the sandbox, in which no viewer opens.
const (
	filePolicy = "default-src 'none'; sandbox"
	viewPolicy = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
)

// handOut sends a file and closes it.
func handOut(w http.ResponseWriter, r *http.Request, f desk.File, way fileWay) error {
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", f.ContentType)
	h.Set("Content-Disposition", disposition(way, f.Name))
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Content-Security-Policy", filePolicy)
	h.Set("X-Robots-Tag", "noindex")
	if way == viewed && f.ContentType == "application/pdf" {
		h.Set("Content-Security-Policy", viewPolicy)
	}
	etag := `"` + f.Tag + `"`
	h.Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if f.Size >= 0 {
		h.Set("Content-Length", strconv.FormatInt(f.Size, 10))
	}
	if r.Method == http.MethodHead {
		return nil
	}
	if _, err := io.Copy(w, f); err != nil { // the headers are out: all that is left is to break off, so that nobody takes the part for the whole
		panic(http.ErrAbortHandler)
	}
	return nil
}

// disposition names a file in the form of RFC 6266: in plain letters for old
// readers, and in full (RFC 8187) for all others.
func disposition(way fileWay, name string) string {
	kind := "attachment"
	if way == viewed {
		kind = "inline"
	}
	plain := strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, name)
	full := strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	return kind + `; filename="` + plain + `"; filename*=UTF-8''` + full
}

// download hands out a document in one of its versions: original, current,
// sealed.
func (s *server) download(w http.ResponseWriter, r *http.Request) error {
	e, err := s.owned(r)
	if err != nil {
		return err
	}
	return s.handDocument(w, r, &e)
}

// handDocument hands out the document of a path in the path's version.
func (s *server) handDocument(w http.ResponseWriter, r *http.Request, e *paraph.Envelope) error {
	d, err := documentOf(r, e)
	if err != nil {
		return err
	}
	var f desk.File
	switch r.PathValue("version") {
	case "original":
		f, err = s.Desk.OriginalFile(r.Context(), e, d)
	case "current", "":
		f, err = s.Desk.CurrentFile(r.Context(), e, d)
	case "sealed":
		f, err = s.Desk.SealedFile(r.Context(), e, d)
	default:
		return errNoPage
	}
	if err != nil {
		return err
	}
	return handOut(w, r, f, wayOf(r))
}

// wayOf is how the file is asked for.
func wayOf(r *http.Request) fileWay {
	if r.URL.Query().Has("view") {
		return viewed
	}
	return attached
}

// fileOf is one of an envelope's files.
type fileOf func(ctx context.Context, e *paraph.Envelope) (desk.File, error)

// ofEnvelope hands out a file of an envelope of the space.
func (s *server) ofEnvelope(open fileOf) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		e, err := s.owned(r)
		if err != nil {
			return err
		}
		return s.handFile(w, r, &e, open)
	}
}

// ofLink hands out a file to the recipient whose link it is, once they may read
// the documents.
func (s *server) ofLink(open fileOf) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		private(w)
		p, err := s.readable(r)
		if err != nil {
			return err
		}
		return s.handFile(w, r, &p.e, open)
	}
}

func (s *server) handFile(w http.ResponseWriter, r *http.Request, e *paraph.Envelope, open fileOf) error {
	f, err := open(r.Context(), e)
	if err != nil {
		return err
	}
	return handOut(w, r, f, wayOf(r))
}

// file hands out what a signed link leads to, to whoever has it.
func (s *server) file(w http.ResponseWriter, r *http.Request) error {
	ref, err := s.Desk.Links.OpenFile(r.PathValue("token"), s.Store.Now())
	if err != nil {
		return err
	}
	f, err := s.Desk.LinkedFile(r.Context(), ref)
	if err != nil {
		return err
	}
	way := attached
	if ref.Kind == desk.FileValue {
		way = viewed
	}
	return handOut(w, r, f, way)
}

// safeURL is an address elsewhere that a browser may be sent to: http or
// https, with a host. It returns the host for people.
func safeURL(raw string) (to, host string, ok bool) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || paraph.CleanLine(raw) != raw {
		return "", "", false
	}
	return u.String(), u.Host, true
}
