package api

import (
	"context"
	"net/http"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/store"
)

// call is what is known of a request besides its content.
type call struct {
	id     string // names the request in the log
	signed store.Signed
	who    desk.Who
}

type callKey struct{}

// callOf is the request's call. Every request has one.
func callOf(ctx context.Context) *call {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return &call{}
	}
	return c
}

// whoOf is who makes the request, and in which account.
func whoOf(ctx context.Context) desk.Who { return callOf(ctx).who }

// recovered gives each request its number, and keeps a panic from ending more
// than its own request.
func (a *api) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{id: paraph.NewLetters(12)}
		r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
		w.Header().Set("X-Request-Id", c.id)
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler:
				panic(v)
			default:
				a.refuse(w, r, paraph.Errorf(paraph.Internal, "panic: %v", v))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// known answers requests for which there is no route.
func (a *api) known(routes *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := routes.Handler(r)
		if pattern != "" {
			routes.ServeHTTP(w, r)
			return
		}
		probe := &probe{header: http.Header{}}
		h.ServeHTTP(probe, r)
		if probe.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", probe.header.Get("Allow"))
			a.write(w, &failure{Problem{Error: r.Method + " is not possible here; " + probe.header.Get("Allow") + " is.", status: probe.status}})
			return
		}
		a.write(w, &failure{Problem{Error: "There is nothing at this address. The API is described at /docs/api.", status: http.StatusNotFound}})
	})
}

// probe hears what the mux would say.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) WriteHeader(status int)      { p.status = status }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
