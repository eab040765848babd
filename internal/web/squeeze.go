package web

import (
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
)

// squeezed sends a handler's page compressed to who can read it. It is for the
// pages of signers, who come by phone: nothing in them echoes what a stranger
// sent beside a secret, which compression would give away by its length.
func squeezed(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Add("Vary", "Accept-Encoding")
		if !takesGzip(r) {
			return h(w, r)
		}
		s := &squeezer{ResponseWriter: w}
		if err := h(s, r); err != nil {
			return err
		}
		return s.close()
	}
}

// takesGzip reports whether the caller reads gzip (RFC 9110, 12.5.3).
func takesGzip(r *http.Request) bool {
	for name := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(name), ";")
		if strings.TrimSpace(name) != "gzip" {
			continue
		}
		q, said := strings.CutPrefix(strings.TrimSpace(quality), "q=")
		weight, err := strconv.ParseFloat(q, 64)
		return !said || (err == nil && weight > 0)
	}
	return false
}

// squeezer compresses what is written after a status of 200; anything else
// passes as it is, so that a handler may still fail or redirect.
type squeezer struct {
	http.ResponseWriter
	to    *gzip.Writer
	begun bool
}

// WriteHeader decides whether the body is compressed.
func (s *squeezer) WriteHeader(status int) {
	if !s.begun && status == http.StatusOK {
		s.to = gzip.NewWriter(s.ResponseWriter)
		s.Header().Set("Content-Encoding", "gzip")
		s.Header().Del("Content-Length")
	}
	s.begun = true
	s.ResponseWriter.WriteHeader(status)
}

func (s *squeezer) Write(p []byte) (int, error) {
	if !s.begun {
		s.WriteHeader(http.StatusOK)
	}
	if s.to == nil {
		return s.ResponseWriter.Write(p)
	}
	return s.to.Write(p)
}

// Unwrap is for http.ResponseController.
func (s *squeezer) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *squeezer) close() error {
	if s.to == nil {
		return nil
	}
	return s.to.Close()
}
