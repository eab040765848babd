package web

import (
	"math"
	"net/http"
	"slices"
	"strconv"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
)

// Widths of pictures in pixels; no others are drawn, so that nobody fills the
// cache with a page in every size.
const (
	thumbnailWidth = 240
	readingWidth   = 1400
)

// pictureURL is the address of a page's picture. Its version changes when the
// page looks different, so that what it names never changes.
func pictureURL(base string, e *paraph.Envelope, d paraph.Document, page, width int) string {
	return query(base+"/pages/"+strconv.Itoa(page), "v", desk.StateTag(e, d), "w", strconv.Itoa(width))
}

// pictureSize is what the picture of a page of that width measures.
func pictureSize(p paraph.Page, width int) (w, h int) {
	if p.Width <= 0 {
		return width, width
	}
	return width, max(1, int(math.Round(float64(width)*p.Height/p.Width)))
}

func (s *server) envelopePicture(w http.ResponseWriter, r *http.Request) error {
	e, err := s.owned(r)
	if err != nil {
		return err
	}
	return s.picture(w, r, &e)
}

// picture draws the page in the path.
func (s *server) picture(w http.ResponseWriter, r *http.Request, e *paraph.Envelope) error {
	d, page, err := pageOf(r, e)
	if err != nil {
		return err
	}
	width, q := readingWidth, r.URL.Query() // FormValue would read a body, however large, to the disk
	if n, err := strconv.Atoi(q.Get("w")); err == nil && slices.Contains([]int{thumbnailWidth, readingWidth}, n) {
		width = n
	}
	tag := desk.StateTag(e, d)
	etag := `"` + tag + "-" + strconv.Itoa(page) + "-" + strconv.Itoa(width) + `"`
	w.Header().Set("ETag", etag)
	w.Header().Set("Cache-Control", "private, no-cache")
	if q.Get("v") == tag {
		w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	b, kind, err := s.Desk.PagePicture(r.Context(), e, d, page, width)
	if err != nil {
		w.Header().Del("ETag")
		w.Header().Set("Cache-Control", "no-store")
		return err
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b) // the client has gone if it fails
	return nil
}

// pageOf is the document in the path and the page, from 0.
func pageOf(r *http.Request, e *paraph.Envelope) (paraph.Document, int, error) {
	d, err := documentOf(r, e)
	if err != nil {
		return d, 0, err
	}
	page, err := strconv.Atoi(r.PathValue("page"))
	if err != nil || page < 0 || page >= len(d.Pages) {
		return d, 0, errNoPage
	}
	return d, page, nil
}

// documentOf is the document in the path, if it is one of the envelope's.
func documentOf(r *http.Request, e *paraph.Envelope) (paraph.Document, error) {
	id, err := pathID(r, "document")
	if err != nil {
		return paraph.Document{}, err
	}
	d, ok := e.Document(id)
	if !ok {
		return d, paraph.Errorf(paraph.NotFound, "This document is not in the envelope.")
	}
	return d, nil
}
