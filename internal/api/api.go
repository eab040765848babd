package api

import (
	"errors"
	"log/slog"
	"net"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/store"
)

// Config is what the API is made of. The first five are needed.
type Config struct {
	Desk    *desk.Desk
	Store   *store.Store // only its Reader is used
	Log     *slog.Logger
	Version string
	MaxSize int64 // of one uploaded file, in bytes

	ClientIP          func(*http.Request) string // nil: the address of the connection
	RequestsPerMinute int                        // of one token; 0: 1000
}

// api is the state that handlers share.
type api struct {
	cfg    Config
	desk   *desk.Desk
	store  store.Reader
	log    *slog.Logger
	huma   huma.API
	limit  *limits
	order  []string          // of the operations, in the table of routes
	events []EventTypeDetail // that webhooks can ask for
	large  chan struct{}     // holds one for each large body that is worked on
}

// New makes the handler of /api/ and /docs/.
func New(cfg Config) (http.Handler, error) {
	if cfg.Desk == nil || cfg.Store == nil || cfg.Log == nil || cfg.Version == "" || cfg.MaxSize <= 0 {
		return nil, errors.New("api: the config is incomplete")
	}
	if cfg.ClientIP == nil {
		cfg.ClientIP = connectionIP
	}
	if cfg.RequestsPerMinute <= 0 {
		cfg.RequestsPerMinute = 1000
	}
	routes := http.NewServeMux()
	a := &api{
		cfg: cfg, desk: cfg.Desk, store: cfg.Store.Reader, log: cfg.Log,
		huma: humago.New(routes, humaConfig(cfg)), limit: newLimits(cfg.RequestsPerMinute), large: make(chan struct{}, largeAtOnce),
	}
	if err := a.describe(); err != nil {
		return nil, err
	}
	return a.front(routes)
}

// describe adds the routes, and what is sent to webhooks, to the description.
func (a *api) describe() (err error) {
	if a.events, err = catalogue(a.cfg.Desk.Links.Base); err != nil {
		return err
	}
	a.routes()
	return a.describeEvents()
}

// front puts what every request passes before the routes, outermost first.
func (a *api) front(routes *http.ServeMux) (http.Handler, error) {
	spec, err := a.spec()
	if err != nil {
		return nil, err
	}
	docs, err := a.docs()
	if err != nil {
		return nil, err
	}
	events, err := a.eventDocs()
	if err != nil {
		return nil, err
	}
	guarded := a.authenticated(a.limited(a.readBody(a.idempotent(a.known(routes)))))
	front := http.NewServeMux()
	front.Handle("/api/", guarded)
	front.Handle("GET /api/openapi.json", serveBytes("application/openapi+json", spec))
	front.HandleFunc("GET /api/events/types/{name}/schema", a.eventSchema)
	front.Handle("GET /docs/events", serveBytes("text/html; charset=utf-8", events))
	front.Handle("GET /docs/api", serveBytes("text/html; charset=utf-8", docs))
	front.Handle("GET /docs/api.css", serveBytes("text/css; charset=utf-8", docsStyle))
	return a.recovered(front), nil
}

// serveBytes answers what is known from the start and the same for everybody.
func serveBytes(contentType string, b []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", contentType)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-cache")
		_, _ = w.Write(b) // the reader may be gone
	})
}

func connectionIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}
