// Package assets names and serves the browser's files: styles, scripts, fonts. A name a page asks for ("app.css") becomes
// the URL of a file whose name carries its hash, so that browsers keep it for a year. It serves what the build made and
// nothing else, and never reads outside the file system it was given.
package assets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

// Prefix is the path under which Assets must be mounted.
const Prefix = "/assets/"

// ErrNotBuilt says that the file system holds no build output.
var ErrNotBuilt = errors.New("the browser's files are not built: run “make assets” (npm ci && npm run build), then build again")

// Assets maps names to hashed files and serves them.
type Assets struct {
	files    fs.FS
	live     bool
	manifest map[string]string
}

// Config says where the build output is.
type Config struct {
	// Files holds manifest.json and all that it names: dist.Files, or os.DirFS of the dist folder while developing.
	Files fs.FS
	// Live reads the manifest anew for each question, for development.
	Live bool
}

// New reads the manifest and checks that every file it names is there. It answers ErrNotBuilt when there is none.
func New(cfg Config) (*Assets, error) {
	if cfg.Files == nil {
		return nil, errors.New("assets: no file system")
	}
	manifest, err := readManifest(cfg.Files)
	if err != nil {
		return nil, err
	}
	for name, file := range manifest {
		if _, err := fs.Stat(cfg.Files, file); err != nil {
			return nil, fmt.Errorf("assets: %s: %w", name, err)
		}
	}
	return &Assets{files: cfg.Files, live: cfg.Live, manifest: manifest}, nil
}

func readManifest(files fs.FS) (map[string]string, error) {
	data, err := fs.ReadFile(files, "manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotBuilt
	}
	if err != nil {
		return nil, fmt.Errorf("assets: read manifest: %w", err)
	}
	var manifest map[string]string
	if err := json.Unmarshal(data, &manifest); err != nil {
		return nil, fmt.Errorf("assets: read manifest: %w", err)
	}
	return manifest, nil
}

// URL is where the file of that name is served. An unknown name gives a URL that answers 404, so that a wrong name shows in
// the browser's log and in tests, and a page is still a page.
func (a *Assets) URL(name string) string {
	manifest := a.manifest
	if a.live {
		if m, err := readManifest(a.files); err == nil {
			manifest = m
		}
	}
	if file, ok := manifest[name]; ok {
		return Prefix + file
	}
	return Prefix + "unknown/" + name
}

// ServeHTTP serves one file below Prefix, compressed when the browser takes it, to be kept for a year.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, Prefix)
	if !ok || !a.served(name) {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", contentType(name))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept-Encoding")
	for _, enc := range []struct{ token, ext string }{{"br", ".br"}, {"gzip", ".gz"}} {
		if !accepts(r, enc.token) {
			continue
		}
		if data, err := fs.ReadFile(a.files, name+enc.ext); err == nil {
			h.Set("Content-Encoding", enc.token)
			serve(w, r, data)
			return
		}
	}
	data, err := fs.ReadFile(a.files, name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	serve(w, r, data)
}

// served says whether name is a public file: never the manifest, this program's source or a compressed twin by itself.
func (a *Assets) served(name string) bool {
	switch path.Ext(name) {
	case ".js", ".css", ".woff2", ".svg", ".txt":
		return fs.ValidPath(name)
	}
	return false
}

func serve(w http.ResponseWriter, r *http.Request, data []byte) {
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

func contentType(name string) string {
	if path.Ext(name) == ".woff2" {
		return "font/woff2"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// accepts says whether Accept-Encoding names the coding without refusing it (RFC 9110, section 12.5.3).
func accepts(r *http.Request, coding string) bool {
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		token, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(token), coding) {
			q := strings.ReplaceAll(params, " ", "")
			return q != "q=0" && !strings.HasPrefix(q, "q=0.000") && q != "q=0.0" && q != "q=0.00"
		}
	}
	return false
}
