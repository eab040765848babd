package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/a-h/templ"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

var (
	errNoPage      = paraph.Errorf(paraph.NotFound, "There is nothing at this address.")
	errCrossOrigin = paraph.Errorf(paraph.Forbidden, "This form was sent from another site. Open the page here and send it again.")
)

// statusOf is the status code of an error.
func statusOf(err error) int {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	switch paraph.KindOf(err) {
	case paraph.Invalid:
		return http.StatusUnprocessableEntity
	case paraph.Unauthenticated:
		return http.StatusUnauthorized
	case paraph.Forbidden:
		return http.StatusForbidden
	case paraph.NotFound:
		return http.StatusNotFound
	case paraph.Conflict, paraph.NotYourTurn:
		return http.StatusConflict
	case paraph.Ended:
		return http.StatusGone
	case paraph.TooLarge:
		return http.StatusRequestEntityTooLarge
	case paraph.Full:
		return http.StatusInsufficientStorage
	case paraph.TooMany:
		return http.StatusTooManyRequests
	}
	return http.StatusInternalServerError
}

// answer is the one place where errors become responses. What is internal goes
// to the log, under a reference that the page shows.
func (s *server) answer(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := guarded(h, w, r)
		if err == nil || r.Context().Err() != nil {
			return
		}
		status, ref := statusOf(err), ""
		if status == http.StatusInternalServerError || status == http.StatusInsufficientStorage {
			ref = paraph.NewToken(8)
			s.Log.Error("request failed", "ref", ref, "method", r.Method, "route", r.Pattern, "error", err)
		}
		if wantsJSON(r) {
			s.jsonError(w, status, err, ref)
			return
		}
		f := kit.FailureFor(status)
		f.Ref = ref
		if e, ok := errors.AsType[*paraph.Error](err); ok && ref == "" && e.Message != "" {
			f.Text = e.Message
		}
		_ = s.page(w, r, status, kit.ErrorPage(f), kit.Page{Title: f.Title})
	})
}

// guarded turns a panic into an error, so that whoever asked gets a page and the
// log says where it was.
func guarded(h handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return h(w, r)
}

// wantsJSON reports whether a script asked.
func wantsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json") || strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
}

// problem is an error as scripts read it.
type problem struct {
	Error string `json:"error"`
	Field string `json:"field,omitempty"`
	Kind  string `json:"kind,omitempty"`
	Ref   string `json:"ref,omitempty"`
}

func (s *server) jsonError(w http.ResponseWriter, status int, err error, ref string) {
	p := problem{Error: kit.FailureFor(status).Text, Ref: ref, Kind: string(paraph.KindOf(err))}
	if e, ok := errors.AsType[*paraph.Error](err); ok && ref == "" {
		p.Error, p.Field = e.Message, e.Field
	}
	writeJSON(w, status, p)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone if it fails
}

// readJSON reads a small JSON body. An answer to what is no JSON of v's shape
// is Invalid.
func readJSON(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err == nil {
		if err := paraph.CheckJSON(b); err != nil {
			return err
		}
		err = json.Unmarshal(b, v)
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &paraph.Error{Kind: paraph.TooLarge, Message: "This is too large to be stored.", Err: err}
	}
	if err != nil {
		return &paraph.Error{Kind: paraph.Invalid, Message: "The request can't be read as JSON of the expected shape.", Err: err}
	}
	return nil
}

// render writes a component as a page.
func render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	return c.Render(r.Context(), w)
}

// page writes content in the frame that fits the reader: the shell for who is
// signed in, the public frame for others.
func (s *server) page(w http.ResponseWriter, r *http.Request, status int, content templ.Component, p kit.Page) error {
	frame := func(ctx context.Context) templ.Component {
		if _, ok := signedOf(r); ok {
			return kit.Layout(s.shell(w, r, p))
		}
		return kit.PublicLayout(s.head(w, r, p))
	}
	ctx := templ.WithChildren(r.Context(), content)
	return render(w, r.WithContext(ctx), status, frame(ctx))
}

// oops sorts an error of a form: what stands beside an input is given back to
// be shown there, anything else is for answer.
func oops(err error) (shown *paraph.Error, rest error) {
	e, ok := errors.AsType[*paraph.Error](err)
	if ok && (e.Kind == paraph.Invalid || e.Kind == paraph.TooMany || e.Kind == paraph.Conflict || e.Kind == paraph.TooLarge || e.Kind == paraph.Unauthenticated) {
		return e, nil
	}
	return nil, err
}
