package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paraph-sign/paraph"
)

// Problem is the body of every answer that is not a success.
type Problem struct {
	Error string `json:"error" doc:"What is wrong and what to do about it, in a sentence." example:"Enter an e-mail address."`
	Field string `json:"field,omitempty" doc:"The part of the request that is at fault, when one is." example:"submitters[0].email"`

	status     int
	retryAfter time.Duration
}

// failure is a Problem as the error of a handler: huma writes it as it is.
type failure struct {
	Problem
}

func (f *failure) Error() string                { return f.Problem.Error }
func (f *failure) GetStatus() int               { return f.status }
func (f *failure) MarshalJSON() ([]byte, error) { return json.Marshal(f.Problem) }

// GetHeaders are the headers that go with the failure.
func (f *failure) GetHeaders() http.Header {
	h := http.Header{}
	if f.retryAfter > 0 {
		h.Set("Retry-After", retrySeconds(f.retryAfter))
	}
	return h
}

func retrySeconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// statuses gives each kind of error its status code. Where DocuSeal has a
// resource its programs know no 409: what can't be done any more is 422.
var statuses = map[paraph.Kind]int{
	paraph.Invalid:         http.StatusUnprocessableEntity,
	paraph.Unauthenticated: http.StatusUnauthorized,
	paraph.Forbidden:       http.StatusForbidden,
	paraph.NotFound:        http.StatusNotFound,
	paraph.Conflict:        http.StatusUnprocessableEntity,
	paraph.Ended:           http.StatusUnprocessableEntity,
	paraph.NotYourTurn:     http.StatusUnprocessableEntity,
	paraph.TooLarge:        http.StatusRequestEntityTooLarge,
	paraph.Full:            http.StatusInsufficientStorage,
	paraph.TooMany:         http.StatusTooManyRequests,
}

// failed turns an error into what is answered. ours is for resources that
// DocuSeal has not.
func (a *api) failed(c *call, err error, ours bool) *failure {
	e, ok := errors.AsType[*paraph.Error](err)
	if errors.Is(err, context.Canceled) {
		return &failure{Problem{Error: "The request was given up.", status: http.StatusServiceUnavailable}} // nobody reads it
	}
	if !ok || statuses[e.Kind] == 0 {
		a.log.Error("API request failed", "request", c.id, "error", err)
		return &failure{Problem{Error: "Something went wrong on our side; it was noted under the number " + c.id + ".", status: http.StatusInternalServerError}}
	}
	if e.Kind == paraph.Full {
		a.log.Error("no space left", "request", c.id, "error", err)
	}
	p := Problem{Error: e.Message, Field: e.Field, status: statuses[e.Kind]}
	if ours && e.Kind == paraph.Conflict {
		p.status = http.StatusConflict
	}
	if e.Kind == paraph.TooMany {
		p.retryAfter = time.Minute
	}
	return &failure{p}
}

// refuse answers a request that does not reach a handler.
func (a *api) refuse(w http.ResponseWriter, r *http.Request, err error) {
	a.write(w, a.failed(callOf(r.Context()), err, true))
}

func (a *api) write(w http.ResponseWriter, f *failure) {
	for name, values := range f.GetHeaders() {
		w.Header()[name] = values
	}
	if f.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="api"`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	_ = json.NewEncoder(w).Encode(f) // the reader may be gone
}

// ownErrors is a huma.Transformer that gives the errors which huma itself
// finds, in paths and queries and in bodies that are no JSON, our shape. It
// belongs to one API, where huma.NewError would be the whole process's.
func ownErrors(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	ctx.SetHeader("Content-Type", "application/json") // huma has set problem+json by now
	p := Problem{Error: "Send the request as JSON.", Field: "body", status: m.Status}
	if len(m.Errors) > 0 {
		p.Error, p.Field = sentence(m.Errors[0])
	}
	return p, nil
}

// sentence says what huma found wrong.
func sentence(d *huma.ErrorDetail) (text, field string) {
	place, name, _ := strings.Cut(d.Location, ".")
	switch place {
	case "body":
		return "The body is not valid JSON: " + d.Message + ".", "body"
	case "path":
		return fmt.Sprintf("“%v” is not an id.", short(d.Value)), name
	}
	return fmt.Sprintf("“%v” can't be the %s: %s.", short(d.Value), name, d.Message), name
}

func short(v any) string { return paraph.Shorten(paraph.CleanLine(fmt.Sprint(v)), 60) }

// badJSON says which part of a body has the wrong type.
func badJSON(err error) error {
	t, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		if e, ok := errors.AsType[*paraph.Error](err); ok {
			return e
		}
		return paraph.FieldErrorf("body", "The body can't be understood: %s.", paraph.Shorten(paraph.CleanLine(err.Error()), 200))
	}
	found, _, _ := strings.Cut(t.Value, " ")
	if t.Field == "" {
		return paraph.FieldErrorf("body", "The body should be %s, not %s.", typeName(t.Type), jsonName(found))
	}
	return paraph.FieldErrorf(t.Field, "“%s” should be %s, not %s.", t.Field, typeName(t.Type), jsonName(found))
}

// typeName is what a Go type is called in JSON.
func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Float64, reflect.Float32:
		return "a number"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Pointer:
		return typeName(t.Elem())
	}
	return "an object"
}

func jsonName(s string) string {
	switch s {
	case "bool":
		return "true or false"
	case "string":
		return "text"
	case "array":
		return "a list"
	case "number":
		return "this number"
	}
	return "an " + s
}
