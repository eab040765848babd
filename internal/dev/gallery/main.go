// Command gallery shows every part and page of the user interface in its ugliest states, with canned data and under the
// security policy of the real server. It is for looking and for the browser tests; nothing in it is part of Paraph.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/a-h/templ"

	"github.com/paraph-sign/paraph/internal/web/dist"
	"github.com/paraph-sign/paraph/internal/web/ui/assets"
)

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func main() {
	listen := flag.String("listen", "127.0.0.1:3900", "address to listen on; port 0 picks a free one")
	live := flag.String("assets", "", "folder of built assets to read anew for each page, instead of the embedded ones")
	flag.Parse()
	if err := run(*listen, *live); err != nil {
		log.Fatal(err)
	}
}

func run(listen, live string) error {
	var files fs.FS = dist.Files
	if live != "" {
		files = os.DirFS(live)
	}
	built, err := assets.New(assets.Config{Files: files, Live: live != ""})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	fmt.Printf("gallery at http://%s\n", l.Addr())
	srv := &http.Server{Handler: routes(built), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = srv.Close()
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func routes(built *assets.Assets) http.Handler {
	g := gallery{assets: built, desk: newCannedDesk()}
	mux := http.NewServeMux()
	mux.Handle("GET "+assets.Prefix, built)
	mux.Handle("GET /{$}", g.page(func(*http.Request) templ.Component { return index(g) }))
	mux.Handle("GET /parts", g.page(func(*http.Request) templ.Component { return parts(g) }))
	mux.Handle("GET /modal", g.page(func(*http.Request) templ.Component { return modalPage(g) }))
	mux.Handle("GET /rtl", g.page(func(*http.Request) templ.Component { return rtl(g) }))
	mux.Handle("GET /list", g.page(func(*http.Request) templ.Component { return list(g) }))
	mux.Handle("GET /envelope", g.page(func(*http.Request) templ.Component { return envelope(g) }))
	mux.Handle("GET /auth", g.page(func(*http.Request) templ.Component { return auth(g) }))
	mux.Handle("GET /failure/{code}", g.page(func(r *http.Request) templ.Component { return failure(g, r.PathValue("code")) }))
	g.islandRoutes(mux)
	g.draftRoutes(mux)
	return mux
}

type gallery struct {
	assets *assets.Assets
	desk   *cannedDesk
}

func (g gallery) page(of func(*http.Request) templ.Component) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := of(r).Render(r.Context(), w); err != nil {
			log.Printf("render %s: %v", r.URL.Path, err)
		}
	})
}
