package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paraph-sign/paraph"
)

const (
	maxBody      = 16 << 20        // of most requests: a signature's picture fits in
	bodyDeadline = 2 * time.Minute // for the whole body to arrive
	largeBody    = 4 << 20         // from here on, few are worked on at once
	largeAtOnce  = 2
	firstRead    = 1 << 20 // of memory is taken on the word of who sends; more when it comes
)

// maxBodyOf is how long the body of a request may be. A submission's documents
// come as base64, which takes four bytes for three.
func (a *api) maxBodyOf(r *http.Request) int64 {
	if r.URL.Path == "/api/submissions/pdf" || r.URL.Path == verifyPath {
		return a.cfg.MaxSize/3*4 + 1<<20
	}
	return maxBody
}

// readBody reads a request's body, bounded in length and time.
func (a *api) readBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			r.Body = http.NoBody
			next.ServeHTTP(w, r)
			return
		}
		most := a.maxBodyOf(r)
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyDeadline)) // a writer that has none has its own
		guest := a.desk.Uploads.Guest()
		defer guest.Leave()
		b, err := readAll(guest.Reader(http.MaxBytesReader(w, r.Body, most)), min(r.ContentLength, firstRead))
		if boundary := multipartBoundary(r); err == nil && boundary != "" {
			b, err = fileAsJSON(b, boundary)
		}
		if err == nil {
			err = paraph.CheckJSON(b)
		}
		if err != nil {
			a.refuse(w, r, unread(err, most))
			return
		}
		if len(b) > largeBody { // working on it takes its length several times over
			select {
			case a.large <- struct{}{}:
				defer func() { <-a.large }()
			case <-r.Context().Done():
				return
			}
		}
		r.Body = &body{bytes.NewReader(b), b}
		r.Header.Set("Content-Type", "application/json") // whatever a program calls it, nothing else is understood
		next.ServeHTTP(w, r)
	})
}

// readAll reads a body of a length that is known or, below 0, is not.
func readAll(r io.Reader, length int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(max(length, 0)) + bytes.MinRead)
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

func unread(err error, most int64) error {
	if known, ok := errors.AsType[*paraph.Error](err); ok {
		return known
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &paraph.Error{Kind: paraph.TooLarge, Field: "body", Message: fmt.Sprintf("The request is larger than %d MB.", most>>20), Err: err}
	}
	return &paraph.Error{Kind: paraph.Invalid, Field: "body", Message: "The request ended before its body was there.", Err: err}
}

// body is a body that was read.
type body struct {
	*bytes.Reader
	all []byte
}

func (*body) Close() error { return nil }

// input is a JSON body of type T. Unknown keys are passed over, and null is the
// same as nothing, for DocuSeal's programs send both. What has the wrong type
// is told by value, in a sentence that names it.
type input[T any] struct {
	v   T
	err error
}

// UnmarshalJSON never fails, so that value can say why.
func (in *input[T]) UnmarshalJSON(b []byte) error {
	in.err = json.Unmarshal(b, &in.v)
	return nil
}

// value is the body, or what is wrong with it.
func (in *input[T]) value() (*T, error) {
	if in.err != nil {
		return nil, badJSON(in.err)
	}
	return &in.v, nil
}

// Schema is T's schema.
func (in *input[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}
